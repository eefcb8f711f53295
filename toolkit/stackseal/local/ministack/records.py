"""CloudFormation's records in ministack, and its template functions."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from stackseal.local.ministack.inside import CFN, here, module


def stack(name: str) -> dict[str, Any] | None:
    """The record of a stack by name or ARN in the current place; a deleted stack only by ARN."""
    stacks = module(CFN)._stacks
    found: dict[str, Any] | None = stacks.get(name)
    if found is not None and found.get("StackStatus") != "DELETE_COMPLETE":
        return found
    for record in list(stacks.values()):
        if record.get("StackId") == name:
            by_id: dict[str, Any] = record
            return by_id
    return None


def stack_record(name: str) -> dict[str, Any]:
    """The record of a stack that exists, by the name under which the engine works on it."""
    found: dict[str, Any] = module(CFN)._stacks[name]
    _claim(found)
    return found


_expected: dict[tuple[str, str, str], dict[str, str]] = {}
"""Role and caller of a CreateStack whose record does not exist yet, by account, region and stack name."""


def expect(stack_name: str, role: str, caller: str, worker: str = "") -> None:
    """Notes role and caller of a stack that is about to be created; `worker` is the role of a stack set."""
    place = here()
    _expected[place.account, place.region, stack_name] = {"RoleARN": role, "_caller": caller, "_worker": worker}


def settle(stack_name: str, *, created: bool) -> None:
    """Gives the noted role to the stack that was created; forgets it where none was."""
    record = module(CFN)._stacks.get(stack_name)
    place = here()
    noted = _expected.pop((place.account, place.region, stack_name), {})
    if created and record is not None:
        record.update(noted)


def _claim(record: dict[str, Any]) -> None:
    """A stack that is being created takes what was noted for it: its first resource may come before `settle`."""
    place = here()
    if "_caller" not in record:
        record.update(_expected.get((place.account, place.region, record["StackName"]), {}))


def forget(change_set: Mapping[str, Any], *, stack_too: bool) -> None:
    """Takes back a change set, and the shell that was made for it."""
    change_sets().pop(change_set["ChangeSetId"], None)
    if stack_too:
        module(CFN)._stacks.pop(change_set["StackName"], None)


def move_events(old_id: str, new_id: str) -> None:
    """Gives a stack's history another id."""
    events = module(CFN)._stack_events
    events[new_id] = [*events.get(new_id, []), *({**event, "StackId": new_id} for event in events.pop(old_id, []))]


def change_sets() -> Any:
    """Change-set records by ARN in the current place."""
    return module(CFN)._change_sets


def add_event(
    record: Mapping[str, Any], logical_id: str, type_: str, status: str, *, reason: str = "", physical_id: str = ""
) -> None:
    """Appends to a stack's history."""
    module(f"{CFN}.stacks")._add_event(
        record["StackId"], record["StackName"], logical_id, type_, status, reason, physical_id
    )


def conditions(template: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The truth of a template's conditions."""
    found: Mapping[str, Any] = module(f"{CFN}.engine")._evaluate_conditions(template, parameters)
    return found


def ordered(resources: Mapping[str, Any], conditions: Mapping[str, Any]) -> list[str]:
    """Logical ids, a resource after what it refers to."""
    found: list[str] = module(f"{CFN}.engine")._topological_sort(resources, conditions)
    return found


def references(value: Any) -> list[tuple[str, str | None]]:
    """Each (name, attribute) that a value refers to; the attribute is None for `Ref`."""
    return [(str(name), attribute) for name, attribute in module(f"{CFN}.engine")._intrinsic_references(value)]


def resolve(
    value: Any,
    resources: Mapping[str, Any],
    parameters: Mapping[str, Any],
    conditions: Mapping[str, Any],
    mappings: Mapping[str, Any],
    record: Mapping[str, Any],
) -> Any:
    """A value with its intrinsic functions evaluated, properties that are `AWS::NoValue` left out."""
    engine = module(f"{CFN}.engine")
    found = engine._resolve_refs(
        copy.deepcopy(value), resources, parameters, conditions, mappings, record["StackName"], record["StackId"]
    )
    if isinstance(found, dict):
        return {key: inner for key, inner in found.items() if inner is not engine._NO_VALUE}
    return found


def takes_stack_tags(type_: str) -> bool:
    """Whether the stack's tags reach resources of a type."""
    return type_ in module(f"{CFN}.provisioners")._STACK_TAG_PROPERTY


def partial_drift(record: dict[str, Any], logical_id: str, at: str) -> dict[str, Any]:
    """ministack's own drift of one resource; empty for a type that it cannot read."""
    drift, resource = module(f"{CFN}.drift"), record["_resources"][logical_id]
    if not drift.supports_drift(resource["ResourceType"]):
        return {}
    found: dict[str, Any] = drift.detect_resource_drift(record, logical_id, resource, at)
    return found


def parsed(body: str) -> Any:
    """A template's text as data; None for none, and for one that is no template: the engine says why."""
    try:
        found = module(f"{CFN}.engine")._parse_template(body) if body else None
    except Exception:  # noqa: BLE001 - whatever the engine's parser raises, the engine tells the caller itself
        return None
    return found if isinstance(found, dict) and isinstance(found.get("Resources"), dict) else None
