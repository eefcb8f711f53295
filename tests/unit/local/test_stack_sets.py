"""Stack sets as a deployer sees them: real stacks in several accounts, the roles between them, failures, drift."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stackseal.local import EmbeddedAws
from unit.local.driver import Account, resources

HOME, ONE, TWO = "123456789012", "111122223333", "222233334444"
ADMIN, EXEC = "AWSCloudFormationStackSetAdministrationRole", "AWSCloudFormationStackSetExecutionRole"
PARAMETER = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/baseline", "Type": "String", "Value": "1"}}
TEMPLATE = resources(A=PARAMETER)
SSM = ("ssm:PutParameter", "ssm:AddTagsToResource", "ssm:DeleteParameter", "ssm:GetParameters", "ssm:RemoveTags*")
STACKS = ("cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:DeleteStack")


def allow(*actions: str, on: str = "*") -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trusting(kind: str, who: str) -> str:
    statement = {"Effect": "Allow", "Principal": {kind: who}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass(frozen=True, kw_only=True)
class Set:
    """One stack set, in the administrator's account."""

    home: Account
    name: str = "baseline"

    @property
    def cfn(self) -> Any:
        return self.home.client("cloudformation")

    def account(self, key: str, region: str = "us-west-2") -> Account:
        return replace(self.home, key=key, region=region)

    def roles(
        self, *accounts: str, actions: tuple[str, ...] = (*SSM, *STACKS, "cloudformation:DetectStackDrift")
    ) -> None:
        """The administration role here, the execution role there."""
        iam = self.home.client("iam")
        iam.create_role(RoleName=ADMIN, AssumeRolePolicyDocument=trusting("Service", "cloudformation.amazonaws.com"))
        document = allow("sts:AssumeRole", on=f"arn:aws:iam::*:role/{EXEC}")
        iam.put_role_policy(RoleName=ADMIN, PolicyName="assume", PolicyDocument=document)
        for account in accounts:
            there = self.account(account).client("iam")
            trust = trusting("AWS", f"arn:aws:iam::{HOME}:role/{ADMIN}")
            there.create_role(RoleName=EXEC, AssumeRolePolicyDocument=trust)
            there.put_role_policy(RoleName=EXEC, PolicyName="work", PolicyDocument=allow(*actions))

    def create(self, template: Mapping[str, Any] = TEMPLATE, **more: Any) -> None:
        self.cfn.create_stack_set(StackSetName=self.name, TemplateBody=json.dumps(template), **more)

    def add(self, *accounts: str, regions: tuple[str, ...] = ("us-west-2",), **preferences: Any) -> dict[str, Any]:
        made = self.cfn.create_stack_instances(
            StackSetName=self.name, Accounts=list(accounts), Regions=list(regions), OperationPreferences=preferences
        )
        return self.wait(made["OperationId"])

    def update(self, template: Mapping[str, Any] = TEMPLATE, **more: Any) -> dict[str, Any]:
        made = self.cfn.update_stack_set(StackSetName=self.name, TemplateBody=json.dumps(template), **more)
        return self.wait(made["OperationId"])

    def wait(self, operation: str) -> dict[str, Any]:
        for _ in range(3000):
            asked = {"StackSetName": self.name, "OperationId": operation}
            found: dict[str, Any] = self.cfn.describe_stack_set_operation(**asked)["StackSetOperation"]
            if found["Status"] not in {"RUNNING", "STOPPING"}:
                return found
            time.sleep(0.01)
        raise AssertionError("the operation does not end")

    def results(self, operation: Mapping[str, Any]) -> dict[str, str]:
        pages = self.cfn.get_paginator("list_stack_set_operation_results").paginate(
            StackSetName=self.name, OperationId=operation["OperationId"]
        )
        return {f"{row['Account']}/{row['Region']}": row["Status"] for page in pages for row in page["Summaries"]}

    def instances(self) -> dict[str, dict[str, Any]]:
        pages = self.cfn.get_paginator("list_stack_instances").paginate(StackSetName=self.name)
        return {f"{row['Account']}/{row['Region']}": row for page in pages for row in page["Summaries"]}

    def value(self, account: str, region: str = "us-west-2") -> str | None:
        found = self.account(account, region).client("ssm").get_parameters(Names=["/baseline"])["Parameters"]
        return str(found[0]["Value"]) if found else None


