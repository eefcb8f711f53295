"""What a runner and a forge are."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from stackseal.model import Json, Run


@dataclass(frozen=True, kw_only=True)
class Badge:
    """Who a job is, to a cloud that trusts its CI."""

    token: Callable[[], str] | None
    """Fetches a new token; never printed. Raises Failed with the reason where there is none.

    None where the job's credentials themselves say who it is, and the roles trust their owner.
    """
    run: str
    """What tells this run from all others, for names of sessions; empty where nobody knows."""


class Runner(Protocol):
    """The CI, or the laptop, that runs us."""

    def __init__(self, env: Mapping[str, str]) -> None: ...

    @classmethod
    def here(cls, env: Mapping[str, str]) -> bool:
        """Whether this environment is the runner's."""
        ...

    @property
    def forge(self) -> str:
        """The name of the forge that this run publishes to."""
        ...

    @property
    def annotates(self) -> bool:
        """Whether it understands workflow commands on stdout."""
        ...

    @property
    def identifies(self) -> bool:
        """Whether its jobs can have an identity of their own."""
        ...

    @property
    def branch(self) -> str:
        """The branch that the run is for; empty where CI names none."""
        ...

    def run(self) -> Run:
        """Who runs us, for what."""
        ...

    def badge(self, sleep: Callable[[float], None]) -> Badge | None:
        """Who this job is to a cloud; None where it has no identity of its own. `sleep` takes seconds."""
        ...


@dataclass(frozen=True, kw_only=True)
class Issue:
    """An issue as far as we are concerned with it; `key` is the stack that it is about."""

    number: int
    key: str
    title: str
    body: str
    open: bool


@dataclass(frozen=True, kw_only=True)
class Pull:
    """What became of a pull request."""

    number: int
    open: bool
    merged: bool = False
    closed: date | None = None
    """The day on which it was closed; None while it is open, or where nobody knows."""
    approvers: tuple[str, ...] = ()
    """Whose approval stands, sorted."""


@runtime_checkable
class KnowsPulls(Protocol):
    """A forge that can be asked about a pull request."""

    def pull(self, number: int) -> Pull | None:
        """The pull request; None where there is none."""
        ...


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """An open pull request that is to be planned, as the forge tells it now."""

    number: int
    head: str
    """Its last commit."""
    base: str
    """The commit of the base with which it was merged on trial."""
    merge: str
    """The commit of that merge."""
    trusted: bool
    """From a branch of the repository itself, neither Dependabot's nor a draft: it may be planned with credentials."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the comment of a review says that it sealed. Whoever may write can edit it: a display, never a record."""

    commit: str
    """The commit that was reviewed."""
    head: str
    """The commit that the pull request has now."""
    words: frozenset[str] | None
    """A word for each sealed stack (`model.word`); None where the review sealed nothing."""


@runtime_checkable
class Replans(Protocol):
    """A forge on which pull requests can be planned again."""

    def proposal(self, number: int) -> Proposal:
        """The pull request as it is to be planned. Raises Refused for one that is closed or conflicts."""
        ...

    def replan(self, number: int, *, workflow: str, branch: str, note: str) -> bool:
        """Mark an open pull request as stale, with a note in its comments, and start a workflow that plans it again.

        False where there is none, or it is closed.
        """
        ...

    def shown(self, number: int, key: str) -> Shown | None:
        """What the newest review's comment under the key says; None where there is none."""
        ...


@runtime_checkable
class KnowsEnvironments(Protocol):
    """A forge that can be asked what protects an environment."""

    def reviewers(self, environment: str) -> bool:
        """Whether somebody has to approve before a job enters it."""
        ...


@dataclass(frozen=True, kw_only=True)
class Approval:
    """An approval that stands."""

    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class ReviewState:
    """What a forge knows of a pull request's review; None is "cannot be decided"."""

    approved: bool | None
    """The branch's rules are satisfied with approvals; None where they ask for none."""
    code_owner: bool | None
    """A code owner of everything that changed has approved; None where nothing shows that one has to."""
    why: str = ""
    """Why nothing shows that a code owner has to approve."""
    undecided: str = ""
    """Why there is no decision at all."""
    silent: bool = False
    """Nobody could be asked: the forge only knows what a person writes down, and nobody has."""
    approvals: tuple[Approval, ...] = ()
    head: str = ""
    """The commit that was reviewed; empty where the forge knows no commits."""
    merged: bool | None = None
    """None where the forge does not know."""


