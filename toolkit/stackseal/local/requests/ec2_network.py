"""What creating, changing and deleting gateways, routes, addresses, flow logs and lone rules asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Need, Pass, Row
from stackseal.local.requests.words import SAR, TAGS, arn, of

_SOURCES: Final = (f"{SAR}amazonec2.html",)
_TABLE: Final = arn("ec2", "route-table/{RouteTableId}")
_RETAGGED: Final = of("ec2:CreateTags ec2:DeleteTags", when=TAGS)


def _made(kind: str, action: str) -> tuple[Need, ...]:
    """Creation is checked against a resource that has no id yet, and its tags in the same call."""
    made = {"ec2:CreateAction": action}
    return (
        Need(action=f"ec2:{action}", on=arn("ec2", f"{kind}/*"), tags=True),
        Need(action="ec2:CreateTags", on=arn("ec2", f"{kind}/*"), when=TAGS, context=made, tags=True),
    )


def _rule(way: str) -> Row:
    return Row(
        arn=arn("ec2", "security-group/{GroupId}"),
        sources=_SOURCES,
        create=of(f"ec2:AuthorizeSecurityGroup{way}"),
        read=of("ec2:DescribeSecurityGroupRules", on="*"),
        update=of(f"ec2:UpdateSecurityGroupRuleDescriptions{way}", when=("Description",)),
        delete=of(f"ec2:RevokeSecurityGroup{way}"),
    )


ROWS: Final[Mapping[str, Row]] = {
    "AWS::EC2::EIP": Row(
        # `Ref` is the address; its ARN has the allocation id, which the table does not see.
        arn=arn("ec2", "elastic-ip/*"),
        sources=_SOURCES,
        create=_made("elastic-ip", "AllocateAddress"),
        read=of("ec2:DescribeAddresses", on="*"),
        update=_RETAGGED,
        delete=of("ec2:ReleaseAddress"),
    ),
    "AWS::EC2::FlowLog": Row(
        arn=arn("ec2", "vpc-flow-log/{id}"),
        sources=_SOURCES,
        create=(
            *_made("vpc-flow-log", "CreateFlowLogs"),
            *of("ec2:CreateFlowLogs", on=arn("ec2", "vpc/{ResourceId}")),
        ),
        read=of("ec2:DescribeFlowLogs", on="*"),
        update=_RETAGGED,
        delete=of("ec2:DeleteFlowLogs"),
        passes=(Pass(path=("DeliverLogsPermissionArn",), service="vpc-flow-logs.amazonaws.com"),),
    ),
    "AWS::EC2::InternetGateway": Row(
        arn=arn("ec2", "internet-gateway/{id}"),
        sources=_SOURCES,
        create=_made("internet-gateway", "CreateInternetGateway"),
        read=of("ec2:DescribeInternetGateways", on="*"),
        update=_RETAGGED,
        delete=of("ec2:DeleteInternetGateway"),
    ),
    "AWS::EC2::NatGateway": Row(
        arn=arn("ec2", "natgateway/{id}"),
        sources=_SOURCES,
        create=(
            *_made("natgateway", "CreateNatGateway"),
            *of("ec2:CreateNatGateway", on=arn("ec2", "subnet/{SubnetId}")),
            *of("ec2:CreateNatGateway", on=arn("ec2", "elastic-ip/{AllocationId}"), when=("AllocationId",)),
        ),
        read=of("ec2:DescribeNatGateways", on="*"),
        update=_RETAGGED,
        delete=of("ec2:DeleteNatGateway"),
    ),
    "AWS::EC2::Route": Row(
        arn=_TABLE,
        sources=_SOURCES,
        create=of("ec2:CreateRoute"),
        read=of("ec2:DescribeRouteTables", on="*"),
        update=of("ec2:ReplaceRoute", when=("GatewayId", "NatGatewayId")),
        delete=of("ec2:DeleteRoute"),
    ),
    "AWS::EC2::SecurityGroupEgress": _rule("Egress"),
    "AWS::EC2::SecurityGroupIngress": _rule("Ingress"),
    "AWS::EC2::SubnetRouteTableAssociation": Row(
        arn=_TABLE,
        sources=_SOURCES,
        create=(
            *of("ec2:AssociateRouteTable"),
            *of("ec2:AssociateRouteTable", on=arn("ec2", "subnet/{SubnetId}")),
        ),
        read=of("ec2:DescribeRouteTables", on="*"),
        delete=of("ec2:DisassociateRouteTable"),
    ),
    "AWS::EC2::VPCGatewayAttachment": Row(
        arn=arn("ec2", "internet-gateway/{InternetGatewayId}"),
        sources=_SOURCES,
        create=(
            *of("ec2:AttachInternetGateway"),
            *of("ec2:AttachInternetGateway", on=arn("ec2", "vpc/{VpcId}")),
        ),
        read=of("ec2:DescribeInternetGateways", on="*"),
        delete=(
            *of("ec2:DetachInternetGateway"),
            *of("ec2:DetachInternetGateway", on=arn("ec2", "vpc/{VpcId}")),
        ),
    ),
}