@pytest.fixture
def sets(aws: EmbeddedAws) -> Set:
    return Set(home=Account(aws=aws))


def changed(value: str) -> Mapping[str, Any]:
    return resources(A={**PARAMETER, "Properties": {**PARAMETER["Properties"], "Value": value}})  # type: ignore[dict-item]


def test_instances_are_real_stacks_in_their_accounts(sets: Set) -> None:
    sets.roles(ONE, TWO)
    sets.create(Tags=[{"Key": "owner", "Value": "us"}])

    done = sets.add(ONE, TWO, regions=("us-west-2", "eu-west-1"))

    assert done["Status"] == "SUCCEEDED"
    assert sets.results(done) == dict.fromkeys(
        ["111122223333/us-west-2", "222233334444/us-west-2", "111122223333/eu-west-1", "222233334444/eu-west-1"],
        "SUCCEEDED",
    )
    assert (sets.value(ONE), sets.value(TWO, "eu-west-1"), sets.value(HOME)) == ("1", "1", None)
    row = sets.instances()["111122223333/eu-west-1"]
    assert (row["Status"], row["StackInstanceStatus"]) == ("CURRENT", {"DetailedStatus": "SUCCEEDED"})
    stack = sets.account(ONE, "eu-west-1").client("cloudformation").describe_stacks(StackName=row["StackId"])
    assert stack["Stacks"][0]["StackName"].startswith("StackSet-baseline-")
    assert stack["Stacks"][0]["Tags"] == [{"Key": "owner", "Value": "us"}]
    found = sets.cfn.describe_stack_set(StackSetName="baseline")["StackSet"]
    assert (found["PermissionModel"], found["ExecutionRoleName"]) == ("SELF_MANAGED", EXEC)
    assert sets.update(changed("2"))["Status"] == "SUCCEEDED"
    assert (sets.value(ONE), sets.value(TWO, "eu-west-1")) == ("2", "2")


def test_some_instances_can_be_updated_and_deleted(sets: Set) -> None:
    sets.roles(ONE, TWO)
    sets.create()
    sets.add(ONE, TWO)

    sets.update(changed("2"), Accounts=[ONE], Regions=["us-west-2"])

    assert (sets.value(ONE), sets.value(TWO)) == ("2", "1")
    assert sets.instances()["222233334444/us-west-2"]["Status"] == "OUTDATED"
    with pytest.raises(ClientError, match="StackSetNotEmptyException"):
        sets.cfn.delete_stack_set(StackSetName="baseline")
    gone = sets.cfn.delete_stack_instances(
        StackSetName="baseline", Accounts=[ONE], Regions=["us-west-2"], RetainStacks=False
    )
    assert sets.wait(gone["OperationId"])["Status"] == "SUCCEEDED"
    assert (sets.value(ONE), list(sets.instances())) == (None, ["222233334444/us-west-2"])
    kept = sets.cfn.delete_stack_instances(
        StackSetName="baseline", Accounts=[TWO], Regions=["us-west-2"], RetainStacks=True
    )
    sets.wait(kept["OperationId"])
    assert (sets.value(TWO), sets.instances()) == ("1", {})
    sets.cfn.delete_stack_set(StackSetName="baseline")
    with pytest.raises(ClientError, match="StackSetNotFoundException"):
        sets.cfn.describe_stack_set(StackSetName="baseline")


