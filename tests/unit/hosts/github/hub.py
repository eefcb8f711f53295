"""A small GitHub in memory, without HTTP: comments, reactions and issues; each request is atomic, writers are many.

The races are tested against it, because half a million requests must take seconds. What a request and an answer look
like is the business of the fake in `tests/fakes/github`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from stackseal.hosts.github_http import GRAPHQL, Reply

BOT: Final = "github-actions[bot]"
START: Final = 1_800_000_000.0


@dataclass
class Time:
    """A clock that moves when somebody sleeps."""

    seconds: float = START
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@dataclass
class Hub:
    """The state of one repository, `acme/infra`."""

    time: Time = field(default_factory=Time)
    login: str = BOT
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    reactions: dict[int, dict[str, Any]] = field(default_factory=dict)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    head: str = ""
    """The head of every pull request."""
    next: int = 1
    locks: bool = True
    """Whether reactions are allowed."""
    drop_labels: bool = False
    lag: float = 0.0
    """Seconds until a new issue or comment is listed."""
    before: Callable[[str, str], Reply | None] = lambda _method, _path: None
    """May answer in place of the repository."""

    def send(self, method: str, path: str, query: Mapping[str, str | int], body: Any) -> Reply:
        self.calls.append(f"{method} {path}")
        if (early := self.before(method, path)) is not None:
            return early
        for verb, pattern, handler in ROUTES:
            if verb == method and (found := pattern.fullmatch(path.removeprefix("/repos/acme/infra"))):
                return handler(self, *map(int, found.groups()), query=query, body=body)
        return Reply(status=404, data={"message": "Not Found"})

    def close(self) -> None:
        self.calls.append("close")

    def writes(self) -> list[str]:
        return [call for call in self.calls if not call.startswith(("GET", "POST graphql")) and "reactions" not in call]

    def number(self) -> int:
        self.next += 1
        return self.next

    def stamp(self) -> str:
        return self.time.now().isoformat().replace("+00:00", "Z")

    def say(self, author: str, pull_request: int, body: str) -> int:
        """A comment by somebody."""
        number = self.number()
        self.comments[number] = {
            "id": number,
            "node_id": f"IC_{number}",
            "body": body,
            "user": {"login": author},
            "html_url": f"https://github.com/acme/infra/pull/{pull_request}#issuecomment-{number}",
            "_on": pull_request,
            "_made": self.time.seconds,
        }
        return number

    def bodies(self) -> list[str]:
        return [self.comments[number]["body"] for number in sorted(self.comments)]


def _page(items: list[dict[str, Any]], query: Mapping[str, str | int]) -> Reply:
    size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
    more = len(items) > size * page
    headers = {"link": '<https://api.github.com/x>; rel="next"'} if more else {}
    return Reply(status=200, data=[dict(item) for item in items[size * (page - 1) : size * page]], headers=headers)


def _list_comments(hub: Hub, number: int, *, query: Mapping[str, Any], body: Any) -> Reply:
    mine = [item for _, item in sorted(hub.comments.items()) if item["_on"] == number]
    return _page([item for item in mine if hub.time.seconds - item["_made"] >= hub.lag], query)


def _create_comment(hub: Hub, number: int, *, query: Mapping[str, Any], body: Any) -> Reply:
    if len(body["body"]) > 65_536:
        return Reply(status=422, data={"message": "Validation Failed"})
    return Reply(status=201, data=dict(hub.comments[hub.say(hub.login, number, body["body"])]))


def _edit_comment(hub: Hub, number: int, *, query: Mapping[str, Any], body: Any) -> Reply:
    if number not in hub.comments:
        return Reply(status=404, data={"message": "Not Found"})
    hub.comments[number]["body"] = body["body"]
    return Reply(status=200, data=dict(hub.comments[number]))


def _delete_comment(hub: Hub, number: int, *, query: Mapping[str, Any], body: Any) -> Reply:
    if hub.comments.pop(number, None) is None:
        return Reply(status=404, data={"message": "Not Found"})
    hub.reactions.pop(number, None)
    return Reply(status=204)


def _react(hub: Hub, number: int, *, query: Mapping[str, Any], body: Any) -> Reply:
    if not hub.locks:
        return Reply(status=403, data={"message": "Resource not accessible by integration"})
    if number not in hub.comments:
        return Reply(status=404, data={"message": "Not Found"})
    if number in hub.reactions:
        return Reply(status=200, data=hub.reactions[number])
    hub.reactions[number] = {"id": hub.number(), "created_at": hub.stamp()}
    return Reply(status=201, data=hub.reactions[number])


def _unreact(hub: Hub, number: int, reaction: int, *, query: Mapping[str, Any], body: Any) -> Reply:
    if hub.reactions.get(number, {}).get("id") != reaction:
        return Reply(status=404, data={"message": "Not Found"})
    del hub.reactions[number]
    return Reply(status=204)


def _list_issues(hub: Hub, *, query: Mapping[str, Any], body: Any) -> Reply:
    found = [
        item
        for _, item in sorted(hub.issues.items(), reverse=True)
        if hub.time.seconds - item["_made"] >= hub.lag
        and (query["state"] == "all" or item["state"] == query["state"])
        and ("labels" not in query or any(label["name"] == query["labels"] for label in item["labels"]))
        and ("creator" not in query or item["user"]["login"] == query["creator"])
    ]
    return _page(found, query)


def _create_issue(hub: Hub, *, query: Mapping[str, Any], body: Any) -> Reply:
    number = hub.number()
    labels = [] if hub.drop_labels else [{"name": name} for name in body.get("labels", ())]
    hub.issues[number] = {
        "number": number,
        "title": body["title"],
        "body": body["body"],
        "state": "open",
        "state_reason": None,
        "labels": labels,
        "user": {"login": hub.login},
        "html_url": f"https://github.com/acme/infra/issues/{number}",
        "_made": hub.time.seconds,
    }
    return Reply(status=201, data=dict(hub.issues[number]))


def _edit_issue(hub: Hub, number: int, *, query: Mapping[str, Any], body: Any) -> Reply:
    if number not in hub.issues:
        return Reply(status=404, data={"message": "Not Found"})
    hub.issues[number].update(body)
    return Reply(status=200, data=dict(hub.issues[number]))


def _pull(hub: Hub, number: int, *, query: Mapping[str, Any], body: Any) -> Reply:
    return Reply(status=200, data={"number": number, "head": {"sha": hub.head}})


def _add_labels(hub: Hub, number: int, *, query: Mapping[str, Any], body: Any) -> Reply:
    if not hub.drop_labels:
        have = {label["name"] for label in hub.issues[number]["labels"]}
        hub.issues[number]["labels"] += [{"name": name} for name in body["labels"] if name not in have]
    return Reply(status=200, data=hub.issues[number]["labels"])


def _graphql(hub: Hub, *, query: Mapping[str, Any], body: Any) -> Reply:
    if "viewer" in body["query"]:
        return Reply(status=200, data={"data": {"viewer": {"login": hub.login}}})
    return Reply(status=200, data={"data": {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}})


Handler = Callable[..., Reply]
ROUTES: Final[tuple[tuple[str, re.Pattern[str], Handler], ...]] = (
    ("GET", re.compile(r"/issues/(\d+)/comments"), _list_comments),
    ("POST", re.compile(r"/issues/(\d+)/comments"), _create_comment),
    ("PATCH", re.compile(r"/issues/comments/(\d+)"), _edit_comment),
    ("DELETE", re.compile(r"/issues/comments/(\d+)"), _delete_comment),
    ("POST", re.compile(r"/issues/comments/(\d+)/reactions"), _react),
    ("DELETE", re.compile(r"/issues/comments/(\d+)/reactions/(\d+)"), _unreact),
    ("GET", re.compile("/issues"), _list_issues),
    ("POST", re.compile("/issues"), _create_issue),
    ("PATCH", re.compile(r"/issues/(\d+)"), _edit_issue),
    ("POST", re.compile(r"/issues/(\d+)/labels"), _add_labels),
    ("GET", re.compile(r"/pulls/(\d+)"), _pull),
    ("POST", re.compile(GRAPHQL), _graphql),
)
