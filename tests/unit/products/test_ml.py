"""The ML product's templates as a whole: which resources, under which names, for each of the 40 legal configs."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from stackseal import __version__, facts
from stackseal.catalogue import Resolved
from stackseal.checks import CHECKS
from unit.products.cases import (
    CASES,
    ENTERPRISE,
    EXAMPLES,
    KINDS,
    Case,
    example,
    filled,
    rendered,
    resolved,
    template,
)

STARTER = {
    "ModelPackageGroup": "AWS::SageMaker::ModelPackageGroup",
    "BuildProject": "AWS::CodeBuild::Project",
    "DeployProject": "AWS::CodeBuild::Project",
    "BuildPipeline": "AWS::CodePipeline::Pipeline",
    "DeployPipeline": "AWS::CodePipeline::Pipeline",
    "CodeBuildRole": "AWS::IAM::Role",
    "CodePipelineRole": "AWS::IAM::Role",
    "SageMakerExecutionRole": "AWS::IAM::Role",
    "ArtifactsBucket": "AWS::S3::Bucket",
    "SsmModelPackageGroupArn": "AWS::SSM::Parameter",
}
CODECOMMIT = {
    "ModelBuildRepository": "AWS::CodeCommit::Repository",
    "ModelDeployRepository": "AWS::CodeCommit::Repository",
    "SsmRepositoryUrl": "AWS::SSM::Parameter",
}
PROFESSIONAL = {
    "PipelineTriggerRule": "AWS::Events::Rule",
    "Dashboard": "AWS::CloudWatch::Dashboard",
    "BuildManagedPolicy": "AWS::IAM::ManagedPolicy",
    "DeployManagedPolicy": "AWS::IAM::ManagedPolicy",
    "SsmBucketName": "AWS::SSM::Parameter",
    "SsmDashboardName": "AWS::SSM::Parameter",
}
ENTERPRISE_ONLY = {
    "KmsKey": "AWS::KMS::Key",
    "KmsKeyAlias": "AWS::KMS::Alias",
    "VpcEndpointSagemakerApi": "AWS::EC2::VPCEndpoint",
    "VpcEndpointSagemakerRuntime": "AWS::EC2::VPCEndpoint",
    "VpcEndpointS3": "AWS::EC2::VPCEndpoint",
    "VpcEndpointSts": "AWS::EC2::VPCEndpoint",
    "ComplianceLogGroup": "AWS::Logs::LogGroup",
    "UnauthorizedApiCallsFilter": "AWS::Logs::MetricFilter",
    "PipelineFailureFilter": "AWS::Logs::MetricFilter",
    "UnauthorizedApiCallsAlarm": "AWS::CloudWatch::Alarm",
    "PipelineFailureAlarm": "AWS::CloudWatch::Alarm",
    "SecurityAlertsTopic": "AWS::SNS::Topic",
    "SecurityAlertsSubscription": "AWS::SNS::Subscription",
    "PermissionBoundary": "AWS::IAM::ManagedPolicy",
    "SsmKmsKeyArn": "AWS::SSM::Parameter",
    "SsmLogGroupName": "AWS::SSM::Parameter",
    "SsmVpcEndpointIdSagemakerApi": "AWS::SSM::Parameter",
    "SsmVpcEndpointIdSagemakerRuntime": "AWS::SSM::Parameter",
    "SsmVpcEndpointIdS3": "AWS::SSM::Parameter",
    "SsmVpcEndpointIdSts": "AWS::SSM::Parameter",
}
STANDALONE = {
    "EndpointSecurityGroup": "AWS::EC2::SecurityGroup",
    "SsmSecurityGroupId": "AWS::SSM::Parameter",
}
COUNTS = {
    ("starter", "codecommit", ""): 13,
    ("starter", "s3", ""): 10,
    ("professional", "codecommit", ""): 19,
    ("professional", "s3", ""): 16,
    ("enterprise", "codecommit", "standalone"): 41,
    ("enterprise", "s3", "standalone"): 38,
    ("enterprise", "codecommit", "sgprov"): 39,
    ("enterprise", "s3", "sgprov"): 36,
}
INLINE_LIMIT = 51_200
"""Bytes of a template that CloudFormation takes without a bucket."""


def expected(case: Case) -> dict[str, str]:
    """Logical id → type, as spec §1.6 lists them."""
    parts: list[Mapping[str, str]] = [STARTER]
    parts += [CODECOMMIT] if case.codecommit else []
    parts += [PROFESSIONAL] if case.professional else []
    parts += [ENTERPRISE_ONLY] if case.enterprise else []
    parts += [STANDALONE] if case.standalone else []
    return {key: value for part in parts for key, value in part.items()}


def misnamed(found: Resolved) -> list[str]:
    """What is said about the file's name."""
    return [warning for warning in found.warnings if "The file's name" in warning]


