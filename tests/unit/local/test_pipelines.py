"""Pipelines that run: what starts them, what they wait for, and who is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from unit.local.driver import Account

ROLE = "arn:aws:iam::123456789012:role/pipeline"
OWN = "arn:aws:codepipeline:us-west-2:123456789012:p"
GROUP = {"ModelPackageGroupName": ["models"], "ModelApprovalStatus": ["Approved"]}


def role(account: Account) -> None:
    """One role for the pipeline and for its rule, that may do everything."""
    services = ["codepipeline.amazonaws.com", "events.amazonaws.com"]
    trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    account.client("iam").create_role(RoleName="pipeline", AssumeRolePolicyDocument=document)
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    account.client("iam").put_role_policy(
        RoleName="pipeline",
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )


def action(name: str, category: str, provider: str, **given: str) -> dict[str, Any]:
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    outputs = [{"name": "Source"}] if category == "Source" else []
    return {
        "name": name,
        "actionTypeId": kind,
        "configuration": given,
        "inputArtifacts": [],
        "outputArtifacts": outputs,
    }


def pipeline(account: Account, *last: dict[str, Any]) -> Any:
    """A pipeline that reads `r`, with these actions after it; its client."""
    account.client("codecommit").create_repository(repositoryName="r")
    source = action("Source", "Source", "CodeCommit", RepositoryName="r", BranchName="main")
    client = account.client("codepipeline")
    client.create_pipeline(
        pipeline={
            "name": "p",
            "roleArn": ROLE,
            "pipelineType": "V2",
            "artifactStore": {"type": "S3", "location": "artifacts"},
            "stages": [{"name": "Source", "actions": [source]}, {"name": "Last", "actions": list(last)}],
        }
    )
    return client


def commit(account: Account, text: str = "1", parent: str | None = None) -> str:
    given: dict[str, Any] = {"parentCommitId": parent} if parent else {}
    put = [{"filePath": "a", "fileContent": text.encode()}]
    made = account.client("codecommit").create_commit(repositoryName="r", branchName="main", putFiles=put, **given)
    return str(made["commitId"])


def statuses(client: Any) -> list[str]:
    rows = client.list_pipeline_executions(pipelineName="p")["pipelineExecutionSummaries"]
    return [row["status"] for row in reversed(rows)]


def token(client: Any) -> str:
    stages = client.get_pipeline_state(name="p")["stageStates"]
    return str(stages[1]["actionStates"][0]["latestExecution"]["token"])


def decide(client: Any, status: str, given: str) -> None:
    client.put_approval_result(
        pipelineName="p",
        stageName="Last",
        actionName="Approve",
        result={"status": status, "summary": ""},
        token=given,
    )


APPROVE = action("Approve", "Approval", "Manual")


def test_a_commit_follows_the_tip_of_its_branch(account: Account) -> None:
    client = account.client("codecommit")
    client.create_repository(repositoryName="r")
    first = commit(account)
    with pytest.raises(client.exceptions.ParentCommitIdRequiredException):
        commit(account)
    second = commit(account, "2", first)
    with pytest.raises(client.exceptions.ParentCommitIdOutdatedException):
        commit(account, "3", first)
    assert client.get_branch(repositoryName="r", branchName="main")["branch"]["commitId"] == second != first
    assert client.list_branches(repositoryName="r")["branches"] == ["main"]
    with pytest.raises(client.exceptions.BranchDoesNotExistException):
        client.get_branch(repositoryName="r", branchName="other")


def test_an_approval_is_waited_for_and_the_next_execution_waits_for_both(account: Account) -> None:
    role(account)
    client = pipeline(account, APPROVE)
    assert statuses(client) == ["Failed"]
    commit(account)
    client.start_pipeline_execution(name="p")
    client.start_pipeline_execution(name="p")
    assert statuses(client) == ["Failed", "InProgress", "InProgress"]
    first = token(client)
    with pytest.raises(client.exceptions.InvalidApprovalTokenException):
        decide(client, "Approved", "00000000-0000-0000-0000-000000000000")
    decide(client, "Approved", first)
    with pytest.raises(client.exceptions.ApprovalAlreadyCompletedException):
        decide(client, "Rejected", first)
    assert statuses(client) == ["Failed", "Succeeded", "InProgress"]
    assert token(client) != first
    decide(client, "Rejected", token(client))
    assert statuses(client) == ["Failed", "Succeeded", "Failed"]


def test_an_action_of_another_kind_stays_in_progress(account: Account) -> None:
    role(account)
    client = pipeline(account, action("Build", "Build", "CodeBuild", ProjectName="b"))
    client.list_pipeline_executions(pipelineName="p")
    commit(account)
    made = client.start_pipeline_execution(name="p")["pipelineExecutionId"]
    found = client.get_pipeline_execution(pipelineName="p", pipelineExecutionId=made)["pipelineExecution"]
    assert (found["status"], found["trigger"]["triggerType"]) == ("InProgress", "StartPipelineExecution")
    with pytest.raises(client.exceptions.PipelineExecutionNotFoundException):
        client.get_pipeline_execution(pipelineName="p", pipelineExecutionId="00000000-0000-0000-0000-000000000000")


def test_a_role_that_nobody_made_is_said(account: Account) -> None:
    client = pipeline(account, APPROVE)
    commit(account)
    assert statuses(client) == ["Failed"]
    source = client.get_pipeline_state(name="p")["stageStates"][0]["actionStates"][0]["latestExecution"]
    assert source["errorDetails"]["message"] == f"The role {ROLE} cannot be assumed by codepipeline.amazonaws.com"


@pytest.mark.parametrize(("decision", "started"), [("Approved", 1), ("Rejected", 0)])
def test_a_decision_about_a_model_starts_what_waits_for_it(account: Account, decision: str, started: int) -> None:
    role(account)
    client, events = pipeline(account, APPROVE), account.client("events")
    sagemaker = account.client("sagemaker")
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": GROUP,
    }
    events.put_rule(Name="rule", EventPattern=json.dumps(pattern), State="ENABLED")
    events.put_targets(Rule="rule", Targets=[{"Id": "p", "Arn": OWN, "RoleArn": ROLE}])
    sagemaker.create_model_package_group(ModelPackageGroupName="models")
    arn = sagemaker.create_model_package(ModelPackageGroupName="models", ModelApprovalStatus="PendingManualApproval")[
        "ModelPackageArn"
    ]
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=decision)
    assert len(statuses(client)) == 1 + started


def test_who_may_not_approve_cannot(account: Account) -> None:
    role(account)
    client = pipeline(account, APPROVE)
    client.list_pipeline_executions(pipelineName="p")
    commit(account)
    client.start_pipeline_execution(name="p")
    iam = account.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
    iam.create_role(
        RoleName="reader", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    reader = account.assume("reader").client("codepipeline")
    with pytest.raises(ClientError, match=f"codepipeline:PutApprovalResult on resource: {OWN}/Last/Approve"):
        decide(reader, "Approved", token(client))
