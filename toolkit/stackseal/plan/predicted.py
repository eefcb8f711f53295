"""The plan without credentials: the base's template against the head's, and what AWS publishes about updates.

Direct changes are certain. A change that follows from another resource's is a cascade: its value is known only after
the deployment. What cannot be known is said in the plan's notes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from stackseal import facts
from stackseal.model import (
    Action,
    Certainty,
    Change,
    Location,
    Plan,
    PlanKind,
    PlanOperation,
    PropertyChange,
    Replacement,
    StackId,
    Template,
)
from stackseal.plan import capabilities, cascade, consequence, notes
from stackseal.plan.diff import differences, requires, text
from stackseal.plan.reads import reads
from stackseal.plan.view import Resource, View, cause_of, changed_parameters, view


def predict(
    base: Template | None,
    head: Template | None,
    *,
    stack: StackId | None = None,
    execution_role: str | None = None,
    later: Collection[str] = (),
    cautious: bool = False,
) -> Plan:
    """What deploying `head` over `base` would do. No base: a creation; no head: the stack's deletion.

    `stack` says which stack it is where the templates do not carry one. `later` are SSM paths whose values another
    stack changes first: what reads them changes, too. `cautious` lists everything that a change set could list. The
    result is of kind PREDICTED.
    """
    template = head or base
    if template is None:
        raise ValueError("a plan needs a template")
    identity = stack or (template.stack.id if template.stack else StackId(account="", region="", name=""))
    before, after = view(base, identity), view(head, identity, later)
    changes = _changes(base, head, before, after, later, cautious=cautious)
    stateful = template.stack.product.stateful if template.stack else frozenset()
    return Plan(
        stack=identity,
        kind=PlanKind.PREDICTED,
        operation=_operation(base, head, changes),
        changes=changes,
        template_sha256=template.sha256,
        parameters=dict(template.parameters),
        tags=dict(template.stack.tags) if template.stack else {},
        capabilities=capabilities.needed(template.body),
        execution_role=execution_role,
        consequences=consequence.consequences(changes, stateful, consequence.protected(template)),
        retained=consequence.retained(changes),
        notes=notes.predicted(before, after, changes, template),
    )


def _operation(base: Template | None, head: Template | None, changes: tuple[Change, ...]) -> PlanOperation:
    if head is None:
        return PlanOperation.DELETE
    if base is None:
        return PlanOperation.CREATE
    outputs = base.body.get("Outputs") != head.body.get("Outputs")
    return PlanOperation.UPDATE if changes or outputs else PlanOperation.NONE


def _changes(
    base: Template | None,
    head: Template | None,
    before: View,
    after: View,
    later: Collection[str],
    *,
    cautious: bool,
) -> tuple[Change, ...]:
    renewed = {name: path for name, path in (reads(head) if head else {}).items() if path in later}
    parameters = {**changed_parameters(base, head), **renewed}
    direct: dict[str, tuple[PropertyChange, ...]] = {}
    for name in before.keys() & after.keys():
        found = _direct(before[name], after[name], parameters) + _tags(base, head, after[name])
        if cautious:
            found += _tags_as_told(base, head, after[name], found)
        if found or before[name].type != after[name].type:
            direct[name] = found
    modified = cascade.spread(direct, before, after, cautious=cautious)
    changes = [_added(name, after[name], head) for name in sorted(after.keys() - before.keys())]
    changes += [_removed(name, before[name], base) for name in sorted(before.keys() - after.keys())]
    changes += [_modified(name, found, before[name], after[name], head) for name, found in modified.items()]
    return tuple(sorted(changes, key=lambda change: change.logical_id))


def _direct(before: Resource, after: Resource, parameters: Mapping[str, str]) -> tuple[PropertyChange, ...]:
    found = [
        PropertyChange(
            path="/".join(str(step) for step in item.path),
            before=text(item.before),
            after=text(item.after),
            replacement=requires(after.type, item) if facts.of_type(after.type) else Replacement.CONDITIONAL,
            cause=cause_of(before, after, item.path, parameters),
        )
        for item in differences(before.properties, after.properties)
    ]
    for attribute in sorted(before.attributes.keys() | after.attributes.keys()):
        old, new = before.attributes.get(attribute), after.attributes.get(attribute)
        if old != new:
            old_text, new_text = (None if value is None else text(value) for value in (old, new))
            found.append(PropertyChange(path=f"/{attribute}", before=old_text, after=new_text))
    return tuple(found)


def _tags(base: Template | None, head: Template | None, resource: Resource) -> tuple[PropertyChange, ...]:
    """Stack tags reach every resource that takes tags; a tag of its own with the same key comes first."""
    place = facts.taggable(resource.type)
    if base is None or head is None or base.stack is None or head.stack is None or place is None:
        return ()
    old, new = base.stack.tags, head.stack.tags
    own = _tag_keys(resource.properties.get(place))
    moved = [key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key) and key not in own]
    if not moved:
        return ()
    before, after = ({key: side[key] for key in moved if key in side} for side in (old, new))
    change = PropertyChange(
        path="/Tags",
        before=text(before) if before else None,
        after=text(after) if after else None,
        certainty=Certainty.POSSIBLE,
        cause="stack tags",
    )
    return (change,)


def _tags_as_told(
    base: Template | None, head: Template | None, resource: Resource, found: tuple[PropertyChange, ...]
) -> tuple[PropertyChange, ...]:
    """Changed tags in the ways that are missing of those in which a change set may tell them.

    It names the attribute or the property, also where a tag of the resource's own comes before the stack's.
    """
    place = facts.taggable(resource.type)
    if place is None:
        return ()
    paths = {item.path if item.path.startswith("/") else item.path.partition("/")[0] for item in found}
    sides = [side.stack.tags for side in (base, head) if side is not None and side.stack is not None]
    if len(sides) < 2 or (sides[0] == sides[1] and not paths & {"/Tags", place}):
        return ()
    old, new = (text(side) if side else None for side in sides)
    return tuple(
        PropertyChange(path=path, before=old, after=new, certainty=Certainty.POSSIBLE, cause="stack tags")
        for path in ("/Tags", place)
        if path not in paths
    )


def _tag_keys(tags: Any) -> set[str]:
    """Keys of a Tags property, which is a map for some types and a list of Key and Value for the others."""
    if isinstance(tags, Mapping):
        return {str(key) for key in tags}
    items = tags if isinstance(tags, list) else []
    return {str(item.get("Key")) for item in items if isinstance(item, Mapping)}


def _added(name: str, resource: Resource, head: Template | None) -> Change:
    return Change(
        action=Action.ADD,
        logical_id=name,
        type=resource.type,
        certainty=Certainty.CERTAIN if resource.certain else Certainty.POSSIBLE,
        where=blame(head, name),
    )


def _removed(name: str, resource: Resource, base: Template | None) -> Change:
    return Change(
        action=Action.REMOVE,
        logical_id=name,
        type=resource.type,
        physical_id=resource.physical_id,
        certainty=Certainty.CERTAIN if resource.certain else Certainty.POSSIBLE,
        policy_action=resource.on_removal,
        where=blame(base, name),
    )


def _modified(
    name: str, properties: tuple[PropertyChange, ...], before: Resource, after: Resource, head: Template | None
) -> Change:
    retyped = before.type != after.type
    replacement = Replacement.ALWAYS if retyped else cascade.worst(item.replacement for item in properties)
    return Change(
        action=Action.MODIFY,
        logical_id=name,
        type=after.type,
        physical_id=before.physical_id,
        replacement=replacement,
        certainty=cascade.surest(item.certainty for item in properties),
        # CloudFormation tells the policy of certain replacements only.
        policy_action=after.on_replacement if replacement is Replacement.ALWAYS else None,
        properties=properties,
        where=blame(head, name, properties),
    )


def blame(template: Template | None, name: str, properties: tuple[PropertyChange, ...] = ()) -> Location | None:
    """The config line to look at for a change: that of its weightiest property, else of the resource."""
    if template is None:
        return None
    ranked = sorted(properties, key=cascade.weight, reverse=True)
    if not ranked:
        return template.source.blame(("Resources", name))
    path = ranked[0].path
    if path.startswith("/"):
        steps: tuple[str | int, ...] = (path.split("/")[1],)
    else:
        steps = ("Properties", *(int(step) if step.isdigit() else step for step in path.split("/")))
    return template.source.blame(("Resources", name, *steps))
