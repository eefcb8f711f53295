"""AWS::Logs::LogGroup and ::MetricFilter. `Ref` is the name; ministack creates and updates them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources.kind import Context, Kind, Props, pascal


def _read_group(context: Context, physical_id: str, props: Props) -> Props | None:
    client = context.client("logs")
    rows = client.describe_log_groups(logGroupNamePrefix=physical_id)["logGroups"]
    row = next((row for row in rows if row["logGroupName"] == physical_id), None)
    if row is None:
        return None
    found: dict[str, Any] = pascal(row)
    found["Tags"] = client.list_tags_log_group(logGroupName=physical_id)["tags"]
    return {
        **{key: value for key, value in props.items() if key in {"DataProtectionPolicy", "FieldIndexPolicies"}},
        **found,
    }


def _read_filter(context: Context, physical_id: str, props: Props) -> Props | None:
    client = context.client("logs")
    try:
        rows = client.describe_metric_filters(logGroupName=props["LogGroupName"], filterNamePrefix=physical_id)
    except ClientError:
        return None
    row = next((row for row in rows["metricFilters"] if row["filterName"] == physical_id), None)
    if row is None:
        return None
    found: dict[str, Any] = pascal(row, ("dimensions",))
    for transformation in found.get("MetricTransformations", []):
        if "Dimensions" in transformation:
            pairs = sorted(transformation["Dimensions"].items())
            transformation["Dimensions"] = [{"Key": key, "Value": value} for key, value in pairs]
    return found


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::Logs::LogGroup": Kind(
        read=_read_group,
        physical=lambda _context, props: str(props.get("LogGroupName") or ""),
        name="LogGroupName",
        tags="Tags",
    ),
    "AWS::Logs::MetricFilter": Kind(read=_read_filter),
}
