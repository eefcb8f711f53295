"""What consumers' code imports, and the command beside it, against the embedded AWS and a real product in it."""

from __future__ import annotations

import inspect
import os
import shlex
import subprocess
import sys
import typing
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.harness import STARTER_GIT, Bench, Result, bench
from e2e.harness import example as shipped
from stackseal import outputs
from stackseal.aws.errors import AwsFailed
from stackseal.aws.session import Aws
from stackseal.errors import StacksealError, UsageError
from stackseal.local import EmbeddedAws
from stackseal.outputs import MissingOutput, get_ml_outputs, get_ml_parameter, register_model

ACCOUNT, REGION = "111122223333", "us-west-2"
NAME = "techcorp-prod-a001-us-west-2-customer-churn-ml"
MODEL = "s3://techcorp-models/churn/model.tar.gz"


@pytest.fixture
def account(aws: EmbeddedAws) -> Aws:
    return Aws({**aws.environ(), "AWS_ACCESS_KEY_ID": ACCOUNT}, region=REGION)


def publish(account: Aws, count: int, name: str = NAME) -> dict[str, str]:
    found = {f"Value{number:02d}": f"arn:{number}" for number in range(count)}
    for key, value in found.items():
        account.client("ssm").put_parameter(Name=f"/ml/{name}/{key}", Value=value, Type="String")
    return found


def registry(account: Aws, name: str = NAME) -> str:
    made = account.client("sagemaker").create_model_package_group(ModelPackageGroupName=f"{name}-models")
    arn = str(made["ModelPackageGroupArn"])
    account.client("ssm").put_parameter(Name=f"/ml/{name}/ModelPackageGroupArn", Value=arn, Type="String")
    return arn


@pytest.mark.spec("A63")
@pytest.mark.parametrize("count", [1, 10, 11, 37])
def test_all_outputs_come_however_many_pages_they_need(account: Aws, count: int) -> None:
    expected = publish(account, count)
    publish(account, 3, f"{NAME}-other")
    found = get_ml_outputs(NAME, REGION, aws=account)
    assert found == expected
    assert list(found) == sorted(found)


@pytest.mark.spec("A63")
def test_a_product_that_publishes_nothing_is_a_typed_error(account: Aws) -> None:
    with pytest.raises(MissingOutput, match=f"/ml/{NAME}; deploy the product first"):
        get_ml_outputs(NAME, REGION, aws=account)


@pytest.mark.spec("A64")
def test_one_parameter(account: Aws) -> None:
    publish(account, 3)
    assert get_ml_parameter(NAME, "Value01", REGION, aws=account) == "arn:1"


@pytest.mark.spec("A64")
def test_a_missing_key_is_a_typed_error_that_names_the_others(account: Aws) -> None:
    publish(account, 2)
    with pytest.raises(MissingOutput, match="does not publish KmsKeyArn in us-west-2: it publishes Value00, Value01"):
        get_ml_parameter(NAME, "KmsKeyArn", REGION, aws=account)
    with pytest.raises(MissingOutput, match="publishes nothing"):
        get_ml_parameter(NAME, "Value00", "eu-west-1", aws=account)


@pytest.mark.parametrize("name", ["", "/ml/x", "a b", "x/../y", "x\n"])
def test_a_name_or_key_that_cannot_be_one_is_refused_before_anything_is_asked(account: Aws, name: str) -> None:
    with pytest.raises(UsageError, match="is no name of a product"):
        get_ml_outputs(name, REGION, aws=account)
    with pytest.raises(UsageError, match="is no key of a product"):
        get_ml_parameter(NAME, name, REGION, aws=account)


@pytest.mark.spec("A65")
def test_a_model_is_registered_and_waits_for_approval(account: Aws) -> None:
    group = registry(account)
    arn = register_model(NAME, REGION, MODEL, "Trained on March", aws=account)
    assert arn == f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/{NAME}-models/1"
    found: dict[str, Any] = account.client("sagemaker").describe_model_package(ModelPackageName=arn)
    assert found["ModelPackageGroupName"] == group.rpartition("/")[2]
    assert found["ModelApprovalStatus"] == "PendingManualApproval"
    assert found["ModelPackageDescription"] == "Trained on March"
    inference = found["InferenceSpecification"]
    assert inference["SupportedContentTypes"] == inference["SupportedResponseMIMETypes"] == ["text/csv"]
    (container,) = inference["Containers"]
    assert container["ModelDataUrl"] == MODEL
    assert container["Image"] == "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1"
    again = register_model(NAME, REGION, MODEL, "Once more", image_uri="123.example/own:1", aws=account)
    assert again.endswith("/2")


@pytest.mark.parametrize(
    ("model", "description", "says"),
    [
        ("model.tar.gz", "", "is no model"),
        ("https://example.com/model.tar.gz", "", "is no model"),
        ("s3://bucket", "", "is no model"),
        (MODEL, "x" * 1025, "SageMaker keeps 1024"),
    ],
)
def test_what_cannot_be_registered_is_refused(account: Aws, model: str, description: str, says: str) -> None:
    registry(account)
    with pytest.raises(UsageError, match=says):
        register_model(NAME, REGION, model, description, aws=account)


