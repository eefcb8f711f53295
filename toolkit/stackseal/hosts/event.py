"""What started a GitHub workflow, as far as we act on it: a few fields of the event's payload, validated as they enter.

Source: GitHub's "Events that trigger workflows" and the payloads published as @octokit/webhooks-examples. Payloads hold
much more, and titles and branch names in them are foreign text: only numbers, hashes and closed words are taken.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stackseal.errors import UsageError

_Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}$")]
_LIMIT: Final = 26_214_400
"""GitHub caps payloads at 25 MB."""


class Mode(enum.Enum):
    """What a run is for."""

    REVIEW = "review"
    """A pull request was opened or changed: review it."""
    QUEUE = "queue"
    """A merge queue asks: render and compare with the records, no AWS, no comment."""
    DEPLOY = "deploy"
    """Something was pushed to a branch."""
    CLEANUP = "cleanup"
    """A pull request was closed."""
    DRIFT = "drift"
    """The clock."""
    MANUAL = "manual"
    """A person, or a re-plan."""
    NONE = "none"
    """Nothing for us."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event; fields that it does not have are None."""

    mode: Mode
    pull_request: int | None = None
    head: str | None = None
    base: str | None = None
    fork: bool = False
    """The head is another repository's, or Dependabot's: no credentials, predicted plans."""
    draft: bool = False
    merged: bool = False


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Repo(_Model):
    id: int


class _Side(_Model):
    sha: _Sha
    repo: _Repo | None = None


class _PullRequest(_Model):
    number: int = Field(ge=1)
    draft: bool = False
    merged: bool = False
    head: _Side
    base: _Side


class _MergeGroup(_Model):
    head_sha: _Sha
    base_sha: _Sha
    head_ref: str = ""


class _Sender(_Model):
    login: str = ""


class _Payload(_Model):
    action: str | None = None
    pull_request: _PullRequest | None = None
    merge_group: _MergeGroup | None = None
    before: _Sha | None = None
    after: _Sha | None = None
    deleted: bool = False
    sender: _Sender = _Sender()


_REVIEWED: Final = frozenset({"opened", "synchronize", "reopened", "ready_for_review", "labeled", "edited"})
_QUEUED: Final = re.compile(r"refs/heads/gh-readonly-queue/.+/pr-([1-9][0-9]{0,9})-[0-9a-f]{40,64}")
_DEPENDABOT: Final = "dependabot[bot]"


def read(name: str, path: Path) -> Event:
    """The event `name` (GITHUB_EVENT_NAME) whose payload lies at a path (GITHUB_EVENT_PATH).

    Raises UsageError for a payload that is none.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError("The event's payload cannot be read", why=error.strerror or str(error)) from error
    if len(raw) > _LIMIT:
        raise UsageError("The event's payload is too large", why=f"{len(raw):,} bytes")
    try:
        return parse(name, json.loads(raw))
    except (ValueError, RecursionError) as error:
        raise UsageError("The event's payload is not what GitHub sends", why=type(error).__name__) from error


def parse(name: str, payload: Mapping[str, Any]) -> Event:
    """The event of a payload.

    Raises UsageError when a field that we act on is not what GitHub documents.
    """
    try:
        found = _Payload.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise UsageError("The event's payload is not what GitHub sends", why=f"{place}: {first['msg']}") from error
    match name:
        case "pull_request":
            return _pull_request(found)
        case "merge_group" if found.merge_group and found.action == "checks_requested":
            return _queue(found.merge_group)
        case "push" if not found.deleted and found.after:
            return Event(mode=Mode.DEPLOY, head=found.after, base=_known(found.before))
        case "schedule":
            return Event(mode=Mode.DRIFT)
        case "workflow_dispatch":
            return Event(mode=Mode.MANUAL)
    return Event(mode=Mode.NONE)


def _pull_request(found: _Payload) -> Event:
    if (pull := found.pull_request) is None:
        return Event(mode=Mode.NONE)
    mode = Mode.NONE
    if found.action == "closed":
        mode = Mode.CLEANUP
    elif found.action in _REVIEWED:
        mode = Mode.REVIEW
    foreign = pull.head.repo is None or pull.base.repo is None or pull.head.repo.id != pull.base.repo.id
    return Event(
        mode=mode,
        pull_request=pull.number,
        head=pull.head.sha,
        base=pull.base.sha,
        fork=foreign or found.sender.login == _DEPENDABOT,
        draft=pull.draft,
        merged=pull.merged,
    )


def _queue(group: _MergeGroup) -> Event:
    """A group of one pull request more than the group before it, whose number is in the branch's name."""
    named = _QUEUED.fullmatch(group.head_ref)
    number = int(named[1]) if named else None
    return Event(mode=Mode.QUEUE, head=group.head_sha, base=group.base_sha, pull_request=number)


def _known(sha: str | None) -> str | None:
    """The commit before a push; a new branch has forty zeros."""
    return None if sha is None or set(sha) == {"0"} else sha
