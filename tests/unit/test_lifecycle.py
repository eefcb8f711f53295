"""Findings that are kept do not outlive the day on which cfn-lint changes its mind."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import cfnlint
import pytest

from stackseal import checked, lifecycle
from stackseal.checks import digest

RULES = Path(cfnlint.__file__).parent / "rules"


def days() -> list[date]:
    table = json.loads((RULES.parent / "data/AdditionalSpecs/LmbdRuntimeLifecycle.json").read_text(encoding="utf-8"))
    found = {value for runtime in table.values() for value in runtime.values() if value and value[:2] == "20"}
    return sorted(map(date.fromisoformat, found))


@pytest.mark.parametrize("day", [days()[0], days()[len(days()) // 2], days()[-1]])
def test_the_stage_changes_on_the_day_itself(day: date) -> None:
    before, on, after = (lifecycle.stage(day + timedelta(days=n)) for n in (-1, 0, 1))
    assert before < on
    assert on == after or day + timedelta(days=1) in days()


def test_the_machine_s_own_day_counts() -> None:
    assert lifecycle.stage() in {lifecycle.stage(date.today() - timedelta(days=n)) for n in (0, 1)}


def test_what_is_kept_is_kept_under_the_stage() -> None:
    assert f" stage{lifecycle.stage()} " in digest.of_packages(["cfn-lint"])


def test_files_are_known_for_one_stage_only(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("", encoding="utf-8")

    def salt(day: date | None = None) -> str:
        found = checked.known(tmp_path, region="us-east-1", engines=["cfn-lint"], env={}, lock=lock, today=day)
        assert found is not None
        return found.salt

    assert salt() == salt()
    last = days()[-1]
    assert salt(last) != salt(last - timedelta(days=1))
    assert salt(last) == salt(last + timedelta(days=1))


def test_no_other_rule_of_cfn_lint_asks_for_the_day() -> None:
    """A rule that a new version adds would make kept findings wrong in silence."""
    asking = {
        path.relative_to(RULES).as_posix()
        for path in RULES.rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in (".today(", ".now(", ".utcnow(", "time.time("))
    }
    assert asking == {
        "_rule.py",  # how long a rule takes
        "resources/lmbd/DeprecatedRuntimeCreate.py",
        "resources/lmbd/DeprecatedRuntimeEol.py",
        "resources/lmbd/DeprecatedRuntimeUpdate.py",
    }
