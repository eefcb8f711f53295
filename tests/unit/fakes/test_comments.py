"""Comments: what the forge's one comment relies on."""

from __future__ import annotations

import pytest
from github import GithubException
from github.Repository import Repository as Client

from fakes.github import BOT, GitHubFake, Repository
from unit.fakes.conftest import Connect


def test_a_comment_is_made_read_edited_and_removed(repository: Repository, job: Client) -> None:
    repository.push("feature", {"a.txt": "1\n"})
    pull = repository.open_pull("feature")
    made = job.get_pull(pull.number).create_issue_comment("first")
    assert (made.body, made.user.login, made.user.id) == ("first", BOT, 41898282)
    made.edit("second")
    (found,) = job.get_issue(pull.number).get_comments()
    assert (found.id, found.body) == (made.id, "second")
    assert found.updated_at > found.created_at
    assert found.html_url.endswith(f"/acme/infra/pull/{pull.number}#issuecomment-{made.id}")
    found.delete()
    assert repository.comments_of(pull.number) == []
    with pytest.raises(GithubException) as gone:
        job.get_issue(pull.number).get_comment(made.id)
    assert gone.value.status == 404


def test_comments_come_in_pages_that_link_to_each_other(fake: GitHubFake, repository: Repository, job: Client) -> None:
    issue = repository.open_issue("many")
    for index in range(65):
        repository.comment(issue.number, f"comment {index}", author="somebody")
    bodies = [comment.body for comment in job.get_issue(issue.number).get_comments()]
    assert bodies == [f"comment {index}" for index in range(65)]
    pages = [call for call in fake.calls if call.operation == "issues/list-comments"]
    assert len(pages) == 3  # 30, 30, 5
    headers, body = job.requester.requestJsonAndCheck(
        "GET", f"/repos/acme/infra/issues/{issue.number}/comments", parameters={"per_page": 1000, "page": 1}
    )
    assert len(body) == 65
    assert "link" not in headers
    headers, body = job.requester.requestJsonAndCheck(
        "GET", f"/repos/acme/infra/issues/{issue.number}/comments", parameters={"per_page": 50}
    )
    assert headers["link"].count(fake.url) == 2
    assert 'rel="next"' in headers["link"]


def test_a_body_over_65536_characters_is_refused_when_it_is_made(repository: Repository, job: Client) -> None:
    number = repository.open_issue("long").number
    issue = job.get_issue(number)
    assert len(issue.create_comment("é" * 65_536).body) == 65_536
    with pytest.raises(GithubException) as refused:
        issue.create_comment("é" * 65_537)
    assert refused.value.status == 422
    assert "maximum is 65536 characters" in refused.value.data["errors"][0]["message"]


def test_an_edit_takes_262144_bytes(repository: Repository, job: Client) -> None:
    issue = repository.open_issue("long")
    comment = job.get_issue(issue.number).create_comment("short")
    comment.edit("x" * 262_144)
    with pytest.raises(GithubException) as refused:
        comment.edit("x" * 262_145)
    assert refused.value.status == 422
    assert len(repository.comments[comment.id].body) == 262_144


def test_jobs_edit_everybody_s_comments_and_strangers_only_their_own(
    repository: Repository, job: Client, connect: Connect
) -> None:
    issue = repository.open_issue("mine")
    theirs = repository.comment(issue.number, "theirs", author="somebody")
    job.get_issue(issue.number).get_comment(theirs.id).edit("forged")
    assert theirs.body == "forged"
    stranger = connect("stranger").get_repo("acme/infra").get_issue(issue.number)
    with pytest.raises(GithubException) as refused:
        stranger.get_comment(theirs.id).edit("mine now")
    assert refused.value.status == 403
    own = stranger.create_comment("hello")
    own.edit("hello again")
    assert repository.comments[own.id].body == "hello again"
    assert own.raw_data["performed_via_github_app"] is None
    assert job.get_issue(issue.number).create_comment("bot").raw_data["performed_via_github_app"]["slug"] == (
        "github-actions"
    )


def test_lists_may_lag(fake: GitHubFake, repository: Repository, job: Client) -> None:
    repository.list_lag = 30
    issue = job.create_issue("new")
    comment = issue.create_comment("new")
    assert list(job.get_issues()) == []
    assert list(issue.get_comments()) == []
    assert job.get_issue(issue.number).get_comment(comment.id).body == "new"
    fake.clock.advance(30)
    assert [entry.number for entry in job.get_issues()] == [issue.number]
    assert [entry.id for entry in issue.get_comments()] == [comment.id]
