"""The plan of a stack set, which has no change sets: how the live set differs from the config, target by target.

A plan lists three kinds of changes. The set itself; each account and region (a *target*) whose stack is made, changed
or deleted; and what the new template changes of the resources in every stack that is changed, predicted from the live
template. All three are sealed. `stack_set_steps` turns them into calls: a deployment does what the lines say, no more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from stackseal.aws.shapes import InstanceState, StackSetState
from stackseal.errors import Failed
from stackseal.model import (
    STACK_INSTANCE,
    STACK_SET,
    Action,
    Change,
    Plan,
    PlanKind,
    PlanOperation,
    PropertyChange,
    StackId,
    StackSet,
    Target,
    Template,
)
from stackseal.plan import capabilities, consequence, seal
from stackseal.plan.notes import BLIND
from stackseal.plan.stack_set_changes import gone, inner_changes, new_set, own_changes, owner
from stackseal.plan.stack_set_steps import target_of

_TRIED: Final = frozenset({"CURRENT"})
PREDICTED: Final = (
    "A stack set has no change sets: what becomes of each resource is predicted from the template that the set has now."
)
UNSEEN: Final = (
    "Whether somebody changed resources in the accounts by hand is not looked at here; drift detection does."
)
OPEN: Final = "An account that joins the organizational units gets its stacks by itself, without a review."


@dataclass(frozen=True, kw_only=True)
class Live:
    """A stack set as it is now."""

    state: StackSetState | None
    """None where there is none."""
    instances: tuple[InstanceState, ...] = ()


def plan(live: Live, wanted: frozenset[Target], template: Template, *, role: str | None) -> Plan:
    """What deploying the template to the wanted targets would do with the live set, sealed.

    Raises Failed for a set that no update can make what the config says.
    """
    stack, described = owner(template)
    _possible(live, described, stack.id)
    inner = inner_changes(live.state, template, stack.id)
    own = tuple(own_changes(live.state, template, role, quiet=not inner)) if live.state else ()
    touched = _touched(live, wanted, changed=bool(own or inner))
    there = {each.target for each in live.instances}
    rows = [_row(Action.ADD, target) for target in wanted - there]
    rows += [_row(Action.MODIFY, target) for target in touched]
    rows += [_row(Action.REMOVE, each.target) for each in live.instances if each.target not in wanted]
    head = () if live.state and not (own or inner) else (_itself(stack.id, live, own),)
    shown = inner if live.state is None or touched else ()
    changes = (*head, *sorted(rows, key=lambda row: (row.logical_id, row.action.value)), *shown)
    return _sealed(_plan(live, changes, template, role), template)


def deletion(live: Live, template: Template, *, role: str | None) -> Plan:
    """What deleting the set with all of its stacks would do, sealed. `template` is the one that the config had."""
    stack, _ = owner(template)
    rows = [_row(Action.REMOVE, each.target) for each in live.instances]
    itself = Change(action=Action.REMOVE, logical_id=stack.id.name, type=STACK_SET)
    made = _plan(live, (itself, *rows) if live.state else (), template, role)
    operation = PlanOperation.DELETE if live.state else PlanOperation.NONE
    notes = () if live.state else ("The stack set does not exist, so there is nothing to remove.",)
    return _sealed(replace(made, operation=operation, notes=notes), template)


def blindly(base: Template | None, head: Template | None, *, role: str | None) -> Plan:
    """The plan without credentials: from the configs of both sides. It is not sealed."""
    template = head or base
    assert template is not None  # noqa: S101 - a plan has at least one side
    live = Live(state=None)
    if base is not None and base.stack is not None and base.stack.stack_set is not None:
        before = base.stack.stack_set
        live = Live(state=_as_if(base, role), instances=tuple(_instance(target) for target in sorted(_listed(before))))
    if head is None:
        made = deletion(live, template, role=role)
    else:
        described = owner(head)[1]
        made = plan(live, _listed(described), head, role=role)
        if described.units:
            note = "Which accounts the organizational units hold is only known with credentials."
            made = replace(made, notes=(note, *made.notes))
    notes = tuple(note for note in made.notes if note not in {PREDICTED, UNSEEN})
    return replace(made, kind=PlanKind.PREDICTED, seal=None, inputs=None, notes=(BLIND, *notes))


def _plan(live: Live, changes: tuple[Change, ...], template: Template, role: str | None) -> Plan:
    stack, described = owner(template)
    operation = PlanOperation.CREATE if live.state is None else PlanOperation.UPDATE
    stateful = stack.product.stateful
    inner = tuple(change for change in changes if change.type not in {STACK_SET, STACK_INSTANCE})
    return Plan(
        stack=stack.id,
        kind=PlanKind.STACK_SET,
        operation=operation if changes or live.state is None else PlanOperation.NONE,
        changes=changes,
        template_sha256=template.sha256,
        parameters=dict(template.parameters),
        tags=dict(stack.tags),
        capabilities=capabilities.needed(template.body),
        execution_role=role,
        consequences=(
            *gone(live.state, changes, stateful),
            *consequence.consequences(inner, stateful, consequence.protected(template)),
        ),
        retained=consequence.retained(inner),
        notes=(*_counted(changes), PREDICTED, UNSEEN, *([OPEN] if described.auto_deployment else [])),
    )


def _sealed(made: Plan, template: Template) -> Plan:
    inputs = None if made.operation is PlanOperation.DELETE else seal.of_plan(made, template).digest
    return replace(made, seal=seal.seal(made, template), inputs=inputs)


def _row(action: Action, target: Target) -> Change:
    return Change(action=action, logical_id=str(target), type=STACK_INSTANCE)


def _itself(stack: StackId, live: Live, own: tuple[PropertyChange, ...]) -> Change:
    action = Action.MODIFY if live.state else Action.ADD
    return Change(action=action, logical_id=stack.name, type=STACK_SET, properties=own)


def _touched(live: Live, wanted: frozenset[Target], *, changed: bool) -> list[Target]:
    """The stacks that stay and are changed: all of them, or those of an earlier operation that did not end well."""
    return [each.target for each in live.instances if each.target in wanted and (changed or each.status not in _TRIED)]


def _possible(live: Live, described: StackSet, identity: StackId) -> None:
    state = live.state
    if state is not None and state.permissions != described.permissions.value:
        raise Failed(
            f"the stack set {identity.name} cannot be planned",
            why=f"it is {state.permissions}, and AWS lets nobody make it {described.permissions.value}",
            remedy="remove the config in one pull request, and bring it back in the next",
        )
    broken = [str(each.target) for each in live.instances if each.status == "INOPERABLE"]
    if broken:
        raise Failed(
            f"the stack set {identity.name} cannot be planned",
            why=f"a deletion failed in {', '.join(broken)}, which is INOPERABLE since",
            remedy="delete these stacks from the set with RetainStacks, as the CloudFormation User Guide says",
        )


def _counted(changes: tuple[Change, ...]) -> tuple[str, ...]:
    rows = [(change.action, target.account) for change in changes if (target := target_of(change))]
    if not rows:
        return ()
    counts = {action: sum(row[0] is action for row in rows) for action in (Action.ADD, Action.MODIFY, Action.REMOVE)}
    words = {Action.ADD: "new", Action.MODIFY: "changed", Action.REMOVE: "deleted"}
    parts = [f"{counts[action]} {word}" for action, word in words.items()]
    accounts = len({account for _, account in rows})
    return (f"Stacks in {accounts} {'account' if accounts == 1 else 'accounts'}: {', '.join(parts)}.",)


def _listed(described: StackSet) -> frozenset[Target]:
    if described.units:
        return frozenset()
    return frozenset(Target(account=a, region=r) for a in described.accounts for r in described.regions)


def _instance(target: Target) -> InstanceState:
    return InstanceState(target=target, status="CURRENT")


def _as_if(base: Template, role: str | None) -> StackSetState:
    """The set as it is if the base was deployed."""
    new = new_set(base, role, None)
    return StackSetState(
        name=new.name,
        body=new.body,
        permissions=new.permissions,
        parameters=new.parameters,
        tags=new.tags,
        capabilities=tuple(sorted(new.capabilities)),
        administration_role=new.administration_role,
        execution_role=new.execution_role,
        auto_deployment=new.auto_deployment,
        retain_on_removal=new.retain_on_removal,
    )
