"""Stage 9 for a stack set: CloudFormation compares every stack of it, and what it did not compare is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackseal.deploy.stack_sets import RUNNING
from stackseal.errors import Unknown
from stackseal.model import (
    STACK_INSTANCE,
    Drift,
    DriftStatus,
    ResourceDrift,
    Stack,
    StackSet,
    Target,
    sha256,
    targets,
)
from stackseal.plan import rest
from stackseal.review import planning
from stackseal.review import stack_sets as review

if TYPE_CHECKING:
    from stackseal.aws.shapes import InstanceState
    from stackseal.aws.stack_sets import StackSets
    from stackseal.world import World

_LIMIT: Final = 3600.0
"""Seconds until a detection's outcome counts as unknown: one account after another takes its time."""
_POLL: Final = 5.0


def drift_of(world: World, stack: Stack) -> Drift:
    """The drift of every stack of a set, once nothing runs on it; resources are named with account and region.

    A stack that is missing counts as deleted where the config lists its account; one that is not up to date, that was
    not checked, or that nobody could compare is unknown. Raises Absent where there is no set.
    """
    sets, identity, found = world.stack_sets(stack), stack.id, stack.stack_set
    assert found is not None  # noqa: S101 - the caller has seen it
    review.at_rest(sets, identity, planning.patience(world))
    live = review.read(sets, identity)
    if live.state is None:
        raise rest.Absent(
            f"There is no stack set {identity.name}", why="it is not deployed", remedy="nothing can be compared"
        )
    operation = _detected(world, sets, stack, found) if live.instances else ""
    rows: list[ResourceDrift] = []
    for each in sets.instances(identity.name):
        rows += _of(sets, identity.name, operation, each)
    rows += [_row(target, "DELETED") for target in sorted(_missing(found, {each.target for each in live.instances}))]
    stale = [f"{each.target} ({each.reason or each.status})" for each in live.instances if each.status != "CURRENT"]
    reasons = [f"not up to date: {', '.join(stale)}"] if stale else []
    reasons += [] if rows else ["the set has no stacks"]
    return Drift(stack=identity, status=_status(rows), resources=tuple(rows), reason="; ".join(reasons))


def _detected(world: World, sets: StackSets, stack: Stack, found: StackSet) -> str:
    """The id of a detection that has ended. Raises Unknown where it does not end in time."""
    name, clock = stack.id.name, world.clock
    last = next(iter(sets.operations(name)), None)
    operation = f"drift-{sha256(f'{name} {last.id if last else None} {clock.now().isoformat()}')[:32]}"
    sets.detect(name, operation=operation, preferences=found.preferences)
    end = clock.monotonic() + _LIMIT
    while sets.operation(name, operation).status in RUNNING:
        if clock.monotonic() >= end:
            raise Unknown(
                f"drift detection on the stack set {name} did not end in time",
                why="sets with many accounts take long",
                remedy="run `stackseal check-drift CONFIG` again later",
            )
        clock.sleep(_POLL)
    return operation


def _of(sets: StackSets, name: str, operation: str, each: InstanceState) -> list[ResourceDrift]:
    """The rows of one stack: the stack itself where all of it is in sync or unknown, else its resources."""
    if each.status != "CURRENT":
        return [_row(each.target, "UNKNOWN", each.stack)]
    if each.drift == "DRIFTED":
        return list(sets.drifts(name, operation, each.target)) or [_row(each.target, "UNKNOWN", each.stack)]
    return [_row(each.target, each.drift, each.stack)]


def _row(target: Target, status: str, stack: str = "") -> ResourceDrift:
    return ResourceDrift(logical_id=str(target), type=STACK_INSTANCE, physical_id=stack, status=status)


def _missing(found: StackSet, there: set[Target]) -> frozenset[Target]:
    return frozenset() if found.units else targets(found.accounts, found.regions) - there


def _status(rows: list[ResourceDrift]) -> DriftStatus:
    if any(row.drifted for row in rows):
        return DriftStatus.DRIFTED
    stacks = [row for row in rows if row.type == STACK_INSTANCE]
    if not stacks or any(row.status != "IN_SYNC" for row in stacks):
        return DriftStatus.UNKNOWN
    return DriftStatus.IN_SYNC
