"""What EC2 does not delete because something still uses it, and what becomes of a stack that tried."""

from __future__ import annotations

from typing import Any

import pytest

from unit.local.driver import Account, Stack, resources

VPC = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}
SUBNET = {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"}}
GROUP = {"Type": "AWS::EC2::SecurityGroup", "Properties": {"VpcId": {"Ref": "Vpc"}, "GroupDescription": "Used"}}
NETWORK = resources(Vpc=VPC, Subnet=SUBNET, Group=GROUP)


def endpoint(network: Stack) -> dict[str, Any]:
    properties = {
        "VpcEndpointType": "Interface",
        "ServiceName": "com.amazonaws.us-west-2.sts",
        "VpcId": network.physical("Vpc"),
        "SubnetIds": [network.physical("Subnet")],
        "SecurityGroupIds": [network.physical("Group")],
    }
    return {"Type": "AWS::EC2::VPCEndpoint", "Properties": properties}


def gateway(network: Stack) -> dict[str, Any]:
    properties = {"SubnetId": network.physical("Subnet"), "ConnectivityType": "private"}
    return {"Type": "AWS::EC2::NatGateway", "Properties": properties}


def caller(network: Stack) -> dict[str, Any]:
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "SourceSecurityGroupId": network.physical("Group")}
    properties = {"VpcId": network.physical("Vpc"), "GroupDescription": "Names it", "SecurityGroupIngress": [rule]}
    return {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}


@pytest.mark.parametrize(
    ("user", "kept"),
    [(endpoint, {"Vpc", "Subnet", "Group"}), (gateway, {"Vpc", "Subnet"}), (caller, {"Vpc", "Group"})],
)
def test_what_is_used_stays_until_its_user_is_gone(account: Account, user: Any, kept: set[str]) -> None:
    network, other = Stack(account=account, name="network"), Stack(account=account, name="other")
    assert network.deploy(NETWORK) == "CREATE_COMPLETE"
    assert other.deploy(resources(User=user(network))) == "CREATE_COMPLETE", other.failures()

    assert network.delete() == "DELETE_FAILED"
    reasons = [reason for reason in network.failures() if "DependencyViolation" in reason]
    assert len(reasons) == len(kept)
    left = network.cfn.list_stack_resources(StackName="network")["StackResourceSummaries"]
    assert {row["LogicalResourceId"] for row in left if row["ResourceStatus"] == "DELETE_FAILED"} == kept

    assert other.delete() == "DELETE_COMPLETE"
    assert network.delete() == "DELETE_COMPLETE", network.failures()


def test_a_group_that_names_itself_is_not_in_use(account: Account) -> None:
    rule = {"GroupId": {"Ref": "Group"}, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    own = {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {**rule, "SourceSecurityGroupId": {"Ref": "Group"}}}
    stack = Stack(account=account)
    assert stack.deploy(resources(Vpc=VPC, Group=GROUP, Rule=own)) == "CREATE_COMPLETE"
    assert stack.delete() == "DELETE_COMPLETE", stack.failures()
