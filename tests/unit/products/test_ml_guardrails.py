"""What `guardrails` adds to an enterprise product: denials that hold whatever else its roles are allowed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from stackseal import facts
from stackseal.checks import CHECKS
from stackseal.errors import ConfigError
from stackseal.model import Template
from unit.policy import other
from unit.products.cases import (
    ENTERPRISE,
    PLAIN,
    PSEUDO,
    REGION,
    TEST_SUFFIX,
    Case,
    fill,
    filled,
    rendered,
    resolved,
    with_part,
)

HERE = replace(ENTERPRISE[0], hardening=True)
NETWORK = {"sagemaker:VpcSubnets": ["subnet-1"], "sagemaker:VpcSecurityGroupIds": ["sg-1"]}
SAFE = {
    **NETWORK,
    "sagemaker:VolumeKmsKeyArn": "key",
    "sagemaker:OutputKmsKeyArn": "key",
    "sagemaker:InterContainerTrafficEncryption": "true",
}
IN_THE_VPC = (
    *("CreateAutoMLJob", "CreateHyperParameterTuningJob", "CreateModel", "CreateNotebookInstance"),
    *("CreateProcessingJob", "CreateTrainingJob"),
)
EVERYTHING = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}
JOB = f"arn:aws:sagemaker:{REGION}:111122223333:training-job/a"


@cache
def guarded(case: Case, suffix: str = "", *, on: bool = True) -> Template:
    """The template of a case with guardrails."""
    return rendered(resolved(with_part(case, ml_product={"guardrails": on}), case.file_name, suffix))


def resources(case: Case, suffix: str = "", *, on: bool = True) -> dict[str, Any]:
    template = guarded(case, suffix, on=on)
    found: dict[str, Any] = fill(template.resources, {**PSEUDO, **template.parameters})
    return found


def allowed(action: str, context: dict[str, Any]) -> bool:
    """Whether a role with every right of SageMaker and the guardrails may do it."""
    rails = resources(HERE)["GuardrailPolicy"]["Properties"]["PolicyDocument"]
    policies = other.parsed([{"Version": "2012-10-17", "Statement": [EVERYTHING]}, rails])
    return other.allows(policies, f"sagemaker:{action}", JOB, context)


@pytest.mark.parametrize("action", IN_THE_VPC)
def test_without_the_vpc_with_half_of_it_and_with_all(action: str) -> None:
    rest = {key: value for key, value in SAFE.items() if key not in NETWORK}
    assert not allowed(action, rest)
    for half, value in NETWORK.items():
        assert not allowed(action, {**rest, half: value})
    assert allowed(action, SAFE)


def test_what_carries_no_key_of_the_vpc_is_not_denied_by_it() -> None:
    known = facts.action("sagemaker:CreateCompilationJob")
    assert known
    assert not known.keys & NETWORK.keys()
    assert allowed("CreateCompilationJob", {})


@pytest.mark.parametrize("left_out", sorted(SAFE))
def test_a_training_needs_every_key(left_out: str) -> None:
    assert not allowed("CreateTrainingJob", {key: value for key, value in SAFE.items() if key != left_out})


@pytest.mark.spec("A59")
@pytest.mark.parametrize("case", PLAIN[4:], ids=str)
@pytest.mark.parametrize("suffix", ["", TEST_SUFFIX], ids=["stack", "test"])
def test_it_is_one_resource_more_on_the_roles_that_start_jobs(case: Case, suffix: str) -> None:
    plain, found = filled(case, suffix), resources(case, suffix)
    assert found.keys() - plain.keys() == {"GuardrailPolicy"}
    stack = guarded(case, suffix).stack
    assert stack
    assert stack.expected_resources == len(plain) + 1
    for role in ("CodeBuildRole", "SageMakerExecutionRole"):
        assert "<GuardrailPolicy>" in found[role]["Properties"]["ManagedPolicyArns"]
    for role in ("CodeBuildRole", "CodePipelineRole", "SageMakerExecutionRole"):
        assert found[role]["Properties"]["PermissionsBoundary"] == "<PermissionBoundary>"


def test_our_checks_find_nothing_in_it() -> None:
    assert [found for check in CHECKS.values() for found in check.check(guarded(HERE)) if found.blocks] == []


@pytest.mark.parametrize("case", PLAIN[:4], ids=str)
def test_only_enterprise_has_what_they_ask_for(case: Case) -> None:
    with pytest.raises(ConfigError, match="only the enterprise tier"):
        guarded(case)
    assert resources(case, on=False) == filled(case)
