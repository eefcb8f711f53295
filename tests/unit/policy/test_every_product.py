"""What holds of the policies of every example of every product, and of all combinations of the ML product."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from stackseal import assets, facts, policy
from stackseal.model import Level, Policy, Role
from unit.policy import proof, strangers
from unit.policy.proof import GRANTING
from unit.products import cases

pytestmark = pytest.mark.spec("A23")
NAMES = tuple(proof.examples())
PLAN_WRITES = {
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteChangeSet",
    "iam:PassRole",
    "s3:PutObject",
}


def granting(name: str) -> Iterator[Policy]:
    for role, found in proof.policies(name).items():
        if role in GRANTING:
            yield found


def test_no_product_and_no_combination_is_left_out() -> None:
    products = {name.partition("/")[0] for name in NAMES}
    assert products == {path.name for path in assets.PRODUCTS.iterdir() if (path / "examples").is_dir()}
    assert sum(name.startswith("ml/") for name in NAMES) == len(cases.EXAMPLES) + len(cases.CASES)
    assert len(cases.CASES) == 40


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wider_than_it_could_be(name: str) -> None:
    for found in granting(name):
        assert proof.unscoped_writes(found) == set(), found.role
        assert proof.loose_passing(found) == set(), found.role
        assert proof.unknown_actions(found) == set(), found.role
        assert proof.unsupported_keys(found) == set(), found.role


@pytest.mark.parametrize("name", NAMES)
def test_no_known_path_leads_to_the_rights_of_others(name: str) -> None:
    assert len(proof.paths()) == len(proof.prowler()) + 65
    for found in granting(name):
        assert proof.escalations(found.statements) == set(), found.role
    for logical_id, statements in proof.roles_within(proof.examples()[name]).items():
        assert proof.escalations(statements) == set(), logical_id


@pytest.mark.parametrize("name", NAMES)
def test_plan_and_drift_write_nothing_but_change_sets_records_and_templates(name: str) -> None:
    found = proof.policies(name)
    stack = proof.examples()[name].stack
    assert stack
    execution = policy.Roles.default(stack.id).execution
    assert proof.writes(found[Role.DRIFT]) == set()
    if stack.stack_set is not None:  # it has no change sets, and a review hands nobody a role
        assert proof.writes(found[Role.PLAN]) == {"s3:PutObject"}
        return
    assert proof.writes(found[Role.PLAN]) == PLAN_WRITES
    passing = [item for item, action in proof.grants(found[Role.PLAN]) if action == "iam:PassRole"]
    assert [item.resources for item in passing] == [(execution,)]
    assert all(
        item.conditions == {"StringEquals": {"iam:PassedToService": ("cloudformation.amazonaws.com",)}}
        for item in passing
    )


@pytest.mark.parametrize("name", NAMES)
def test_what_is_somebody_elses_is_denied(name: str) -> None:
    template = proof.examples()[name]
    assert template.stack
    company, identity, tried = template.stack.slug.split("-")[0], template.stack.id, Counter[str]()
    for found in granting(name):
        judge = strangers.Judge(found)
        for asked in strangers.own(found, identity.region):
            assert judge.allows(asked), asked
            for kind, request in strangers.strangers(asked, {company: "initech"}, identity.account):
                tried[kind] += 1
                assert not judge.allows(request), (found.role, kind, request)
    assert tried.keys() == set(strangers.ELSEWHERE) | {"name"}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_template_gives_the_same_bytes_and_no_difference(name: str) -> None:
    template = proof.examples()[name]
    first = tuple(proof.policies(name).values())
    for again in (policy.generate(template), policy.generate(template, base=template)):
        assert [json.dumps(policy.documents(found)) for found in again] == [
            json.dumps(policy.documents(found)) for found in first
        ]
        assert policy.delta(first, again) == ()


@pytest.mark.parametrize("name", NAMES)
def test_every_resource_has_a_source_and_nothing_is_found(name: str) -> None:
    template = proof.examples()[name]
    assert all(facts.of_type(str(node["Type"])) for node in template.resources.values())
    found = policy.check(template, tuple(proof.policies(name).values()))
    assert [item for item in found if item.level is Level.ERROR] == []
