"""Batch transform: a machine that runs jobs of one model, by hand or by a schedule, and stops what takes too long."""

from pathlib import Path
from typing import Any

import pytest

from stackseal.errors import ConfigError
from unit.products import family
from unit.products.cases import TEST_SUFFIX, example, rendered, resolved
from unit.products.iam import grants

PACKAGE = f"arn:aws:sagemaker:{family.HERE}:model-package/churn-models/7"
ROLE = "arn:aws:iam::333344445555:role/sagemaker"
KEY = f"arn:aws:kms:{family.HERE}:key/0a1b2c3d"
TOPIC = f"arn:aws:sns:{family.HERE}:alerts"
FOLDERS: dict[str, Any] = {
    "input": {"s3_uri": "s3://churn/in", "content_type": "text/csv"},
    "output": {"s3_uri": "s3://churn/out"},
}
BY_NAME = {"model_name": "churn-7"}
BY_PACKAGE = {"model_package_arn": PACKAGE, "execution_role_arn": ROLE}
BY_PARAMETER = {"model_package_parameter_store_path": "/ml/churn/Approved", "execution_role_arn": ROLE}
DAILY = {"schedule": {"expression": "cron(15 2 * * ? *)", "alarm_topic_arn": TOPIC}}
EVERY = {
    "TransformStateMachine": "AWS::StepFunctions::StateMachine",
    "TransformRole": "AWS::IAM::Role",
    "TransformLogGroup": "AWS::Logs::LogGroup",
    "SsmStateMachineArn": "AWS::SSM::Parameter",
}
MODEL = {"Model": "AWS::SageMaker::Model"}
OWN_KEY = {"TransformKey": "AWS::KMS::Key"}
SCHEDULE = {
    "ScheduleRole": "AWS::IAM::Role",
    "ScheduleRule": "AWS::Events::Rule",
    "FailureAlarm": "AWS::CloudWatch::Alarm",
}


