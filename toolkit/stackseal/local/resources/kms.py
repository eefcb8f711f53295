"""AWS::KMS::Key (`Ref` is the key's id) and ::Alias (`Ref` is the alias); ministack creates and updates them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources.kind import Context, Kind, Props, missing


def _read_key(context: Context, physical_id: str, props: Props) -> Props | None:
    client = context.client("kms")
    try:
        metadata = client.describe_key(KeyId=physical_id)["KeyMetadata"]
    except ClientError as error:
        if missing(error, "NotFoundException"):
            return None
        raise
    if metadata["KeyState"] == "PendingDeletion":
        return None
    found: dict[str, Any] = dict(metadata)
    found["Enabled"] = metadata["KeyState"] == "Enabled"
    found["KeyPolicy"] = client.get_key_policy(KeyId=physical_id, PolicyName="default")["Policy"]
    rotation = client.get_key_rotation_status(KeyId=physical_id)
    found["EnableKeyRotation"] = rotation["KeyRotationEnabled"]
    found["RotationPeriodInDays"] = rotation.get("RotationPeriodInDays")
    found["Tags"] = client.list_resource_tags(KeyId=physical_id)["Tags"]
    for key in ("PendingWindowInDays", "BypassPolicyLockoutSafetyCheck"):
        if key in props:
            found[key] = props[key]  # write-only
    return found


def _read_alias(context: Context, physical_id: str, props: Props) -> Props | None:
    for row in context.client("kms").list_aliases()["Aliases"]:
        if row["AliasName"] == physical_id:
            target, wanted = str(row.get("TargetKeyId")), str(props.get("TargetKeyId"))
            # The template may name the key by its ARN; KMS answers the id.
            return {"AliasName": physical_id, "TargetKeyId": wanted if wanted.endswith(target) else target}
    return None


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::KMS::Alias": Kind(
        read=_read_alias,
        physical=lambda _context, props: str(props.get("AliasName") or ""),
        name="AliasName",
    ),
    "AWS::KMS::Key": Kind(read=_read_key, tags="Tags"),
}
