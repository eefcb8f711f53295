"""The one comment of a pull request and key: found by marker and author, written in place, the newest run wins.

Comments may be created by several runs at once; the lowest id stays and the others are deleted. Every other change is
made under the lock of the first comment (`github_lock`), where the comments are listed again: so an older run cannot
overwrite a newer one that it did not see. What GitHub then shows is compared with what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from stackseal.errors import Failed, StacksealError
from stackseal.hosts.base import Marks
from stackseal.hosts.github_api import Client, Rejected, Unsure
from stackseal.hosts.github_identity import Identity
from stackseal.hosts.github_lock import locked
from stackseal.hosts.github_revision import OLDEST, Revision
from stackseal.model import Json

LIMIT: Final = 65_000
"""Code points of a body. GitHub says 65,536; over other limits it keeps the old text and answers 200."""
ROOM: Final = 64_600
"""What a renderer should leave of `LIMIT`, so that the marker's key and revision fit without cutting."""
CUT: Final = "\n\n*Cut here, because GitHub takes no more.*\n"
_RUN: Final = re.compile("/actions/runs/[0-9]+")
_TURNS: Final = 12
_LOOKS: Final = 4
"""How often a new comment may be missing from the list until it is taken for lost."""


@dataclass(frozen=True, kw_only=True)
class Comment:
    """One comment of ours under the key."""

    id: int
    node: str
    body: str
    url: str
    revision: Revision
    head: str = ""
    """The commit that it reviews, as its marker says."""


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What makes the comments of a key what they should be; nothing when they are."""

    edits: tuple[tuple[int, str], ...] = ()
    creates: tuple[str, ...] = ()
    deletes: tuple[int, ...] = ()
    superseded: bool = False
    """A newer run has written: only what is older than that is tidied away."""

    @property
    def done(self) -> bool:
        return not (self.edits or self.creates or self.deletes)


def stamp(parts: Sequence[str], key: str, revision: Revision, marks: Marks) -> tuple[str, ...]:
    """The bodies as they are sent: the key and the revision in the marker of each, none over `LIMIT`."""
    return tuple(_capped(_stamped(part, key, revision, marks)) for part in parts)


def _stamped(part: str, key: str, revision: Revision, marks: Marks) -> str:
    found = marks.read(part)
    data: dict[str, Json] = {name: value for name, value in (found or {}).items() if name not in {"v", "kind"}}
    data |= {"key": key, "rev": revision.values}
    rest = part.partition("\n")[2] if found else part
    kind = str(found["kind"]) if found else "comment"
    return f"{marks.write(kind, **data)}\n{rest}"


def _capped(body: str) -> str:
    if len(body) <= LIMIT:
        return body
    kept = body[: LIMIT - len(CUT)]
    return kept[: kept.rfind("\n") + 1 or len(kept)].rstrip("\n") + CUT


def noted(body: str, line: str) -> str:
    """A comment with a line of its own below its marker."""
    marker, _, rest = body.partition("\n")
    return f"{marker}\n{line}\n\n{rest.lstrip()}"


def ours(comments: Iterable[Mapping[str, Any]], key: str, login: str, marks: Marks) -> tuple[Comment, ...]:
    """Of GitHub's comments those whose marker has the key and whose author is us, by id."""
    found = []
    for item in comments:
        body = item.get("body") or ""
        data = marks.read(body) if (item.get("user") or {}).get("login") == login else None
        if data is not None and data.get("key") == key:
            found.append(
                Comment(
                    id=item["id"],
                    node=item.get("node_id", ""),
                    body=body,
                    url=item.get("html_url", ""),
                    revision=Revision.read(data.get("rev")),
                    head=str(data.get("head", "")),
                )
            )
    return tuple(sorted(found, key=lambda comment: comment.id))


def decide(group: Sequence[Comment], bodies: Sequence[str], revision: Revision, marks: Marks) -> Steps:
    """What is to be done with the comments of a key, the lowest id first."""
    newest = max((comment.revision for comment in group), default=revision)
    if newest > revision:
        stale = tuple(comment.id for comment in group[1:] if comment.revision < newest)
        return Steps(deletes=stale, superseded=True)
    edits = tuple(
        (comment.id, body) for comment, body in zip(group, bodies, strict=False) if not same(comment.body, body, marks)
    )
    return Steps(
        edits=edits,
        creates=tuple(bodies[len(group) :]),
        deletes=tuple(comment.id for comment in group[len(bodies) :]),
    )


def believed(group: Sequence[Comment], head: str) -> tuple[Comment, ...]:
    """The comments as the pull request's head lets us believe them: a review of another commit is never the newest.

    Whoever may write can edit our comment, and a revision from the future would keep it from being written again.
    """
    return tuple(comment if comment.head == head else replace(comment, revision=OLDEST) for comment in group)


def same(old: str, new: str, marks: Marks) -> bool:
    """Whether two bodies say the same, whichever run wrote them and links to itself.

    Line ends and outer space are GitHub's.
    """
    return _said(old, marks) == _said(new, marks)


def _said(body: str, marks: Marks) -> tuple[object, str]:
    data = {name: value for name, value in (marks.read(body) or {}).items() if name != "rev"}
    text = body.partition("\n")[2].replace("\r\n", "\n").strip()
    return data, _RUN.sub("/actions/runs/", text)


