"""The training workflow: its states, its input, its role, and what it does when something is wrong."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from stackseal import assets
from stackseal.errors import ConfigError
from unit.products import family
from unit.products.cases import TEST_SUFFIX, example, rendered, resolved
from unit.products.iam import grants, permits

ROLE = "arn:aws:iam::333344445555:role/sagemaker"
KEY = f"arn:aws:kms:{family.HERE}:key/0a1b2c3d"
KEYS = {
    "sagemaker_role_arn": ROLE,
    "model_package_group": "churn-models",
    "evaluation": {"metric": "test:accuracy", "at_least": 0.8},
}
GIVEN_KEY = {
    "TrainingStateMachine": "AWS::StepFunctions::StateMachine",
    "WorkflowRole": "AWS::IAM::Role",
    "WorkflowLogGroup": "AWS::Logs::LogGroup",
    "SsmStateMachineArn": "AWS::SSM::Parameter",
}
OWN_KEY = {**GIVEN_KEY, "WorkflowLogKey": "AWS::KMS::Key"}
INPUT = assets.PRODUCTS / "training_workflow" / "input"
START: dict[str, str] = json.loads((INPUT / "sf_start_params.json").read_text(encoding="utf-8"))
FAILURES = {"Input invalid", "Training failed", "Not good enough", "Registration failed", "Saving failed"}


def data(**changes: Any) -> dict[str, Any]:
    return family.config("training_workflow", {**KEYS, **changes})


def machine(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = family.filled(family.template(data(**changes)))["TrainingStateMachine"]["Properties"]
    return found


def states(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = machine(**changes)["Definition"]["States"]
    return found


@pytest.mark.spec("C01")
@pytest.mark.parametrize(("changes", "wanted"), [({}, OWN_KEY), ({"kms_key_arn": KEY}, GIVEN_KEY)])
def test_it_has_exactly_these_resources(changes: dict[str, Any], wanted: dict[str, str]) -> None:
    found = family.template(data(**changes))
    assert family.types(found) == wanted
    assert found.stack is not None
    assert found.stack.expected_resources == len(wanted)
    assert set(found.body["Outputs"]) == {"StateMachineArn"}
    assert found.stack.publishes == ("/workflow/acme-prod-a001-us-west-2-churn-workflow/StateMachineArn",)


@pytest.mark.spec("C01")
def test_it_trains_judges_registers_and_saves_under_the_name_of_the_execution() -> None:
    found = states()
    order, name = [], "Check input"
    while name != "Done":
        order.append(name)
        name = found[name].get("Next") or found[name]["Choices"][0]["Next"]
    assert order == ["Check input", "SageMaker Training Step", "Evaluate", "Register model", "Save model"]
    training = found["SageMaker Training Step"]
    assert training["Resource"] == "arn:aws:states:::sagemaker:createTrainingJob.sync"
    assert training["Parameters"]["TrainingJobName.$"] == "$$.Execution.Name"
    assert found["Save model"]["Parameters"]["ModelName.$"] == "$$.Execution.Name"
    assert found["Register model"]["Parameters"]["ModelApprovalStatus"] == "PendingManualApproval"
    used = json.dumps(found)
    assert [key for key in START if f"$.{key}" not in used] == []


@pytest.mark.spec("C01")
def test_every_call_is_tried_again_and_every_failure_has_a_name() -> None:
    found = states()
    calls = {name: state for name, state in found.items() if state["Type"] == "Task"}
    assert len(calls) == 3
    for state in calls.values():
        assert state["Retry"]
        (catch,) = state["Catch"]
        assert catch["ErrorEquals"] == ["States.ALL"]
        assert found[catch["Next"]]["Type"] == "Fail"
    assert {name for name, state in found.items() if state["Type"] == "Fail"} == FAILURES
    retried = {error for retry in calls["SageMaker Training Step"]["Retry"] for error in retry["ErrorEquals"]}
    assert not retried & {"States.ALL", "States.TaskFailed"}, "the name of a failed job is taken"


@pytest.mark.spec("C01")
def test_saving_the_model_is_optional() -> None:
    found = states(save_model=False)
    assert "Save model" not in found
    assert found["Register model"]["Next"] == "Done"
    allowed = family.statements(family.template(data(save_model=False)), "WorkflowRole")
    assert "sagemaker:CreateModel" not in {action for action, _ in grants(allowed)}


@pytest.mark.parametrize(("rule", "sign"), [("at_least", ">="), ("at_most", "<=")])
def test_the_metric_is_compared_as_the_config_says(rule: str, sign: str) -> None:
    (choice,) = states(evaluation={"metric": "train:loss", rule: 0.25})["Evaluate"]["Choices"]
    assert choice["Condition"].endswith(f"{sign} 0.25 %}}")
    assert "MetricName = 'train:loss'" in choice["Condition"]


@pytest.mark.spec("C02")
def test_the_first_state_asks_for_the_nine_keys_of_the_example_and_the_schema() -> None:
    (choice,) = states()["Check input"]["Choices"]
    present = [rule["Variable"].removeprefix("$.") for rule in choice["And"] if rule.get("IsPresent")]
    assert len(present) == 9
    schema = json.loads((INPUT / "schema.json").read_text(encoding="utf-8"))
    assert set(present) == set(START) == set(schema["required"])
    assert states()["Check input"]["Default"] == "Input invalid"
    assert all(key in states()["Input invalid"]["Cause"] for key in START)


@pytest.mark.spec("C02")
def test_the_schema_takes_the_example_and_refuses_it_without_any_of_its_keys() -> None:
    schema = json.loads((INPUT / "schema.json").read_text(encoding="utf-8"))
    judge = jsonschema.Draft202012Validator(schema)
    assert judge.is_valid(START)
    for key in START:
        assert not judge.is_valid({name: value for name, value in START.items() if name != key})
        assert not judge.is_valid({**START, key: ""})


@pytest.mark.spec("C10")
def test_the_role_is_limited_to_the_project_and_passes_one_role_to_sagemaker() -> None:
    allowed = family.statements(family.template(data()), "WorkflowRole")
    here = f"arn:aws:sagemaker:{family.HERE}"
    assert permits(allowed, "sagemaker:CreateTrainingJob", f"{here}:training-job/churn-1")
    assert not permits(allowed, "sagemaker:CreateTrainingJob", f"{here}:training-job/fraud-1")
    assert not permits(allowed, "sagemaker:CreateModel", f"{here}:model/fraud-1")
    assert not permits(allowed, "sagemaker:CreateEndpoint", f"{here}:endpoint/churn-1")
    rule = f"arn:aws:events:{family.HERE}:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"
    assert {resource for action, resource in grants(allowed) if action.startswith("events:")} == {rule}
    (passing,) = [each for each in allowed if each["Action"] == "iam:PassRole"]
    assert passing["Resource"] == ROLE
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    everywhere = {action.partition(":")[0] for action, resource in grants(allowed) if resource == "*"}
    assert everywhere == {"logs", "xray"}


def test_it_logs_encrypted_and_traces() -> None:
    found = family.filled(family.template(data(kms_key_arn=KEY)))
    assert found["WorkflowLogGroup"]["Properties"]["KmsKeyId"] == KEY
    assert found["TrainingStateMachine"]["Properties"]["TracingConfiguration"] == {"Enabled": True}
    assert found["TrainingStateMachine"]["Properties"]["LoggingConfiguration"]["Level"] == "ALL"
    training = found["TrainingStateMachine"]["Properties"]["Definition"]["States"]["SageMaker Training Step"]
    assert training["Parameters"]["OutputDataConfig"]["KmsKeyId"] == KEY
    own = family.filled(family.template(data()))
    assert own["WorkflowLogGroup"]["Properties"]["KmsKeyId"] == "<WorkflowLogKey.Arn>"


def test_every_resource_carries_the_tags_and_a_test_stack_has_names_of_its_own() -> None:
    assert family.untagged(family.template(data()), "training-workflow") == []
    test = family.template(data(), test=True)
    assert test.parameters["StateMachineName"].endswith(TEST_SUFFIX)


def test_a_metric_that_no_job_has_is_told() -> None:
    (warning,) = resolved(
        data(evaluation={"metric": "f1", "at_least": 1}), "acme-prod-a001-us-west-2-churn-workflow.yaml"
    ).warnings
    assert "none of metrics" in warning


def test_three_engines_and_the_policies_have_nothing_to_say(tmp_path: Path) -> None:
    found = [rendered(example(path)) for path in family.examples("training_workflow")]
    assert family.told([*found, family.template(data(), test=True)], tmp_path) == set()
    assert [warning for path in family.examples("training_workflow") for warning in example(path).warnings] == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"project_name": "x" * 27}, "CodePipeline adds 37"),
        ({"sagemaker_role_arn": "sagemaker"}, "the ARN of a role"),
        ({"model_package_group": ROLE}, "not its ARN"),
        ({"evaluation": {"metric": "a"}}, "judged by at_least or by at_most"),
        ({"evaluation": {"metric": "a", "at_least": 1, "at_most": 2}}, "at_most judges the metric already"),
        ({"evaluation": {"metric": "a' or 1", "at_least": 1}}, "the name of a metric"),
        ({"kms_key_arn": "alias/x"}, "not of its alias"),
        ({"instance_type": "t3.large"}, "looks like ml"),
        ({"log_retention_days": 30}, "at least 90"),
    ],
)
def test_a_wrong_value_is_refused_in_words(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolved(data(**changes))
