"""What creating, changing and deleting models, endpoint configurations and endpoints asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Pass, Row
from stackseal.local.requests.words import SAR, TAGS, arn, of

_SOURCES: Final = (f"{SAR}amazonsagemaker.html",)

ROWS: Final[Mapping[str, Row]] = {
    "AWS::SageMaker::Model": Row(
        arn="{id}",
        sources=_SOURCES,
        create=(
            *of("sagemaker:CreateModel", on=arn("sagemaker", "model/{ModelName}"), tags=True),
            *of("sagemaker:AddTags", on=arn("sagemaker", "model/{ModelName}"), when=TAGS, tags=True),
        ),
        read=of("sagemaker:DescribeModel"),
        update=of("sagemaker:AddTags sagemaker:DeleteTags", when=TAGS, tags=True),
        delete=of("sagemaker:DeleteModel"),
        passes=(Pass(path=("ExecutionRoleArn",), service="sagemaker.amazonaws.com"),),
    ),
    "AWS::SageMaker::EndpointConfig": Row(
        arn="{id}",
        sources=_SOURCES,
        create=(
            *of(
                "sagemaker:CreateEndpointConfig", on=arn("sagemaker", "endpoint-config/{EndpointConfigName}"), tags=True
            ),
            *of(
                "sagemaker:AddTags",
                on=arn("sagemaker", "endpoint-config/{EndpointConfigName}"),
                when=TAGS,
                tags=True,
            ),
        ),
        read=of("sagemaker:DescribeEndpointConfig"),
        update=of("sagemaker:AddTags sagemaker:DeleteTags", when=TAGS, tags=True),
        delete=of("sagemaker:DeleteEndpointConfig"),
    ),
    "AWS::SageMaker::Endpoint": Row(
        arn=arn("sagemaker", "endpoint/{EndpointName}"),
        sources=_SOURCES,
        create=(
            *of("sagemaker:CreateEndpoint", tags=True),
            *of("sagemaker:AddTags", when=TAGS, tags=True),
        ),
        read=of("sagemaker:DescribeEndpoint"),
        update=(
            *of("sagemaker:UpdateEndpoint", when=("EndpointConfigName",)),
            *of("sagemaker:AddTags sagemaker:DeleteTags", when=TAGS, tags=True),
        ),
        delete=of("sagemaker:DeleteEndpoint"),
    ),
}
