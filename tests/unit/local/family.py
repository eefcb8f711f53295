"""A template with every resource type of the `ml` family, with the properties that hardened stacks set."""

from __future__ import annotations

from typing import Any

from unit.local.driver import resources
from unit.local.hosting import hosting


def trust(service: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def allow(*actions: str, resource: Any = "*", **more: Any) -> dict[str, Any]:
    statement = {"Sid": "Allow", "Effect": "Allow", "Action": list(actions), "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def attribute(name: str, key: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, key]}


def _network() -> dict[str, Any]:
    return {
        "Vpc": {
            "Type": "AWS::EC2::VPC",
            "Properties": {
                "CidrBlock": "10.0.0.0/16",
                "EnableDnsSupport": True,
                "EnableDnsHostnames": True,
                "Tags": [{"Key": "Name", "Value": "ml"}],
            },
        },
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "CidrBlock": "10.0.1.0/24",
                "AvailabilityZone": {"Fn::Select": [0, {"Fn::GetAZs": ""}]},
            },
        },
        "RouteTable": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {
                "GroupName": "ml-endpoint-sg",
                "GroupDescription": "Endpoints of ml",
                "VpcId": {"Ref": "Vpc"},
                "SecurityGroupIngress": [
                    {
                        "IpProtocol": "tcp",
                        "FromPort": 443,
                        "ToPort": 443,
                        "CidrIp": "10.0.0.0/16",
                        "Description": "HTTPS from the VPC",
                    }
                ],
                "SecurityGroupEgress": [
                    {"IpProtocol": "-1", "CidrIp": "127.0.0.1/32", "Description": "Nothing leaves"},
                ],
            },
        },
        "Interface": {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "VpcEndpointType": "Interface",
                "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.sagemaker.api"},
                "VpcId": {"Ref": "Vpc"},
                "SubnetIds": [{"Ref": "Subnet"}],
                "SecurityGroupIds": [{"Ref": "Group"}],
                "PrivateDnsEnabled": True,
                "PolicyDocument": {
                    **allow("sagemaker:*"),
                    "Statement": [{**allow("sagemaker:*")["Statement"][0], "Principal": "*"}],
                },
                "Tags": [{"Key": "Name", "Value": "ml"}],
            },
        },
        "Gateway": {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "VpcEndpointType": "Gateway",
                "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.s3"},
                "VpcId": {"Ref": "Vpc"},
                "RouteTableIds": [{"Ref": "RouteTable"}],
            },
        },
    }


def _ways_out() -> dict[str, Any]:
    """A way to the internet, its log, and rules that stand beside their group."""
    rule = {"GroupId": {"Ref": "Group"}, "IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080}
    return {
        "InternetGateway": {
            "Type": "AWS::EC2::InternetGateway",
            "Properties": {"Tags": [{"Key": "Name", "Value": "ml"}]},
        },
        "Attachment": {
            "Type": "AWS::EC2::VPCGatewayAttachment",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "InternetGateway"}},
        },
        "Address": {
            "Type": "AWS::EC2::EIP",
            "Properties": {"Domain": "vpc", "Tags": [{"Key": "Name", "Value": "ml"}]},
        },
        "NatGateway": {
            "Type": "AWS::EC2::NatGateway",
            "Properties": {
                "AllocationId": attribute("Address", "AllocationId"),
                "SubnetId": {"Ref": "Subnet"},
                "Tags": [{"Key": "Name", "Value": "ml"}],
            },
        },
        "Route": {
            "Type": "AWS::EC2::Route",
            "Properties": {
                "RouteTableId": {"Ref": "RouteTable"},
                "DestinationCidrBlock": "0.0.0.0/0",
                "NatGatewayId": {"Ref": "NatGateway"},
            },
        },
        "Association": {
            "Type": "AWS::EC2::SubnetRouteTableAssociation",
            "Properties": {"SubnetId": {"Ref": "Subnet"}, "RouteTableId": {"Ref": "RouteTable"}},
        },
        "FlowLog": {
            "Type": "AWS::EC2::FlowLog",
            "Properties": {
                "ResourceId": {"Ref": "Vpc"},
                "ResourceType": "VPC",
                "TrafficType": "ALL",
                "LogDestinationType": "cloud-watch-logs",
                "LogGroupName": {"Ref": "LogGroup"},
                "DeliverLogsPermissionArn": attribute("Role", "Arn"),
                "Tags": [{"Key": "Name", "Value": "ml"}],
            },
        },
        "RuleIn": {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {**rule, "SourceSecurityGroupId": {"Ref": "Group"}, "Description": "Among themselves"},
        },
        "RuleOut": {
            "Type": "AWS::EC2::SecurityGroupEgress",
            "Properties": {**rule, "DestinationSecurityGroupId": {"Ref": "Group"}, "Description": "Among themselves"},
        },
    }


