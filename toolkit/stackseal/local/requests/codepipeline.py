"""What creating, changing and deleting resources of CodePipeline asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Pass, Row
from stackseal.local.requests.words import SAR, TAGS, arn, of

_CONNECTION: Final = Pass(
    path=("Stages", "*", "Actions", "*", "Configuration", "ConnectionArn"),
    service="codepipeline.amazonaws.com",
    action="codeconnections:PassConnection",
    key="codeconnections:PassedToService",
)

ROWS: Final[Mapping[str, Row]] = {
    "AWS::CodePipeline::Pipeline": Row(
        arn=arn("codepipeline", "{id}"),
        sources=(f"{SAR}awscodepipeline.html", f"{SAR}awscodeconnections.html"),
        create=(
            *of("codepipeline:CreatePipeline", tags=True),
            *of("codepipeline:TagResource", when=TAGS, tags=True),
        ),
        read=of("codepipeline:GetPipeline"),
        compare=of("codepipeline:ListTagsForResource", when=TAGS),
        update=(
            *of("codepipeline:UpdatePipeline"),
            *of("codepipeline:TagResource codepipeline:UntagResource", when=TAGS, tags=True),
        ),
        delete=of("codepipeline:DeletePipeline"),
        passes=(Pass(path=("RoleArn",), service="codepipeline.amazonaws.com"), _CONNECTION),
    ),
}
