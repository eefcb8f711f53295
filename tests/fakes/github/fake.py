"""A GitHub for tests: in this process, over real HTTP, on real Git repositories."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from fakes.github.app import App
from fakes.github.events import Events
from fakes.github.exchange import Record
from fakes.github.faults import Faults
from fakes.github.git import BOT
from fakes.github.models import Clock
from fakes.github.repository import Repository
from fakes.github.server import GHES, Server
from fakes.github.world import World

if TYPE_CHECKING:
    from github import Github


class FakeDefect(AssertionError):  # noqa: N818 - reads as a sentence where it is raised
    """The fake answered what GitHub would not: mend the fake."""


class GitHubFake:
    """Serves while it is entered; leaving it raises FakeDefect when a reply was not as GitHub describes it.

    `directory` gets the bare repositories (`owner/name.git`), which tests may clone and push to with plain Git. A test
    that changes a repository while clients are calling holds `world.lock`.
    """

    def __init__(self, directory: Path) -> None:
        self.world = World(directory)
        self._app = App(world=self.world)
        self._server: Server | None = None
        self._clients: list[Github] = []

    def __enter__(self) -> Self:
        self._server = Server(self._app)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            client.close()
        if self._server:
            self._server.stop()
            self._server = None
        self.world.close()
        if kind is None and self.defects:
            raise FakeDefect("; ".join(self.defects))

    # --- where it is

    @property
    def url(self) -> str:
        """What GITHUB_API_URL is on github.com; GraphQL is at `/graphql` under it."""
        if self._server is None:
            raise RuntimeError("the fake is not running: use it in a with statement")
        return self._server.url

    @property
    def enterprise_url(self) -> str:
        """What GITHUB_API_URL is on a GitHub Enterprise Server; GraphQL is at /api/graphql."""
        return self.url + GHES

    def client(self, token: str, *, version: str | None = "2022-11-28", enterprise: bool = False) -> Github:
        """PyGithub without its waiting and retrying, closed with the fake."""
        from github import Auth, Github

        client = Github(
            auth=Auth.Token(token),
            base_url=self.enterprise_url if enterprise else self.url,
            api_version=version,
            seconds_between_requests=None,
            seconds_between_writes=None,
            retry=None,
        )
        self._clients.append(client)
        return client

    # --- what is in it

    def repository(self, full_name: str) -> Repository:
        """The repository of a name (owner/name), made when it is first named."""
        return self.world.repository(full_name)

    def token(
        self,
        login: str = BOT,
        permissions: Mapping[str, str] | None = None,
        *,
        fork: bool = False,
        expires: datetime | None = None,
        repository: str | None = None,
        commands: Mapping[str, Mapping[str, str]] | None = None,
    ) -> str:
        """A new token; see World.token."""
        return self.world.token(
            login, permissions, fork=fork, expires=expires, repository=repository, commands=commands
        )

    @property
    def events(self) -> Events:
        """Payloads of the events that start workflows."""
        return Events(self.world, self.url)

    @property
    def clock(self) -> Clock:
        """The fake's time: one second per write, more when a test says so."""
        return self.world.clock

    # --- what happened

    @property
    def calls(self) -> list[Record]:
        """Every call that was answered."""
        return self._app.calls

    def calls_by(self, user_agent: str) -> list[Record]:
        """The calls of clients whose user agent holds this text."""
        return [call for call in self.calls if user_agent in call.user_agent]

    @property
    def violations(self) -> list[str]:
        """What clients asked that GitHub's description does not allow."""
        return self._app.violations

    @property
    def defects(self) -> list[str]:
        """What the fake itself answered wrongly."""
        return self._app.defects

    @property
    def faults(self) -> Faults:
        """The script of what goes wrong."""
        return self._app.faults
