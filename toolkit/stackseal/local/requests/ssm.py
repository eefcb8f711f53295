"""What creating, changing and deleting resources of Systems Manager asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Row
from stackseal.local.requests.words import SAR, TAGS, arn, of

ROWS: Final[Mapping[str, Row]] = {
    "AWS::SSM::Parameter": Row(
        arn=arn("ssm", "parameter/{bare}"),
        sources=(f"{SAR}awssystemsmanager.html",),
        create=(*of("ssm:PutParameter", tags=True), *of("ssm:AddTagsToResource", when=TAGS, tags=True)),
        read=of("ssm:GetParameters"),
        compare=of("ssm:ListTagsForResource", when=TAGS),
        update=(
            *of("ssm:PutParameter", when=("AllowedPattern", "DataType", "Description", "Policies", "Tier", "Value")),
            *of("ssm:AddTagsToResource ssm:RemoveTagsFromResource", when=TAGS, tags=True),
        ),
        delete=of("ssm:DeleteParameter"),
    ),
}
