"""What CloudFormation's handlers ask of IAM, type by type: an independent table that judges generated policies.

Written from the services' API and authorization references (what each call is checked against) and from public
observations of real deployments; never from the permissions that resource schemas declare, which hold more than is
needed, and never from `stackseal.policy`, which is what it judges. Where a call is checked against a class of ARNs
rather than one, the row asks for the one: a policy that allows the class allows it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Row
from stackseal.local.requests import (
    autoscaling,
    cloudwatch,
    codebuild,
    codecommit,
    codepipeline,
    ec2,
    ec2_network,
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

TABLE: Final[Mapping[str, Row]] = {
    **autoscaling.ROWS,
    **cloudwatch.ROWS,
    **codebuild.ROWS,
    **codecommit.ROWS,
    **codepipeline.ROWS,
    **ec2.ROWS,
    **ec2_network.ROWS,
    **events.ROWS,
    **iam.ROWS,
    **kms.ROWS,
    **logs.ROWS,
    **s3.ROWS,
    **sagemaker.ROWS,
    **sagemaker_hosting.ROWS,
    **sns.ROWS,
    **ssm.ROWS,
    **stepfunctions.ROWS,
}
"""CloudFormation type -> its row. A type without a row is not enforced, which `GAPS` says."""
