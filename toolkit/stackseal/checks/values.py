"""Reading a template's values: resources that are well formed, texts behind intrinsic functions, IAM statements."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from stackseal.model import JsonPath, Template

UNKNOWN: Final = "${?}"
"""Stands in a text for what only the deployment will tell."""
_VARIABLE: Final = re.compile(r"\$\{(!?)([^}]+)\}")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource whose shape allows to look into it."""

    id: str
    type: str
    body: Mapping[str, Any]

    @property
    def path(self) -> JsonPath:
        return ("Resources", self.id)

    @property
    def properties(self) -> Mapping[str, Any]:
        found = self.body.get("Properties")
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a policy document, wherever it stands."""

    resource: Resource
    path: JsonPath
    body: Mapping[str, Any]

    @property
    def allows(self) -> bool:
        return self.body.get("Effect") == "Allow"

    @property
    def trusts(self) -> bool:
        """It names a principal: a trust or resource policy, not an identity's permissions."""
        return "Principal" in self.body or "NotPrincipal" in self.body


def resources(template: Template, *types: str) -> Iterator[Resource]:
    """The resources with a body and a type, of the given types or of all; what is malformed is cfn-lint's to report."""
    entries: Mapping[str, Any] = template.resources
    for logical_id, body in entries.items():
        if isinstance(body, Mapping) and isinstance(body.get("Type"), str) and (not types or body["Type"] in types):
            yield Resource(id=logical_id, type=body["Type"], body=body)


def text(template: Template, value: Any) -> str:
    """A value as the deployment will see it, as far as it is known today; `UNKNOWN` stands for the rest."""
    found = UNKNOWN
    match value:
        case str():
            found = value
        case {"Ref": str() as name}:
            found = _variable(template, name)
        case {"Fn::Sub": str() as pattern}:
            found = _substitute(template, pattern, {})
        case {"Fn::Sub": [str() as pattern, Mapping() as local]}:
            found = _substitute(template, pattern, local)
        case {"Fn::Join": [str() as separator, list() as parts]}:
            found = separator.join(text(template, part) for part in parts)
        case {"Fn::If": [_, then, otherwise]} if text(template, then) == text(template, otherwise):
            found = text(template, then)
    return found


def texts(template: Template, value: Any) -> list[str]:
    """A text or a list of texts, as IAM writes actions and resources; `Fn::If` gives both branches."""
    match value:
        case None | {"Ref": "AWS::NoValue"}:
            return []
        case list():
            return [found for item in value for found in texts(template, item)]
        case {"Fn::If": [_, then, otherwise]}:
            return [*texts(template, then), *texts(template, otherwise)]
    return [text(template, value)]


def walk(value: Any, path: JsonPath = ()) -> Iterator[tuple[JsonPath, Any]]:
    """Every node of a value with its path, parents first."""
    yield path, value
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from walk(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from walk(child, (*path, index))


def statements(template: Template) -> Iterator[Statement]:
    """Every IAM statement of the template, those of policies that are written as a JSON text included."""
    for resource in resources(template):
        for path, node in walk(resource.properties, (*resource.path, "Properties")):
            for body in _documents(node):
                if "Effect" in body and ("Action" in body or "NotAction" in body):
                    yield Statement(resource=resource, path=path, body=body)


def _documents(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
    elif isinstance(node, str) and node.lstrip().startswith("{") and '"Statement"' in node:
        try:
            parsed = json.loads(node)
        except (ValueError, RecursionError):
            return
        yield from (found for _, found in walk(parsed) if isinstance(found, Mapping))


def _substitute(template: Template, pattern: str, local: Mapping[str, Any]) -> str:
    def replace(found: re.Match[str]) -> str:
        literal, name = found[1], found[2].strip()
        if literal:
            return f"${{{name}}}"
        return text(template, local[name]) if name in local else _variable(template, name)

    return _VARIABLE.sub(replace, pattern)


def _variable(template: Template, name: str) -> str:
    """A parameter's or a pseudo parameter's value. An SSM parameter's is a path, not the value: unknown."""
    parameters = template.body.get("Parameters")
    declared = parameters.get(name) if isinstance(parameters, Mapping) else None
    if isinstance(declared, Mapping):
        if str(declared.get("Type", "")).startswith("AWS::SSM::"):
            return UNKNOWN
        value = template.parameters.get(name, declared.get("Default"))
        return UNKNOWN if value is None else str(value)
    if template.stack is None:
        return UNKNOWN
    stack = template.stack
    known = {
        "AWS::AccountId": stack.id.account,
        "AWS::Partition": stack.partition,
        "AWS::Region": stack.id.region,
        "AWS::StackName": stack.id.name,
    }
    return known.get(name, UNKNOWN)
