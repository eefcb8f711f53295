"""The Step Functions and CodePipeline family on the embedded AWS: created, in sync, removed, under its own policy."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from e2e.harness import ACCOUNT, Bench
from stackseal import assets, config, policy, settings
from stackseal.change import preparation
from stackseal.model import Outcome, Role

pytestmark = pytest.mark.e2e
ROLE = f"arn:aws:iam::{ACCOUNT}:role/stackseal-execution"
PRODUCTS = ("batch_transform", "deployment_pipeline", "model_hosting", "training_pipeline", "training_workflow")


def first_example(product: str) -> tuple[str, str]:
    """File name and text of a product's first example of the embedded account."""
    found = sorted((assets.PRODUCTS / product / "examples").glob("techcorp-*.yaml"))[0]
    return found.name, found.read_text(encoding="utf-8")


def grant(bench: Bench, name: str, text: str) -> None:
    """The execution role with exactly what the policies of this config say."""
    parsed = config.parse(text.encode(), f"configs/{name}")
    resolved = preparation.catalogue_of(bench.world).resolve(parsed, bench.world.sandbox)
    template = preparation.rendered(bench.world, resolved, ()).template
    execution = next(item for item in policy.generate(template) if item.role is Role.EXECUTION)
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = bench.client("iam")
    iam.create_role(
        RoleName="stackseal-execution",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    for index, document in enumerate(policy.documents(execution)):
        iam.put_role_policy(RoleName="stackseal-execution", PolicyName=f"p{index}", PolicyDocument=json.dumps(document))


def deployed(bench: Bench, product: str, *, more: str = "") -> Any:
    """The product's first example, with more in its section, reviewed and deployed under its own execution policy."""
    name, text = first_example(product)
    text = text.replace("\ntags:", f"{more}\ntags:")
    if product in ("batch_transform", "model_hosting"):
        image = {"Image": f"{ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com/churn:7"}
        bench.client("sagemaker").create_model(
            ModelName="customer-churn-7", PrimaryContainer=image, ExecutionRoleArn=ROLE
        )
    accounts = f'accounts: {{"{ACCOUNT}": {{execution_role: "{ROLE}"}}}}'
    (bench.folder / settings.FILE).write_text(f"version: 1\nconfigs: configs\n{accounts}\n")
    bench.commit("Name the role")
    grant(bench, name, text)
    bench.git("switch", "--quiet", "--create", "change")
    bench.write(text, name)
    bench.commit("Add the product")
    report = bench.review(1)
    assert not report.failures, report.failures
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", "change")
    (done,) = bench.deploy(1)
    return done


@pytest.mark.parametrize("product", PRODUCTS)
def test_it_is_created_in_sync_and_removed(bench: Bench, product: str) -> None:
    done = deployed(bench, product)
    assert done.outcome is Outcome.CREATED, done.first_failure
    name, _ = first_example(product)
    drift = bench.run("check-drift", f"configs/{name}", "--format", "json")
    assert drift.code == 0, drift.stdout + drift.stderr
    gone = bench.run("delete-product", f"configs/{name}", "--force", "--delete-data", "--format", "json")
    assert gone.code == 0, gone.stderr
    assert bench.client("s3").list_buckets()["Buckets"] == []
    assert bench.client("codepipeline").list_pipelines()["pipelines"] == []


@pytest.mark.spec("C08", "C11")
def test_the_deployment_pipeline_stands_as_written(bench: Bench) -> None:
    deployed(bench, "deployment_pipeline")
    client = bench.client("codepipeline")
    (summary,) = client.list_pipelines()["pipelines"]
    assert (summary["pipelineType"], summary["executionMode"]) == ("V2", "QUEUED")
    stages = client.get_pipeline(name=summary["name"])["pipeline"]["stages"]
    names = [action["name"] for stage in stages for action in stage["actions"]]
    assert names == ["SourceAction", "CreateChangeSet", "ApproveChangeSet", "ExecuteChangeSet"]
    (rule,) = bench.client("events").list_rules()["Rules"]
    assert json.loads(rule["EventPattern"])["detail"]["referenceName"] == ["main"]


@pytest.mark.spec("C05", "C11")
@pytest.mark.parametrize("product", ["deployment_pipeline", "training_pipeline"])
def test_events_of_the_branch_match_the_rule_and_others_do_not(bench: Bench, product: str) -> None:
    deployed(bench, product)
    events = bench.client("events")
    (rule,) = events.list_rules()["Rules"]
    repository = json.loads(rule["EventPattern"])["resources"][0]

    def matches(branch: str, **changes: str) -> bool:
        detail = {"event": "referenceUpdated", "referenceType": "branch", "referenceName": branch, **changes}
        event = {
            "id": "1",
            "account": ACCOUNT,
            "source": "aws.codecommit",
            "time": "2026-11-20T08:00:00Z",
            "region": "us-west-2",
            "resources": [repository],
            "detail-type": "CodeCommit Repository State Change",
            "detail": detail,
        }
        answer = events.test_event_pattern(EventPattern=rule["EventPattern"], Event=json.dumps(event))
        return bool(answer["Result"])

    assert matches("main")
    assert matches("main", event="referenceCreated")
    assert not matches("other")
    assert not matches("main", event="referenceDeleted")
    assert not matches("main", referenceType="tag")


@pytest.mark.spec("C03")
def test_a_training_is_released_by_hand(bench: Bench) -> None:
    deployed(bench, "training_pipeline")
    client = bench.client("codepipeline")
    (summary,) = client.list_pipelines()["pipelines"]
    before = client.list_pipeline_executions(pipelineName=summary["name"])["pipelineExecutionSummaries"]
    started = client.start_pipeline_execution(name=summary["name"])["pipelineExecutionId"]
    after = client.list_pipeline_executions(pipelineName=summary["name"])["pipelineExecutionSummaries"]
    assert [row["pipelineExecutionId"] for row in after] == [
        started,
        *(row["pipelineExecutionId"] for row in before),
    ]


START = json.loads(
    (assets.PRODUCTS / "training_workflow" / "input" / "sf_start_params.json").read_text(encoding="utf-8")
)


def executed(bench: Bench, machine: str, name: str, given: Any) -> Any:
    """How an execution ended."""
    client = bench.client("stepfunctions")
    execution = client.start_execution(stateMachineArn=machine, name=name, input=json.dumps(given))["executionArn"]
    for _ in range(200):
        found = client.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            break
        time.sleep(0.05)
    return found


@pytest.mark.spec("C02")
def test_an_input_that_is_not_whole_trains_nothing(bench: Bench) -> None:
    deployed(bench, "training_workflow")
    (machine,) = bench.client("stepfunctions").list_state_machines()["stateMachines"]
    arn = machine["stateMachineArn"]
    wrong = [{name: value for name, value in START.items() if name != key} for key in START]
    wrong += [
        {**START, "S3UriTraining": 7},
        {**START, "S3OutputPath": "/tmp"},
        {**START, "SageMakerRoleArn": "other"},
        {},
    ]
    for index, given in enumerate(wrong):
        found = executed(bench, arn, f"customer-churn-{index}", given)
        assert (found["status"], found["error"]) == ("FAILED", "InputInvalid"), given
    assert executed(bench, arn, "another-project", START)["error"] == "InputInvalid"
    assert executed(bench, arn, "customer-churn-whole", START)["error"] != "InputInvalid"


@pytest.mark.spec("C01")
@pytest.mark.parametrize(
    ("accuracy", "end"), [(0.9, "SUCCEEDED"), (0.8, "SUCCEEDED"), (0.7, "FAILED"), (None, "FAILED")]
)
def test_a_model_is_saved_only_if_it_is_good_enough(bench: Bench, accuracy: float | None, end: str) -> None:
    # No SageMaker answers here, so that its three answers are written into the deployed machine's states.
    deployed(bench, "training_workflow")
    client = bench.client("stepfunctions")
    arn = client.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    found = client.describe_state_machine(stateMachineArn=arn)
    definition = json.loads(found["definition"])
    metrics = [{"MetricName": "train:loss", "Value": 0.1}]
    metrics += [] if accuracy is None else [{"MetricName": "test:accuracy", "Value": accuracy}]
    answer = {"FinalMetricDataList": metrics, "ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/model.tar.gz"}}
    for name, state in definition["States"].items():
        if state["Type"] == "Task":
            kept = {key: state[key] for key in ("ResultPath", "Next")}
            definition["States"][name] = {"Type": "Pass", "Result": answer, **kept}
    client.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
    ended = executed(bench, arn, "customer-churn-1", START)
    assert ended["status"] == end
    assert ended.get("error") == ("ModelNotGoodEnough" if end == "FAILED" else None)
    events = client.get_execution_history(executionArn=ended["executionArn"])["events"]
    seen = {event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event}
    assert ("Save model" in seen) == ("Register model" in seen) == (end == "SUCCEEDED")


