"""The plan of the real stack: a change set, made and read. Review changes nothing else.

`create` asks CloudFormation and waits; `read` turns what came back into a Plan. The only thing that is ever deleted is
a change set that this very call made and that cannot be executed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from stackseal.aws.errors import AwsFailed
from stackseal.aws.shapes import ChangeSetRef, ChangeSetState, NewChangeSet, StackState, Store
from stackseal.aws.states import Do, Row
from stackseal.errors import Failed, Unknown
from stackseal.model import Change, Plan, PlanKind, PlanOperation, StackId, Template
from stackseal.plan import consequence, notes, objections, rest
from stackseal.plan.body import resources
from stackseal.plan.predicted import blame
from stackseal.plan.rest import Patience
from stackseal.plan.seal import Inputs, check_name, of_plan, seal

if TYPE_CHECKING:
    from stackseal.aws.cloudformation import CloudFormation

NO_CHANGES: Final = ("didn't contain changes", "No updates are to be performed")
"""The two ways in which AWS says that a change set would change nothing; a `[WARN] …` may stand before them."""
_DONE: Final = frozenset({"CREATE_COMPLETE", "FAILED", "DELETE_COMPLETE", "DELETE_FAILED"})


def create(
    inputs: Inputs,
    cfn: CloudFormation,
    *,
    name: str,
    patience: Patience,
    description: str = "",
    store: Store | None = None,
) -> Plan:
    """Make the change set `name` from the inputs and return it as a sealed Plan.

    No changes: a plan with operation NONE and no change set. A change set of the same name and description that can
    still be executed is used again. Failed: the stack's state does not allow an update, or CloudFormation refused.
    Unknown: it was not ready within `patience.limit` seconds.
    """
    check_name(name, description)
    template = inputs.template
    state, row = settled(cfn, inputs.stack, patience)
    kind: Literal["CREATE", "UPDATE"] = "CREATE" if row.review is Do.CREATE else "UPDATE"
    new = NewChangeSet(
        stack=inputs.stack.name,
        name=name,
        kind=kind,
        body=template.canonical,
        parameters=template.parameters,
        tags=inputs.tags,
        capabilities=inputs.capabilities,
        description=description,
        role=inputs.execution_role,
        store=store,
        nested=any(raw.get("Type") == "AWS::CloudFormation::Stack" for raw in resources(template.body).values()),
    )
    made = _made(cfn, new, exists=state is not None, patience=patience)
    plan = Plan(
        stack=inputs.stack,
        kind=PlanKind.CHANGE_SET,
        operation=PlanOperation(kind.lower()),
        changes=(),
        template_sha256=template.sha256,
        parameters=dict(template.parameters),
        tags=dict(inputs.tags),
        capabilities=tuple(sorted(inputs.capabilities)),
        execution_role=inputs.execution_role,
    )
    if made.status == "FAILED":
        _tidy(cfn, made, new, template, fresh=state is None)
        return _sealed(replace(plan, operation=PlanOperation.NONE), template)
    return read(cfn, plan, template, made.arn)


@dataclass(frozen=True, kw_only=True)
class Live:
    """A change set as CloudFormation has it now, to be held against a record."""

    state: ChangeSetState
    changes: tuple[Change, ...]
    """With those of nested stacks."""
    template: str


def inspect(cfn: CloudFormation, arn: str) -> Live:
    """Everything about a change set, read by its ARN."""
    state = cfn.change_set(arn)
    changes = tuple(_with_nested(cfn, state))
    return Live(state=state, changes=changes, template=cfn.template(change_set=state.arn))


def read(cfn: CloudFormation, plan: Plan, template: Template, arn: str) -> Plan:
    """`plan` with the changes of a change set that exists, those of nested stacks included, and sealed."""
    live = inspect(cfn, arn)
    found, changes = live.state, tuple(attributed(change, template) for change in live.changes)
    stateful = template.stack.product.stateful if template.stack else frozenset()
    complete = replace(
        plan,
        changes=changes,
        change_set=found.arn,
        change_set_name=found.name,
        consequences=consequence.consequences(changes, stateful, consequence.protected(template)),
        retained=consequence.retained(changes),
        notes=(*_notes(plan, found), *notes.dynamic(template), *objections.found(cfn, found.arn).sentences),
    )
    return _sealed(complete, template)


def attributed(change: Change, template: Template) -> Change:
    """The change with the config line that caused it; changes of nested stacks point at their stack's line."""
    root = change.nested[0] if change.nested else change.logical_id
    if root not in template.resources:
        return change
    return replace(change, where=blame(template, root, () if change.nested else change.properties))


def no_changes(status: str, reason: str) -> bool:
    """Whether a failed change set failed only because there is nothing to do."""
    return status == "FAILED" and any(text in reason for text in NO_CHANGES)


def _sealed(plan: Plan, template: Template) -> Plan:
    return replace(plan, seal=seal(plan, template), inputs=of_plan(plan, template).digest)


def settled(cfn: CloudFormation, stack: StackId, patience: Patience) -> tuple[StackState | None, Row]:
    """The stack's state once no operation runs on it, and what review does then: CREATE or UPDATE."""
    state, row = rest.at_rest(cfn, stack.name, patience)
    if row.review in {Do.CREATE, Do.UPDATE}:
        return state, row
    why = f"it is {state.status if state else ''}" + (f" ({state.reason})" if state and state.reason else "")
    raise Failed(f"the stack {stack.name} cannot be planned", why=why, remedy=row.remedy)


