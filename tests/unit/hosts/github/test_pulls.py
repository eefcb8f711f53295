"""Where a commit came from, what its review decided, which labels are ours."""

from __future__ import annotations

from typing import Any

import pytest

from stackseal.hosts.base import ReviewState
from stackseal.hosts.github_owners import unowned
from stackseal.hosts.github_pulls import LABELS, NO_DECISION, asks_code_owners, labels, origin, state

SHA = "c" * 40


def pull(number: int, *, merged: bool = True, base: str = "main", commit: str = SHA) -> dict[str, Any]:
    return {
        "number": number,
        "merged_at": "2026-11-20T07:00:00Z" if merged else None,
        "merge_commit_sha": commit,
        "base": {"ref": base},
        "head": {"sha": "a" * 40},
        "user": {"login": "somebody"},
        "html_url": f"https://github.com/acme/infra/pull/{number}",
    }


@pytest.mark.parametrize(
    ("listed", "number"),
    [
        ([], None),
        ([pull(7)], 7),
        ([pull(7, merged=False)], None),
        ([pull(7, base="release")], None),
        ([pull(7, commit="d" * 40)], 7),
        ([pull(7, commit="d" * 40), pull(8)], 8),
        ([pull(7, commit="d" * 40), pull(8, commit="e" * 40)], None),
        ([pull(7), pull(8)], None),
        ([pull(7, merged=False), pull(8, commit="d" * 40), pull(9, base="next")], 8),
    ],
)
def test_a_commit_has_one_pull_request_or_none_that_can_be_told(
    listed: list[dict[str, Any]], number: int | None
) -> None:
    found = origin(listed, SHA, "main")
    assert (found.number if found else None) == number


def test_other_peoples_labels_stay() -> None:
    ready, blocked = "stackseal: ready", "stackseal: blocked"
    assert labels({"bug", blocked}, {ready}) == ((ready,), (blocked,))
    assert labels({ready, "bug"}, {ready, "urgent"}) == ((), ())
    assert all(len(name) <= 50 and len(colour) == 6 for name, colour in LABELS.items())


@pytest.mark.parametrize(
    ("decision", "pending", "why", "expected"),
    [
        ("APPROVED", False, "", ReviewState(approved=True, code_owner=True)),
        ("APPROVED", True, "", ReviewState(approved=True, code_owner=False)),
        ("REVIEW_REQUIRED", False, "", ReviewState(approved=False, code_owner=False)),
        ("CHANGES_REQUESTED", False, "", ReviewState(approved=False, code_owner=False)),
        (None, False, "", ReviewState(approved=None, code_owner=None, undecided=NO_DECISION)),
        (None, False, "no rule", ReviewState(approved=None, code_owner=None, why="no rule", undecided=NO_DECISION)),
        ("APPROVED", False, "no rule", ReviewState(approved=True, code_owner=None, why="no rule")),
    ],
)
def test_only_a_decision_that_can_be_told_is_an_approval(
    decision: str | None, pending: bool, why: str, expected: ReviewState
) -> None:
    assert state(decision, pending=pending, why=why) == expected


def test_a_ruleset_asks_for_code_owners_when_it_says_so() -> None:
    asking = {"type": "pull_request", "parameters": {"require_code_owner_review": True}}
    assert asks_code_owners([{"type": "deletion"}, asking])
    assert not asks_code_owners([{"type": "pull_request", "parameters": {"require_code_owner_review": False}}])
    assert not asks_code_owners([{"type": "pull_request"}, {"type": "required_signatures", "parameters": None}])


@pytest.mark.parametrize(
    ("owners", "path", "owned"),
    [
        ("* @acme/all", "configs/a.yaml", True),
        ("*.yaml @acme/all", "configs/deep/a.yaml", True),
        ("*.js @acme/all", "configs/a.yaml", False),
        ("/configs/ @acme/ml", "configs/deep/a.yaml", True),
        ("/configs/ @acme/ml", "other/configs/a.yaml", False),
        ("configs/ @acme/ml", "other/configs/a.yaml", True),
        ("docs/* @acme/docs", "docs/a.md", True),
        ("docs/* @acme/docs", "docs/deep/a.md", False),
        ("/configs/**/prod.yaml @acme/ml", "configs/a/b/prod.yaml", True),
        ("**/logs @acme/ml", "build/logs/x.log", True),
        ("* @acme/all\n/configs/", "configs/a.yaml", False),
        ("* @acme/all\n/configs/\n/configs/prod/ @acme/ml", "configs/prod/a.yaml", True),
        ("# * @acme/all\n\n", "a", False),
        ("/configs @acme/ml # the team", "configs/a.yaml", True),
        ("/my\\ files/ @acme/ml", "my files/a.yaml", True),
        ("*.yaml somebody@example.com", "a.yaml", True),
        ("* nobody", "a", False),
        ("Makefile @acme/all", "deep/Makefile", True),
        ("deep @acme/all", "a/deep/b", True),
        ("deep @acme/all", "a/deeper/b", False),
        ("", "a", False),
    ],
)
def test_codeowners_covers_what_github_says(owners: str, path: str, owned: bool) -> None:
    assert unowned(owners, [path]) == (() if owned else (path,))
