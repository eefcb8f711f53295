"""Model hosting: a model by name or by package, a roll-out that goes back, captured data, scaling, encryption."""

from pathlib import Path
from typing import Any

import pytest

from stackseal.errors import ConfigError
from unit.products import family
from unit.products.cases import TEST_SUFFIX, example, rendered, resolved

PACKAGE = f"arn:aws:sagemaker:{family.HERE}:model-package/churn-models/7"
ROLE = "arn:aws:iam::333344445555:role/sagemaker"
KEY = f"arn:aws:kms:{family.HERE}:key/0a1b2c3d"
NAME = "acme-prod-a001-us-west-2-churn-hosting"
BY_NAME = {"model_name": "churn-7"}
BY_PACKAGE = {"model_package_arn": PACKAGE, "execution_role_arn": ROLE}
BY_PARAMETER = {"model_package_parameter_store_path": "/ml/churn/Approved", "execution_role_arn": ROLE}
SCALED = {"autoscaling": {"max_instances": 8, "invocations_per_instance": 600}}
CAPTURED = {"data_capture": {"s3_uri": "s3://churn-artifacts/captured", "percentage": 20}}
EVERY = {
    "EndpointConfig": "AWS::SageMaker::EndpointConfig",
    "Endpoint": "AWS::SageMaker::Endpoint",
    "ErrorsAlarm": "AWS::CloudWatch::Alarm",
}
MODEL = {"Model": "AWS::SageMaker::Model"}
OWN_KEY = {"HostingKey": "AWS::KMS::Key"}
LATENCY = {"LatencyAlarm": "AWS::CloudWatch::Alarm"}
SCALING = {
    "ScalableTarget": "AWS::ApplicationAutoScaling::ScalableTarget",
    "ScalingPolicy": "AWS::ApplicationAutoScaling::ScalingPolicy",
}
FULL = {**BY_PACKAGE, **SCALED, **CAPTURED, "max_latency_ms": 250, "kms_key_arn": KEY}


def data(keys: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return family.config("model_hosting", {**(BY_NAME if keys is None else keys), **changes})


def resources(keys: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return family.filled(family.template(data(keys, **changes)))


@pytest.mark.spec("C06")
@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        (BY_NAME, {**EVERY, **OWN_KEY}),
        ({**BY_NAME, "kms_key_arn": KEY}, EVERY),
        (BY_PACKAGE, {**EVERY, **MODEL, **OWN_KEY}),
        ({**BY_NAME, **SCALED, "max_latency_ms": 9}, {**EVERY, **OWN_KEY, **SCALING, **LATENCY}),
        (FULL, {**EVERY, **MODEL, **SCALING, **LATENCY}),
        (BY_PARAMETER, {**EVERY, **MODEL, **OWN_KEY}),
    ],
    ids=["name", "name-key", "package", "name-scaled", "full", "parameter"],
)
def test_it_has_exactly_these_resources_and_outputs(keys: dict[str, Any], wanted: dict[str, str]) -> None:
    found = family.template(data(keys))
    assert family.types(found) == wanted
    assert found.stack is not None
    assert found.stack.expected_resources == len(wanted)
    assert set(found.body["Outputs"]) == {"EndpointId", "EndpointName"}


@pytest.mark.spec("C06")
def test_a_model_is_hosted_by_its_name_which_is_a_parameter() -> None:
    found = family.template(data())
    assert found.parameters["ModelName"] == "churn-7"
    config = family.filled(found)["EndpointConfig"]["Properties"]
    assert "EndpointConfigName" not in config
    (variant,) = config["ProductionVariants"]
    assert variant["ModelName"] == "churn-7"
    assert family.filled(found)["Endpoint"]["Properties"]["EndpointConfigName"] == "<EndpointConfig.EndpointConfigName>"


@pytest.mark.spec("C06")
def test_a_package_becomes_a_model_without_a_name_and_without_a_network() -> None:
    found = resources(BY_PACKAGE)
    model = found["Model"]["Properties"]
    assert model["PrimaryContainer"] == {"ModelPackageName": PACKAGE}
    assert (model["ExecutionRoleArn"], model["EnableNetworkIsolation"]) == (ROLE, True)
    assert "ModelName" not in model
    assert found["EndpointConfig"]["Properties"]["ProductionVariants"][0]["ModelName"] == "<Model.ModelName>"


@pytest.mark.spec("C06")
def test_the_newest_approved_package_comes_from_a_parameter() -> None:
    found = family.template(data(BY_PARAMETER))
    assert found.body["Parameters"]["ModelPackageArn"]["Type"] == "AWS::SSM::Parameter::Value<String>"
    assert found.parameters["ModelPackageArn"] == "/ml/churn/Approved"
    assert found.resources["Model"]["Properties"]["PrimaryContainer"] == {
        "ModelPackageName": {"Ref": "ModelPackageArn"}
    }
    assert found.stack is not None
    assert found.stack.consumes == ("/ml/churn/Approved",)


