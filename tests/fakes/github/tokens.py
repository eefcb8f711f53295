"""Who calls, and what the call needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from fakes.github.description import permissions
from fakes.github.exchange import Problem

Kind = Literal["job", "app", "person"]
ORDER: Final = ("none", "read", "write", "admin")


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token: `permissions` are the job's or app's, named as in a workflow (`pull-requests`); a person has None."""

    value: str
    login: str
    kind: Kind
    permissions: Mapping[str, str] | None
    fork: bool = False
    """The job runs for a pull request of a fork: every `write` counts as `read`."""
    expires: datetime | None = None
    repository: str | None = None
    """A job's token is good for its own repository only (owner/name); None is any."""

    commands: Mapping[str, Mapping[str, str]] | None = None
    """Permissions by a text that the user agent holds, where one token serves jobs that differ (act has only one)."""

    def used_by(self, user_agent: str) -> Token:
        """The token as one command has it; a command that `commands` does not name has no permissions."""
        if self.commands is None:
            return self
        held = next((held for text, held in self.commands.items() if text in user_agent), {})
        return replace(self, permissions=dict(held))

    def level(self, permission: str) -> str:
        """What the token holds of a permission (`pull_requests`)."""
        if permission == "metadata":
            return "read"
        held = (self.permissions or {}).get(permission.replace("_", "-"), "none")
        return "read" if self.fork and held == "write" else held


OPEN: Final = frozenset(
    {
        "issues/create",
        "issues/create-comment",
        "issues/delete-comment",
        "issues/update",
        "issues/update-comment",
        "pulls/create",
        "pulls/create-review",
        "pulls/update",
    }
)
"""What a person may do without push access; the handlers refuse what is another's."""


def allow(token: Token, operation: str, *, on_issue: bool) -> None:
    """Refuse what the published table does not give the token; operations that it does not list fail closed.

    `on_issue`: the number in the path is an issue's, not a pull request's, so that `pull_requests` does not help.
    """
    if token.permissions is None:
        return
    enough = permissions().get(operation, ())
    if on_issue and any(name == "issues" for name, _ in enough):
        enough = tuple(pair for pair in enough if pair[0] != "pull_requests")
    if not any(ORDER.index(token.level(name)) >= ORDER.index(level) for name, level in enough):
        needed = "; ".join(f"{name}={level}" for name, level in enough)
        raise Problem(
            403,
            "Resource not accessible by integration",
            headers={"X-Accepted-GitHub-Permissions": needed} if needed else {},
        )
