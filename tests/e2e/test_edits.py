"""The documented edits against the embedded AWS: action and replacement are what AWS documents, in every change set."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from e2e.harness import ACCOUNT, REGION
from stackseal.aws.cloudformation import CloudFormation
from stackseal.aws.session import Aws
from stackseal.aws.shapes import NewChangeSet
from stackseal.local import EmbeddedAws
from stackseal.local.resources import REGISTRY
from stackseal.model import Action, Replacement
from unit.plan.edits import BASES, EDITS, ROLE, Edit

pytestmark = pytest.mark.e2e
FIRST = ("AWS::SageMaker::Model", "AWS::SageMaker::EndpointConfig")
"""What the others are made of, in order: SageMaker refuses an endpoint without its configuration."""
TYPES = (*FIRST, *sorted((set(BASES) & set(REGISTRY)) - set(FIRST)))
SERVED = [edit for edit in EDITS if edit.type in REGISTRY]


@pytest.fixture(scope="module")
def cfn(embedded: EmbeddedAws) -> Iterator[CloudFormation]:
    embedded.reset()
    aws = Aws({**embedded.environ(), "AWS_ACCESS_KEY_ID": ACCOUNT}, region=REGION)
    # Step Functions refuses a state machine whose role is not there.
    aws.client("iam").create_role(
        RoleName=ROLE.rpartition("/")[2],
        AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"states.amazonaws.com"},"Action":"sts:AssumeRole"}]}',
    )
    yield CloudFormation(aws, REGION)
    embedded.reset()


@pytest.fixture(scope="module")
def stacks(cfn: CloudFormation, embedded: EmbeddedAws) -> Mapping[str, str]:
    """A deployed stack for every type, with one resource `R` as the table's base has it."""
    made = {type_: f"edit-{number}" for number, type_ in enumerate(TYPES)}
    for type_, name in made.items():
        arn, _ = cfn.create_change_set(_new(name, "create", "CREATE", BASES[type_], type_))
        cfn.execute(arn, token=name)
        while (state := cfn.stack(name)) is None or state.status.endswith("IN_PROGRESS"):
            time.sleep(0.02)
        reasons = [event.reason for event in cfn.events(name) if event.status.endswith("FAILED")]
        assert state.status == "CREATE_COMPLETE", (type_, reasons)
    return made


def _new(stack: str, name: str, kind: Any, properties: Mapping[str, Any], type_: str) -> NewChangeSet:
    body = json.dumps({"Resources": {"R": {"Type": type_, "Properties": properties}}})
    return NewChangeSet(
        stack=stack,
        name=name,
        kind=kind,
        body=body,
        parameters={},
        tags={},
        capabilities=("CAPABILITY_NAMED_IAM",),
    )


def test_the_table_meets_what_the_embedded_aws_serves() -> None:
    assert len(SERVED) >= 40
    assert {edit.replacement for edit in SERVED} == set(Replacement)


@pytest.mark.parametrize("edit", SERVED, ids=str)
def test_the_embedded_aws_says_what_aws_documents(edit: Edit, cfn: CloudFormation, stacks: Mapping[str, str]) -> None:
    properties = {**BASES[edit.type], edit.property: edit.after}
    if edit.after is None:
        del properties[edit.property]
    name = f"edit-{EDITS.index(edit)}"
    arn, _ = cfn.create_change_set(_new(stacks[edit.type], name, "UPDATE", properties, edit.type))
    while (found := cfn.change_set(arn)).status.endswith(("PENDING", "IN_PROGRESS")):
        time.sleep(0.02)
    assert found.status == "CREATE_COMPLETE", found.reason
    (change,) = found.changes
    assert change.action is Action.MODIFY
    assert change.replacement is edit.replacement
    assert {item.path.removeprefix("/Properties/").split("/")[0] for item in change.properties} == {edit.property}