@pytest.mark.spec("D07")
def test_a_new_model_begins_on_one_instance_and_goes_back_on_alarms() -> None:
    endpoint = resources(max_latency_ms=250)["Endpoint"]["Properties"]
    routing = endpoint["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    size = {"Type": "INSTANCE_COUNT", "Value": 1}
    assert routing == {"Type": "CANARY", "CanarySize": size, "WaitIntervalInSeconds": 600}
    alarms = endpoint["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    assert alarms == [{"AlarmName": "<ErrorsAlarm>"}, {"AlarmName": "<LatencyAlarm>"}]


@pytest.mark.spec("D07")
def test_the_alarms_watch_this_endpoint_and_its_one_variant() -> None:
    found = resources(max_latency_ms=250, max_errors=3)
    variant = found["EndpointConfig"]["Properties"]["ProductionVariants"][0]["VariantName"]
    for alarm in ("ErrorsAlarm", "LatencyAlarm"):
        dimensions = {item["Name"]: item["Value"] for item in found[alarm]["Properties"]["Dimensions"]}
        assert dimensions == {"EndpointName": found["Endpoint"]["Properties"]["EndpointName"], "VariantName": variant}
    assert found["ErrorsAlarm"]["Properties"]["Threshold"] == 3
    assert found["LatencyAlarm"]["Properties"]["Threshold"] == 250_000  # microseconds


@pytest.mark.spec("D07")
def test_one_instance_has_no_canary_and_says_so() -> None:
    found = resolved(data(instance_count=1), f"{NAME}.yaml")
    endpoint = family.filled(rendered(found))["Endpoint"]["Properties"]
    routing = endpoint["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing == {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 600}
    (warning,) = found.warnings
    assert "all requests at once" in warning


@pytest.mark.spec("D08")
def test_requests_and_responses_are_captured_encrypted() -> None:
    capture = resources(FULL)["EndpointConfig"]["Properties"]["DataCaptureConfig"]
    assert capture["EnableCapture"] is True
    assert capture["InitialSamplingPercentage"] == 20
    assert capture["DestinationS3Uri"] == "s3://churn-artifacts/captured"
    assert capture["KmsKeyId"] == KEY
    assert capture["CaptureOptions"] == [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]
    assert "DataCaptureConfig" not in resources()["EndpointConfig"]["Properties"]


def test_scaling_follows_the_requests_of_the_variant() -> None:
    found = resources(FULL)
    target = found["ScalableTarget"]["Properties"]
    assert target["ResourceId"] == "endpoint/<Endpoint.EndpointName>/variant/AllTraffic"
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 8)
    tracking = found["ScalingPolicy"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == 600
    assert found["Endpoint"]["Properties"]["RetainAllVariantProperties"] is True
    assert "RetainAllVariantProperties" not in resources()["Endpoint"]["Properties"]


def test_volumes_are_encrypted_with_the_given_key_or_one_of_its_own() -> None:
    assert resources(kms_key_arn=KEY)["EndpointConfig"]["Properties"]["KmsKeyId"] == KEY
    own = resources()
    assert own["EndpointConfig"]["Properties"]["KmsKeyId"] == "<HostingKey.Arn>"
    assert own["HostingKey"]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_every_resource_carries_the_tags_and_a_test_stack_has_names_of_its_own() -> None:
    assert family.untagged(family.template(data(FULL)), "model-hosting") == []
    test = family.template(data(), test=True)
    assert test.parameters["EndpointName"].endswith(TEST_SUFFIX)
    assert test.resources["HostingKey"]["DeletionPolicy"] == "Delete"


def test_three_engines_and_the_policies_have_nothing_to_say(tmp_path: Path) -> None:
    found = [rendered(example(path)) for path in family.examples("model_hosting")]
    assert family.told([*found, family.template(data(), test=True)], tmp_path) == set()
    assert [warning for path in family.examples("model_hosting") for warning in example(path).warnings] == []


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "an endpoint needs a model"),
        ({**BY_NAME, **BY_PACKAGE}, "comes from model_package_arn already"),
        ({"model_package_arn": PACKAGE}, "needs a role"),
        ({"model_package_parameter_store_path": "/a"}, "needs a role"),
        ({**BY_NAME, **BY_PARAMETER}, "comes from model_package_parameter_store_path already"),
        ({**BY_PACKAGE, **BY_PARAMETER}, "comes from model_package_arn already"),
        ({**BY_PARAMETER, "model_package_parameter_store_path": "a"}, "begins with a slash"),
        ({**BY_NAME, "execution_role_arn": ROLE}, "a model that exists has its role"),
        ({**BY_PACKAGE, "model_package_arn": PACKAGE.rpartition("/")[0]}, "a slash and a number"),
        ({**BY_NAME, "instance_type": "ml.g4dn.xlarge"}, "cannot be encrypted with a key"),
        ({**BY_NAME, "instance_type": "ml.m5d.xlarge"}, "cannot be encrypted with a key"),
        ({**BY_NAME, "data_capture": {"s3_uri": "captured"}}, "begins with s3://"),
        ({**BY_NAME, "kms_key_arn": "alias/x"}, "not of its alias"),
    ],
)
def test_a_wrong_value_is_refused_in_words(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolved(data(keys))
