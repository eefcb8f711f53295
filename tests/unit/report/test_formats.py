"""The registry of formats is complete, and every format keeps the promises of its Protocol."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from stackseal import assets, report
from stackseal.report.view.costs import billable
from unit.report import samples

HELPERS = {
    "__init__",
    "compare",
    "diff",
    "done",
    "encode",
    "graph",
    "issue",
    "marker",
    "place",
    "redact",
    "svg",
    "terminal",
    "words",
}


def test_every_module_is_a_format_or_a_helper() -> None:
    modules = {path.stem for path in Path(report.__file__).parent.glob("*.py")}
    assert modules == HELPERS | set(report.FORMATS)
    assert list(report.FORMATS) == sorted(report.FORMATS)


@pytest.mark.parametrize("name", report.FORMATS)
def test_a_format_is_deterministic_and_ends_its_last_line(name: str) -> None:
    text = report.FORMATS[name].render(samples.full())
    assert text == report.FORMATS[name].render(samples.full())
    assert text.endswith("\n")
    assert "\r" not in text


def test_the_table_of_billable_types_can_be_read() -> None:
    data = yaml.safe_load((assets.REPORTS / "billing.yaml").read_text(encoding="utf-8"))
    assert list(data) == sorted(data, key=str.lower)
    assert billable()["AWS::CodeBuild::Project"] == (
        "build minutes by compute type",
        ("ComputeType", "Type", "TimeoutInMinutes"),
    )
