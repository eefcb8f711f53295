"""What became of a pull request, and who approved it: asked of a GitHub that checks every request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from fakes.github import BOT, GitHubFake, Repository
from stackseal.hosts.base import KnowsPulls, Pull
from stackseal.hosts.github_forge import GitHubForge, Options, connect
from stackseal.hosts.github_http import PyGithubTransport
from stackseal.hosts.github_pulls import became
from stackseal.report import marker
from unit.hosts.github.hub import Time


@pytest.fixture
def repository(github: GitHubFake) -> Repository:
    found = github.repository("acme/infra")
    found.collaborators |= {"owner": "write", "colleague": "write"}
    return found


@pytest.fixture
def forge(github: GitHubFake, repository: Repository) -> Iterator[GitHubForge]:
    """With the permissions of the sweep."""
    token = github.token(BOT, {"contents": "read", "pull-requests": "read"})
    transport = PyGithubTransport(token, agent="stackseal/1.0 (cleanup)", url=github.url)
    time, env = Time(), {"GITHUB_REPOSITORY": repository.full_name}
    options = Options(actions=True)
    yield connect(env, agent="", marks=marker, now=time.now, sleep=time.sleep, options=options, transport=transport)
    transport.close()


def opened(repository: Repository, branch: str) -> int:
    repository.push(branch, {f"configs/{branch}.yaml": "a: 1\n"})
    return repository.open_pull(branch).number


def test_an_open_a_closed_and_a_merged_one_are_told_apart(repository: Repository, forge: GitHubForge) -> None:
    assert isinstance(forge, KnowsPulls)
    numbers = [opened(repository, branch) for branch in ("one", "two", "three")]
    repository.close_issue(numbers[1])
    repository.merge(numbers[2])
    found = [forge.pull(number) for number in numbers]
    assert [(item.open, item.merged) for item in found if item] == [(True, False), (False, False), (False, True)]
    assert [item.closed is None for item in found if item] == [True, False, False]
    assert forge.pull(999) is None


def test_the_last_decision_of_each_reviewer_counts(repository: Repository, forge: GitHubForge) -> None:
    number = opened(repository, "one")
    for author, state in (
        ("owner", "APPROVED"),
        ("colleague", "APPROVED"),
        ("owner", "COMMENTED"),
        ("colleague", "CHANGES_REQUESTED"),
    ):
        repository.review(number, state, author=author)
    found = forge.pull(number)
    assert found
    assert found.approvers == ("owner",)


def reviews(*rows: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"user": {"login": login}, "state": state} for login, state in rows]


@pytest.mark.parametrize(
    ("rows", "approvers"),
    [
        ((), ()),
        ((("b", "APPROVED"), ("a", "APPROVED")), ("a", "b")),
        ((("a", "CHANGES_REQUESTED"), ("a", "APPROVED")), ("a",)),
        ((("a", "APPROVED"), ("a", "DISMISSED")), ()),
        ((("a", "APPROVED"), ("a", "PENDING")), ("a",)),
    ],
)
def test_approvals_stand_until_they_are_taken_back(
    rows: tuple[tuple[str, str], ...], approvers: tuple[str, ...]
) -> None:
    told = {"number": 7, "state": "closed", "merged_at": None, "closed_at": "2026-11-19T23:59:59Z"}
    expected = Pull(number=7, open=False, closed=date(2026, 11, 19), approvers=approvers)
    assert became(told, reviews(*rows)) == expected


def test_the_approval_of_an_account_that_is_gone_names_nobody() -> None:
    told = {"number": 7, "state": "open", "merged_at": None, "closed_at": None}
    assert became(told, [{"user": None, "state": "APPROVED"}]) == Pull(number=7, open=True)
