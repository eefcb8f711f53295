"""What the commands for one config do where it describes a stack set."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from stackseal.errors import Refused, UsageError
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.change.preparation import Prepared
    from stackseal.model import Deployment, Plan, StackId


def planned(world: World, prepared: Prepared, *, deleting: bool = False) -> Plan:
    """What deploying the config, or deleting what it describes, would do now; nothing is kept of it."""
    from stackseal import settings
    from stackseal.review import planning, stack_sets

    account = settings.load(world.here).account(prepared.stack.id.account)
    head, base = (None, prepared.template) if deleting else (prepared.template, None)
    return stack_sets.plan(world.stack_sets(prepared.stack), head, base, account, planning.patience(world))


def done(world: World, prepared: Prepared, plan: Plan) -> Deployment:
    """Do what a plan says that was made just now."""
    from stackseal import settings
    from stackseal.deployment import proving, stack_sets

    account = settings.load(world.here).account(prepared.stack.id.account)
    world.out.say(f"{plan.stack.name}: {len(plan.changes)} changes")
    sets = world.stack_sets(prepared.stack)
    return stack_sets.execute(plan, prepared.template, sets, account, proving.watch(world))


def absent(world: World, prepared: Prepared) -> None:
    """Nothing, if the set does not exist yet. Raises Refused with what a person can do."""
    name = prepared.stack.id.name
    if world.stack_sets(prepared.stack).stack_set(name) is not None:
        raise Refused(
            "Stack set already exists",
            why=f"there is a stack set {name}",
            remedy="see what would change with `stackseal show-changes CONFIG`, and update it after a review with "
            "`stackseal deploy --base BASE --pull-request N`",
        )


def kept(plan: Plan, *, delete_data: bool) -> None:
    """Nothing, if there is something to delete that this command can delete; else raises UsageError."""
    from stackseal.model import PlanOperation

    if plan.operation is PlanOperation.NONE:
        raise UsageError(f"There is no stack set {plan.stack.name}", why="it is not deployed")
    if delete_data:
        raise UsageError(
            f"The data of the stack set {plan.stack.name} are not removed",
            why="they lie in other accounts, which these credentials do not reach",
            remedy="leave --delete-data out; who owns the accounts removes what stays behind there",
        )


def recovered(world: World, stack: StackId) -> Deployment | None:
    """How the operation that runs on a stack set of this name ends, or how the last one ended; None for no set."""
    from stackseal.aws.errors import AwsFailed
    from stackseal.aws.stack_sets import StackSets
    from stackseal.deploy import stack_sets as deploy
    from stackseal.deployment import proving

    for delegated in (False, True):
        sets = StackSets(world.aws(stack.account, stack.region), stack.region, delegated=delegated)
        with suppress(AwsFailed):  # who is no delegated administrator may not ask as one
            if sets.stack_set(stack.name) is not None:
                break
    else:
        return None
    last = next((each for each in sets.operations(stack.name) if each.action != "DETECT_DRIFT"), None)
    return deploy.resumed(sets, stack, last, proving.watch(world))
