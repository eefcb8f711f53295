"""GitHub's refusals as sentences that say what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from stackseal.errors import Failed
from stackseal.hosts.github_http import GRAPHQL, Reply

PERMISSIONS: Final[tuple[tuple[str, str], ...]] = (
    (r"/issues/comments|/issues/\d+/(comments|labels)|/labels", "pull-requests"),
    (r"/issues", "issues"),
    (r"/commits/[^/]+/pulls|/pulls", "pull-requests"),
    (r"/code-scanning", "security-events"),
    (r"/actions|/environments", "actions"),
    (r"/contents|/commits|/rules|/branches", "contents"),
)
"""First match of a path → the key of `permissions:` that a job needs, where GitHub does not name it in its answer."""
_GRANT: Final = (
    "add it to the job's permissions and to those of the workflow that calls it; pull requests from forks never have it"
)
_ACCEPTED: Final = re.compile(r"([a-z_]+)=(read|write)")


class Rejected(Failed):
    """GitHub understood the request and refused it."""

    def __init__(self, what: str, *, status: int, message: str, why: str, remedy: str) -> None:
        super().__init__(what, why=why, remedy=remedy)
        self.status, self.message = status, message

    @property
    def unpermitted(self) -> bool:
        """Whether the token lacks a permission, as on pull requests from forks."""
        return self.status == 403 and "not accessible" in self.message


def rejected(method: str, path: str, reply: Reply, doing: str) -> Rejected:
    """The error of an answer that is no success. `doing` is what we wanted, e.g. `write the comment`."""
    message = _message(reply.data)
    why, remedy = _because(method, path, reply, message)
    what = f"GitHub refused to {doing}"
    return Rejected(what, status=reply.status, message=message, why=why, remedy=remedy)


def _because(method: str, path: str, reply: Reply, message: str) -> tuple[str, str]:
    needed = permission(method, path, reply.headers)
    match reply.status:
        case status if status < 400:
            found = f"it answered {status}: the repository has moved", "set GITHUB_REPOSITORY to where it is now"
        case 401:
            found = "the token is not valid, or has expired", "give a token that is valid"
        case 403 if "not accessible by personal access token" in message:
            found = f"the token lacks the permission {needed}", "give the personal access token that permission"
        case 403 if "not accessible" in message:
            found = f"the token lacks the permission {needed}", _GRANT
        case 403 if "locked" in message:
            found = "the conversation is locked", "unlock it, or allow bots to write"
        case 403:
            found = f"403 {message}".strip(), f"do as GitHub says; the token needs at least {needed}"
        case 404:
            found = (
                "it was not found, or the token cannot see it",
                f"check the repository and the permission {needed}",
            )
        case 410 if "/issues" in path:
            found = "issues are disabled in this repository, or this one was deleted", "enable them in the settings"
        case _:
            found = f"{reply.status} {message}".strip(), "see what GitHub says"
    return found


def permission(method: str, path: str, headers: Mapping[str, str]) -> str:
    """What a job's `permissions:` must have, e.g. `pull-requests: write`."""
    sets = [
        " and ".join(f"{key.replace('_', '-')}: {level}" for key, level in _ACCEPTED.findall(one))
        for one in _accepted(headers).split(";")  # one of the sets is enough ("Troubleshooting the REST API")
    ]
    if named := [one for one in sets if one]:
        return " or ".join(dict.fromkeys(named))
    if path == GRAPHQL:
        return "pull-requests: read"
    key = next((key for pattern, key in PERMISSIONS if re.search(pattern, path)), "contents")
    return f"{key}: {'read' if method == 'GET' else 'write'}"


def _accepted(headers: Mapping[str, str]) -> str:
    return headers.get("x-accepted-github-permissions", "")


def _message(data: Any) -> str:
    """GitHub's own words on one line, with the details of a validation error."""
    if not isinstance(data, Mapping):
        return ""
    details = [_detail(item) for item in data.get("errors") or ()]
    words = [str(data.get("message", "")), *[detail for detail in details if detail]]
    return " ".join("; ".join(words).split())[:500]


def _detail(item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    return str(item.get("message") or " ".join(str(item[key]) for key in ("resource", "field", "code") if key in item))
