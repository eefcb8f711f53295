"""AWS::EC2::VPC, ::Subnet, ::RouteTable, ::SecurityGroup and ::VPCEndpoint; ministack creates and updates them.

The refusals of a second endpoint are EC2's own (messages as AWS words them in public issue reports); ministack has
neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources import ec2_use
from stackseal.local.resources.kind import Attributes, Context, Kind, Props

_GONE: Final = ("deleted", "deleting")


def _describe(operation: str, argument: str, result: str) -> Callable[[Context, str], dict[str, Any] | None]:
    def find(context: Context, physical_id: str) -> dict[str, Any] | None:
        try:
            rows = getattr(context.client("ec2"), operation)(**{argument: [physical_id]})[result]
        except ClientError:
            return None
        row: dict[str, Any] | None = rows[0] if rows else None
        return row

    return find


_vpc = _describe("describe_vpcs", "VpcIds", "Vpcs")
_subnet = _describe("describe_subnets", "SubnetIds", "Subnets")
_route_table = _describe("describe_route_tables", "RouteTableIds", "RouteTables")
_group = _describe("describe_security_groups", "GroupIds", "SecurityGroups")
_endpoint = _describe("describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints")


def _flag(context: Context, vpc_id: str, attribute: str) -> bool:
    answer = context.client("ec2").describe_vpc_attribute(VpcId=vpc_id, Attribute=attribute)
    return bool(answer[attribute[:1].upper() + attribute[1:]]["Value"])


def _read_vpc(context: Context, physical_id: str, _props: Props) -> Props | None:
    found = _vpc(context, physical_id)
    if found is None:
        return None
    return {
        **found,
        "EnableDnsSupport": _flag(context, physical_id, "enableDnsSupport"),
        "EnableDnsHostnames": _flag(context, physical_id, "enableDnsHostnames"),
    }


def _plainly(find: Callable[[Context, str], dict[str, Any] | None]) -> Callable[[Context, str, Props], Props | None]:
    return lambda context, physical_id, _props: find(context, physical_id)


# --- security group ---------------------------------------------------------------------------------------------------

_SOURCES: Final = (
    ("IpRanges", "CidrIp", "CidrIp", "CidrIp"),
    ("Ipv6Ranges", "CidrIpv6", "CidrIpv6", "CidrIpv6"),
    ("PrefixListIds", "PrefixListId", "SourcePrefixListId", "DestinationPrefixListId"),
    ("UserIdGroupPairs", "GroupId", "SourceSecurityGroupId", "DestinationSecurityGroupId"),
)
"""Where EC2 keeps the other side of a rule -> what the template calls it in ingress and in egress."""


def _read_group(context: Context, physical_id: str, props: Props) -> Props | None:
    found = _group(context, physical_id)
    if found is None:
        return None
    return {
        "GroupName": found["GroupName"],
        "GroupDescription": found["Description"],
        "VpcId": found.get("VpcId"),
        "Tags": found.get("Tags", []),
        "SecurityGroupIngress": _own(
            context,
            physical_id,
            _rules(found["IpPermissions"], props.get("SecurityGroupIngress") or [], egress=False),
            beside="AWS::EC2::SecurityGroupIngress",
        ),
        "SecurityGroupEgress": _own(
            context,
            physical_id,
            _rules(found["IpPermissionsEgress"], props.get("SecurityGroupEgress") or [], egress=True),
            beside="AWS::EC2::SecurityGroupEgress",
        ),
    }


def _own(context: Context, group: str, rules: list[dict[str, Any]], *, beside: str) -> list[dict[str, Any]]:
    """The group's rules without those that the same stack sets beside it."""
    lone = [row["Properties"] for row in context.siblings_of(beside) if row["Properties"].get("GroupId") == group]
    return [rule for rule in rules if not any(_same(rule, props) for props in lone)]


def _same(rule: Mapping[str, Any], props: Mapping[str, Any]) -> bool:
    named = {key: value for key, value in props.items() if key not in {"GroupId", "Description"}}
    return all(str(rule.get(key)) == str(value) for key, value in named.items())


def _rules(permissions: list[dict[str, Any]], written: list[Props], *, egress: bool) -> list[dict[str, Any]]:
    rules = []
    for permission in permissions:
        for store, key, inward, outward in _SOURCES:
            for row in permission.get(store, []):
                name = outward if egress else inward
                rule = {"IpProtocol": permission["IpProtocol"], name: row.get(key)}
                rule.update({port: permission[port] for port in ("FromPort", "ToPort") if port in permission})
                if row.get("Description"):
                    rule["Description"] = row["Description"]
                rules.append(_as_written(rule, written, name))
    return rules


