"""What a change set would do, resource by resource, in the shape of DescribeChangeSet with property values."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from stackseal.local import ministack
from stackseal.local.cloudformation.hooks import recreation
from stackseal.local.resources.kind import tag_map
from stackseal.model import KNOWN_AFTER_APPLY

Definition = Mapping[str, Any]
Detail = dict[str, Any]
_ATTRIBUTES: Final = ("Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy")
_KEPT: Final = {"Delete": "Delete", "Retain": "Retain", "RetainExceptOnCreate": "Retain", "Snapshot": "Snapshot"}
_ABSENT: Final = object()


class _Unknown(dict[str, Any]):
    """The attributes of a resource that does not exist yet: every one is known after the deployment only."""

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: str) -> str:
        return KNOWN_AFTER_APPLY


@dataclass
class _Work:
    """One comparison: the stack as it is, the template as it will be, and what is known so far."""

    record: Mapping[str, Any]
    old: Mapping[str, Definition]
    new: Mapping[str, Definition]
    deployed: Mapping[str, Mapping[str, Any]]
    parameters: Mapping[str, Any]
    changed_parameters: frozenset[str]
    conditions: Mapping[str, Any]
    mappings: Mapping[str, Any]
    retagged: Mapping[str, Any] | None
    view: dict[str, Any] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)


def compute(record: Mapping[str, Any], change_set: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The `ResourceChange`s of a change set, sorted by logical id, with values and contexts."""
    template, parameters = change_set["_template"], change_set["_resolved_params"]
    update = change_set["ChangeSetType"] != "CREATE"
    work = _work(record, template, parameters, change_set, update=update)
    rows = {}
    for logical_id in ministack.ordered(template.get("Resources", {}), work.conditions):
        row = _resource(work, logical_id)
        if row is not None:
            rows[logical_id] = row
    for logical_id in work.deployed.keys() - work.new.keys():
        rows[logical_id] = _removal(work, logical_id)
    hidden = _secrets(parameters) | (_secrets(record.get("_resolved_params", {})) if update else set())
    return [_masked(rows[logical_id], hidden) for logical_id in sorted(rows)]


def _secrets(parameters: Mapping[str, Any]) -> set[str]:
    """Values of NoEcho parameters, as they are and as JSON writes them."""
    values = {str(value["Value"]) for value in parameters.values() if value.get("NoEcho") and value.get("Value")}
    return values | {json.dumps(value)[1:-1] for value in values}


def _masked(value: Any, secrets: set[str]) -> Any:
    """CloudFormation shows `****` where a NoEcho parameter went."""
    if isinstance(value, dict):
        return {key: _masked(inner, secrets) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(item, secrets) for item in value]
    if isinstance(value, str):
        for secret in sorted(secrets, key=len, reverse=True):
            value = value.replace(secret, "****")
    return value


def _work(
    record: Mapping[str, Any],
    template: Mapping[str, Any],
    parameters: Mapping[str, Any],
    change_set: Mapping[str, Any],
    *,
    update: bool,
) -> _Work:
    conditions = ministack.conditions(template, parameters)
    before = record.get("_resolved_params", {}) if update else {}
    changed = {key for key, value in parameters.items() if before.get(key, {}).get("Value") != value["Value"]}
    tags, old_tags = tag_map(change_set.get("Tags")), tag_map(record.get("Tags"))
    retag = update and (bool(tags) or bool(change_set.get("_tags_given"))) and tags != old_tags
    return _Work(
        record=record,
        old=(record.get("_template") or {}).get("Resources", {}) if update else {},
        new={
            logical_id: definition
            for logical_id, definition in template.get("Resources", {}).items()
            if "Condition" not in definition or conditions.get(definition["Condition"], True)
        },
        deployed=record.get("_resources", {}) if update else {},
        parameters=parameters,
        changed_parameters=frozenset(changed),
        conditions=conditions,
        mappings=template.get("Mappings", {}),
        retagged={"before": old_tags, "after": tags} if retag else None,
    )


