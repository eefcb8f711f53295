"""The figures in docs/explanation/least-privilege.md are those that scripts/privilege.py prints."""

from __future__ import annotations

import pytest

from contract.support import script

PRIVILEGE = script("privilege")


@pytest.fixture(scope="module")
def figures() -> str:
    text, seconds = PRIVILEGE.figures()
    assert 0 < seconds < 5
    assert isinstance(text, str)
    return text


@pytest.mark.spec("A23")
def test_the_page_has_todays_figures(figures: str) -> None:
    page = PRIVILEGE.PAGE.read_text(encoding="utf-8")
    assert page == PRIVILEGE.inserted(page, figures), "run: .venv/bin/python scripts/privilege.py --write"


@pytest.mark.spec("A23")
def test_no_write_that_could_be_scoped_is_allowed_on_everything(figures: str) -> None:
    rows = [line.split(" | ") for line in figures.splitlines() if line.count("|") == 8][2:]
    assert len(rows) == 5
    assert {row[-1].rstrip(" |") for row in rows} == {"0"}


@pytest.mark.spec("A23")
def test_a_role_needs_two_documents_and_a_person_three(figures: str) -> None:
    rows = [line.split(" | ") for line in figures.splitlines() if line.count("|") == 8][2:]
    assert {row[0].strip("| "): int(row[4]) for row in rows} == {
        "operator": 3,
        "execution": 2,
        "plan": 2,
        "deploy": 2,
        "drift": 2,
    }


@pytest.mark.spec("A23")
def test_nothing_that_the_examples_need_is_denied(figures: str) -> None:
    assert "| of which the execution policies deny | 0 |" in figures
    assert "| Requests that a real account denied until they were granted | 72 |" in figures
    assert "| of which the policy allows (recall) | 72 |" in figures
