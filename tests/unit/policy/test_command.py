"""`stackseal policy PATH`: the policy of anybody's template, its doubts on stderr, an exit code that says which."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from stackseal import cli

QUEUE = "Resources: {Jobs: {Type: 'AWS::SQS::Queue', Properties: {QueueName: jobs}}}\n"
PLACE = ["--stack-name", "shop", "--account", "123456789012", "--region", "eu-west-1"]
ARN = "arn:aws:sqs:eu-west-1:123456789012:jobs"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "template.yaml"
    found.write_text(QUEUE, encoding="utf-8")
    return found


def run(*argv: str) -> int:
    return cli.main(["policy", *argv, *PLACE], {"PATH": "/usr/bin"})


def allowed(document: dict[str, Any], resource: str) -> set[str]:
    return {
        action
        for statement in document["Statement"]
        if resource in statement["Resource"]
        for action in statement["Action"]
    }


@pytest.mark.spec("A23")
def test_the_policy_is_printed_as_iam_takes_it(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(path)) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["Version"] == "2012-10-17"
    assert {"sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes"} <= allowed(document, ARN)
    assert "sqs:TagQueue" not in allowed(document, ARN)


def test_a_stack_with_tags_asks_for_tagging(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(path), "--stack-tags") == 0
    assert {"sqs:TagQueue", "sqs:UntagQueue"} <= allowed(json.loads(capsys.readouterr().out), ARN)


def test_the_drift_role_only_reads(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(path), "--role", "drift") == 0
    document = json.loads(capsys.readouterr().out)
    assert allowed(document, ARN) == {"sqs:GetQueueAttributes", "sqs:ListQueueTags"}


def test_a_type_without_a_source_is_said_and_fails(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text("Resources: {Thing: {Type: 'AWS::Nowhere::Thing'}}\n", encoding="utf-8")
    assert run(str(path)) == 1
    said = capsys.readouterr().err
    assert "AWS::Nowhere::Thing" in said
    assert "Traceback" not in said


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(tmp_path / "none.yaml")) == 2
    said = capsys.readouterr().err
    assert "none.yaml cannot be read: No such file or directory; give the path" in said


def test_a_pipe_and_another_encoding_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"Resources: {A: {Type: \xe9}}\n")
    for name, why in {"pipe.yaml": "it is a pipe or a device, not a file", "latin.yaml": "it is not UTF-8"}.items():
        assert run(str(tmp_path / name)) == 2
        said = capsys.readouterr().err
        assert f"{name} cannot be read: {why}" in said
        assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "text", "why"),
    [
        ("--account", "12345678901", "twelve digits"),
        ("--account", "1234-5678-9012", "twelve digits"),
        ("--account", "*", "twelve digits"),
        ("--account", "\u0661" * 12, "twelve digits"),
        ("--region", "*", "a region's code, such as eu-west-1"),
        ("--region", "eu-west-1\n", "a region's code"),
        ("--stack-name", "shop/*", "a letter, then letters, digits and hyphens"),
        ("--stack-name", "", "a letter, then"),
        ("--stack-name", "s" * 129, "a letter, then"),
    ],
)
def test_what_would_become_part_of_an_arn_is_looked_at(
    option: str, text: str, why: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = list(PLACE)
    place[place.index(option) + 1] = text
    assert cli.main(["policy", str(path), *place], {}) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"error: {option} cannot be ")
    assert f"it has to be {why}" in said.err
    assert (said.out, said.err.count("\n")) == ("", 1)
