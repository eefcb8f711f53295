"""Tokens: what a job may do is what its `permissions:` say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from github import GithubException, UnknownObjectException

from fakes.github import BOT, GitHubFake, Repository
from unit.fakes.conftest import EVERYTHING, Connect

COMMENT = ("POST", "/repos/acme/infra/issues/{pull}/comments", {"body": "x"})
CASES = [
    (COMMENT, {"pull-requests": "write"}, True),
    (COMMENT, {"issues": "write"}, True),
    (COMMENT, {"pull-requests": "read", "contents": "write"}, False),
    (("POST", "/repos/acme/infra/issues/{issue}/comments", {"body": "x"}), {"pull-requests": "write"}, False),
    (("POST", "/repos/acme/infra/issues", {"title": "x"}), {"issues": "write"}, True),
    (("POST", "/repos/acme/infra/issues", {"title": "x"}), {"pull-requests": "write"}, False),
    (("PATCH", "/repos/acme/infra/issues/{issue}", {"body": "x"}), {"pull-requests": "write"}, False),
    (("GET", "/repos/acme/infra/pulls/{pull}/files", None), {"pull-requests": "read"}, True),
    (("GET", "/repos/acme/infra/pulls/{pull}/files", None), {"contents": "read"}, False),
    (("GET", "/repos/acme/infra/contents/README.md", None), {"contents": "read"}, True),
    (("GET", "/repos/acme/infra/contents/README.md", None), {}, False),
    (("GET", "/repos/acme/infra", None), {}, True),
    (("GET", "/repos/acme/infra/rules/branches/main", None), {}, True),
    (("GET", "/repos/acme/infra/branches/main/protection", None), EVERYTHING, False),
    (("GET", "/user", None), EVERYTHING, False),
    (("POST", "/repos/acme/infra/statuses/{head}", {"state": "success"}), {"statuses": "write"}, True),
    (("POST", "/repos/acme/infra/statuses/{head}", {"state": "success"}), {"checks": "write"}, False),
    (("POST", "/repos/acme/infra/deployments", {"ref": "main"}), {"deployments": "write"}, True),
    (("POST", "/repos/acme/infra/deployments", {"ref": "main"}), {"deployments": "read"}, False),
]


@pytest.mark.parametrize(("ask", "given", "allowed"), CASES)
def test_the_published_table_is_enforced(
    fake: GitHubFake,
    repository: Repository,
    connect: Connect,
    ask: tuple[str, str, object],
    given: dict[str, str],
    allowed: bool,
) -> None:
    head = repository.push("feature", {"a.txt": "1\n"})
    numbers = {"pull": repository.open_pull("feature").number, "issue": repository.open_issue("x").number, "head": head}
    verb, path, body = ask
    requester = connect(permissions=given).requester
    if allowed:
        requester.requestJsonAndCheck(verb, path.format(**numbers), input=body)
        assert fake.violations == []
        return
    with pytest.raises(GithubException) as refused:
        requester.requestJsonAndCheck(verb, path.format(**numbers), input=body)
    assert refused.value.status == 403
    assert refused.value.data["message"] == "Resource not accessible by integration"


def test_the_refusal_names_the_permission(fake: GitHubFake, repository: Repository, connect: Connect) -> None:
    with pytest.raises(GithubException) as refused:
        connect(permissions={}).get_repo("acme/infra").create_issue("x")
    assert (refused.value.headers or {})["x-accepted-github-permissions"] == "issues=write"


def test_a_fork_s_token_reads_only(fake: GitHubFake, repository: Repository) -> None:
    repository.push("feature", {"a.txt": "1\n"})
    number = repository.open_pull("feature").number
    client = fake.client(fake.token(permissions=EVERYTHING, fork=True)).get_repo("acme/infra")
    assert client.get_pull(number).number == number
    with pytest.raises(GithubException) as refused:
        client.get_pull(number).create_issue_comment("x")
    assert refused.value.status == 403


def test_tokens_that_are_no_longer_or_never_were(fake: GitHubFake, repository: Repository) -> None:
    expires = fake.clock.time + timedelta(hours=1)
    client = fake.client(fake.token(permissions={"issues": "write"}, expires=expires))
    assert client.get_repo("acme/infra").name == "infra"
    fake.clock.advance(3600)
    with pytest.raises(GithubException) as old:
        client.get_repo("acme/infra")
    assert (old.value.status, old.value.data["message"]) == (401, "Bad credentials")
    with pytest.raises(GithubException) as unknown:
        fake.client("ghs_unknown").get_repo("acme/infra")
    assert unknown.value.status == 401


def test_a_job_s_token_is_for_its_repository(fake: GitHubFake, repository: Repository) -> None:
    other = fake.repository("acme/other")
    token = fake.token(permissions=EVERYTHING, repository="acme/infra")
    assert fake.client(token).get_repo("acme/other").name == "other"  # public: may be read
    with pytest.raises(UnknownObjectException):
        fake.client(token).requester.requestJsonAndCheck("POST", "/repos/acme/other/issues", input={"title": "x"})
    other.private = True
    with pytest.raises(UnknownObjectException):
        fake.client(token).get_repo("acme/other")


def test_people_are_judged_by_their_role(repository: Repository, connect: Connect) -> None:
    repository.collaborators |= {"writer": "write", "triager": "triage"}
    strange, writer = connect("stranger").get_repo("acme/infra"), connect("writer").get_repo("acme/infra")
    assert [writer.get_collaborator_permission(name) for name in ("writer", "triager", "stranger", "acme")] == [
        "write",
        "read",
        "read",
        "admin",
    ]
    sha = repository.git.resolve("main") or ""
    assert writer.get_commit(sha).create_status("success").creator.login == "writer"
    with pytest.raises(GithubException) as refused:
        strange.get_commit(sha).create_status("success")
    assert refused.value.status == 403
    repository.private = True
    with pytest.raises(UnknownObjectException):
        connect("stranger").get_repo("acme/infra")


def test_one_token_with_the_permissions_of_each_command(fake: GitHubFake, repository: Repository) -> None:
    from github import Auth, Github

    token = fake.token(commands={"(drift)": {"issues": "write"}, "(plan)": {"contents": "read"}})
    refused = []
    for command in ("drift", "plan", "render"):
        with Github(
            auth=Auth.Token(token),
            base_url=fake.url,
            user_agent=f"stackseal/0.1 ({command})",
            seconds_between_requests=None,
            seconds_between_writes=None,
            retry=None,
        ) as client:
            try:
                client.get_repo("acme/infra").create_issue(command)
            except GithubException as error:
                refused.append((command, error.status))
    assert refused == [("plan", 403), ("render", 403)]
    assert [issue.title for issue in repository.issues.values()] == ["drift"]


def test_who_made_which_calls(fake: GitHubFake, repository: Repository) -> None:
    from github import Auth, Github

    token = fake.token(permissions={"issues": "write"})
    for command in ("publish", "drift"):
        with Github(
            auth=Auth.Token(token),
            base_url=fake.url,
            user_agent=f"stackseal/0.1 ({command})",
            seconds_between_requests=None,
            seconds_between_writes=None,
            retry=None,
        ) as client:
            client.get_repo("acme/infra").create_issue(command)
    made = fake.calls_by("(drift)")
    assert [(call.method, call.operation, call.status, call.login) for call in made] == [
        ("GET", "repos/get", 200, BOT),
        ("POST", "issues/create", 201, BOT),
    ]
    assert made[1].body == {"title": "drift"}
