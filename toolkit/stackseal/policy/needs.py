"""From two templates to grants: what the resources of the head need, and what removing those of the base needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from stackseal import facts
from stackseal.model import Operation, Reason
from stackseal.policy.atoms import calls, canonical
from stackseal.policy.grants import Grant, conditions
from stackseal.policy.limits import equal, limits
from stackseal.policy.passing import passed_roles, services
from stackseal.policy.scene import Resource, Scene
from stackseal.policy.scope import EVERYTHING, scope
from stackseal.policy.values import mapping

LIFE: Final = (Operation.CREATE, Operation.READ, Operation.UPDATE, Operation.DELETE)
GONE: Final = (Operation.READ, Operation.DELETE)
_DYNAMIC: Final = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^:}]+(?::[^:}]+){0,6}?)(?::[^}]*)?\}\}")


def resource_grants(head: Scene, base: Scene | None = None) -> tuple[Grant, ...]:
    """Grants for every resource of the head, and read and delete for those that only the base has."""
    tagged = head.tagged or (base is not None and base.tagged)
    found = [
        grant
        for resource in head.resources.values()
        for operation in LIFE
        for grant in _of(resource, operation, head, _before(resource, base), base, tagged=tagged)
    ]
    if base is not None:
        gone = [resource for resource in base.resources.values() if not _survives(resource, base, head)]
        found += [
            grant for resource in gone for operation in GONE for grant in _of(resource, operation, base, tagged=tagged)
        ]
    return tuple(dict.fromkeys(found))


def _before(resource: Resource, base: Scene | None) -> Resource | None:
    earlier = base.resources.get(resource.logical_id) if base else None
    return earlier if earlier and earlier.kind == resource.kind else None


def _survives(resource: Resource, base: Scene, head: Scene) -> bool:
    """Still there under the same name; another name or type is a removal and a creation.

    So is another value of what cannot be changed: what has no name of its own, such as a bucket's policy, shows only
    by it that there is another one.
    """
    now = head.resources.get(resource.logical_id)
    if now is None or now.kind != resource.kind or _replaced(resource, now):
        return False
    return base.resolver.arns(resource.logical_id) == head.resolver.arns(resource.logical_id)


def _replaced(before: Resource, after: Resource) -> bool:
    known = facts.of_type(after.kind)
    return any(
        _at(before.properties, path) != _at(after.properties, path) for path in (known.create_only if known else ())
    )


def _at(node: object, path: str) -> object:
    for key in path.split("/"):
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def _of(
    resource: Resource,
    operation: Operation,
    scene: Scene,
    before: Resource | None = None,
    base: Scene | None = None,
    *,
    tagged: bool,
) -> Iterator[Grant]:
    """Grants of one operation; an update, and its rollback, also acts on what the resource referred to before.

    A replacement updates nothing: the old one is deleted, the new one created.
    """
    reason = Reason(resource=resource.logical_id, operation=operation.value, where=resource.where)
    versions = [(resource, scene)]
    if operation is Operation.UPDATE and before and base and _survives(before, base, scene):
        versions.append((before, base))
    for call in calls(resource, operation, before, tagged=tagged):
        found = {arn for version, where in versions for arn in scope(call.action, version, where)}
        arns = EVERYTHING if found.issuperset(EVERYTHING) else tuple(sorted(found))
        limit = limits(call, arns, scene, before)
        for arn in arns:
            yield Grant(action=call.action.name, resource=arn, conditions=limit, reason=reason)
    if operation in {Operation.CREATE, Operation.UPDATE}:
        for version, where in versions:
            for role in passed_roles(version, where):
                yield pass_role(role, services(role, version, where), reason)


def pass_role(role: str, principals: tuple[str, ...], reason: Reason) -> Grant:
    """Handing exactly this role to exactly these services."""
    limit = conditions(equal("String", "iam:PassedToService", principals))
    return Grant(action="iam:PassRole", resource=role, conditions=limit, reason=reason)


def template_grants(scene: Scene, *, caller: bool) -> tuple[Grant, ...]:
    """What the template as a whole needs: dynamic references, SSM parameters, nesting; for the caller transforms."""
    found = list(_dynamic(scene.body, scene))
    found += _parameters(scene, caller=caller)
    if caller:
        found += _transforms(scene)
    found += _nested(scene)
    return tuple(dict.fromkeys(found))


def _reason(scene: Scene, *path: str) -> Reason:
    return Reason(resource="stack", operation=Operation.TEMPLATE.value, where=scene.source.blame(path))


def _dynamic(node: object, scene: Scene, path: tuple[str, ...] = ()) -> Iterator[Grant]:
    """`{{resolve:…}}` anywhere in the template."""
    if isinstance(node, Mapping):
        for key in sorted(node, key=str):
            yield from _dynamic(node[key], scene, (*path, str(key)))
    elif isinstance(node, list):
        for item in node:
            yield from _dynamic(item, scene, path)
    elif isinstance(node, str) and "{{resolve:" in node:
        for service, name in _DYNAMIC.findall(node):
            arns = _secret(name, scene) if service == "secretsmanager" else _parameter(name, scene)
            action = "secretsmanager:GetSecretValue" if service == "secretsmanager" else "ssm:GetParameters"
            for arn in arns:
                yield Grant(action=action, resource=arn, reason=_reason(scene, *path))


def _parameter(name: str, scene: Scene) -> tuple[str, ...]:
    plain = name.partition(":")[0].lstrip("/")
    return scene.resolver.fixed_arn(f"ssm:${{Region}}:${{Account}}:parameter/{plain}")


def _secret(name: str, scene: Scene) -> tuple[str, ...]:
    if name.startswith("arn:"):
        return (name.partition(":SecretString")[0],)
    return scene.resolver.fixed_arn(f"secretsmanager:${{Region}}:${{Account}}:secret:{name.partition(':')[0]}-??????")


def _parameters(scene: Scene, *, caller: bool) -> Iterator[Grant]:
    """Parameters whose value CloudFormation reads from Parameter Store with the caller's or the role's credentials.

    The caller looks whether they are there before it deploys.
    """
    verbs = ("GetParameter", "GetParameters") if caller else ("GetParameters",)
    for name, node in sorted(mapping(scene.body.get("Parameters")).items()):
        declared = mapping(node)
        if str(declared.get("Type", "")).startswith("AWS::SSM::Parameter::"):
            path = scene.given.get(name, declared.get("Default"))
            for arn in _parameter(str(path), scene) if path else ():
                for verb in verbs:
                    yield Grant(action=f"ssm:{verb}", resource=arn, reason=_reason(scene, "Parameters", name))


def _transforms(scene: Scene) -> Iterator[Grant]:
    """Macros: the change set is created on them too; AWS's own live in the account `aws`."""
    declared = scene.body.get("Transform") or []
    for transform in [declared] if isinstance(declared, (str, Mapping)) else declared:
        name = str(transform.get("Name", "") if isinstance(transform, Mapping) else transform)
        owner, short = ("aws", name.removeprefix("AWS::")) if name.startswith("AWS::") else (scene.stack.account, name)
        arn = scene.resolver.arn(f"cloudformation:{scene.stack.region}:{owner}:transform/{short}")
        yield Grant(action="cloudformation:CreateChangeSet", resource=arn, reason=_reason(scene, "Transform"))


def _nested(scene: Scene) -> Iterator[Grant]:
    """Templates of nested stacks are read from S3."""
    for resource in scene.resources.values():
        for key, url in resource.references:
            match = (
                re.match(r"https://(?:([^./]+)\.s3[^/]*|s3[^/]*/([^/]+))/(.+)$", url) if key == "TemplateURL" else None
            )
            if match:
                reason = Reason(resource=resource.logical_id, operation=Operation.CREATE.value, where=resource.where)
                arn = scene.resolver.arn(f"s3:::{match[1] or match[2]}/{match[3]}")
                yield Grant(action="s3:GetObject", resource=arn, reason=reason)


def reads_only(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Those that change nothing."""
    return tuple(grant for grant in grants if all(action.reads for action in canonical(grant.action)))