@pytest.mark.spec("A06", "A25", "A26", "A27")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_legal_config_has_exactly_the_documented_resources(case: Case) -> None:
    found = template(case)
    assert {key: body["Type"] for key, body in found.resources.items()} == expected(case)
    assert len(found.resources) == COUNTS[case.tier, case.source, case.mode]
    assert found.stack is not None
    assert found.stack.expected_resources == len(found.resources)


@pytest.mark.spec("A06")
def test_the_forty_combinations_have_forty_file_names() -> None:
    assert len(CASES) == 40
    assert len(ENTERPRISE) == 32
    names = {(case.tier, case.file_name) for case in CASES}
    assert len(names) == 40
    assert not [case for case in CASES if misnamed(resolved(case.data(), case.file_name))]


@pytest.mark.spec("A05")
def test_the_examples_are_four_four_and_twelve() -> None:
    found = [example(path) for path in EXAMPLES if not re.search("-ml-github|-credit-scoring-", path.name)]
    assert Counter(item.stack.variant for item in found) == {"starter": 4, "professional": 4, "enterprise": 12}
    assert len({item.stack.id for item in found}) < len(found)  # several examples are choices for one stack
    assert not [item for item in found if misnamed(item)]
    assert all(len(rendered(item).resources) == item.stack.expected_resources for item in found)


@pytest.mark.spec("D01")
def test_every_tier_has_an_example_with_github() -> None:
    found = [example(path) for path in EXAMPLES if "-ml-github" in path.name]
    assert Counter(item.stack.variant for item in found) == {"starter": 1, "professional": 1, "enterprise": 2}
    assert not [item for item in found if misnamed(item)]
    assert all(len(rendered(item).resources) == item.stack.expected_resources for item in found)


def test_an_example_has_guardrails() -> None:
    (found,) = (example(path) for path in EXAMPLES if "guardrails: true" in path.read_text(encoding="utf-8"))
    template = rendered(found)
    assert not misnamed(found)
    assert template.resources["GuardrailPolicy"]["Type"] == "AWS::IAM::ManagedPolicy"
    assert len(template.resources) == found.stack.expected_resources == 42
    assert [finding for check in CHECKS.values() for finding in check.check(template)] == []


def test_every_template_fits_into_a_request_without_a_bucket() -> None:
    sizes = {case: len(template(case).canonical) for case in CASES}
    assert {str(case): size for case, size in sizes.items() if size > INLINE_LIMIT} == {}


@pytest.mark.spec("A39")
@pytest.mark.parametrize("case", KINDS, ids=str)
def test_every_taggable_resource_carries_all_tags(case: Case) -> None:
    wanted = {**case.data()["tags"], "stackseal": f"ml/{case.tier}"}
    for logical_id, body in filled(case).items():
        if (name := facts.taggable(body["Type"])) is not None:
            carried = body["Properties"][name]
            pairs = carried if isinstance(carried, dict) else {item["Key"]: item["Value"] for item in carried}
            assert pairs == wanted, logical_id


