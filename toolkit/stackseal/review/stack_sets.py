"""Stage 6 for a stack set: what the live set has, what the config wants of it, and the plan between the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackseal.aws.stack_sets import Reach
from stackseal.errors import Failed, Refused
from stackseal.model import Plan, Stack, StackId, StackSet, Target, Template, targets
from stackseal.plan import stack_set
from stackseal.plan.stack_set import Live

if TYPE_CHECKING:
    from stackseal.aws.shapes import OperationState
    from stackseal.aws.stack_sets import StackSets
    from stackseal.plan.rest import Patience
    from stackseal.settings import Account

RUNNING: Final = frozenset({"RUNNING", "QUEUED", "STOPPING"})
_POLL_SECONDS: Final = 5.0


def described(*sides: Template | None) -> Stack | None:
    """The first side's stack that is a stack set; None for ordinary stacks.

    Raises Refused where one side is a stack and the other a stack set: nothing becomes the other.
    """
    stacks = [side.stack for side in sides if side is not None and side.stack is not None]
    sets = [stack for stack in stacks if stack.stack_set is not None]
    if sets and len(sets) < len(stacks):
        raise Refused(
            f"{sets[0].id.name} cannot be planned",
            why="it was a stack and is to be a stack set, or the other way round",
            remedy="remove the config in one pull request, and bring it back in the next",
        )
    return sets[0] if sets else None


def plan(sets: StackSets, head: Template | None, base: Template | None, account: Account, patience: Patience) -> Plan:
    """The sealed plan: of the head, or of the deletion of what the base had.

    Raises Failed for a set that stays busy, or that cannot become what the config says.
    """
    template = of(head, base)
    stack = template.stack
    assert stack is not None  # noqa: S101 - `described` has found it
    at_rest(sets, stack.id, patience)
    live = read(sets, stack.id)
    if head is None:
        return stack_set.deletion(live, template, role=account.role_for(stack))
    return stack_set.plan(live, wanted(sets, stack), template, role=account.role_for(stack))


def of(head: Template | None, base: Template | None) -> Template:
    """The template that a plan is about: the new one, or the one that goes."""
    template = head or base
    assert template is not None  # noqa: S101 - a plan has at least one side
    return template


def read(sets: StackSets, stack: StackId) -> Live:
    """The set and its stacks."""
    state = sets.stack_set(stack.name)
    return Live(state=state, instances=sets.instances(stack.name) if state else ())


def wanted(sets: StackSets, stack: Stack) -> frozenset[Target]:
    """Every account and region in which the config wants a stack, its organizational units asked today.

    Raises Failed for accounts that are in none of the units.
    """
    found = stack.stack_set
    assert found is not None  # noqa: S101 - the caller has seen it
    if not found.units:
        return targets(found.accounts, found.regions)
    below = set(sets.accounts(found.units))
    if not found.self_managed:
        below.discard(sets.management_account())
    if strangers := sorted(set(found.accounts) - below):
        raise Failed(
            f"the stack set {stack.id.name} cannot be planned",
            why=f"{', '.join(strangers)} are no active accounts of the organizational units {', '.join(found.units)}",
            remedy="correct accounts, or move them in AWS Organizations",
            where=stack.config.at("stack_set", "accounts"),
        )
    return targets(found.accounts or below, found.regions)


def reach(found: StackSet, live: Live) -> Reach:
    """How calls name accounts; units that the set still has count too, so that stacks can be deleted from them."""
    if found.self_managed:
        return Reach(preferences=found.preferences)
    units = {*found.units, *(each.unit for each in live.instances if each.unit)}
    return Reach(units=tuple(sorted(units)), preferences=found.preferences)


def at_rest(sets: StackSets, stack: StackId, patience: Patience) -> None:
    """Nothing, once no operation runs on the set: CloudFormation takes one at a time.

    Raises Failed where one runs all the time.
    """
    end = patience.clock() + patience.limit
    while (busy := running(sets, stack)) is not None:
        if patience.clock() >= end:
            raise Failed(
                f"the stack set {stack.name} is busy",
                why=f"its operation {busy.id} ({busy.action}) is {busy.status} all the time",
                remedy=f"follow it with `stackseal recover {stack.name} --region {stack.region}`, then try again",
            )
        patience.sleep(_POLL_SECONDS)


def running(sets: StackSets, stack: StackId) -> OperationState | None:
    """The operation that runs on the set, if there is a set and one does."""
    if sets.stack_set(stack.name) is None:
        return None
    return next((each for each in sets.operations(stack.name) if each.status in RUNNING), None)