def test_a_registry_that_is_gone_is_told_in_awss_words(account: Aws) -> None:
    registry(account)
    account.client("sagemaker").delete_model_package_group(ModelPackageGroupName=f"{NAME}-models")
    with pytest.raises(AwsFailed, match="does not exist"):
        register_model(NAME, REGION, MODEL, "", aws=account)


def test_a_region_without_a_usual_image_needs_one(account: Aws) -> None:
    with pytest.raises(UsageError, match="give image_uri"):
        register_model(NAME, "xx-north-9", MODEL, "", aws=account)


def test_every_function_says_its_types() -> None:
    for name in outputs.__all__:
        thing = getattr(outputs, name)
        if inspect.isfunction(thing):
            names = {**vars(outputs), "Aws": Aws}
            hints = typing.get_type_hints(thing, globalns=names)
            assert hints.keys() == {*inspect.signature(thing).parameters, "return"}
    assert issubclass(MissingOutput, StacksealError)


def test_importing_it_costs_no_engine() -> None:
    code = "import sys, stackseal.outputs; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"boto3", "botocore", "pydantic"} & set(done.stdout.split())


def test_without_more_the_environments_credentials_count(aws: EmbeddedAws, account: Aws) -> None:
    publish(account, 1)
    code = f"from stackseal.outputs import get_ml_outputs; print(get_ml_outputs({NAME!r}, {REGION!r}))"
    env = {**os.environ, **aws.environ(), "AWS_ACCESS_KEY_ID": ACCOUNT}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.strip() == "{'Value00': 'arn:0'}"


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path, aws: EmbeddedAws) -> Iterator[Bench]:
    with bench(tmp_path, aws) as made:
        yield made


def ask(place: Bench, *more: str) -> Result:
    return place.run("outputs", *more)


def test_a_deployed_product_is_read_by_aws_and_by_the_command(place: Bench, account: Aws) -> None:
    name = NAME
    place.world = _as(place, account)
    place.write(shipped(STARTER_GIT), f"{STARTER_GIT}.yaml")
    for argv in (("create-prov-template",), ("deploy-product", "--force")):
        done = place.run(argv[0], f"configs/{STARTER_GIT}.yaml", *argv[1:])
        assert done.code == 0, done.stderr
    ssm = account.client("ssm")
    arn = ssm.get_parameter(Name=f"/ml/{name}/ModelPackageGroupArn")["Parameter"]["Value"]
    url = ssm.get_parameter(Name=f"/ml/{name}/RepositoryUrl")["Parameter"]["Value"]
    assert arn == f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package-group/{name}-models"
    facts = ask(place, name, "--format", "json").facts
    assert facts == {
        "name": name,
        "region": REGION,
        "outputs": {"ModelPackageGroupArn": arn, "RepositoryUrl": url},
    }
    assert register_model(name, REGION, MODEL, "First", aws=account).startswith(arn.replace("-group", ""))


def _as(place: Bench, account: Aws) -> Any:
    return replace(place.world, aws=lambda _account, _region: account)


def test_the_three_forms(place: Bench, account: Aws) -> None:
    place.world = _as(place, account)
    for key, value in (("ModelPackageGroupArn", "arn:x"), ("VpcEndpointIdS3", "it's $HOME")):
        account.client("ssm").put_parameter(Name=f"/ml/{NAME}/{key}", Value=value, Type="String")
    shown = ask(place, NAME)
    assert (shown.code, shown.stdout.splitlines()[0].split()) == (0, ["NAME", "VALUE"])
    assert shown.stdout.splitlines()[1].split() == ["ModelPackageGroupArn", "arn:x"]
    lines = ask(place, NAME, "--as", "env").stdout.splitlines()
    assert [line.partition("=")[0] for line in lines] == ["MODEL_PACKAGE_GROUP_ARN", "VPC_ENDPOINT_ID_S3"]
    assert [shlex.split(line)[0].partition("=")[2] for line in lines] == ["arn:x", "it's $HOME"]
    assert ask(place, NAME, "--format", "json").facts["outputs"]["VpcEndpointIdS3"] == "it's $HOME"


def test_the_region_is_the_names_unless_somebody_says_another(place: Bench, account: Aws) -> None:
    place.world = _as(place, account)
    publish(account, 1)
    assert ask(place, NAME, "--region", "eu-west-1").code == 3
    assert ask(place, NAME).code == 0
    place.world = replace(place.world, env={})
    unknown = ask(place, "my-product")
    assert (unknown.code, "give --region or set AWS_REGION" in unknown.stderr) == (2, True)


def test_a_product_that_is_not_there_is_a_sentence(place: Bench, account: Aws) -> None:
    place.world = _as(place, account)
    done = ask(place, NAME)
    assert done.code == 3
    assert done.stdout == ""
    assert "publishes nothing in us-west-2" in done.stderr