@pytest.mark.spec("A60")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_exactly_the_documented_values_are_published(case: Case) -> None:
    values = {
        "ModelPackageGroupArn": "<ModelPackageGroup.ModelPackageGroupArn>",
        "RepositoryUrl": "<ModelBuildRepository.CloneUrlHttp>",
        "BucketName": "<ArtifactsBucket>",
        "DashboardName": "<Dashboard>",
        "KmsKeyArn": "<KmsKey.Arn>",
        "LogGroupName": "<ComplianceLogGroup>",
        "VpcEndpointIdSagemakerApi": "<VpcEndpointSagemakerApi>",
        "VpcEndpointIdSagemakerRuntime": "<VpcEndpointSagemakerRuntime>",
        "VpcEndpointIdS3": "<VpcEndpointS3>",
        "VpcEndpointIdSts": "<VpcEndpointSts>",
        "SecurityGroupId": "<EndpointSecurityGroup.GroupId>",
    }
    wanted = {name: values[name] for name in values if f"Ssm{name}" in expected(case)}
    base = f"/ml/acme-prod-a001-us-west-2-churn{'-realtime' if case.workload else ''}-ml"
    found = [body["Properties"] for body in filled(case).values() if body["Type"] == "AWS::SSM::Parameter"]
    assert {item["Name"]: item["Value"] for item in found} == {f"{base}/{key}": value for key, value in wanted.items()}
    assert {item["Type"] for item in found} == {"String"}
    stack = template(case).stack
    assert stack is not None
    assert set(stack.publishes) == {item["Name"] for item in found}


@pytest.mark.spec("A24")
def test_the_header_names_the_version_and_the_config() -> None:
    found = template(CASES[0])
    assert found.stack is not None
    first, second, *_ = found.text.splitlines()
    assert __version__ in first
    assert second == f"# config sha256:{found.stack.config.digest}"


@pytest.mark.spec("A24")
def test_the_bytes_depend_on_nothing_but_the_values() -> None:
    case = Case(tier="enterprise", source="codecommit", mode="standalone", vpc="direct", routed=True)
    script = (
        "import hashlib, json, sys; from unit.products.cases import rendered, resolved;"
        "print(hashlib.sha256(rendered(resolved(json.loads(sys.argv[1]))).text.encode()).hexdigest())"
    )
    folder = str(Path(__file__).parents[2])
    digests = set()
    for seed in range(5):
        data = _shuffled(case.data(), seed)
        environment = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": folder}
        command = [sys.executable, "-c", script, json.dumps(data)]
        digests.add(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert len(digests) == 1


def _shuffled(value: Any, by: int) -> Any:
    """The same mappings with their keys in another order."""
    if not isinstance(value, dict):
        return value
    keys = sorted(value)
    turn = by % len(keys) if keys else 0
    return {key: _shuffled(value[key], by) for key in [*keys[turn:], *keys[:turn]]}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_what_the_config_decided_is_blamed_on_the_config(path: Path) -> None:
    found = rendered(example(path))
    bucket = found.source.blame(("Parameters", "ArtifactsBucketName", "Default"))
    assert bucket.path == path.name
    tag = found.source.blame(("Resources", "ArtifactsBucket", "Properties", "Tags", 0, "Value"))
    assert tag.path == path.name


@pytest.mark.parametrize("source", ["codecommit", "s3"])
def test_growing_to_the_next_tier_replaces_nothing(source: str) -> None:
    tiers = [
        Case(tier="starter", source=source),
        Case(tier="professional", source=source),
        Case(tier="enterprise", source=source, mode="sgprov", vpc="ssm"),
    ]
    for before, after in pairwise(tiers):
        grown = filled(after)
        for logical_id, body in filled(before).items():
            assert grown[logical_id]["Type"] == body["Type"]
            for name in {path.split("/")[0] for path in facts.create_only(body["Type"])}:
                assert body["Properties"].get(name) == grown[logical_id]["Properties"].get(name), (logical_id, name)
