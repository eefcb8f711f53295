"""GraphQL, and what GITHUB_EVENT_PATH holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from github import GithubException

from fakes.github import BOT, GitHubFake, Repository
from fakes.github.git import ZEROS
from stackseal.hosts.event import Mode, parse
from unit.fakes.conftest import Connect

DECISION = """
query($number: Int!) {
  repository(owner: "acme", name: "infra") {
    pullRequest(number: $number) {
      reviewDecision
      latestOpinionatedReviews(first: 10) { nodes { state author { login } authorCanPushToRepository } }
      reviewRequests(first: 10) { nodes { asCodeOwner requestedReviewer { ... on User { login } } } }
    }
  }
}"""
MINIMIZE = """
mutation($id: ID!) {
  minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) { minimizedComment { isMinimized minimizedReason } }
}"""


def ask(client: Any, query: str, **variables: object) -> Any:
    return client.requester.graphql_query(query, variables)[1]["data"]


def test_the_review_decision(repository: Repository, connect: Connect) -> None:
    repository.push("feature", {"a.txt": "1\n"})
    number = repository.open_pull("feature", author="author").number
    client = connect(permissions={"pull-requests": "read"})

    def decision() -> Any:
        return ask(client, DECISION, number=number)["repository"]["pullRequest"]["reviewDecision"]

    assert decision() is None  # nothing is required
    repository.collaborators |= {"owner": "write", "other": "write"}
    repository.required_approvals = 1
    assert decision() == "REVIEW_REQUIRED"
    repository.review(number, "APPROVED", author="stranger")
    assert decision() == "REVIEW_REQUIRED"  # may not push
    repository.review(number, "APPROVED", author="other")
    assert decision() == "APPROVED"
    repository.code_owners = ("owner",)
    assert decision() == "REVIEW_REQUIRED"
    repository.review(number, "CHANGES_REQUESTED", author="owner")
    assert decision() == "CHANGES_REQUESTED"
    repository.review(number, "COMMENTED", author="owner")
    assert decision() == "CHANGES_REQUESTED"  # a remark takes nothing back
    repository.review(number, "APPROVED", author="owner")
    found = ask(client, DECISION, number=number)["repository"]["pullRequest"]
    assert found["reviewDecision"] == "APPROVED"
    assert [(node["author"]["login"], node["state"]) for node in found["latestOpinionatedReviews"]["nodes"]] == [
        ("other", "APPROVED"),
        ("owner", "APPROVED"),
    ]


def test_code_owners_are_asked(repository: Repository, connect: Connect) -> None:
    repository.code_owners = ("owner",)
    repository.push("feature", {"a.txt": "1\n"})
    number = repository.open_pull("feature").number
    client = connect(permissions={"pull-requests": "read"})
    found = ask(client, DECISION, number=number)["repository"]["pullRequest"]["reviewRequests"]["nodes"]
    assert found == [{"asCodeOwner": True, "requestedReviewer": {"login": "owner"}}]


def test_a_comment_is_minimised(repository: Repository, connect: Connect) -> None:
    comment = repository.comment(repository.open_issue("x").number, "old", author=BOT)
    client = connect(permissions={"pull-requests": "write"})
    found = ask(client, MINIMIZE, id=f"IC_{comment.id}")["minimizeComment"]["minimizedComment"]
    assert found == {"isMinimized": True, "minimizedReason": "outdated"}
    assert comment.minimized == "outdated"
    with pytest.raises(GithubException):
        ask(connect(permissions={"pull-requests": "read"}), MINIMIZE, id=f"IC_{comment.id}")


def test_the_viewer_of_a_job_has_its_suffix_and_the_author_has_not(repository: Repository, connect: Connect) -> None:
    comment = repository.comment(repository.open_issue("x").number, "old", author=BOT)
    query = "query($id: ID!) { viewer { login } node(id: $id) { ... on IssueComment { author { login } } } }"
    found = ask(connect(), query, id=f"IC_{comment.id}")
    assert (found["viewer"]["login"], found["node"]["author"]["login"]) == (BOT, "github-actions")


@pytest.mark.parametrize(
    "query",
    [
        "{ viewer { name } }",
        'mutation { minimizeComment(input: {subjectId: "x", classifier: OLD}) { clientMutationId } }',
        '{ repository(owner: "acme") { id } }',
        "{ viewer",
    ],
)
def test_a_wrong_query(fake: GitHubFake, repository: Repository, connect: Connect, query: str) -> None:
    with pytest.raises(GithubException):
        ask(connect(), query)
    assert fake.defects == []
    assert len(fake.violations) == 1


def test_a_job_without_the_permission_is_told_nothing(repository: Repository, connect: Connect) -> None:
    repository.push("feature", {"a.txt": "1\n"})
    number = repository.open_pull("feature").number
    with pytest.raises(GithubException) as refused:
        ask(connect(permissions={"issues": "read"}), DECISION, number=number)
    assert "Resource not accessible by integration" in str(refused.value.data)


def test_what_is_not_there(repository: Repository, connect: Connect) -> None:
    with pytest.raises(GithubException) as missing:
        ask(connect(), DECISION, number=99)
    assert "Could not resolve to a PullRequest with the number of 99." in str(missing.value.data)


def test_pull_request_events_are_read_by_the_product(fake: GitHubFake, repository: Repository) -> None:
    before = repository.push("feature", {"a.txt": "1\n"})
    number = repository.open_pull("feature", author="author", draft=True).number
    opened = parse("pull_request", fake.events.pull_request(repository, number))
    assert (opened.mode, opened.pull_request, opened.head, opened.draft, opened.fork) == (
        Mode.REVIEW,
        number,
        before,
        True,
        False,
    )
    after = repository.push("feature", {"a.txt": "2\n"})
    payload = fake.events.pull_request(repository, number, "synchronize", before=before)
    assert (payload["before"], payload["after"], payload["sender"]["login"]) == (before, after, "author")
    assert parse("pull_request", payload).head == after
    repository.merge(number)
    closed = parse("pull_request", fake.events.pull_request(repository, number, "closed"))
    assert (closed.mode, closed.merged) == (Mode.CLEANUP, True)
    fork = repository.fork("stranger")
    fork.push("feature", {"b.txt": "1\n"})
    foreign = repository.open_pull("feature", source=fork, author="stranger").number
    assert parse("pull_request", fake.events.pull_request(repository, foreign)).fork


def test_the_other_events_are_read_by_the_product(fake: GitHubFake, repository: Repository, tmp_path: Path) -> None:
    before = repository.git.resolve("main") or ""
    after = repository.push("main", {"a.txt": "1\n"})
    pushed = fake.events.push(repository, after, before=before)
    assert [commit["added"] for commit in pushed["commits"]] == [["a.txt"]]
    found = parse("push", pushed)
    assert (found.mode, found.head, found.base) == (Mode.DEPLOY, after, before)
    assert parse("push", fake.events.push(repository, after)).base is None
    assert fake.events.push(repository, after)["before"] == ZEROS
    assert parse("schedule", fake.events.schedule(repository)).mode is Mode.DRIFT
    assert (
        parse("workflow_dispatch", fake.events.workflow_dispatch(repository, {"pull-request": "7"})).mode is Mode.MANUAL
    )
    repository.push("feature", {"b.txt": "1\n"})
    payload = fake.events.merge_group(repository, repository.open_pull("feature").number)
    queued = parse("merge_group", payload)
    assert (queued.mode, queued.base) == (Mode.QUEUE, after)
    assert repository.git.commit(queued.head or "").parents[0] == after
    assert repository.git.resolve(payload["merge_group"]["head_ref"]) == queued.head
    path = tmp_path / "event.json"
    path.write_text(json.dumps(payload), encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == payload
