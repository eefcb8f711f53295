"""AWS CodeBuild as runner; pull requests live on GitHub. Source: CodeBuild's "Environment variables in build
environments" and "GitHub webhook events".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from stackseal.errors import UsageError
from stackseal.hosts.base import Badge
from stackseal.model import Run

if TYPE_CHECKING:
    from stackseal.hosts.event import Event

BUILD: Final = "CODEBUILD_BUILD_ID"
"""In every build, and nowhere else."""
_URL: Final = re.compile(
    r"https://(?:[^/@]*@)?(?P<host>[A-Za-z0-9.-]+(?::[0-9]{1,5})?)/(?P<name>[^/?#]+/[^/?#]+?)(?:\.git)?/?"
)
_PULL: Final = re.compile(r"(?:pr/|refs/pull/)([1-9][0-9]{0,9})(?:/head)?(?:\^\{[0-9a-f]{40,64}\})?")
_SHA: Final = re.compile(r"[0-9a-f]{40,64}")
_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:codebuild:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):build/(?P<project>[^/:]+):(?P<id>[^/:]+)"
)
_REVIEWED: Final = frozenset({"PULL_REQUEST_CREATED", "PULL_REQUEST_UPDATED", "PULL_REQUEST_REOPENED"})
_CLOSED: Final = frozenset({"PULL_REQUEST_CLOSED", "PULL_REQUEST_MERGED"})


class CodeBuildRunner:
    """A build. GITHUB_* variables may be there too (aws-codebuild-run-build hands them on) and are not believed.

    It has no identity of its own: its credentials are the project's service role, which may take the settings' roles.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    @classmethod
    def here(cls, env: Mapping[str, str]) -> bool:
        return BUILD in env

    @property
    def forge(self) -> str:
        """GitHub where the build has a token and its source is there; else files, which travel as artifacts."""
        return "github" if self._env.get("GITHUB_TOKEN") and _repository(self._env) else "local"

    @property
    def annotates(self) -> bool:
        return False

    @property
    def identifies(self) -> bool:
        return False

    @property
    def branch(self) -> str:
        """The branch that was pushed; empty where the build was not started by a push."""
        head = self._env.get("CODEBUILD_WEBHOOK_HEAD_REF", "")
        pushed = self._env.get("CODEBUILD_WEBHOOK_EVENT") == "PUSH" and head.startswith("refs/heads/")
        return head.removeprefix("refs/heads/") if pushed else ""

    @property
    def event(self) -> Event:
        """What started the build: a webhook of the repository, the clock, or a person or another build."""
        from stackseal.hosts.event import Event, Mode

        env, head = self._env, _known(self._env.get("CODEBUILD_RESOLVED_SOURCE_VERSION"))
        match env.get("CODEBUILD_WEBHOOK_EVENT", ""):
            case name if name in _REVIEWED:
                return Event(mode=Mode.REVIEW, pull_request=self._pull_request, head=head)
            case name if name in _CLOSED:
                merged = name == "PULL_REQUEST_MERGED"
                return Event(mode=Mode.CLEANUP, pull_request=self._pull_request, head=head, merged=merged)
            case "PUSH" if self.branch:
                before = _known(env.get("CODEBUILD_WEBHOOK_PREV_COMMIT"))
                return Event(mode=Mode.DEPLOY, head=head, base=before)
            case "":
                clock = env.get("CODEBUILD_INITIATOR", "").startswith("rule/")
                return Event(mode=Mode.DRIFT if clock else Mode.MANUAL, pull_request=self._pull_request, head=head)
        return Event(mode=Mode.NONE)

    def run(self) -> Run:
        env, found = self._env, self.event
        return Run(
            host="codebuild",
            repository=_repository(env),
            commit=found.head or "",
            base=found.base,
            pull_request=found.pull_request,
            actor=env.get("CODEBUILD_INITIATOR", ""),
            url=env.get("CODEBUILD_PUBLIC_BUILD_URL") or _console(env.get("CODEBUILD_BUILD_ARN", "")),
        )

    def badge(self, sleep: Callable[[float], None]) -> Badge | None:  # noqa: ARG002 - nothing is asked of anybody
        """The service role is who this is, to the roles that trust it."""
        return Badge(token=None, run=f"build{self._env.get('CODEBUILD_BUILD_NUMBER', '')}")

    @property
    def _pull_request(self) -> int | None:
        """CodeBuild's own word for the source, or else the webhook's: no person's text is in either."""
        for key in ("CODEBUILD_SOURCE_VERSION", "CODEBUILD_WEBHOOK_TRIGGER"):
            if found := _PULL.fullmatch(self._env.get(key, "")):
                return int(found[1])
        return None


def on_github(env: Mapping[str, str]) -> Mapping[str, str]:
    """The environment of a build as the forge reads it: the repository of the build's source, and its server's API.

    Raises UsageError where the source is in no repository that a token could be good for.
    """
    found = _URL.fullmatch(env.get("CODEBUILD_SOURCE_REPO_URL", ""))
    if found is None:
        raise UsageError(
            "The repository on GitHub is not known",
            why="the build's source is no repository by HTTPS (CODEBUILD_SOURCE_REPO_URL)",
            remedy="give the project a source of type GITHUB or GITHUB_ENTERPRISE",
        )
    host = found["host"].lower()
    api = {} if host == "github.com" else {"GITHUB_API_URL": f"https://{host}/api/v3"}
    # Where somebody configured an address, it is for the same server, e.g. behind a proxy.
    api |= {"GITHUB_API_URL": env["GITHUB_API_URL"]} if env.get("GITHUB_API_URL") else {}
    return {**env, "GITHUB_REPOSITORY": found["name"], **api}


def _repository(env: Mapping[str, str]) -> str:
    """owner/name of the build's source; empty where it is none (CodePipeline, S3)."""
    found = _URL.fullmatch(env.get("CODEBUILD_SOURCE_REPO_URL", ""))
    return found["name"] if found else ""


def _known(commit: str | None) -> str | None:
    """A full hash; a new branch has forty zeros before it, and a source in S3 has a version of another form."""
    return commit if commit and _SHA.fullmatch(commit) and set(commit) != {"0"} else None


def _console(arn: str) -> str:
    """The page of a build in AWS's console; empty where the ARN is none."""
    if (found := _ARN.fullmatch(arn)) is None:
        return ""
    region, project = found["region"], found["project"]
    place = f"{found['account']}/projects/{project}/build/{project}%3A{found['id']}"
    return f"https://{region}.console.aws.amazon.com/codesuite/codebuild/{place}/?region={region}"
