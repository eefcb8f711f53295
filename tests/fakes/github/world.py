"""Everything that one GitHub holds: accounts, tokens, repositories."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from fakes.github.git import BOT
from fakes.github.models import Clock, Ids, User
from fakes.github.repository import Repository
from fakes.github.tokens import Kind, Token


class World:
    """The state; `lock` is held while a call is carried out, and by tests that read while others write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.ids = Ids()
        self.lock = threading.RLock()
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Token] = {}
        self.repositories: dict[str, Repository] = {}
        self.rate_limit: int | None = None
        """Calls per hour and token; None is GitHub's own number (1,000 for a job, 5,000 for others)."""
        self._used: dict[tuple[str, int], int] = {}
        self.user(BOT).id = 41898282  # its real id, which tools compare with

    def user(self, login: str) -> User:
        """The account of a login, made when it is first named; `[bot]` at the end makes an app's."""
        key = login.lower()
        if key not in self.users:
            kind = "Bot" if login.endswith("[bot]") else "User"
            self.users[key] = User(login=login, id=self.ids(), kind="Bot" if kind == "Bot" else "User")
        return self.users[key]

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
        """A new token's text. A login that ends in `[bot]` is a job's (or another app's) with these permissions; any
        other is a person's, who has what the repository's `collaborators` say. `commands` gives permissions by a text
        in the user agent instead: one token for several jobs, each with its own."""
        kind: Kind = "job" if login == BOT else "app" if login.endswith("[bot]") else "person"
        number = len(self.tokens) + 1
        value = f"{'ghp' if kind == 'person' else 'ghs'}_{'fake' * 8}{number:04d}"
        self.tokens[value] = Token(
            value=value,
            login=self.user(login).login,
            kind=kind,
            permissions=None if kind == "person" else dict(permissions or {}),
            fork=fork,
            expires=expires,
            repository=repository,
            commands=commands,
        )
        return value

    def repository(self, full_name: str) -> Repository:
        """The repository of a name, made (with one commit on `main`) when it is first named."""
        key = full_name.lower()
        if key not in self.repositories:
            found = Repository(self, full_name)
            found.git.create()
            found.push("main", {"README.md": f"# {found.name}\n"}, message="Initial commit", author=found.owner)
            self.repositories[key] = found
        return self.repositories[key]

    def close(self) -> None:
        """End every process that reads a repository."""
        for repository in self.repositories.values():
            repository.git.close()

    def limit_of(self, token: Token) -> int:
        """Calls that a token has in an hour."""
        return self.rate_limit if self.rate_limit is not None else 1000 if token.kind == "job" else 5000

    def used(self, token: Token) -> int:
        """Calls that a token has made in this hour."""
        return self._used.get((token.value, self.reset_time()), 0)

    def count(self, token: Token, calls: int) -> None:
        """Add to the calls of this hour."""
        self._used[token.value, self.reset_time()] = self.used(token) + calls

    def reset_time(self) -> int:
        """When the hour of the rate limit ends, in seconds since 1970."""
        return int(self.clock.time.timestamp()) // 3600 * 3600 + 3600
