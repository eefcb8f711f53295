"""What is known of a template without AWS, intrinsic function by intrinsic function."""

from __future__ import annotations

from typing import Any

import pytest

from stackseal.plan.resolve import ABSENT, Marker, Resolver, markers, same, shown, unknown
from unit.plan.templates import template

SSM = "AWS::SSM::Parameter::Value<AWS::EC2::VPC::Id>"


def resolver(**sections: Any) -> Resolver:
    return Resolver(
        template(
            {"Key": {"Type": "AWS::KMS::Key"}},
            parameters={"Env": "prod", "Zones": "a, b", "Vpc": "/network/vpc"},
            Parameters={"Zones": {"Type": "CommaDelimitedList"}, "Vpc": {"Type": SSM}, "Open": {"Type": "String"}},
            Mappings={"Sizes": {"prod": {"type": "ml.m5.large"}}},
            **sections,
        )
    )


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"Ref": "Env"}, "prod"),
        ({"Ref": "Zones"}, ["a", "b"]),
        ({"Ref": "AWS::Region"}, "us-west-2"),
        ({"Ref": "AWS::AccountId"}, "123456789012"),
        ({"Ref": "AWS::Partition"}, "aws"),
        ({"Fn::Sub": "x-${Env}-${AWS::StackName}"}, "x-prod-techcorp-churn-ml-stack"),
        ({"Fn::Sub": "${!Env}-${Env}"}, "${Env}-prod"),
        ({"Fn::Sub": ["${A}-${Env}", {"A": {"Ref": "Env"}}]}, "prod-prod"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Env"}, 1]]}, "a-prod-1"),
        ({"Fn::Join": ["-", {"Ref": "Zones"}]}, "a-b"),
        ({"Fn::Select": [1, {"Ref": "Zones"}]}, "b"),
        ({"Fn::Select": ["0", {"Fn::Split": ["/", "x/y"]}]}, "x"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Env"}, "type"]}, "ml.m5.large"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
        ([1, {"Ref": "AWS::NoValue"}], [1]),
    ],
)
def test_what_is_known_becomes_a_value(node: Any, expected: Any) -> None:
    assert resolver().value(node) == expected


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"Ref": "Key"}, Marker("ref", "Key")),
        ({"Fn::GetAtt": ["Key", "Arn"]}, Marker("getatt", "Key.Arn")),
        ({"Fn::GetAtt": "Key.Arn"}, Marker("getatt", "Key.Arn")),
        ({"Fn::Sub": "${Key}"}, Marker("ref", "Key")),
        ({"Fn::Sub": "${Key.Arn}/*"}, Marker("concat", [Marker("getatt", "Key.Arn"), "/*"])),
        ({"Ref": "Vpc"}, Marker("ssm", "/network/vpc")),
        ({"Ref": "Open"}, Marker("fn", {"Parameter": "Open"})),
        ({"Fn::ImportValue": {"Fn::Sub": "${Env}-vpc"}}, Marker("fn", {"Fn::ImportValue": "prod-vpc"})),
        ({"Fn::GetAZs": ""}, Marker("fn", {"Fn::GetAZs": ""})),
    ],
)
def test_what_only_the_deployment_tells_stays_a_marker(node: Any, expected: Any) -> None:
    assert resolver().value(node) == expected


def test_one_text_written_in_two_ways_is_the_same_unknown() -> None:
    joined = resolver().value({"Fn::Join": ["", ["x", {"Ref": "Key"}, "-prod"]]})
    assert same(joined, resolver().value({"Fn::Sub": "x${Key}-${Env}"}))
    assert not same(joined, resolver().value({"Fn::Sub": "y${Key}-${Env}"}))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"Fn::Equals": [{"Ref": "Env"}, "prod"]}, True),
        ({"Fn::Not": [{"Fn::Equals": [{"Ref": "Env"}, "prod"]}]}, False),
        ({"Fn::And": [{"Condition": "IsProd"}, {"Fn::Equals": ["a", "a"]}]}, True),
        ({"Fn::Equals": [{"Ref": "Vpc"}, "vpc-1"]}, None),
        ({"Fn::Or": [{"Fn::Equals": [{"Ref": "Vpc"}, "vpc-1"]}, {"Condition": "IsProd"}]}, True),
        ({"Fn::And": [{"Fn::Equals": [{"Ref": "Vpc"}, "vpc-1"]}, {"Condition": "IsProd"}]}, None),
        ({"Condition": "Itself"}, None),
        ({"Fn::Equals": "misused"}, False),
        ({"Fn::Equals": 3}, None),
    ],
)
def test_conditions_have_three_values(condition: Any, expected: bool | None) -> None:
    conditions = {"IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}, "Itself": condition}
    found = resolver(Conditions=conditions)
    assert found.condition("Itself") is expected
    branch = found.value({"Fn::If": ["Itself", "yes", {"Ref": "AWS::NoValue"}]})
    assert (branch == "yes") is (expected is True)
    assert (branch is ABSENT) is (expected is False)


@pytest.mark.parametrize("node", [{"Fn::Select": 1}, {"Fn::Join": None}, {"Fn::Sub": 3}, {"Fn::GetAtt": {}}])
def test_a_misused_function_is_unknown_not_a_traceback(node: Any) -> None:
    assert unknown(resolver().value(node))


def test_cloudformation_compares_scalars_as_text() -> None:
    assert same({"Period": 300, "On": True}, {"Period": "300", "On": "true"})
    assert not same({"Period": 300}, {"Period": 300, "On": True})
    assert not same("a", ["a"])


def test_markers_know_where_they_stand_and_how_they_read() -> None:
    value = resolver().value({"Statement": [{"Resource": {"Fn::Sub": "${Key.Arn}/*"}}, {"Ref": "Vpc"}]})
    assert [(path, marker.argument) for path, marker in markers(value)] == [
        (("Statement", 0, "Resource"), "Key.Arn"),
        (("Statement", 1), "/network/vpc"),
    ]
    assert shown(value) == {"Statement": [{"Resource": "${Key.Arn}/*"}, "{{resolve:ssm:/network/vpc}}"]}
