"""Joins stage 9 to the forge: each drift becomes its stack's one issue, and a complete check is written down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from stackseal.drift import MAX_OPEN, Move, Step, decide, key
from stackseal.errors import StacksealError
from stackseal.hosts.base import Issue
from stackseal.model import Drift, DriftStatus, Stack
from stackseal.report import issue as issues
from stackseal.world import World


def file(
    world: World, found: Iterable[tuple[Drift, Stack]], *, max_open: int = MAX_OPEN
) -> tuple[tuple[Drift, Step], ...]:
    """Open, edit, close or leave alone the issue of every drift; no more than `max_open` issues are open then."""
    there = world.forge.issues()
    room = max_open - sum(issue.open for issue in there)
    done: list[tuple[Drift, Step]] = []
    for drift, stack in found:
        step = _filed(world, drift, stack, there, room)
        room -= step.move.opens
        done.append((drift, step))
    return tuple(done)


def complete(done: Sequence[tuple[Drift, Step]]) -> bool:
    """Whether every stack could be compared and has the issue that it should have; no stacks are no check."""
    unsettled = {Move.HOLD, Move.FAIL}
    return bool(done) and not any(drift.status is DriftStatus.UNKNOWN or step.move in unsettled for drift, step in done)


def write_down(world: World, done: Sequence[tuple[Drift, Step]]) -> datetime | None:
    """Tell the forge that every stack was checked now; returns the time, or None where the forge refuses."""
    now = world.clock.now().replace(microsecond=0)
    drifted = sum(drift.status is DriftStatus.DRIFTED for drift, _ in done)
    text = issues.heartbeat(now.isoformat(), stacks=len(done), drifted=drifted)
    try:
        world.forge.heartbeat(now, text)
    except StacksealError as error:
        world.out.say(f"warning: the time of this check is not written down: {error}", "warning")
        return None
    return now


def _filed(world: World, found: Drift, stack: Stack, there: Sequence[Issue], room: int) -> Step:
    """Do with the stack's issue what `decide` says; a forge that refuses is heard, and the next stack is filed."""
    try:
        return _file(world, found, stack, there, room)
    except StacksealError as error:
        world.out.say(f"{stack.id.name}: warning: its issue is as it was: {error}", "warning")
        return Step(move=Move.FAIL)


def _file(world: World, found: Drift, stack: Stack, there: Sequence[Issue], room: int) -> Step:
    issue = issues.issue(found, config=stack.config.path)
    step = decide(found, key(found), issue.title, issue.body, there, room=room)
    match step.move:
        case Move.OPEN:
            opened = world.forge.open_issue(key(found), issue.title, issue.body)
            return Step(move=Move.OPEN, number=opened.number)
        case Move.REOPEN | Move.EDIT | Move.CLOSE if step.number is not None:
            is_open = step.move is not Move.CLOSE
            world.forge.update_issue(step.number, title=issue.title, body=issue.body, is_open=is_open)
    return step
