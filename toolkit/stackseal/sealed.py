"""Between review and deployment: the reviewed plan is proven to be what would be executed, or nothing is executed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stackseal import planning
from stackseal.aws.errors import AwsFailed
from stackseal.errors import Refused
from stackseal.model import Plan, PlanKind, PlanOperation, StackId, Template
from stackseal.plan import change_set, deletion, prove, seal
from stackseal.plan.record import SealRecord

if TYPE_CHECKING:
    from stackseal.aws.cloudformation import CloudFormation
    from stackseal.plan.change_set import Live
    from stackseal.settings import Account
    from stackseal.world import World


def proven(world: World, cfn: CloudFormation, record: SealRecord, template: Template, account: Account) -> Plan:
    """The plan that may be executed: the reviewed change set itself, or a new one that does no more.

    Raises Refused with every reason against it; a change set made for the comparison is removed again.
    """
    if record.operation == PlanOperation.NONE.value:
        return _nothing(record, template)
    live = _live(cfn, record)
    if live is None:
        return _again(world, cfn, record, template, account)
    plan = change_set.read(cfn, _shell(record, template), template, live.state.arn)
    drift = planning.drift_of(cfn, plan, world)
    _stop(record.stack, prove.prove(record, live, execution_role=account.execution_role, drift=drift))
    return plan


def proven_deletion(world: World, cfn: CloudFormation, record: SealRecord, base: Template) -> Plan:
    """The deletion that may be done: what goes today is not more than what was reviewed.

    Raises Refused with every reason against it.
    """
    stateful = base.stack.product.stateful if base.stack else frozenset()
    plan = deletion.deletion(cfn, record.stack, stateful=stateful)
    extra = seal.subset(seal.normalise(plan.changes), record.lines)
    reasons = [f"Not reviewed: {line}." for line in extra]
    reasons += prove.drifted(record, planning.drift_of(cfn, plan, world))
    _stop(record.stack, tuple(reasons))
    return replace(plan, seal=record.seal)


def _again(world: World, cfn: CloudFormation, record: SealRecord, template: Template, account: Account) -> Plan:
    """Another stack update, another review's execution or time took the change set: plan again and compare."""
    inputs = seal.inputs(template, stack=record.stack, execution_role=account.execution_role)
    plan = change_set.create(
        inputs,
        cfn,
        name=f"deploy-{record.head[:7]}-{inputs.digest[:12]}",
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
    if reasons and plan.change_set:
        cfn.delete_change_set(plan.change_set)
    _stop(record.stack, reasons)
    return plan


def _live(cfn: CloudFormation, record: SealRecord) -> Live | None:
    """The reviewed change set, None where it is gone or can no longer be executed."""
    if record.change_set is None:
        return None
    try:
        live = change_set.inspect(cfn, record.change_set)
    except AwsFailed as error:
        if error.code.startswith("ChangeSetNotFound") or error.code == "ValidationError":
            return None
        raise
    return live if live.state.execution_status == "AVAILABLE" else None


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
            remedy="review the change again: stackseal review",
        )
