"""Drift: a fresh stack has none, and what somebody changes behind its back is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stackseal.local.resources import REGISTRY
from unit.local.driver import Account, Stack, resources
from unit.local.family import allow, family, variants

Tamper = Callable[[Account, Callable[[str], str]], Any]


def _found(stack: Stack) -> dict[str, tuple[str, list[str]]]:
    """Logical id -> status and paths, for what is not in sync."""
    _, rows = stack.drift()
    return {
        name: (
            row["StackResourceDriftStatus"],
            [difference["PropertyPath"] for difference in row.get("PropertyDifferences", [])],
        )
        for name, row in rows.items()
        if row["StackResourceDriftStatus"] != "IN_SYNC"
    }


def test_a_fresh_stack_of_every_type_is_in_sync(stack: Stack) -> None:
    template = family()
    assert stack.deploy(template, Tags=[{"Key": "team", "Value": "ml"}]) == "CREATE_COMPLETE"

    status, rows = stack.drift()

    assert {resource["Type"] for resource in template["Resources"].values()} == REGISTRY.keys()
    assert {name: row["StackResourceDriftStatus"] for name, row in rows.items()} == dict.fromkeys(
        template["Resources"], "IN_SYNC"
    )
    assert (status["StackDriftStatus"], status["DetectionStatus"]) == ("IN_SYNC", "DETECTION_COMPLETE")
    assert status["DriftedStackResourceCount"] == 0
    assert stack.describe()["DriftInformation"]["StackDriftStatus"] == "IN_SYNC"


def test_a_fresh_stack_with_other_properties_is_in_sync(stack: Stack) -> None:
    assert stack.deploy(variants()) == "CREATE_COMPLETE", stack.failures()
    _, rows = stack.drift()
    assert {name: row.get("PropertyDifferences") for name, row in rows.items()} == dict.fromkeys(rows)


@pytest.mark.parametrize(("first", "second"), [(family, variants), (variants, family)])
def test_an_updated_stack_is_in_sync(
    stack: Stack, first: Callable[[], dict[str, Any]], second: Callable[[], dict[str, Any]]
) -> None:
    stack.deploy(first(), Tags=[{"Key": "team", "Value": "ml"}, {"Key": "old", "Value": "x"}])

    assert stack.deploy(second(), Tags=[{"Key": "team", "Value": "ops"}]) == "UPDATE_COMPLETE", stack.failures()

    _, rows = stack.drift()
    assert {name: row.get("PropertyDifferences") for name, row in rows.items()} == dict.fromkeys(rows)


def _pipeline(account: Account, _physical: Callable[[str], str]) -> None:
    client = account.client("codepipeline")
    definition = client.get_pipeline(name="ml-build-pipeline")["pipeline"]
    definition["stages"][0]["actions"][0]["configuration"]["BranchName"] = "evil"
    client.update_pipeline(pipeline=definition)


CHANGED: dict[str, tuple[str, Tamper, str]] = {
    "inline policy added": (
        "Role",
        lambda account, physical: account.client("iam").put_role_policy(
            RoleName=physical("Role"), PolicyName="back-door", PolicyDocument=json.dumps(allow("*"))
        ),
        "/Policies/1",
    ),
    "managed policy attached": (
        "Role",
        lambda account, physical: account.client("iam").attach_role_policy(
            RoleName=physical("Role"), PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
        "/ManagedPolicyArns/1",
    ),
    "boundary taken off": (
        "Role",
        lambda account, physical: account.client("iam").delete_role_permissions_boundary(RoleName=physical("Role")),
        "/PermissionsBoundary",
    ),
    "trust widened": (
        "Role",
        lambda account, physical: account.client("iam").update_assume_role_policy(
            RoleName=physical("Role"),
            PolicyDocument=json.dumps(allow("sts:AssumeRole", Principal={"AWS": "*"})),
        ),
        "/AssumeRolePolicyDocument/Statement/0",
    ),
    "managed policy edited": (
        "Boundary",
        lambda account, physical: account.client("iam").create_policy_version(
            PolicyArn=physical("Boundary"), PolicyDocument=json.dumps(allow("*")), SetAsDefault=True
        ),
        "/PolicyDocument/Statement/0/Action",
    ),
    "bucket tag changed": (
        "Bucket",
        lambda account, _: account.client("s3").put_bucket_tagging(
            Bucket="ml-artifacts", Tagging={"TagSet": [{"Key": "use", "Value": "other"}]}
        ),
        "/Tags/0/Value",
    ),
    "bucket encryption edited": (
        "Bucket",
        lambda account, _: account.client("s3").put_bucket_encryption(
            Bucket="ml-artifacts",
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
        ),
        "/BucketEncryption/ServerSideEncryptionConfiguration/0",
    ),
    "public access block taken off": (
        "Bucket",
        lambda account, _: account.client("s3").delete_public_access_block(Bucket="ml-artifacts"),
        "/PublicAccessBlockConfiguration",
    ),
    "versioning suspended": (
        "Bucket",
        lambda account, _: account.client("s3").put_bucket_versioning(
            Bucket="ml-artifacts", VersioningConfiguration={"Status": "Suspended"}
        ),
        "/VersioningConfiguration/Status",
    ),
    "lifecycle deleted": (
        "Bucket",
        lambda account, _: account.client("s3").delete_bucket_lifecycle(Bucket="ml-artifacts"),
        "/LifecycleConfiguration",
    ),
    "bucket policy edited": (
        "BucketPolicy",
        lambda account, _: account.client("s3").put_bucket_policy(
            Bucket="ml-artifacts", Policy=json.dumps(allow("s3:*", Principal={"AWS": "arn:aws:iam::123456789012:root"}))
        ),
        "/PolicyDocument/Statement/0",
    ),
    "security group opened": (
        "Group",
        lambda account, physical: account.client("ec2").authorize_security_group_ingress(
            GroupId=physical("Group"), IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
        ),
        "/SecurityGroupIngress/1",
    ),
    "lone rule described": (
        "RuleIn",
        lambda account, physical: account.client("ec2").modify_security_group_rules(
            GroupId=physical("Group"),
            SecurityGroupRules=[
                {
                    "SecurityGroupRuleId": physical("RuleIn"),
                    "SecurityGroupRule": {"IpProtocol": "tcp", "Description": "By hand"},
                }
            ],
        ),
        "/Description",
    ),
    "route turned": (
        "Route",
        lambda account, physical: account.client("ec2").replace_route(
            RouteTableId=physical("RouteTable"),
            DestinationCidrBlock="0.0.0.0/0",
            GatewayId=physical("InternetGateway"),
        ),
        "/NatGatewayId",
    ),
    "gateway tagged": (
        "NatGateway",
        lambda account, physical: account.client("ec2").create_tags(
            Resources=[physical("NatGateway")], Tags=[{"Key": "Name", "Value": "by-hand"}]
        ),
        "/Tags/0/Value",
    ),
    "endpoint policy edited": (
        "Interface",
        lambda account, physical: account.client("ec2").modify_vpc_endpoint(
            VpcEndpointId=physical("Interface"), PolicyDocument=json.dumps(allow("*", Principal="*"))
        ),
        "/PolicyDocument/Statement/0/Action",
    ),
    "pipeline stage changed": ("Pipeline", _pipeline, "/Stages/0/Actions/0/Configuration/BranchName"),
    "project privileged": (
        "Project",
        lambda account, _: account.client("codebuild").update_project(name="ml-build", timeoutInMinutes=480),
        "/TimeoutInMinutes",
    ),
    "key rotation off": (
        "Key",
        lambda account, physical: account.client("kms").disable_key_rotation(KeyId=physical("Key")),
        "/EnableKeyRotation",
    ),
    "alias moved": (
        "Alias",
        lambda account, _: account.client("kms").update_alias(
            AliasName="alias/ml", TargetKeyId=account.client("kms").create_key()["KeyMetadata"]["KeyId"]
        ),
        "/TargetKeyId",
    ),
    "retention shortened": (
        "LogGroup",
        lambda account, _: account.client("logs").put_retention_policy(
            logGroupName="/ml/compliance", retentionInDays=1
        ),
        "/RetentionInDays",
    ),
    "parameter overwritten": (
        "Parameter",
        lambda account, _: account.client("ssm").put_parameter(
            Name="/ml/ModelPackageGroupArn", Value="arn:evil", Overwrite=True
        ),
        "/Value",
    ),
    "parameter written differently": (
        "Number",
        lambda account, _: account.client("ssm").put_parameter(Name="/ml/number", Value="1.0", Overwrite=True),
        "/Value",
    ),
    "rule disabled": (
        "Rule",
        lambda account, _: account.client("events").disable_rule(Name="ml-trigger"),
        "/State",
    ),
    "alarm silenced": (
        "Alarm",
        lambda account, _: account.client("cloudwatch").put_metric_alarm(
            AlarmName="ml-denied",
            Namespace="ML/Security",
            MetricName="Denied",
            Statistic="Sum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=1000,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
        ),
        "/Threshold",
    ),
    "dashboard rewritten": (
        "Dashboard",
        lambda account, _: account.client("cloudwatch").put_dashboard(
            DashboardName="ml-dashboard", DashboardBody='{"widgets": []}'
        ),
        "/DashboardBody",
    ),
    "topic renamed": (
        "Topic",
        lambda account, physical: account.client("sns").set_topic_attributes(
            TopicArn=physical("Topic"), AttributeName="DisplayName", AttributeValue="x"
        ),
        "/DisplayName",
    ),
    "group tagged": (
        "ModelGroup",
        lambda account, physical: account.client("sagemaker").add_tags(
            ResourceArn=physical("ModelGroup"), Tags=[{"Key": "use", "Value": "other"}]
        ),
        "/Tags/0/Value",
    ),
    "repository described": (
        "Repository",
        lambda account, _: account.client("codecommit").update_repository_description(
            repositoryName="ml-build", repositoryDescription="x"
        ),
        "/RepositoryDescription",
    ),
    "filter loosened": (
        "Filter",
        lambda account, _: account.client("logs").put_metric_filter(
            logGroupName="/ml/compliance",
            filterName="ml-denied",
            filterPattern="nothing",
            metricTransformations=[
                {"metricName": "Denied", "metricNamespace": "ML/Security", "metricValue": "1", "defaultValue": 0}
            ],
        ),
        "/FilterPattern",
    ),
}


def test_every_change_behind_the_stacks_back_is_found(stack: Stack) -> None:
    """One stack for all: each is made on a fresh account, because detections see everything before them."""
    missed = {}
    for name, (logical_id, tamper, path) in CHANGED.items():
        stack.account.aws.reset()
        template = family()
        number = {"Name": "/ml/number", "Type": "String", "Value": "1"}
        template["Resources"]["Number"] = {"Type": "AWS::SSM::Parameter", "Properties": number}
        stack.deploy(template)
        tamper(stack.account, stack.physical)
        status, paths = _found(stack).get(logical_id, ("IN_SYNC", []))
        if status != "MODIFIED" or not any(found.startswith(path) for found in paths):
            missed[name] = (status, paths)
    assert missed == {}


DELETED: dict[str, Tamper] = {
    "ModelGroup": lambda account, _: account.client("sagemaker").delete_model_package_group(
        ModelPackageGroupName="ml-models"
    ),
    "Repository": lambda account, _: account.client("codecommit").delete_repository(repositoryName="ml-build"),
    "Project": lambda account, _: account.client("codebuild").delete_project(name="ml-build"),
    "Pipeline": lambda account, _: account.client("codepipeline").delete_pipeline(name="ml-build-pipeline"),
    "Bucket": lambda account, _: account.client("s3").delete_bucket(Bucket="ml-artifacts"),
    "BucketPolicy": lambda account, _: account.client("s3").delete_bucket_policy(Bucket="ml-artifacts"),
    "Parameter": lambda account, _: account.client("ssm").delete_parameter(Name="/ml/ModelPackageGroupArn"),
    "Dashboard": lambda account, _: account.client("cloudwatch").delete_dashboards(DashboardNames=["ml-dashboard"]),
    "Alarm": lambda account, _: account.client("cloudwatch").delete_alarms(AlarmNames=["ml-denied"]),
    "Alias": lambda account, _: account.client("kms").delete_alias(AliasName="alias/ml"),
    "Key": lambda account, physical: account.client("kms").schedule_key_deletion(KeyId=physical("Key")),
    "LogGroup": lambda account, _: account.client("logs").delete_log_group(logGroupName="/ml/compliance"),
    "Subscription": lambda account, physical: account.client("sns").unsubscribe(
        SubscriptionArn=physical("Subscription")
    ),
    "Topic": lambda account, physical: account.client("sns").delete_topic(TopicArn=physical("Topic")),
    "Interface": lambda account, physical: account.client("ec2").delete_vpc_endpoints(
        VpcEndpointIds=[physical("Interface")]
    ),
    "Rule": lambda account, _: (
        account.client("events").remove_targets(Rule="ml-trigger", Ids=["pipeline"]),
        account.client("events").delete_rule(Name="ml-trigger"),
    ),
}


def test_what_was_deleted_behind_the_stacks_back_is_deleted(stack: Stack) -> None:
    stack.deploy(family())
    physical = {name: stack.physical(name) for name in DELETED}
    order = [
        "BucketPolicy",
        "Subscription",
        *(name for name in DELETED if name not in {"BucketPolicy", "Subscription"}),
    ]
    for name in order:
        DELETED[name](stack.account, physical.__getitem__)

    found = {name: status for name, (status, _) in _found(stack).items()}

    assert {name: found.get(name) for name in DELETED} == dict.fromkeys(DELETED, "DELETED")
    status, _ = stack.drift()
    assert status["StackDriftStatus"] == "DRIFTED"
    assert status["DriftedStackResourceCount"] >= len(DELETED)
    assert stack.delete() == "DELETE_COMPLETE"


def test_only_what_the_template_sets_is_compared(stack: Stack) -> None:
    stack.deploy(resources(B={"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "plain-1"}}))

    stack.account.client("s3").put_bucket_versioning(Bucket="plain-1", VersioningConfiguration={"Status": "Enabled"})

    assert _found(stack) == {}


def test_a_type_without_a_reader_is_not_checked_and_still_listed(stack: Stack) -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}}
    stack.deploy(resources(Q=queue))

    status, rows = stack.drift()

    assert rows["Q"]["StackResourceDriftStatus"] == "NOT_CHECKED"
    assert (status["StackDriftStatus"], status["DriftedStackResourceCount"]) == ("IN_SYNC", 0)
    stack.account.client("sqs").delete_queue(QueueUrl=stack.physical("Q"))
    assert _found(stack) == {"Q": ("DELETED", [])}


def test_some_resources_alone_can_be_checked(stack: Stack) -> None:
    stack.deploy(family())
    stack.account.client("events").disable_rule(Name="ml-trigger")
    cfn = stack.cfn

    cfn.detect_stack_drift(StackName=stack.name, LogicalResourceIds=["Rule"])
    rows = cfn.describe_stack_resource_drifts(StackName=stack.name)["StackResourceDrifts"]
    one = cfn.detect_stack_resource_drift(StackName=stack.name, LogicalResourceId="Bucket")["StackResourceDrift"]

    assert [row["LogicalResourceId"] for row in rows] == ["Rule"]
    assert one["StackResourceDriftStatus"] == "IN_SYNC"
    with pytest.raises(ClientError, match="Nowhere"):
        cfn.detect_stack_drift(StackName=stack.name, LogicalResourceIds=["Nowhere"])


def test_an_update_of_the_stack_heals_what_it_touches(stack: Stack) -> None:
    template = family()
    stack.deploy(template)
    stack.account.client("events").disable_rule(Name="ml-trigger")
    template["Resources"]["Rule"]["Properties"]["Description"] = "Deploys what was approved by two"

    assert stack.deploy(template) == "UPDATE_COMPLETE"
    assert _found(stack) == {}


def test_a_stack_that_is_not_there_cannot_drift(stack: Stack) -> None:
    with pytest.raises(ClientError, match="does not exist"):
        stack.cfn.detect_stack_drift(StackName="nowhere")
    stack.change_set(family())
    with pytest.raises(ClientError, match="REVIEW_IN_PROGRESS"):
        stack.cfn.detect_stack_drift(StackName=stack.name)