def data(keys: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return family.config("batch_transform", {**FOLDERS, **(BY_NAME if keys is None else keys), **changes})


def resources(keys: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return family.filled(family.template(data(keys, **changes)))


def states(keys: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = resources(keys, **changes)["TransformStateMachine"]["Properties"]["Definition"]["States"]
    return found


@pytest.mark.spec("C06")
@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        (BY_NAME, {**EVERY, **OWN_KEY}),
        ({**BY_NAME, "kms_key_arn": KEY}, EVERY),
        (BY_PACKAGE, {**EVERY, **MODEL, **OWN_KEY}),
        (BY_PARAMETER, {**EVERY, **MODEL, **OWN_KEY}),
        ({**BY_NAME, **DAILY}, {**EVERY, **OWN_KEY, **SCHEDULE}),
        ({**BY_PARAMETER, **DAILY, "kms_key_arn": KEY}, {**EVERY, **MODEL, **SCHEDULE}),
    ],
    ids=["name", "name-key", "package", "parameter", "name-scheduled", "parameter-scheduled-key"],
)
def test_it_has_exactly_these_resources(keys: dict[str, Any], wanted: dict[str, str]) -> None:
    found = family.template(data(keys))
    assert family.types(found) == wanted
    assert found.stack is not None
    assert found.stack.expected_resources == len(wanted)
    assert found.stack.publishes == ("/transform/acme-prod-a001-us-west-2-churn-transform/StateMachineArn",)
    assert set(found.body["Outputs"]) == {"StateMachineArn"}


@pytest.mark.spec("C06")
@pytest.mark.parametrize(
    ("keys", "model"), [(BY_NAME, "churn-7"), (BY_PACKAGE, "<Model.ModelName>"), (BY_PARAMETER, "<Model.ModelName>")]
)
def test_the_job_works_with_the_model_of_the_config(keys: dict[str, Any], model: str) -> None:
    found = resources(keys)
    machine = found["TransformStateMachine"]["Properties"]
    task = machine["Definition"]["States"]["Transform"]
    assert task["Resource"] == "arn:aws:states:::sagemaker:createTransformJob.sync"
    assert task["Arguments"]["ModelName"] == "${ModelName}"
    assert machine["DefinitionSubstitutions"]["ModelName"] == model
    if keys is not BY_NAME:
        made = found["Model"]["Properties"]
        assert (made["ExecutionRoleArn"], made["EnableNetworkIsolation"]) == (ROLE, True)
        assert "ModelName" not in made


@pytest.mark.spec("C06")
def test_the_newest_approved_package_comes_from_a_parameter() -> None:
    found = family.template(data(BY_PARAMETER))
    assert found.body["Parameters"]["ModelPackageArn"]["Type"] == "AWS::SSM::Parameter::Value<String>"
    assert found.parameters["ModelPackageArn"] == "/ml/churn/Approved"
    assert found.stack is not None
    assert found.stack.consumes == ("/ml/churn/Approved",)


@pytest.mark.spec("C06")
def test_answers_volumes_and_the_log_are_encrypted_with_the_given_key_or_one_of_its_own() -> None:
    given = resources(kms_key_arn=KEY)
    task = given["TransformStateMachine"]["Properties"]["Definition"]["States"]["Transform"]["Arguments"]
    assert (task["TransformOutput"]["KmsKeyId"], task["TransformResources"]["VolumeKmsKeyId"]) == (KEY, KEY)
    assert given["TransformLogGroup"]["Properties"]["KmsKeyId"] == KEY
    own = resources()
    machine = own["TransformStateMachine"]["Properties"]
    task = machine["Definition"]["States"]["Transform"]["Arguments"]
    assert task["TransformOutput"]["KmsKeyId"] == task["TransformResources"]["VolumeKmsKeyId"] == "${KmsKeyArn}"
    assert machine["DefinitionSubstitutions"]["KmsKeyArn"] == "<TransformKey.Arn>"
    assert own["TransformLogGroup"]["Properties"]["KmsKeyId"] == "<TransformKey.Arn>"
    assert own["TransformKey"]["DeletionPolicy"] == "RetainExceptOnCreate"


@pytest.mark.spec("C06")
def test_a_call_is_tried_again_a_failed_job_is_not_and_every_failure_has_a_name() -> None:
    found = states()
    calls = {name: state for name, state in found.items() if state["Type"] == "Task"}
    assert set(calls) == {"Transform", "Stop the job"}
    for state in calls.values():
        assert state["Retry"]
        assert found[state["Catch"][-1]["Next"]]["Type"] == "Fail"
        assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
    retried = {error for retry in calls["Transform"]["Retry"] for error in retry["ErrorEquals"]}
    assert not retried & {"States.ALL", "States.TaskFailed", "States.Timeout"}, "the name of a failed job is taken"


@pytest.mark.spec("C06")
def test_a_job_that_takes_too_long_is_stopped() -> None:
    found = states(max_runtime_seconds=3600)
    assert found["Transform"]["TimeoutSeconds"] == 3600
    assert found["Transform"]["Catch"][0] == {"ErrorEquals": ["States.Timeout"], "Next": "Stop the job"}
    assert found["Stop the job"]["Resource"] == "arn:aws:states:::aws-sdk:sagemaker:stopTransformJob"
    assert found[found["Stop the job"]["Next"]]["Type"] == "Fail"


@pytest.mark.spec("C06")
def test_a_schedule_starts_the_machine_and_an_alarm_tells_of_failures() -> None:
    found = resources({**BY_NAME, **DAILY})
    rule = found["ScheduleRule"]["Properties"]
    assert (rule["ScheduleExpression"], rule["State"]) == ("cron(15 2 * * ? *)", "ENABLED")
    (target,) = rule["Targets"]
    assert (target["Arn"], target["RoleArn"]) == ("<TransformStateMachine>", "<ScheduleRole.Arn>")
    assert target["Input"] == "{}"
    (statement,) = family.statements(family.template(data({**BY_NAME, **DAILY})), "ScheduleRole")
    assert (statement["Action"], statement["Resource"]) == ("states:StartExecution", "<TransformStateMachine>")
    alarm = found["FailureAlarm"]["Properties"]
    assert (alarm["MetricName"], alarm["AlarmActions"]) == ("ExecutionsFailed", [TOPIC])
    quiet = resources({**BY_NAME, "schedule": {"expression": "rate(12 hours)"}})
    assert "AlarmActions" not in quiet["FailureAlarm"]["Properties"]


def test_a_test_stack_runs_no_job_by_itself_and_has_names_of_its_own() -> None:
    test = family.template(data({**BY_NAME, **DAILY}), test=True)
    assert test.resources["ScheduleRule"]["Properties"]["State"] == "DISABLED"
    assert all(test.parameters[name].endswith(TEST_SUFFIX) for name in ("StateMachineName", "ScheduleRuleName"))
    assert test.resources["TransformKey"]["DeletionPolicy"] == "Delete"


def test_the_settings_of_the_job_reach_it() -> None:
    output = {"s3_uri": "s3://churn/out", "join_input": True, "accept": "application/jsonlines"}
    keys = {"batch_strategy": "SingleRecord", "max_payload_mb": 9, "instance_count": 3, "instance_type": "ml.c5.xlarge"}
    task = states(output=output, **keys)["Transform"]["Arguments"]
    assert (task["BatchStrategy"], task["MaxPayloadInMB"]) == ("SingleRecord", 9)
    assert (task["TransformResources"]["InstanceCount"], task["TransformResources"]["InstanceType"]) == (
        3,
        "ml.c5.xlarge",
    )
    assert task["DataProcessing"] == {"JoinSource": "Input"}
    assert task["TransformOutput"]["Accept"] == "application/jsonlines"
    plain = states()["Transform"]["Arguments"]
    assert "DataProcessing" not in plain
    assert plain["TransformOutput"]["Accept"] == "text/csv"
    assert plain["TransformInput"]["SplitType"] == "Line"


@pytest.mark.spec("C06")
@pytest.mark.parametrize(("keys", "model"), [(BY_NAME, "churn-7"), (BY_PACKAGE, "<Model.ModelName>")])
def test_the_role_runs_jobs_of_one_model_and_passes_no_role(keys: dict[str, Any], model: str) -> None:
    allowed = family.statements(family.template(data(keys, kms_key_arn=KEY)), "TransformRole")
    jobs = f"arn:aws:sagemaker:{family.HERE}:transform-job/churn-*"
    (creation,) = [each for each in allowed if each["Action"] == "sagemaker:CreateTransformJob"]
    arn = f"arn:aws:sagemaker:{family.HERE}:model/{model}"
    assert creation["Condition"] == {"StringEqualsIgnoreCase": {"sagemaker:ModelArn": arn}}
    assert {resource for action, resource in grants(allowed) if action.startswith("sagemaker:")} == {jobs}
    assert "iam:PassRole" not in {action for action, _ in grants(allowed)}
    assert {resource for action, resource in grants(allowed) if action.startswith("kms:")} == {KEY}
    assert {action.partition(":")[0] for action, resource in grants(allowed) if resource == "*"} == {"logs", "xray"}


def test_every_resource_carries_the_tags_and_so_does_every_job() -> None:
    assert family.untagged(family.template(data({**BY_PACKAGE, **DAILY})), "batch-transform") == []
    tags = {item["Key"]: item["Value"] for item in states()["Transform"]["Arguments"]["Tags"]}
    assert tags == {**family.TAGS, "stackseal": "batch-transform"}


def test_the_name_of_a_job_fits() -> None:
    longest = family.template(family.config("batch_transform", {**FOLDERS, **BY_NAME}, use_case="x" * 40))
    prefix = longest.parameters["JobPrefix"]
    assert isinstance(prefix, str)
    assert len(f"{prefix}-00000000-0000-4000-8000-000000000000") == 63


@pytest.mark.spec("C06")
def test_three_engines_and_the_policies_have_nothing_to_say(tmp_path: Path) -> None:
    found = [rendered(example(path)) for path in family.examples("batch_transform")]
    assert family.told([*found, family.template(data({**BY_NAME, **DAILY}), test=True)], tmp_path) == set()
    assert [warning for path in family.examples("batch_transform") for warning in example(path).warnings] == []


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "a job needs a model"),
        ({**BY_NAME, **BY_PACKAGE}, "comes from model_package_arn already"),
        ({**BY_PACKAGE, **BY_PARAMETER}, "comes from model_package_arn already"),
        ({"model_package_arn": PACKAGE}, "needs a role"),
        ({**BY_NAME, "execution_role_arn": ROLE}, "a model that exists has its role"),
        ({**BY_NAME, "input": {"s3_uri": "in", "content_type": "text/csv"}}, "begins with s3://"),
        ({**BY_NAME, "input": {"s3_uri": "s3://churn/in", "content_type": "csv"}}, "looks like text/csv"),
        ({**BY_NAME, "output": {"s3_uri": "s3://churn/out/"}}, "no slash at its end"),
        ({**BY_NAME, "output": {"s3_uri": "s3://churn/it's"}}, "begins with s3://"),
        (
            {**BY_NAME, "output": {"s3_uri": "s3://churn/out", "join_input": True, "assemble_with": "None"}},
            "answers are joined to lines",
        ),
        (
            {
                **BY_NAME,
                "input": {**FOLDERS["input"], "split_type": "None"},
                "output": {"s3_uri": "s3://churn/out", "join_input": True},
            },
            "answers are joined to lines",
        ),
        ({**BY_NAME, "schedule": {"expression": "rate(1 hours)"}}, "looks like rate"),
        ({**BY_NAME, "schedule": {"expression": "cron(15 2 * * ?)"}}, "six fields"),
        ({**BY_NAME, "schedule": {"expression": "rate(1 day)", "alarm_topic_arn": "alerts"}}, "the ARN of a topic"),
        ({**BY_NAME, "instance_type": "ml.g4dn.xlarge"}, "cannot be encrypted with a key"),
        ({**BY_NAME, "kms_key_arn": "alias/x"}, "not of its alias"),
        ({**BY_NAME, "log_retention_days": 30}, "at least 90"),
    ],
)
def test_a_wrong_value_is_refused_in_words(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolved(data(keys))
