"""One call as a handler sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from fakes.github.exchange import Problem, Reply, Request, not_found
from fakes.github.models import Issue, Pull
from fakes.github.repository import Repository
from fakes.github.tokens import Token
from fakes.github.views import Views
from fakes.github.world import World

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request that is valid and allowed."""

    world: World
    request: Request
    token: Token
    values: Mapping[str, str]
    """The parameters of the path, decoded."""
    body: Any
    version: str
    views: Views

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query

    @property
    def login(self) -> str:
        return self.token.login

    @property
    def repository(self) -> Repository:
        """The repository of the path. Raises 404, also for one that the token may not see."""
        name = f"{self.values['owner']}/{self.values['repo']}"
        found = self.world.repositories.get(name.lower())
        if found is None:
            raise not_found()
        own = self.token.repository
        if own is not None and own.lower() != name.lower() and (found.private or self.request.method != "GET"):
            raise not_found()
        if self.token.kind == "person" and found.permission(self.login) == "none":
            raise not_found()
        return found

    @property
    def issue(self) -> Issue:
        """The issue, or the issue half of the pull request, that `issue_number` names."""
        repository = self.repository
        found = repository.issues.get(int(self.values["issue_number"]))
        if found is None:
            raise not_found()
        if not repository.has_issues and found.number not in repository.pulls:
            raise Problem(410, "Issues are disabled for this repo")
        return found

    @property
    def pull(self) -> Pull:
        """The pull request that `pull_number` names, brought up to date with its branches."""
        repository = self.repository
        found = repository.pulls.get(int(self.values["pull_number"]))
        if found is None:
            raise not_found()
        if found.issue.state == "open":
            repository.follow(found)
        return found

    @property
    def may_push(self) -> bool:
        """Whether the caller counts as somebody with push access (a job always does)."""
        return self.token.kind != "person" or self.repository.can_push(self.login)

    def commit(self, name: str, *, status: int = 404, message: str = "Not Found") -> str:
        """The hash of the commit that a name means. Raises a Problem when it means none."""
        found = self.repository.git.resolve(name)
        if found is None:
            raise Problem(status, message)
        return found

    def page(self, items: Sequence[_T]) -> tuple[list[_T], dict[str, str]]:
        """One page of a list, and its Link header: 30 entries, at most 100, as GitHub does it."""
        size = min(max(self._number("per_page", 30), 1), 100)
        number = max(self._number("page", 1), 1)
        last = max(1, -(-len(items) // size))
        links = []
        if number > 1:
            links += [self._link(min(number - 1, last), "prev"), self._link(1, "first")]
        if number < last:
            links += [self._link(number + 1, "next"), self._link(last, "last")]
        return list(items[(number - 1) * size : number * size]), {"Link": ", ".join(links)} if links else {}

    def _number(self, name: str, default: int) -> int:
        text = self.query.get(name, "")
        return int(text) if text.isdecimal() else default

    def _link(self, number: int, relation: str) -> str:
        query = urlencode({**self.query, "page": str(number)})
        return f'<{self.request.base}{self.request.path}?{query}>; rel="{relation}"'


class Handler(Protocol):
    """Carries out one operation."""

    def __call__(self, call: Call, /) -> Reply: ...
