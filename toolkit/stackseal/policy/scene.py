"""One template in one account and region, computed: what later steps ask about its resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from stackseal.model import Location, SourceMap, StackId, Template
from stackseal.policy.resolve import Resolver
from stackseal.policy.values import UNKNOWN, leaves, mapping, options, strings

_TEXT: Final = frozenset(
    {
        "AssumeRolePolicyDocument",
        "BuildSpec",
        "DashboardBody",
        "DefinitionString",
        "Description",
        "EnvironmentVariables",
        "Environment",
        "EventPattern",
        "KeyPolicy",
        "Metadata",
        "PolicyDocument",
        "Tags",
        "UserData",
    }
)
"""Properties whose ARNs are not calls of the deployment: policies, text for others, variables of programs."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a scene."""

    logical_id: str
    kind: str
    properties: Mapping[str, Any]
    where: Location

    @cached_property
    def references(self) -> tuple[tuple[str, str], ...]:
        """Name of the property and text of every string that may refer to something."""
        found = (
            (path[-1] if path[-1] != "*" else path[-2], text) for path, text in leaves(self.properties, _TEXT) if path
        )
        return tuple(dict.fromkeys(found))

    @cached_property
    def words(self) -> frozenset[str]:
        """The names of all properties that are set, at every depth."""
        return frozenset(_keys(self.properties))

    @property
    def namespace(self) -> str:
        """`SageMaker` of `AWS::SageMaker::Model`."""
        parts = self.kind.split("::")
        return parts[1] if len(parts) > 1 else ""


class Scene:
    """The resources that a template makes, conditions that are false left out, with their names and ARNs."""

    def __init__(
        self,
        body: Mapping[str, Any],
        parameters: Mapping[str, str],
        stack: StackId,
        source: SourceMap,
        *,
        tagged: bool = False,
    ) -> None:
        self.body = body
        self.tagged = tagged
        """Whether the stack has tags, which CloudFormation hands on to its resources."""
        self.stack = stack
        self.source = source
        self.given = parameters
        self.resolver = Resolver(body, parameters, stack)
        declared = mapping(body.get("Resources"))
        self.resources: Mapping[str, Resource] = {
            logical_id: Resource(
                logical_id=logical_id,
                kind=str(node.get("Type", "")),
                properties=self.resolver.properties(logical_id),
                where=source.blame(("Resources", logical_id)),
            )
            for logical_id, node in sorted(declared.items())
            if isinstance(node, Mapping) and self.resolver.exists(logical_id)
        }
        self.malformed = tuple(sorted(key for key, node in declared.items() if not self._readable(node)))
        """Logical ids of what only a macro makes a resource, or gives its properties."""

    def _readable(self, node: Any) -> bool:
        return isinstance(node, Mapping) and isinstance(self.resolver.value(node.get("Properties", {})), Mapping)

    @classmethod
    def of(cls, template: Template, stack: StackId) -> Scene:
        """The scene of a template."""
        tagged = template.stack is not None and bool(template.stack.tags)
        return cls(template.body, template.parameters, stack, template.source, tagged=tagged)

    @cached_property
    def _named(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for logical_id in self.resources:
            for name in strings(self.resolver.physical(logical_id)):
                if name != UNKNOWN:
                    found[name] = (*found.get(name, ()), *self.resolver.arns(logical_id))
        return found

    def arns_of(self, text: str) -> tuple[str, ...]:
        """The ARNs that a text stands for: itself, or those of the resources of this template with that name."""
        return (text,) if text.startswith("arn:") else self._named.get(text, ())

    @cached_property
    def roles(self) -> Mapping[str, Resource]:
        """ARN pattern → the role of this template."""
        roles = (resource for resource in self.resources.values() if resource.kind == "AWS::IAM::Role")
        return {arn: role for role in roles for arn in self.resolver.arns(role.logical_id)}


def trusted_services(role: Resource) -> tuple[str, ...]:
    """The services that a role's trust policy names, sorted."""
    found: set[str] = set()
    for document in options(role.properties.get("AssumeRolePolicyDocument")):
        for statement in _listed(document.get("Statement") if isinstance(document, Mapping) else None):
            principal = statement.get("Principal") if isinstance(statement, Mapping) else None
            for service in _listed(principal.get("Service") if isinstance(principal, Mapping) else None):
                found.update(text for text in strings(service) if UNKNOWN not in text)
    return tuple(sorted(found))


def _listed(value: Any) -> Sequence[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None else list(options(value))


def _keys(value: Any) -> list[str]:
    found: list[str] = []
    for option in options(value):
        if isinstance(option, Mapping):
            for key, item in option.items():
                found += [key, *_keys(item)]
        elif isinstance(option, list):
            for item in option:
                found += _keys(item)
    return found
