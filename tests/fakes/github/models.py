"""What the fake remembers. Times are ISO 8601 texts in UTC, authors are logins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final, Literal

START: Final = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until something is written (one second) or a test moves it."""

    def __init__(self) -> None:
        self.time = START

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.time += timedelta(seconds=seconds)

    def tick(self) -> str:
        """One second later, as text."""
        self.advance(1)
        return self.text

    @property
    def text(self) -> str:
        return self.before(0)

    def before(self, seconds: float) -> str:
        """The time that many seconds ago, as text."""
        return (self.time - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(kw_only=True)
class User:
    """An account."""

    login: str
    id: int
    kind: Literal["User", "Bot", "Organization"] = "User"


@dataclass(kw_only=True)
class Label:
    """A label of a repository."""

    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass(kw_only=True)
class Reaction:
    """A reaction to a comment."""

    id: int
    author: str
    content: str
    created: str


@dataclass(kw_only=True)
class Comment:
    """A comment on an issue or pull request; `app` is the slug of the app that wrote it."""

    id: int
    number: int
    author: str
    body: str
    created: str
    updated: str
    app: str | None = None
    minimized: str | None = None
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(kw_only=True)
class Issue:
    """An issue, or the half of a pull request that is one."""

    id: int
    number: int
    author: str
    title: str
    body: str | None
    created: str
    updated: str
    app: str | None = None
    state: Literal["open", "closed"] = "open"
    reason: str | None = None
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    closed: str | None = None
    closed_by: str | None = None


@dataclass(kw_only=True)
class Review:
    """A review of a pull request; `state` is GitHub's (APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED, PENDING)."""

    id: int
    author: str
    state: str
    body: str
    commit: str
    submitted: str


@dataclass(kw_only=True)
class Pull:
    """A pull request's other half. `base_sha` is the base's tip when the head last moved, as GitHub reports it."""

    id: int
    issue: Issue
    head_repository: str
    head_ref: str
    base_ref: str
    head_sha: str
    base_sha: str
    merge_sha: str | None = None
    """The test merge while it is open, then what the merge left on the base."""
    draft: bool = False
    merged: str | None = None
    merged_by: str | None = None
    landed: tuple[str, ...] = ()
    """The commits that merging added to the base."""
    requested: list[str] = field(default_factory=list)
    """Logins whose review is asked for."""
    reviews: list[Review] = field(default_factory=list)

    @property
    def number(self) -> int:
        return self.issue.number


@dataclass(kw_only=True)
class CheckRun:
    """A check run and all its annotations."""

    id: int
    app: str
    name: str
    sha: str
    status: str
    conclusion: str | None
    started: str | None
    completed: str | None
    details_url: str | None
    external_id: str
    output: dict[str, Any]
    annotations: list[dict[str, Any]]


@dataclass(kw_only=True)
class Status:
    """A commit status."""

    id: int
    sha: str
    author: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    created: str


@dataclass(kw_only=True)
class DeploymentStatus:
    """One status of a deployment."""

    id: int
    author: str
    state: str
    description: str
    log_url: str
    environment_url: str
    created: str


@dataclass(kw_only=True)
class Deployment:
    """A deployment."""

    id: int
    author: str
    ref: str
    sha: str
    task: str
    environment: str
    description: str | None
    payload: Any
    transient: bool
    production: bool
    created: str
    statuses: list[DeploymentStatus] = field(default_factory=list)


@dataclass(kw_only=True)
class Environment:
    """A deployment environment and what protects it: logins of reviewers, minutes to wait, which branches."""

    id: int
    name: str
    reviewers: tuple[str, ...] = ()
    prevent_self_review: bool = False
    wait_minutes: int = 0
    branches: Literal["all", "protected"] | tuple[str, ...] = "all"
    created: str = ""


@dataclass(kw_only=True)
class Dispatch:
    """A workflow that was started by hand or by a token."""

    workflow: str
    ref: str
    inputs: Mapping[str, Any]
    author: str
    run: int


@dataclass(kw_only=True)
class Run:
    """A run of a workflow."""

    id: int
    workflow: str
    event: str
    branch: str
    sha: str
    status: str
    conclusion: str | None
    actor: str
    attempt: int = 1
    number: int = 1
    created: str = ""


@dataclass(kw_only=True)
class Sarif:
    """An upload to code scanning, unpacked."""

    id: str
    ref: str
    commit: str
    document: Any


class Ids:
    """Numbers that grow, shared by all kinds so that a mixed-up id is never somebody else's."""

    def __init__(self) -> None:
        self._count = count(1001)

    def __call__(self) -> int:
        return next(self._count)
