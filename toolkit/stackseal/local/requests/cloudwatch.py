"""What creating, changing and deleting resources of CloudWatch asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Row
from stackseal.local.requests.words import SAR, TAGS, arn, of

ROWS: Final[Mapping[str, Row]] = {
    "AWS::CloudWatch::Alarm": Row(
        arn=arn("cloudwatch", "alarm:{id}"),
        sources=(f"{SAR}amazoncloudwatch.html",),
        create=(*of("cloudwatch:PutMetricAlarm", tags=True), *of("cloudwatch:TagResource", when=TAGS, tags=True)),
        read=of("cloudwatch:DescribeAlarms"),
        compare=of("cloudwatch:ListTagsForResource", when=TAGS),
        update=(
            *of("cloudwatch:PutMetricAlarm"),
            *of("cloudwatch:TagResource cloudwatch:UntagResource", when=TAGS, tags=True),
        ),
        delete=of("cloudwatch:DeleteAlarms"),
    ),
    "AWS::CloudWatch::Dashboard": Row(
        arn="arn:{partition}:cloudwatch::{account}:dashboard/{id}",
        sources=(f"{SAR}amazoncloudwatch.html",),
        create=of("cloudwatch:PutDashboard"),
        read=of("cloudwatch:GetDashboard"),
        update=of("cloudwatch:PutDashboard"),
        delete=of("cloudwatch:DeleteDashboards"),
    ),
}
