"""What creating, changing and deleting resources of SNS asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Row
from stackseal.local.requests.words import OBSERVED, SAR, TAGS, arn, of

ROWS: Final[Mapping[str, Row]] = {
    "AWS::SNS::Subscription": Row(
        arn="{TopicArn}",
        sources=(f"{SAR}amazonsns.html",),
        create=of("sns:Subscribe"),
        read=of("sns:GetSubscriptionAttributes"),
        update=of("sns:SetSubscriptionAttributes"),
        delete=of("sns:Unsubscribe"),
    ),
    "AWS::SNS::Topic": Row(
        arn=arn("sns", "{TopicName}"),
        sources=(f"{SAR}amazonsns.html", OBSERVED),
        create=(
            *of("sns:CreateTopic", tags=True),
            *of("sns:TagResource", when=TAGS, tags=True),
            *of("sns:Subscribe", when=("Subscription",)),
        ),
        read=of("sns:GetTopicAttributes"),
        update=(
            *of("sns:SetTopicAttributes", when=("DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")),
            *of("sns:Subscribe sns:Unsubscribe", when=("Subscription",)),
            *of("sns:TagResource sns:UntagResource", when=TAGS, tags=True),
        ),
        delete=of("sns:DeleteTopic"),
        compare=(
            *of("sns:ListSubscriptionsByTopic", when=("Subscription",)),
            *of("sns:ListTagsForResource", when=TAGS),
        ),
    ),
    "AWS::SNS::TopicPolicy": Row(
        arn="{item}",
        sources=(f"{SAR}amazonsns.html", OBSERVED),
        create=of("sns:SetTopicAttributes", on="{item}", over="Topics"),
        read=of("sns:GetTopicAttributes", on="{item}", over="Topics"),
        update=of("sns:SetTopicAttributes", on="{item}", over="Topics"),
        delete=of("sns:SetTopicAttributes", on="{item}", over="Topics"),
    ),
}