def test_an_account_without_the_role_fails_and_cancels_the_rest(sets: Set) -> None:
    sets.roles(TWO)
    sets.create()

    done = sets.add(ONE, TWO)

    assert done["Status"] == "FAILED"
    assert sets.results(done) == {"111122223333/us-west-2": "FAILED", "222233334444/us-west-2": "CANCELLED"}
    row = sets.instances()["111122223333/us-west-2"]
    assert (row["Status"], row["StackInstanceStatus"]["DetailedStatus"]) == ("OUTDATED", "FAILED")
    assert f"Account {ONE} should have '{EXEC}' role" in row["StatusReason"]


def test_a_tolerated_failure_is_a_success_of_the_operation(sets: Set) -> None:
    sets.roles(TWO)
    sets.create()

    done = sets.add(ONE, TWO, FailureToleranceCount=1)

    assert done["Status"] == "SUCCEEDED"
    assert sets.results(done) == {"111122223333/us-west-2": "FAILED", "222233334444/us-west-2": "SUCCEEDED"}


def test_the_execution_role_is_what_makes_the_resources(sets: Set) -> None:
    sets.roles(ONE, actions=STACKS)
    sets.create()

    done = sets.add(ONE)

    assert done["Status"] == "FAILED"
    reason = sets.instances()["111122223333/us-west-2"]["StatusReason"]
    assert f"assumed-role/{EXEC}/AWSCloudFormation is not authorized to perform: ssm:PutParameter" in reason
    assert sets.value(ONE) is None
    sets.account(ONE).client("iam").put_role_policy(
        RoleName=EXEC, PolicyName="work", PolicyDocument=allow(*SSM, *STACKS)
    )
    assert sets.update()["Status"] == "SUCCEEDED"  # what never came to be is made anew
    assert sets.value(ONE) == "1"


def test_what_aws_refuses(sets: Set) -> None:
    sets.roles(ONE)
    sets.create()
    for code, call in {
        "NameAlreadyExistsException": sets.create,
        "failed to satisfy constraint": lambda: replace(sets, name="1-is-no-letter").create(),
        "can only have accounts": lambda: sets.cfn.create_stack_instances(
            StackSetName="baseline", DeploymentTargets={"OrganizationalUnitIds": ["ou-1"]}, Regions=["us-west-2"]
        ),
        "StackSetNotFoundException": lambda: replace(sets, name="other").add(ONE),
        "StackInstanceNotFoundException": lambda: sets.update(Accounts=[TWO], Regions=["us-west-2"]),
        "OperationNotFoundException": lambda: sets.wait("nothing"),
        "only for SERVICE_MANAGED": lambda: sets.update(AutoDeployment={"Enabled": True}),
    }.items():
        with pytest.raises(ClientError, match=code):
            call()
    again = {"StackSetName": "baseline", "Accounts": [ONE], "Regions": ["us-west-2"], "OperationId": "same"}
    sets.wait(sets.cfn.create_stack_instances(**again)["OperationId"])
    with pytest.raises(ClientError, match="OperationIdAlreadyExistsException"):
        sets.cfn.create_stack_instances(**again)


def test_a_caller_may_do_what_its_policy_says(sets: Set) -> None:
    sets.roles(ONE)
    iam = sets.home.client("iam")
    iam.create_role(RoleName="caller", AssumeRolePolicyDocument=trusting("AWS", f"arn:aws:iam::{HOME}:root"))
    document = allow("cloudformation:CreateStackSet")
    iam.put_role_policy(RoleName="caller", PolicyName="sets", PolicyDocument=document)
    caller = replace(sets, home=sets.home.assume("caller"))

    with pytest.raises(ClientError, match="iam:PassRole"):
        caller.create()
    passing = allow("iam:PassRole", on=f"arn:aws:iam::{HOME}:role/{ADMIN}")
    iam.put_role_policy(RoleName="caller", PolicyName="pass", PolicyDocument=passing)
    caller.create()

    with pytest.raises(ClientError, match="cloudformation:DescribeStackSet"):
        caller.cfn.describe_stack_set(StackSetName="baseline")


