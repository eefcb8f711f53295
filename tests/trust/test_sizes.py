"""Reports from 1 KB to 20 MB: every limit of GitHub holds, nothing that goes away is lost, time grows with size."""

from __future__ import annotations

import dataclasses
import json
import re
from functools import cache
from typing import Final

import pytest

from stackseal.model import Report
from stackseal.report import annotations, html, markdown, sarif, terminal
from stackseal.report import json as report_json
from trust.figures import Count
from unit.report import samples

COMMENT: Final = 65_536
SUMMARY: Final = 1_000 * 1_024
SARIF_RESULTS: Final = 25_000

LADDER: Final = (1_000, 10_000, 100_000, 1_000_000, 5_000_000, 20_000_000)
FILLINGS: Final = {"ascii": "x", "cjk": "語", "emoji": "👩‍🚀"}


def stack_of(number: int, filling: str) -> object:
    """A stack with three destructive changes, findings, and values of some size."""
    one = samples.updated()
    assert one.plan is not None
    name = f"stack-{number:05}"
    properties = tuple(samples.prop(f"/Properties/P{n}", None, json.dumps(filling * 150)) for n in range(8))
    changes = tuple(
        dataclasses.replace(change, properties=properties) if not change.destructive else change
        for change in one.plan.changes
    )
    plan = dataclasses.replace(one.plan, changes=changes)
    return dataclasses.replace(one, id=samples.stack_id(name), plan=plan, findings=samples.findings(name))


@cache
def report_of(size: int, filling: str) -> tuple[Report, int]:
    """A report of about so many bytes of JSON, and its true size."""
    if size < 5_000:
        found = Report(run=samples.RUN, stacks=(), failures=(samples.FAILURE,))
        return found, len(report_json.dumps(found))
    one = len(report_json.dumps(Report(run=samples.RUN, stacks=(stack_of(0, filling),))))  # type: ignore[arg-type]
    count = max(1, size // one)
    found = Report(run=samples.RUN, stacks=tuple(stack_of(n, filling) for n in range(count)))  # type: ignore[arg-type]
    return found, len(report_json.dumps(found))


def wrong(report: Report) -> list[str]:
    """Which limit does not hold, and what is missing that must be there."""
    parts = markdown.render_parts(report)
    summary = markdown.render_summary(report)
    found = [f"part {n}: {len(part)}" for n, part in enumerate(parts) if len(part) > COMMENT]
    found += [f"part {n}: {len(part.encode())} bytes" for n, part in enumerate(parts) if len(part.encode()) > 262_144]
    if len(summary.encode()) > SUMMARY:
        found.append(f"summary: {len(summary.encode())} bytes")
    for name, text in (("comment", parts[0]), ("summary", summary), ("html", html.render(report))):
        if "Blocked" not in text[:20_000]:
            found.append(f"{name}: no verdict")
    found += [f"comment: {what}" for what in _lost(report, "".join(parts))]
    log = json.loads(sarif.render(report))
    if len(log["runs"][0]["results"]) > SARIF_RESULTS or len(log["runs"][0]["tool"]["driver"]["rules"]) > SARIF_RESULTS:
        found.append("sarif: too many")
    if len(annotations.render(report).splitlines()) > 3 * annotations.LIMIT:
        found.append("annotations: too many")
    return found + [f"terminal: {what}" for what in _lost_lines(report, terminal.render(report))]


def destructive(report: Report) -> list[tuple[str, str]]:
    return [
        (stack.id.name, change.logical_id)
        for stack in report.stacks
        if stack.plan
        for change in stack.plan.changes
        if change.destructive
    ]


def _lost(report: Report, text: str) -> list[str]:
    """Every destructive change is named with its stack in a sentence of its own."""
    said = set(re.findall(r"`(\w+)` \(`[\w:]+`\) in `([\w-]+)`", text))
    return [f"{name}/{logical_id}" for name, logical_id in destructive(report) if (logical_id, name) not in said]


def _lost_lines(report: Report, text: str) -> list[str]:
    said = set(re.findall(r"(\w+) \([\w:]+\) in ([\w-]+)", text))
    return [f"{name}/{logical_id}" for name, logical_id in destructive(report) if (logical_id, name) not in said]


@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize("size", LADDER[:3])
def test_a_small_report_keeps_every_limit(size: int, filling: str) -> None:
    assert wrong(report_of(size, FILLINGS[filling])[0]) == []


@pytest.mark.trust
@pytest.mark.parametrize(
    ("size", "filling"),
    [(size, "ascii") for size in LADDER] + [(size, filling) for size in LADDER[:4] for filling in ("cjk", "emoji")],
)
def test_a_report_of_any_size_keeps_every_limit(size: int, filling: str, count: Count) -> None:
    report, real = report_of(size, FILLINGS[filling])
    found = wrong(report)
    detail = "1 KB to 20 MB in ASCII, CJK and emoji: 65,536 code points, 1,000 KB, 25,000 results; nothing lost"
    count("reports of growing size", inputs=1, breaks=len(found), detail=detail)
    assert found == []
    assert real > size / 3


def test_what_is_lost_would_be_seen() -> None:
    report, _ = report_of(10_000, "x")
    text = "".join(markdown.render_parts(report))
    assert len(destructive(report)) == 3 * len(report.stacks)
    assert _lost(report, text.replace("ModelDeployRepository", "Other")) == ["stack-00000/ModelDeployRepository"]
