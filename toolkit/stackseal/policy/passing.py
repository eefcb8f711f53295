"""Which roles a resource hands to a service: `iam:PassRole` follows the values, the handlers name it wrongly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from stackseal import facts
from stackseal.policy.scene import Resource, Scene, trusted_services
from stackseal.policy.tables import PRINCIPALS
from stackseal.policy.values import UNKNOWN, leaves

_ROLE_ARN: Final = re.compile(r"^arn:aws[a-z-]*:iam::[0-9*]+:role/(?=.*[A-Za-z0-9])")
_ROLE_KEY: Final = re.compile(r"(Role|RoleArn|RoleARN|Role_arn|roleArn|RoleArns|DeliverLogsPermissionArn)$")
_NOT_CALLS: Final = frozenset(
    {"AssumeRolePolicyDocument", "Environment", "EnvironmentVariables", "PolicyDocument", "Tags"}
)


def passed_roles(resource: Resource, scene: Scene) -> tuple[str, ...]:
    """ARN patterns of the roles that creating or updating the resource passes on, sorted."""
    return tuple(sorted({arn for value in _values(resource) for arn in _arns(value, scene)}))


def unknown_roles(resource: Resource, scene: Scene) -> bool:
    """Whether a role is passed whose ARN only the deployment knows: it cannot be granted exactly."""
    return any(not _arns(value, scene) for value in _values(resource))


def services(role: str, resource: Resource, scene: Scene) -> tuple[str, ...]:
    """The service principals to which this resource passes the role.

    Of those that the role trusts the ones that belong to the resource's service; all that it trusts where none does;
    the service's own name for a role that is not in the template. A regional name (`states.us-west-2.…`) is joined by
    its plain form, because the key may carry either.
    """
    labels = PRINCIPALS.get(resource.namespace, (resource.namespace.lower(),))
    trusted = trusted_services(scene.roles[role]) if role in scene.roles else ()
    own = [name for name in trusted if any(name.startswith(f"{label}.") for label in labels)]
    found = own or list(trusted) or [f"{label}.amazonaws.com" for label in labels]
    return tuple(sorted({form for name in found for form in _forms(name, scene.stack.region)}))


def _values(resource: Resource) -> Iterator[str]:
    if resource.kind == "AWS::IAM::InstanceProfile":
        yield from (text for _, text in leaves({"Roles": resource.properties.get("Roles", [])}))
        return
    if resource.namespace == "IAM" or resource.kind.startswith("Custom::"):
        return
    known = facts.of_type(resource.kind)
    listed = {path for path in known.roles if path not in known.read_only} if known else set()
    for path, text in leaves(resource.properties, _NOT_CALLS):
        names = [name for name in path if name != "*"]
        if "/".join(path) in listed or (names and _ROLE_KEY.search(names[-1]) and text.startswith(("arn:", UNKNOWN))):
            yield text


def _arns(value: str, scene: Scene) -> tuple[str, ...]:
    return tuple(arn for arn in scene.arns_of(value) if _ROLE_ARN.match(arn))


def _forms(principal: str, region: str) -> tuple[str, ...]:
    return (principal, principal.replace(f".{region}.", ".")) if f".{region}." in principal else (principal,)


def boundary_of(resource: Resource) -> Any:
    """The permissions boundary that a role or user declares, or None."""
    properties: Mapping[str, Any] = resource.properties
    return properties.get("PermissionsBoundary")
