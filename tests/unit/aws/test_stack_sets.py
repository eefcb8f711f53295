"""Calls of StackSets through a real boto3 client; botocore validates requests and stubbed answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from stackseal.aws.errors import AwsFailed
from stackseal.aws.session import Aws
from stackseal.aws.shapes import NewStackSet
from stackseal.aws.stack_sets import Reach, StackSets
from stackseal.errors import Failed, Unknown
from stackseal.model import Group, Target

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "AWS_REGION": "us-west-2"}
GROUP = Group(accounts=("111122223333",), regions=("us-west-2", "eu-west-1"))
NEW = NewStackSet(name="base", body="{}", permissions="SELF_MANAGED", parameters={"P": "1"}, tags={"owner": "us"})


@pytest.fixture
def aws() -> Iterator[Aws]:
    found = Aws(KEYS, account="999999999999")
    yield found
    found.close()


def test_accounts_of_units_are_an_intersection(aws: Aws, stub: Stubber) -> None:
    expected: dict[str, Any] = {
        "StackSetName": "base",
        "Regions": ["us-west-2", "eu-west-1"],
        "DeploymentTargets": {
            "OrganizationalUnitIds": ["ou-ab12-34cd56ef"],
            "Accounts": ["111122223333"],
            "AccountFilterType": "INTERSECTION",
        },
        "OperationPreferences": {"MaxConcurrentCount": 2, "RegionOrder": ["us-west-2", "eu-west-1"]},
        "OperationId": "one",
        "CallAs": "DELEGATED_ADMIN",
    }
    stub.add_response("create_stack_instances", {"OperationId": "one"}, expected)
    sets = StackSets(aws, "us-west-2", delegated=True)

    sets.create_instances(
        "base", GROUP, Reach(units=("ou-ab12-34cd56ef",), preferences={"MaxConcurrentCount": 2}), operation="one"
    )


def test_a_service_managed_set_says_whether_it_deploys_by_itself(aws: Aws, stub: Stubber) -> None:
    expected = {
        "StackSetName": "base",
        "TemplateBody": "{}",
        "Parameters": [{"ParameterKey": "P", "ParameterValue": "1"}],
        "Tags": [{"Key": "owner", "Value": "us"}],
        "Capabilities": [],
        "AutoDeployment": {"Enabled": False},
        "PermissionModel": "SELF_MANAGED",
        "ClientRequestToken": "token",
    }
    stub.add_response("create_stack_set", {"StackSetId": "base:1"}, expected)
    StackSets(aws, "us-west-2").create(NEW, token="token")


def test_a_deleted_set_is_none(aws: Aws, stub: Stubber) -> None:
    stub.add_response("describe_stack_set", {"StackSet": {"StackSetName": "base", "Status": "DELETED"}})
    stub.add_client_error("describe_stack_set", "StackSetNotFoundException")
    sets = StackSets(aws, "us-west-2")
    assert (sets.stack_set("base"), sets.stack_set("base")) == (None, None)


def test_every_page_is_read(aws: Aws, stub: Stubber) -> None:
    for page, (account, more) in enumerate((("222233334444", {"NextToken": "2"}), ("111122223333", {}))):
        row = {"Account": account, "Region": "us-west-2", "Status": "CURRENT"}
        asked = {"StackSetName": "base", **({"NextToken": "2"} if page else {})}
        stub.add_response("list_stack_instances", {"Summaries": [row], **more}, asked)
    found = StackSets(aws, "us-west-2").instances("base")
    assert [each.target for each in found] == [
        Target(account="111122223333", region="us-west-2"),
        Target(account="222233334444", region="us-west-2"),
    ]
    assert {each.drift for each in found} == {"NOT_CHECKED"}


def test_a_repeat_of_a_call_whose_answer_was_lost_finds_its_own_operation(aws: Aws, stub: Stubber) -> None:
    sets = StackSets(aws, "us-west-2")
    for call in ("update_stack_set", "create_stack_instances", "delete_stack_instances", "detect_stack_set_drift"):
        stub.add_client_error(call, "OperationIdAlreadyExistsException")
    sets.update(NEW, GROUP, Reach(), operation="one")
    sets.create_instances("base", GROUP, Reach(), operation="one")
    sets.delete_instances("base", GROUP, Reach(), operation="one")
    sets.detect("base", operation="one", preferences={})


def test_another_operation_is_a_failure_and_a_lost_answer_is_unknown(aws: Aws, stub: Stubber) -> None:
    sets = StackSets(aws, "us-west-2")
    stub.add_client_error("delete_stack_instances", "OperationInProgressException")
    stub.add_client_error("delete_stack_instances", "ServiceUnavailable", http_status_code=503)
    with pytest.raises(AwsFailed, match="another operation is running"):
        sets.delete_instances("base", GROUP, Reach(), operation="one")
    with pytest.raises(Unknown, match="stackseal recover base --region us-west-2"):
        sets.delete_instances("base", GROUP, Reach(), operation="one")


def test_a_template_that_is_too_large_needs_a_bucket(aws: Aws) -> None:
    large = NewStackSet(name="base", body="x" * 60_000, permissions="SELF_MANAGED", parameters={}, tags={})
    with pytest.raises(Failed, match="60,000 bytes"):
        StackSets(aws, "us-west-2").create(large, token="token")


def test_suspended_accounts_get_nothing_and_units_inside_count(aws: Aws) -> None:
    with Stubber(aws.client("organizations")) as stub:
        for children, accounts in (
            ([{"Id": "ou-ab12-22222222"}], [("111122223333", "ACTIVE"), ("222233334444", "SUSPENDED")]),
            ([], [("333344445555", "ACTIVE")]),
        ):
            rows = [{"Id": account, "Status": status} for account, status in accounts]
            stub.add_response("list_accounts_for_parent", {"Accounts": rows}, {"ParentId": ANY})
            stub.add_response("list_organizational_units_for_parent", {"OrganizationalUnits": children})
        found = StackSets(aws, "us-west-2").accounts(["ou-ab12-11111111"])
    assert found == {"111122223333": "ou-ab12-11111111", "333344445555": "ou-ab12-11111111"}
