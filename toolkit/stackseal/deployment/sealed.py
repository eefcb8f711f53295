"""Between review and deployment: the reviewed plan is proven to be what would be executed, or nothing is executed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from stackseal import naming
from stackseal.aws.errors import AwsFailed
from stackseal.aws.states import CHANGE_SET, Do, Use
from stackseal.errors import Failed, Refused
from stackseal.model import Because, Plan, PlanKind, PlanOperation, StackId, Template, Wait
from stackseal.plan import change_set, deletion, prove, rest, seal
from stackseal.plan.record import SealRecord
from stackseal.review import awaiting, planning

if TYPE_CHECKING:
    from stackseal.aws.cloudformation import CloudFormation
    from stackseal.plan.change_set import Live
    from stackseal.settings import Account
    from stackseal.world import World


def proven(world: World, cfn: CloudFormation, record: SealRecord, template: Template, account: Account) -> Plan:
    """The plan that may be executed: the reviewed change set itself, or a new one that does no more.

    Raises Refused with every reason against it; a change set made for the comparison is removed again.
    """
    live = _settled(world, cfn, record)
    if record.operation == PlanOperation.NONE.value:
        return _nothing(record, template)
    match _use(live):
        case Use.EXECUTE if live is not None:
            plan = change_set.read(cfn, _shell(record, template), template, live.state.arn)
            drift = planning.drift_of(cfn, plan, world)
            reasons = prove.prove(record, live, execution_role=account.role_of(record.stack), drift=drift)
            _stop(record.stack, (*reasons, *awaiting.moved(world, record, template)))
            return plan
        case Use.DONE:
            return replace(_nothing(record, template), operation=PlanOperation.NONE)
        case Use.REPLAN:
            return _again(world, cfn, record, template, account)
    state = f"{live.state.status} and {live.state.execution_status}" if live else "gone"
    raise Refused(
        f"The stack {record.stack.name} is not deployed",
        why=f"its reviewed change set is {state}, which AWS does not document",
        remedy="review the change again: `stackseal review --base BASE --plan sealed --pull-request N`",
    )


def expected(world: World, cfn: CloudFormation, record: SealRecord, waits: Sequence[Wait]) -> None:
    """Nothing, if a deferred plan can be proven when its turn comes: what it awaits is published by this deployment.

    Raises Refused with every reason against it.
    """
    _at_rest(world, cfn, record.stack)
    promised = {wait.path: wait.stack.name for wait in waits if wait.because in {Because.READS, Because.GRANTS}}
    reasons = [
        f"The review awaited {path} from the stack {stack}, and this deployment does not publish it there."
        for path, stack in sorted(record.awaited.items())
        if promised.get(path) != stack
    ]
    _stop(record.stack, tuple(reasons))


def unmoved(world: World, record: SealRecord, template: Template, waits: Sequence[Wait]) -> None:
    """Nothing, if the values that the review knew are those that the stacks before this one have left behind.

    Raises Refused for one that changed although nothing in its stack's plan said so.
    """
    _stop(record.stack, awaiting.moved(world, record, template, waits))


def proven_deletion(world: World, cfn: CloudFormation, record: SealRecord, base: Template) -> Plan:
    """The deletion that may be done: what goes today is not more than what was reviewed. A stack that is gone is done.

    Raises Refused with every reason against it.
    """
    if rest.at_rest(cfn, record.stack.name, planning.patience(world))[0] is None:
        return replace(_shell(record, base), operation=PlanOperation.DELETE, seal=record.seal)
    stateful = base.stack.product.stateful if base.stack else frozenset()
    plan = deletion.deletion(cfn, record.stack, stateful=stateful)
    extra = seal.subset(seal.normalise(plan.changes), record.lines)
    reasons = [f"Not reviewed: {line}." for line in extra]
    reasons += prove.drifted(record, planning.drift_of(cfn, plan, world))
    _stop(record.stack, tuple(reasons))
    return replace(plan, seal=record.seal)


def _again(world: World, cfn: CloudFormation, record: SealRecord, template: Template, account: Account) -> Plan:
    """Another stack update, another review's execution or time took the change set: plan again and compare."""
    inputs = seal.inputs(template, stack=record.stack, execution_role=account.role_of(record.stack))
    fresh = cfn.stack(record.stack.name) is None
    plan = change_set.create(
        inputs,
        cfn,
        name=seal.change_set_again(record.head, inputs.digest),
        patience=planning.patience(world),
        description=f"stackseal {inputs.digest}",
        store=planning.store_of(account),
    )
    resolved = cfn.change_set(plan.change_set).resolved if plan.change_set else record.resolved
    reasons = prove.prove_again(
        record,
        plan,
        template,
        resolved=resolved if plan.change_set else None,
        drift=planning.drift_of(cfn, plan, world),
    )
    reasons = (*reasons, *awaiting.unpublished(world, cfn, record, template, plan.change_set))
    if reasons:
        discard(cfn, plan, fresh=fresh)
    _stop(record.stack, reasons)
    return plan


