"""Every policy against an independent judge: the embedded AWS's own table of what CloudFormation asks IAM (spec A23).

The table (`stackseal.local.requests`) imports nothing from `stackseal.policy` and is written from other sources.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stackseal import assets, config, policy, render
from stackseal.catalogue import Catalogue, Resolved
from stackseal.local.messages import Place
from stackseal.local.needs import Need, Props, Request, Row, Work, passed, requests
from stackseal.local.requests import TABLE
from stackseal.model import Policy, Role, Template
from stackseal.policy.scene import Resource, Scene
from stackseal.policy.values import UNKNOWN, strings
from stackseal.sandbox import Sandbox
from unit.policy.samples import allows

EXAMPLES = sorted((assets.PRODUCTS / "ml" / "examples").glob("*.yaml"))
WRITERS, READERS = (Role.OPERATOR, Role.EXECUTION), (Role.OPERATOR, Role.PLAN, Role.DEPLOY, Role.DRIFT)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


def resolved(path: Path, sandbox: Sandbox, suffix: str = "") -> Resolved:
    return Catalogue.load().resolve(config.read(path, path.name), sandbox, suffix=suffix)


def rendered(found: Resolved, sandbox: Sandbox) -> Template:
    return render.render(found.stack, found.origins, sandbox, path="t.yaml")


@pytest.mark.spec("A23")
@pytest.mark.parametrize("path", EXAMPLES[::2], ids=lambda path: path.stem.partition("-ml-")[2] + path.stem[:4])
def test_nothing_that_the_stack_needs_is_denied(path: Path, sandbox: Sandbox) -> None:
    template = rendered(resolved(path, sandbox), sandbox)
    policies = {item.role: item for item in policy.generate(template)}
    assert denied(template, policies, WRITERS, READERS) == []


@pytest.mark.spec("A22")
@pytest.mark.parametrize("path", EXAMPLES[::4], ids=lambda path: path.stem.partition("-ml-")[2] + path.stem[:4])
def test_the_operator_can_do_the_same_with_a_test_stack(path: Path, sandbox: Sandbox) -> None:
    policies = {item.role: item for item in policy.generate(rendered(resolved(path, sandbox), sandbox))}
    copy = rendered(resolved(path, sandbox, "-test-a1b2c3"), sandbox)
    assert denied(copy, policies, (Role.OPERATOR,), (Role.OPERATOR,)) == []
    assert denied(copy, policies, (Role.EXECUTION,), ()) != []


UNJUDGED = {
    # Nobody in the table asks for these: the schemas of their types say that the handlers do.
    "codecommit:ListRepositories",
    "sns:GetSubscriptionAttributes",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
    # CloudFormation reads the parameters' values from Parameter Store before it makes anything.
    "ssm:GetParameters",
}


@pytest.mark.spec("A23")
@pytest.mark.parametrize("name", ["churn-ml-s3", "forecasting-ml-codecommit-standalone-ssm"])
def test_without_any_one_statement_something_is_denied(name: str, sandbox: Sandbox) -> None:
    (path,) = (example for example in EXAMPLES if example.stem.endswith(name))
    template = rendered(resolved(path, sandbox), sandbox)
    (found,) = (item for item in policy.generate(template) if item.role is Role.EXECUTION)
    for left_out in found.statements:
        rest = Policy(role=found.role, statements=tuple(s for s in found.statements if s is not left_out))
        needed = denied(template, {Role.EXECUTION: rest}, (Role.EXECUTION,), ())
        assert needed or set(left_out.actions) <= UNJUDGED, left_out.sid


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
                for request in asked:
                    context = {key.replace(":", "_", 1): text for key, text in request.context.items() if text}
                    plain = {key: text for key, text in context.items() if isinstance(text, str)}
                    if not allows(policies[role], request.action, request.resource, **plain):
                        found.append(f"{role.name} {resource.logical_id}: {request}")
    return found


def lifetime(row: Row, resource: Resource, scene: Scene) -> Iterator[Request]:
    """Creation, an update of every property, deletion."""
    props = dict(resource.properties)
    made = work(resource, scene, {}, props)
    yield from passed(row, made)
    yield from requests(row, (*row.create, *row.read), made)
    yield from requests(row, row.update, work(resource, scene, dict.fromkeys(props), props))
    yield from requests(row, row.delete, work(resource, scene, props, {}))


def read(row: Row, resource: Resource, scene: Scene) -> list[Request]:
    needs: tuple[Need, ...] = row.read
    return list(requests(row, needs, work(resource, scene, {}, resource.properties)))


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
