"""The stacks of roles: their templates, their order, and what no change may do with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stackseal import checks, naming, policy
from stackseal.change import waves
from stackseal.change.concerned import Concerned, Part
from stackseal.change.preparation import Prepared
from stackseal.change.subjects import Subject
from stackseal.model import Because, Role, StackId
from stackseal.policy.fit import LIMIT, size
from stackseal.review import granting
from stackseal.settings import Account, Settings
from unit.bootstrap import account as bootstrap
from unit.products import cases
from unit.products.engines import engines

MANAGED = bootstrap.FOLDER / "stackseal-111122223333-us-west-2-bootstrap-managed.yaml"
LARGEST = list({cases.example(path).stack.id: path for path in cases.EXAMPLES}.values())
"""An example of each stack."""
TODAY = date(2026, 11, 20)
BOOTSTRAP = StackId(account="111122223333", region="us-west-2", name="stackseal-us-west-2-bootstrap")
FOREIGN = StackId(account="111122223333", region="cn-north-1", name="s")


def prepared(path: Path) -> Prepared:
    found = cases.example(path)
    return Prepared(resolved=found, template=cases.rendered(found))


def part(base: Prepared | None, head: Prepared | None) -> Part:
    either = head or base
    assert either is not None
    subject = Subject(id=either.stack.id, base=base.resolved if base else None, head=head.resolved if head else None)
    return Part(subject=subject, sides=(base, head))


def settings(*parts: Part) -> Settings:
    return Settings(accounts={each.subject.id.account: Account(execution_roles="managed") for each in parts})


def made(*parts: Part) -> granting.Parts:
    """These parts with their stacks of roles."""
    order = waves.order([each.subject.member for each in parts])
    return granting.with_roles(Concerned(parts=parts, order=order), settings(*parts), ())


def roles(found: granting.Parts) -> Iterator[tuple[Part, dict[str, Any]]]:
    for each in found.found.parts:
        if each.subject.id in found.granted and each.sides[1] is not None:
            yield each, json.loads(each.sides[1].template.canonical)["Resources"]


@pytest.fixture(scope="module")
def largest() -> granting.Parts:
    return made(*(part(None, prepared(path)) for path in LARGEST))


def test_a_role_is_named_bound_and_trusted_by_one_stack_only(largest: granting.Parts) -> None:
    seen = 0
    for each, resources in roles(largest):
        seen += 1
        owner = largest.granted[each.subject.id].owner
        role = resources["Role"]["Properties"]
        assert role["RoleName"] == naming.role(owner)
        assert len(role["RoleName"]) <= 64
        assert role["Path"] == f"/stackseal/{owner.region}/"
        assert role["PermissionsBoundary"] == naming.boundary_arn(owner)
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Condition"]["ArnLike"]["aws:SourceArn"].endswith(f":stack/{owner.name}/*")
        assert "Policies" not in role
        assert len(role["ManagedPolicyArns"]) == len(resources) - 1 <= 3
        for policy_ in (body["Properties"] for name, body in resources.items() if name != "Role"):
            assert policy_["Path"] == role["Path"]
            assert size(policy_["PolicyDocument"]) <= LIMIT
        assert len(each.sides[1].template.canonical) < 51_200 if each.sides[1] else False
    assert seen == len(LARGEST) >= 4


def test_cfn_lint_checkov_and_our_checks_find_nothing(largest: granting.Parts, tmp_path: Path) -> None:
    templates = [each.sides[1].template for each, _ in roles(largest) if each.sides[1]]
    world = engines(tmp_path, "cfn-lint", "checkov")
    found = checks.run(templates, world=world, today=TODAY)
    assert [item for item in found if item.waiver is None] == []
    assert {item.check for item in found} <= set(granting.WAIVED)


def test_nothing_of_a_config_but_names_and_tags_comes_into_the_template(largest: granting.Parts) -> None:
    """The policy is the generated one, word for word."""
    for each, resources in roles(largest):
        after = largest.granted[each.subject.id].after
        assert after is not None
        documents = [body["Properties"]["PolicyDocument"] for name, body in resources.items() if name != "Role"]
        assert documents == json.loads(json.dumps(policy.documents(after)))


def test_the_role_of_bootstrap_suffices_for_every_stack_of_roles(largest: granting.Parts) -> None:
    """And cannot take a boundary away, pass a role, or touch what is not below the path."""
    granted = bootstrap.statements(bootstrap.template(MANAGED), "Roles")
    allowed = {action for statement in granted for action in _list(statement["Action"])}
    for each, _ in roles(largest):
        assert each.sides[1]
        needed = next(item for item in policy.generate(each.sides[1].template) if item.role is Role.EXECUTION)
        assert {action for statement in needed.statements for action in statement.actions} <= allowed
    assert not {
        name for name in allowed if "DeleteRolePermissionsBoundary" in name or "PassRole" in name or "*" in name
    }
    places = {arn for statement in granted for arn in _list(statement["Resource"])}
    assert all("/stackseal/us-west-2/*" in arn for arn in places)
    for statement in granted:
        if {"iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"} & set(
            _list(statement["Action"])
        ):
            assert statement["Condition"]["StringEquals"] == {"iam:PermissionsBoundary": "<ExecutionBoundary>"}


def test_the_deploy_and_plan_roles_pass_exactly_the_roles_below_the_path() -> None:
    found = bootstrap.template(MANAGED)
    for role in ("Plan", "Deploy"):
        passed = [each for each in bootstrap.statements(found, role) if each["Action"] == "iam:PassRole"]
        assert [_list(each["Resource"]) for each in passed] == [
            ["<RolesRole.Arn>", f"arn:aws:iam::{bootstrap.ACCOUNT}:role/stackseal/us-west-2/*"]
        ]
    names = bootstrap.filled(found)
    assert names["RolesRole"]["Properties"]["PermissionsBoundary"] == "<RolesGrants>"
    ours = StackId(account=bootstrap.ACCOUNT, region="us-west-2", name="techcorp-x")
    assert naming.roles_role_arn(ours).endswith(f":role/{names['RolesRole']['Properties']['RoleName']}")
    assert naming.boundary_arn(ours).endswith(
        f":policy/{names['ExecutionBoundary']['Properties']['ManagedPolicyName']}"
    )


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def test_a_role_goes_before_its_stack_and_a_removed_ones_after_it() -> None:
    one, other = (prepared(path) for path in LARGEST[:2])
    found = made(part(None, one), part(other, None)).found
    waves_ = [[stack.name for stack in wave] for wave in found.order.waves]
    assert waves_ == [
        [naming.roles_stack(one.stack.id).name],
        [one.stack.id.name],
        [other.stack.id.name],
        [naming.roles_stack(other.stack.id).name],
    ]
    because = {stack.name: [wait.because for wait in waits] for stack, waits in found.order.waits.items()}
    assert because[one.stack.id.name] == [Because.GRANTS]
    assert because[naming.roles_stack(other.stack.id).name] == [Because.USES]
    assert {part.wave for part in found.parts} == {1, 2, 3, 4}


def test_while_a_change_is_deployed_the_role_covers_both_sides() -> None:
    (large,) = [path for path in cases.EXAMPLES if path.stem.startswith("edge")][:1]
    small = next(path for path in cases.EXAMPLES if path.stem.startswith("techcorp"))
    base, head = prepared(large), prepared(small)
    found = policy.execution(head.template, base=base.template)
    actions = {action for statement in found.statements for action in statement.actions}
    alone = {action for statement in policy.execution(head.template).statements for action in statement.actions}
    assert alone < actions
    assert "cloudwatch:DeleteDashboards" in actions
    assert "cloudwatch:PutDashboard" not in actions


def test_without_managed_roles_nothing_is_added() -> None:
    one = part(None, prepared(LARGEST[0]))
    order = waves.order([one.subject.member])
    found = granting.with_roles(Concerned(parts=(one,), order=order), Settings(), ())
    assert found.granted == {}
    assert found.found.parts == (one,)


@pytest.mark.parametrize("name", ["s", "x" * 128, "a" * 60, "a-" * 40])
def test_names_are_short_different_and_the_same_every_time(name: str) -> None:
    here, there = (StackId(account="111122223333", region=region, name=name) for region in ("us-east-1", "us-west-2"))
    assert naming.role(here) == naming.role(here)
    assert naming.role(here) != naming.role(there)
    assert len(naming.role(here)) <= 64
    assert len(naming.roles_stack(here).name) <= 128
    assert naming.role_arn(FOREIGN).startswith("arn:aws-cn:iam::111122223333:role/stackseal/cn-north-1/")


def test_settings_choose_the_role_of_a_stack() -> None:
    stack = StackId(account="111122223333", region="us-west-2", name="techcorp-prod")
    arn = "arn:aws:iam::111122223333:role/one"
    one, managed = Account(execution_role=arn), Account(execution_role=arn, execution_roles="managed")
    assert one.role_of(stack) == one.role_of(naming.roles_stack(stack)) == arn
    assert managed.role_of(stack) == naming.role_arn(stack)
    assert managed.role_of(naming.roles_stack(stack)) == naming.roles_role_arn(stack)
    assert (
        managed.role_of(StackId(account="111122223333", region="us-west-2", name="stackseal-us-west-2-bootstrap"))
        == arn
    )


CEILING = [
    {"Effect": "Allow", "Action": ["s3:*", "iam:PassRole"], "Resource": "*"},
    {"Effect": "Deny", "Action": "s3:*", "Resource": ["arn:aws:s3:::records", "arn:aws:s3:::records/*"]},
]
BOUND = [{**CEILING[0], "Condition": {"StringEquals": {"iam:PassedToService": ["a.amazonaws.com"]}}}]


@pytest.mark.parametrize(
    ("action", "arn", "service", "ceiling", "stopped"),
    [
        ("s3:CreateBucket", "arn:aws:s3:::mine", "", CEILING, False),
        ("s3:CreateBucket", "arn:aws:s3:::records", "", CEILING, True),
        ("sqs:CreateQueue", "*", "", CEILING, True),
        ("iam:PassRole", "arn:aws:iam::1:role/x", "a.amazonaws.com", BOUND, False),
        ("iam:PassRole", "arn:aws:iam::1:role/x", "b.amazonaws.com", BOUND, True),
        ("iam:PassRole", "arn:aws:iam::1:role/x", "", BOUND, True),
    ],
)
def test_a_ceiling_stops_what_it_does_not_allow(
    action: str, arn: str, service: str, ceiling: list[dict[str, Any]], stopped: bool
) -> None:
    from stackseal.model import Policy, Statement

    condition = {"StringEquals": {"iam:PassedToService": (service,)}} if service else {}
    statement = Statement(sid="One", actions=(action,), resources=(arn,), conditions=condition)
    found = policy.beyond(Policy(role=Role.EXECUTION, statements=(statement,)), ceiling, FOREIGN, FOREIGN)
    assert bool(found) is stopped
