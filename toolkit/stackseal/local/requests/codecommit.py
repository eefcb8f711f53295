"""What creating, changing and deleting resources of CodeCommit asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Row
from stackseal.local.requests.words import SAR, TAGS, arn, of

ROWS: Final[Mapping[str, Row]] = {
    "AWS::CodeCommit::Repository": Row(
        arn=arn("codecommit", "{RepositoryName}"),
        sources=(f"{SAR}awscodecommit.html",),
        create=(
            *of("codecommit:CreateRepository", tags=True),
            *of("codecommit:TagResource", when=TAGS, tags=True),
            *of("codecommit:PutRepositoryTriggers", when=("Triggers",)),
        ),
        read=of("codecommit:GetRepository"),
        compare=(
            *of("codecommit:GetRepositoryTriggers", when=("Triggers",)),
            *of("codecommit:ListTagsForResource", when=TAGS),
        ),
        update=(
            *of("codecommit:UpdateRepositoryName", when=("RepositoryName",)),
            *of("codecommit:UpdateRepositoryDescription", when=("RepositoryDescription",)),
            *of("codecommit:UpdateRepositoryEncryptionKey", when=("KmsKeyId",)),
            *of("codecommit:PutRepositoryTriggers", when=("Triggers",)),
            *of("codecommit:TagResource codecommit:UntagResource", when=TAGS, tags=True),
        ),
        delete=of("codecommit:DeleteRepository"),
    ),
}
