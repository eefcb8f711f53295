"""The services of our own, through boto3 as anybody calls them, and what Ref and GetAtt give."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from unit.local.driver import Account, Stack
from unit.local.family import attribute, family
from unit.local.hosting import hosting

PIPELINE = {
    "name": "p",
    "roleArn": "arn:aws:iam::123456789012:role/p",
    "artifactStore": {"type": "S3", "location": "artifacts"},
    "pipelineType": "V2",
    "stages": [
        {
            "name": name,
            "actions": [
                {
                    "name": name,
                    "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
                }
            ],
        }
        for name, category, provider in (("Source", "Source", "S3"), ("Build", "Build", "CodeBuild"))
    ],
}


def test_repositories(account: Account) -> None:
    client = account.client("codecommit")
    made = client.create_repository(repositoryName="r", repositoryDescription="d", tags={"a": "b"})[
        "repositoryMetadata"
    ]

    assert made["cloneUrlHttp"] == "https://git-codecommit.us-west-2.amazonaws.com/v1/repos/r"
    assert client.list_repositories()["repositories"] == [{"repositoryName": "r", "repositoryId": made["repositoryId"]}]
    with pytest.raises(client.exceptions.RepositoryNameExistsException):
        client.create_repository(repositoryName="r")
    client.update_repository_name(oldName="r", newName="s")
    assert client.get_repository(repositoryName="s")["repositoryMetadata"]["repositoryId"] == made["repositoryId"]
    assert client.batch_get_repositories(repositoryNames=["r", "s"])["repositoriesNotFound"] == ["r"]
    client.delete_repository(repositoryName="s")
    with pytest.raises(client.exceptions.RepositoryDoesNotExistException):
        client.get_repository(repositoryName="s")
    assert client.delete_repository(repositoryName="s").get("repositoryId") is None


def test_connections_wait_for_a_person(account: Account) -> None:
    client = account.client("codeconnections")
    arn = client.create_connection(ProviderType="GitHub", ConnectionName="c")["ConnectionArn"]

    assert client.get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"] == "PENDING"
    account.aws.confirm_connection(arn)
    (found,) = client.list_connections()["Connections"]
    assert (found["ConnectionArn"], found["ConnectionStatus"]) == (arn, "AVAILABLE")
    client.delete_connection(ConnectionArn=arn)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_connection(ConnectionArn=arn)


def test_pipelines(account: Account) -> None:
    client = account.client("codepipeline")
    client.create_pipeline(pipeline=PIPELINE, tags=[{"key": "a", "value": "b"}])

    found = client.get_pipeline(name="p")
    assert (found["pipeline"]["version"], found["pipeline"]["executionMode"]) == (1, "SUPERSEDED")
    assert found["metadata"]["pipelineArn"] == "arn:aws:codepipeline:us-west-2:123456789012:p"
    assert client.update_pipeline(pipeline=PIPELINE)["pipeline"]["version"] == 2
    assert client.list_pipelines()["pipelines"][0]["pipelineType"] == "V2"
    execution = client.start_pipeline_execution(name="p")["pipelineExecutionId"]
    newest = client.list_pipeline_executions(pipelineName="p")["pipelineExecutionSummaries"][0]
    assert (newest["pipelineExecutionId"], newest["status"]) == (execution, "InProgress")
    client.disable_stage_transition(pipelineName="p", stageName="Build", transitionType="Inbound", reason="stop")
    states = client.get_pipeline_state(name="p")["stageStates"]
    assert [state["inboundTransitionState"]["enabled"] for state in states] == [True, False]
    with pytest.raises(client.exceptions.PipelineNameInUseException):
        client.create_pipeline(pipeline=PIPELINE)
    with pytest.raises(client.exceptions.InvalidStructureException, match="fewer than 2 stages"):
        client.create_pipeline(pipeline={**PIPELINE, "name": "q", "stages": PIPELINE["stages"][:1]})
    client.delete_pipeline(name="p")
    with pytest.raises(client.exceptions.PipelineNotFoundException):
        client.get_pipeline(name="p")


def test_the_model_registry(account: Account) -> None:
    client = account.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="models")
    arns = [
        client.create_model_package(ModelPackageGroupName="models", ModelApprovalStatus="PendingManualApproval")[
            "ModelPackageArn"
        ]
        for _ in range(2)
    ]
    assert arns[1] == "arn:aws:sagemaker:us-west-2:123456789012:model-package/models/2"
    client.update_model_package(ModelPackageArn=arns[0], ModelApprovalStatus="Approved")

    approved = client.list_model_packages(ModelPackageGroupName="models", ModelApprovalStatus="Approved")
    assert [row["ModelPackageVersion"] for row in approved["ModelPackageSummaryList"]] == [1]
    assert client.describe_model_package(ModelPackageName=arns[0])["ModelApprovalStatus"] == "Approved"
    with pytest.raises(ClientError, match="has model packages"):
        client.delete_model_package_group(ModelPackageGroupName="models")
    for arn in arns:
        client.delete_model_package(ModelPackageName=arn)
    client.delete_model_package_group(ModelPackageGroupName="models")
    assert client.list_model_package_groups()["ModelPackageGroupSummaryList"] == []


def test_projects_keep_everything(account: Account) -> None:
    client = account.client("codebuild")
    given: dict[str, Any] = {
        "name": "project",
        "source": {"type": "NO_SOURCE", "buildspec": "version: 0.2"},
        "artifacts": {"type": "NO_ARTIFACTS"},
        "environment": {"type": "LINUX_CONTAINER", "computeType": "BUILD_GENERAL1_SMALL", "image": "i"},
        "serviceRole": "arn:aws:iam::123456789012:role/r",
        "logsConfig": {"cloudWatchLogs": {"status": "ENABLED", "groupName": "/g"}},
        "cache": {"type": "LOCAL", "modes": ["LOCAL_SOURCE_CACHE"]},
    }
    client.create_project(**given)

    found = client.batch_get_projects(names=["project", "other"])
    assert {key: found["projects"][0][key] for key in given} == given
    assert found["projectsNotFound"] == ["other"]
    assert client.list_projects()["projects"] == ["project"]
    with pytest.raises(client.exceptions.ResourceAlreadyExistsException):
        client.create_project(**given)


REFERENCES = {
    "ModelGroup": r"arn:aws:sagemaker:us-west-2:123456789012:model-package-group/ml-models",
    "Repository": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "Project": r"ml-build",
    "Pipeline": r"ml-build-pipeline",
    "Role": r"ml-codebuild-role",
    "Boundary": r"arn:aws:iam::123456789012:policy/ml/ml-boundary",
    "LogBucket": r"stack-logbucket-[0-9a-f]{12}",
    "Bucket": r"ml-artifacts",
    "BucketPolicy": r"ml-artifacts",
    "Parameter": r"/ml/ModelPackageGroupArn",
    "Rule": r"ml-trigger",
    "Dashboard": r"ml-dashboard",
    "Alarm": r"ml-denied",
    "Key": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "Alias": r"alias/ml",
    "Interface": r"vpce-[0-9a-f]{17}",
    "Group": r"sg-[0-9a-f]{17}",
    "Vpc": r"vpc-[0-9a-f]{17}",
    "LogGroup": r"/ml/compliance",
    "Filter": r"ml-denied",
    "Topic": r"arn:aws:sns:us-west-2:123456789012:ml-security-alerts",
    "Subscription": r"arn:aws:sns:us-west-2:123456789012:ml-security-alerts:[0-9a-f-]{36}",
}
ATTRIBUTES = {
    ("ModelGroup", "ModelPackageGroupArn"): r"arn:aws:sagemaker:us-west-2:123456789012:model-package-group/ml-models",
    ("Repository", "CloneUrlHttp"): r"https://git-codecommit\.us-west-2\.amazonaws\.com/v1/repos/ml-build",
    ("Repository", "Arn"): r"arn:aws:codecommit:us-west-2:123456789012:ml-build",
    ("Project", "Arn"): r"arn:aws:codebuild:us-west-2:123456789012:project/ml-build",
    ("Pipeline", "Version"): r"1",
    ("Role", "Arn"): r"arn:aws:iam::123456789012:role/ml/ml-codebuild-role",
    ("Bucket", "Arn"): r"arn:aws:s3:::ml-artifacts",
    ("Rule", "Arn"): r"arn:aws:events:us-west-2:123456789012:rule/ml-trigger",
    ("Key", "Arn"): r"arn:aws:kms:us-west-2:123456789012:key/[0-9a-f-]{36}",
    ("LogGroup", "Arn"): r"arn:aws:logs:us-west-2:123456789012:log-group:/ml/compliance:\*",
    ("Topic", "TopicName"): r"ml-security-alerts",
    ("Alarm", "Arn"): r"arn:aws:cloudwatch:us-west-2:123456789012:alarm:ml-denied",
    ("Group", "GroupId"): r"sg-[0-9a-f]{17}",
    ("Vpc", "CidrBlock"): r"10\.0\.0\.0/16",
    ("Subnet", "AvailabilityZone"): r"us-west-2a",
}


def test_references_are_those_of_aws(stack: Stack) -> None:
    template = family()
    template["Outputs"] = {name: {"Value": {"Ref": name}} for name in REFERENCES}
    for name, key in ATTRIBUTES:
        template["Outputs"][f"{name}{key}"] = {"Value": attribute(name, key)}
    stack.deploy(template)

    outputs = {row["OutputKey"]: row["OutputValue"] for row in stack.describe()["Outputs"]}

    expected = {**REFERENCES, **{f"{name}{key}": pattern for (name, key), pattern in ATTRIBUTES.items()}}
    wrong = {key: outputs[key] for key, pattern in expected.items() if not re.fullmatch(pattern, outputs[key])}
    assert wrong == {}


def test_forty_one_resources_are_quick(stack: Stack) -> None:
    template = family()
    for name in hosting():
        del template["Resources"][name]
    for number in range(41 - len(template["Resources"])):
        properties = {"Name": f"/p/{number}", "Type": "String", "Value": json.dumps({"n": number})}
        template["Resources"][f"P{number}"] = {"Type": "AWS::SSM::Parameter", "Properties": properties}
    started = time.process_time()  # the work of all threads, whatever else the machine is busy with

    assert stack.deploy(template) == "CREATE_COMPLETE"

    assert len(stack.cfn.describe_stack_resources(StackName=stack.name)["StackResources"]) == 41
    assert time.process_time() - started < 5
