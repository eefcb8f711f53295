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


def rows(figures: str) -> dict[str, list[str]]:
    """Role, and the cells of its row."""
    lines = [line.strip("| ").split(" | ") for line in figures.splitlines() if line.count("|") == 9]
    return {cells[0]: cells for cells in lines[2:]}


@pytest.mark.spec("A23")
def test_no_write_that_could_be_scoped_is_allowed_on_everything(figures: str) -> None:
    assert len(rows(figures)) == 5
    assert {cells[-1] for cells in rows(figures).values()} == {"0"}


@pytest.mark.spec("A23")
def test_nine_of_ten_roles_need_two_policies(figures: str) -> None:
    """A person's role takes the first one as its inline policy."""
    ninth = {role: [int(cells[place].partition(" / ")[0]) for place in (4, 5)] for role, cells in rows(figures).items()}
    assert ninth.pop("operator") == [3, 2]
    assert all(managed <= 2 for managed, _ in ninth.values())
    most = {role: cells[4].partition(" / ")[2] for role, cells in rows(figures).items()}
    assert most == {"operator": "3", "execution": "3", "plan": "2", "deploy": "2", "drift": "2"}


@pytest.mark.spec("A23")
def test_nothing_that_the_examples_need_is_denied(figures: str) -> None:
    assert "| of which the execution policies deny | 0 |" in figures
    assert "| Requests that a real account denied until they were granted | 72 |" in figures
    assert "| of which the policy allows (recall) | 72 |" in figures