def _as_written(rule: dict[str, Any], written: list[Props], name: str) -> dict[str, Any]:
    """EC2 forgets the ports of protocol -1, and what it fills in was not written."""
    for row in written:
        if str(row.get("IpProtocol")) == str(rule["IpProtocol"]) and row.get(name) == rule[name]:
            if str(rule["IpProtocol"]) == "-1":
                rule.update({port: row[port] for port in ("FromPort", "ToPort") if port in row})
                for port in ("FromPort", "ToPort"):
                    if port not in row:
                        rule.pop(port, None)
            if "SourceSecurityGroupOwnerId" in row:
                rule["SourceSecurityGroupOwnerId"] = row["SourceSecurityGroupOwnerId"]
            break
    return rule


# --- endpoint ---------------------------------------------------------------------------------------------------------


def _read_endpoint(context: Context, physical_id: str, _props: Props) -> Props | None:
    found = _endpoint(context, physical_id)
    if found is None or str(found.get("State", "")).lower() in _GONE:
        return None
    groups = found.get("Groups") or []
    return {**found, "SecurityGroupIds": [row["GroupId"] for row in groups] or found.get("SecurityGroupIds", [])}


def _refuse_conflict(context: Context, props: Props) -> None:
    others = context.client("ec2").describe_vpc_endpoints(
        Filters=[
            {"Name": "vpc-id", "Values": [props.get("VpcId")]},
            {"Name": "service-name", "Values": [props["ServiceName"]]},
        ]
    )["VpcEndpoints"]
    others = [
        row for row in others if row["ServiceName"] == props["ServiceName"] and row["VpcId"] == props.get("VpcId")
    ]
    if str(props.get("PrivateDnsEnabled")).lower() == "true":
        _refuse_second_dns(context, props, others)
    if props.get("VpcEndpointType", "Gateway") == "Gateway":
        taken = {table for row in others for table in row.get("RouteTableIds", [])}
        for table in props.get("RouteTableIds") or []:
            if table in taken:
                prefix = f"pl-{str(props['ServiceName']).rpartition('.')[2]}"
                raise ValueError(
                    f"route table {table} already has a route with destination-prefix-list-id {prefix} "
                    "(Service: Ec2, Status Code: 400, Error Code: RouteAlreadyExists)"
                )


def _refuse_second_dns(context: Context, props: Props, others: list[dict[str, Any]]) -> None:
    vpc_id = str(props.get("VpcId"))
    if any(row.get("PrivateDnsEnabled") for row in others):
        words = str(props["ServiceName"]).split(".")
        domain = ".".join((*reversed(words[3:]), words[2], "amazonaws.com"))
        raise ValueError(
            f"private-dns-enabled cannot be set because there is already a conflicting DNS domain for {domain} "
            f"in the VPC {vpc_id} (Service: Ec2, Status Code: 400, Error Code: InvalidParameter)"
        )
    if _vpc(context, vpc_id) is not None and not (
        _flag(context, vpc_id, "enableDnsSupport") and _flag(context, vpc_id, "enableDnsHostnames")
    ):
        raise ValueError(
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true "
            f"for {vpc_id} (Service: Ec2, Status Code: 400, Error Code: InvalidParameter)"
        )


def _of_vpc(physical_id: str, props: Props) -> Attributes:
    cidr = props.get("CidrBlock", "")
    association = physical_id.replace("vpc-", "vpc-cidr-assoc-")
    return {"CidrBlock": cidr, "CidrBlockAssociations": [association], "Ipv6CidrBlocks": []}


def _of_subnet(physical_id: str, props: Props) -> Attributes:
    association = physical_id.replace("subnet-", "aclassoc-")
    plain = {key: props.get(key, "") for key in ("CidrBlock", "VpcId")}
    return {**plain, "Ipv6CidrBlocks": [], "NetworkAclAssociationId": association}


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::EC2::RouteTable": Kind(read=_plainly(_route_table), tags="Tags"),
    "AWS::EC2::SecurityGroup": Kind(
        read=_read_group,
        attributes=lambda physical_id, _props: {"Id": physical_id},
        tags="Tags",
        in_use=ec2_use.group,
    ),
    "AWS::EC2::Subnet": Kind(read=_plainly(_subnet), attributes=_of_subnet, tags="Tags", in_use=ec2_use.subnet),
    "AWS::EC2::VPC": Kind(read=_read_vpc, attributes=_of_vpc, tags="Tags", in_use=ec2_use.vpc),
    "AWS::EC2::VPCEndpoint": Kind(read=_read_endpoint, guard=_refuse_conflict, tags="Tags"),
}