def _resource(work: _Work, logical_id: str) -> dict[str, Any] | None:
    if logical_id not in work.new:
        return None
    definition, deployed = work.new[logical_id], work.deployed.get(logical_id)
    unknown = {"PhysicalResourceId": KNOWN_AFTER_APPLY, "Attributes": _Unknown()}
    after = _resolved(work, definition.get("Properties") or {})
    if deployed is None:
        work.view[logical_id], work.replaced[logical_id] = unknown, "True"
        return {
            "Action": "Add",
            "LogicalResourceId": logical_id,
            "ResourceType": definition["Type"],
            "Scope": [],
            "Details": [],
            "AfterContext": _context(definition, after),
        }
    old = work.old.get(logical_id, {})
    details = _details(work, definition, old, deployed, after)
    replacement = _replacement(details, type_changed=definition["Type"] != deployed["ResourceType"])
    work.view[logical_id] = unknown if replacement == "True" else deployed
    if not details:
        return None
    work.replaced[logical_id] = replacement
    return {
        "Action": "Modify",
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": deployed["PhysicalResourceId"],
        "ResourceType": definition["Type"],
        "Replacement": replacement,
        **_policy_action(definition, "UpdateReplacePolicy", "ReplaceAnd", wanted=replacement == "True"),
        "Scope": list(dict.fromkeys(detail["Target"]["Attribute"] for detail in details)),
        "Details": details,
        "BeforeContext": _context(old, deployed.get("Properties") or {}),
        "AfterContext": _context(definition, after),
    }


def _removal(work: _Work, logical_id: str) -> dict[str, Any]:
    deployed, old = work.deployed[logical_id], work.old.get(logical_id, {})
    return {
        "Action": "Remove",
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": deployed["PhysicalResourceId"],
        "ResourceType": deployed["ResourceType"],
        **_policy_action(old, "DeletionPolicy", ""),
        "Scope": [],
        "Details": [],
        "BeforeContext": _context(old, deployed.get("Properties") or {}),
    }


def _policy_action(definition: Definition, attribute: str, prefix: str, *, wanted: bool = True) -> dict[str, str]:
    word = _KEPT.get(str(definition.get(attribute, "Delete")))
    return {"PolicyAction": prefix + word} if wanted and word else {}


def _resolved(work: _Work, value: Any) -> Any:
    return _whole(ministack.resolve(value, work.view, work.parameters, work.conditions, work.mappings, work.record))


