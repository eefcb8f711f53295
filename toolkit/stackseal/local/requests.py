"""What CloudFormation's handlers ask of IAM, type by type: an independent table that judges generated policies.

Written from the services' API and authorization references (what each call is checked against) and from public
observations of real deployments; never from the permissions that resource schemas declare, which hold more than is
needed, and never from `stackseal.policy`, which is what it judges. Where a call is checked against a class of ARNs
rather than one, the row asks for the one: a policy that allows the class allows it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Need, Pass, Row

_SAR: Final = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_"
_OBSERVED: Final = "https://github.com/abefarris/cfn-least-privilege (denials of real deployments, Apache-2.0)"
_TAGS: Final = ("Tags",)


def _arn(service: str, resource: str) -> str:
    return f"arn:{{partition}}:{service}:{{region}}:{{account}}:{resource}"


def _of(actions: str, **more: object) -> tuple[Need, ...]:
    return tuple(Need(action=action, **more) for action in actions.split())  # type: ignore[arg-type]  # fields of Need


_BUCKET: Final = "arn:{partition}:s3:::"
_GROUP: Final = _arn("logs", "log-group:")
_EC2: Final = {
    "vpc": _arn("ec2", "vpc/{VpcId}"),
    "subnets": _arn("ec2", "subnet/{item}"),
    "groups": _arn("ec2", "security-group/{item}"),
    "tables": _arn("ec2", "route-table/{item}"),
}


def _ec2(kind: str, action: str) -> tuple[Need, ...]:
    """Creation is checked against a resource that has no id yet, and its tags in the same call."""
    return (
        Need(action=f"ec2:Create{action}", on=_arn("ec2", f"{kind}/*"), tags=True),
        Need(
            action="ec2:CreateTags",
            on=_arn("ec2", f"{kind}/*"),
            when=_TAGS,
            context={"ec2:CreateAction": f"Create{action}"},
            tags=True,
        ),
    )


_RETAGGED: Final = _of("ec2:CreateTags ec2:DeleteTags", when=_TAGS)

TABLE: Final[Mapping[str, Row]] = {
    "AWS::CloudWatch::Alarm": Row(
        arn=_arn("cloudwatch", "alarm:{id}"),
        sources=(f"{_SAR}amazoncloudwatch.html",),
        create=(*_of("cloudwatch:PutMetricAlarm", tags=True), *_of("cloudwatch:TagResource", when=_TAGS, tags=True)),
        read=_of("cloudwatch:DescribeAlarms"),
        update=(
            *_of("cloudwatch:PutMetricAlarm"),
            *_of("cloudwatch:TagResource cloudwatch:UntagResource", when=_TAGS, tags=True),
        ),
        delete=_of("cloudwatch:DeleteAlarms"),
    ),
    "AWS::CloudWatch::Dashboard": Row(
        arn="arn:{partition}:cloudwatch::{account}:dashboard/{id}",
        sources=(f"{_SAR}amazoncloudwatch.html",),
        create=_of("cloudwatch:PutDashboard"),
        read=_of("cloudwatch:GetDashboard"),
        update=_of("cloudwatch:PutDashboard"),
        delete=_of("cloudwatch:DeleteDashboards"),
    ),
    "AWS::CodeBuild::Project": Row(
        arn=_arn("codebuild", "project/{id}"),
        sources=(f"{_SAR}awscodebuild.html",),
        create=(
            *_of("codebuild:CreateProject"),
            *_of("codebuild:UpdateProjectVisibility", when=("Visibility",)),
        ),
        read=_of("codebuild:BatchGetProjects"),
        update=(
            *_of("codebuild:UpdateProject"),
            *_of("codebuild:UpdateProjectVisibility", when=("Visibility",)),
        ),
        delete=_of("codebuild:DeleteProject"),
        passes=(Pass(path=("ServiceRole",), service="codebuild.amazonaws.com"),),
    ),
    "AWS::CodeCommit::Repository": Row(
        arn=_arn("codecommit", "{RepositoryName}"),
        sources=(f"{_SAR}awscodecommit.html",),
        create=(
            *_of("codecommit:CreateRepository", tags=True),
            *_of("codecommit:TagResource", when=_TAGS, tags=True),
            *_of("codecommit:PutRepositoryTriggers", when=("Triggers",)),
        ),
        read=_of("codecommit:GetRepository"),
        update=(
            *_of("codecommit:UpdateRepositoryName", when=("RepositoryName",)),
            *_of("codecommit:UpdateRepositoryDescription", when=("RepositoryDescription",)),
            *_of("codecommit:UpdateRepositoryEncryptionKey", when=("KmsKeyId",)),
            *_of("codecommit:PutRepositoryTriggers", when=("Triggers",)),
            *_of("codecommit:TagResource codecommit:UntagResource", when=_TAGS, tags=True),
        ),
        delete=_of("codecommit:DeleteRepository"),
    ),
    "AWS::CodePipeline::Pipeline": Row(
        arn=_arn("codepipeline", "{id}"),
        sources=(f"{_SAR}awscodepipeline.html",),
        create=(
            *_of("codepipeline:CreatePipeline", tags=True),
            *_of("codepipeline:TagResource", when=_TAGS, tags=True),
        ),
        read=_of("codepipeline:GetPipeline"),
        update=(
            *_of("codepipeline:UpdatePipeline"),
            *_of("codepipeline:TagResource codepipeline:UntagResource", when=_TAGS, tags=True),
        ),
        delete=_of("codepipeline:DeletePipeline"),
        passes=(Pass(path=("RoleArn",), service="codepipeline.amazonaws.com"),),
    ),
    "AWS::EC2::RouteTable": Row(
        arn=_arn("ec2", "route-table/{id}"),
        sources=(f"{_SAR}amazonec2.html",),
        create=(*_ec2("route-table", "RouteTable"), *_of("ec2:CreateRouteTable", on=_EC2["vpc"])),
        read=_of("ec2:DescribeRouteTables", on="*"),
        update=_RETAGGED,
        delete=_of("ec2:DeleteRouteTable"),
    ),
    "AWS::EC2::SecurityGroup": Row(
        arn=_arn("ec2", "security-group/{id}"),
        sources=(f"{_SAR}amazonec2.html",),
        create=(
            *_ec2("security-group", "SecurityGroup"),
            *_of("ec2:CreateSecurityGroup", on=_EC2["vpc"], when=("VpcId",)),
            *_of("ec2:AuthorizeSecurityGroupIngress", when=("SecurityGroupIngress",)),
            # A new group lets everything out until its own rules replace that one.
            *_of("ec2:AuthorizeSecurityGroupEgress ec2:RevokeSecurityGroupEgress", when=("SecurityGroupEgress",)),
        ),
        read=_of("ec2:DescribeSecurityGroups", on="*"),
        update=(
            *_of("ec2:AuthorizeSecurityGroupIngress ec2:RevokeSecurityGroupIngress", when=("SecurityGroupIngress",)),
            *_of("ec2:AuthorizeSecurityGroupEgress ec2:RevokeSecurityGroupEgress", when=("SecurityGroupEgress",)),
            *_RETAGGED,
        ),
        delete=_of("ec2:DeleteSecurityGroup"),
    ),
    "AWS::EC2::Subnet": Row(
        arn=_arn("ec2", "subnet/{id}"),
        sources=(f"{_SAR}amazonec2.html",),
        create=(
            *_ec2("subnet", "Subnet"),
            *_of("ec2:CreateSubnet", on=_EC2["vpc"]),
            *_of("ec2:ModifySubnetAttribute", when=("MapPublicIpOnLaunch",)),
        ),
        read=_of("ec2:DescribeSubnets", on="*"),
        update=(*_of("ec2:ModifySubnetAttribute", when=("MapPublicIpOnLaunch",)), *_RETAGGED),
        delete=_of("ec2:DeleteSubnet"),
    ),
    "AWS::EC2::VPC": Row(
        arn=_arn("ec2", "vpc/{id}"),
        sources=(f"{_SAR}amazonec2.html",),
        create=(
            *_ec2("vpc", "Vpc"),
            *_of("ec2:ModifyVpcAttribute", when=("EnableDnsSupport", "EnableDnsHostnames")),
        ),
        read=_of("ec2:DescribeVpcs", on="*"),
        update=(*_of("ec2:ModifyVpcAttribute", when=("EnableDnsSupport", "EnableDnsHostnames")), *_RETAGGED),
        delete=_of("ec2:DeleteVpc"),
    ),
    "AWS::EC2::VPCEndpoint": Row(
        arn=_arn("ec2", "vpc-endpoint/{id}"),
        sources=(f"{_SAR}amazonec2.html",),
        create=(
            *_ec2("vpc-endpoint", "VpcEndpoint"),
            *_of("ec2:CreateVpcEndpoint", on=_EC2["vpc"]),
            *_of("ec2:CreateVpcEndpoint", on=_EC2["subnets"], over="SubnetIds"),
            *_of("ec2:CreateVpcEndpoint", on=_EC2["groups"], over="SecurityGroupIds"),
            *_of("ec2:CreateVpcEndpoint", on=_EC2["tables"], over="RouteTableIds"),
        ),
        read=_of("ec2:DescribeVpcEndpoints", on="*"),
        update=(
            *_of(
                "ec2:ModifyVpcEndpoint",
                when=("PolicyDocument", "PrivateDnsEnabled", "RouteTableIds", "SecurityGroupIds", "SubnetIds"),
            ),
            *_of("ec2:ModifyVpcEndpoint", on=_EC2["subnets"], over="SubnetIds", when=("SubnetIds",)),
            *_of("ec2:ModifyVpcEndpoint", on=_EC2["groups"], over="SecurityGroupIds", when=("SecurityGroupIds",)),
            *_of("ec2:ModifyVpcEndpoint", on=_EC2["tables"], over="RouteTableIds", when=("RouteTableIds",)),
            *_RETAGGED,
        ),
        delete=_of("ec2:DeleteVpcEndpoints"),
    ),
    "AWS::Events::Rule": Row(
        arn=_arn("events", "rule/{bus}{id}"),
        sources=(f"{_SAR}amazoneventbridge.html", _OBSERVED),
        create=(
            *_of("events:PutRule", tags=True),
            *_of("events:TagResource", tags=True),
            *_of("events:PutTargets", when=("Targets",)),
        ),
        read=_of("events:DescribeRule"),
        update=(
            *_of("events:PutRule", when=("Description", "EventPattern", "RoleArn", "ScheduleExpression", "State")),
            *_of("events:PutTargets events:RemoveTargets", when=("Targets",)),
            *_of("events:TagResource events:UntagResource", when=_TAGS, tags=True),
        ),
        delete=(*_of("events:RemoveTargets", when=("Targets",)), *_of("events:DeleteRule")),
        passes=(
            Pass(path=("RoleArn",), service="events.amazonaws.com"),
            Pass(path=("Targets", "*", "RoleArn"), service="events.amazonaws.com"),
        ),
    ),
    "AWS::IAM::ManagedPolicy": Row(
        arn="arn:{partition}:iam::{account}:policy{path}{ManagedPolicyName}",
        sources=(f"{_SAR}awsidentityandaccessmanagementiam.html", _OBSERVED),
        create=(
            *_of("iam:CreatePolicy"),
            *_of("iam:AttachRolePolicy", on="{role}", over="Roles", context={"iam:PolicyARN": "{arn}"}),
        ),
        read=_of("iam:GetPolicy iam:GetPolicyVersion"),
        update=(
            *_of("iam:CreatePolicyVersion iam:ListPolicyVersions", when=("PolicyDocument",)),
            *_of(
                "iam:AttachRolePolicy", on="{role}", over="Roles", when=("Roles",), context={"iam:PolicyARN": "{arn}"}
            ),
            *_of(
                "iam:DetachRolePolicy", on="{role}", over="Roles", when=("Roles",), context={"iam:PolicyARN": "{arn}"}
            ),
        ),
        delete=(
            *_of("iam:DetachRolePolicy", on="{role}", over="Roles", context={"iam:PolicyARN": "{arn}"}),
            *_of("iam:ListPolicyVersions iam:DeletePolicy"),
        ),
    ),
    "AWS::IAM::Role": Row(
        arn="arn:{partition}:iam::{account}:role{path}{id}",
        sources=(f"{_SAR}awsidentityandaccessmanagementiam.html", _OBSERVED),
        create=(
            *_of("iam:CreateRole", context={"iam:PermissionsBoundary": "{boundary}"}, tags=True),
            *_of("iam:TagRole", when=_TAGS, tags=True),
            *_of("iam:PutRolePolicy", when=("Policies",), context={"iam:PermissionsBoundary": "{boundary}"}),
            *_of(
                "iam:AttachRolePolicy",
                over="ManagedPolicyArns",
                context={"iam:PolicyARN": "{item}", "iam:PermissionsBoundary": "{boundary}"},
            ),
        ),
        read=_of("iam:GetRole"),
        update=(
            *_of("iam:UpdateAssumeRolePolicy", when=("AssumeRolePolicyDocument",)),
            *_of("iam:UpdateRole", when=("Description", "MaxSessionDuration")),
            *_of(
                "iam:PutRolePermissionsBoundary",
                when=("PermissionsBoundary",),
                context={"iam:PermissionsBoundary": "{boundary}"},
            ),
            *_of("iam:PutRolePolicy", when=("Policies",), context={"iam:PermissionsBoundary": "{boundary}"}),
            *_of(
                "iam:AttachRolePolicy iam:DetachRolePolicy",
                over="ManagedPolicyArns",
                when=("ManagedPolicyArns",),
                context={"iam:PolicyARN": "{item}", "iam:PermissionsBoundary": "{boundary}"},
            ),
            *_of("iam:TagRole iam:UntagRole", when=_TAGS, tags=True),
        ),
        delete=(
            *_of("iam:DeleteRolePolicy", when=("Policies",)),
            *_of("iam:DetachRolePolicy", over="ManagedPolicyArns", context={"iam:PolicyARN": "{item}"}),
            *_of("iam:DeleteRole"),
        ),
    ),
    "AWS::KMS::Alias": Row(
        arn=_arn("kms", "{AliasName}"),
        sources=(f"{_SAR}awskeymanagementservice.html",),
        # An alias is checked on both sides: on itself and on its key.
        create=(*_of("kms:CreateAlias"), *_of("kms:CreateAlias", on="{key}")),
        read=_of("kms:ListAliases", on="*"),
        update=(*_of("kms:UpdateAlias"), *_of("kms:UpdateAlias", on="{key}")),
        delete=(*_of("kms:DeleteAlias"), *_of("kms:DeleteAlias", on="{key}")),
    ),
    "AWS::KMS::Key": Row(
        arn=_arn("kms", "key/{id}"),
        sources=(f"{_SAR}awskeymanagementservice.html",),
        create=(
            *_of("kms:CreateKey", on="*", tags=True),
            *_of("kms:TagResource", when=_TAGS, tags=True),
            *_of("kms:EnableKeyRotation", when=("EnableKeyRotation",)),
        ),
        read=_of("kms:DescribeKey"),
        update=(
            *_of("kms:UpdateKeyDescription", when=("Description",)),
            *_of("kms:PutKeyPolicy", when=("KeyPolicy",)),
            *_of("kms:EnableKeyRotation", when=("EnableKeyRotation", "RotationPeriodInDays")),
            *_of("kms:TagResource kms:UntagResource", when=_TAGS, tags=True),
        ),
        delete=_of("kms:DescribeKey kms:ScheduleKeyDeletion"),
    ),
    "AWS::Logs::LogGroup": Row(
        arn=f"{_GROUP}{{id}}:*",
        sources=(f"{_SAR}amazoncloudwatchlogs.html", _OBSERVED),
        create=(
            *_of("logs:CreateLogGroup", tags=True),
            *_of("logs:TagResource", when=_TAGS, tags=True),
            *_of("logs:PutRetentionPolicy", when=("RetentionInDays",)),
        ),
        read=_of("logs:DescribeLogGroups"),
        update=(
            *_of("logs:PutRetentionPolicy", when=("RetentionInDays",)),
            *_of("logs:AssociateKmsKey", when=("KmsKeyId",)),
            *_of("logs:TagResource logs:UntagResource", when=_TAGS, tags=True),
        ),
        delete=_of("logs:DeleteLogGroup"),
    ),
    "AWS::Logs::MetricFilter": Row(
        arn=f"{_GROUP}{{LogGroupName}}:*",
        sources=(f"{_SAR}amazoncloudwatchlogs.html",),
        create=_of("logs:PutMetricFilter"),
        read=_of("logs:DescribeMetricFilters"),
        update=_of("logs:PutMetricFilter"),
        delete=_of("logs:DeleteMetricFilter"),
    ),
    "AWS::S3::Bucket": Row(
        arn=f"{_BUCKET}{{id}}",
        sources=(f"{_SAR}amazons3.html", _OBSERVED),
        create=(
            *_of("s3:CreateBucket"),
            # CloudFormation tags every bucket with its stack, in the call that makes it.
            *_of("s3:TagResource", tags=True),
            *_of("s3:PutBucketTagging", when=_TAGS),
            *_of("s3:PutEncryptionConfiguration", when=("BucketEncryption",)),
            *_of("s3:PutBucketVersioning", when=("VersioningConfiguration",)),
            *_of("s3:PutBucketPublicAccessBlock", when=("PublicAccessBlockConfiguration",)),
            *_of("s3:PutBucketOwnershipControls", when=("OwnershipControls",)),
            *_of("s3:PutLifecycleConfiguration", when=("LifecycleConfiguration",)),
            *_of("s3:PutBucketLogging", when=("LoggingConfiguration",)),
            *_of("s3:PutBucketCORS", when=("CorsConfiguration",)),
            *_of("s3:PutBucketNotification", when=("NotificationConfiguration",)),
        ),
        read=(
            *_of("s3:GetEncryptionConfiguration", when=("BucketEncryption",)),
            *_of("s3:GetBucketVersioning", when=("VersioningConfiguration",)),
            *_of("s3:GetBucketPublicAccessBlock", when=("PublicAccessBlockConfiguration",)),
            *_of("s3:GetBucketOwnershipControls", when=("OwnershipControls",)),
            *_of("s3:GetLifecycleConfiguration", when=("LifecycleConfiguration",)),
            *_of("s3:GetBucketLogging", when=("LoggingConfiguration",)),
        ),
        update=(
            *_of("s3:PutBucketTagging", when=_TAGS),
            *_of("s3:PutEncryptionConfiguration", when=("BucketEncryption",)),
            *_of("s3:PutBucketVersioning", when=("VersioningConfiguration",)),
            *_of("s3:PutBucketPublicAccessBlock", when=("PublicAccessBlockConfiguration",)),
            *_of("s3:PutBucketOwnershipControls", when=("OwnershipControls",)),
            *_of("s3:PutLifecycleConfiguration", when=("LifecycleConfiguration",)),
            *_of("s3:PutBucketLogging", when=("LoggingConfiguration",)),
            *_of("s3:PutBucketCORS", when=("CorsConfiguration",)),
            *_of("s3:PutBucketNotification", when=("NotificationConfiguration",)),
        ),
        delete=_of("s3:DeleteBucket"),
    ),
    "AWS::S3::BucketPolicy": Row(
        arn=f"{_BUCKET}{{Bucket}}",
        sources=(f"{_SAR}amazons3.html", _OBSERVED),
        create=_of("s3:PutBucketPolicy"),
        read=_of("s3:GetBucketPolicy"),
        update=_of("s3:PutBucketPolicy"),
        delete=_of("s3:DeleteBucketPolicy"),
    ),
    "AWS::SNS::Subscription": Row(
        arn="{TopicArn}",
        sources=(f"{_SAR}amazonsns.html",),
        create=_of("sns:Subscribe"),
        read=_of("sns:GetSubscriptionAttributes"),
        update=_of("sns:SetSubscriptionAttributes"),
        delete=_of("sns:Unsubscribe"),
    ),
    "AWS::SNS::Topic": Row(
        arn=_arn("sns", "{TopicName}"),
        sources=(f"{_SAR}amazonsns.html", _OBSERVED),
        create=(
            *_of("sns:CreateTopic", tags=True),
            *_of("sns:TagResource", when=_TAGS, tags=True),
            *_of("sns:Subscribe", when=("Subscription",)),
        ),
        read=_of("sns:GetTopicAttributes"),
        update=(
            *_of("sns:SetTopicAttributes", when=("DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")),
            *_of("sns:Subscribe sns:Unsubscribe", when=("Subscription",)),
            *_of("sns:TagResource sns:UntagResource", when=_TAGS, tags=True),
        ),
        delete=_of("sns:DeleteTopic"),
    ),
    "AWS::SNS::TopicPolicy": Row(
        arn="{item}",
        sources=(f"{_SAR}amazonsns.html", _OBSERVED),
        create=_of("sns:SetTopicAttributes", on="{item}", over="Topics"),
        read=_of("sns:GetTopicAttributes", on="{item}", over="Topics"),
        update=_of("sns:SetTopicAttributes", on="{item}", over="Topics"),
        delete=_of("sns:SetTopicAttributes", on="{item}", over="Topics"),
    ),
    "AWS::SSM::Parameter": Row(
        arn=_arn("ssm", "parameter/{bare}"),
        sources=(f"{_SAR}awssystemsmanager.html",),
        create=(*_of("ssm:PutParameter", tags=True), *_of("ssm:AddTagsToResource", when=_TAGS, tags=True)),
        read=_of("ssm:GetParameters"),
        update=(
            *_of("ssm:PutParameter", when=("AllowedPattern", "DataType", "Description", "Policies", "Tier", "Value")),
            *_of("ssm:AddTagsToResource ssm:RemoveTagsFromResource", when=_TAGS, tags=True),
        ),
        delete=_of("ssm:DeleteParameter"),
    ),
    "AWS::SageMaker::ModelPackageGroup": Row(
        arn=_arn("sagemaker", "model-package-group/{ModelPackageGroupName}"),
        sources=(f"{_SAR}amazonsagemaker.html",),
        create=(
            *_of("sagemaker:CreateModelPackageGroup", tags=True),
            *_of("sagemaker:AddTags", when=_TAGS, tags=True),
            *_of("sagemaker:PutModelPackageGroupPolicy", when=("ModelPackageGroupPolicy",)),
        ),
        read=_of("sagemaker:DescribeModelPackageGroup"),
        update=(
            *_of("sagemaker:AddTags sagemaker:DeleteTags", when=_TAGS, tags=True),
            *_of("sagemaker:PutModelPackageGroupPolicy", when=("ModelPackageGroupPolicy",)),
        ),
        delete=_of("sagemaker:DeleteModelPackageGroup"),
    ),
}
"""CloudFormation type -> its row. A type without a row is not enforced, which `GAPS` says."""