def transform_machine(bench: Bench) -> str:
    """The deployed machine of batch transform, whose job answers at once: no SageMaker answers here."""
    deployed(bench, "batch_transform", more="\n  schedule: {expression: rate(12 hours)}")
    client = bench.client("stepfunctions")
    arn = str(client.list_state_machines()["stateMachines"][0]["stateMachineArn"])
    definition = json.loads(client.describe_state_machine(stateMachineArn=arn)["definition"])
    task = definition["States"]["Transform"]
    definition["States"]["Transform"] = {"Type": "Pass", "Output": task["Arguments"], "Next": task["Next"]}
    client.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
    return arn


@pytest.mark.spec("C06")
def test_every_job_has_a_name_and_a_folder_of_its_own_and_an_execution_may_name_other_data(bench: Bench) -> None:
    arn = transform_machine(bench)
    bucket = "s3://techcorp-prod-a001-us-west-2-customer-churn-ml-artifacts"
    inputs = [{}, {}, {"S3InputUri": "s3://other/friday"}]
    jobs = [json.loads(executed(bench, arn, f"run-{i}", given)["output"]) for i, given in enumerate(inputs)]
    read = [job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] for job in jobs]
    assert read == [f"{bucket}/batch/customers", f"{bucket}/batch/customers", "s3://other/friday"]
    names = [job["TransformJobName"] for job in jobs]
    assert len(set(names)) == 3
    assert all(re.fullmatch(r"customer-churn-[0-9a-f-]{36}", name) for name in names)
    folders = [job["TransformOutput"]["S3OutputPath"] for job in jobs]
    assert folders == [f"{bucket}/batch/answers/{name}" for name in names]
    assert {job["ModelName"] for job in jobs} == {"customer-churn-7"}
    key = bench.client("kms").list_keys()["Keys"][0]["KeyArn"]
    assert {job["TransformOutput"]["KmsKeyId"] for job in jobs} == {key}


