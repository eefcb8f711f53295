"""Joins stage 9 to the forge: each drift becomes its stack's one issue, and a complete check is written down.

An issue's marker names the repository and the folder whose configs were checked, so that an issue whose config was
removed is closed by the check of that folder and by no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stackseal.drift import MAX_OPEN, Filed, Move, Step, decide, forsaken, key
from stackseal.errors import StacksealError
from stackseal.hosts.base import Issue
from stackseal.hosts.git import Repository
from stackseal.model import Drift, DriftStatus, Stack, StackId
from stackseal.report import issue as issues
from stackseal.report import marker
from stackseal.world import World

_KEY: Final = re.compile(r"([0-9]{12})/([a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2})/([A-Za-z][A-Za-z0-9-]{0,127})")
"""A stack's identity. Who may edit an issue can write another text there, and a region becomes a part of an address."""


@dataclass(frozen=True, kw_only=True)
class Retired:
    """An issue of a stack that no config makes any more."""

    stack: str
    """Account, region and name."""
    number: int
    stands: str = ""
    """The status of the stack, which nobody looks after; empty where it is gone, or nobody could ask."""
    unasked: str = ""
    """Why nobody knows whether it stands; empty where it is known."""
    failed: bool = False
    """The forge refused: the issue is as it was."""


def file(
    world: World, found: Iterable[tuple[Drift, Stack]], *, max_open: int = MAX_OPEN
) -> tuple[tuple[Drift, Step], ...]:
    """Open, edit, close or leave alone the issue of every drift; no more than `max_open` issues are open then."""
    there, here = world.forge.issues(), origin(world)
    room = max_open - sum(issue.open for issue in there)
    done: list[tuple[Drift, Step]] = []
    for drift, stack in found:
        step = _filed(world, drift, stack, there, room, here)
        room -= step.move.opens
        done.append((drift, step))
    return tuple(done)


def origin(world: World) -> str:
    """The repository and the folder in it whose configs are checked; empty outside a Git work tree."""
    try:
        return f"{world.runner.run().repository}:{Repository(world.here).prefix}"
    except StacksealError:
        return ""


def retire(world: World, compared: Iterable[StackId]) -> tuple[Retired, ...]:
    """Close the open issues of this repository and folder that are about none of the stacks of a whole check.

    An issue that another folder, another repository or an older stackseal has opened stays as it is.
    """
    if not (here := origin(world)):
        return ()

    def ours(body: str) -> bool:
        return (marker.read(body) or {}).get("origin") == here

    left = forsaken(world.forge.issues(), {str(stack) for stack in compared}, ours)
    return tuple(_retired(world, issue) for issue in left)


def _retired(world: World, issue: Filed) -> Retired:
    stack, number = issue.key, issue.number
    is_set = bool((marker.read(issue.body) or {}).get("set"))
    stands, unasked = ("", "it is a stack set, of many accounts.") if is_set else _standing(world, stack)
    comment = issues.retired(stack, state=stands, unasked=unasked)
    failed = False
    try:
        world.forge.retire_issue(number, comment)
    except StacksealError as error:
        world.out.say(f"{stack}: warning: its issue is as it was: {error}", "warning")
        failed = True
    return Retired(stack=stack, number=number, stands=stands, unasked=unasked, failed=failed)


def _standing(world: World, stack: str) -> tuple[str, str]:
    """The status of a stack that may still stand, and why it is not known."""
    found = _KEY.fullmatch(stack)
    if found is None:
        return "", "that is no stack's identity."
    identity = StackId(account=found[1], region=found[2], name=found[3])
    try:
        state = world.cloudformation(identity).stack(identity.name)
    except StacksealError as error:
        return "", str(error)
    return (state.status if state else ""), ""


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


def _filed(world: World, found: Drift, stack: Stack, there: Sequence[Issue], room: int, here: str) -> Step:
    """Do with the stack's issue what `decide` says; a forge that refuses is heard, and the next stack is filed."""
    try:
        return _file(world, found, stack, there, room, here)
    except StacksealError as error:
        world.out.say(f"{stack.id.name}: warning: its issue is as it was: {error}", "warning")
        return Step(move=Move.FAIL)


def _file(world: World, found: Drift, stack: Stack, there: Sequence[Issue], room: int, here: str) -> Step:
    is_set = stack.stack_set is not None
    issue = issues.issue(found, config=stack.config.path, origin=here, whole_set=is_set)
    step = decide(found, key(found), issue.title, issue.body, there, room=room)
    match step.move:
        case Move.OPEN:
            opened = world.forge.open_issue(key(found), issue.title, issue.body)
            return Step(move=Move.OPEN, number=opened.number)
        case Move.REOPEN | Move.EDIT | Move.CLOSE if step.number is not None:
            is_open = step.move is not Move.CLOSE
            world.forge.update_issue(step.number, title=issue.title, body=issue.body, is_open=is_open)
        case Move.RETIRE if step.number is not None:
            world.forge.retire_issue(step.number, issues.retired(key(found), config=stack.config.path))
    return step