class Comments:
    """The comments of one repository's pull requests."""

    def __init__(self, client: Client, repository: str, identity: Identity, marks: Marks) -> None:
        self._client, self._identity, self._marks = client, identity, marks
        self._base = f"/repos/{repository}"

    def publish(self, pull_request: int, key: str, parts: Sequence[str], revision: Revision) -> str:
        """The pull request has exactly these comments under the key, or a newer run's; returns the first one's address.

        Raises Failed when GitHub keeps something else than what was sent.
        """
        bodies = stamp(parts, key, revision, self._marks)
        appears = 0
        for turn in range(_TURNS):
            group = self.group(pull_request, key)
            if group:
                steps = self._decide(pull_request, group, bodies, revision)
                if steps.done:
                    return group[0].url
                self._settle(pull_request, key, bodies, revision, group[0].id)
            elif not bodies:
                return ""
            elif appears:
                appears -= 1
            else:
                self._create(pull_request, bodies[0])
                appears = _LOOKS
            if turn:
                self._client.sleep(float(turn))
        raise Failed(
            f"The comment on pull request {pull_request} is not what was sent",
            why=f"GitHub still shows something else after {_TURNS} tries",
            remedy="see the job's summary for the report, and run the job again",
        )

    def group(self, pull_request: int, key: str) -> tuple[Comment, ...]:
        """Our comments under a key as they are now."""
        path = f"{self._base}/issues/{pull_request}/comments"
        return ours(self._client.pages(path, doing="list the comments"), key, self._identity.login, self._marks)

    def fold(self, pull_request: int, key: str, *, but: str, before: Revision) -> None:
        """Fold the comments of earlier runs (keys `KEY` and `KEY#RUN`) as outdated; where refused they stay open."""
        path = f"{self._base}/issues/{pull_request}/comments"
        listed = list(self._client.pages(path, doing="list the comments"))
        keys = {str((self._marks.read(item.get("body") or "") or {}).get("key", "")) for item in listed}
        for other in sorted(each for each in keys if each != but and (each == key or each.startswith(f"{key}#"))):
            for comment in ours(listed, other, self._identity.login, self._marks):
                if comment.revision < before and not self._hidden(comment):
                    return

    def note(self, pull_request: int, line: str) -> None:
        """Put a line in front of each of our reviews; the next publication takes it away again."""
        for key in sorted({str(data["key"]) for data in self._reviews(pull_request)}):
            group = self.group(pull_request, key)
            with locked(self._client, f"{self._base}/issues/comments/{group[0].id}"):
                for comment in self.group(pull_request, key)[:1]:
                    if line not in comment.body.split("\n"):
                        body = _capped(noted(comment.body, line))
                        self._change("PATCH", comment.id, {"body": body}, doing="mark the comment as stale")

    def newest(self, pull_request: int, key: str) -> Mapping[str, Json] | None:
        """The marker of the newest review under a key (`KEY` or `KEY#RUN`); None where there is none."""
        mine = [
            data
            for data in self._reviews(pull_request)
            if str(data["key"]).partition("#")[0] == key and data.get("part", 1) == 1
        ]
        return max(mine, key=lambda data: Revision.read(data.get("rev")), default=None)

    def _reviews(self, pull_request: int) -> list[Mapping[str, Json]]:
        """The markers of all our reviews of a pull request."""
        path = f"{self._base}/issues/{pull_request}/comments"
        found = []
        for item in self._client.pages(path, doing="list the comments"):
            data = self._marks.read(item.get("body") or "")
            mine = (item.get("user") or {}).get("login") == self._identity.login
            if mine and data is not None and data["kind"] == "review" and "key" in data:
                found.append(data)
        return found

    def _hidden(self, comment: Comment) -> bool:
        try:
            self._client.graphql(HIDE, {"id": comment.node}, doing="fold an outdated comment")
        except StacksealError:
            return False
        return True

    def _decide(self, pull_request: int, group: Sequence[Comment], bodies: Sequence[str], revision: Revision) -> Steps:
        steps = decide(group, bodies, revision, self._marks)
        mine = (self._marks.read(bodies[0]) or {}).get("head") if bodies else None
        if not steps.superseded or not mine or mine != self._head(pull_request):
            return steps
        return decide(believed(group, str(mine)), bodies, revision, self._marks)

    def _head(self, pull_request: int) -> str:
        """The commit that the pull request has now; empty where the token may not see it."""
        try:
            found = self._client.get(f"{self._base}/pulls/{pull_request}", doing="read the pull request")
        except Rejected:
            return ""
        return str(found["head"]["sha"])

    def _settle(self, pull_request: int, key: str, bodies: Sequence[str], revision: Revision, anchor: int) -> None:
        """Under the lock of the first comment: look again, and do what is then right."""
        with locked(self._client, f"{self._base}/issues/comments/{anchor}"):
            group = self.group(pull_request, key)
            if not group or group[0].id != anchor:
                return  # somebody deleted it: the next turn begins with what is there
            steps = self._decide(pull_request, group, bodies, revision)
            for number, body in steps.edits:
                self._change("PATCH", number, {"body": body}, doing="edit the comment")
            for body in steps.creates:
                self._create(pull_request, body)
            for number in steps.deletes:
                self._change("DELETE", number, None, doing="delete a second comment")

    def _create(self, pull_request: int, body: str) -> None:
        path = f"{self._base}/issues/{pull_request}/comments"
        try:
            made = self._client.write("POST", path, {"body": body}, doing="write a comment")
        except Unsure:
            return  # the next look shows whether it is there
        self._identity.learn(made)

    def _change(self, method: str, number: int, body: Mapping[str, Any] | None, *, doing: str) -> None:
        """Edit or delete a comment that somebody may have deleted meanwhile; the next look shows what became of it."""
        try:
            self._client.write(method, f"{self._base}/issues/comments/{number}", body, doing=doing)
        except Unsure:
            return
        except Rejected as error:
            if error.status != 404:
                raise


HIDE: Final = (
    "mutation ($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED})"
    " { minimizedComment { isMinimized } } }"
)
