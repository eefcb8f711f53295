"""The resource types that the embedded AWS knows in full: add one more here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.resources import (
    autoscaling,
    cloudwatch,
    codebuild,
    codecommit,
    codepipeline,
    ec2,
    ec2_network,
    ec2_rules,
    events,
    iam,
    kms,
    logs,
    s3,
    sagemaker,
    sagemaker_hosting,
    sns,
    ssm,
    stepfunctions,
)
from stackseal.local.resources.kind import Kind

REGISTRY: Final[Mapping[str, Kind]] = {
    **autoscaling.KINDS,
    **cloudwatch.KINDS,
    **codebuild.KINDS,
    **codecommit.KINDS,
    **codepipeline.KINDS,
    **ec2.KINDS,
    **ec2_network.KINDS,
    **ec2_rules.KINDS,
    **events.KINDS,
    **iam.KINDS,
    **kms.KINDS,
    **logs.KINDS,
    **s3.KINDS,
    **sagemaker.KINDS,
    **sagemaker_hosting.KINDS,
    **sns.KINDS,
    **ssm.KINDS,
    **stepfunctions.KINDS,
}
"""CloudFormation type -> its handlers and its reader. Every other type is ministack's own and is NOT_CHECKED."""
