"""Permissions of resource types for which AWS publishes no handlers, each with its source.

ADD A TYPE HERE: create, read, update and delete with their actions. A test compares every action with the facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.policy.tables import Operations

LEGACY: Final[Mapping[str, Operations]] = {
    # CodeBuild API: a project's tags and its role travel in Create/UpdateProject; there is no tagging action (SAR).
    "AWS::CodeBuild::Project": {
        "create": (
            "codebuild:CreateProject",
            "codebuild:BatchGetProjects",
            "codebuild:CreateWebhook",
            "codebuild:UpdateProjectVisibility",
        ),
        "read": ("codebuild:BatchGetProjects",),
        "update": (
            "codebuild:UpdateProject",
            "codebuild:BatchGetProjects",
            "codebuild:CreateWebhook",
            "codebuild:UpdateWebhook",
            "codebuild:DeleteWebhook",
            "codebuild:UpdateProjectVisibility",
        ),
        "delete": ("codebuild:DeleteProject", "codebuild:DeleteWebhook"),
    },
    # IAM API: access keys belong to a user.
    "AWS::IAM::AccessKey": {
        "create": ("iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:ListAccessKeys"),
        "read": ("iam:ListAccessKeys",),
        "update": ("iam:UpdateAccessKey", "iam:ListAccessKeys"),
        "delete": ("iam:DeleteAccessKey", "iam:ListAccessKeys"),
    },
    # IAM API: membership is changed from the group's side.
    "AWS::IAM::UserToGroupAddition": {
        "create": ("iam:AddUserToGroup", "iam:GetGroup"),
        "read": ("iam:GetGroup",),
        "update": ("iam:AddUserToGroup", "iam:RemoveUserFromGroup", "iam:GetGroup"),
        "delete": ("iam:RemoveUserFromGroup", "iam:GetGroup"),
    },
    # CloudWatch API; not to be confused with the detector of CloudWatch Logs.
    "AWS::CloudWatch::AnomalyDetector": {
        "create": ("cloudwatch:PutAnomalyDetector", "cloudwatch:DescribeAnomalyDetectors"),
        "read": ("cloudwatch:DescribeAnomalyDetectors",),
        "update": ("cloudwatch:PutAnomalyDetector", "cloudwatch:DescribeAnomalyDetectors"),
        "delete": ("cloudwatch:DeleteAnomalyDetector", "cloudwatch:DescribeAnomalyDetectors"),
    },
    # CloudFormation Guide, "Custom resources": the function or topic behind ServiceToken is called each time.
    "AWS::CloudFormation::CustomResource": {
        "create": ("lambda:InvokeFunction", "sns:Publish"),
        "read": (),
        "update": ("lambda:InvokeFunction", "sns:Publish"),
        "delete": ("lambda:InvokeFunction", "sns:Publish"),
    },
    # CloudFormation Guide, "Macros": registering one calls nothing; whoever uses it invokes its function.
    "AWS::CloudFormation::Macro": {"create": (), "read": (), "update": (), "delete": ()},
    # CloudFormation Guide, "Wait conditions": they exist inside the stack only.
    "AWS::CloudFormation::WaitCondition": {"create": (), "read": (), "update": (), "delete": ()},
    "AWS::CloudFormation::WaitConditionHandle": {"create": (), "read": (), "update": (), "delete": ()},
    # AWS CDK: metadata only.
    "AWS::CDK::Metadata": {"create": (), "read": (), "update": (), "delete": ()},
    # Route 53 API, as for AWS::Route53::RecordSet.
    "AWS::Route53::RecordSetGroup": {
        "create": ("route53:ChangeResourceRecordSets", "route53:GetChange", "route53:GetHostedZone"),
        "read": ("route53:ListResourceRecordSets", "route53:GetHostedZone"),
        "update": ("route53:ChangeResourceRecordSets", "route53:GetChange", "route53:GetHostedZone"),
        "delete": ("route53:ChangeResourceRecordSets", "route53:GetChange", "route53:GetHostedZone"),
    },
    # Elastic Load Balancing API.
    "AWS::ElasticLoadBalancingV2::ListenerCertificate": {
        "create": (
            "elasticloadbalancing:AddListenerCertificates",
            "elasticloadbalancing:DescribeListenerCertificates",
        ),
        "read": ("elasticloadbalancing:DescribeListenerCertificates",),
        "update": (
            "elasticloadbalancing:AddListenerCertificates",
            "elasticloadbalancing:RemoveListenerCertificates",
            "elasticloadbalancing:DescribeListenerCertificates",
        ),
        "delete": (
            "elasticloadbalancing:RemoveListenerCertificates",
            "elasticloadbalancing:DescribeListenerCertificates",
        ),
    },
    # SageMaker API.
    "AWS::SageMaker::ExperimentTrialComponent": {
        "create": ("sagemaker:CreateTrialComponent", "sagemaker:DescribeTrialComponent", "sagemaker:AddTags"),
        "read": ("sagemaker:DescribeTrialComponent", "sagemaker:ListTags"),
        "update": ("sagemaker:UpdateTrialComponent", "sagemaker:DescribeTrialComponent", "sagemaker:AddTags"),
        "delete": ("sagemaker:DeleteTrialComponent", "sagemaker:DescribeTrialComponent"),
    },
    # Lake Formation API.
    "AWS::LakeFormation::Permissions": {
        "create": ("lakeformation:GrantPermissions", "lakeformation:ListPermissions"),
        "read": ("lakeformation:ListPermissions",),
        "update": (
            "lakeformation:GrantPermissions",
            "lakeformation:RevokePermissions",
            "lakeformation:ListPermissions",
        ),
        "delete": ("lakeformation:RevokePermissions", "lakeformation:ListPermissions"),
    },
    "AWS::LakeFormation::Resource": {
        "create": ("lakeformation:RegisterResource", "lakeformation:DescribeResource"),
        "read": ("lakeformation:DescribeResource",),
        "update": ("lakeformation:UpdateResource", "lakeformation:DescribeResource"),
        "delete": ("lakeformation:DeregisterResource", "lakeformation:DescribeResource"),
    },
    "AWS::LakeFormation::DataLakeSettings": {
        "create": ("lakeformation:PutDataLakeSettings", "lakeformation:GetDataLakeSettings"),
        "read": ("lakeformation:GetDataLakeSettings",),
        "update": ("lakeformation:PutDataLakeSettings", "lakeformation:GetDataLakeSettings"),
        "delete": ("lakeformation:PutDataLakeSettings", "lakeformation:GetDataLakeSettings"),
    },
    # Amazon DocumentDB Guide: its API is that of Amazon RDS.
    "AWS::DocDB::DBCluster": {
        "create": ("rds:CreateDBCluster", "rds:DescribeDBClusters", "rds:AddTagsToResource"),
        "read": ("rds:DescribeDBClusters", "rds:ListTagsForResource"),
        "update": (
            "rds:ModifyDBCluster",
            "rds:DescribeDBClusters",
            "rds:AddTagsToResource",
            "rds:RemoveTagsFromResource",
        ),
        "delete": ("rds:DeleteDBCluster", "rds:DescribeDBClusters"),
    },
    "AWS::DocDB::DBInstance": {
        "create": ("rds:CreateDBInstance", "rds:DescribeDBInstances", "rds:AddTagsToResource"),
        "read": ("rds:DescribeDBInstances", "rds:ListTagsForResource"),
        "update": (
            "rds:ModifyDBInstance",
            "rds:DescribeDBInstances",
            "rds:AddTagsToResource",
            "rds:RemoveTagsFromResource",
        ),
        "delete": ("rds:DeleteDBInstance", "rds:DescribeDBInstances"),
    },
    # Amazon EMR API.
    "AWS::EMR::Cluster": {
        "create": ("elasticmapreduce:RunJobFlow", "elasticmapreduce:DescribeCluster", "elasticmapreduce:AddTags"),
        "read": (
            "elasticmapreduce:DescribeCluster",
            "elasticmapreduce:ListInstanceGroups",
            "elasticmapreduce:ListBootstrapActions",
        ),
        "update": (
            "elasticmapreduce:ModifyInstanceGroups",
            "elasticmapreduce:SetTerminationProtection",
            "elasticmapreduce:AddTags",
            "elasticmapreduce:RemoveTags",
            "elasticmapreduce:DescribeCluster",
        ),
        "delete": ("elasticmapreduce:TerminateJobFlows", "elasticmapreduce:DescribeCluster"),
    },
    # Amazon FSx API.
    "AWS::FSx::FileSystem": {
        "create": ("fsx:CreateFileSystem", "fsx:DescribeFileSystems", "fsx:TagResource"),
        "read": ("fsx:DescribeFileSystems", "fsx:ListTagsForResource"),
        "update": ("fsx:UpdateFileSystem", "fsx:DescribeFileSystems", "fsx:TagResource", "fsx:UntagResource"),
        "delete": ("fsx:DeleteFileSystem", "fsx:DescribeFileSystems"),
    },
    # Amazon OpenSearch Service API, Elasticsearch's part of it.
    "AWS::Elasticsearch::Domain": {
        "create": ("es:CreateElasticsearchDomain", "es:DescribeElasticsearchDomain", "es:AddTags", "es:ListTags"),
        "read": ("es:DescribeElasticsearchDomain", "es:ListTags"),
        "update": (
            "es:UpdateElasticsearchDomainConfig",
            "es:DescribeElasticsearchDomain",
            "es:UpgradeElasticsearchDomain",
            "es:AddTags",
            "es:RemoveTags",
            "es:ListTags",
        ),
        "delete": ("es:DeleteElasticsearchDomain", "es:DescribeElasticsearchDomain"),
    },
    # AWS Elemental MediaStore API.
    "AWS::MediaStore::Container": {
        "create": (
            "mediastore:CreateContainer",
            "mediastore:DescribeContainer",
            "mediastore:PutContainerPolicy",
            "mediastore:PutCorsPolicy",
            "mediastore:PutLifecyclePolicy",
            "mediastore:PutMetricPolicy",
            "mediastore:StartAccessLogging",
            "mediastore:TagResource",
        ),
        "read": (
            "mediastore:DescribeContainer",
            "mediastore:GetContainerPolicy",
            "mediastore:GetCorsPolicy",
            "mediastore:GetLifecyclePolicy",
            "mediastore:GetMetricPolicy",
            "mediastore:ListTagsForResource",
        ),
        "update": (
            "mediastore:DeleteContainerPolicy",
            "mediastore:DeleteCorsPolicy",
            "mediastore:DeleteLifecyclePolicy",
            "mediastore:DeleteMetricPolicy",
            "mediastore:DescribeContainer",
            "mediastore:PutContainerPolicy",
            "mediastore:PutCorsPolicy",
            "mediastore:PutLifecyclePolicy",
            "mediastore:PutMetricPolicy",
            "mediastore:StartAccessLogging",
            "mediastore:StopAccessLogging",
            "mediastore:TagResource",
            "mediastore:UntagResource",
        ),
        "delete": ("mediastore:DeleteContainer", "mediastore:DescribeContainer"),
    },
}
