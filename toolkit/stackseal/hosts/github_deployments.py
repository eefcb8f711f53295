"""Deployments of an environment: GitHub shows them in the pull request and on the repository's page."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote

from stackseal.errors import StacksealError
from stackseal.hosts.github_api import Client, Rejected

T = TypeVar("T")


class State(enum.Enum):
    """GitHub's words for how a deployment stands."""

    IN_PROGRESS = "in_progress"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    """Nobody knows how it ended."""


_DESCRIPTION = 140
"""Characters that GitHub takes."""


class Deployments:
    """The deployments of one repository."""

    def __init__(self, client: Client, repository: str) -> None:
        self._client, self._base = client, f"/repos/{repository}"

    def create(
        self, sha: str, environment: str, *, description: str = "", payload: Mapping[str, Any] | None = None
    ) -> int:
        """A deployment of a commit, by its number. GitHub neither merges nor waits for checks."""
        body = {
            "ref": sha,
            "environment": environment,
            "auto_merge": False,
            "required_contexts": [],
            "description": description[:_DESCRIPTION],
            "payload": dict(payload or {}),
        }
        made = self._client.write("POST", f"{self._base}/deployments", body, doing="announce a deployment")
        return int(made["id"])

    def say(self, number: int, state: State, *, log_url: str = "", description: str = "") -> None:
        """How the deployment stands. `log_url` is the page of the run."""
        body = {"state": state.value, "description": description[:_DESCRIPTION]}
        if log_url:
            body["log_url"] = log_url
        path = f"{self._base}/deployments/{number}/statuses"
        self._client.write("POST", path, body, doing="say how the deployment stands")

    @contextmanager
    def announced(
        self, sha: str, environment: str, *, warn: Callable[[str], None], log_url: str = ""
    ) -> Iterator[Callable[[State], None]]:
        """In progress while the block runs; what the block calls says how it ended, and an exception is a failure.

        What GitHub shows decides nothing: where it cannot be told, `warn` gets the sentence and the block runs on.
        """
        number = _warned(warn, lambda: self.create(sha, environment))

        def tell(state: State) -> None:
            if number is not None:
                _warned(warn, lambda: self.say(number, state, log_url=log_url))

        ended: list[State] = []
        tell(State.IN_PROGRESS)
        try:
            yield ended.append
        except BaseException:
            ended.append(State.FAILURE)
            raise
        finally:
            tell(ended[-1] if ended else State.ERROR)

    def reviewers(self, environment: str) -> bool:
        """Whether somebody has to approve before a job enters the environment; False where there is no such one."""
        path = f"{self._base}/environments/{quote(environment, safe='')}"
        try:
            found = self._client.get(path, doing="read the environment's rules")
        except Rejected as error:
            if error.status == 404:
                return False
            raise
        rules = found.get("protection_rules") or ()
        return any(rule.get("type") == "required_reviewers" and rule.get("reviewers") for rule in rules)


def _warned(warn: Callable[[str], None], step: Callable[[], T]) -> T | None:
    try:
        return step()
    except StacksealError as error:
        warn(str(error))
        return None
