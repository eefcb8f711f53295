"""JUnit XML: well formed whatever stands in it, with the right ends, and counts that are those of its tests."""

from __future__ import annotations

import dataclasses
from typing import Any
from xml.etree import ElementTree

import pytest

from stackseal.model import Drift, DriftStatus, Finding, Level, Location, Report, StackId, Waiver
from stackseal.report import junit
from unit.report import samples
from unit.report.hostile import ALL

STACK = StackId(account="111122223333", region="us-west-2", name="a-stack")


def read(text: str) -> Any:
    return ElementTree.fromstring(text)  # noqa: S314 - our own


def ends(text: str) -> dict[str, str]:
    found = {}
    for case in read(text).iter("testcase"):
        kinds = [child.tag for child in case if child.tag != "system-out"]
        found[f"{case.get('classname')} {case.get('name')}"] = kinds[0] if kinds else "passed"
    return found


def finding(level: Level = Level.ERROR, message: str = "It is open", **more: Any) -> Finding:
    where = Location(path="configs/a.yaml", line=3, column=1)
    return Finding(check="CKV_1", engine="checkov", level=level, message=message, where=where, **more)


def of(*findings: Finding) -> Report:
    return Report(run=samples.RUN, stacks=(dataclasses.replace(samples.unchanged(), findings=findings),))


def test_what_blocks_fails_and_what_is_answered_for_is_skipped() -> None:
    waiver = Waiver(check="CKV_1", reason="a lab", owner="ops")
    report = of(
        finding(resource="Open"),
        finding(Level.WARNING, resource="Wide"),
        finding(resource="Known", waiver=waiver),
        finding(resource="Wished", waiver=dataclasses.replace(waiver, proposed=True)),
    )
    name = report.stacks[0].id.name
    found = ends(junit.render(report))
    assert found.pop(next(iter(found))) == "passed"  # the plan
    assert found == {
        f"{name} CKV_1 Open": "failure",
        f"{name} CKV_1 Wide": "passed",
        f"{name} CKV_1 Known": "skipped",
        f"{name} CKV_1 Wished": "failure",
    }
    (suite,) = read(junit.render(report))
    assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["5", "2", "0", "1"]
    assert "configs/a.yaml:3" in suite[1][0].text
    assert "ops" in suite[3][0].text


def test_a_full_report_counts_what_it_holds() -> None:
    root = read(junit.render(samples.full()))
    assert {suite.get("name") for suite in root} > {"configs"}
    for suite in root:
        assert suite.get("tests") == str(len(suite))
        assert int(suite.get("errors")) == sum(case.find("error") is not None for case in suite)
    assert next(suite for suite in root if suite.get("name") == "configs").get("errors") != "0"


@pytest.mark.parametrize("text", [*ALL, "\ufffe\uffff", "]]>", "<!--", "&#0;", "x" * 10_000, "\x00\x1b[2J"])
def test_whatever_stands_in_it_is_well_formed_and_short(text: str) -> None:
    root = read(junit.render(of(finding(message=text, resource=text or None))))
    case = root[0][1]
    assert len(case.get("name")) <= 1_000
    assert len(case[0].get("message")) <= 5_000
    assert len(case[0].text) <= 5_000
    assert len(root[0]) == 2


def test_drift() -> None:
    drifts = [
        Drift(stack=dataclasses.replace(STACK, name=name), status=status, resources=(), reason="AWS is away")
        for name, status in zip("abc", DriftStatus, strict=True)
    ]
    assert ends(junit.watched(drifts)) == {"a drift": "passed", "b drift": "failure", "c drift": "error"}
    assert "AWS is away" in junit.watched(drifts)
    assert read(junit.watched([])).tag == "testsuites"
