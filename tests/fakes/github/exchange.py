"""What passes between the server and a handler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

DOCS: Final = "https://docs.github.com/rest"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it came in; `path` is without the base path and still percent-encoded, header names are small."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    base: str
    """The URL that the client calls the API by, base path included, without a slash at its end."""

    @property
    def user_agent(self) -> str:
        return self.headers.get("user-agent", "")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A reply; a body of None is no body."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Problem(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """An answer that is an error, in GitHub's shape."""

    def __init__(
        self, status: int, message: str, *, errors: Any = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        body: dict[str, Any] = {"message": message, "documentation_url": DOCS, "status": str(status)}
        if errors is not None:
            body["errors"] = errors
        self.reply = Reply(status=status, body=body, headers=headers or {})


def not_found() -> Problem:
    """GitHub's 404."""
    return Problem(404, "Not Found")


def invalid(resource: str, name: str, code: str, message: str = "") -> Problem:
    """GitHub's 422 about one field."""
    error = {"resource": resource, "field": name, "code": code} | ({"message": message} if message else {})
    return Problem(422, "Validation Failed", errors=[error])


@dataclass(frozen=True, kw_only=True)
class Record:
    """One call that the fake has answered; `operation` is empty when there was no route."""

    method: str
    path: str
    operation: str
    status: int
    user_agent: str
    login: str
    body: Any = None
    """The request's, parsed."""
