"""AWS::CloudWatch::Alarm and ::Dashboard. `Ref` is the name; ministack creates and updates them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources.kind import Context, Kind, Props, missing


def _read_alarm(context: Context, physical_id: str, _props: Props) -> Props | None:
    client = context.client("cloudwatch")
    alarms = client.describe_alarms(AlarmNames=[physical_id])["MetricAlarms"]
    if not alarms:
        return None
    found: dict[str, Any] = dict(alarms[0])
    found["Tags"] = client.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"]
    return found


def _read_dashboard(context: Context, physical_id: str, _props: Props) -> Props | None:
    try:
        found = context.client("cloudwatch").get_dashboard(DashboardName=physical_id)
    except ClientError as error:
        if missing(error, "ResourceNotFound", "DashboardNotFoundError"):
            return None
        raise
    return {"DashboardName": physical_id, "DashboardBody": found["DashboardBody"]}


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::CloudWatch::Alarm": Kind(
        read=_read_alarm,
        physical=lambda _context, props: str(props.get("AlarmName") or ""),
        name="AlarmName",
        tags="Tags",
    ),
    "AWS::CloudWatch::Dashboard": Kind(
        read=_read_dashboard,
        physical=lambda _context, props: str(props.get("DashboardName") or ""),
        name="DashboardName",
        unread=frozenset({"Tags"}),
    ),
}
