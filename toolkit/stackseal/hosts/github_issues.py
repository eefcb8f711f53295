"""One open issue per drifted stack, and one closed issue that says when drift was last checked.

Found by listing, never by searching: GitHub's search lags by minutes, and what it does not show yet would be filed
twice. An issue is ours when its marker says so and we made it or it has our label; the label may have been dropped
(GitHub drops labels silently where the token may not set them), and the token may have changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from stackseal.errors import Failed
from stackseal.hosts.base import Issue, Marks
from stackseal.hosts.github_api import Client, Rejected, Unsure
from stackseal.hosts.github_comments import LIMIT, same
from stackseal.hosts.github_identity import Identity

LABEL: Final = "stackseal-drift"
DRIFT: Final = "drift"
HEARTBEAT: Final = "drift-heartbeat"
HEARTBEAT_TITLE: Final = "stackseal: the last check for drift"
_TITLE: Final = 256
_TURNS: Final = 4


def read(items: Iterable[Mapping[str, Any]], kind: str, login: str, marks: Marks) -> tuple[Issue, ...]:
    """Our issues of a kind among GitHub's, by number; pull requests, which GitHub lists as issues, are none."""
    found = {}
    for item in items:
        body = item.get("body") or ""
        data = marks.read(body)
        mine = (item.get("user") or {}).get("login") == login or LABEL in _labels(item)
        if data is None or data["kind"] != kind or not mine or "pull_request" in item:
            continue
        found[item["number"]] = Issue(
            number=item["number"],
            key=str(data.get("id", "")),
            title=item["title"],
            body=body,
            open=item["state"] == "open",
        )
    return tuple(found[number] for number in sorted(found))


def surplus(issues: Sequence[Issue]) -> tuple[Issue, ...]:
    """Open issues of a key that has one with a lower number, open or closed: that one is the stack's."""
    first: dict[str, int] = {}
    for issue in sorted(issues, key=lambda issue: issue.number):
        first.setdefault(issue.key, issue.number)
    return tuple(issue for issue in issues if issue.open and issue.number != first[issue.key])


class Issues:
    """The issues of one repository."""

    def __init__(self, client: Client, repository: str, identity: Identity, marks: Marks) -> None:
        self._client, self._base, self._identity, self._marks = client, f"/repos/{repository}", identity, marks

    def all(self, kind: str = DRIFT) -> tuple[Issue, ...]:
        """Ours of a kind, open or closed; a second open one of a stack is closed as a duplicate on the way."""
        found = read(self._listed(), kind, self._identity.login, self._marks)
        closed = {issue.number for issue in surplus(found) if self._close_duplicate(issue)}
        return tuple(issue for issue in found if issue.number not in closed)

    def open(self, key: str, title: str, body: str) -> Issue:
        """A new issue, or the one that another run has opened meanwhile."""
        return self._first(self._create(DRIFT, key, title, body))

    def update(self, number: int, title: str, body: str, *, is_open: bool) -> Issue:
        """The issue as it is now to be: edited, reopened or closed as completed."""
        state = {"state": "open"} if is_open else {"state": "closed", "state_reason": "completed"}
        found = self._patch(number, {"title": _title(title), "body": body[:LIMIT], **state}, doing="update the issue")
        data = self._marks.read(body) or {}
        issue = self._sent(found, str(data.get("id", "")), body[:LIMIT])
        self._label(found)
        return issue

    def retire(self, number: int, comment: str) -> None:
        """Say why in a comment, then close it as not planned; a comment whose answer is lost counts as written."""
        with suppress(Unsure):
            path = f"{self._base}/issues/{number}/comments"
            self._client.write("POST", path, {"body": comment[:LIMIT]}, doing="say why an issue is closed")
        self._patch(number, {"state": "closed", "state_reason": "not_planned"}, doing="close the issue")

    def beat(self, at: str, body: str) -> Issue:
        """Write down that drift was checked at a time (ISO, UTC): in an issue of its own, which is closed."""
        text = f"{self._marks.write(HEARTBEAT, id=HEARTBEAT, at=at)}\n{body}"
        found = next(iter(self.all(HEARTBEAT)), None)
        number = found.number if found else self._create(HEARTBEAT, HEARTBEAT, HEARTBEAT_TITLE, text).number
        return self.update(number, HEARTBEAT_TITLE, text, is_open=False)

    def last_beat(self) -> str | None:
        """When drift was last checked with success (ISO, UTC); None when never."""
        for issue in self.all(HEARTBEAT):
            at = (self._marks.read(issue.body) or {}).get("at")
            return at if isinstance(at, str) else None
        return None

    def _listed(self) -> Iterable[Mapping[str, Any]]:
        path, doing = f"{self._base}/issues", "list the issues"
        yield from self._client.pages(path, doing=doing, state="all", labels=LABEL)
        yield from self._client.pages(path, doing=doing, state="all", creator=self._identity.login)

    def _create(self, kind: str, key: str, title: str, body: str) -> Issue:
        data = self._marks.read(body)
        if data is None or data["kind"] != kind or data.get("id") != key:
            body = f"{self._marks.write(kind, id=key)}\n{body}"
        wanted = {"title": _title(title), "body": body[:LIMIT], "labels": [LABEL]}
        for turn in range(_TURNS):
            try:
                made = self._client.write("POST", f"{self._base}/issues", wanted, doing="open an issue")
            except Unsure:
                self._client.sleep(float(turn + 1))
                mine = [issue for issue in self.all(kind) if issue.key == key and issue.open]
                if mine:
                    return mine[0]
                continue
            self._identity.learn(made)
            self._label(made)
            return self._sent(made, key, body[:LIMIT])
        raise Failed("The issue was not opened", why="GitHub answered none of the requests", remedy="run it again")

    def _first(self, made: Issue) -> Issue:
        """The stack's issue when two runs opened one at the same time: the lower number."""
        return min(
            (issue for issue in self.all() if issue.key == made.key), key=lambda issue: issue.number, default=made
        )

    def _patch(self, number: int, body: Mapping[str, Any], *, doing: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._client.write("PATCH", f"{self._base}/issues/{number}", body, doing=doing)
        return found

    def _close_duplicate(self, issue: Issue) -> bool:
        """Close it; a server that does not know the reason "duplicate" gets "not planned"."""
        for reason in ("duplicate", "not_planned"):
            try:
                body = {"state": "closed", "state_reason": reason}
                self._patch(issue.number, body, doing="close a second issue of a stack")
            except Rejected as error:
                if error.status != 422:
                    raise
            else:
                return True
        return False

    def _sent(self, found: Mapping[str, Any], key: str, body: str) -> Issue:
        """What GitHub has now: over some limits it answers 200 and keeps the old text."""
        kept = found.get("body") or ""
        if not same(kept, body, self._marks):
            raise Failed(
                f"The issue {found['number']} is not what was sent",
                why="GitHub accepted the text and kept another",
                remedy="run it again",
            )
        is_open = found["state"] == "open"
        return Issue(number=found["number"], key=key, title=found["title"], body=kept, open=is_open)

    def _label(self, found: Mapping[str, Any]) -> None:
        """Add the label where it is missing; without it the issue is still found by its author."""
        if LABEL not in _labels(found):
            path = f"{self._base}/issues/{found['number']}/labels"
            try:
                self._client.write("POST", path, {"labels": [LABEL]}, doing="label the issue")
            except (Rejected, Unsure):
                return


def _labels(item: Mapping[str, Any]) -> set[str]:
    return {label if isinstance(label, str) else str(label.get("name")) for label in item.get("labels") or ()}


def _title(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TITLE else f"{line[: _TITLE - 1]}…"
