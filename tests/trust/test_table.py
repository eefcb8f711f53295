"""The table of `make trust` says what the tests counted, and a test that counted nothing does not pass."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TESTS = """
import pytest

pytestmark = pytest.mark.trust


def test_good(count):
    count("apples", inputs=1200, breaks=0, detail="all red")


@pytest.mark.parametrize("part", range(3))
def test_parts(part, count):
    count("cherries", inputs=2, breaks=0)


def test_broken(count):
    count("pears", inputs=3, breaks=1)
    assert False


def test_broken_unseen(count):
    count("plums", inputs=3, breaks=1)


def test_nothing(count):
    count("air", inputs=0, breaks=0)


def test_silent():
    pass
"""


def run(folder: Path) -> tuple[str, dict[str, Any]]:
    here = folder / "trust"
    here.mkdir()
    for name in ("conftest.py", "figures.py"):
        shutil.copy(HERE / name, here / name)
    (here / "test_fruit.py").write_text(TESTS, encoding="utf-8")
    (folder / "pytest.ini").write_text(
        "[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider\npythonpath = .\nmarkers =\n  trust: x\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-q", "-n", "1", "--trust-report", "out/trust.json", "trust"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    found: dict[str, Any] = json.loads((folder / "out" / "trust.json").read_text(encoding="utf-8"))
    return done.stdout, found


def test_the_page_names_lines_that_are_printed() -> None:
    """docs/explanation/security.md names the lines and no figures, which rot."""
    page = (HERE.parents[1] / "docs" / "explanation" / "security.md").read_text(encoding="utf-8")
    table = page.partition("| Line of `make trust` |")[2].partition("\n\n")[0]
    named = [line.split("|")[1].strip() for line in table.splitlines()[2:]]
    code = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py") if path != Path(__file__))
    printed = [name.split(", {")[0] for name in re.findall(r'count\(\s*f?"([^"]+)"', code)]
    assert len(named) > 10
    assert not set(named) - set(printed)


def test_what_was_counted_is_what_is_told(tmp_path: Path) -> None:
    text, report = run(tmp_path)
    rows = {row["what"]: row for row in report["rows"]}
    assert {name: (row["inputs"], row["breaks"], row["passed"]) for name, row in rows.items()} == {
        "apples": (1200, 0, True),
        "pears": (3, 1, False),
        "plums": (3, 1, True),
        "air": (0, 0, True),
        "cherries": (6, 0, True),
    }
    assert "apples        1,200       0  all red" in text
    assert "1 failed, 7 passed, 4 errors" in text
    assert text.count("ERROR trust/test_fruit.py") == 4
