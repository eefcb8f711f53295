"""GitHub as forge: what the pipelines publish, and what they ask of a repository."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stackseal.errors import UsageError
from stackseal.hosts import github_replan, github_status
from stackseal.hosts.base import CommentMode, Issue, Mark, Marks, Proposal, Pull, ReviewState, Shown, Upload
from stackseal.hosts.github_api import Client, Rejected
from stackseal.hosts.github_comments import Comments
from stackseal.hosts.github_environments import Environments
from stackseal.hosts.github_http import DEFAULT_URL, PyGithubTransport, Transport
from stackseal.hosts.github_identity import Identity
from stackseal.hosts.github_issues import Issues
from stackseal.hosts.github_pulls import STALE, Pulls
from stackseal.hosts.github_revision import OLDEST, Revision, of_env
from stackseal.hosts.github_scanning import place, upload
from stackseal.hosts.github_setup import Setup
from stackseal.hosts.repository_setup import RepositorySetup
from stackseal.model import Run

_REPOSITORY: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, kw_only=True)
class Options:
    """For which run the forge publishes."""

    revision: Revision = OLDEST
    actions: bool = False
    """In a job of GitHub Actions: a token whose owner GitHub does not tell is GITHUB_TOKEN."""
    ref: str = ""
    sha: str = ""
    """What the job was started for, as GITHUB_REF and GITHUB_SHA say."""

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Options:
        """The options of a run, as its environment tells them."""
        actions = env.get("GITHUB_ACTIONS") == "true" and "CODEBUILD_BUILD_ID" not in env
        ref, sha = env.get("GITHUB_REF", ""), env.get("GITHUB_SHA", "")
        return cls(revision=of_env(env), actions=actions, ref=ref, sha=sha)


class GitHubForge:
    """One repository of GitHub; satisfies `hosts.base.Forge`."""

    def __init__(self, client: Client, repository: str, marks: Marks, options: Options = Options()) -> None:
        if not _REPOSITORY.fullmatch(repository):
            raise UsageError(
                f"The repository {repository!r} cannot be used",
                why="it is not OWNER/NAME",
                remedy="set GITHUB_REPOSITORY",
            )
        self.repository, self.options, self._client = repository, options, client
        identity = Identity(client, actions=options.actions)
        self._comments = Comments(client, repository, identity, marks)
        self._issues = Issues(client, repository, identity, marks)
        self.pulls = Pulls(client, repository)
        self.environments = Environments(client, repository)

    def upsert_comment(
        self,
        pull_request: int,
        key: str,
        parts: Sequence[str],
        *,
        mode: CommentMode = CommentMode.UPDATE,
        worth: bool = True,
    ) -> str:
        """The pull request has exactly these comments of ours under the key, or those of a newer run.

        Returns the address of the first; empty where none is written: no pull request, mode `off`, or mode
        `changes-only` for the first one when it is not `worth` a comment.
        """
        revision = self.options.revision
        if mode is CommentMode.OFF or pull_request < 1:
            return ""
        if mode is CommentMode.NEW:
            return self._new_comment(pull_request, key, parts)
        if mode is CommentMode.CHANGES_ONLY and not worth and not self._comments.group(pull_request, key):
            return ""
        return self._comments.publish(pull_request, key, parts, revision)

    def pull_request_of(self, commit: str, branch: str) -> int | None:
        """The merged pull request that a commit of a branch came from; None where none, or several, claim it."""
        found = self.pulls.of_commit(commit, branch)
        return found.number if found else None

    def pull(self, number: int) -> Pull | None:
        """What became of a pull request, and whose approval stands; None where there is none."""
        return self.pulls.look(number)

    def proposal(self, number: int) -> Proposal:
        """The pull request as it is to be planned; waits for GitHub's trial merge.

        Raises Refused for one that is closed, conflicts or is not there.
        """
        return github_replan.proposal(self._client, self.repository, number)

    def replan(self, number: int, *, workflow: str, branch: str, note: str) -> bool:
        """Mark an open pull request as stale, with a note in its comments, and start a workflow that plans it again.

        False where there is none, or it is closed.
        """
        found = self.pulls.look(number)
        if found is None or not found.open:
            return False
        self.pulls.label(number, {STALE})
        self._comments.note(number, note)
        self.pulls.plan_again(workflow, branch, {"pull-request": str(number)})
        return True

    def shown(self, number: int, key: str) -> Shown | None:
        """What the newest review's comment under the key says; None where there is none."""
        data = self._comments.newest(number, key)
        if data is None:
            return None
        words = data.get("inputs")
        return Shown(
            commit=str(data.get("head", "")),
            head=self.pulls.head(number),
            words=frozenset(str(word) for word in words) if isinstance(words, list) else None,
        )

    def reviewers(self, environment: str) -> bool:
        """Whether somebody has to approve before a job enters the environment; the job needs `actions: read`."""
        return self.environments.reviewers(environment)

    def setup(self) -> RepositorySetup:
        """How the repository is set up, as far as the token may see it."""
        return Setup(self._client, self.repository).read()

    def review(self, number: int, *, base: str) -> ReviewState:
        """What the review has decided by the CODEOWNERS of a commit and the rules of the branch that it goes into."""
        return self.pulls.review(number, base)

    def dismiss(self, number: int, message: str, *, before: datetime) -> tuple[str, ...]:
        """Take back the approvals that were given before a time; returns whose they were."""
        return self.pulls.dismiss(number, message, before)

    def issues(self) -> tuple[Issue, ...]:
        """Every drift issue that we opened, open or closed; a second one of a stack is closed as a duplicate."""
        return self._issues.all()

    def open_issue(self, key: str, title: str, body: str) -> Issue:
        """A new issue, or the stack's own when another run was quicker."""
        return self._issues.open(key, title, body)

    def update_issue(self, number: int, *, title: str, body: str, is_open: bool) -> Issue:
        """The issue as it is now to be: edited, reopened or closed."""
        return self._issues.update(number, title, body, is_open=is_open)

    def retire_issue(self, number: int, comment: str) -> None:
        """The issue is closed as not planned, after a comment that says why."""
        self._issues.retire(number, comment)

    def heartbeat(self, at: datetime, body: str) -> None:
        """Write down that drift was checked with success at this time."""
        self._issues.beat(at.isoformat(timespec="seconds"), body)

    def last_heartbeat(self) -> datetime | None:
        """When drift was last checked with success; None when never, or when nobody can tell."""
        try:
            return datetime.fromisoformat(self._issues.last_beat() or "")
        except ValueError:
            return None

    def upload_sarif(self, run: Run, sarif: str) -> Upload:
        """Send the findings to code scanning; where it is off, that is the answer."""
        commit, ref = place(run, self.options.ref, self.options.sha)
        return upload(self._client, self.repository, commit=commit, ref=ref, sarif=sarif)

    def mark(self, commit: str, mark: Mark) -> None:
        """Set the status of a commit; the token needs `statuses: write`."""
        github_status.put(self._client, self.repository, commit, mark)

    def label(self, pull_request: int, names: Sequence[str] | None) -> bool:
        """Of our labels the pull request has exactly these, with None all but the stale plan's.

        False where the token may not set any.
        """
        try:
            return self.pulls.fresh(pull_request) if names is None else self.pulls.label(pull_request, names)
        except Rejected as error:
            if error.unpermitted:
                return False
            raise

    def close(self) -> None:
        """Close the connection."""
        self._client.transport.close()

    def _new_comment(self, pull_request: int, key: str, parts: Sequence[str]) -> str:
        """A comment of this run alone. The run is a part of the key, so a second attempt edits its own."""
        revision = self.options.revision
        mine = f"{key}#{revision.run}"
        address = self._comments.publish(pull_request, mine, parts, revision)
        self._comments.fold(pull_request, key, but=mine, before=revision)
        return address


def connect(
    env: Mapping[str, str],
    *,
    agent: str,
    marks: Marks,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    options: Options | None = None,
    transport: Transport | None = None,
) -> GitHubForge:
    """The forge of GITHUB_REPOSITORY with GITHUB_TOKEN at GITHUB_API_URL.

    Args:
        agent: names the product, its version and the command, e.g. `stackseal/1.0 (review)`.
        options: the environment's revision and everything else as usual where it is None.

    Raises UsageError where the repository or the token is missing.
    """
    token = env.get("GITHUB_TOKEN", "")
    if not token and transport is None:
        raise UsageError(
            "GitHub cannot be reached", why="GITHUB_TOKEN is not set", remedy="give the Action's input github-token"
        )
    way = transport or PyGithubTransport(token, agent=agent, url=env.get("GITHUB_API_URL") or DEFAULT_URL)
    client = Client(way, sleep=sleep, now=now)
    return GitHubForge(client, env.get("GITHUB_REPOSITORY", ""), marks, options or Options.of(env))
