"""Whose token it is: a comment or an issue is ours only if its author is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from stackseal.errors import Failed
from stackseal.hosts.github_api import Client, Rejected

ACTIONS: Final = "github-actions[bot]"
"""The author of everything that GITHUB_TOKEN writes, on github.com and on GitHub Enterprise Server."""
VIEWER: Final = "query { viewer { login } }"


class Identity:
    """The login of the token's owner, asked when it is first needed.

    GraphQL's `viewer` answers for people and for app tokens. Where it does not, `GET /user` answers for people; it
    refuses app tokens, and in a job of Actions (`actions`) that means GITHUB_TOKEN. What we create names its author,
    so a wrong guess is corrected by the first thing that we write.
    """

    def __init__(self, client: Client, *, actions: bool) -> None:
        self._client, self._actions = client, actions
        self._learned = ""

    @property
    def login(self) -> str:
        return self._learned or self._asked

    def learn(self, created: Any) -> None:
        """Take the author of something that we have just created."""
        user = created.get("user") if isinstance(created, Mapping) else None
        if isinstance(user, Mapping) and isinstance(login := user.get("login"), str):
            self._learned = login

    @cached_property
    def _asked(self) -> str:
        for ask in (self._viewer, self._user):
            try:
                return ask()
            except Rejected:
                continue
        if self._actions:
            return ACTIONS
        raise Failed(
            "The owner of the GitHub token is not known",
            why="GitHub tells it neither by GraphQL nor by GET /user",
            remedy="give a token of a person or of an app",
        )

    def _viewer(self) -> str:
        return str(self._client.graphql(VIEWER, {}, doing="name the token's owner")["viewer"]["login"])

    def _user(self) -> str:
        return str(self._client.get("/user", doing="name the token's owner")["login"])
