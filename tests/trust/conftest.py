"""What `make trust` prints: every trust test hands over what it counted, and the table is made of that alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from trust.figures import KEY, SEED, Count, Figure


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Count:
    """What a test tried and what broke. To be called before the assertion, so that a failure is in the table, too."""

    def told(what: str, *, inputs: int, breaks: int, detail: str = "") -> None:
        figure = Figure(what=what, inputs=inputs, breaks=breaks, detail=detail)
        request.node.user_properties.append((KEY, asdict(figure)))

    return told


@pytest.fixture(autouse=True)
def counted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a trust test that tried nothing, or that found a break and passed all the same."""
    yield
    if request.node.get_closest_marker("trust") is None:
        return
    figures = [value for key, value in request.node.user_properties if key == KEY]
    if not figures or not all(figure["inputs"] for figure in figures):
        pytest.fail("a trust test says what it tried: call `count` with at least one input")
    if any(figure["breaks"] for figure in figures):
        pytest.fail(f"breaks: {[figure for figure in figures if figure['breaks']]}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--trust-report", metavar="FILE", help="write the figures of the trust tests there, as JSON")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The table, and the same as JSON where `--trust-report` says."""
    rows = _together(_rows(terminalreporter))
    target = config.getoption("--trust-report")
    if not target or not rows:
        return
    width = max(len(row["what"]) for row in rows)
    terminalreporter.section("trust")
    terminalreporter.write_line(f"{'what':{width}}  {'inputs':>9}  {'breaks':>6}  detail")
    for row in rows:
        terminalreporter.write_line(f"{row['what']:{width}}  {row['inputs']:>9,}  {row['breaks']:>6}  {row['detail']}")
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"seed": SEED, "rows": rows}, indent=2) + "\n", encoding="utf-8")
    terminalreporter.write_line(f"{len(rows)} lines, seed {SEED}, also in {target}")


def _together(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each `what`: the parts of a proof that was split are summed."""
    found: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: (row["test"], row["what"])):
        first = found.setdefault(row["what"], {**row, "inputs": 0, "breaks": 0, "passed": True})
        first["inputs"] += row["inputs"]
        first["breaks"] += row["breaks"]
        first["passed"] = first["passed"] and row["passed"]
    return list(found.values())


def _rows(terminalreporter: Any) -> Iterator[dict[str, Any]]:
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            if report.when == "call":
                for key, value in report.user_properties:
                    if key == KEY:
                        yield {**value, "test": report.nodeid, "passed": outcome == "passed"}