def discard(cfn: CloudFormation, plan: Plan, *, fresh: bool = False) -> None:
    """Remove what was made for a comparison: the change set, and the empty shell of a stack that was not there."""
    if plan.change_set is None or not (plan.change_set_name or "").startswith(naming.REPLANNED):
        return
    cfn.delete_change_set(plan.change_set)
    state = cfn.stack(plan.stack.name)
    if fresh and state is not None and state.empty:
        cfn.delete_stack(plan.stack.name)


def _at_rest(world: World, cfn: CloudFormation, stack: StackId) -> None:
    """Nothing, once the stack rests in a state that allows a deployment (docs/reference/states.md)."""
    state, row = rest.at_rest(cfn, stack.name, planning.patience(world))
    if row.deploy not in {Do.CREATE, Do.UPDATE}:
        status = state.status if state else ""
        raise Refused(f"The stack {stack.name} is not deployed", why=f"it is {status}", remedy=row.remedy)


def _settled(world: World, cfn: CloudFormation, record: SealRecord) -> Live | None:
    """The reviewed change set once nothing runs on the stack and nobody makes or executes it; None where it is gone.

    Raises Refused where the stack's state does not allow a deployment, Failed where it stays busy.
    """
    stack, patience = record.stack, planning.patience(world)
    end = patience.clock() + patience.limit
    while True:
        _at_rest(world, cfn, stack)
        live = _live(cfn, record)
        if live is None or _use(live) not in {Use.WAIT, Use.FOLLOW}:
            return live
        if patience.clock() >= end:
            raise Failed(
                f"The stack {stack.name} is not deployed",
                why=f"its change set is {live.state.status} and {live.state.execution_status} all the time",
                remedy=f"follow it with `stackseal recover {stack.name} --region {stack.region}`, then try again",
            )
        patience.sleep(rest.POLL_SECONDS)


def _use(live: Live | None) -> Use:
    """What the reviewed change set's state allows (docs/reference/states.md); one that is gone is planned again."""
    if live is None:
        return Use.REPLAN
    return CHANGE_SET.get((live.state.status, live.state.execution_status), Use.STOP)


def _live(cfn: CloudFormation, record: SealRecord) -> Live | None:
    """The reviewed change set, None where it is gone."""
    if record.change_set is None:
        return None
    try:
        return change_set.inspect(cfn, record.change_set)
    except AwsFailed as error:
        if error.code.startswith("ChangeSetNotFound") or error.code == "ValidationError":
            return None
        raise


def _shell(record: SealRecord, template: Template) -> Plan:
    return Plan(
        stack=record.stack,
        kind=PlanKind.CHANGE_SET,
        operation=PlanOperation(record.operation),
        changes=(),
        template_sha256=template.sha256,
        parameters=dict(template.parameters),
        tags=dict(record.tags),
        capabilities=record.capabilities,
        execution_role=record.execution_role,
    )


def _nothing(record: SealRecord, template: Template) -> Plan:
    return replace(_shell(record, template), seal=record.seal)


def _stop(stack: StackId, reasons: tuple[str, ...]) -> None:
    if reasons:
        raise Refused(
            f"The stack {stack.name} is not deployed",
            why=f"it is not what was reviewed: {' '.join(reasons)}",
            remedy="review the change again: `stackseal review --base BASE --plan sealed --pull-request N`",
        )
