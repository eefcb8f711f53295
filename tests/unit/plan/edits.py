"""Edits of one property and what AWS documents about them: "Update requires" of the property's page.

Each page is `https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/<page>.html`, the section of the
property. "No interruption" and "Some interruptions" are a Modify without replacement, "Replacement" is one with it.
The resources are complete enough to be deployed, so that the same table can be held against an engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from stackseal.model import Replacement

NEVER, MAYBE, ALWAYS = Replacement.NEVER, Replacement.CONDITIONAL, Replacement.ALWAYS
ROLE = "arn:aws:iam::123456789012:role/existing"
KEY = "arn:aws:kms:us-west-2:123456789012:key/11111111-2222-3333-4444-555555555555"
TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
READ: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}],
}
KEY_POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
STAGES: list[dict[str, Any]] = [
    {
        "Name": "Source",
        "Actions": [
            {
                "Name": "Source",
                "ActionTypeId": {"Category": "Source", "Owner": "AWS", "Provider": "S3", "Version": "1"},
                "Configuration": {"S3Bucket": "source", "S3ObjectKey": "source.zip"},
                "OutputArtifacts": [{"Name": "Source"}],
            }
        ],
    },
    {
        "Name": "Build",
        "Actions": [
            {
                "Name": "Build",
                "ActionTypeId": {"Category": "Build", "Owner": "AWS", "Provider": "CodeBuild", "Version": "1"},
                "Configuration": {"ProjectName": "build"},
                "InputArtifacts": [{"Name": "Source"}],
            }
        ],
    },
]

BASES: Mapping[str, Mapping[str, Any]] = {
    "AWS::CloudWatch::Alarm": {
        "AlarmName": "churn-alarm",
        "Namespace": "Churn",
        "MetricName": "Failures",
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    },
    "AWS::CloudWatch::Dashboard": {"DashboardName": "churn-dashboard", "DashboardBody": '{"widgets":[]}'},
    "AWS::CodeBuild::Project": {
        "Name": "churn-build",
        "ServiceRole": ROLE,
        "Artifacts": {"Type": "NO_ARTIFACTS"},
        "Environment": {
            "Type": "LINUX_CONTAINER",
            "ComputeType": "BUILD_GENERAL1_SMALL",
            "Image": "aws/codebuild/amazonlinux-x86_64-standard:6.0",
        },
        "Source": {"Type": "NO_SOURCE", "BuildSpec": "version: 0.2"},
    },
    "AWS::CodeCommit::Repository": {"RepositoryName": "churn-build", "RepositoryDescription": "Build"},
    "AWS::CodePipeline::Pipeline": {
        "Name": "churn-pipeline",
        "RoleArn": ROLE,
        "ArtifactStore": {"Type": "S3", "Location": "churn-artifacts"},
        "Stages": STAGES,
    },
    "AWS::EC2::SecurityGroup": {
        "GroupDescription": "Endpoints",
        "GroupName": "churn-endpoints",
        "VpcId": "vpc-11111111",
        "SecurityGroupIngress": [
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/16"},
        ],
    },
    "AWS::EC2::VPC": {"CidrBlock": "10.0.0.0/16", "InstanceTenancy": "default"},
    "AWS::EC2::VPCEndpoint": {
        "ServiceName": "com.amazonaws.us-west-2.sagemaker.api",
        "VpcEndpointType": "Interface",
        "VpcId": "vpc-11111111",
        "SubnetIds": ["subnet-11111111"],
        "SecurityGroupIds": ["sg-11111111"],
        "PrivateDnsEnabled": True,
    },
    "AWS::Events::Rule": {
        "Name": "churn-trigger",
        "EventBusName": "default",
        "EventPattern": {"source": ["aws.sagemaker"]},
        "State": "ENABLED",
    },
    "AWS::IAM::ManagedPolicy": {
        "ManagedPolicyName": "churn-build-policy",
        "Description": "Build",
        "Path": "/",
        "PolicyDocument": READ,
    },
    "AWS::IAM::Role": {
        "RoleName": "churn-build-role",
        "Path": "/",
        "Description": "Build",
        "AssumeRolePolicyDocument": TRUST,
        "MaxSessionDuration": 3600,
    },
    "AWS::KMS::Alias": {"AliasName": "alias/churn", "TargetKeyId": KEY},
    "AWS::KMS::Key": {"KeyPolicy": KEY_POLICY, "EnableKeyRotation": True, "KeySpec": "SYMMETRIC_DEFAULT"},
    "AWS::Lambda::Function": {
        "FunctionName": "churn",
        "Role": ROLE,
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Code": {"ZipFile": "def handler(event, context): return 1"},
        "MemorySize": 128,
    },
    "AWS::Logs::LogGroup": {"LogGroupName": "/ml/churn/compliance", "RetentionInDays": 365},
    "AWS::Logs::MetricFilter": {
        "FilterName": "failures",
        "LogGroupName": "/ml/churn/compliance",
        "FilterPattern": "ERROR",
        "MetricTransformations": [{"MetricName": "Failures", "MetricNamespace": "Churn", "MetricValue": "1"}],
    },
    "AWS::S3::Bucket": {
        "BucketName": "churn-artifacts",
        "VersioningConfiguration": {"Status": "Enabled"},
        "Tags": [{"Key": "owner", "Value": "ml"}],
    },
    "AWS::S3::BucketPolicy": {"Bucket": "churn-artifacts", "PolicyDocument": READ},
    "AWS::SNS::Subscription": {
        "TopicArn": "arn:aws:sns:us-west-2:123456789012:churn",
        "Protocol": "email",
        "Endpoint": "ml-alerts@example.com",
    },
    "AWS::SNS::Topic": {"TopicName": "churn-alerts", "DisplayName": "Churn"},
    "AWS::SSM::Parameter": {"Name": "/ml/churn/BucketName", "Type": "String", "Value": "churn-artifacts"},
    "AWS::SageMaker::Domain": {
        "DomainName": "churn",
        "AuthMode": "IAM",
        "VpcId": "vpc-11111111",
        "SubnetIds": ["subnet-11111111"],
        "DefaultUserSettings": {"ExecutionRole": ROLE},
    },
    "AWS::SageMaker::Endpoint": {"EndpointName": "churn", "EndpointConfigName": "churn-1"},
    "AWS::SageMaker::EndpointConfig": {
        "EndpointConfigName": "churn-1",
        "ProductionVariants": [
            {
                "ModelName": "churn-1",
                "VariantName": "AllTraffic",
                "InitialInstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "InitialVariantWeight": 1,
            }
        ],
    },
    "AWS::SageMaker::Model": {
        "ModelName": "churn-1",
        "ExecutionRoleArn": ROLE,
        "PrimaryContainer": {"Image": "123456789012.dkr.ecr.us-west-2.amazonaws.com/churn:1"},
    },
    "AWS::SageMaker::ModelPackageGroup": {
        "ModelPackageGroupName": "churn-models",
        "ModelPackageGroupDescription": "Churn",
    },
    "AWS::SageMaker::NotebookInstance": {
        "NotebookInstanceName": "churn",
        "InstanceType": "ml.t3.medium",
        "RoleArn": ROLE,
        "SubnetId": "subnet-11111111",
    },
    "AWS::SageMaker::UserProfile": {"DomainId": "d-1", "UserProfileName": "ml"},
    "AWS::StepFunctions::StateMachine": {
        "StateMachineName": "churn",
        "StateMachineType": "STANDARD",
        "RoleArn": ROLE,
        "DefinitionString": '{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}',
    },
}
"""A resource of each type before the edit."""


class Edit(NamedTuple):
    """One property of `BASES[type]` set to another value; None removes it."""

    type: str
    property: str
    after: Any
    replacement: Replacement
    page: str

    def __str__(self) -> str:
        return f"{self.type.removeprefix('AWS::')}.{self.property}"


EDITS: tuple[Edit, ...] = (
    Edit("AWS::CloudWatch::Alarm", "AlarmName", "churn-alarm-2", ALWAYS, "aws-resource-cloudwatch-alarm"),
    Edit("AWS::CloudWatch::Alarm", "Threshold", 5, NEVER, "aws-resource-cloudwatch-alarm"),
    Edit("AWS::CloudWatch::Alarm", "Namespace", "Other", NEVER, "aws-resource-cloudwatch-alarm"),
    Edit("AWS::CloudWatch::Dashboard", "DashboardName", "churn-2", ALWAYS, "aws-resource-cloudwatch-dashboard"),
    Edit(
        "AWS::CloudWatch::Dashboard",
        "DashboardBody",
        '{"widgets":[],"periodOverride":"auto"}',
        NEVER,
        "aws-resource-cloudwatch-dashboard",
    ),
    Edit("AWS::CodeBuild::Project", "Name", "churn-build-2", ALWAYS, "aws-resource-codebuild-project"),
    Edit("AWS::CodeBuild::Project", "EncryptionKey", KEY, NEVER, "aws-resource-codebuild-project"),
    Edit("AWS::CodeBuild::Project", "ServiceRole", f"{ROLE}-2", NEVER, "aws-resource-codebuild-project"),
    Edit("AWS::CodeBuild::Project", "TimeoutInMinutes", 30, NEVER, "aws-resource-codebuild-project"),
    Edit("AWS::CodeCommit::Repository", "RepositoryName", "churn-2", NEVER, "aws-resource-codecommit-repository"),
    Edit("AWS::CodeCommit::Repository", "RepositoryDescription", "B", NEVER, "aws-resource-codecommit-repository"),
    Edit("AWS::CodePipeline::Pipeline", "Name", "churn-pipeline-2", ALWAYS, "aws-resource-codepipeline-pipeline"),
    Edit("AWS::CodePipeline::Pipeline", "Stages", STAGES[:1], NEVER, "aws-resource-codepipeline-pipeline"),
    Edit("AWS::CodePipeline::Pipeline", "RoleArn", f"{ROLE}-2", NEVER, "aws-resource-codepipeline-pipeline"),
    Edit("AWS::EC2::SecurityGroup", "GroupDescription", "Endpoint", ALWAYS, "aws-resource-ec2-securitygroup"),
    Edit("AWS::EC2::SecurityGroup", "VpcId", "vpc-22222222", ALWAYS, "aws-resource-ec2-securitygroup"),
    Edit("AWS::EC2::SecurityGroup", "SecurityGroupIngress", [], NEVER, "aws-resource-ec2-securitygroup"),
    Edit("AWS::EC2::VPC", "CidrBlock", "10.1.0.0/16", ALWAYS, "aws-resource-ec2-vpc"),
    Edit("AWS::EC2::VPC", "InstanceTenancy", "dedicated", MAYBE, "aws-resource-ec2-vpc"),
    Edit(
        "AWS::EC2::VPCEndpoint",
        "ServiceName",
        "com.amazonaws.us-west-2.sts",
        ALWAYS,
        "aws-resource-ec2-vpcendpoint",
    ),
    Edit("AWS::EC2::VPCEndpoint", "VpcId", "vpc-22222222", ALWAYS, "aws-resource-ec2-vpcendpoint"),
    Edit("AWS::EC2::VPCEndpoint", "SubnetIds", ["subnet-22222222"], NEVER, "aws-resource-ec2-vpcendpoint"),
    Edit("AWS::EC2::VPCEndpoint", "PolicyDocument", READ, NEVER, "aws-resource-ec2-vpcendpoint"),
    Edit("AWS::Events::Rule", "Name", "churn-trigger-2", ALWAYS, "aws-resource-events-rule"),
    Edit("AWS::Events::Rule", "EventBusName", "other", ALWAYS, "aws-resource-events-rule"),
    Edit("AWS::Events::Rule", "State", "DISABLED", NEVER, "aws-resource-events-rule"),
    Edit("AWS::Events::Rule", "EventPattern", {"source": ["aws.s3"]}, NEVER, "aws-resource-events-rule"),
    Edit("AWS::IAM::ManagedPolicy", "ManagedPolicyName", "churn-2", ALWAYS, "aws-resource-iam-managedpolicy"),
    Edit("AWS::IAM::ManagedPolicy", "Description", "Builds", ALWAYS, "aws-resource-iam-managedpolicy"),
    Edit("AWS::IAM::ManagedPolicy", "PolicyDocument", TRUST, NEVER, "aws-resource-iam-managedpolicy"),
    Edit("AWS::IAM::Role", "RoleName", "churn-role-2", ALWAYS, "aws-resource-iam-role"),
    Edit("AWS::IAM::Role", "Path", "/ml/", ALWAYS, "aws-resource-iam-role"),
    Edit("AWS::IAM::Role", "Description", "Builds", NEVER, "aws-resource-iam-role"),
    Edit("AWS::IAM::Role", "AssumeRolePolicyDocument", READ, NEVER, "aws-resource-iam-role"),
    Edit("AWS::IAM::Role", "MaxSessionDuration", 7200, NEVER, "aws-resource-iam-role"),
    Edit("AWS::KMS::Alias", "AliasName", "alias/churn-2", ALWAYS, "aws-resource-kms-alias"),
    Edit("AWS::KMS::Alias", "TargetKeyId", f"{KEY[:-1]}6", NEVER, "aws-resource-kms-alias"),
    Edit("AWS::KMS::Key", "KeySpec", "RSA_2048", ALWAYS, "aws-resource-kms-key"),
    Edit("AWS::KMS::Key", "EnableKeyRotation", False, NEVER, "aws-resource-kms-key"),
    Edit("AWS::KMS::Key", "KeyPolicy", {**KEY_POLICY, "Id": "key"}, NEVER, "aws-resource-kms-key"),
    Edit("AWS::Lambda::Function", "FunctionName", "churn-2", ALWAYS, "aws-resource-lambda-function"),
    Edit("AWS::Lambda::Function", "MemorySize", 256, NEVER, "aws-resource-lambda-function"),
    Edit("AWS::Logs::LogGroup", "LogGroupName", "/ml/churn/other", ALWAYS, "aws-resource-logs-loggroup"),
    Edit("AWS::Logs::LogGroup", "RetentionInDays", 30, NEVER, "aws-resource-logs-loggroup"),
    Edit("AWS::Logs::LogGroup", "KmsKeyId", KEY, NEVER, "aws-resource-logs-loggroup"),
    Edit("AWS::Logs::MetricFilter", "FilterName", "errors", ALWAYS, "aws-resource-logs-metricfilter"),
    Edit("AWS::Logs::MetricFilter", "LogGroupName", "/other", ALWAYS, "aws-resource-logs-metricfilter"),
    Edit("AWS::Logs::MetricFilter", "FilterPattern", "FATAL", NEVER, "aws-resource-logs-metricfilter"),
    Edit("AWS::S3::Bucket", "BucketName", "churn-artifacts-2", ALWAYS, "aws-resource-s3-bucket"),
    Edit("AWS::S3::Bucket", "VersioningConfiguration", {"Status": "Suspended"}, NEVER, "aws-resource-s3-bucket"),
    Edit("AWS::S3::Bucket", "Tags", [{"Key": "owner", "Value": "x"}], NEVER, "aws-resource-s3-bucket"),
    Edit("AWS::S3::Bucket", "Tags", None, NEVER, "aws-resource-s3-bucket"),
    Edit("AWS::S3::BucketPolicy", "Bucket", "churn-artifacts-2", ALWAYS, "aws-resource-s3-bucketpolicy"),
    Edit("AWS::SNS::Subscription", "Endpoint", "other@example.com", ALWAYS, "aws-resource-sns-subscription"),
    Edit("AWS::SNS::Subscription", "Protocol", "email-json", ALWAYS, "aws-resource-sns-subscription"),
    Edit("AWS::SNS::Subscription", "FilterPolicy", {"a": ["b"]}, NEVER, "aws-resource-sns-subscription"),
    Edit("AWS::SNS::Topic", "TopicName", "churn-alerts-2", ALWAYS, "aws-resource-sns-topic"),
    Edit("AWS::SNS::Topic", "KmsMasterKeyId", "alias/aws/sns", NEVER, "aws-resource-sns-topic"),
    Edit("AWS::SSM::Parameter", "Name", "/ml/churn/Bucket", ALWAYS, "aws-resource-ssm-parameter"),
    Edit("AWS::SSM::Parameter", "Value", "other", NEVER, "aws-resource-ssm-parameter"),
    Edit("AWS::SageMaker::Domain", "DomainName", "churn-2", ALWAYS, "aws-resource-sagemaker-domain"),
    Edit("AWS::SageMaker::Domain", "KmsKeyId", KEY, ALWAYS, "aws-resource-sagemaker-domain"),
    Edit(
        "AWS::SageMaker::Domain",
        "DefaultUserSettings",
        {"ExecutionRole": f"{ROLE}-2"},
        NEVER,
        "aws-resource-sagemaker-domain",
    ),
    Edit("AWS::SageMaker::Endpoint", "EndpointName", "churn-2", ALWAYS, "aws-resource-sagemaker-endpoint"),
    Edit("AWS::SageMaker::Endpoint", "EndpointConfigName", "churn-2", NEVER, "aws-resource-sagemaker-endpoint"),
    Edit(
        "AWS::SageMaker::EndpointConfig",
        "ProductionVariants",
        [
            {
                "ModelName": "churn-1",
                "VariantName": "AllTraffic",
                "InitialInstanceCount": 2,
                "InstanceType": "ml.m5.large",
                "InitialVariantWeight": 1,
            }
        ],
        ALWAYS,
        "aws-resource-sagemaker-endpointconfig",
    ),
    Edit("AWS::SageMaker::EndpointConfig", "KmsKeyId", KEY, ALWAYS, "aws-resource-sagemaker-endpointconfig"),
    Edit("AWS::SageMaker::Model", "ExecutionRoleArn", f"{ROLE}-2", ALWAYS, "aws-resource-sagemaker-model"),
    Edit(
        "AWS::SageMaker::Model",
        "PrimaryContainer",
        {"Image": "123456789012.dkr.ecr.us-west-2.amazonaws.com/churn:2"},
        ALWAYS,
        "aws-resource-sagemaker-model",
    ),
    Edit("AWS::SageMaker::Model", "Tags", [{"Key": "a", "Value": "b"}], NEVER, "aws-resource-sagemaker-model"),
    Edit(
        "AWS::SageMaker::ModelPackageGroup",
        "ModelPackageGroupName",
        "churn-2",
        ALWAYS,
        "aws-resource-sagemaker-modelpackagegroup",
    ),
    Edit(
        "AWS::SageMaker::ModelPackageGroup",
        "ModelPackageGroupDescription",
        "Models",
        ALWAYS,
        "aws-resource-sagemaker-modelpackagegroup",
    ),
    Edit(
        "AWS::SageMaker::ModelPackageGroup",
        "Tags",
        [{"Key": "a", "Value": "b"}],
        NEVER,
        "aws-resource-sagemaker-modelpackagegroup",
    ),
    Edit(
        "AWS::SageMaker::NotebookInstance",
        "SubnetId",
        "subnet-22222222",
        ALWAYS,
        "aws-resource-sagemaker-notebookinstance",
    ),
    Edit(
        "AWS::SageMaker::NotebookInstance",
        "InstanceType",
        "ml.t3.large",
        NEVER,
        "aws-resource-sagemaker-notebookinstance",
    ),
    Edit("AWS::SageMaker::UserProfile", "DomainId", "d-2", ALWAYS, "aws-resource-sagemaker-userprofile"),
    Edit(
        "AWS::SageMaker::UserProfile",
        "UserSettings",
        {"ExecutionRole": ROLE},
        NEVER,
        "aws-resource-sagemaker-userprofile",
    ),
    Edit(
        "AWS::StepFunctions::StateMachine",
        "StateMachineType",
        "EXPRESS",
        ALWAYS,
        "aws-resource-stepfunctions-statemachine",
    ),
    Edit(
        "AWS::StepFunctions::StateMachine",
        "DefinitionString",
        '{"StartAt":"B","States":{"B":{"Type":"Succeed"}}}',
        NEVER,
        "aws-resource-stepfunctions-statemachine",
    ),
    Edit("AWS::StepFunctions::StateMachine", "RoleArn", f"{ROLE}-2", NEVER, "aws-resource-stepfunctions-statemachine"),
)
