"""The training pipeline: a commit on one branch starts one state machine with the repository's input."""

from pathlib import Path
from typing import Any

import pytest

from stackseal.errors import ConfigError
from unit.products import family
from unit.products.cases import TEST_SUFFIX, example, rendered, resolved
from unit.products.iam import grants, permits

MACHINE = f"arn:aws:states:{family.HERE}:stateMachine:churn"
PATH = "/workflow/acme/StateMachineArn"
KEYS = {"repository": "training"}
RESOURCES = {
    "CodePipelineArtifactStoreBucket": "AWS::S3::Bucket",
    "ArtifactsBucketPolicy": "AWS::S3::BucketPolicy",
    "AccessLogsBucket": "AWS::S3::Bucket",
    "AccessLogsBucketPolicy": "AWS::S3::BucketPolicy",
    "Pipeline": "AWS::CodePipeline::Pipeline",
    "CodePipelineServiceRole": "AWS::IAM::Role",
    "AmazonCloudWatchEventRole": "AWS::IAM::Role",
    "AmazonCloudWatchEventRule": "AWS::Events::Rule",
}


def data(**changes: Any) -> dict[str, Any]:
    return family.config("training_pipeline", {**KEYS, "state_machine_arn": MACHINE, **changes})


def by_parameter() -> dict[str, Any]:
    return family.config("training_pipeline", {**KEYS, "state_machine_parameter_store_path": PATH})


@pytest.mark.spec("C03")
@pytest.mark.parametrize("given", [data(), by_parameter()], ids=["direct", "ssm"])
def test_it_has_exactly_these_resources_and_outputs(given: dict[str, Any]) -> None:
    found = family.template(given)
    assert family.types(found) == RESOURCES
    assert found.stack is not None
    assert found.stack.expected_resources == len(RESOURCES)
    assert set(found.body["Outputs"]) == {"PipelineUrl", "ArtifactBucket"}


@pytest.mark.spec("C03")
def test_the_source_feeds_the_state_machine_with_a_file() -> None:
    found = family.template(data(branch="release", project_name="finbert", input="runs/start.json"))
    assert {
        "BranchName": "release",
        "RepositoryName": "training",
        "ProjectName": "finbert",
        "MlOpsStepFunctionArn": MACHINE,
    }.items() <= found.parameters.items()
    source, building = family.filled(found)["Pipeline"]["Properties"]["Stages"]
    assert (source["Name"], building["Name"]) == ("Source", "ModelBuilding")
    (invoke,) = building["Actions"]
    assert invoke["ActionTypeId"]["Provider"] == "StepFunctions"
    assert invoke["Configuration"] == {
        "StateMachineArn": MACHINE,
        "ExecutionNamePrefix": "finbert",
        "InputType": "FilePath",
        "Input": "runs/start.json",
    }
    assert invoke["InputArtifacts"] == source["Actions"][0]["OutputArtifacts"]


@pytest.mark.spec("C05")
@pytest.mark.parametrize("branch", ["main", "feature/one"])
def test_only_the_branch_of_the_config_starts_it(branch: str) -> None:
    found = family.filled(family.template(data(branch=branch)))
    rule = found["AmazonCloudWatchEventRule"]["Properties"]
    assert rule["EventPattern"] == {
        "source": ["aws.codecommit"],
        "detail-type": ["CodeCommit Repository State Change"],
        "resources": [f"arn:aws:codecommit:{family.HERE}:training"],
        "detail": {
            "event": ["referenceCreated", "referenceUpdated"],
            "referenceType": ["branch"],
            "referenceName": [branch],
        },
    }
    source = found["Pipeline"]["Properties"]["Stages"][0]["Actions"][0]["Configuration"]
    assert source == {"RepositoryName": "training", "BranchName": branch, "PollForSourceChanges": False}


@pytest.mark.spec("C05")
def test_events_may_start_this_pipeline_only() -> None:
    found = family.template(data())
    (trust,) = family.filled(found)["AmazonCloudWatchEventRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    rule = family.filled(found)["AmazonCloudWatchEventRule"]["Properties"]["Name"]
    assert trust["Condition"]["ArnEquals"] == {"aws:SourceArn": f"arn:aws:events:{family.HERE}:rule/{rule}"}
    pipeline = f"arn:aws:codepipeline:{family.HERE}:acme-prod-a001-us-west-2-churn-training-pipeline"
    allowed = set(grants(family.statements(found, "AmazonCloudWatchEventRole")))
    assert allowed == {("codepipeline:StartPipelineExecution", pipeline)}


@pytest.mark.spec("C10")
def test_the_pipeline_starts_one_machine_and_passes_no_role() -> None:
    allowed = family.statements(family.template(data()), "CodePipelineServiceRole")
    assert permits(allowed, "states:StartExecution", MACHINE)
    assert not permits(allowed, "states:StartExecution", f"{MACHINE}-other")
    assert not permits(allowed, "iam:PassRole", "arn:aws:iam::333344445555:role/admin")
    assert not [resource for _, resource in grants(allowed) if resource == "*"]
    (follow,) = [each for each in allowed if each["Sid"] == "FollowExecutions"]
    text, names = follow["Resource"]["Fn::Sub"]
    assert text.endswith(":execution:${StateMachineName}:${ProjectName}-*")
    assert names == {"StateMachineName": {"Fn::Select": [6, {"Fn::Split": [":", MACHINE]}]}}


@pytest.mark.spec("C03")
def test_the_machine_may_come_from_the_parameter_store() -> None:
    found = family.template(by_parameter())
    assert found.body["Parameters"]["MlOpsStepFunctionArn"]["Type"] == "AWS::SSM::Parameter::Value<String>"
    assert found.stack is not None
    assert found.stack.consumes == (PATH,)


def test_a_long_use_case_still_leaves_room_for_the_name_of_a_job() -> None:
    found = family.template(family.config("training_pipeline", {**data()["training_pipeline"]}, use_case="x" * 40))
    assert len(found.parameters["ProjectName"]) + len("-1624a1d1-3699-43f0-8e1e-6bafd7fde791") <= 63


def test_a_test_stack_finds_no_branch() -> None:
    found = family.template(data(), test=True)
    assert found.parameters["BranchName"] == f"main{TEST_SUFFIX}"
    assert found.resources["AccessLogsBucket"]["DeletionPolicy"] == "Delete"


def test_every_resource_carries_the_tags() -> None:
    assert family.untagged(family.template(data()), "training-pipeline") == []


def test_three_engines_and_the_policies_have_nothing_to_say(tmp_path: Path) -> None:
    found = [rendered(example(path)) for path in family.examples("training_pipeline")]
    assert family.told([*found, family.template(data(), test=True)], tmp_path) == set()
    assert [warning for path in family.examples("training_pipeline") for warning in example(path).warnings] == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"project_name": "x" * 27}, "CodePipeline adds 37"),
        ({"project_name": "a_b"}, "single hyphens"),
        ({"state_machine_arn": "churn"}, "the ARN of a state machine"),
        ({"state_machine_parameter_store_path": PATH}, "comes from state_machine_parameter_store_path already"),
        ({"input": "start.yaml"}, "ends with .json"),
        ({"repository": "a/b"}, "not its ARN or address"),
    ],
)
def test_a_wrong_value_is_refused_in_words(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolved(data(**changes))


def test_no_machine_is_refused_in_words() -> None:
    with pytest.raises(ConfigError, match="the pipeline starts a workflow"):
        resolved(family.config("training_pipeline", KEYS))
