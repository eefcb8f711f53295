"""Issues and labels: what drift issues rely on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from github import GithubException
from github.Repository import Repository as Client

from fakes.github import BOT, GitHubFake, Repository
from unit.fakes.conftest import Connect


def test_the_life_of_an_issue(repository: Repository, job: Client) -> None:
    issue = job.create_issue("drift", body="found", labels=["stackseal-drift"])
    assert (issue.number, issue.user.login, [label.name for label in issue.labels]) == (1, BOT, ["stackseal-drift"])
    issue.edit(body="still there", title="drift!")
    issue.edit(state="closed", state_reason="not_planned")
    closed = job.get_issue(1)
    assert (closed.state, closed.state_reason, closed.body) == ("closed", "not_planned", "still there")
    assert closed.closed_by is not None
    assert closed.closed_by.login == BOT
    closed.edit(state="open")
    again = job.get_issue(1)
    assert (again.state, again.state_reason) == ("open", "reopened")
    assert repository.issues[1].closed is None
    again.edit(state="closed", state_reason="duplicate")
    assert repository.issues[1].reason == "duplicate"


def test_lists_are_filtered(fake: GitHubFake, repository: Repository, job: Client) -> None:
    repository.push("feature", {"a.txt": "1\n"})
    repository.open_issue("one", labels=("a", "b"))
    repository.open_issue("two", labels=("a",), author=BOT)
    repository.open_pull("feature", title="three")
    repository.close_issue(1)

    def numbers(**query: object) -> list[int]:
        return [issue.number for issue in job.get_issues(**query)]  # type: ignore[arg-type]  # a table of queries

    assert numbers() == [3, 2]
    assert numbers(state="all") == [3, 2, 1]
    assert numbers(state="closed") == [1]
    assert numbers(state="all", labels=["A", "b"]) == [1]
    assert numbers(state="all", creator=BOT) == [2]
    assert numbers(state="all", direction="asc") == [1, 2, 3]
    assert numbers(state="all", since=datetime(2027, 1, 1, tzinfo=UTC)) == []
    assert [issue.pull_request is not None for issue in job.get_issues()] == [True, False]


def test_1000_issues_are_listed_by_pages_of_100(fake: GitHubFake, repository: Repository, connect: Connect) -> None:
    for index in range(250):
        repository.open_issue(f"issue {index}")
    client = connect()
    client.per_page = 100
    assert len(list(client.get_repo("acme/infra").get_issues())) == 250
    assert sum(call.operation == "issues/list-for-repo" for call in fake.calls) == 3


def test_a_label_exists_once(repository: Repository, job: Client) -> None:
    job.create_label("stackseal-drift", "d73a4a", "Drift")
    for name in ("stackseal-drift", "Stackseal-Drift"):
        with pytest.raises(GithubException) as refused:
            job.create_label(name, "000000")
        assert refused.value.status == 422
        assert refused.value.data["errors"] == [{"resource": "Label", "code": "already_exists", "field": "name"}]
    assert [label.name for label in job.get_labels()] == ["stackseal-drift"]
    assert job.get_label("stackseal-drift").color == "d73a4a"


def test_labels_of_an_issue(repository: Repository, job: Client) -> None:
    number = repository.open_issue("labelled").number
    issue = job.get_issue(number)
    issue.add_to_labels("a", "b")  # PyGithub sends a bare array: waiver "bare-label-array"
    issue.remove_from_labels("a")
    issue.set_labels("b", "c")
    assert [label.name for label in issue.get_labels()] == ["b", "c"]
    with pytest.raises(GithubException) as refused:
        issue.remove_from_labels("a")
    assert refused.value.status == 404
    with pytest.raises(GithubException) as long:
        issue.add_to_labels("x" * 51)
    assert long.value.status == 422


def test_labels_and_assignees_are_dropped_in_silence(repository: Repository, job: Client, connect: Connect) -> None:
    made = connect("stranger").get_repo("acme/infra").create_issue("one", labels=["a"], assignees=["acme"])
    assert (made.labels, made.assignees) == ([], [])
    repository.drop_labels = True
    assert job.create_issue("two", labels=["a"]).labels == []
    repository.drop_labels = False
    assert [user.login for user in job.create_issue("three", assignees=["acme", "stranger"]).assignees] == ["acme"]


def test_an_issue_body_that_is_too_long(repository: Repository, job: Client) -> None:
    with pytest.raises(GithubException) as refused:
        job.create_issue("long", body="x" * 65_537)
    assert refused.value.status == 422
    issue = job.create_issue("long", body="short")
    issue.edit(body="x" * 262_144)  # an update takes more than a creation
    issue.edit(body="y" * 262_145)  # answered with 200
    assert repository.issues[issue.number].body == "x" * 262_144
    assert issue.body == "x" * 262_144
    repository.silent_body_limit = False
    with pytest.raises(GithubException) as loud:
        issue.edit(body="y" * 262_145)
    assert loud.value.status == 422


def test_a_repository_without_issues(repository: Repository, job: Client) -> None:
    repository.push("feature", {"a.txt": "1\n"})
    pull = repository.open_pull("feature")
    repository.has_issues = False
    for ask in (lambda: job.create_issue("x"), lambda: list(job.get_issues())):
        with pytest.raises(GithubException) as gone:
            ask()
        assert gone.value.status == 410
    assert job.get_pull(pull.number).create_issue_comment("still possible").body == "still possible"


def test_titles_have_a_limit(job: Client) -> None:
    assert job.create_issue("x" * 256).number == 1
    with pytest.raises(GithubException) as refused:
        job.create_issue("x" * 257)
    assert refused.value.status == 422
