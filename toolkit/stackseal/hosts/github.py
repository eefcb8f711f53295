"""GitHub Actions as runner and GitHub as forge. PyGithub is imported when the forge is first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from stackseal.errors import UsageError
from stackseal.hosts import codebuild
from stackseal.hosts.base import Badge, Forge, Link
from stackseal.model import Run

if TYPE_CHECKING:
    from stackseal.hosts.event import Event


def forge(link: Link) -> Forge:
    """The repository of the job, by the job's token; in a build of CodeBuild that of the build's source."""
    from stackseal.hosts import github_forge

    env = codebuild.on_github(link.env) if codebuild.BUILD in link.env else link.env
    return github_forge.connect(env, agent=link.agent, marks=link.marks, now=link.now, sleep=link.sleep)


class GitHubRunner:
    """A job of GitHub Actions; CodeBuild's own jobs that carry GITHUB_* variables are not one."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    @classmethod
    def here(cls, env: Mapping[str, str]) -> bool:
        return env.get("GITHUB_ACTIONS") == "true" and "CODEBUILD_BUILD_ID" not in env

    @property
    def forge(self) -> str:
        """GitHub where the job has a token; a job without one publishes to files, which travel as artifacts."""
        return "github" if self._env.get("GITHUB_TOKEN") else "local"

    @property
    def annotates(self) -> bool:
        return True

    @property
    def identifies(self) -> bool:
        return True

    @property
    def branch(self) -> str:
        return self._env.get("GITHUB_REF_NAME", "")

    @cached_property
    def event(self) -> Event:
        """What started the workflow."""
        from stackseal.hosts import event

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

    def badge(self, sleep: Callable[[float], None]) -> Badge | None:
        """The job's OIDC identity, where its permissions have `id-token: write`."""
        from stackseal.hosts import github_oidc

        return github_oidc.badge(self._env, sleep)
