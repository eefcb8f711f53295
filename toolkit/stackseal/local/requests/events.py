"""What creating, changing and deleting resources of EventBridge asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Pass, Row
from stackseal.local.requests.words import OBSERVED, SAR, TAGS, arn, of

ROWS: Final[Mapping[str, Row]] = {
    "AWS::Events::Rule": Row(
        arn=arn("events", "rule/{bus}{id}"),
        sources=(f"{SAR}amazoneventbridge.html", OBSERVED),
        create=(
            *of("events:PutRule", tags=True),
            *of("events:TagResource", tags=True),
            *of("events:PutTargets", when=("Targets",)),
        ),
        read=of("events:DescribeRule"),
        compare=(
            *of("events:ListTargetsByRule", when=("Targets",)),
            *of("events:ListTagsForResource", when=TAGS),
        ),
        update=(
            *of("events:PutRule", when=("Description", "EventPattern", "RoleArn", "ScheduleExpression", "State")),
            *of("events:PutTargets events:RemoveTargets", when=("Targets",)),
            *of("events:TagResource events:UntagResource", when=TAGS, tags=True),
        ),
        delete=(*of("events:RemoveTargets", when=("Targets",)), *of("events:DeleteRule")),
        passes=(
            Pass(path=("RoleArn",), service="events.amazonaws.com"),
            Pass(path=("Targets", "*", "RoleArn"), service="events.amazonaws.com"),
        ),
    ),
}
