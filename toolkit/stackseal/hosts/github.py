"""GitHub Actions as runner and GitHub as forge. PyGithub is imported when the forge is first used."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from stackseal.errors import UsageError
from stackseal.hosts import event
from stackseal.hosts.event import Event
from stackseal.model import Run


class GitHubRunner:
    """A job of GitHub Actions; CodeBuild's own jobs that carry GITHUB_* variables are not one."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    @classmethod
    def here(cls, env: Mapping[str, str]) -> bool:
        return env.get("GITHUB_ACTIONS") == "true" and "CODEBUILD_BUILD_ID" not in env

    @property
    def annotates(self) -> bool:
        return True

    @cached_property
    def event(self) -> Event:
        """What started the workflow."""
        path = self._env.get("GITHUB_EVENT_PATH")
        if not path:
            raise UsageError("The event is not known", why="GITHUB_EVENT_PATH is not set")
        return event.read(self._env.get("GITHUB_EVENT_NAME", ""), Path(path))

    def run(self) -> Run:
        env, found = self._env, self.event
        repository = env.get("GITHUB_REPOSITORY", "")
        server, number = env.get("GITHUB_SERVER_URL", "https://github.com"), env.get("GITHUB_RUN_ID", "")
        return Run(
            host="github",
            repository=repository,
            commit=found.head or env.get("GITHUB_SHA", ""),
            base=found.base,
            pull_request=found.pull_request,
            actor=env.get("GITHUB_ACTOR", ""),
            url=f"{server}/{repository}/actions/runs/{number}" if number else "",
        )