@runtime_checkable
class KnowsReviews(Protocol):
    """A forge that can be asked who has approved a pull request, and that can take approvals back."""

    def review(self, number: int, *, base: str) -> ReviewState:
        """What the review has decided by the rules that `base` holds, the commit before the pull request's changes."""
        ...

    def dismiss(self, number: int, message: str, *, before: datetime) -> tuple[str, ...]:
        """Take back the approvals that were given before a time; returns whose they were."""
        ...


class Marks(Protocol):
    """How a text that we publish says what it is about (`stackseal.report.marker`)."""

    def read(self, body: str) -> Mapping[str, Json] | None:
        """The data of the marker on a body's first line, with `kind`; None where there is none."""
        ...

    def write(self, kind: str, **data: Json) -> str:
        """The marker's line, without its newline."""
        ...


@dataclass(frozen=True, kw_only=True)
class Link:
    """What a forge may be reached with."""

    env: Mapping[str, str]
    root: Path
    """The working root, for what lies in files."""
    agent: str
    """Names the product, its version and the command to whoever is asked."""
    marks: Marks
    now: Callable[[], datetime]
    sleep: Callable[[float], None]


class CommentMode(enum.Enum):
    """When a pull request's comment is written."""

    UPDATE = "update"
    """One comment, written anew in place."""
    CHANGES_ONLY = "changes-only"
    """The same, but the first one is written only when it is worth one."""
    NEW = "new"
    """A comment for each run; those before are folded as outdated."""
    OFF = "off"


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What became of findings that were sent. `off`: they are not used here, which is nobody's mistake."""

    accepted: bool
    off: bool = False
    why: str = ""


@runtime_checkable
class ShowsFindings(Protocol):
    """A forge with a page of its own for findings."""

    def upload_sarif(self, run: Run, sarif: str) -> Upload:
        """Send the findings of a run: a display, so what is in the way is an answer and no failure."""
        ...


@runtime_checkable
class HasLabels(Protocol):
    """A forge whose pull requests have labels."""

    def label(self, pull_request: int, names: Sequence[str] | None) -> bool:
        """Of our labels the pull request has exactly these; False where the token may not set any.

        None leaves them alone but for the one that says that the plan is stale, which it is no more.
        """
        ...


class MarkState(enum.Enum):
    """What a commit's status says; `error` is "nobody knows", never a success."""

    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The status of a commit under a key."""

    key: str
    state: MarkState
    text: str
    url: str = ""
    """Where more can be read."""


@runtime_checkable
class MarksCommits(Protocol):
    """A forge whose rules can require the status of a commit."""

    def mark(self, commit: str, mark: Mark) -> None:
        """Set the status of a commit."""
        ...


class Forge(Protocol):
    """Where pull requests and issues live."""

    def upsert_comment(
        self,
        pull_request: int,
        key: str,
        parts: Sequence[str],
        *,
        mode: CommentMode = CommentMode.UPDATE,
        worth: bool = True,
    ) -> str:
        """The pull request has exactly these comments of ours under the key; returns where they can be read.

        Empty where none is written: mode `off`, or mode `changes-only` for the first one when it is not `worth` one.
        """
        ...

    def pull_request_of(self, commit: str, branch: str) -> int | None:
        """The merged pull request that a commit of a branch came from; None where that is not known."""
        ...

    def issues(self) -> tuple[Issue, ...]:
        """Every issue that we opened, open or closed."""
        ...

    def open_issue(self, key: str, title: str, body: str) -> Issue:
        """A new issue."""
        ...

    def update_issue(self, number: int, *, title: str, body: str, is_open: bool) -> Issue:
        """The issue as it is now to be: edited, reopened or closed."""
        ...

    def retire_issue(self, number: int, comment: str) -> None:
        """The issue is closed as nobody's business any more, after a comment that says why."""
        ...

    def heartbeat(self, at: datetime, body: str) -> None:
        """Write down that drift was checked with success at this time."""
        ...

    def last_heartbeat(self) -> datetime | None:
        """When drift was last checked with success; None when never, or when nobody can tell."""
        ...
