"""The reference pages are what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.support import ROOT, script

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
    from stackseal import settings

    found = settings.parse(DOCS._SETTINGS_EXAMPLE.encode())
    assert found.accounts["123456789012"].execution_role
    assert len(found.waivers) == len(found.drift.ignore) == 1