@pytest.mark.spec("C06")
def test_an_address_that_is_none_transforms_nothing(bench: Bench) -> None:
    arn = transform_machine(bench)
    for index, wrong in enumerate(["", "/tmp", "s3://", 7, None, ["s3://other/friday"], "https://other/friday"]):
        found = executed(bench, arn, f"run-{index}", {"S3InputUri": wrong})
        assert (found["status"], found["error"]) == ("FAILED", "InputInvalid"), wrong


@pytest.mark.spec("C06")
def test_the_schedule_starts_the_deployed_machine_with_the_input_of_the_config(bench: Bench) -> None:
    arn = transform_machine(bench)
    events = bench.client("events")
    (rule,) = events.list_rules()["Rules"]
    assert (rule["State"], rule["ScheduleExpression"]) == ("ENABLED", "rate(12 hours)")
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert (target["Arn"], target["Input"]) == (arn, "{}")
    role = bench.client("iam").get_role(RoleName=target["RoleArn"].rpartition("/")[2])["Role"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["ArnEquals"]["aws:SourceArn"] == rule["Arn"]


@pytest.mark.spec("C06")
def test_a_job_that_takes_too_long_ends_as_stopped_or_as_not_stopped(bench: Bench) -> None:
    arn = transform_machine(bench)
    client = bench.client("stepfunctions")
    definition = json.loads(client.describe_state_machine(stateMachineArn=arn)["definition"])
    # No job runs here: what follows its limit is entered at once.
    definition["States"]["Transform"] = {"Type": "Pass", "Next": "Stop the job"}
    stop = definition["States"]["Stop the job"]
    for end, state in (("TransformNotStopped", "Job not stopped"), ("TransformTookTooLong", stop["Next"])):
        definition["States"]["Stop the job"] = {"Type": "Pass", "Next": state}
        client.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
        found = executed(bench, arn, end, {})
        assert (found["status"], found["error"]) == ("FAILED", end)
        assert re.search(r"The job customer-churn-[0-9a-f-]{36} ran for more than 86400 seconds", found["cause"])


FULL = """
  max_latency_ms: 250
  data_capture: {s3_uri: "s3://churn/captured"}
  autoscaling: {max_instances: 8, invocations_per_instance: 600}"""


@pytest.mark.spec("C06", "D08")
def test_a_hosted_model_with_everything_is_in_sync_and_drift_is_seen(bench: Bench) -> None:
    done = deployed(bench, "model_hosting", more=FULL)
    assert done.outcome is Outcome.CREATED, done.first_failure
    (endpoint,) = bench.client("sagemaker").list_endpoints()["Endpoints"]
    assert done.outputs["EndpointName"] == endpoint["EndpointName"]
    assert done.outputs["EndpointId"] == endpoint["EndpointArn"]
    (made,) = bench.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]
    found = bench.client("sagemaker").describe_endpoint_config(EndpointConfigName=made["EndpointConfigName"])
    key = bench.client("kms").list_keys()["Keys"][0]["KeyArn"]
    capture = found["DataCaptureConfig"]
    assert (capture["EnableCapture"], capture["DestinationS3Uri"], capture["KmsKeyId"]) == (
        True,
        "s3://churn/captured",
        key,
    )
    assert capture["CaptureOptions"] == [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]
    name, _ = first_example("model_hosting")
    drift = bench.run("check-drift", f"configs/{name}", "--format", "json")
    assert (drift.code, drift.facts["not_checked"]) == (0, []), drift.stdout + drift.stderr
    scaling = bench.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["ResourceId"] == f"endpoint/{endpoint['EndpointName']}/variant/AllTraffic"
    keys = ("ServiceNamespace", "ResourceId", "ScalableDimension")
    scaling.register_scalable_target(**{key: target[key] for key in keys}, MinCapacity=2, MaxCapacity=20)
    drift = bench.run("check-drift", f"configs/{name}", "--format", "json")
    assert drift.code == 1
    (difference,) = drift.facts["differences"]
    assert (difference["resource"], difference["property"]) == ("ScalableTarget", "MaxCapacity")
    gone = bench.run("delete-product", f"configs/{name}", "--force", "--delete-data", "--format", "json")
    assert gone.code == 0, gone.stderr
    assert bench.client("sagemaker").list_endpoints()["Endpoints"] == []
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []


@pytest.mark.spec("C06")
def test_another_model_replaces_the_configuration_and_keeps_the_endpoint(bench: Bench) -> None:
    deployed(bench, "model_hosting")
    sagemaker = bench.client("sagemaker")
    (before,) = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    image = {"Image": f"{ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com/churn:8"}
    sagemaker.create_model(ModelName="customer-churn-8", PrimaryContainer=image, ExecutionRoleArn=ROLE)
    name, text = first_example("model_hosting")
    bench.git("switch", "--quiet", "--create", "model")
    bench.write(text.replace("customer-churn-7", "customer-churn-8"), name)
    bench.commit("Host the next model")
    bench.review(2)
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", "model")
    (done,) = bench.deploy(2)
    assert done.outcome is Outcome.UPDATED, done.first_failure
    (after,) = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    assert after["EndpointConfigName"] != before["EndpointConfigName"]
    (endpoint,) = sagemaker.list_endpoints()["Endpoints"]
    found = sagemaker.describe_endpoint(EndpointName=endpoint["EndpointName"])
    assert found["EndpointConfigName"] == after["EndpointConfigName"]
