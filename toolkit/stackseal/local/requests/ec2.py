"""What creating, changing and deleting resources of EC2 asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Need, Row
from stackseal.local.requests.words import SAR, TAGS, arn, of

_EC2: Final = {
    "vpc": arn("ec2", "vpc/{VpcId}"),
    "subnets": arn("ec2", "subnet/{item}"),
    "groups": arn("ec2", "security-group/{item}"),
    "tables": arn("ec2", "route-table/{item}"),
}


def _ec2(kind: str, action: str) -> tuple[Need, ...]:
    """Creation is checked against a resource that has no id yet, and its tags in the same call."""
    return (
        Need(action=f"ec2:Create{action}", on=arn("ec2", f"{kind}/*"), tags=True),
        Need(
            action="ec2:CreateTags",
            on=arn("ec2", f"{kind}/*"),
            when=TAGS,
            context={"ec2:CreateAction": f"Create{action}"},
            tags=True,
        ),
    )


_RETAGGED: Final = of("ec2:CreateTags ec2:DeleteTags", when=TAGS)

ROWS: Final[Mapping[str, Row]] = {
    "AWS::EC2::RouteTable": Row(
        arn=arn("ec2", "route-table/{id}"),
        sources=(f"{SAR}amazonec2.html",),
        create=(*_ec2("route-table", "RouteTable"), *of("ec2:CreateRouteTable", on=_EC2["vpc"])),
        read=of("ec2:DescribeRouteTables", on="*"),
        update=_RETAGGED,
        delete=of("ec2:DeleteRouteTable"),
    ),
    "AWS::EC2::SecurityGroup": Row(
        arn=arn("ec2", "security-group/{id}"),
        sources=(f"{SAR}amazonec2.html",),
        create=(
            *_ec2("security-group", "SecurityGroup"),
            *of("ec2:CreateSecurityGroup", on=_EC2["vpc"], when=("VpcId",)),
            *of("ec2:AuthorizeSecurityGroupIngress", when=("SecurityGroupIngress",)),
            # A new group lets everything out until its own rules replace that one.
            *of("ec2:AuthorizeSecurityGroupEgress ec2:RevokeSecurityGroupEgress", when=("SecurityGroupEgress",)),
        ),
        read=of("ec2:DescribeSecurityGroups", on="*"),
        update=(
            *of("ec2:AuthorizeSecurityGroupIngress ec2:RevokeSecurityGroupIngress", when=("SecurityGroupIngress",)),
            *of("ec2:AuthorizeSecurityGroupEgress ec2:RevokeSecurityGroupEgress", when=("SecurityGroupEgress",)),
            *_RETAGGED,
        ),
        delete=of("ec2:DeleteSecurityGroup"),
    ),
    "AWS::EC2::Subnet": Row(
        arn=arn("ec2", "subnet/{id}"),
        sources=(f"{SAR}amazonec2.html",),
        create=(
            *_ec2("subnet", "Subnet"),
            *of("ec2:CreateSubnet", on=_EC2["vpc"]),
            *of("ec2:ModifySubnetAttribute", when=("MapPublicIpOnLaunch",)),
        ),
        read=of("ec2:DescribeSubnets", on="*"),
        update=(*of("ec2:ModifySubnetAttribute", when=("MapPublicIpOnLaunch",)), *_RETAGGED),
        delete=of("ec2:DeleteSubnet"),
    ),
    "AWS::EC2::VPC": Row(
        arn=arn("ec2", "vpc/{id}"),
        sources=(f"{SAR}amazonec2.html",),
        create=(
            *_ec2("vpc", "Vpc"),
            *of("ec2:ModifyVpcAttribute", when=("EnableDnsSupport", "EnableDnsHostnames")),
        ),
        read=of("ec2:DescribeVpcs", on="*"),
        update=(*of("ec2:ModifyVpcAttribute", when=("EnableDnsSupport", "EnableDnsHostnames")), *_RETAGGED),
        delete=of("ec2:DeleteVpc"),
    ),
    "AWS::EC2::VPCEndpoint": Row(
        arn=arn("ec2", "vpc-endpoint/{id}"),
        sources=(f"{SAR}amazonec2.html",),
        create=(
            *_ec2("vpc-endpoint", "VpcEndpoint"),
            *of("ec2:CreateVpcEndpoint", on=_EC2["vpc"]),
            *of("ec2:CreateVpcEndpoint", on=_EC2["subnets"], over="SubnetIds"),
            *of("ec2:CreateVpcEndpoint", on=_EC2["groups"], over="SecurityGroupIds"),
            *of("ec2:CreateVpcEndpoint", on=_EC2["tables"], over="RouteTableIds"),
        ),
        read=of("ec2:DescribeVpcEndpoints", on="*"),
        update=(
            *of(
                "ec2:ModifyVpcEndpoint",
                when=("PolicyDocument", "PrivateDnsEnabled", "RouteTableIds", "SecurityGroupIds", "SubnetIds"),
            ),
            *of("ec2:ModifyVpcEndpoint", on=_EC2["subnets"], over="SubnetIds", when=("SubnetIds",)),
            *of("ec2:ModifyVpcEndpoint", on=_EC2["groups"], over="SecurityGroupIds", when=("SecurityGroupIds",)),
            *of("ec2:ModifyVpcEndpoint", on=_EC2["tables"], over="RouteTableIds", when=("RouteTableIds",)),
            *_RETAGGED,
        ),
        delete=of("ec2:DeleteVpcEndpoints"),
    ),
}
