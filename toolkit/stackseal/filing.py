"""A drift becomes an issue: opened, edited, closed or left alone, as stage 9 decides."""

from __future__ import annotations

from collections.abc import Sequence

from stackseal.drift import Move, Step, decide, key
from stackseal.errors import StacksealError
from stackseal.hosts.base import Issue
from stackseal.model import Drift, Stack
from stackseal.report.issue import issue as issue_of
from stackseal.world import World


def filed(world: World, found: Drift, stack: Stack, issues: Sequence[Issue]) -> Step:
    """Do with the stack's issue what `decide` says; a forge that refuses is heard, and the next stack is filed."""
    try:
        return _file(world, found, stack, issues)
    except StacksealError as error:
        world.out.say(f"{stack.id.name}: warning: its issue is as it was: {error}", "warning")
        return Step(move=Move.NONE)


def _file(world: World, found: Drift, stack: Stack, issues: Sequence[Issue]) -> Step:
    issue = issue_of(found, config=stack.config.path)
    step = decide(found, key(found), issue.title, issue.body, issues)
    match step.move:
        case Move.OPEN:
            opened = world.forge.open_issue(key(found), issue.title, issue.body)
            return Step(move=Move.OPEN, number=opened.number)
        case Move.REOPEN | Move.EDIT | Move.CLOSE if step.number is not None:
            is_open = step.move is not Move.CLOSE
            world.forge.update_issue(step.number, title=issue.title, body=issue.body, is_open=is_open)
    return step
