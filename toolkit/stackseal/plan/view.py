"""A template as its resources are once the parameters are known, with what becomes of each when it goes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from stackseal import facts
from stackseal.model import JsonPath, StackId, Template
from stackseal.plan import body
from stackseal.plan.diff import ATTRIBUTES
from stackseal.plan.overrides import SNAPSHOT_BY_DEFAULT
from stackseal.plan.resolve import ABSENT, Resolver


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a template."""

    type: str
    properties: Mapping[str, Any]
    raw: Mapping[str, Any]
    """As the template writes it."""
    certain: bool = True
    """False where its condition depends on something unknown."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)
    """The template's Conditions section, to find out who causes a change."""

    @property
    def on_removal(self) -> str:
        """CloudFormation's PolicyAction when the resource leaves the template."""
        policy = str(self.attributes.get("DeletionPolicy", self._default))
        return "Retain" if policy in {"Retain", "RetainExceptOnCreate"} else policy

    @property
    def on_replacement(self) -> str:
        """CloudFormation's PolicyAction when the resource is replaced."""
        return f"ReplaceAnd{self.attributes.get('UpdateReplacePolicy', 'Delete')}"

    @property
    def physical_id(self) -> str | None:
        """The name that the template gives it, where it does."""
        for path in (*_names(self.type), *facts.primary_identifier(self.type)):
            value = self.properties.get(path)
            if isinstance(value, str):
                return value
        return None

    @property
    def _default(self) -> str:
        in_cluster = "DBClusterIdentifier" in self.properties
        return "Snapshot" if self.type in SNAPSHOT_BY_DEFAULT and not in_cluster else "Delete"


View: TypeAlias = Mapping[str, Resource]
"""Logical id → resource, without those whose condition does not hold."""


def view(template: Template | None, stack: StackId, later: Collection[str] = ()) -> View:
    """The resources that deploying the template gives; none for no template. `later`: SSM paths with new values."""
    if template is None:
        return {}
    resolver = Resolver(template, stack if stack.name else None, later)
    conditions = template.body.get("Conditions") or {}
    found: dict[str, Resource] = {}
    for name, raw in body.resources(template.body).items():
        exists = resolver.exists(raw)
        if exists is False:
            continue
        properties = resolver.value(raw.get("Properties") or {})
        attributes = {key: resolver.value(raw[key]) for key in ATTRIBUTES if key in raw}
        found[name] = Resource(
            type=str(raw.get("Type", "")),
            properties=properties if isinstance(properties, Mapping) else {},
            raw=raw,
            certain=exists is True,
            attributes={key: value for key, value in attributes.items() if value is not ABSENT},
            conditions=conditions,
        )
    return found


def changed_parameters(base: Template | None, head: Template | None) -> Mapping[str, str]:
    """Parameters that both sides have with different values: name → new value."""
    if base is None or head is None:
        return {}
    shared = base.parameters.keys() & head.parameters.keys()
    return {name: head.parameters[name] for name in shared if base.parameters[name] != head.parameters[name]}


def cause_of(before: Resource, after: Resource, path: JsonPath, parameters: Mapping[str, str]) -> str:
    """The parameter that changed a property whose text did not change; empty for a direct edit."""
    old, new = (_raw_at(resource.raw.get("Properties") or {}, path) for resource in (before, after))
    if old != new:
        return ""
    return min((name for name in _names_in(new, after.conditions) if name in parameters), default="")


def _names(type_: str) -> list[str]:
    """Properties that name the resource itself: `BucketName` of a Bucket, not `ServiceName` of a VPCEndpoint."""
    last = type_.rsplit("::", maxsplit=1)[-1]
    found = [path for path in facts.properties(type_) if path.endswith("Name") and last.endswith(path[: -len("Name")])]
    return sorted(found, key=len, reverse=True)


def _raw_at(node: Any, path: JsonPath) -> Any:
    """The node as written, or its nearest ancestor when an intrinsic function stands in the way."""
    for step in path:
        if isinstance(node, Mapping) and step in node:
            node = node[step]
            continue
        if not (isinstance(node, list) and isinstance(step, int) and step < len(node)):
            break
        node = node[step]
    return node


def _names_in(node: Any, conditions: Mapping[str, Any]) -> Iterator[str]:
    """Every name that a node refers to, through conditions too."""
    if isinstance(node, Mapping):
        for key, item in node.items():
            if key == "Ref":
                yield str(item)
            elif key == "Fn::Sub":
                text = item if isinstance(item, str) else str(item[0])
                yield from (part.partition("}")[0] for part in text.split("${")[1:])
            elif key in {"Fn::If", "Condition"}:
                name = item[0] if isinstance(item, list) and item else item
                rest = {key: value for key, value in conditions.items() if key != name}
                yield from _names_in(conditions.get(name) if isinstance(name, str) else None, rest)
            yield from _names_in(item, conditions)
    elif isinstance(node, list):
        for item in node:
            yield from _names_in(item, conditions)
