"""What creating, changing and deleting resources of Step Functions asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Pass, Row
from stackseal.local.requests.words import SAR, TAGS, arn, of

_CONTENT: Final = (
    "Definition",
    "DefinitionString",
    "DefinitionSubstitutions",
    "LoggingConfiguration",
    "RoleArn",
    "TracingConfiguration",
)

ROWS: Final[Mapping[str, Row]] = {
    "AWS::StepFunctions::StateMachine": Row(
        arn=arn("states", "stateMachine:{StateMachineName}"),
        sources=(f"{SAR}awsstepfunctions.html",),
        create=(
            *of("states:CreateStateMachine", tags=True),
            *of("states:TagResource", when=TAGS, tags=True),
        ),
        read=of("states:DescribeStateMachine states:ListTagsForResource"),
        update=(
            *of("states:UpdateStateMachine", when=_CONTENT),
            *of("states:TagResource states:UntagResource", when=TAGS, tags=True),
        ),
        delete=of("states:DeleteStateMachine"),
        passes=(Pass(path=("RoleArn",), service="states.amazonaws.com"),),
    ),
}
