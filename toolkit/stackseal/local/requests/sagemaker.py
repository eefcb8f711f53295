"""What creating, changing and deleting resources of SageMaker asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Row
from stackseal.local.requests.words import SAR, TAGS, arn, of

ROWS: Final[Mapping[str, Row]] = {
    "AWS::SageMaker::ModelPackageGroup": Row(
        arn=arn("sagemaker", "model-package-group/{ModelPackageGroupName}"),
        sources=(f"{SAR}amazonsagemaker.html",),
        create=(
            *of("sagemaker:CreateModelPackageGroup", tags=True),
            *of("sagemaker:AddTags", when=TAGS, tags=True),
            *of("sagemaker:PutModelPackageGroupPolicy", when=("ModelPackageGroupPolicy",)),
        ),
        read=of("sagemaker:DescribeModelPackageGroup"),
        compare=(
            *of("sagemaker:ListTags", when=TAGS),
            *of("sagemaker:GetModelPackageGroupPolicy", when=("ModelPackageGroupPolicy",)),
        ),
        update=(
            *of("sagemaker:AddTags sagemaker:DeleteTags", when=TAGS, tags=True),
            *of("sagemaker:PutModelPackageGroupPolicy", when=("ModelPackageGroupPolicy",)),
        ),
        delete=of("sagemaker:DeleteModelPackageGroup"),
    ),
}