def _made(cfn: CloudFormation, new: NewChangeSet, *, exists: bool, patience: Patience) -> ChangeSetRef:
    """The change set when CloudFormation has finished making it."""
    if exists and (old := _reusable(cfn, new, patience)):
        return old
    try:
        arn, _ = cfn.create_change_set(new)
    except AwsFailed as error:
        if error.code != "AlreadyExistsException":
            raise  # before anything is asked: a stack that was refused is not there, and cannot be listed
        # A repeat after a lost answer finds its own set: the name carries the digest of everything in it.
        mine = [ref.arn for ref in cfn.list_change_sets(new.stack) if ref.name == new.name]
        if not mine:
            raise
        arn = mine[0]
    return _finished(cfn, new, arn, patience)


def _reusable(cfn: CloudFormation, new: NewChangeSet, patience: Patience) -> ChangeSetRef | None:
    """An earlier run's set of the same name, if it can be executed; another one is ours too and makes room."""
    for ref in cfn.list_change_sets(new.stack):
        if ref.name != new.name:
            continue
        found = _finished(cfn, new, ref.arn, patience)
        usable = (found.status, found.execution_status) == ("CREATE_COMPLETE", "AVAILABLE")
        if usable and found.description == new.description and _is(cfn, ref.arn, new):
            return found
        cfn.delete_change_set(ref.arn)
    return None


def _is(cfn: CloudFormation, arn: str, new: NewChangeSet) -> bool:
    """Whether a change set was made from these inputs: a name proves nothing, anyone may have given it."""
    live = inspect(cfn, arn)
    return (
        live.template == new.body
        and dict(live.state.tags) == dict(new.tags)
        and live.state.capabilities == tuple(sorted(new.capabilities))
        and {**new.parameters, **_hidden(live.state)} == {**new.parameters, **live.state.parameters}
    )


def _hidden(state: ChangeSetState) -> dict[str, str]:
    """NoEcho parameters, which come back as asterisks."""
    return {name: value for name, value in state.parameters.items() if value and not value.strip("*")}


def _finished(cfn: CloudFormation, new: NewChangeSet, arn: str, patience: Patience) -> ChangeSetRef:
    end = patience.clock() + patience.limit
    while True:
        found = cfn.change_set_status(arn)
        if found.status in _DONE:
            return found
        if patience.clock() >= end:
            raise Unknown(
                f"the change set {new.name} of the stack {new.stack} was not ready in time",
                why=f"it is {found.status}",
                remedy="run the review again; it takes up the same change set",
            )
        patience.sleep(rest.POLL_SECONDS)


def _tidy(cfn: CloudFormation, made: ChangeSetRef, new: NewChangeSet, template: Template, *, fresh: bool) -> None:
    """Remove our failed change set; raise unless it failed only for want of changes."""
    if no_changes(made.status, made.reason):
        cfn.delete_change_set(made.arn)
        return
    against = objections.found(cfn, made.arn)
    reason = _reason(cfn, made, against.sentences)
    cfn.delete_change_set(made.arn)
    shell = (
        f"; the stack {new.stack} is left as an empty shell that `stackseal cleanup --sweep` removes" if fresh else ""
    )
    raise Failed(
        f"CloudFormation could not plan the stack {new.stack}",
        why=reason or "it gave no reason",
        remedy=f"mend the template or the parameter that it names and review again{shell}",
        where=objections.blame(against.stopping, template),
    )


def _reason(cfn: CloudFormation, made: ChangeSetRef, against: tuple[str, ...]) -> str:
    """Why a change set failed: the reason, that of failed nested sets, and what the validations object to."""
    nested = [cfn.change_set_status(arn) for arn in cfn.change_set(made.arn).nested.values()]
    parts = [made.reason, *(f"{ref.name}: {ref.reason}" for ref in nested if ref.status == "FAILED"), *against]
    return "; ".join(part for part in parts if part)


def _with_nested(cfn: CloudFormation, found: ChangeSetState, path: tuple[str, ...] = ()) -> list[Change]:
    changes: list[Change] = []
    for change in found.changes:
        changes.append(replace(change, nested=path))
        if change.logical_id in found.nested:
            child = cfn.change_set(found.nested[change.logical_id])
            changes.extend(_with_nested(cfn, child, (*path, change.logical_id)))
    return changes


def _notes(plan: Plan, found: ChangeSetState) -> tuple[str, ...]:
    said: list[str] = []
    if not found.values:
        said.append("CloudFormation gave no values here: the changes are complete, before and after are not shown.")
    if found.incomplete:
        said.append("CloudFormation could not tell all values; the list of changes is complete.")
    if plan.operation is PlanOperation.CREATE:
        said.append(
            f"Until this plan is deployed the stack {plan.stack.name} exists as an empty shell (REVIEW_IN_PROGRESS)."
        )
    if plan.operation is PlanOperation.UPDATE and not found.changes:
        said.append("No resource changes; outputs or other parts of the template do.")
    return tuple(said)
