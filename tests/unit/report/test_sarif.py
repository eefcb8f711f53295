"""SARIF as GitHub reads it: the part of the 2.1.0 schema that we rely on, written out here."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Final

import jsonschema
import pytest

from stackseal.model import Location, Report
from stackseal.report import sarif
from unit.report import samples
from unit.report.hostile import ALL

LOCATION: Final = {
    "type": "object",
    "required": ["physicalLocation"],
    "properties": {
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation", "region"],
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "required": ["uri", "uriBaseId"],
                    "properties": {
                        "uri": {"type": "string", "pattern": r"^(?!/)(?!.*(^|/)\.\.(/|$))[A-Za-z0-9._~%/-]+$"},
                        "uriBaseId": {"const": "%SRCROOT%"},
                    },
                    "additionalProperties": False,
                },
                "region": {
                    "type": "object",
                    "required": ["startLine"],
                    "properties": {
                        "startLine": {"type": "integer", "minimum": 1},
                        "startColumn": {"type": "integer", "minimum": 1},
                    },
                    "additionalProperties": False,
                },
            },
            "additionalProperties": False,
        },
        "message": {"type": "object", "required": ["text"]},
    },
    "additionalProperties": False,
}
SCHEMA: Final = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"const": sarif.SCHEMA},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results", "columnKind", "automationDetails"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name", "rules"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id", "shortDescription"],
                                            "properties": {
                                                "id": {"type": "string", "minLength": 1},
                                                "helpUri": {"type": "string", "pattern": "^https://"},
                                            },
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "automationDetails": {"type": "object", "required": ["id"]},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["ruleId", "level", "message", "locations", "partialFingerprints"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {
                                    "type": "object",
                                    "required": ["text"],
                                    "properties": {"text": {"type": "string", "minLength": 1}},
                                },
                                "locations": {"type": "array", "minItems": 1, "items": LOCATION},
                                "relatedLocations": {"type": "array", "items": LOCATION},
                                "partialFingerprints": {
                                    "type": "object",
                                    "required": ["primaryLocationLineHash"],
                                    "additionalProperties": {"type": "string", "pattern": "^[0-9a-f]{16}:[0-9]+$"},
                                },
                                "suppressions": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "required": ["kind", "status"],
                                        "properties": {
                                            "kind": {"enum": ["inSource", "external"]},
                                            "status": {"enum": ["accepted", "underReview", "rejected"]},
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def run(report: Report, limit: int = sarif.LIMIT) -> dict[str, Any]:
    document = json.loads(sarif.render(report, limit))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    found: dict[str, Any] = document["runs"][0]
    return found


def test_every_finding_and_failure_is_one_result() -> None:
    found = run(samples.full())
    assert [(one["ruleId"], one["level"]) for one in found["results"]] == [
        ("invalid-config", "error"),
        ("CKV_AWS_21", "error"),
        ("CKV_AWS_18", "error"),
        ("W3037", "warning"),
        ("dynamic-reference", "note"),
    ]
    assert {rule["id"] for rule in found["tool"]["driver"]["rules"]} == {one["ruleId"] for one in found["results"]}


def test_a_report_without_findings_is_valid_and_clears_the_old_ones() -> None:
    found = run(samples.ready())
    assert found["results"] == []
    assert found["tool"]["driver"]["rules"] == []


def test_a_result_stands_on_the_config_line_and_names_the_rendered_one() -> None:
    result = run(samples.full())["results"][1]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 14, "startColumn": 3}
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == samples.FRAUD
    assert result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 88


def test_waivers_are_suppressions_and_proposed_ones_are_not_accepted() -> None:
    results = {one["ruleId"]: one for one in run(samples.full())["results"]}
    assert results["CKV_AWS_18"]["suppressions"][0]["status"] == "accepted"
    assert results["CKV_AWS_18"]["suppressions"][0]["justification"] == "CloudTrail data events (ml-platform)"
    assert results["dynamic-reference"]["suppressions"][0]["status"] == "underReview"
    assert "suppressions" not in results["CKV_AWS_21"]


def moved(report: Report, lines: int) -> Report:
    def move(where: Location) -> Location:
        return dataclasses.replace(where, line=where.line + lines)

    stacks = tuple(
        dataclasses.replace(
            stack, findings=tuple(dataclasses.replace(one, where=move(one.where)) for one in stack.findings)
        )
        for stack in report.stacks
    )
    return dataclasses.replace(report, stacks=stacks)


def prints(report: Report) -> list[str]:
    return [one["partialFingerprints"]["primaryLocationLineHash"] for one in run(report)["results"]]


def test_a_fingerprint_moves_with_its_subject_and_not_with_its_line() -> None:
    assert prints(samples.full()) == prints(moved(samples.full(), 30))
    assert len(set(prints(samples.full()))) == 5


def test_two_equal_findings_are_told_apart() -> None:
    stack = samples.updated()
    twice = dataclasses.replace(stack, findings=(stack.findings[0], stack.findings[0]))
    first, second = prints(Report(run=samples.RUN, stacks=(twice,)))
    assert (first[:17], second[:17]) == (first[:17], first[:17])
    assert (first[-2:], second[-2:]) == (":1", ":2")


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("configs/a.yaml", "configs/a.yaml"),
        ("/abs/a.yaml", "abs/a.yaml"),
        ("../../etc/passwd", "etc/passwd"),
        ("a/./b//c", "a/b/c"),
        ("C:\\x\\a.yaml", "C%3A/x/a.yaml"),
        ("https://evil.example/a", "https%3A/evil.example/a"),
        ("a b#c?d%e.yaml", "a%20b%23c%3Fd%25e.yaml"),
        ("", "unknown"),
    ],
)
def test_paths_become_relative_references(path: str, uri: str) -> None:
    assert sarif.uri(path) == uri


@pytest.mark.parametrize("text", ALL)
def test_any_text_makes_valid_sarif(text: str) -> None:
    assert len(run(samples.with_text(text))["results"]) == 5


@pytest.mark.parametrize("line", [0, -7])
def test_lines_count_from_one(line: int) -> None:
    stack = samples.updated()
    odd = dataclasses.replace(stack.findings[0], where=Location(path="a", line=line, column=line))
    result = run(Report(run=samples.RUN, stacks=(dataclasses.replace(stack, findings=(odd,)),)))["results"][0]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 1, "startColumn": 1}


def test_too_many_results_keep_the_worst() -> None:
    stack = samples.updated()
    note = stack.findings[3]
    many = tuple(dataclasses.replace(note, where=Location(path="a", line=n)) for n in range(1, 45))
    results = run(
        Report(run=samples.RUN, stacks=(dataclasses.replace(stack, findings=(*many, stack.findings[0])),)), limit=40
    )
    assert len(results["results"]) == 40
    assert results["results"][0]["ruleId"] == "CKV_AWS_21"


def test_help_leads_to_plain_addresses_only() -> None:
    stack = samples.updated()
    bad = dataclasses.replace(stack.findings[0], help_url="javascript:alert(1)")
    rules = run(Report(run=samples.RUN, stacks=(dataclasses.replace(stack, findings=(bad,)),)))["tool"]["driver"][
        "rules"
    ]
    assert "helpUri" not in rules[0]
