"""Roles that CloudFormation hears of late: off until somebody asks, for new and changed roles only, until the reset."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from unit.local.driver import Account, Stack, resources
from unit.local.family import trust
from unit.local.test_enforcement import SSM, parameter, role, statement

ROLE = "arn:aws:iam::123456789012:role/execution"
OLD = "arn:aws:iam::123456789012:role/old"


def plan(stack: Stack, arn: str) -> str:
    """A change set with a role: its ARN, or AWS's refusal."""
    try:
        found = stack.change_set(resources(P=parameter()), RoleARN=arn)
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    return str(found["ChangeSetId"])


REFUSAL = f"ValidationError: Role {ROLE} is invalid or cannot be assumed"


def test_nothing_is_late_unless_somebody_asks(stack: Stack) -> None:
    role(stack.account, SSM)
    assert plan(stack, ROLE).startswith("arn:")


def test_a_new_role_is_refused_so_many_times_by_each_operation_and_an_old_one_never(stack: Stack) -> None:
    role(stack.account, SSM, name="old")
    stack.account.aws.delay_roles(CreateChangeSet=2, ExecuteChangeSet=1)
    role(stack.account, SSM)
    assert [plan(stack, ROLE) for _ in range(2)] == [REFUSAL] * 2
    assert plan(stack, OLD).startswith("arn:")
    made = plan(stack, ROLE)
    with pytest.raises(ClientError, match="is invalid or cannot be assumed"):
        stack.cfn.execute_change_set(ChangeSetName=made)
    stack.cfn.execute_change_set(ChangeSetName=made)
    assert stack.wait() == "CREATE_COMPLETE"


def test_a_role_that_changes_is_late_again(stack: Stack) -> None:
    role(stack.account, SSM)
    stack.account.aws.delay_roles(CreateChangeSet=1)
    assert plan(stack, ROLE).startswith("arn:")
    role(stack.account, SSM, statement("s3:ListAllMyBuckets"))
    assert plan(stack, ROLE) == REFUSAL
    assert plan(stack, ROLE).startswith("arn:")
    document: dict[str, Any] = trust("cloudformation")
    document["Statement"][0]["Sid"] = "Another"
    stack.account.client("iam").update_assume_role_policy(RoleName="execution", PolicyDocument=json.dumps(document))
    assert plan(stack, ROLE) == REFUSAL


def test_the_reset_ends_it(account: Account) -> None:
    account.aws.delay_roles(CreateChangeSet=9)
    account.aws.reset()
    role(account, SSM)
    assert plan(Stack(account=account), ROLE).startswith("arn:")


def test_a_refusal_leaves_no_stack_behind(stack: Stack) -> None:
    stack.account.aws.delay_roles(CreateChangeSet=1)
    role(stack.account, SSM)
    assert plan(stack, ROLE) == REFUSAL
    assert not stack.exists()
    with pytest.raises(ClientError, match="does not exist"):
        stack.cfn.list_change_sets(StackName=stack.name)
