"""What the embedded AWS's own table says that CloudFormation asks IAM, without deploying anything.

The table (`stackseal.local.requests`) imports nothing from `stackseal.policy` and is written from other sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stackseal import facts
from stackseal.local.messages import Place
from stackseal.local.needs import Props, Request, Row, Work, passed, requests
from stackseal.local.requests import TABLE
from stackseal.model import Policy, Role, Template
from stackseal.policy.scene import Resource, Scene
from stackseal.policy.values import UNKNOWN, strings
from unit.policy.samples import allows


def denied(
    template: Template, policies: dict[Role, Policy], writers: tuple[Role, ...], readers: tuple[Role, ...]
) -> list[str]:
    """Requests that a policy refuses, as sentences."""
    assert template.stack is not None
    scene = Scene.of(template, template.stack.id)
    found: list[str] = []
    for resource in scene.resources.values():
        row = TABLE[resource.kind]
        for roles, asked in ((writers, list(lifetime(row, resource, scene))), (readers, read(row, resource, scene))):
            for role in roles:
                refused = [request for request in asked if not allowed(policies[role], request)]
                found += [f"{role.name} {resource.logical_id}: {request}" for request in refused]
    return found


def allowed(policy: Policy, request: Request) -> bool:
    """Whether a policy allows one request, context included."""
    context = {key.replace(":", "_", 1): text for key, text in request.context.items() if text}
    plain = {key: text for key, text in context.items() if isinstance(text, str)}
    return allows(policy, request.action, request.resource, **plain)


def lifetime(row: Row, resource: Resource, scene: Scene) -> Iterator[Request]:
    """Creation, an update of every property, deletion."""
    props = dict(resource.properties)
    made = work(resource, scene, {}, props)
    yield from passed(row, made)
    yield from requests(row, (*row.create, *row.read), made)
    yield from requests(row, row.update, work(resource, scene, dict.fromkeys(props), props))
    yield from requests(row, row.delete, work(resource, scene, props, {}))


def read(row: Row, resource: Resource, scene: Scene) -> list[Request]:
    """What comparing a resource with the template asks for."""
    return list(requests(row, (*row.read, *row.compare), work(resource, scene, {}, resource.properties)))


def work(resource: Resource, scene: Scene, old: Props, new: Props) -> Work:
    (name, *_) = strings(scene.resolver.name(resource.logical_id))
    stack = scene.stack
    return Work(
        place=Place(account=stack.account, region=stack.region),
        old=old,
        new=new,
        physical_id="id-1234" if name == UNKNOWN else name,
        attributes={"key": f"arn:aws:kms:{stack.region}:{stack.account}:key/1234"},
        role_arn=lambda role: f"arn:aws:iam::{stack.account}:role/{role}",
    )


def by_action(policy: Policy) -> Mapping[str, Policy]:
    """The policy action by action, so that many requests are asked quickly."""
    names = {name for statement in policy.statements for name in statement.actions}
    return {
        name: Policy(role=policy.role, statements=tuple(s for s in policy.statements if name in s.actions))
        for name in sorted(names)
    }


def creation(head: Template) -> list[Request]:
    """What creating the stack asks for."""
    return [request for made in _scene(head).resources.values() for request in _created(made, _scene(head))]


def deletion(head: Template) -> list[Request]:
    """What deleting every resource of the stack asks for; retained ones are not spared."""
    return [request for gone in _scene(head).resources.values() for request in _deleted(gone, _scene(head))]


def change(base: Template, head: Template) -> list[Request]:
    """What updating a stack from one template to another asks for, replacements included."""
    old, new = _scene(base), _scene(head)
    found: list[Request] = []
    for name in sorted(old.resources.keys() | new.resources.keys()):
        before, after = old.resources.get(name), new.resources.get(name)
        if before and after and before.kind == after.kind and not _replaced(before, after):
            found += _updated(before, after, new)
            continue
        found += _created(after, new) if after else []
        found += _deleted(before, old) if before else []
    return found


def rollback(base: Template, head: Template) -> list[Request]:
    """What going back asks for when an update failed at its end: what was to be removed is still there."""
    old, new = _scene(base), _scene(head)
    found: list[Request] = []
    for name, after in sorted(new.resources.items()):
        before = old.resources.get(name)
        if before and before.kind == after.kind and not _replaced(before, after):
            found += _updated(after, before, old)
        else:
            found += _deleted(after, new)
    return found


def release(head: Template) -> list[Request]:
    """What an update asks for in which every property of every resource changes, as a new product's may."""
    scene, found = _scene(head), []
    for resource in scene.resources.values():
        row, props = TABLE[resource.kind], dict(resource.properties)
        made = work(resource, scene, dict.fromkeys(props), props)
        found += [*passed(row, made), *requests(row, row.update, made)]
    return found


def _scene(template: Template) -> Scene:
    assert template.stack is not None
    return Scene.of(template, template.stack.id)


def _replaced(before: Resource, after: Resource) -> bool:
    paths = facts.create_only(after.kind)
    return any(_get(before.properties, path) != _get(after.properties, path) for path in paths)


def _get(node: Any, path: str) -> Any:
    for key in path.split("/"):
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def _created(resource: Resource, scene: Scene) -> Iterator[Request]:
    row, made = TABLE[resource.kind], work(resource, scene, {}, dict(resource.properties))
    yield from passed(row, made)
    yield from requests(row, (*row.create, *row.read), made)


def _updated(before: Resource, after: Resource, scene: Scene) -> Iterator[Request]:
    if before.properties == after.properties:
        return
    row, made = TABLE[after.kind], work(after, scene, dict(before.properties), dict(after.properties))
    yield from passed(row, made)
    yield from requests(row, row.update, made)


def _deleted(resource: Resource, scene: Scene) -> Iterator[Request]:
    row = TABLE[resource.kind]
    yield from requests(row, row.delete, work(resource, scene, dict(resource.properties), {}))


def comparison(head: Template) -> list[Request]:
    """What detecting the drift of every resource of the stack asks for."""
    scene = _scene(head)
    return [request for resource in scene.resources.values() for request in read(TABLE[resource.kind], resource, scene)]
