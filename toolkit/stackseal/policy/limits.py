"""Conditions that narrow a grant; each only where the action's own facts list the key, else IAM would never match it.

Traps (least-privilege research, AWS documentation): `aws:RequestedRegion` denies global services; tags of the resource
do not exist while it is created, and KMS takes minutes to see them, so ids that only AWS gives (keys, endpoints,
security groups) stay a class of ARNs; a role's boundary is compared with what the role has now, not what it will have.
"""

from __future__ import annotations

import re
from typing import Final

from stackseal.facts import ActionFacts
from stackseal.policy.atoms import Call
from stackseal.policy.grants import Conditions, conditions
from stackseal.policy.passing import boundary_of
from stackseal.policy.scene import Resource, Scene
from stackseal.policy.scope import EVERYTHING, linked_service
from stackseal.policy.tables import GLOBAL_SERVICES
from stackseal.policy.values import UNKNOWN, options, strings

_Entry = tuple[str, str, tuple[str, ...]]
_ENTITIES: Final = {"AWS::IAM::Role", "AWS::IAM::User"}


def limits(call: Call, arns: tuple[str, ...], scene: Scene, before: Resource | None = None) -> Conditions:
    """The conditions of one call on these ARNs; `before` is the resource in the base template."""
    action, service = call.action, call.action.name.partition(":")[0]
    entries: list[_Entry] = []
    if service == "iam":
        entries += _identity(call, before, scene)
    if service == "kms" and call.resource.namespace != "KMS":
        entries += _key_use(action, call.resource, scene)
    if service == "lambda" and supports(action, "lambda:FunctionArn"):
        entries += [("ArnLike", "lambda:FunctionArn", _functions(call.resource, scene))]
    if arns == EVERYTHING and service not in GLOBAL_SERVICES:
        entries += [("StringEquals", "aws:RequestedRegion", (scene.stack.region,))]
    return conditions(*entries)


def supports(action: ActionFacts, key: str) -> bool:
    """Whether IAM fills the key for the action; the global keys that it always fills are not asked here."""
    return key.lower() in {known.lower() for known in action.keys}


def equal(kind: str, key: str, values: tuple[str, ...]) -> _Entry:
    """`StringEquals` or `ArnEquals` of a key; `…Like` where a value has a `*`."""
    return (f"{kind}{'Like' if any(UNKNOWN in value for value in values) else 'Equals'}", key, values)


def _identity(call: Call, before: Resource | None, scene: Scene) -> list[_Entry]:
    entries: list[_Entry] = []
    if call.action.name == "iam:CreateServiceLinkedRole":
        return [equal("String", "iam:AWSServiceName", (linked_service(call.resource),))]
    if supports(call.action, "iam:PolicyARN") and (policies := _policies(call.resource, before, scene)):
        entries.append(equal("Arn", "iam:PolicyARN", policies))
    if supports(call.action, "iam:PermissionsBoundary") and (allowed := _boundaries(call, before)):
        entries.append(equal("String", "iam:PermissionsBoundary", allowed))
    return entries


def _policies(resource: Resource, before: Resource | None, scene: Scene) -> tuple[str, ...]:
    """The managed policies that may be attached: those that either template lists; empty when one is not known."""
    if resource.kind == "AWS::IAM::ManagedPolicy":
        return scene.resolver.arns(resource.logical_id)
    found: set[str] = set()
    for version in (resource, before):
        for listed in options(version.properties.get("ManagedPolicyArns", []) if version else []):
            found.update(text for item in (listed if isinstance(listed, list) else [listed]) for text in strings(item))
    return () if UNKNOWN in found else tuple(sorted(found))


def _boundaries(call: Call, before: Resource | None) -> tuple[str, ...]:
    """The boundaries that the role may have; empty where it has none, or none yet while others are changed."""
    verb = call.action.name.partition(":")[2]
    if call.resource.kind not in _ENTITIES or not re.match("Create|Put|Attach", verb):
        return ()  # only what adds permissions: reading and taking away must work on any role
    new, old = boundary_of(call.resource), boundary_of(before) if before else None
    if new is None:
        return ()
    sets_it = verb.startswith("Create") or "PermissionsBoundary" in verb
    if before is not None and old is None and not sets_it:
        return ()
    allowed = {*strings(new), *(strings(old) if old is not None else ())}
    return () if UNKNOWN in allowed else tuple(sorted(allowed))


def _key_use(action: ActionFacts, resource: Resource, scene: Scene) -> list[_Entry]:
    """Another service uses the key on our behalf: only through it, and grants only for AWS resources."""
    if action.name == "kms:CreateGrant":
        return [("Bool", "kms:GrantIsForAWSResource", ("true",))]
    if action.reads or not supports(action, "kms:ViaService"):
        return []
    service = {"EFS": "elasticfilesystem"}.get(resource.namespace, resource.namespace.lower())
    return [("StringEquals", "kms:ViaService", (f"{service}.{scene.stack.region}.amazonaws.com",))]


def _functions(resource: Resource, scene: Scene) -> tuple[str, ...]:
    arns = {arn for _, text in resource.references for arn in scene.arns_of(text) if ":lambda:" in arn}
    return tuple(sorted(arns))
