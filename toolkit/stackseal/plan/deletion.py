"""The plan to delete a stack that exists: what goes, what stays, what it costs."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from stackseal.errors import UsageError
from stackseal.model import Action, Change, Plan, PlanKind, PlanOperation, StackId, sha256
from stackseal.plan import consequence
from stackseal.plan.body import resources

if TYPE_CHECKING:
    from stackseal.aws.cloudformation import CloudFormation

_GONE = frozenset({"DELETE_COMPLETE", "DELETE_SKIPPED"})


def deletion(cfn: CloudFormation, stack: StackId, *, stateful: Collection[str] = ()) -> Plan:
    """What deleting the stack would do, from its live resources and its live template's policies. Reads only."""
    state = cfn.stack(stack.name)
    if state is None:
        raise UsageError(f"there is no stack {stack}", remedy="nothing has to be deleted")
    text = cfn.template(stack=state.arn or stack.name)
    policies = _policies(text)
    changes = tuple(
        Change(
            action=Action.REMOVE,
            logical_id=item.logical_id,
            type=item.type,
            physical_id=item.physical_id or None,
            policy_action=None if policies is None else policies.get(item.logical_id, "Delete"),
        )
        for item in cfn.resources(stack.name)
        if item.status not in _GONE
    )
    notes = ["Termination protection is on: AWS refuses the deletion."] if state.termination_protection else []
    if policies is None:
        notes.append("The stack's template is not JSON, so its deletion policies are not known here.")
    return Plan(
        stack=stack,
        kind=PlanKind.CHANGE_SET,
        operation=PlanOperation.DELETE,
        changes=changes,
        template_sha256=sha256(text),
        parameters=dict(state.parameters),
        tags=dict(state.tags),
        execution_role=state.role_arn,
        consequences=consequence.consequences(changes, stateful),
        retained=consequence.retained(changes),
        notes=tuple(notes),
    )


def nothing(stack: StackId, template_sha256: str) -> Plan:
    """The plan to remove a stack that does not exist: it is sealed, so that the merge can go on."""
    return Plan(
        stack=stack,
        kind=PlanKind.CHANGE_SET,
        operation=PlanOperation.NONE,
        changes=(),
        template_sha256=template_sha256,
        notes=("The stack does not exist, so there is nothing to remove.",),
    )


def _policies(text: str) -> dict[str, str] | None:
    """Logical id → what deletion does with it; None where the template cannot be read as JSON."""
    try:
        body: Any = json.loads(text)
    except ValueError:
        return None
    if not isinstance(body, Mapping):
        return None
    found = {name: str(item.get("DeletionPolicy", "Delete")) for name, item in resources(body).items()}
    return {name: "Retain" if policy == "RetainExceptOnCreate" else policy for name, policy in found.items()}
