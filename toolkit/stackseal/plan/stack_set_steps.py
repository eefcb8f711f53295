"""From a plan of a stack set to calls, and whether they do no more than what is on record. Deciding only."""

from __future__ import annotations

from typing import Literal

from stackseal.model import (
    STACK_INSTANCE,
    STACK_SET,
    Action,
    Change,
    Plan,
    PlanOperation,
    StackSet,
    Step,
    Target,
    Template,
    groups,
)
from stackseal.plan import seal
from stackseal.plan.record import SealRecord


def against(record: SealRecord, made: Plan, template: Template) -> tuple[str, ...]:
    """Why a plan must not be executed in the place of the recorded one; empty where it does no more.

    After a deployment that did not end well less remains: a set or a stack that was to be made may be there by now, and
    is brought to the same sealed template.
    """
    reasons = []
    if made.operation is not PlanOperation.DELETE and seal.of_plan(made, template).digest != record.input_digest:
        reasons.append("The template, its parameters, tags, targets, operation or roles are not the reviewed ones.")
    if made.operation is PlanOperation.DELETE and record.operation != PlanOperation.DELETE.value:
        reasons.append(f"The plan would delete the stack set; reviewed was: {record.operation}.")
    new = {(line.logical_id, line.type) for line in record.lines if line.action == Action.ADD.value}
    lines = seal.normalise(change for change in made.changes if not _begun(change, new))
    reasons += [f"Not reviewed: {line}." for line in seal.subset(lines, record.lines)]
    return tuple(reasons)


def steps(made: Plan, described: StackSet | None) -> tuple[Step, ...]:
    """The calls that do what a plan says, and nothing else, in their order: what exists is deleted last.

    An update names its stacks; where all of them go, they go before it, because one that names none reaches all.
    """
    if made.operation is PlanOperation.DELETE:
        return (*_steps(made, "remove", Action.REMOVE, described), Step(kind="delete"))
    add = _steps(made, "add", Action.ADD, described)
    update = _steps(made, "update", Action.MODIFY, described)
    remove = _steps(made, "remove", Action.REMOVE, described)
    itself = next((change.action for change in made.changes if change.type == STACK_SET), None)
    if itself is Action.ADD:
        return (Step(kind="create"), *add)
    if itself is Action.MODIFY and not update:
        return (*remove, Step(kind="update"), *add)
    return (*update, *add, *remove)


def target_of(change: Change) -> Target | None:
    """The account and region that a change is about; None for one of another kind."""
    if change.type != STACK_INSTANCE:
        return None
    account, _, region = change.logical_id.partition("/")
    return Target(account=account, region=region)


def _steps(
    made: Plan, kind: Literal["update", "add", "remove"], action: Action, described: StackSet | None
) -> tuple[Step, ...]:
    found = [target for change in made.changes if change.action is action and (target := target_of(change))]
    order = described.regions if described else ()
    return tuple(Step(kind=kind, group=group) for group in groups(found, order))


def _begun(change: Change, new: set[tuple[str, str]]) -> bool:
    """Whether a change only goes on with what was sealed as new."""
    return (
        change.action is Action.MODIFY
        and change.type in {STACK_SET, STACK_INSTANCE}
        and (change.logical_id, change.type) in new
    )
