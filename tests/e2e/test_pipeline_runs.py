"""The pipelines of the family run on the embedded AWS: pushes start them, people approve, workflows and stacks follow.

Every call of a run is judged by the policy of the role that makes it, so that these runs prove the roles too.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from e2e.harness import ACCOUNT, STARTER_GIT, Bench, example
from e2e.test_pipelines import START, deployed

pytestmark = pytest.mark.e2e
HERE = f"us-west-2:{ACCOUNT}"
WORKFLOW = "techcorp-prod-a001-us-west-2-customer-churn-workflow"
HOSTING = "techcorp-prod-a001-us-west-2-customer-churn-hosting"
TEMPLATE = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Parameters": {"ModelName": {"Type": "String"}},
    "Resources": {
        "EndpointConfig": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "ProductionVariants": [
                    {
                        "VariantName": "AllTraffic",
                        "ModelName": {"Ref": "ModelName"},
                        "InstanceType": "ml.m5.large",
                        "InitialInstanceCount": 1,
                        "InitialVariantWeight": 1,
                    }
                ]
            },
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {"EndpointConfigName": {"Fn::GetAtt": ["EndpointConfig", "EndpointConfigName"]}},
        },
    },
}


def push(bench: Bench, repository: str, files: dict[str, str], branch: str = "main", parent: str | None = None) -> str:
    """A commit by the API, which CodeCommit tells EventBridge as it does a push."""
    given: dict[str, Any] = {"repositoryName": repository, "branchName": branch}
    given |= {"parentCommitId": parent} if parent else {}
    put = [{"filePath": path, "fileContent": text.encode()} for path, text in files.items()]
    return str(bench.client("codecommit").create_commit(**given, putFiles=put)["commitId"])


def pipeline(bench: Bench) -> str:
    (found,) = bench.client("codepipeline").list_pipelines()["pipelines"]
    return str(found["name"])


def runs(bench: Bench, name: str) -> list[tuple[str, str]]:
    """What started each execution and how it stands, oldest first."""
    client = bench.client("codepipeline")
    rows = client.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
    return [(row["trigger"]["triggerType"], row["status"]) for row in reversed(rows)]


def last(bench: Bench, name: str, action: str) -> dict[str, Any]:
    """The newest run of an action."""
    stages = bench.client("codepipeline").get_pipeline_state(name=name)["stageStates"]
    (found,) = [row for stage in stages for row in stage["actionStates"] if row["actionName"] == action]
    return dict(found.get("latestExecution", {}))


def settled(bench: Bench, name: str, wanted: str) -> list[tuple[str, str]]:
    """The executions, once the newest one stands as is wanted."""
    for _ in range(400):
        found = runs(bench, name)
        if found[-1][1] == wanted:
            break
        time.sleep(0.02)
    return found


def workflow(bench: Bench) -> str:
    """A machine under the name that the example starts; it gives back what it gets."""
    definition = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
    made = bench.client("stepfunctions").create_state_machine(
        name=WORKFLOW, definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/stackseal-execution"
    )
    return str(made["stateMachineArn"])


@pytest.mark.spec("C03", "C04")
def test_a_new_training_pipeline_runs_once_and_is_released_by_hand(bench: Bench) -> None:
    bench.client("codecommit").create_repository(repositoryName="customer-churn-training")
    deployed(bench, "training_pipeline")
    machine, name = workflow(bench), pipeline(bench)
    assert runs(bench, name) == [("CreatePipeline", "Failed")]
    assert "The branch main" in last(bench, name, "SourceAction")["errorDetails"]["message"]
    push(bench, "customer-churn-training", {"sf_start_params.json": json.dumps(START)}, branch="later")
    push(bench, "customer-churn-training", {"sf_start_params.json": json.dumps(START)})
    settled(bench, name, "Succeeded")
    bench.client("codepipeline").start_pipeline_execution(name=name)
    assert settled(bench, name, "Succeeded")[-1] == ("StartPipelineExecution", "Succeeded")
    executions = bench.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    assert len(executions) == 2
    assert all(row["name"].startswith("customer-churn-") for row in executions)
    found = bench.client("stepfunctions").describe_execution(executionArn=executions[0]["executionArn"])
    assert json.loads(found["input"]) == START


@pytest.mark.spec("C05")
def test_a_push_to_the_branch_starts_one_execution_and_to_another_none(bench: Bench) -> None:
    bench.client("codecommit").create_repository(repositoryName="customer-churn-training")
    deployed(bench, "training_pipeline")
    machine, name = workflow(bench), pipeline(bench)
    files = {"pipelinetest.txt": "1", "sf_start_params.json": json.dumps(START)}
    commit = push(bench, "customer-churn-training", files)
    assert settled(bench, name, "Succeeded")[1:] == [("CloudWatchEvent", "Succeeded")]
    push(bench, "customer-churn-training", files, branch="other")
    bench.client("codecommit").create_repository(repositoryName="another")
    push(bench, "another", files)
    assert len(runs(bench, name)) == 2
    push(bench, "customer-churn-training", {"pipelinetest.txt": "2"}, parent=commit)
    assert settled(bench, name, "Succeeded")[2:] == [("CloudWatchEvent", "Succeeded")]
    assert len(bench.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]) == 2


@pytest.mark.spec("C05")
def test_the_branch_of_the_config_is_the_one_that_starts_it(bench: Bench) -> None:
    bench.client("codecommit").create_repository(repositoryName="customer-churn-training")
    deployed(bench, "training_pipeline", more="\n  branch: release")
    workflow(bench)
    name, files = pipeline(bench), {"sf_start_params.json": json.dumps(START)}
    push(bench, "customer-churn-training", files)
    assert [started for started, _ in runs(bench, name)] == ["CreatePipeline"]
    push(bench, "customer-churn-training", files, branch="release")
    assert settled(bench, name, "Succeeded")[1:] == [("CloudWatchEvent", "Succeeded")]


@pytest.mark.spec("C05", "C10")
def test_a_rule_whose_role_may_not_start_the_pipeline_starts_nothing(bench: Bench) -> None:
    bench.client("codecommit").create_repository(repositoryName="customer-churn-training")
    deployed(bench, "training_pipeline")
    (rule,) = bench.client("events").list_rules()["Rules"]
    (target,) = bench.client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]
    bench.client("iam").delete_role_policy(RoleName=target["RoleArn"].rpartition("/")[2], PolicyName="start")
    push(bench, "customer-churn-training", {"sf_start_params.json": json.dumps(START)})
    assert [started for started, _ in runs(bench, pipeline(bench))] == ["CreatePipeline"]


def hosting(bench: Bench, model: str) -> dict[str, str]:
    """The files of the deployment repository."""
    parameters = {"Parameters": {"ModelName": model}}
    return {"mldeployment.yaml": json.dumps(TEMPLATE), "mldeployment.json": json.dumps(parameters)}


def prepared(bench: Bench) -> str:
    """The deployment pipeline with a repository, a topic that a queue listens to, and two models; the queue."""
    bench.client("codecommit").create_repository(repositoryName="customer-churn-deployment")
    topic = bench.client("sns").create_topic(Name="customer-churn-approvals")["TopicArn"]
    arn, allowed = f"arn:aws:sqs:{HERE}:approvers", {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}}
    statement = {**allowed, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    queue = str(bench.client("sqs").create_queue(QueueName="approvers", Attributes={"Policy": policy})["QueueUrl"])
    bench.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    deployed(bench, "deployment_pipeline")
    for version in (7, 8):
        bench.client("sagemaker").create_model(
            ModelName=f"customer-churn-{version}",
            PrimaryContainer={"Image": f"{ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com/churn:{version}"},
            ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/stackseal-execution",
        )
    return queue


def decide(bench: Bench, name: str, status: str) -> None:
    """What the approver answers."""
    bench.client("codepipeline").put_approval_result(
        pipelineName=name,
        stageName="DeployStage",
        actionName="ApproveChangeSet",
        result={"status": status, "summary": "read"},
        token=last(bench, name, "ApproveChangeSet")["token"],
    )


def change_sets(bench: Bench) -> list[str]:
    rows = bench.client("cloudformation").list_change_sets(StackName=HOSTING)["Summaries"]
    return [row["ChangeSetId"] for row in rows]


@pytest.mark.spec("C07", "C08", "C09", "C11")
def test_a_rejected_change_set_stays_and_an_approved_one_is_executed(bench: Bench) -> None:
    queue = prepared(bench)
    name, cfn = pipeline(bench), bench.client("cloudformation")
    commit = push(bench, "customer-churn-deployment", hosting(bench, "customer-churn-7"))
    assert runs(bench, name)[1:] == [("CloudWatchEvent", "InProgress")], last(bench, name, "CreateChangeSet")
    (first,) = change_sets(bench)
    (message,) = bench.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert "Do you want to implement" in message["Body"]
    assert last(bench, name, "ApproveChangeSet")["token"] in message["Body"]

    decide(bench, name, "Rejected")
    assert runs(bench, name)[-1] == ("CloudWatchEvent", "Failed")
    assert change_sets(bench) == [first]
    assert cfn.describe_stacks(StackName=HOSTING)["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert bench.client("sagemaker").list_endpoints()["Endpoints"] == []

    commit = push(bench, "customer-churn-deployment", hosting(bench, "customer-churn-8"), parent=commit)
    (second,) = change_sets(bench)
    assert second != first
    decide(bench, name, "Approved")
    assert settled(bench, name, "Succeeded")[-1][1] == "Succeeded", last(bench, name, "ExecuteChangeSet")
    (stack,) = cfn.describe_stacks(StackName=HOSTING)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Parameters"] == [{"ParameterKey": "ModelName", "ParameterValue": "customer-churn-8"}]
    assert stack["RoleARN"].endswith("-deploy-cfn")

    push(bench, "customer-churn-deployment", hosting(bench, "customer-churn-7"), parent=commit)
    decide(bench, name, "Rejected")
    (after,) = cfn.describe_stacks(StackName=HOSTING)["Stacks"]
    assert (after["StackStatus"], after["Parameters"]) == ("CREATE_COMPLETE", stack["Parameters"])
    assert len(change_sets(bench)) == 1


@pytest.mark.spec("C09", "C10")
def test_a_pipeline_that_may_not_ask_for_approval_does_not_go_on(bench: Bench) -> None:
    prepared(bench)
    name = pipeline(bench)
    role = bench.client("codepipeline").get_pipeline(name=name)["pipeline"]["roleArn"].rpartition("/")[2]
    iam = bench.client("iam")
    document = iam.get_role_policy(RoleName=role, PolicyName="deployment")["PolicyDocument"]
    document["Statement"] = [each for each in document["Statement"] if each["Sid"] != "AskForApproval"]
    iam.put_role_policy(RoleName=role, PolicyName="deployment", PolicyDocument=json.dumps(document))
    push(bench, "customer-churn-deployment", hosting(bench, "customer-churn-7"))
    assert runs(bench, name)[-1] == ("CloudWatchEvent", "Failed")
    assert "sns:Publish" in last(bench, name, "ApproveChangeSet")["errorDetails"]["message"]
    assert bench.client("sagemaker").list_endpoints()["Endpoints"] == []


@pytest.mark.spec("A45")
def test_a_push_to_main_starts_a_hardened_product_at_once_and_to_another_branch_nothing(bench: Bench) -> None:
    text = example(STARTER_GIT).replace("\ntags:", "\n  hardening: true\ntags:")
    bench.write(text, f"{STARTER_GIT}.yaml")
    assert bench.run("create-prov-template", f"configs/{STARTER_GIT}.yaml").code == 0
    done = bench.run("deploy-product", f"configs/{STARTER_GIT}.yaml", "--force")
    assert done.code == 0, done.stderr
    name = STARTER_GIT.removesuffix("-codecommit")
    push(bench, f"{name}-model-build", {"buildspec.yml": "version: 0.2"}, branch="other")
    push(bench, f"{name}-model-build", {"buildspec.yml": "version: 0.2"})
    assert [started for started, _ in runs(bench, f"{name}-build-pipeline")] == ["CreatePipeline", "CloudWatchEvent"]
    assert [started for started, _ in runs(bench, f"{name}-deploy-pipeline")] == ["CreatePipeline"]
    drift = bench.run("check-drift", f"configs/{STARTER_GIT}.yaml", "--format", "json")
    assert drift.code == 0, drift.stdout + drift.stderr
