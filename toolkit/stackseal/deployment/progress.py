"""What a person sees while a stack is changed: a table that redraws itself on a terminal, plain lines in CI."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from stackseal.model import Deployment, Outcome, ResourceEvent
from stackseal.output import Output

_MARKS: Final = (("ROLLBACK", "↩"), ("FAILED", "✗"), ("SKIPPED", "-"), ("COMPLETE", "✓"), ("IN_PROGRESS", "…"))
_QUIET: Final = ("REVIEW_IN_PROGRESS",)


@dataclass(kw_only=True)
class Lines:
    """One line for each event: `12:00:01 ✓ CREATE_COMPLETE BuildProject`."""

    out: Output
    stack: str = ""
    """Its name, where several stacks are changed at the same time."""

    def event(self, event: ResourceEvent) -> None:
        if event.status in _QUIET:
            return
        reason = f": {event.reason}" if event.reason and event.status.endswith("FAILED") else ""
        name = f"{self.stack}: " if self.stack else ""
        what = f"{_mark(event.status)} {event.status} {event.logical_id}{reason}"
        moment = f"{event.timestamp[11:19]} " if event.timestamp else ""  # AWS tells none of a stack set's accounts
        self.out.say(f"  {name}{moment}{what}")


@dataclass(kw_only=True)
class Table:
    """One line for each resource, redrawn in place."""

    out: Output
    rows: dict[str, ResourceEvent] = field(default_factory=dict)
    drawn: int = 0

    def event(self, event: ResourceEvent) -> None:
        if event.status in _QUIET:
            return
        self.rows[event.logical_id] = event
        width = max(len(name) for name in self.rows)
        lines = [f"  {_mark(row.status)} {name.ljust(width)}  {row.status}" for name, row in self.rows.items()]
        self.out.redraw("\n".join(lines), self.drawn)
        self.drawn = len(lines)


def progress(out: Output, stack: str = "") -> Lines | Table:
    """The one that suits where the words go; a table redraws itself, so that only one at a time can."""
    return Table(out=out) if out.live and not stack else Lines(out=out, stack=stack)


def sentence(deployment: Deployment) -> str:
    """How it ended, in one sentence."""
    head = f"{deployment.stack.name}: {deployment.outcome.value}"
    parts = [f"{head} ({deployment.status})" if deployment.status else head]
    if deployment.outcome.good and deployment.resources:
        parts.append(f"{deployment.resources} resources")
    if (failure := deployment.first_failure) and not deployment.instances:
        parts.append(
            f"{failure.logical_id} ({failure.type}) {failure.status}: {failure.reason or 'AWS gives no reason'}"
        )
    parts += _accounts(deployment)
    if deployment.retained:
        parts.append(f"left behind: {', '.join(deployment.retained)}")
    if deployment.stale:
        parts.append(f"plan again: {', '.join(f'#{number}' for number in deployment.stale)}")
    if deployment.message:
        parts.append(deployment.message)
    if deployment.resume:
        parts.append(f"nobody knows how it ends; go on with: {deployment.resume}")
    return "; ".join(parts)


def _accounts(deployment: Deployment) -> list[str]:
    """Of a stack set how many stacks ended in which way, and which ones not well."""
    found = deployment.instances
    counts = {outcome: sum(one.outcome is outcome for one in found) for outcome in Outcome}
    parts = [f"{count} {outcome.value}" for outcome, count in counts.items() if count]
    bad = [f"{one.target} {one.status or one.outcome.value}: {one.reason}" for one in found if not one.outcome.good]
    return [f"stacks: {', '.join(parts)}", *bad] if parts else []


def _mark(status: str) -> str:
    return next((mark for word, mark in _MARKS if word in status), " ")
