"""One HTTP request to GitHub, by PyGithub's requester: authentication, version header, user agent, base URL.

Retries and sentences are `github_api`'s; PyGithub's own throttle (0.25 s per request, 1 s per write) and retries are
off, because they sleep by a clock of their own and repeat requests that may have been executed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from stackseal.errors import UsageError

if TYPE_CHECKING:
    from github.Requester import Requester

API_VERSION: Final = "2022-11-28"
DEFAULT_URL: Final = "https://api.github.com"
GRAPHQL: Final = "graphql"
"""The path that stands for the GraphQL address, which on GitHub Enterprise is not below the REST address."""
_SECONDS: Final = 30
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What GitHub answered; header names are in lower case, `data` is the JSON or None."""

    status: int
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Lost(Exception):  # noqa: N818 - it never leaves `github_api`
    """No answer came, or half of one: nobody knows whether the request was executed."""


class Transport(Protocol):
    """The way to GitHub."""

    def send(self, method: str, path: str, query: Mapping[str, str | int], body: Any) -> Reply:
        """Send one request once.

        Raises Lost when there is no whole answer.
        """
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class PyGithubTransport:
    """GitHub by PyGithub 2.10. `url` is GITHUB_API_URL, `agent` names the product and the command."""

    def __init__(self, token: str, *, agent: str, url: str = DEFAULT_URL, seconds: int = _SECONDS) -> None:
        self._token, self._agent, self._url, self._seconds = token, agent, _address(url), seconds
        self._made: Requester | None = None

    def send(self, method: str, path: str, query: Mapping[str, str | int], body: Any) -> Reply:
        requester = self._requester()
        url = requester.graphql_url if path == GRAPHQL else path
        try:
            status, headers, text = requester.requestJson(method, url, dict(query), input=body)
        except (OSError, RuntimeError) as error:
            # The exceptions of requests are OSErrors; a redirection to another server is a RuntimeError.
            raise Lost(type(error).__name__) from error
        return Reply(
            status=status, headers={key: str(value) for key, value in headers.items()}, data=_json(status, text)
        )

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._made is not None:
            self._made.close()

    def _requester(self) -> Requester:
        if self._made is None:
            from github import Auth, Github

            self._made = Github(
                auth=Auth.Token(self._token),
                base_url=self._url,
                user_agent=self._agent,
                api_version=API_VERSION,
                timeout=self._seconds,
                per_page=100,
                retry=None,
                seconds_between_requests=None,
                seconds_between_writes=None,
            ).requester
        return self._made


def _json(status: int, text: str) -> Any:
    """The body's data; the pages of the servers in front of GitHub are HTML and count as none."""
    try:
        return json.loads(text) if text else None
    except ValueError as error:
        if status >= 400:
            return None
        raise Lost("half an answer") from error


def _address(url: str) -> str:
    """The address without a slash at the end.

    Raises UsageError for one over which the token would travel in the clear.
    """
    found = urlsplit(url)
    if found.scheme != "https" and not (found.scheme == "http" and found.hostname in _LOOPBACK):
        raise UsageError(
            f"The address {url!r} of GitHub's API cannot be used",
            why="the token would travel unencrypted",
            remedy="set GITHUB_API_URL to an https address",
        )
    return url.rstrip("/")