def _security() -> dict[str, Any]:
    root = {
        "Sid": "Root",
        "Effect": "Allow",
        "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}},
        "Action": "kms:*",
        "Resource": "*",
    }
    return {
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {
                "Description": "ml",
                "EnableKeyRotation": True,
                "KeyPolicy": {"Version": "2012-10-17", "Statement": [root]},
                "PendingWindowInDays": 7,
                "Tags": [{"Key": "use", "Value": "ml"}],
            },
        },
        "Alias": {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/ml", "TargetKeyId": {"Ref": "Key"}}},
        "Boundary": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "ManagedPolicyName": "ml-boundary",
                "Description": "What roles of ml may do at most",
                "Path": "/ml/",
                "PolicyDocument": allow("s3:*", "logs:*"),
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "ml-codebuild-role",
                "Description": "Builds ml",
                "Path": "/ml/",
                "MaxSessionDuration": 7200,
                "AssumeRolePolicyDocument": trust("codebuild"),
                "PermissionsBoundary": {"Ref": "Boundary"},
                "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
                "Policies": [
                    {
                        "PolicyName": "artifacts",
                        "PolicyDocument": allow("s3:GetObject", resource={"Fn::Sub": "${Bucket.Arn}/*"}),
                    }
                ],
                "Tags": [{"Key": "use", "Value": "ml"}],
            },
        },
        "Provider": {
            "Type": "AWS::IAM::OIDCProvider",
            "Properties": {
                "Url": "https://token.actions.githubusercontent.com",
                "ClientIdList": ["sts.amazonaws.com"],
                "Tags": [{"Key": "use", "Value": "ml"}],
            },
        },
        "PipelineRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": "ml-codepipeline-role", "AssumeRolePolicyDocument": trust("codepipeline")},
        },
        "BuildPolicy": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "ManagedPolicyName": "ml-build-policy",
                "PolicyDocument": allow("logs:PutLogEvents"),
                "Roles": [{"Ref": "Role"}],
            },
        },
    }


def _storage() -> dict[str, Any]:
    encryption = {
        "ServerSideEncryptionConfiguration": [
            {
                "BucketKeyEnabled": True,
                "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": attribute("Key", "Arn")},
            }
        ]
    }
    deny = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [attribute("Bucket", "Arn"), {"Fn::Sub": "${Bucket.Arn}/*"}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {
        "LogBucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}},
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": "ml-artifacts",
                "BucketEncryption": encryption,
                "VersioningConfiguration": {"Status": "Enabled"},
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                },
                "LoggingConfiguration": {"DestinationBucketName": {"Ref": "LogBucket"}, "LogFilePrefix": "artifacts/"},
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                "LifecycleConfiguration": {
                    "Rules": [
                        {
                            "Id": "old",
                            "Status": "Enabled",
                            "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
                            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                        },
                        {
                            "Id": "cold",
                            "Status": "Enabled",
                            "Prefix": "archive/",
                            "ExpirationInDays": 365,
                            "Transitions": [{"StorageClass": "STANDARD_IA", "TransitionInDays": 30}],
                        },
                    ]
                },
                "Tags": [{"Key": "use", "Value": "ml"}],
            },
        },
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [deny]},
            },
        },
    }


