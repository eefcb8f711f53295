"""The guardrails that products put into roles: denied without what they ask for, allowed with it, on facts alone."""

from __future__ import annotations

from typing import Any

import jinja2
import pytest
import yaml

from stackseal import assets, facts
from unit.policy import other
from unit.policy.samples import arn

PARTIALS = assets.PRODUCTS.parent / "partials"
ALLOW = {"Sid": "All", "Effect": "Allow", "Action": ["sagemaker:*"], "Resource": ["*"]}
JOB = arn("sagemaker", "training-job/a")
KEYS = {
    "in_the_vpc": {"sagemaker:VpcSubnets": ["subnet-1"], "sagemaker:VpcSecurityGroupIds": ["sg-1"]},
    "with_keys": {"sagemaker:VolumeKmsKeyArn": "key", "sagemaker:OutputKmsKeyArn": "key"},
    "encrypted_between_containers": {"sagemaker:InterContainerTrafficEncryption": "true"},
}
GUARDED = ("CreateHyperParameterTuningJob", "CreateProcessingJob", "CreateTrainingJob")
NOT_GUARDED = {
    # Actions that carry a key and are left alone -> why.
    "CreateCluster": "a cluster of its own kind, with its own network",
    "CreateDomain": "its network is a property of the domain",
    "CreateEndpointConfig": "its VPC is the model's; a network of its own is optional",
    "CreateJob": "no container of the account's",
    "CreateLabelingJob": "people work on it, outside the account",
    "CreateMonitoringSchedule": "one that names a job definition carries no key",
    "CreateTrainingSession": "no container of the account's",
    "CreateUserProfile": "it inherits the domain's subnets",
}


def statements(name: str) -> list[dict[str, Any]]:
    """A guardrail as it stands in a role's policy."""
    environment = jinja2.Environment(  # noqa: S701 - the output is YAML
        loader=jinja2.FileSystemLoader(PARTIALS), trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    source = f'{{% import "guardrails.yaml.j2" as rails %}}\nStatement:\n{{{{ rails.{name}() }}}}'
    found: list[dict[str, Any]] = yaml.safe_load(environment.from_string(source).render())["Statement"]
    return found


def key_of(statement: dict[str, Any]) -> str:
    ((_, keys),) = statement["Condition"].items()
    (key,) = keys
    return str(key)


def allowed(name: str, action: str, context: dict[str, Any]) -> bool:
    policies = other.parsed([{"Version": "2012-10-17", "Statement": [ALLOW, *statements(name)]}])
    return other.allows(policies, f"sagemaker:{action}", JOB, context)


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("action", GUARDED)
def test_what_is_asked_for_must_be_there_all_of_it(name: str, action: str) -> None:
    whole: dict[str, Any] = dict(KEYS[name])
    assert allowed(name, action, whole)
    assert not allowed(name, action, {})
    for left_out in whole:
        assert not allowed(name, action, {key: value for key, value in whole.items() if key != left_out})


def test_plain_traffic_between_containers_is_denied_when_it_is_said_aloud() -> None:
    context = {"sagemaker:InterContainerTrafficEncryption": "false"}
    assert not allowed("encrypted_between_containers", "CreateTrainingJob", context)


@pytest.mark.parametrize("name", KEYS)
def test_nothing_else_is_denied(name: str) -> None:
    assert allowed(name, "DescribeTrainingJob", {})
    assert allowed(name, "CreateModelPackage", {})


@pytest.mark.parametrize("name", KEYS)
def test_each_key_has_a_denial_of_its_own_on_every_action_that_carries_it(name: str) -> None:
    service = facts.service("sagemaker")
    assert service
    found = {key_of(statement): statement for statement in statements(name)}
    assert found.keys() == KEYS[name].keys()
    for key, statement in found.items():
        carrying = {action.name for action in service.actions.values() if key in action.keys}
        assert set(statement["Action"]) <= carrying
        creating = {action.partition(":")[2] for action in carrying if ":Create" in action}
        guarded = {action.partition(":")[2] for action in statement["Action"]}
        assert creating - guarded <= NOT_GUARDED.keys()
        assert statement["Effect"] == "Deny"
