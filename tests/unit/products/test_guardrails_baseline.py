"""The guardrails of every account: what they deny, and that nothing in them is the administrator's."""

from __future__ import annotations

import json

import pytest

from stackseal import assets
from stackseal.model import Template
from unit.products.cases import example, rendered

EXAMPLES = sorted((assets.PRODUCTS / "guardrails_baseline" / "examples").glob("*.yaml"))


def template(index: int = 0) -> Template:
    return rendered(example(EXAMPLES[index]))


def sids(found: Template) -> set[str]:
    statements = found.resources["GuardrailPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert {statement["Effect"] for statement in statements} == {"Deny"}
    return {statement["Sid"] for statement in statements}


def test_the_rules_choose_what_is_denied() -> None:
    every, two = sids(template(0)), sids(template(1))
    assert every - two == {"NoPlainTrafficBetweenContainers"}
    assert {"NoJobWithoutSubnets", "NoVolumeWithoutKey"} <= two


@pytest.mark.parametrize("index", range(len(EXAMPLES)))
def test_nothing_in_it_is_the_administrators(index: int) -> None:
    found = template(index)
    assert found.stack
    text = json.dumps(found.body)
    assert found.stack.id.account not in text
    assert found.stack.id.region not in text
    assert found.resources["GuardrailPolicy"]["Properties"]["ManagedPolicyName"] == {
        "Fn::Sub": "${GuardrailsName}-${AWS::Region}"
    }


def test_every_name_fits_into_iams_limit() -> None:
    longest = "a" * 30 + "-staging-a001-guardrails-" + "us-gov-west-1" + "-test-ab12cd"
    assert len(longest) <= 128
