"""What the published handlers do not say or say wrongly, a line each with its source.

ADD A LINE HERE: an action that only some property needs goes to `OWNERS`, a permission that the handlers forget to
`EXTRAS`; a type without handlers goes to `legacy`. A test compares every action with the facts.

Sources: the services' API references ("API") and user guides ("Guide"); "SAR" is the Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

Operations: TypeAlias = Mapping[str, tuple[str, ...]]
"""create, read, update, delete → actions."""

ALIASES: Final[Mapping[str, str]] = {
    # Names of API calls in the handlers → the IAM action that guards them (SAR for Amazon S3).
    "s3:putbucketreplication": "s3:PutReplicationConfiguration",
    "s3:deletebucketreplication": "s3:PutReplicationConfiguration",
    "s3:deletebucketencryption": "s3:PutEncryptionConfiguration",
    "s3:deletebucketcors": "s3:PutBucketCORS",
    "s3:deletebucketlifecycle": "s3:PutLifecycleConfiguration",
    "s3:deletebucketanalyticsconfiguration": "s3:PutAnalyticsConfiguration",
    "s3:deletebucketmetricsconfiguration": "s3:PutMetricsConfiguration",
    "s3:deletebuckettagging": "s3:PutBucketTagging",
    "s3:putobjectlockconfiguration": "s3:PutBucketObjectLockConfiguration",
    "s3:putbucketencryption": "s3:PutEncryptionConfiguration",
    "s3:headobject": "s3:GetObject",
    "s3:getobjectmetadata": "s3:GetObject",
    "s3:headbucket": "s3:ListBucket",
    "s3:listobjects": "s3:ListBucket",
    "s3:listobjectsv2": "s3:ListBucket",
    # The same for other services (SAR of each).
    "apigateway:tagresource": "apigateway:PUT",
    "apigateway:untagresource": "apigateway:DELETE",
    "ec2:createvpcendpointservicepermissions": "ec2:ModifyVpcEndpointServicePermissions",
    "ec2:deletevpcendpointservicepermissions": "ec2:ModifyVpcEndpointServicePermissions",
    "ec2:deletevpcendpoint": "ec2:DeleteVpcEndpoints",
    "ec2:modifytransitgatewayoptions": "ec2:ModifyTransitGateway",
    "es:updatedomain": "es:UpdateDomainConfig",
    "events:createrule": "events:PutRule",
    "lambda:invoke": "lambda:InvokeFunction",
    # A slip of the pen in the schema (SAR for Amazon SageMaker).
    "sagemaker:listmonitoringschedule": "sagemaker:ListMonitoringSchedules",
}

PREFIXES: Final[Mapping[str, str]] = {
    # Prefixes in the handlers that IAM spells differently (SAR).
    "efs": "elasticfilesystem",
    "emr": "elasticmapreduce",
    "resolverdnssec": "route53resolver",
    "resolverquerylogging": "route53resolver",
    "stepfunctions": "states",
}

NEVER: Final = frozenset({"iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary"})
"""A role that may lift a boundary is not bound by it (IAM Guide, "Permissions boundaries")."""

ALWAYS: Final = frozenset(
    {
        # Named like a property, but called without it (the services' APIs).
        "databrew:CreateProfileJob",
        "databrew:CreateRecipeJob",
        "ec2:AllocateAddress",
        "ec2:ReleaseAddress",
        "ec2:TerminateInstances",
        "ecs:RegisterTaskDefinition",
        "workspaces:RegisterWorkspaceDirectory",
        # CloudFormation Guide, "DeletionPolicy": Snapshot, which is the default of some types.
        "ec2:CreateSnapshot",
        "elasticache:CreateSnapshot",
        "rds:CreateDBClusterSnapshot",
        "rds:CreateDBSnapshot",
        "redshift:CreateClusterSnapshot",
    }
)

_METADATA: Final = ("MetadataTableConfiguration", "MetadataConfiguration")

OWNERS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    # Action → properties (at any depth) of which one must be set; none listed: stack operations never call it.
    # Amazon S3 API: every configuration has its own call.
    "AWS::S3::Bucket": {
        "s3:PutBucketAcl": ("AccessControl",),
        "s3:PutEncryptionConfiguration": ("BucketEncryption",),
        "s3:PutBucketObjectLockConfiguration": ("ObjectLockConfiguration", "ObjectLockEnabled"),
        "s3:PutBucketAbac": ("AbacStatus",),
        "s3:PutObjectAcl": (),
        "s3:DeleteObject": (),
        "s3:CreateBucketMetadataTableConfiguration": _METADATA,
        "s3:DeleteBucketMetadataTableConfiguration": _METADATA,
        "s3:UpdateBucketMetadataAnnotationTableConfiguration": _METADATA,
        "s3:UpdateBucketMetadataInventoryTableConfiguration": _METADATA,
        "s3:UpdateBucketMetadataJournalTableConfiguration": _METADATA,
        "s3tables:*": _METADATA,
    },
    # IAM API.
    "AWS::IAM::Role": {
        "iam:AttachRolePolicy": ("ManagedPolicyArns",),
        "iam:DetachRolePolicy": ("ManagedPolicyArns",),
        "iam:PutRolePolicy": ("Policies",),
        "iam:DeleteRolePolicy": ("Policies",),
        "iam:PutRolePermissionsBoundary": ("PermissionsBoundary",),
        "iam:UpdateRole": ("Description", "MaxSessionDuration"),
        "iam:UpdateRoleDescription": ("Description",),
    },
    "AWS::IAM::ManagedPolicy": {
        **{
            f"iam:{verb}{kind}Policy": (f"{kind}s",)
            for verb in ("Attach", "Detach")
            for kind in ("Role", "User", "Group")
        }
    },
    "AWS::IAM::Policy": {
        **{f"iam:{verb}{kind}Policy": (f"{kind}s",) for verb in ("Put", "Delete") for kind in ("Role", "User", "Group")}
    },
    # CloudWatch Logs API.
    "AWS::Logs::LogGroup": {
        "logs:PutRetentionPolicy": ("RetentionInDays",),
        "logs:DeleteRetentionPolicy": ("RetentionInDays",),
        "logs:AssociateKmsKey": ("KmsKeyId",),
        "logs:DisassociateKmsKey": ("KmsKeyId",),
        "logs:PutDataProtectionPolicy": ("DataProtectionPolicy",),
        "logs:DeleteDataProtectionPolicy": ("DataProtectionPolicy",),
        "logs:PutIndexPolicy": ("FieldIndexPolicies",),
        "logs:DeleteIndexPolicy": ("FieldIndexPolicies",),
        "logs:PutResourcePolicy": ("ResourcePolicyDocument",),
        "logs:DeleteResourcePolicy": ("ResourcePolicyDocument",),
        "logs:PutBearerTokenAuthentication": ("BearerTokenAuthenticationEnabled",),
        "logs:PutLogGroupDeletionProtection": ("DeletionProtectionEnabled",),
        "logs:CreateLogDelivery": (),
        "firehose:*": (),
    },
    # Amazon DynamoDB API.
    "AWS::DynamoDB::Table": {
        "dynamodb:UpdateContinuousBackups": ("PointInTimeRecoverySpecification",),
        "dynamodb:UpdateTimeToLive": ("TimeToLiveSpecification",),
        "dynamodb:UpdateContributorInsights": ("ContributorInsightsSpecification",),
        "dynamodb:ImportTable": ("ImportSourceSpecification",),
        "dynamodb:EnableKinesisStreamingDestination": ("KinesisStreamSpecification",),
        "dynamodb:DisableKinesisStreamingDestination": ("KinesisStreamSpecification",),
        "dynamodb:PutResourcePolicy": ("ResourcePolicy",),
        "dynamodb:DeleteResourcePolicy": ("ResourcePolicy",),
        "dynamodb:UpdateKinesisStreamingDestination": ("KinesisStreamSpecification",),
        "kinesis:*": ("KinesisStreamSpecification",),
        "logs:*": ("ImportSourceSpecification",),
        "iam:CreateServiceLinkedRole": ("KinesisStreamSpecification", "ContributorInsightsSpecification"),
        # Replicas belong to AWS::DynamoDB::GlobalTable, which also copies items.
        "dynamodb:AssociateTableReplica": (),
        "dynamodb:CreateTableReplica": (),
        "dynamodb:BatchWriteItem": (),
        "dynamodb:DeleteItem": (),
        "dynamodb:PutItem": (),
        "dynamodb:UpdateItem": (),
    },
    # Amazon SNS API.
    "AWS::SNS::Topic": {
        "sns:Subscribe": ("Subscription",),
        "sns:Unsubscribe": ("Subscription",),
        "sns:PutDataProtectionPolicy": ("DataProtectionPolicy",),
    },
    # AWS CodeCommit API.
    "AWS::CodeCommit::Repository": {
        "codecommit:CreateCommit": ("Code",),
        "codecommit:PutRepositoryTriggers": ("Triggers",),
        "codecommit:UpdateRepositoryDescription": ("RepositoryDescription",),
        "codecommit:UpdateRepositoryEncryptionKey": ("KmsKeyId",),
        "s3:*": ("Code",),
    },
    # AWS CodeBuild API.
    "AWS::CodeBuild::Project": {
        "codebuild:CreateWebhook": ("Triggers",),
        "codebuild:UpdateWebhook": ("Triggers",),
        "codebuild:DeleteWebhook": ("Triggers",),
        "codebuild:UpdateProjectVisibility": ("Visibility",),
    },
    # AWS CodePipeline API.
    "AWS::CodePipeline::Pipeline": {
        "codepipeline:DisableStageTransition": ("DisableInboundStageTransitions",),
        "codepipeline:EnableStageTransition": ("DisableInboundStageTransitions",),
        "codepipeline:StartPipelineExecution": ("RestartExecutionOnUpdate",),
    },
    # Amazon SageMaker API.
    "AWS::SageMaker::ModelPackageGroup": {
        "sagemaker:PutModelPackageGroupPolicy": ("ModelPackageGroupPolicy",),
        "sagemaker:DeleteModelPackageGroupPolicy": ("ModelPackageGroupPolicy",),
    },
    # AWS KMS API.
    "AWS::KMS::Key": {
        "kms:DisableKey": ("Enabled",),
        "kms:EnableKey": ("Enabled",),
        "kms:UpdateKeyDescription": ("Description",),
        "kms:PutKeyPolicy": ("KeyPolicy",),
        "kms:EnableKeyRotation": ("EnableKeyRotation",),
        "kms:DisableKeyRotation": ("EnableKeyRotation",),
    },
    # Amazon VPC Guide: both belong to endpoints of other kinds.
    "AWS::EC2::VPCEndpoint": {
        "vpc-lattice:*": ("ServiceNetworkArn", "ResourceConfigurationArn"),
        "vpce:*": ("ServiceRegion",),
    },
    # AWS Lambda API.
    "AWS::Lambda::Function": {
        "lambda:PutFunctionConcurrency": ("ReservedConcurrentExecutions",),
        "lambda:DeleteFunctionConcurrency": ("ReservedConcurrentExecutions",),
        "lambda:PutFunctionRecursionConfig": ("RecursiveLoop",),
        "lambda:PutRuntimeManagementConfig": ("RuntimeManagementConfig",),
        "lambda:PutFunctionScalingConfig": ("FunctionScalingConfig",),
        "lambda:PutFunctionCodeSigningConfig": ("CodeSigningConfigArn",),
        "lambda:DeleteFunctionCodeSigningConfig": ("CodeSigningConfigArn",),
        "lambda:PassCapacityProvider": ("CapacityProviderConfig",),
        "lambda:PublishVersion": ("PublishToLatestPublished", "CapacityProviderConfig"),
        "s3:*": ("S3Bucket",),
    },
    # AWS Step Functions API.
    "AWS::StepFunctions::StateMachine": {
        "logs:*": ("LoggingConfiguration",),
        "s3:*": ("DefinitionS3Location",),
        "kms:*": ("EncryptionConfiguration",),
        "states:PublishStateMachineVersion": (),
    },
}

_KEY_USE: Final = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey")

EXTRAS: Final[Mapping[str, Mapping[str, Operations]]] = {
    # Type → property that must be set (empty: always) → operation → actions that the handlers forget.
    # CodeCommit Guide, "AWS KMS and encryption": whoever creates the repository must be able to use the key.
    "AWS::CodeCommit::Repository": {"KmsKeyId": {"create": _KEY_USE, "update": _KEY_USE}},
    # CloudWatch Logs Guide, "Encrypt log data": a key given at creation is associated.
    "AWS::Logs::LogGroup": {"KmsKeyId": {"create": ("logs:AssociateKmsKey",)}},
    # S3 Guide: a canned ACL at creation needs the ACL's action.
    "AWS::S3::Bucket": {"AccessControl": {"create": ("s3:PutBucketAcl",)}},
    # CodePipeline Guide, "Connections": passing one is asked under both names of the service.
    "AWS::CodePipeline::Pipeline": {
        "ConnectionArn": {
            "create": ("codeconnections:PassConnection",),
            "update": ("codeconnections:PassConnection",),
        }
    },
    # IAM API: drift detection compares the tags too.
    "AWS::IAM::Role": {"": {"read": ("iam:ListRoleTags",)}},
}

PRINCIPALS: Final[Mapping[str, tuple[str, ...]]] = {
    # The namespace of a type → the first labels of the service principals that receive its roles, where they are not
    # the namespace itself (the services' guides on service roles).
    "ApiGatewayV2": ("apigateway",),
    "ApplicationAutoScaling": ("application-autoscaling",),
    "Batch": ("batch", "ecs-tasks", "ec2"),
    "ECS": ("ecs-tasks", "ecs"),
    "EMR": ("elasticmapreduce", "ec2"),
    "EFS": ("elasticfilesystem",),
    "IAM": ("ec2",),
    "KinesisFirehose": ("firehose",),
    "MWAA": ("airflow-env", "airflow"),
    "Pipes": ("pipes",),
    "RDS": ("rds", "monitoring.rds"),
    "Scheduler": ("scheduler",),
    "StepFunctions": ("states",),
    "S3": ("s3",),
    "VpcLattice": ("vpc-lattice",),
}

GENERIC: Final[Mapping[str, tuple[str, str, Mapping[str, str]]]] = {
    "AWS::EC2::FlowLog": (
        "ResourceId",
        "ResourceType",
        {"VPC": "VpcId", "Subnet": "SubnetId", "NetworkInterface": "NetworkInterfaceId"},
    ),
}
"""Types with a property that may name several kinds of things -> it, the property that says which, and their names."""

TARGETED: Final[Mapping[str, str]] = {"AWS::WAFv2::WebACLAssociation": "ResourceArn"}
"""Types that call the service of what an ARN names, and no other -> the property with the ARN (AWS WAF API)."""

OPTIONAL: Final = frozenset({"cloudwatch:GetMetricData"})
"""Reads that may name what the reference lists and mostly name nothing (CloudWatch API): limited, they are denied."""

LINKED: Final[Mapping[str, str]] = {
    # Service prefix → principal of its service-linked role, where it is not `{prefix}.amazonaws.com` (SAR, guides).
    "application-autoscaling": "*.application-autoscaling.amazonaws.com",
    "ecs": "ecs.amazonaws.com",
    "elasticloadbalancing": "elasticloadbalancing.amazonaws.com",
    "es": "opensearchservice.amazonaws.com",
    "kafka": "kafka.amazonaws.com",
    "sagemaker": "*sagemaker.amazonaws.com",
}

GLOBAL_SERVICES: Final = frozenset(
    {"account", "budgets", "ce", "cloudfront", "globalaccelerator", "iam", "organizations", "route53", "s3", "shield"}
    | {"sts", "support", "waf", "networkmanager", "artifact", "health", "route53domains", "importexport"}
)
"""Their calls go to one region whatever the stack's, or to any (S3): `aws:RequestedRegion` would deny them."""

BY_REFERENCE: Final = frozenset(
    {
        "iam",
        "kms",
        "s3",
        "sns",
        "sqs",
        "lambda",
        "secretsmanager",
        "codestar-connections",
        "codeconnections",
        "firehose",
    }
)
"""Another service's actions here only act on what the resource refers to: without a reference they are not called."""

TRIGGERS: Final[Mapping[str, tuple[str, ...]]] = {
    # Service prefix → beginnings or parts of property names that make a type call it.
    "kms": ("kms", "encryptionkey", "encryptionconfiguration", "sse"),
    "logs": ("log",),
    "ec2": ("vpc", "subnet", "securitygroup", "network"),
    "s3": ("s3", "bucket"),
    "lambda": ("lambda", "function"),
    "secretsmanager": ("secret",),
    "sns": ("sns", "topic", "notification"),
    "sqs": ("sqs", "queue", "deadletter"),
    "iam": ("role", "instanceprofile"),
    "sts": ("rolearn",),
    "elasticfilesystem": ("efs", "filesystem"),
    "firehose": ("firehose", "stream"),
    "kinesis": ("kinesis", "stream"),
    "glue": ("glue", "database", "table"),
    "acm": ("certificate",),
    "ecr": ("image", "repository"),
}
