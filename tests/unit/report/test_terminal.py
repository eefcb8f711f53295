"""The summary for a terminal says the same with and without colour, and obeys nobody."""

from __future__ import annotations

import re

import pytest

from stackseal.report import terminal
from unit.report import samples
from unit.report.hostile import ALL, live_commands

ANSI = re.compile(r"\x1b\[\d+m")


def test_the_first_line_is_the_verdict() -> None:
    lines = terminal.render(samples.full()).splitlines()
    assert lines[0].startswith("BLOCKED  4 stacks: 14 to add, 1 to change, 2 to replace, 14 to remove; 4 findings")
    assert lines[1] == (
        "  ! the whole stack techcorp-dev-a001-us-west-2-propensity-ml-stack is deleted: 12 resources go, "
        "1 stays behind (ArtifactsBucket)"
    )
    assert lines[2].startswith("  ! removed, DATA LOSS: ModelDeployRepository")
    assert any(
        line.startswith("  x could not be reviewed: configs/techcorp-prod-a001-us-west-2-typo-ml-s3.yaml:11:3: ")
        for line in lines
    )
    assert any("no changes" in line for line in lines)


def test_every_stack_has_a_line_and_what_blocks_is_below_it() -> None:
    text = terminal.render(samples.full())
    assert [line.split()[0] for line in text.splitlines() if "us-west-2  " in line] == [
        "blocked",
        "human",
        "human",
        "ready",
    ]
    assert f"error   {samples.FRAUD}:14:3 CKV_AWS_21 ArtifactsBucket" in text


def test_colour_is_never_the_only_signal() -> None:
    coloured = terminal.render(samples.full(), colour=True)
    assert ANSI.search(coloured)
    assert ANSI.sub("", coloured) == terminal.render(samples.full())
    assert "\x1b" not in terminal.render(samples.full())


@pytest.mark.parametrize("text", ALL)
def test_no_text_commands_the_runner_or_the_terminal(text: str) -> None:
    found = terminal.render(samples.with_text(text))
    assert live_commands(found) == []
    assert found.replace("\n", "").isprintable() or not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", found)
    assert len(found.splitlines()) == len(terminal.render(samples.with_text("x")).splitlines())
