"""Which capabilities a template needs."""

from __future__ import annotations

from typing import Any

import pytest

from stackseal.plan.capabilities import needed


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ()),
        ({"Resources": {"B": {"Type": "AWS::S3::Bucket"}}}, ()),
        ({"Resources": {"R": {"Type": "AWS::IAM::Role"}}}, ("CAPABILITY_IAM",)),
        ({"Resources": {"R": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "p"}}}}, ("CAPABILITY_IAM",)),
        (
            {
                "Resources": {
                    "R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r"}},
                    "P": {"Type": "AWS::IAM::ManagedPolicy"},
                }
            },
            ("CAPABILITY_NAMED_IAM",),
        ),
        ({"Transform": "AWS::LanguageExtensions"}, ("CAPABILITY_AUTO_EXPAND",)),
        (
            {"Resources": {"N": {"Type": "AWS::CloudFormation::Stack"}}},
            ("CAPABILITY_AUTO_EXPAND", "CAPABILITY_NAMED_IAM"),
        ),
    ],
)
def test_capabilities_follow_from_the_template(body: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert needed(body) == expected
