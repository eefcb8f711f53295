"""AWS::Events::Rule. `Ref` is the rule's name; ministack creates and updates it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources.kind import Context, Kind, Props, missing


def _read(context: Context, physical_id: str, props: Props) -> Props | None:
    client = context.client("events")
    bus = {"EventBusName": props["EventBusName"]} if props.get("EventBusName") else {}
    try:
        found: dict[str, Any] = dict(client.describe_rule(Name=physical_id, **bus))
    except ClientError as error:
        if missing(error, "ResourceNotFoundException"):
            return None
        raise
    found["Targets"] = client.list_targets_by_rule(Rule=physical_id, **bus)["Targets"]
    found["Tags"] = client.list_tags_for_resource(ResourceARN=found["Arn"])["Tags"]
    if bus:
        found["EventBusName"] = props["EventBusName"]
    return found


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::Events::Rule": Kind(
        read=_read,
        physical=lambda _context, props: str(props.get("Name") or ""),
        name="Name",
        tags="Tags",
    )
}
