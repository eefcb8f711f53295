"""AWS::SSM::Parameter. `Ref` is the name; ministack creates and updates it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources.kind import Context, Kind, Props, missing


def _read(context: Context, physical_id: str, _props: Props) -> Props | None:
    client = context.client("ssm")
    try:
        found: dict[str, Any] = dict(client.get_parameter(Name=physical_id)["Parameter"])
    except ClientError as error:
        if missing(error, "ParameterNotFound"):
            return None
        raise
    rows = client.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [physical_id]}])["Parameters"]
    for row in rows:
        found.update({key: row.get(key) for key in ("Description", "Tier", "AllowedPattern", "DataType")})
    found["Tags"] = client.list_tags_for_resource(ResourceType="Parameter", ResourceId=physical_id)["TagList"]
    return found


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::SSM::Parameter": Kind(
        read=_read,
        physical=lambda _context, props: str(props.get("Name") or ""),
        name="Name",
        tags="Tags",
        tag_shape="map",
    )
}
