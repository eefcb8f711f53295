"""Templates like those of the ML product, made as data, and an IAM evaluator of its own for asking policies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from stackseal.model import Config, Location, Name, Policy, Product, SourceMap, Stack, StackId, Statement, Template
from stackseal.naming import shorten
from stackseal.policy.scene import Scene

ACCOUNT, REGION, SLUG = "111122223333", "us-west-2", "acme-prod-a001-us-west-2-churn-ml"
STACK = StackId(account=ACCOUNT, region=REGION, name=f"{SLUG}-stack")
CONFIG = "configs/churn.yaml"
IAM = "acme-prod-a001-churn"


def arn(service: str, rest: str, *, region: str = REGION) -> str:
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{rest}"


def role_arn(name: str) -> str:
    return arn("iam", f"role/{name}", region="")


def get(logical_id: str, attribute: str = "Arn") -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, attribute]}


def role(name: str, service: str, **properties: Any) -> dict[str, Any]:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}
    return {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "AssumeRolePolicyDocument": trust, **properties}}


def inline(name: str) -> list[dict[str, Any]]:
    return [{"PolicyName": name, "PolicyDocument": {"Statement": []}}]


def parameter(key: str, value: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": f"/ml/{SLUG}/{key}", "Type": "String", "Value": value},
    }


def starter() -> dict[str, Any]:
    """Resources of the smallest tier."""
    return {
        "ModelPackageGroup": {
            "Type": "AWS::SageMaker::ModelPackageGroup",
            "Properties": {"ModelPackageGroupName": f"{SLUG}-models"},
        },
        "ModelBuildRepository": {
            "Type": "AWS::CodeCommit::Repository",
            "Properties": {"RepositoryName": f"{SLUG}-model-build"},
        },
        "BuildProject": {
            "Type": "AWS::CodeBuild::Project",
            "Properties": {
                "Name": f"{SLUG}-build",
                "ServiceRole": get("CodeBuildRole"),
                "Artifacts": {"Type": "CODEPIPELINE"},
                "Source": {"Type": "CODEPIPELINE"},
                "Environment": {"Type": "LINUX_CONTAINER", "Image": "aws/codebuild/standard:7.0", "ComputeType": "S"},
            },
        },
        "BuildPipeline": {
            "Type": "AWS::CodePipeline::Pipeline",
            "Properties": {
                "Name": f"{SLUG}-build-pipeline",
                "RoleArn": get("CodePipelineRole"),
                "ArtifactStore": {"Type": "S3", "Location": {"Ref": "ArtifactsBucket"}},
                "Stages": [
                    {"Name": "Source", "Actions": [{"Name": "Source", "ActionTypeId": {"Category": "Source"}}]},
                ],
            },
        },
        "CodeBuildRole": role(f"{IAM}-codebuild-role", "codebuild.amazonaws.com", Policies=inline("build")),
        "CodePipelineRole": role(
            f"{IAM}-codepipeline-role", ["codepipeline.amazonaws.com", "events.amazonaws.com"], Policies=inline("run")
        ),
        "SageMakerExecutionRole": role(
            f"{IAM}-sagemaker-execution-role", "sagemaker.amazonaws.com", Policies=inline("train")
        ),
        "ArtifactsBucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": f"{SLUG}-artifacts",
                "VersioningConfiguration": {"Status": "Enabled"},
                "PublicAccessBlockConfiguration": {"BlockPublicAcls": True},
            },
        },
        "SsmModelPackageGroupArn": parameter("ModelPackageGroupArn", {"Ref": "ModelPackageGroup"}),
        "SsmRepositoryUrl": parameter("RepositoryUrl", get("ModelBuildRepository", "CloneUrlHttp")),
    }


def professional() -> dict[str, Any]:
    """The middle tier: managed instead of inline policies for the build role, a rule, a dashboard."""
    found = starter()
    del found["CodeBuildRole"]["Properties"]["Policies"]
    found["CodeBuildRole"]["Properties"]["ManagedPolicyArns"] = [{"Ref": "BuildManagedPolicy"}]
    return {
        **found,
        "BuildManagedPolicy": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"ManagedPolicyName": f"{IAM}-build-policy", "PolicyDocument": {"Statement": []}},
        },
        "PipelineTriggerRule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": f"{SLUG}-trigger",
                "EventPattern": {"source": ["aws.sagemaker"]},
                "Targets": [
                    {
                        "Id": "deploy",
                        "Arn": {"Fn::Sub": f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:${{BuildPipeline}}"},
                        "RoleArn": get("CodePipelineRole"),
                    }
                ],
            },
        },
        "Dashboard": {
            "Type": "AWS::CloudWatch::Dashboard",
            "Properties": {"DashboardName": f"{SLUG}-dashboard", "DashboardBody": "{}"},
        },
        "SsmBucketName": parameter("BucketName", {"Ref": "ArtifactsBucket"}),
    }


def enterprise() -> dict[str, Any]:
    """The largest tier: key, endpoints, logs, alarms, topic, and every role under a boundary."""
    found = professional()
    for resource in found.values():
        if resource["Type"] == "AWS::IAM::Role":
            resource["Properties"]["PermissionsBoundary"] = {"Ref": "PermissionBoundary"}
    return {
        **found,
        "PermissionBoundary": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"ManagedPolicyName": f"{IAM}-boundary", "PolicyDocument": {"Statement": []}},
        },
        "KmsKey": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {}, "EnableKeyRotation": True}},
        "KmsKeyAlias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": f"alias/{SLUG}", "TargetKeyId": {"Ref": "KmsKey"}},
        },
        "VpcEndpointSts": {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "VpcEndpointType": "Interface",
                "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.sts"},
                "VpcId": {"Ref": "VpcId"},
                "SubnetIds": {"Ref": "SubnetIds"},
                "SecurityGroupIds": [get("EndpointSecurityGroup", "GroupId")],
            },
        },
        "EndpointSecurityGroup": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {
                "GroupDescription": "endpoints",
                "VpcId": {"Ref": "VpcId"},
                "SecurityGroupIngress": [
                    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/16"}
                ],
            },
        },
        "ComplianceLogGroup": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": f"/ml/{SLUG}/compliance", "RetentionInDays": 365, "KmsKeyId": get("KmsKey")},
        },
        "FailureFilter": {
            "Type": "AWS::Logs::MetricFilter",
            "Properties": {
                "LogGroupName": {"Ref": "ComplianceLogGroup"},
                "FilterPattern": "failed",
                "MetricTransformations": [],
            },
        },
        "FailureAlarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {"AlarmName": f"{SLUG}-failure", "AlarmActions": [{"Ref": "SecurityAlertsTopic"}]},
        },
        "SecurityAlertsTopic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"TopicName": f"{SLUG}-security-alerts", "KmsMasterKeyId": get("KmsKey")},
        },
        "SecurityAlertsSubscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "SecurityAlertsTopic"},
                "Protocol": "email",
                "Endpoint": "a@example.com",
            },
        },
        "SsmKmsKeyArn": parameter("KmsKeyArn", get("KmsKey")),
    }


NETWORK = {
    "VpcId": {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::VPC::Id>", "Default": "/vpc/acme/VPCId"},
    "SubnetIds": {"Type": "AWS::SSM::Parameter::Value<List<AWS::EC2::Subnet::Id>>", "Default": "/vpc/acme/SubnetIds"},
}
NAMES = {
    "BuildProjectName": (f"{SLUG}-build", 150),
    "ModelPackageGroupName": (f"{SLUG}-models", 63),
    "ModelBuildRepositoryName": (f"{SLUG}-model-build", 100),
    "BuildPipelineName": (f"{SLUG}-build-pipeline", 100),
    "CodeBuildRoleName": (f"{IAM}-codebuild-role", 64),
    "CodePipelineRoleName": (f"{IAM}-codepipeline-role", 64),
    "SageMakerExecutionRoleName": (f"{IAM}-sagemaker-execution-role", 50),
    "ArtifactsBucketName": (f"{SLUG}-artifacts", 63),
    "PipelineTriggerRuleName": (f"{SLUG}-trigger", 64),
    "DashboardName": (f"{SLUG}-dashboard", 255),
    "BuildManagedPolicyName": (f"{IAM}-build-policy", 128),
    "PermissionBoundaryName": (f"{IAM}-boundary", 128),
    "KmsKeyAliasName": (f"alias/{SLUG}", 256),
    "SecurityAlertsTopicName": (f"{SLUG}-security-alerts", 256),
}


def stack(resources: Mapping[str, Any], *, test: bool = False) -> Stack:
    published = [
        str(node["Properties"]["Name"]) for node in resources.values() if node["Type"] == "AWS::SSM::Parameter"
    ]
    config = Config(path=CONFIG, data={}, marks={})
    return Stack(
        id=STACK,
        product=Product(name="ml", title="ML", section="ml_product", root=Path("ml"), template="template.yaml.j2"),
        config=config,
        env="prod",
        slug=SLUG,
        scenario="codecommit",
        variant="starter",
        names={
            key: Name(key=key, value=shorten(wanted, limit), wanted=wanted, limit=limit)
            for key, (wanted, limit) in NAMES.items()
        },
        context={},
        tags={"project": "churn"},
        publishes=tuple(published),
        consumes=("/vpc/acme/VPCId",) if "VpcEndpointSts" in resources else (),
        test=test,
    )


def source(resources: Mapping[str, Any]) -> SourceMap:
    """The n-th resource stands on line n of the config."""
    lines = {("Resources", name): Location(path=CONFIG, line=n) for n, name in enumerate(sorted(resources), start=1)}
    return SourceMap(path="t.yaml", lines=(), rendered={}, template={}, config=lines)


def template(resources: Mapping[str, Any], *, test: bool = False, **body: Any) -> Template:
    parameters = NETWORK if "VpcEndpointSts" in resources else {}
    whole = {"Parameters": parameters, "Resources": resources, **body}
    return Template(
        text="",
        body=whole,
        parameters={name: declared["Default"] for name, declared in parameters.items()},
        source=source(resources),
        stack=stack(resources, test=test),
    )


def scene(resources: Mapping[str, Any], parameters: Mapping[str, str] | None = None, **body: Any) -> Scene:
    return Scene({"Resources": resources, **body}, parameters or {}, STACK, source(resources))


def one(resource: Mapping[str, Any], logical_id: str = "Thing") -> Scene:
    return scene({logical_id: resource})


# --- asking a policy --------------------------------------------------------------------------------------------------


def allows(policy: Policy, action: str, resource: str, **context: str) -> bool:
    """What IAM would answer to one request. Keys of the context are written with `_` for `:`."""
    keys = {key.replace("_", ":", 1).lower(): value for key, value in context.items()}
    keys.setdefault("aws:requestedregion", REGION)
    matching = [s for s in policy.statements if _applies(s, action, resource, keys)]
    return any(s.effect == "Allow" for s in matching) and not any(s.effect == "Deny" for s in matching)


def _applies(statement: Statement, action: str, resource: str, keys: Mapping[str, str]) -> bool:
    return (
        any(_like(pattern.lower(), action.lower()) for pattern in statement.actions)
        and any(_like(pattern, resource) for pattern in statement.resources)
        and all(
            key.lower() in keys and any(_like(value, keys[key.lower()]) for value in values)
            for entries in statement.conditions.values()
            for key, values in entries.items()
        )
    )


def _like(pattern: str, text: str) -> bool:
    return pattern == text or _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."))


def pairs(policy: Policy) -> set[tuple[str, str]]:
    """Every action with every resource that the policy allows."""
    return {(a, r) for s in policy.statements if s.effect == "Allow" for a in s.actions for r in s.resources}