def _delivery() -> dict[str, Any]:
    source = {
        "Name": "Source",
        "ActionTypeId": {"Category": "Source", "Owner": "AWS", "Provider": "CodeCommit", "Version": "1"},
        "Configuration": {
            "RepositoryName": attribute("Repository", "Name"),
            "BranchName": "main",
            "PollForSourceChanges": True,
        },
        "OutputArtifacts": [{"Name": "Source"}],
        "RunOrder": 1,
    }
    build = {
        "Name": "Build",
        "ActionTypeId": {"Category": "Build", "Owner": "AWS", "Provider": "CodeBuild", "Version": "1"},
        "Configuration": {"ProjectName": {"Ref": "Project"}},
        "InputArtifacts": [{"Name": "Source"}],
    }
    return {
        "ModelGroup": {
            "Type": "AWS::SageMaker::ModelPackageGroup",
            "Properties": {
                "ModelPackageGroupName": "ml-models",
                "ModelPackageGroupDescription": "Models of ml",
                "Tags": [{"Key": "use", "Value": "ml"}],
            },
        },
        "Repository": {
            "Type": "AWS::CodeCommit::Repository",
            "Properties": {
                "RepositoryName": "ml-build",
                "RepositoryDescription": "Builds models",
                "KmsKeyId": attribute("Key", "Arn"),
                "Tags": [{"Key": "use", "Value": "ml"}],
            },
        },
        "Project": {
            "Type": "AWS::CodeBuild::Project",
            "Properties": {
                "Name": "ml-build",
                "Description": "Builds models",
                "ServiceRole": attribute("Role", "Arn"),
                "EncryptionKey": attribute("Key", "Arn"),
                "Artifacts": {"Type": "CODEPIPELINE"},
                "Source": {"Type": "CODEPIPELINE", "BuildSpec": "version: 0.2\n"},
                "Environment": {
                    "Type": "LINUX_CONTAINER",
                    "ComputeType": "BUILD_GENERAL1_SMALL",
                    "Image": "aws/codebuild/standard:7.0",
                    "PrivilegedMode": False,
                    "EnvironmentVariables": [
                        {"Name": "GROUP", "Type": "PLAINTEXT", "Value": attribute("ModelGroup", "ModelPackageGroupArn")}
                    ],
                },
                "LogsConfig": {"CloudWatchLogs": {"Status": "ENABLED", "GroupName": {"Ref": "LogGroup"}}},
                "VpcConfig": {
                    "VpcId": {"Ref": "Vpc"},
                    "Subnets": [{"Ref": "Subnet"}],
                    "SecurityGroupIds": [{"Ref": "Group"}],
                },
                "TimeoutInMinutes": 30,
                "Tags": [{"Key": "use", "Value": "ml"}],
            },
        },
        "Pipeline": {
            "Type": "AWS::CodePipeline::Pipeline",
            "Properties": {
                "Name": "ml-build-pipeline",
                "PipelineType": "V2",
                "ExecutionMode": "QUEUED",
                "RoleArn": attribute("PipelineRole", "Arn"),
                "ArtifactStore": {
                    "Type": "S3",
                    "Location": {"Ref": "Bucket"},
                    "EncryptionKey": {"Type": "KMS", "Id": attribute("Key", "Arn")},
                },
                "Stages": [{"Name": "Source", "Actions": [source]}, {"Name": "Build", "Actions": [build]}],
                "Tags": [{"Key": "use", "Value": "ml"}],
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": "ml-trigger",
                "Description": "Deploys what was approved",
                "State": "ENABLED",
                "EventPattern": {
                    "source": ["aws.sagemaker"],
                    "detail": {"ModelPackageGroupName": ["ml-models"], "ModelApprovalStatus": ["Approved"]},
                },
                "Targets": [
                    {
                        "Id": "pipeline",
                        "Arn": {"Fn::Sub": "arn:aws:codepipeline:${AWS::Region}:${AWS::AccountId}:${Pipeline}"},
                        "RoleArn": attribute("PipelineRole", "Arn"),
                    }
                ],
            },
        },
    }


def _watching() -> dict[str, Any]:
    return {
        "Parameter": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {
                "Name": "/ml/ModelPackageGroupArn",
                "Type": "String",
                "Description": "The registry",
                "Value": attribute("ModelGroup", "ModelPackageGroupArn"),
                "Tags": {"use": "ml"},
            },
        },
        "Dashboard": {
            "Type": "AWS::CloudWatch::Dashboard",
            "Properties": {
                "DashboardName": "ml-dashboard",
                "DashboardBody": {
                    "Fn::Sub": '{"widgets": [{"type": "text", "properties": {"markdown": "${AWS::Region}"}}]}'
                },
            },
        },
        "LogGroup": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {
                "LogGroupName": "/ml/compliance",
                "RetentionInDays": 365,
                "KmsKeyId": attribute("Key", "Arn"),
                "Tags": [{"Key": "use", "Value": "ml"}],
            },
        },
        "Filter": {
            "Type": "AWS::Logs::MetricFilter",
            "Properties": {
                "FilterName": "ml-denied",
                "LogGroupName": {"Ref": "LogGroup"},
                "FilterPattern": '"AccessDenied"',
                "MetricTransformations": [
                    {"MetricName": "Denied", "MetricNamespace": "ML/Security", "MetricValue": "1", "DefaultValue": 0}
                ],
            },
        },
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "TopicName": "ml-security-alerts",
                "DisplayName": "ML alerts",
                "KmsMasterKeyId": {"Ref": "Key"},
                "Tags": [{"Key": "use", "Value": "ml"}],
            },
        },
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {"TopicArn": {"Ref": "Topic"}, "Protocol": "email", "Endpoint": "ml@example.com"},
        },
        "TopicPolicy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [{"Ref": "Topic"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "Alarms",
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudwatch.amazonaws.com"},
                            "Action": "sns:Publish",
                            "Resource": {"Ref": "Topic"},
                        }
                    ],
                },
            },
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": "ml-denied",
                "AlarmDescription": "Somebody was refused",
                "Namespace": "ML/Security",
                "MetricName": "Denied",
                "Statistic": "Sum",
                "Period": 300,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
                "AlarmActions": [{"Ref": "Topic"}],
                "Tags": [{"Key": "use", "Value": "ml"}],
            },
        },
    }


