"""Templates of one shape, against the command lines of the engines on the written files."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import bench_engines
import pytest

from stackseal.checks import checkov_env, run_foreign
from stackseal.workers import Workers
from trust.figures import Count
from unit.checks.samples import world

pytestmark = pytest.mark.trust
SETS = 5
"""Sets of values for each combination; `make bench BENCH_ARGS="--rows findings --values 200"` tries more."""


def test_the_command_lines_find_the_same_in_every_file(tmp_path: Path, count: Count) -> None:
    number = bench_engines.COMBINATIONS * SETS
    folder = bench_engines.templates(tmp_path / "templates", number)
    with Workers() as hands:
        engines = world(tmp_path, "cfn-lint", "checkov", hands=hands)
        found = run_foreign([folder], world=engines, region=bench_engines.REGION)
    rows = [
        {
            "engine": finding.engine,
            "file": finding.where.path,
            "check": finding.check,
            "waived": finding.waiver and finding.waiver.reason,
        }
        for finding in found
    ]
    checkov = checkov_env.find(os.environ)
    assert checkov is not None, "run `make setup`"
    lint = Path(sys.executable).parent / "cfn-lint"
    breaks = bench_engines.differing(rows, folder, lint, checkov)
    engines_heard = Counter(str(row["engine"]) for row in rows)
    count(
        "templates read by shape",
        inputs=number,
        breaks=breaks,
        detail=f"{bench_engines.COMBINATIONS} combinations, {sum(engines_heard.values())} findings",
    )
    assert breaks == 0
    assert engines_heard["checkov"] > 0
