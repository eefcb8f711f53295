"""What EC2 refuses to delete because something still uses it; ministack deletes it.

The message is EC2's own (API reference, error code DependencyViolation; its wording as public issue reports quote it).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stackseal.local.resources.kind import Context


def group(context: Context, physical_id: str) -> None:
    """Raises while an endpoint carries the security group or a rule of another group names it."""
    client = context.client("ec2")
    carried = (row for row in _endpoints(context) if physical_id in _ids(row.get("Groups"), "GroupId"))
    named = (
        row
        for row in client.describe_security_groups()["SecurityGroups"]
        if row["GroupId"] != physical_id and physical_id in set(_named(row))
    )
    if any(carried) or any(named):
        raise _refusal(f"resource {physical_id} has a dependent object")


def subnet(context: Context, physical_id: str) -> None:
    """Raises while an endpoint or a NAT gateway stands in the subnet."""
    placed = any(physical_id in (row.get("SubnetIds") or []) for row in _endpoints(context))
    if placed or any(row.get("SubnetId") == physical_id for row in _gateways(context)):
        raise _refusal(f"The subnet '{physical_id}' has dependencies and cannot be deleted.")


def vpc(context: Context, physical_id: str) -> None:
    """Raises while subnets, endpoints, security groups or gateways stand in the VPC."""
    client = context.client("ec2")
    inside = [{"Name": "vpc-id", "Values": [physical_id]}]
    subnets = client.describe_subnets(Filters=inside)["Subnets"]
    groups = client.describe_security_groups(Filters=inside)["SecurityGroups"]
    attached = client.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [physical_id]}])
    used = [
        *(row for row in subnets if row["VpcId"] == physical_id),
        *(row for row in groups if row["GroupName"] != "default" and row["VpcId"] == physical_id),
        *attached["InternetGateways"],
        *(row for row in (*_endpoints(context), *_gateways(context)) if row["VpcId"] == physical_id),
    ]
    if used:
        raise _refusal(f"The vpc '{physical_id}' has dependencies and cannot be deleted.")


def _refusal(message: str) -> ValueError:
    return ValueError(f"{message} (Service: Ec2, Status Code: 400, Error Code: DependencyViolation)")


def _endpoints(context: Context) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = context.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    return [row for row in rows if str(row.get("State", "")).lower() not in {"deleted", "deleting"}]


def _gateways(context: Context) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = context.client("ec2").describe_nat_gateways()["NatGateways"]
    return [row for row in rows if row.get("State") not in {"deleted", "deleting"}]


def _ids(rows: list[dict[str, Any]] | None, key: str) -> set[str]:
    return {str(row[key]) for row in rows or []}


def _named(row: dict[str, Any]) -> Iterator[str]:
    for permission in (*row["IpPermissions"], *row["IpPermissionsEgress"]):
        yield from _ids(permission.get("UserIdGroupPairs"), "GroupId")
