"""The smallest differences between two resources, and what each of them needs."""

from __future__ import annotations

from typing import Any

import pytest

from stackseal.model import Replacement
from stackseal.plan.diff import Difference, differences, requires, text
from stackseal.plan.resolve import ABSENT, Marker


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": "1"}, []),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("a", "c")]),
        ({"a": 1}, {}, [("a",)]),
        ({}, {"a": None}, [("a",)]),
        ({"a": [1, 2]}, {"a": [1, 3]}, [("a", 1)]),
        ({"a": [1, 2]}, {"a": [1, 2, 3]}, [("a", 2)]),
        ({"a": [1, 2]}, {"a": [0, 1, 2]}, [("a", 0)]),
        ({"a": [1, 2, 3]}, {"a": [1, 3]}, [("a", 1)]),
        ({"a": [1]}, {"a": []}, [("a", 0)]),
        ({"a": [{"k": 1}, {"k": 2}]}, {"a": [{"k": 1}, {"k": 3}]}, [("a", 1, "k")]),
        ({"a": [1, 2, 3]}, {"a": [4, 5]}, [("a",)]),
        ({"a": [1]}, {"a": {"b": 1}}, [("a",)]),
        ({"a": Marker("ref", "X")}, {"a": Marker("ref", "X")}, []),
        ({"a": Marker("ref", "X")}, {"a": Marker("ref", "Y")}, [("a",)]),
        ({"a": Marker("ref", "X")}, {"a": "x"}, [("a",)]),
    ],
)
def test_only_what_differs_is_told(before: Any, after: Any, expected: list[tuple[str | int, ...]]) -> None:
    assert [item.path for item in differences(before, after)] == expected


@pytest.mark.parametrize(
    ("type_", "path", "before", "after", "expected"),
    [
        ("AWS::S3::Bucket", ("BucketName",), "a", "b", Replacement.ALWAYS),
        ("AWS::S3::Bucket", ("Tags", 0, "Value"), "a", "b", Replacement.NEVER),
        # Below a create-only property, as far down as the edit may be.
        ("AWS::SageMaker::Model", ("PrimaryContainer", "Image"), "a", "b", Replacement.ALWAYS),
        # Above one: only where that part differs.
        ("AWS::EC2::VPCEndpoint", ("DnsOptions",), ABSENT, {"PrivateDnsPreference": "ALL_DOMAINS"}, Replacement.ALWAYS),
        ("AWS::EC2::VPCEndpoint", ("DnsOptions",), ABSENT, {"DnsRecordIpType": "ipv4"}, Replacement.NEVER),
        ("AWS::EC2::VPCEndpoint", ("DnsOptions",), ABSENT, Marker("ref", "X"), Replacement.ALWAYS),
        ("AWS::EC2::VPC", ("InstanceTenancy",), "default", "dedicated", Replacement.CONDITIONAL),
        ("AWS::KMS::Key", ("KeySpec",), "a", "b", Replacement.ALWAYS),
        ("AWS::Events::Rule", ("EventBusName",), "a", "b", Replacement.ALWAYS),
    ],
)
def test_what_an_edit_needs(
    type_: str, path: tuple[str | int, ...], before: Any, after: Any, expected: Replacement
) -> None:
    assert requires(type_, Difference(path, before, after)) is expected


def test_values_are_canonical_json() -> None:
    assert text({"b": 1, "a": Marker("ref", "X")}) == '{"a":"${X}","b":1}'
    assert text(ABSENT) is None
