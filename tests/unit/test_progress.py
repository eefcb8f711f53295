"""How far the engines are: one table that redraws itself on a terminal, a group of lines in CI, nothing for one."""

from __future__ import annotations

import io
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from stackseal import progress
from stackseal.output import Output
from stackseal.progress import Progress
from stackseal.workers import Watch, Workers

ECHO = """
import json, sys, os
question, answer = (int(word) for word in sys.argv[1].split(":"))
out = os.fdopen(answer, "w")
print("{}", file=out, flush=True)
for line in os.fdopen(question):
    print(json.dumps(json.loads(line)), file=out, flush=True)
"""


def output(**more: Any) -> Output:
    return Output(stdout=io.StringIO(), stderr=io.StringIO(), **more)


def text(out: Output) -> str:
    assert isinstance(out.stderr, io.StringIO)
    return out.stderr.getvalue()


def screen(written: str) -> list[str]:
    """What a terminal shows in the end: `ESC[nF` goes up to the beginning of a line, `ESC[J` clears what is below."""
    lines: list[str] = []
    for piece in re.split(r"(\x1b\[\d+F\x1b\[J)", written):
        if up := re.fullmatch(r"\x1b\[(\d+)F\x1b\[J", piece):
            assert int(up[1]) <= len(lines)
            del lines[len(lines) - int(up[1]) :]
        else:
            lines += piece.splitlines()
    return lines


def work(out: Output, texts: int, cached: int, engine: str = "cfn-lint") -> None:
    with progress.shown(out, texts) as far:
        far.begin(engine, texts, cached)
        for _ in range(texts - cached):
            far.asked(engine)
            far.answered(engine)
        far.end(engine)


def test_in_ci_the_lines_are_a_group_and_few() -> None:
    out = output(folds=True)
    work(out, 1_000, 200)
    lines = text(out).splitlines()
    assert lines[0] == "::group::Checking 1000 templates"
    assert lines[1] == "cfn-lint: 0 running, 200 cached, 0 read, 800 left"
    assert lines[2] == "cfn-lint: 0 running, 200 cached, 80 read, 720 left"
    assert lines[-2] == "cfn-lint: 0 running, 200 cached, 800 read, 0 left"
    assert lines[-1] == "::endgroup::"
    assert len(lines) == 1 + 1 + 10 + 1 + 1
    assert "\x1b" not in text(out)


def test_where_nobody_folds_a_title_stands_above() -> None:
    out = output()
    work(out, 2, 2)
    assert text(out).splitlines()[:2] == ["Checking 2 templates", "cfn-lint: 0 running, 2 cached, 0 read, 0 left"]


def test_a_group_ends_also_where_something_fails_and_no_title_commands_the_runner() -> None:
    out = output(folds=True)
    with pytest.raises(ValueError, match="x"), out.group("a\n::error::b ##[error]c 100%"):
        raise ValueError("x")
    first, last = text(out).splitlines()
    assert first.startswith("::group::a ")
    assert "##[" not in first
    assert first.endswith("100%25")
    assert last == "::endgroup::"
    quiet = output(folds=True, level="error")
    with quiet.group("title"):
        pass
    assert text(quiet) == ""


def test_on_a_terminal_one_table_stays() -> None:
    out = output(live=True)
    with progress.shown(out, 3) as far:
        far.begin("cfn-lint", 3, 1)
        far.begin("checkov", 3, 0)
        far.asked("checkov")
        far.asked("cfn-lint")
        assert screen(text(out)) == [
            "Checking 3 templates",
            "  cfn-lint  1 running, 1 cached, 0 read, 1 left",
            "  checkov   1 running, 0 cached, 0 read, 2 left",
        ]
        far.answered("cfn-lint")
        far.end("cfn-lint")
        assert screen(text(out))[1:] == [
            "  cfn-lint  0 running, 1 cached, 1 read, 0 left",
            "  checkov   1 running, 0 cached, 0 read, 2 left",
        ]


def test_a_word_in_between_is_not_overwritten() -> None:
    out = output(live=True)
    with progress.shown(out, 2) as far:
        far.begin("checkov", 2, 0)
        out.say("Installing checkov")
        far.asked("checkov")
    assert screen(text(out)) == [
        "Checking 2 templates",
        "  checkov  0 running, 0 cached, 0 read, 2 left",
        "Installing checkov",
        "  checkov  1 running, 0 cached, 0 read, 1 left",
    ]


@pytest.mark.parametrize("texts", [0, 1])
def test_a_single_text_is_no_progress(texts: int) -> None:
    out = output(live=True, folds=True)
    work(out, texts, 0)
    assert text(out) == ""


def test_numbers_are_whole_under_many_threads() -> None:
    far = Progress(out=output())
    far.begin("checkov", 400, 0)

    def one(_: int) -> None:
        far.asked("checkov")
        far.answered("checkov")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(400)))
    assert far.rows["checkov"].words == "0 running, 0 cached, 400 read, 0 left"


def test_workers_tell_what_they_are_asked(tmp_path: Path) -> None:
    """A real worker; what it is asked outside of the watch nobody hears."""
    program = tmp_path / "echo.py"
    program.write_text(ECHO, encoding="utf-8")
    heard: list[str] = []
    watch = Watch(asked=lambda name: heard.append(f"{name} asked"), answered=lambda name: heard.append(f"{name} over"))
    with Workers() as workers:
        team = workers.start("echo", [sys.executable, str(program)])
        assert team.seats[0].ask({"a": 1}, 10) == {"a": 1}
        with workers.watched(watch):
            assert team.share({"x": {"b": 2}, "y": {"c": 3}}, 10).answers == {"x": {"b": 2}, "y": {"c": 3}}
        team.seats[0].ask({"d": 4}, 10)
    assert heard == ["echo asked", "echo over"] * 2
