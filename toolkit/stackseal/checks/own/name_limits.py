"""Physical names fit what AWS accepts, parameters resolved."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from stackseal.checks.base import finding
from stackseal.checks.values import UNKNOWN, resources, text
from stackseal.model import Finding, Level, Template

ID: Final = "name-limits"
LEVEL: Final = Level.ERROR
TITLE: Final = "Physical names fit the lengths and patterns that AWS accepts"
HELP: Final = """\
A name that is too long or holds a character that the service refuses fails in the middle of a deployment.
cfn-lint judges names that are written out; this check also judges names that come from parameters.

Shorten the config's values that the name is made of, or let the product shorten it (`names` in `product.yaml`).
"""


class Limit(NamedTuple):
    """What a service accepts as the value of one property."""

    property: str
    longest: int
    pattern: str = r"[\s\S]*"
    shortest: int = 1


_SAGEMAKER: Final = r"[a-zA-Z0-9](-*[a-zA-Z0-9])*"
_REPOSITORY: Final = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_IAM: Final = r"[\w+=,.@-]+"
LIMITS: Final[dict[str, Limit]] = {
    "AWS::CloudWatch::Alarm": Limit("AlarmName", 255),
    "AWS::CloudWatch::Dashboard": Limit("DashboardName", 255, r"[\w-]+"),
    "AWS::CodeBuild::Project": Limit("Name", 150, r"[A-Za-z0-9][\w-]+", 2),
    "AWS::CodeCommit::Repository": Limit("RepositoryName", 100, r"(?!.*\.git$)[\w.-]+"),
    "AWS::CodePipeline::Pipeline": Limit("Name", 100, r"[A-Za-z0-9.@_-]+"),
    "AWS::ECR::Repository": Limit("RepositoryName", 256, rf"{_REPOSITORY}(/{_REPOSITORY})*", 2),
    "AWS::Events::Rule": Limit("Name", 64, r"[.\w-]+"),
    "AWS::IAM::InstanceProfile": Limit("InstanceProfileName", 128, _IAM),
    "AWS::IAM::ManagedPolicy": Limit("ManagedPolicyName", 128, _IAM),
    "AWS::IAM::Role": Limit("RoleName", 64, _IAM),
    "AWS::KMS::Alias": Limit("AliasName", 256, r"alias/(?!aws/)[a-zA-Z0-9:/_-]+"),
    "AWS::Lambda::Function": Limit("FunctionName", 64, r"[a-zA-Z0-9_-]+"),
    "AWS::Logs::LogGroup": Limit("LogGroupName", 512, r"[.\-_/#A-Za-z0-9]+"),
    "AWS::S3::Bucket": Limit("BucketName", 63, r"(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9]([a-z0-9-]|\.(?!\.))*[a-z0-9]", 3),
    "AWS::SNS::Topic": Limit("TopicName", 256, r"[\w-]+(\.fifo)?"),
    "AWS::SQS::Queue": Limit("QueueName", 80, r"[\w-]+(\.fifo)?"),
    "AWS::SSM::Parameter": Limit("Name", 1011, r"(?!/?(?i:aws|ssm)\b)[a-zA-Z0-9_./-]+"),
    "AWS::SageMaker::Endpoint": Limit("EndpointName", 63, _SAGEMAKER),
    "AWS::SageMaker::EndpointConfig": Limit("EndpointConfigName", 63, _SAGEMAKER),
    "AWS::SageMaker::Model": Limit("ModelName", 63, _SAGEMAKER),
    "AWS::SageMaker::ModelPackageGroup": Limit("ModelPackageGroupName", 63, _SAGEMAKER),
    "AWS::SageMaker::NotebookInstance": Limit("NotebookInstanceName", 63, _SAGEMAKER),
    "AWS::SageMaker::Pipeline": Limit("PipelineName", 256, _SAGEMAKER),
    "AWS::SageMaker::Project": Limit("ProjectName", 32, _SAGEMAKER),
    "AWS::StepFunctions::StateMachine": Limit("StateMachineName", 80, r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/]+"),
}
"""From the API references of the services (the constraints of each create operation's name). An ARN counts in a
parameter's 2,048 characters, which leaves a name 1,011."""


def check(template: Template) -> Iterator[Finding]:
    """Names that are known before the deployment, and the product's computed names."""
    for resource in resources(template, *LIMITS):
        limit = LIMITS[resource.type]
        if limit.property not in resource.properties:
            continue
        name = text(template, resource.properties[limit.property])
        if UNKNOWN not in name and (problem := _problem(name, limit)):
            path = (*resource.path, "Properties", limit.property)
            yield finding(template, path, f"The name {name!r} {problem}.", check=ID, level=LEVEL)
    for computed in template.stack.names.values() if template.stack else ():
        if len(computed.value) > computed.limit:
            problem = _too_long(computed.value, computed.limit)
            message = f"The computed name {computed.key} = {computed.value!r} {problem}."
            yield finding(template, (), message, check=ID, level=LEVEL)


def _problem(name: str, limit: Limit) -> str:
    if len(name) > limit.longest:
        return _too_long(name, limit.longest)
    if len(name) < limit.shortest:
        return f"has {len(name)} characters, the service wants at least {limit.shortest}"
    if not re.fullmatch(limit.pattern, name):
        return f"holds what the service refuses in {limit.property}; it wants {limit.pattern}"
    return ""


def _too_long(name: str, limit: int) -> str:
    return f"has {len(name)} characters, the service takes {limit}"
