"""Every format keeps the promises of its Protocol; that the registry is complete tests/contract shows."""

from __future__ import annotations

import pytest
import yaml

from stackseal import assets, report
from stackseal.report.view.costs import billable
from unit.report import samples


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
