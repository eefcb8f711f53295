"""What an ML config may say, and which names, limits and parameters follow from it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from stackseal.errors import ConfigErrors, StacksealError
from unit.products.cases import (
    ENTERPRISE,
    KINDS,
    PLAIN,
    PSEUDO,
    TEST_SUFFIX,
    Case,
    fill,
    rendered,
    resolved,
    template,
    with_part,
)


@pytest.mark.spec("A06")
@pytest.mark.parametrize("tier", ["starter", "professional"])
def test_only_the_enterprise_tier_has_a_vpc(tier: str) -> None:
    vpc = ENTERPRISE[0].data()["ml_product"]["vpc_integration"]
    case = Case(tier=tier, source="s3", changes={"vpc_integration": vpc})
    with pytest.raises(StacksealError, match="only the enterprise tier has VPC endpoints"):
        resolved(case.data())
    without = with_part(ENTERPRISE[0], ml_product={"vpc_integration": None})
    with pytest.raises(StacksealError, match="the enterprise tier places its endpoints in a VPC"):
        resolved(without)


@pytest.mark.spec("A07")
def test_a_wrong_token_of_the_file_name_is_named() -> None:
    case = Case(tier="starter", source="s3")
    warnings = resolved(case.data(), case.file_name.replace("a001", "b001")).warnings
    assert len(warnings) == 1
    assert "the token tenant_id is 'b001' where the content says 'a001'" in warnings[0]


@pytest.mark.spec("A21")
@pytest.mark.parametrize("suffix", ["", TEST_SUFFIX], ids=["stack", "test"])
def test_the_longest_names_fit_and_stay_different(suffix: str) -> None:
    long = with_part(
        Case(tier="enterprise", source="codecommit", mode="standalone", vpc="ssm"),
        client={"company_prefix": "p" * 30},
        ml_product={"use_case": "u" * 40, "workload": "w" * 20},
    )
    other = json.loads(json.dumps(long))
    other["ml_product"]["use_case"] = "u" * 39 + "v"
    first, second = resolved(long, suffix=suffix).stack.names, resolved(other, suffix=suffix).stack.names
    assert all(len(name.value) <= name.limit and name.value.endswith(suffix) for name in first.values())
    assert first["ArtifactsBucketName"].shortened
    assert not [key for key in first if first[key].value == second[key].value]


@pytest.mark.spec("A21")
def test_the_longest_template_still_fits_the_limits_of_iam() -> None:
    data = with_part(
        Case(tier="enterprise", source="codecommit", mode="standalone", vpc="ssm"),
        client={"company_prefix": "p" * 30},
        ml_product={"use_case": "u" * 40, "workload": "w" * 20},
    )
    found = rendered(resolved(data, suffix=TEST_SUFFIX))
    sizes = {key: _policy_size(found.parameters, body) for key, body in found.resources.items()}
    managed = [key for key, body in found.resources.items() if body["Type"] == "AWS::IAM::ManagedPolicy"]
    roles = [key for key, body in found.resources.items() if body["Type"] == "AWS::IAM::Role"]
    assert {key: sizes[key] for key in managed if not 0 < sizes[key] <= 6_144} == {}
    assert {key: sizes[key] for key in roles if sizes[key] > 10_240} == {}


def _policy_size(values: Mapping[str, str], body: Mapping[str, Any]) -> int:
    """Characters without white space, as IAM counts them."""
    properties = fill(body["Properties"], {**PSEUDO, **values})
    documents = [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
    if body["Type"] == "AWS::IAM::Role":
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    arn = f"arn:aws:kms:us-west-2:333344445555:key/{'0' * 36}"
    text = "".join(json.dumps(document, separators=(",", ":")) for document in documents)
    return len(text.replace("<KmsKey.Arn>", arn).replace(" ", ""))


@pytest.mark.parametrize("case", KINDS, ids=str)
def test_names_and_places_are_parameters_and_every_parameter_is_used(case: Case) -> None:
    found = template(case)
    assert found.stack is not None
    assert {key: name.value for key, name in found.stack.names.items()}.items() <= found.parameters.items()
    body = json.dumps(found.body["Resources"])
    unused = [name for name in found.parameters if f'"{name}"' not in body and f"${{{name}}}" not in body]
    assert unused == []
    literal = [value for name, value in found.parameters.items() if len(value) > 20 and value in body]
    assert literal == []


def test_two_products_of_one_shape_share_their_resources() -> None:
    case = Case(tier="enterprise", source="s3", mode="standalone", vpc="ssm")
    other = with_part(case, client={"company_prefix": "other"}, ml_product={"use_case": "fraud-detection"})
    assert rendered(resolved(other)).body["Resources"] == template(case).body["Resources"]


@pytest.mark.spec("A40")
def test_two_workloads_of_one_use_case_share_no_name() -> None:
    case = Case(tier="enterprise", source="codecommit", mode="sgprov", vpc="ssm")
    realtime = resolved(with_part(case, ml_product={"workload": "realtime"})).stack
    batch = resolved(with_part(case, ml_product={"workload": "batch"})).stack
    assert realtime.id != batch.id
    assert not {name.value for name in realtime.names.values()} & {name.value for name in batch.names.values()}
    assert not set(realtime.publishes) & set(batch.publishes)


def test_vpc_ranges_are_for_our_own_security_group_only() -> None:
    data = Case(tier="enterprise", source="s3", mode="sgprov", vpc="ssm").data()
    data["ml_product"]["vpc_integration"]["vpc_cidrs"] = ["10.0.0.0/16"]
    with pytest.raises(StacksealError, match="mode sg-provisioner uses the rules of the security group that exists"):
        resolved(data)


@pytest.mark.parametrize("cidr", ["10.0.0.0/33", "0.0.0.0/0", "10.0.0/16", "10.0.0.256/24", "10.0.0.0", "::/0"])
def test_a_range_that_no_vpc_can_have_is_refused(cidr: str) -> None:
    data = Case(tier="enterprise", source="s3", mode="standalone", vpc="ssm").data()
    data["ml_product"]["vpc_integration"]["vpc_cidrs"] = [cidr]
    with pytest.raises((StacksealError, ConfigErrors), match="a range looks like"):
        resolved(data)


@pytest.mark.spec("A57")
@pytest.mark.parametrize("case", [*ENTERPRISE[::5], *PLAIN[:2]], ids=str)
def test_an_unrouted_gateway_endpoint_is_told_once_and_only_then(case: Case) -> None:
    told = [warning for warning in resolved(case.data(), case.file_name).warnings if "route_table_ids" in warning]
    assert len(told) == (1 if case.enterprise and not case.routed else 0)


@pytest.mark.spec("A54")
def test_missing_ranges_are_told() -> None:
    case = Case(tier="enterprise", source="s3", mode="standalone", vpc="ssm")
    assert [text for text in resolved(case.data()).warnings if text.startswith("vpc_cidrs is not given")]
    data = case.data()
    data["ml_product"]["vpc_integration"]["vpc_cidrs"] = ["10.20.0.0/16"]
    assert not [text for text in resolved(data).warnings if "vpc_cidrs" in text]


@pytest.mark.spec("D12")
def test_buckets_can_carry_the_account_id() -> None:
    case = Case(tier="starter", source="s3", hardening=True, changes={"unique_bucket_name": True})
    base = "acme-prod-a001-us-west-2-churn-ml"
    names = resolved(case.data()).stack.names
    assert names["ArtifactsBucketName"].value == f"{base}-artifacts-333344445555"
    assert names["AccessLogsBucketName"].value == f"{base}-access-logs-333344445555"
    long = with_part(case, client={"company_prefix": "p" * 30})
    other = with_part(case, client={"company_prefix": "p" * 30, "account_id": "444455556666"})
    ours, theirs = (resolved(data, suffix=TEST_SUFFIX).stack.names["ArtifactsBucketName"] for data in (long, other))
    assert ours.shortened
    assert ours.value != theirs.value
