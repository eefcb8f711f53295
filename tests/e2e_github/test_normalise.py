"""The normaliser leaves everything but its two lines as it is; the stand-ins take what the workflows give them."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.support import ROOT
from e2e_github.harness import COMMIT, STAND_INS, pins
from e2e_github.normalise import normalise

WORKFLOWS = sorted(
    path for path in (ROOT / ".github" / "workflows").glob("*.yml") if "workflow_call:" in path.read_text("utf-8")
)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_it_changes_nothing_else(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = list(difflib.ndiff(text.splitlines(), normalise(text, COMMIT).splitlines()))
    removed = [line[2:].strip() for line in lines if line.startswith("- ")]
    added = [line[2:].strip() for line in lines if line.startswith("+ ")]
    assert set(removed) <= {"queue: max", "uses: $/.github/actions/stackseal"}
    assert added == [f"uses: stackseal/stackseal/.github/actions/stackseal@{COMMIT}"] * removed.count(
        "uses: $/.github/actions/stackseal"
    )
    assert removed.count("uses: $/.github/actions/stackseal") >= 1
    assert normalise(normalise(text, COMMIT), COMMIT) == normalise(text, COMMIT)


def test_a_workflow_without_them_stays_as_it_is() -> None:
    text = "jobs:\n  a:\n    steps:\n      - uses: ./x\n      - run: 'echo queue: max'\n      # uses: $/x\n"
    assert normalise(text, COMMIT) == text


def test_every_foreign_action_has_a_stand_in_that_knows_the_inputs_that_we_give() -> None:
    assert all((STAND_INS / name.partition("/")[2] / "action.yml").is_file() for name in pins())
    for path in WORKFLOWS:
        document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        steps = [step for job in document["jobs"].values() for step in job["steps"] if "/" in step.get("uses", "")]
        for step in steps:
            name = step["uses"].partition("@")[0]
            if name in pins():
                stand_in = yaml.safe_load((STAND_INS / name.partition("/")[2] / "action.yml").read_text("utf-8"))
                assert set(step["with"]) <= set(stand_in["inputs"]), (path, step["name"])


def test_the_how_to_lists_them() -> None:
    page = (ROOT / "docs" / "how-to" / "github.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in pins())
