"""Stage 9, Stack → Drift → issue: what is not as it was deployed, and exactly one open issue for each such stack.

A difference may be ignored by a rule of the settings that has an owner and an end date. A resource that could not be
compared is *unknown*: it opens no issue, closes none, and is counted aloud.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Final, Protocol

from stackseal.model import Drift, DriftStatus, ResourceDrift

MAX_OPEN: Final = 50
"""Open issues at most, so that a lost account does not bury everybody."""


class Ignore(Protocol):
    """A rule of the settings."""

    @property
    def stack(self) -> str: ...
    @property
    def resource(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def until(self) -> str: ...


class Filed(Protocol):
    """An issue of the forge."""

    @property
    def number(self) -> int: ...
    @property
    def key(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def open(self) -> bool: ...


class Move(enum.Enum):
    """What happens to a stack's issue."""

    OPEN = "opened"
    REOPEN = "reopened"
    EDIT = "updated"
    KEEP = "unchanged"
    CLOSE = "closed"
    RETIRE = "retired"
    """Closed with the reason: nobody compares its stack any more."""
    NONE = "none"
    HOLD = "held back"
    """It would be opened, but as many issues are open as may be."""
    FAIL = "not filed"
    """The forge refused."""

    @property
    def opens(self) -> int:
        """How many more issues are open afterwards."""
        return {Move.OPEN: 1, Move.REOPEN: 1, Move.CLOSE: -1, Move.RETIRE: -1}.get(self, 0)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One move and the issue that it is about."""

    move: Move
    number: int | None = None


def judge(drift: Drift, ignores: Sequence[Ignore], today: date) -> Drift:
    """The drift without the differences that a rule in force ignores."""
    rules = [
        rule
        for rule in ignores
        if fnmatchcase(drift.stack.name, rule.stack) and date.fromisoformat(rule.until) >= today
    ]
    resources = tuple(_without(resource, rules) for resource in drift.resources)
    status = drift.status
    if status is DriftStatus.DRIFTED and not any(resource.drifted for resource in resources):
        doubtful = any(resource.status == "UNKNOWN" for resource in resources)
        status = DriftStatus.UNKNOWN if doubtful else DriftStatus.IN_SYNC
    return replace(drift, resources=resources, status=status)


def decide(drift: Drift, key: str, title: str, body: str, issues: Iterable[Filed], *, room: int = MAX_OPEN) -> Step:
    """What to do with the stack's issue: the lowest number of its key is the one that counts.

    `room` is how many more issues may be open.
    """
    found = min((issue for issue in issues if issue.key == key), key=lambda issue: issue.number, default=None)
    if drift.status is DriftStatus.DRIFTED:
        if found is None:
            return Step(move=Move.OPEN if room > 0 else Move.HOLD)
        if not found.open:
            return Step(move=Move.REOPEN if room > 0 else Move.HOLD, number=found.number)
        same = found.title == title and _plain(found.body) == _plain(body)
        return Step(move=Move.KEEP if same else Move.EDIT, number=found.number)
    if drift.status is DriftStatus.IN_SYNC and found is not None and found.open:
        return Step(move=Move.CLOSE, number=found.number)
    if drift.absent and found is not None and found.open:
        return Step(move=Move.RETIRE, number=found.number)
    return Step(move=Move.NONE if found is None else Move.KEEP, number=found.number if found else None)


def forsaken(issues: Iterable[Filed], compared: Collection[str], ours: Callable[[str], bool]) -> tuple[Filed, ...]:
    """The open issues that are about no stack of this check; only those whose body is `ours`."""
    return tuple(issue for issue in issues if issue.open and issue.key not in compared and ours(issue.body))


def _plain(body: str) -> str:
    """A body without what a forge makes of it: line ends and outer space."""
    return body.replace("\r\n", "\n").strip()


def key(drift: Drift) -> str:
    """What tells the stacks' issues apart."""
    return str(drift.stack)


def _without(resource: ResourceDrift, rules: Sequence[Ignore]) -> ResourceDrift:
    mine = [rule for rule in rules if fnmatchcase(resource.logical_id, rule.resource)]
    left = tuple(d for d in resource.differences if not any(fnmatchcase(d.path, rule.path) for rule in mine))
    whole = resource.status == "DELETED" and any(rule.path == "*" for rule in mine)
    quiet = resource.status == "MODIFIED" and resource.differences and not left
    return replace(resource, differences=left, status="IN_SYNC" if whole or quiet else resource.status)
