"""What creating, changing and deleting resources of CloudWatch Logs asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Row
from stackseal.local.requests.words import OBSERVED, SAR, TAGS, arn, of

_GROUP: Final = arn("logs", "log-group:")

ROWS: Final[Mapping[str, Row]] = {
    "AWS::Logs::LogGroup": Row(
        arn=f"{_GROUP}{{id}}:*",
        sources=(f"{SAR}amazoncloudwatchlogs.html", OBSERVED),
        create=(
            *of("logs:CreateLogGroup", tags=True),
            *of("logs:TagResource", when=TAGS, tags=True),
            *of("logs:PutRetentionPolicy", when=("RetentionInDays",)),
        ),
        read=of("logs:DescribeLogGroups"),
        compare=of("logs:ListTagsForResource", when=TAGS),
        update=(
            *of("logs:PutRetentionPolicy", when=("RetentionInDays",)),
            *of("logs:AssociateKmsKey", when=("KmsKeyId",)),
            *of("logs:TagResource logs:UntagResource", when=TAGS, tags=True),
        ),
        delete=of("logs:DeleteLogGroup"),
    ),
    "AWS::Logs::MetricFilter": Row(
        arn=f"{_GROUP}{{LogGroupName}}:*",
        sources=(f"{SAR}amazoncloudwatchlogs.html",),
        create=of("logs:PutMetricFilter"),
        read=of("logs:DescribeMetricFilters"),
        update=of("logs:PutMetricFilter"),
        delete=of("logs:DeleteMetricFilter"),
    ),
}
