"""AWS::EC2::EIP, ::FlowLog and ::NatGateway, which ministack cannot provision, and readers for gateways and routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources.kind import Attributes, Context, Kind, Props, tag_list, untagged

_GONE: Final = ("deleted", "deleting")


def _tagged(kind: str, props: Props) -> dict[str, Any]:
    """The argument with which EC2 takes the tags of something new."""
    tags = tag_list(props.get("Tags"))
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags}]} if tags else {}


def _retag(context: Context, resource: str, old: Props, new: Props) -> None:
    client = context.client("ec2")
    if gone := untagged(old.get("Tags"), new.get("Tags")):
        client.delete_tags(Resources=[resource], Tags=[{"Key": key} for key in gone])
    if tags := tag_list(new.get("Tags")):
        client.create_tags(Resources=[resource], Tags=tags)


def _first(context: Context, operation: str, result: str, **arguments: Any) -> dict[str, Any] | None:
    try:
        rows = getattr(context.client("ec2"), operation)(**arguments)[result]
    except ClientError:
        return None
    row: dict[str, Any] | None = rows[0] if rows else None
    return row


def _taken(props: Props, *names: str) -> dict[str, Any]:
    """Properties that only a replacement changes and ministack does not tell: as they were written."""
    return {name: props[name] for name in names if name in props}


# --- elastic IP -------------------------------------------------------------------------------------------------------


def _address(context: Context, public_ip: str) -> dict[str, Any] | None:
    rows: list[dict[str, Any]] = context.client("ec2").describe_addresses()["Addresses"]
    return next((row for row in rows if row["PublicIp"] == public_ip), None)


def _of_address(row: Mapping[str, Any]) -> Attributes:
    return {key: row[key] for key in ("AllocationId", "PublicIp")}


def _create_address(context: Context, props: Props) -> tuple[str, Attributes]:
    row = context.client("ec2").allocate_address(Domain=props.get("Domain") or "vpc", **_tagged("elastic-ip", props))
    return str(row["PublicIp"]), _of_address(row)


def _update_address(context: Context, physical_id: str, old: Props, new: Props) -> Attributes:
    row = _address(context, physical_id)
    if row is None:
        raise ValueError(f"The address '{physical_id}' does not exist (Error Code: InvalidAddress.NotFound)")
    _retag(context, str(row["AllocationId"]), old, new)
    return _of_address(row)


def _delete_address(context: Context, physical_id: str, _props: Props) -> None:
    row = _address(context, physical_id)
    if row is not None:
        context.client("ec2").release_address(AllocationId=row["AllocationId"])


# --- NAT gateway ------------------------------------------------------------------------------------------------------


def _nat(context: Context, physical_id: str) -> dict[str, Any] | None:
    row = _first(context, "describe_nat_gateways", "NatGateways", NatGatewayIds=[physical_id])
    return None if row is None or row.get("State") in _GONE else row


def _read_nat(context: Context, physical_id: str, props: Props) -> Props | None:
    row = _nat(context, physical_id)
    return None if row is None else {**_taken(props, "AllocationId"), **row}


def _create_nat(context: Context, props: Props) -> tuple[str, Attributes]:
    optional = {key: props[key] for key in ("AllocationId", "ConnectivityType") if props.get(key)}
    client = context.client("ec2")
    row = client.create_nat_gateway(SubnetId=props["SubnetId"], **optional, **_tagged("natgateway", props))
    found = str(row["NatGateway"]["NatGatewayId"])
    return found, {"NatGatewayId": found}


def _update_nat(context: Context, physical_id: str, old: Props, new: Props) -> Attributes:
    _retag(context, physical_id, old, new)
    return {"NatGatewayId": physical_id}


def _delete_nat(context: Context, physical_id: str, _props: Props) -> None:
    if _nat(context, physical_id) is not None:
        context.client("ec2").delete_nat_gateway(NatGatewayId=physical_id)


# --- flow log ---------------------------------------------------------------------------------------------------------


def _create_flow_log(context: Context, props: Props) -> tuple[str, Attributes]:
    names = ("DeliverLogsPermissionArn", "LogDestination", "LogDestinationType", "LogGroupName", "TrafficType")
    optional = {key: props[key] for key in names if props.get(key)}
    answer = context.client("ec2").create_flow_logs(
        ResourceIds=[props["ResourceId"]],
        ResourceType=props["ResourceType"],
        **optional,
    )
    found = str(answer["FlowLogIds"][0])
    _retag(context, found, {}, props)  # ministack does not know the tags of this kind at creation
    return found, {"Id": found}


def _update_flow_log(context: Context, physical_id: str, old: Props, new: Props) -> Attributes:
    _retag(context, physical_id, old, new)
    return {"Id": physical_id}


def _read_flow_log(context: Context, physical_id: str, props: Props) -> Props | None:
    row = _first(context, "describe_flow_logs", "FlowLogs", FlowLogIds=[physical_id])
    if row is None:
        return None
    group = row.get("LogGroupName") or row.get("LogDestination")
    return {**_taken(props, "DeliverLogsPermissionArn", "ResourceType"), **row, "LogGroupName": group}


def _delete_flow_log(context: Context, physical_id: str, _props: Props) -> None:
    context.client("ec2").delete_flow_logs(FlowLogIds=[physical_id])


# --- gateways and routes: ministack makes them ------------------------------------------------------------------------


def _gateway(context: Context, gateway_id: str) -> dict[str, Any] | None:
    return _first(context, "describe_internet_gateways", "InternetGateways", InternetGatewayIds=[gateway_id])


def _read_attachment(context: Context, _physical_id: str, props: Props) -> Props | None:
    found = _gateway(context, str(props.get("InternetGatewayId")))
    attached = [row["VpcId"] for row in (found or {}).get("Attachments", [])]
    if props.get("VpcId") not in attached:
        return None
    return {"VpcId": props["VpcId"], "InternetGatewayId": props["InternetGatewayId"]}


def _table(context: Context, table_id: str) -> dict[str, Any]:
    return _first(context, "describe_route_tables", "RouteTables", RouteTableIds=[table_id]) or {}


def _read_route(context: Context, physical_id: str, _props: Props) -> Props | None:
    table, _, destination = physical_id.partition("|")
    for row in _table(context, table).get("Routes", []):
        if row.get("DestinationCidrBlock") == destination:
            return {**row, "RouteTableId": table}
    return None


def _read_association(context: Context, physical_id: str, props: Props) -> Props | None:
    for row in _table(context, str(props.get("RouteTableId"))).get("Associations", []):
        if row.get("RouteTableAssociationId") == physical_id:
            return {"SubnetId": row.get("SubnetId"), "RouteTableId": row.get("RouteTableId")}
    return None


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::EC2::EIP": Kind(
        create=_create_address,
        update=_update_address,
        delete=_delete_address,
        read=lambda context, physical_id, _props: _address(context, physical_id),
        tags="Tags",
    ),
    "AWS::EC2::FlowLog": Kind(
        create=_create_flow_log,
        update=_update_flow_log,
        delete=_delete_flow_log,
        read=_read_flow_log,
        tags="Tags",
        unread=frozenset({"MaxAggregationInterval"}),
    ),
    "AWS::EC2::InternetGateway": Kind(
        read=lambda context, physical_id, _props: _gateway(context, physical_id), tags="Tags"
    ),
    "AWS::EC2::NatGateway": Kind(
        create=_create_nat,
        update=_update_nat,
        delete=_delete_nat,
        read=_read_nat,
        tags="Tags",
    ),
    "AWS::EC2::Route": Kind(read=_read_route),
    "AWS::EC2::SubnetRouteTableAssociation": Kind(read=_read_association),
    "AWS::EC2::VPCGatewayAttachment": Kind(read=_read_attachment),
}
