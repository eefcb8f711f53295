"""What creating, changing and deleting resources of KMS asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Row
from stackseal.local.requests.words import SAR, TAGS, arn, of

ROWS: Final[Mapping[str, Row]] = {
    "AWS::KMS::Alias": Row(
        arn=arn("kms", "{AliasName}"),
        sources=(f"{SAR}awskeymanagementservice.html",),
        # An alias is checked on both sides: on itself and on its key.
        create=(*of("kms:CreateAlias"), *of("kms:CreateAlias", on="{key}")),
        read=of("kms:ListAliases", on="*"),
        update=(*of("kms:UpdateAlias"), *of("kms:UpdateAlias", on="{key}")),
        delete=(*of("kms:DeleteAlias"), *of("kms:DeleteAlias", on="{key}")),
    ),
    "AWS::KMS::Key": Row(
        arn=arn("kms", "key/{id}"),
        sources=(f"{SAR}awskeymanagementservice.html",),
        create=(
            *of("kms:CreateKey", on="*", tags=True),
            *of("kms:TagResource", when=TAGS, tags=True),
            *of("kms:EnableKeyRotation", when=("EnableKeyRotation",)),
        ),
        read=of("kms:DescribeKey"),
        compare=(
            *of("kms:GetKeyPolicy", when=("KeyPolicy",)),
            *of("kms:GetKeyRotationStatus", when=("EnableKeyRotation",)),
            *of("kms:ListResourceTags", when=TAGS),
        ),
        update=(
            *of("kms:UpdateKeyDescription", when=("Description",)),
            *of("kms:PutKeyPolicy", when=("KeyPolicy",)),
            *of("kms:EnableKeyRotation", when=("EnableKeyRotation", "RotationPeriodInDays")),
            *of("kms:TagResource kms:UntagResource", when=TAGS, tags=True),
        ),
        delete=of("kms:DescribeKey kms:ScheduleKeyDeletion"),
    ),
}
