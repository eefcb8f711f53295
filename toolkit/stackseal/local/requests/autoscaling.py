"""What creating, changing and deleting resources of Application Auto Scaling asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Pass, Row
from stackseal.local.requests.words import SAR, TAGS, arn, of

_SOURCES: Final = (f"{SAR}awsapplicationautoscaling.html",)

ROWS: Final[Mapping[str, Row]] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": Row(
        arn=arn("application-autoscaling", "scalable-target/{ResourceId}"),
        sources=_SOURCES,
        create=(
            *of("application-autoscaling:RegisterScalableTarget", tags=True),
            *of("application-autoscaling:TagResource", when=TAGS, tags=True),
        ),
        read=of("application-autoscaling:DescribeScalableTargets", on="*"),
        update=(
            *of("application-autoscaling:RegisterScalableTarget", when=("MaxCapacity", "MinCapacity")),
            *of("application-autoscaling:TagResource application-autoscaling:UntagResource", when=TAGS, tags=True),
        ),
        delete=of("application-autoscaling:DeregisterScalableTarget"),
        passes=(Pass(path=("RoleARN",), service="application-autoscaling.amazonaws.com"),),
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": Row(
        # Which target a policy belongs to is known by its id alone, not by the resource.
        arn=arn("application-autoscaling", "scalable-target/*"),
        sources=_SOURCES,
        create=of("application-autoscaling:PutScalingPolicy"),
        read=of("application-autoscaling:DescribeScalingPolicies", on="*"),
        update=of("application-autoscaling:PutScalingPolicy"),
        delete=of("application-autoscaling:DeleteScalingPolicy"),
    ),
}
