"""Read-only looks at what a deployment needs or would collide with, before anything is created."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stackseal.aws.errors import AwsFailed, translated
from stackseal.aws.session import Aws


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A VPC endpoint that is there."""

    id: str
    service: str
    kind: str
    private_dns: bool
    route_tables: tuple[str, ...]


def endpoints(aws: Aws, region: str, vpc: str) -> tuple[Endpoint, ...]:
    """The endpoints of a VPC that are not being deleted, sorted by id."""
    found: list[Endpoint] = []
    with translated(f"could not list the endpoints of {vpc}"):
        pages = aws.client("ec2", region).get_paginator("describe_vpc_endpoints")
        for page in pages.paginate(Filters=[{"Name": "vpc-id", "Values": [vpc]}]):
            found += [
                Endpoint(
                    id=item["VpcEndpointId"],
                    service=item["ServiceName"],
                    kind=item.get("VpcEndpointType", ""),
                    private_dns=bool(item.get("PrivateDnsEnabled")),
                    route_tables=tuple(item.get("RouteTableIds", ())),
                )
                for item in page["VpcEndpoints"]
                if item.get("State", "").lower() not in {"deleting", "deleted"}
            ]
    return tuple(sorted(found, key=lambda endpoint: endpoint.id))


def bucket_versioning(aws: Aws, region: str, bucket: str) -> str | None:
    """`Enabled`, `Suspended`, `Off`, or None where the bucket is not there or not ours to see."""
    try:
        with translated(f"could not look at the bucket {bucket}"):
            return str(aws.client("s3", region).get_bucket_versioning(Bucket=bucket).get("Status", "Off"))
    except AwsFailed as error:
        if error.code in {"NoSuchBucket", "404", "AccessDenied", "403"}:
            return None
        raise


def connection(aws: Aws, region: str, arn: str) -> str | None:
    """`AVAILABLE`, `PENDING` or `ERROR`, None where the connection is not there.

    Raises AwsFailed where nobody can tell.
    """
    try:
        with translated(f"could not look at the connection {arn}"):
            found = aws.client("codeconnections", region).get_connection(ConnectionArn=arn)
            return str(found["Connection"]["ConnectionStatus"])
    except AwsFailed as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise


@dataclass(frozen=True, kw_only=True)
class Provider:
    """An OIDC provider of the account."""

    arn: str
    audiences: tuple[str, ...]


def oidc_provider(aws: Aws, region: str, issuer: str) -> Provider | None:
    """The account's provider for an issuer (a host, perhaps with a path); an account has one at most."""
    client = aws.client("iam", region)
    with translated(f"could not look for the OIDC provider of {issuer}"):
        for item in client.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
            if item["Arn"].partition(":oidc-provider/")[2] == issuer:
                found = client.get_open_id_connect_provider(OpenIDConnectProviderArn=item["Arn"])
                return Provider(arn=item["Arn"], audiences=tuple(found.get("ClientIDList", ())))
    return None


def role(aws: Aws, region: str, name: str) -> str | None:
    """The ARN of a role, None where it is not there."""
    try:
        with translated(f"could not look at the role {name}"):
            return str(aws.client("iam", region).get_role(RoleName=name)["Role"]["Arn"])
    except AwsFailed as error:
        if error.code == "NoSuchEntity":
            return None
        raise


def trust(aws: Aws, region: str, name: str) -> Mapping[str, Any] | None:
    """A role's trust policy, None where the role is not there."""
    try:
        with translated(f"could not read the trust policy of the role {name}"):
            found: Any = aws.client("iam", region).get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    except AwsFailed as error:
        if error.code == "NoSuchEntity":
            return None
        raise
    return json.loads(found) if isinstance(found, str) else dict(found)
