"""A review, or a check for drift, as JUnit XML: what a CI shows as test results, CodeBuild as a test report.

JUnit has no standard; this is the part of Apache Ant's format that AWS's "Test reports" page names (JUNITXML).
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from stackseal.model import Drift, DriftStatus, Failure, Finding, GateCheck, Report, StackReport
from stackseal.report.encode import block, one_line
from stackseal.report.redact import redact

_NAME: Final = 1_000
_TEXT: Final = 5_000
"""Characters; CodeBuild cuts the name of a test and its message there, without a mark."""
_FORBIDDEN: Final = re.compile("[\ufffe\uffff]")
"""What XML 1.0 does not take and `visible` leaves."""


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One result; `end` is `failure`, `error` or `skipped`, empty for what is as it should be."""

    name: str
    end: str = ""
    text: str = ""


def render(report: Report) -> str:
    """A suite for each stack: itself, its findings and its gates; one more for the configs that could not be read."""
    found = redact(report, salt=report.run.repository)
    suites = [(stack.id.name, [*_stack(stack)]) for stack in found.stacks]
    if found.failures:
        suites.append(("configs", [_failure(item) for item in found.failures]))
    return _document("stackseal review", suites)


def watched(found: Sequence[Drift]) -> str:
    """A suite for each stack that was compared: drifted is a failure, not known an error."""
    return _document("stackseal drift", [(drift.stack.name, [_drift(drift)]) for drift in redact(tuple(found))])


def _stack(stack: StackReport) -> Iterable[_Case]:
    yield _Case(name=f"plan: {stack.plan.operation.value if stack.plan else 'none'}")
    for finding in stack.findings:
        yield _finding(finding)
    for check in stack.gates:
        yield _gate(check)


def _finding(finding: Finding) -> _Case:
    name = f"{finding.check} {finding.resource}" if finding.resource else finding.check
    text = f"{finding.where}: {finding.message}"
    if finding.waiver is not None and not finding.waiver.proposed:
        return _Case(name=name, end="skipped", text=f"{text} Waived by {finding.waiver.owner}: {finding.waiver.reason}")
    return _Case(name=name, end="failure" if finding.blocks else "", text=f"{finding.level.value}: {text}")


def _gate(check: GateCheck) -> _Case:
    text = f"{check.standing.value}: {check.reason}"
    name = f"gate: {check.gate.on.value} needs {check.gate.needs.value}"
    return _Case(name=name, end="failure" if check.blocks else "", text=text)


def _failure(failure: Failure) -> _Case:
    text = f"{failure.message}; {failure.remedy}" if failure.remedy else failure.message
    return _Case(name=str(failure.where), end="error", text=text)


def _drift(drift: Drift) -> _Case:
    if drift.status is DriftStatus.UNKNOWN:
        return _Case(name="drift", end="error", text=drift.reason or "not known")
    lines = "\n".join(f"{item.logical_id} ({item.type}): {item.status}" for item in drift.drifted)
    return _Case(name="drift", end="failure" if drift.status is DriftStatus.DRIFTED else "", text=lines)


def _document(name: str, suites: Iterable[tuple[str, Sequence[_Case]]]) -> str:
    root = ET.Element("testsuites", name=name)
    for title, cases in suites:
        counts = {end: str(sum(case.end == end for case in cases)) for end in ("failure", "error", "skipped")}
        suite = ET.SubElement(
            root,
            "testsuite",
            name=_line(title),
            tests=str(len(cases)),
            failures=counts["failure"],
            errors=counts["error"],
            skipped=counts["skipped"],
        )
        for case in cases:
            _write(suite, title, case)
    ET.indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _write(suite: ET.Element, title: str, case: _Case) -> None:
    element = ET.SubElement(suite, "testcase", classname=_line(title), name=_line(case.name), time="0")
    text = _cut(block(case.text), _TEXT)
    if case.end:
        ET.SubElement(element, case.end, message=_cut(one_line(case.text), _TEXT)).text = text
    elif text:
        ET.SubElement(element, "system-out").text = text


def _line(text: str) -> str:
    return _cut(one_line(text), _NAME)


def _cut(text: str, most: int) -> str:
    text = _FORBIDDEN.sub("", text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
