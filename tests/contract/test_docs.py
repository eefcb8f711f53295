"""The reference pages are what the code says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from contract.support import ROOT, committed, script
from stackseal import settings
from stackseal.cli import parse
from stackseal.commands import COMMANDS

DOCS = script("docs")
FEATURES = script("features")


@pytest.mark.parametrize("path", DOCS.pages(), ids=lambda path: path.name)
def test_a_page_is_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == DOCS.pages()[path], "run: make docs"


def test_the_features_are_current() -> None:
    assert FEATURES.PAGE.read_text(encoding="utf-8") == FEATURES.page(), "run: make docs"


def test_every_reference_page_is_linked() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "adr" and path.name != "README.md"]
    assert len(pages) > 15
    assert not [path.name for path in pages if f"({path.relative_to(ROOT / 'docs').as_posix()})" not in index]


def test_the_example_settings_are_valid() -> None:
    found = settings.parse(DOCS._SETTINGS_EXAMPLE.encode())
    assert found.accounts["123456789012"].execution_role
    assert len(found.waivers) == len(found.drift.ignore) == 1


def examples() -> list[tuple[str, str]]:
    """Every command line that a text shows, with the page it stands on: shell blocks, and examples in the help."""
    found = []
    for page in (path for path in committed() if path.suffix == ".md" and path.is_relative_to(ROOT)):
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for block in re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
            found += [(page.relative_to(ROOT).as_posix(), line) for line in block.splitlines()]
    for name, command in COMMANDS.items():
        found += [(f"help of {name}", line.strip()) for line in command.HELP.splitlines() if line.startswith("    ")]
    return [(page, re.split(r" [>&|]", line)[0]) for page, line in found if line.startswith("stackseal ")]


@pytest.mark.parametrize(("page", "line"), sorted(set(examples())))
def test_every_command_line_that_a_text_shows_is_understood(page: str, line: str) -> None:
    """The parser takes it; nothing is run. Two spaces begin a remark in a command's help."""
    words = shlex.split(re.split(r" {2,}", line)[0], comments=True)
    assert parse(words[1:], {"HOME": "/"}).command in COMMANDS, page


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/tutorial.md"])
def test_every_command_that_a_text_names_exists(page: str) -> None:
    named = set(re.findall(r"`stackseal ([a-z][a-z-]+)", (ROOT / page).read_text(encoding="utf-8")))
    assert named <= set(COMMANDS)


def test_the_readme_lists_every_command() -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Commands")[1].split("## ")[0]
    assert set(re.findall(r"`([a-z-]+)`", section)) == set(COMMANDS)
