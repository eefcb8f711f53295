"""Where nested templates may come from: the account's own bucket, by an address that is known today."""

from __future__ import annotations

from typing import Any

import pytest

from stackseal import checks
from stackseal.model import SourceMap, Template


def nested(url: Any, kind: str = "AWS::CloudFormation::Stack", **parameters: str) -> Template:
    body = {
        "Parameters": {name: {"Type": "String"} for name in parameters},
        "Resources": {"Inner": {"Type": kind, "Properties": {"TemplateURL": url}}},
    }
    source = SourceMap(path="t.yaml", lines=(), rendered={}, template={}, config={})
    return Template(text="", body=body, parameters=parameters, source=source)


@pytest.mark.parametrize("kind", ["AWS::CloudFormation::Stack", "AWS::CloudFormation::StackSet"])
@pytest.mark.parametrize(
    "url",
    [
        "https://ours.s3.amazonaws.com/templates/inner.json",
        "https://ours.s3.us-west-2.amazonaws.com/inner.yaml",
        "https://ours.s3-us-west-2.amazonaws.com/inner.yaml",
        "https://s3.us-west-2.amazonaws.com/ours/inner.yaml",
        "https://s3.amazonaws.com/ours/a/b/inner.yaml",
        "https://ours.s3.cn-north-1.amazonaws.com.cn/inner.yaml",
        {"Fn::Sub": "https://${Bucket}.s3.amazonaws.com/inner.yaml"},
    ],
)
def test_the_accounts_own_bucket(url: Any, kind: str) -> None:
    assert checks.nested_elsewhere(nested(url, kind, Bucket="ours"), "ours") == ()
    assert len(checks.nested_elsewhere(nested(url, kind, Bucket="ours"), "other")) == 1
    assert len(checks.nested_elsewhere(nested(url, kind, Bucket="ours"), None)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://theirs.s3.amazonaws.com/inner.yaml",
        "https://ours.s3.amazonaws.com.evil.example/inner.yaml",
        "https://evil.example/ours.s3.amazonaws.com/inner.yaml",
        "https://s3.amazonaws.com/theirs/ours/inner.yaml",
        "https://theirs.s3.amazonaws.com/ours/inner.yaml",
        "https://ours.s3.amazonaws.com@evil.example/inner.yaml",
        "https://ours@theirs.s3.amazonaws.com/inner.yaml",
        "https://ours.s3.amazonaws.com:8080/inner.yaml",
        "https://ours.s3.amazonaws.com/inner.yaml?versionId=x",
        "https://ours.s3.amazonaws.com/inner.yaml\n",
        "https://ours.s3.amazonaws.com/",
        "http://ours.s3.amazonaws.com/inner.yaml",
        "https://s3.amazonaws.com/ours/../theirs/inner.yaml",
        "s3://ours/inner.yaml",
        "HTTPS://OURS.S3.AMAZONAWS.COM/inner.yaml",
        "https://s3.amazonaws.com/ours-too/inner.yaml",
        "https://ours.s3.amazonaws.com.cn.example/inner.yaml",
        "inner.yaml",
        "",
        {"Fn::Sub": "https://${AWS::StackName}.s3.amazonaws.com/inner.yaml"},
        {"Fn::GetAtt": ["Bucket", "Arn"]},
        {"Ref": "Nothing"},
        5,
        None,
    ],
    ids=repr,
)
def test_everywhere_else(url: Any) -> None:
    assert len(checks.nested_elsewhere(nested(url), "ours")) == 1
