"""What a plan of a stack set lists besides its targets: the set itself, the resources inside, what goes with them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from stackseal.aws.shapes import NewStackSet, StackSetState, Store
from stackseal.errors import Failed
from stackseal.model import (
    STACK_INSTANCE,
    STACK_SET,
    Action,
    Change,
    Consequence,
    PropertyChange,
    SourceMap,
    Stack,
    StackId,
    StackSet,
    Template,
    canonical_json,
    sha256,
)
from stackseal.plan import capabilities, consequence, predicted
from stackseal.plan.body import resources

_HIDDEN: Final = "*"
"""NoEcho parameters come back as asterisks: nobody can compare them."""


def owner(template: Template) -> tuple[Stack, StackSet]:
    stack = template.stack
    assert stack is not None  # noqa: S101 - only templates of configs have a stack set
    assert stack.stack_set is not None  # noqa: S101 - the caller asked before it came here
    return stack, stack.stack_set


def new_set(template: Template, role: str | None, store: Store | None) -> NewStackSet:
    """What the set is made from, or becomes."""
    stack, described = owner(template)
    return NewStackSet(
        name=stack.id.name,
        body=template.canonical,
        permissions=described.permissions.value,
        parameters=template.parameters,
        tags=stack.tags,
        capabilities=capabilities.needed(template.body),
        administration_role=role,
        execution_role=described.execution_role if described.self_managed else None,
        auto_deployment=described.auto_deployment,
        retain_on_removal=described.retain_on_removal,
        store=store,
    )


def own_changes(state: StackSetState, template: Template, role: str | None, *, quiet: bool) -> Iterator[PropertyChange]:
    """What changes of the set besides its template's resources; `quiet` where none of these changes."""
    new = new_set(template, role, None)
    pairs: dict[str, tuple[object, object]] = {
        "AdministrationRoleARN": (state.administration_role, new.administration_role),
        "ExecutionRoleName": (state.execution_role, new.execution_role),
        "AutoDeployment/Enabled": (state.auto_deployment, new.auto_deployment),
        "AutoDeployment/RetainStacksOnAccountRemoval": (state.retain_on_removal, new.retain_on_removal),
        "Capabilities": (list(state.capabilities), sorted(new.capabilities)),
    }
    if quiet:  # what a template says besides its resources has no row of its own
        pairs["Template"] = (sha256(state.body), sha256(new.body))
    pairs |= _values("Parameters", _known(state, template), new.parameters)
    pairs |= _values("Tags", state.tags, new.tags)
    for path, (before, after) in sorted(pairs.items()):
        if before != after:
            yield PropertyChange(path=path, before=_text(before), after=_text(after))


def inner_changes(state: StackSetState | None, template: Template, identity: StackId) -> tuple[Change, ...]:
    """What becomes of the resources of a stack, in words that hold for every account and region."""
    nowhere = StackId(account="{account}", region="{region}", name=f"StackSet-{identity.name}-{{id}}")
    base = _base(state, template) if state else None
    return predicted.predict(base, template, stack=nowhere, cautious=True).changes


def gone(state: StackSetState | None, changes: tuple[Change, ...], stateful: frozenset[str]) -> tuple[Consequence, ...]:
    """One sentence for each stack that goes; equal ones are told together."""
    removed = [change for change in changes if change.type == STACK_INSTANCE and change.action is Action.REMOVE]
    if state is None:
        return ()
    whole = [
        Consequence(
            logical_id=change.logical_id,
            type=change.type,
            sentence="The stack set is deleted when its stacks are.",
            data_loss=False,
        )
        for change in changes
        if change.type == STACK_SET and change.action is Action.REMOVE
    ]
    try:
        found = resources(json.loads(state.body))
    except ValueError:
        found = {}
    kept = {name for name, raw in found.items() if "Retain" in str(raw.get("DeletionPolicy", ""))}
    lost = any(
        consequence.holds_data(str(raw.get("Type", "")), stateful) for name, raw in found.items() if name not in kept
    )
    sentence = f"The stack of this account and region is deleted with {len(found) - len(kept)} resources."
    if kept:
        sentence += f" {len(kept)} stay behind, no longer managed: {', '.join(sorted(kept))}."
    if lost:
        sentence += " Their data are lost."
    return (
        *(
            Consequence(logical_id=change.logical_id, type=change.type, sentence=sentence, data_loss=lost)
            for change in removed
        ),
        *whole,
    )


def _values(path: str, before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, tuple[object, object]]:
    return {f"{path}/{key}": (before.get(key), after.get(key)) for key in before.keys() | after.keys()}


def _text(value: object) -> str | None:
    return None if value is None else canonical_json(value)


def _known(state: StackSetState, template: Template) -> dict[str, str]:
    """The live parameters; one that nobody is told counts as the one that the config says."""
    return {
        name: template.parameters.get(name, value) if value and not value.strip(_HIDDEN) else value
        for name, value in state.parameters.items()
    }


def _base(state: StackSetState, template: Template) -> Template:
    """The live set as the base of a prediction. Raises Failed for a template that is not JSON: it was not ours."""
    try:
        body = json.loads(state.body)
    except ValueError as error:
        raise Failed(
            f"the stack set {state.name} cannot be planned",
            why="the template that it has now is not JSON, so nobody can predict what changes",
            remedy="give the set's stacks up, or choose another name for the config",
        ) from error
    owner = template.stack
    source = SourceMap(path=state.name, lines=(), rendered={}, template={}, config={})
    tagged = replace(owner, tags=dict(state.tags)) if owner else None
    return Template(text=state.body, body=body, parameters=_known(state, template), source=source, stack=tagged)
