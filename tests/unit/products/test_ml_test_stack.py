"""A test stack is an isolated copy of which a plain delete-stack leaves nothing."""

import re

import pytest

from unit.products.cases import PLAIN, SUBNETS, TEST_SUFFIX, Case, filled, of_type, template

ROUTED = Case(tier="enterprise", source="s3", mode="standalone", vpc="direct", routed=True)
CASES = (*PLAIN, ROUTED)


@pytest.mark.spec("A30")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_test_stack_has_the_same_resources(case: Case) -> None:
    types = {key: body["Type"] for key, body in filled(case).items()}
    assert {key: body["Type"] for key, body in filled(case, TEST_SUFFIX).items()} == types


@pytest.mark.spec("A30")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_name_of_a_test_stack_is_its_own(case: Case) -> None:
    real, copy = template(case), template(case, TEST_SUFFIX)
    shared = {key for key, value in real.parameters.items() if copy.parameters.get(key) == value}
    given = {"AlertsEmail", "VpcId", "SubnetIds", "EndpointSecurityGroupId"}
    assert shared <= {*given, "SourceBucketName"}
    assert copy.stack is not None
    assert all(path.startswith("/ml/") and TEST_SUFFIX in path for path in copy.stack.publishes)
    assert all(name.value.endswith(TEST_SUFFIX) for name in copy.stack.names.values())


@pytest.mark.spec("A30")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_holds_data_stays_except_in_a_test_stack(case: Case) -> None:
    kept = {key for key, body in filled(case).items() if body.get("DeletionPolicy") == "RetainExceptOnCreate"}
    stack = template(case).stack
    assert stack is not None
    assert kept == {key for key, body in filled(case).items() if body["Type"] in stack.product.stateful}
    assert all(filled(case)[key]["UpdateReplacePolicy"] == "Retain" for key in kept)
    policies = {
        body.get(policy, "Delete")
        for body in filled(case, TEST_SUFFIX).values()
        for policy in ("DeletionPolicy", "UpdateReplacePolicy")
    }
    assert policies == {"Delete"}
    assert "Retain" not in re.sub(r"RetentionInDays", "", template(case, TEST_SUFFIX).text)


@pytest.mark.spec("A30", "A53")
def test_a_test_stack_does_not_clash_with_the_endpoints_of_the_vpc() -> None:
    real, copy = of_type(ROUTED, "AWS::EC2::VPCEndpoint"), of_type(ROUTED, "AWS::EC2::VPCEndpoint", TEST_SUFFIX)
    interfaces = [name for name, body in real.items() if body["VpcEndpointType"] == "Interface"]
    assert {real[name]["PrivateDnsEnabled"] for name in interfaces} == {True}
    assert {copy[name]["PrivateDnsEnabled"] for name in interfaces} == {False}
    assert "RouteTableIds" in real["VpcEndpointS3"]
    assert "RouteTableIds" not in copy["VpcEndpointS3"]
    assert real["VpcEndpointSts"]["SubnetIds"] == copy["VpcEndpointSts"]["SubnetIds"] == ",".join(SUBNETS)


def test_the_key_of_a_test_stack_goes_soon() -> None:
    (real,), (copy,) = (of_type(ROUTED, "AWS::KMS::Key", suffix).values() for suffix in ("", TEST_SUFFIX))
    assert (real["PendingWindowInDays"], copy["PendingWindowInDays"]) == (30, 7)


@pytest.mark.spec("A30")
def test_the_pipelines_of_a_test_stack_find_no_source() -> None:
    keys = {template(ROUTED, TEST_SUFFIX).parameters[name] for name in ("BuildSourceKey", "DeploySourceKey")}
    assert keys == {f"churn/model-build{TEST_SUFFIX}.zip", f"churn/model-deploy{TEST_SUFFIX}.zip"}