def _whole(value: Any) -> Any:
    """A text of which a part is unknown is unknown as a whole, as AWS shows it."""
    if isinstance(value, str):
        return KNOWN_AFTER_APPLY if KNOWN_AFTER_APPLY in value else value
    if isinstance(value, dict):
        return {key: _whole(inner) for key, inner in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value


# --- details ----------------------------------------------------------------------------------------------------------


def _details(
    work: _Work,
    definition: Definition,
    old: Definition,
    deployed: Mapping[str, Any],
    after: Mapping[str, Any],
) -> list[Detail]:
    before = deployed.get("Properties") or {}
    raw_new, raw_old = definition.get("Properties") or {}, old.get("Properties") or {}
    found: list[Detail] = []
    for name in sorted(before.keys() | after.keys()):
        same_text = raw_new.get(name) == raw_old.get(name)
        leaves = list(_leaves(before.get(name, _ABSENT), after.get(name, _ABSENT), (name,)))
        if same_text and "{{resolve:" in json.dumps(raw_new.get(name), default=str):
            leaves = []
        found.extend(_property(work, definition["Type"], name, raw_new.get(name), leaves, same_text=same_text))
    found.extend(_attributes(definition, old))
    if work.retagged is not None and ministack.takes_stack_tags(definition["Type"]):
        found.append(_retagged(work.retagged))
    return found


def _leaves(before: Any, after: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from _leaves(before.get(key, _ABSENT), after.get(key, _ABSENT), (*path, key))
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            one = before[index] if index < len(before) else _ABSENT
            other = after[index] if index < len(after) else _ABSENT
            yield from _leaves(one, other, (*path, str(index)))
    elif before is _ABSENT or after is _ABSENT or _text(before) != _text(after):
        yield path, before, after


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _property(
    work: _Work, type_: str, name: str, raw: Any, leaves: list[tuple[tuple[str, ...], Any, Any]], *, same_text: bool
) -> Iterator[Detail]:
    causes = list(_causes(work, raw))
    for path, before, after in leaves:
        target = _target(type_, name, path, before, after)
        if not same_text or not causes:
            dynamic = after == KNOWN_AFTER_APPLY and any(evaluation == "Dynamic" for _, _, evaluation in causes)
            yield _detail(target, "DirectModification", "", "Dynamic" if dynamic else "Static")
        for source, entity, evaluation in causes:
            yield _detail(target, source, entity, evaluation)
    if not leaves:
        for source, entity, evaluation in causes:
            if source == "ResourceAttribute" and evaluation == "Dynamic":
                target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation(type_, name)}
                yield _detail(target, source, entity, evaluation)


def _causes(work: _Work, raw: Any) -> Iterator[tuple[str, str, str]]:
    """Source, entity and evaluation of each reference to something that changes."""
    seen = set()
    for reference, attribute in ministack.references(raw):
        if reference in work.changed_parameters and attribute is None:
            cause = ("ParameterReference", reference, "Static")
        elif reference in work.replaced and (attribute or work.replaced[reference] != "False"):
            source, entity = (
                ("ResourceAttribute", f"{reference}.{attribute}") if attribute else ("ResourceReference", reference)
            )
            cause = (source, entity, "Static" if work.replaced[reference] == "True" else "Dynamic")
        else:
            continue
        if cause not in seen:
            seen.add(cause)
            yield cause


def _target(type_: str, name: str, path: tuple[str, ...], before: Any, after: Any) -> Detail:
    kind = "Add" if before is _ABSENT else "Remove" if after is _ABSENT else "Modify"
    target: Detail = {
        "Attribute": "Properties",
        "Name": name,
        "RequiresRecreation": recreation(type_, "/".join(part for part in path if not part.isdigit())),
        "Path": "/Properties/" + "/".join(path),
        "AttributeChangeType": kind,
    }
    if before is not _ABSENT:
        target["BeforeValue"] = _text(before)
    if after is not _ABSENT:
        target["AfterValue"] = _text(after)
    return target


def _detail(target: Detail, source: str, entity: str, evaluation: str) -> Detail:
    found: Detail = {"Target": dict(target), "Evaluation": evaluation, "ChangeSource": source}
    if entity:
        found["CausingEntity"] = entity
    return found


def _attributes(definition: Definition, old: Definition) -> Iterator[Detail]:
    for attribute in _ATTRIBUTES:
        before, after = old.get(attribute, _ABSENT), definition.get(attribute, _ABSENT)
        if before != after:
            target = _target("", attribute, (attribute,), before, after)
            target.update(Attribute=attribute, RequiresRecreation="Never", Path=f"/{attribute}")
            del target["Name"]
            yield _detail(target, "DirectModification", "", "Static")


def _retagged(tags: Mapping[str, Mapping[str, str]]) -> Detail:
    target: Detail = {
        "Attribute": "Tags",
        "RequiresRecreation": "Never",
        "Path": "/Tags",
        "AttributeChangeType": "Modify",
        "BeforeValue": _text(dict(tags["before"])),
        "AfterValue": _text(dict(tags["after"])),
    }
    return _detail(target, "DirectModification", "", "Static")


def _replacement(details: list[Detail], *, type_changed: bool) -> str:
    impacts = {(detail["Target"]["RequiresRecreation"], detail["Evaluation"]) for detail in details}
    if type_changed or ("Always", "Static") in impacts:
        return "True"
    return "Conditional" if any(recreates != "Never" for recreates, _ in impacts) else "False"


def _context(definition: Definition, properties: Mapping[str, Any]) -> str:
    attributes = {key: definition[key] for key in _ATTRIBUTES if key in definition}
    return json.dumps({"Properties": copy.deepcopy(dict(properties)), **attributes}, sort_keys=True, default=str)


# --- what the caller sees ---------------------------------------------------------------------------------------------


def shown(plan: list[dict[str, Any]], *, values: bool) -> list[dict[str, Any]]:
    """The changes with values, or as the API tells them without IncludePropertyValues."""
    return [{"ResourceChange": row if values else _plain(row)} for row in plan]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in row.items() if key not in {"BeforeContext", "AfterContext"}}
    details: dict[str, Detail] = {}
    for detail in row["Details"]:
        target = {
            key: value for key, value in detail["Target"].items() if key in {"Attribute", "Name", "RequiresRecreation"}
        }
        plain = {**detail, "Target": target}
        details.setdefault(json.dumps(plain, sort_keys=True), plain)
    found["Details"] = list(details.values())
    return found
