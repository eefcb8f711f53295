"""A stack set's part of a deployment: its plan is made again, proven to do no more than was reviewed, and executed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackseal.deploy.stack_sets import Run
from stackseal.errors import Refused
from stackseal.model import Deployment, Outcome, Plan, PlanOperation, StackSet, Template
from stackseal.plan import stack_set_changes, stack_set_steps
from stackseal.review import planning
from stackseal.review import stack_sets as review

if TYPE_CHECKING:
    from stackseal.aws.stack_sets import StackSets
    from stackseal.deploy import Watch
    from stackseal.plan.record import SealRecord
    from stackseal.settings import Account
    from stackseal.world import World

_OUTCOMES = {
    PlanOperation.CREATE: Outcome.CREATED,
    PlanOperation.UPDATE: Outcome.UPDATED,
    PlanOperation.DELETE: Outcome.DELETED,
}


def proven(
    world: World, sets: StackSets, record: SealRecord, head: Template | None, base: Template | None, account: Account
) -> Plan:
    """What may be done today: not more than was reviewed, and less where a part of it is done already.

    Raises Refused with every reason against it.
    """
    made = review.plan(sets, head, base, account, planning.patience(world))
    reasons = stack_set_steps.against(record, made, review.of(head, base))
    if reasons:
        raise Refused(
            f"The stack set {record.stack.name} is not deployed",
            why=f"it is not what was reviewed: {' '.join(reasons)}",
            remedy="review the change again: `stackseal review --base BASE --plan sealed --pull-request N`",
        )
    return made


def execute(made: Plan, template: Template, sets: StackSets, account: Account, watch: Watch) -> Deployment:
    """Do what a proven plan says; what became of each account and region is in the deployment."""
    if made.operation is PlanOperation.NONE:
        gone = sets.stack_set(made.stack.name) is None
        return Deployment(stack=made.stack, outcome=Outcome.DELETED if gone else Outcome.UNCHANGED, status="")
    described = _described(template)
    live = review.read(sets, made.stack)
    deleting = made.operation is PlanOperation.DELETE
    run = Run(
        stack=made.stack,
        sets=sets,
        reach=review.reach(described, live),
        watch=watch,
        word=f"seal-{(made.seal or '')[:32]}",
    )
    return run.execute(
        stack_set_steps.steps(made, described),
        None if deleting else stack_set_changes.new_set(template, made.execution_role, planning.store_of(account)),
        outcome=_OUTCOMES[made.operation],
    )


def _described(template: Template) -> StackSet:
    stack = template.stack
    assert stack is not None  # noqa: S101 - only templates of configs have a stack set
    assert stack.stack_set is not None  # noqa: S101 - the caller has seen it
    return stack.stack_set