def family() -> dict[str, Any]:
    """All of them, in one stack."""
    parts = (_network(), _ways_out(), _security(), _storage(), _delivery(), _watching(), hosting())
    return resources(**{name: body for part in parts for name, body in part.items()})


def variants() -> dict[str, Any]:
    """The same types with other properties than `family` sets."""
    template = family()
    found = template["Resources"]
    found["Bucket"]["Properties"] |= {
        "CorsConfiguration": {
            "CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://example.com"], "MaxAge": 300}]
        },
        "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
        "LifecycleConfiguration": {
            "Rules": [{"Status": "Enabled", "ExpirationInDays": 30, "NoncurrentVersionExpirationInDays": 7}]
        },
        "LoggingConfiguration": {"DestinationBucketName": {"Ref": "LogBucket"}},
    }
    found["Rule"]["Properties"] = {
        "ScheduleExpression": "rate(1 day)",
        "Targets": [
            {
                "Id": "topic",
                "Arn": {"Ref": "Topic"},
                "InputTransformer": {"InputPathsMap": {"time": "$.time"}, "InputTemplate": '"It is <time>."'},
                "RetryPolicy": {"MaximumRetryAttempts": 2},
            }
        ],
        "Tags": [{"Key": "use", "Value": "ml"}],
    }
    found["Project"]["Properties"] |= {
        "Cache": {"Type": "LOCAL", "Modes": ["LOCAL_SOURCE_CACHE"]},
        "ConcurrentBuildLimit": 2,
        "QueuedTimeoutInMinutes": 60,
        "LogsConfig": {"S3Logs": {"Status": "ENABLED", "Location": {"Fn::Sub": "${LogBucket}/build"}}},
        "Visibility": "PRIVATE",
    }
    pipeline = found["Pipeline"]["Properties"]
    pipeline["ArtifactStores"] = [{"Region": {"Ref": "AWS::Region"}, "ArtifactStore": pipeline.pop("ArtifactStore")}]
    pipeline["Variables"] = [{"Name": "Stage", "DefaultValue": "dev", "Description": "Where to"}]
    pipeline["DisableInboundStageTransitions"] = [{"StageName": "Build", "Reason": "Not yet"}]
    pipeline["Stages"][1]["Actions"][0]["Namespace"] = "Build"
    found["Topic"]["Properties"] |= {"Subscription": [{"Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-west-2:1:q"}]}
    found["Subscription"]["Properties"] |= {"FilterPolicy": {"kind": ["alarm"]}, "FilterPolicyScope": "MessageBody"}
    found["Alarm"]["Properties"] |= {
        "Dimensions": [{"Name": "Project", "Value": {"Ref": "Project"}}],
        "DatapointsToAlarm": 1,
        "OKActions": [{"Ref": "Topic"}],
        "Threshold": 0.5,
        "Unit": "Count",
    }
    found["Key"]["Properties"] |= {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"}
    found["Group"]["Properties"] |= {
        "SecurityGroupIngress": [
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/16"},
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.1.0.0/16"},
            {"IpProtocol": "-1", "SourceSecurityGroupId": attribute("Vpc", "DefaultSecurityGroup")},
        ],
        "SecurityGroupEgress": [{"IpProtocol": -1, "CidrIp": "0.0.0.0/0"}],
    }
    found["RuleIn"]["Properties"] |= {"Description": "Each other"}
    found["RuleOut"]["Properties"] |= {"CidrIp": "10.0.0.0/16"}
    del found["RuleOut"]["Properties"]["DestinationSecurityGroupId"]
    found["Route"]["Properties"] |= {"GatewayId": {"Ref": "InternetGateway"}}
    del found["Route"]["Properties"]["NatGatewayId"]
    found["InternetGateway"]["Properties"] = {"Tags": [{"Key": "Name", "Value": "other"}]}
    found["Subnet"]["Properties"] |= {"MapPublicIpOnLaunch": False, "Tags": [{"Key": "Name", "Value": "ml"}]}
    found["Vpc"]["Properties"] |= {"InstanceTenancy": "default"}
    found["Parameter"]["Properties"] |= {"Type": "StringList", "Value": "a,b", "Tier": "Standard", "DataType": "text"}
    found["LogGroup"]["Properties"] |= {"LogGroupClass": "STANDARD"}
    found["Filter"]["Properties"]["MetricTransformations"][0] |= {"Unit": "Count"}
    found["Boundary"]["Properties"]["PolicyDocument"] = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
    }
    return template