def test_organizational_units_bring_their_accounts(sets: Set) -> None:
    organizations = sets.home.client("organizations")
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(ParentId=root, Name="ml")["OrganizationalUnit"]["Id"]
    inner = organizations.create_organizational_unit(ParentId=unit, Name="prod")["OrganizationalUnit"]["Id"]
    accounts = []
    for parent in (unit, inner):
        made = organizations.create_account(Email=f"{parent}@example.com", AccountName=parent)
        account = made["CreateAccountStatus"]["AccountId"]
        organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=parent)
        accounts.append(account)
    sets.create(PermissionModel="SERVICE_MANAGED", AutoDeployment={"Enabled": False})

    made = sets.cfn.create_stack_instances(
        StackSetName="baseline", DeploymentTargets={"OrganizationalUnitIds": [unit]}, Regions=["us-west-2"]
    )

    assert sets.wait(made["OperationId"])["Status"] == "SUCCEEDED"
    assert {row["Account"]: row["OrganizationalUnitId"] for row in sets.instances().values()} == dict.fromkeys(
        accounts, unit
    )
    assert [sets.value(account) for account in accounts] == ["1", "1"]
    assert sets.cfn.describe_stack_set(StackSetName="baseline")["StackSet"]["OrganizationalUnitIds"] == [unit]
    some = {"OrganizationalUnitIds": [unit], "Accounts": accounts[:1], "AccountFilterType": "INTERSECTION"}
    gone = sets.cfn.delete_stack_instances(
        StackSetName="baseline", DeploymentTargets=some, Regions=["us-west-2"], RetainStacks=False
    )
    sets.wait(gone["OperationId"])
    assert [row["Account"] for row in sets.instances().values()] == accounts[1:]
    with pytest.raises(ClientError, match="can only have OrganizationalUnit"):
        sets.add(accounts[0])


def test_drift_of_every_resource_of_every_instance(sets: Set) -> None:
    sets.roles(ONE, TWO)
    sets.create()
    sets.add(ONE, TWO)
    sets.account(TWO).client("ssm").put_parameter(Name="/baseline", Value="9", Type="String", Overwrite=True)
    assert sets.instances()["111122223333/us-west-2"]["DriftStatus"] == "NOT_CHECKED"

    done = sets.wait(sets.cfn.detect_stack_set_drift(StackSetName="baseline")["OperationId"])

    assert done["Action"] == "DETECT_DRIFT"
    assert {key: row["DriftStatus"] for key, row in sets.instances().items()} == {
        "111122223333/us-west-2": "IN_SYNC",
        "222233334444/us-west-2": "DRIFTED",
    }
    found = sets.cfn.describe_stack_set(StackSetName="baseline")["StackSet"]["StackSetDriftDetectionDetails"]
    assert (found["DriftStatus"], found["DriftedStackInstancesCount"]) == ("DRIFTED", 1)
    rows = sets.cfn.list_stack_instance_resource_drifts(
        StackSetName="baseline",
        StackInstanceAccount=TWO,
        StackInstanceRegion="us-west-2",
        OperationId=done["OperationId"],
    )["Summaries"]
    assert [(row["LogicalResourceId"], row["StackResourceDriftStatus"]) for row in rows] == [("A", "MODIFIED")]
    assert rows[0]["PropertyDifferences"][0]["ActualValue"] == "9"


def test_one_operation_at_a_time_and_it_can_be_stopped(sets: Set) -> None:
    many = [f"{number:012}" for number in range(100, 130)]
    sets.roles(*many)
    sets.create()
    made = sets.cfn.create_stack_instances(StackSetName="baseline", Accounts=many, Regions=["us-west-2"])

    with pytest.raises(ClientError, match="OperationInProgressException"):
        sets.update()
    sets.cfn.stop_stack_set_operation(StackSetName="baseline", OperationId=made["OperationId"])

    done = sets.wait(made["OperationId"])
    assert done["Status"] == "STOPPED"
    statuses = sets.results(done)
    assert len(statuses) == 30
    assert set(statuses.values()) <= {"SUCCEEDED", "CANCELLED"}
    assert "CANCELLED" in statuses.values()
