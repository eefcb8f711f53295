"""`make bench`: its rows are on the page, and it measures what it says. No test depends on how long something took."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import bench_engines
import pytest

from contract.support import script
from stackseal.checks import shape
from stackseal.checks.scan import plain

BENCH = script("bench")


def test_the_page_shows_and_explains_every_row() -> None:
    page = BENCH.PAGE.read_text(encoding="utf-8")
    printed = page.partition(BENCH._MARKS[0])[2].partition(BENCH._MARKS[1])[0]
    for name in BENCH.ROWS:
        assert name in BENCH.ASKED or f"\n{name}: " in printed, "run: make bench BENCH_ARGS=--page"
        assert f"| `{name}` |" in page
    assert "\n  skipped: " not in printed


def test_what_is_compared_is_measured_in_turns(tmp_path: Path) -> None:
    order: list[str] = []
    times = {"a": iter([3.0, 1.0, 2.0]), "b": iter([10.0, 30.0, 20.0])}

    def variant(name: str) -> dict[str, float]:
        order.append(name)
        return {name: next(times[name])}

    bench = BENCH.Bench(tmp_path, 3)
    found = bench.interleaved({"a": lambda: variant("a"), "b": lambda: variant("b")})
    assert order == ["a", "b"] * 3
    assert found == {"a": 2.0, "b": 20.0}
    assert BENCH.ratios(found, ("b", "a")) == {"b / a": 10.0}


def test_byte_code_is_kept() -> None:
    env = {"PYTHONDONTWRITEBYTECODE": "1", "VIRTUAL_ENV": "/x", "PATH": "/bin"}
    assert BENCH.environment(env) == {"PATH": "/bin"}


def test_a_row_gives_seconds_and_ratios(tmp_path: Path) -> None:
    """The cheapest one, as it is run."""
    row = BENCH.help_(BENCH.Bench(tmp_path, 1))
    assert set(row.seconds) == {"--help", "python", "cfn-lint --help"}
    assert all(value > 0 for value in row.seconds.values())
    text = BENCH.shown("help", row)
    assert all(name in text for name in [*row.seconds, *row.ratios])


@pytest.mark.e2e
def test_a_review_is_taken_apart_into_its_stages(tmp_path: Path) -> None:
    """The child process knows the stages as they are today."""
    bench = BENCH.Bench(tmp_path, 1)
    found = BENCH._child(bench, "one", "cfn-lint")
    stages = ["config and catalogue", "render", "our checks", "cfn-lint", "policy", "plan", "report"]
    assert list(found["stages"]) == stages
    assert {"policy", "report markdown", "report html"} <= set(found["warm"])


def test_the_larger_review_has_ten_configs(tmp_path: Path) -> None:
    repository = BENCH.Bench(tmp_path, 1).repository
    assert len(list((repository / "configs").iterdir())) == BENCH.MANY == 10


def test_without_a_network_a_cold_start_is_skipped_with_a_sentence(tmp_path: Path) -> None:
    """A folder without packages stands for a network without an index."""
    env = {**BENCH.environment(BENCH.os.environ), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    said = BENCH.taken("start", BENCH.Bench(tmp_path, 1, env))
    assert said.startswith("nothing can be fetched here, and a cold start fetches everything")
    assert "  skipped: nothing" in BENCH.shown("start", said)


def test_a_command_that_fails_is_an_error_and_no_time(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        BENCH.Bench(tmp_path, 1).run("x", "sh", "-c", "echo no such thing >&2; exit 7")
    assert BENCH.failed("start", caught.value) == "start was not measured: a command ended with 7: no such thing"


def test_the_page_takes_what_was_printed_and_nothing_else() -> None:
    page = f"before\n{BENCH._MARKS[0]}old\n{BENCH._MARKS[1]}after\n"
    assert BENCH.paged(page, "new\n") == f"before\n{BENCH._MARKS[0]}new\n{BENCH._MARKS[1]}after\n"
    with pytest.raises(ValueError, match="has lost its marks"):
        BENCH.paged("nothing", "new\n")


def test_templates_are_new_or_of_few_shapes(tmp_path: Path) -> None:
    assert bench_engines.COMBINATIONS == 40 == len(bench_engines.combinations())
    for shapes, different in ((0, 80), (40, 40), (10, 10)):
        made = bench_engines.templates(tmp_path / str(shapes), 80, new=not shapes, shapes=shapes)
        texts = [plain(path.read_text(encoding="utf-8")) for path in sorted(made.iterdir())]
        assert len(set(texts)) == 80
        found = {known.key if (known := shape.of(text)) else text for text in texts}
        assert len(found) == different


def test_a_line_is_fitted_and_prolonged() -> None:
    assert bench_engines.fit({10: 3.0, 40: 6.0, 100: 12.0}) == pytest.approx((0.1, 1.0))
    assert bench_engines.fit({10: 3.0, 40: 12.0, 100: 3.0})[1] < 0.5
    assert bench_engines.extrapolated(2.0, 11.0, 1000) == pytest.approx(101.0)


def test_what_is_wanted_stands_beside_what_was_found() -> None:
    row = BENCH.Row(seconds={}, ratios={"1 new / 1 new: folder": 0.5}, counts={"findings that differ": 0, "other": 3})
    text = BENCH.shown("engines", row)
    assert "0.5 x   (at most 0.33 x)" in text
    assert "0   (at most 0)" in text
    assert text.count("at most") == 2


def test_a_finding_that_one_side_lacks_is_counted(tmp_path: Path) -> None:
    """Stand-ins for the two commands: one finds something, the other finds something else."""
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "a.yaml").write_text("Resources: {}\n")
    lint, checkov = tmp_path / "lint", tmp_path / "checkov"
    lint.write_text('#!/bin/sh\necho \'[{"Filename": "a.yaml", "Rule": {"Id": "E1"}}]\'\n')
    checkov.write_text('#!/bin/sh\necho \'{"results": {"failed_checks": []}}\'\n')
    lint.chmod(0o755)
    checkov.chmod(0o755)
    same = {"engine": "cfn-lint", "file": "x/a.yaml", "check": "E1", "waived": None}
    assert bench_engines.differing([same], folder, lint, checkov) == 0
    assert bench_engines.differing([], folder, lint, checkov) == 1
    assert bench_engines.differing([same, {**same, "engine": "checkov", "check": "C"}], folder, lint, checkov) == 1
    assert bench_engines.differing([same, {**same, "waived": "why"}], folder, lint, checkov) == 0


def test_memory_of_all_below_a_command_is_summed() -> None:
    one = bench_engines.peak("sleep 0.4", BENCH.os.environ)
    many = bench_engines.peak(
        f"for i in 1 2 3; do {BENCH.sys.executable} -c 'import time; time.sleep(0.6)' & done; wait", BENCH.os.environ
    )
    assert many > one > 0


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    for words, says in (
        (["--rows", "speed"], "there is no row speed"),
        (["--runs", "0"], "--runs must be 1 or more"),
        (["--size", "0"], "--size and --values must be 1 or more"),
    ):
        with pytest.raises(SystemExit):
            BENCH.main(words)
        assert says in capsys.readouterr().err
    assert json.loads(json.dumps(BENCH.machine()))["python"]
