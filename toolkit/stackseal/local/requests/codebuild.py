"""What creating, changing and deleting resources of CodeBuild asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Pass, Row
from stackseal.local.requests.words import SAR, arn, of

ROWS: Final[Mapping[str, Row]] = {
    "AWS::CodeBuild::Project": Row(
        arn=arn("codebuild", "project/{id}"),
        sources=(f"{SAR}awscodebuild.html",),
        create=(
            *of("codebuild:CreateProject"),
            *of("codebuild:UpdateProjectVisibility", when=("Visibility",)),
        ),
        read=of("codebuild:BatchGetProjects"),
        update=(
            *of("codebuild:UpdateProject"),
            *of("codebuild:UpdateProjectVisibility", when=("Visibility",)),
        ),
        delete=of("codebuild:DeleteProject"),
        passes=(Pass(path=("ServiceRole",), service="codebuild.amazonaws.com"),),
    ),
}
