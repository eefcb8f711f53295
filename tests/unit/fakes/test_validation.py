"""Requests and replies against GitHub's description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from github import GithubException
from github.Repository import Repository as Client

from fakes.github import FakeDefect, GitHubFake, Reply, Repository
from fakes.github.description import VERSIONS, description, permissions
from fakes.github.resources import HANDLERS
from fakes.github.validate import WAIVERS, Validator

HEAD = "a" * 40
ANNOTATION = {"path": "a.yaml", "start_line": 1, "end_line": 1, "annotation_level": "warning", "message": "m"}


def check(**changes: Any) -> dict[str, Any]:
    return {
        "name": "x",
        "head_sha": HEAD,
        "output": {"title": "t", "summary": "s", "annotations": [ANNOTATION]},
    } | changes


def output(*annotations: dict[str, Any]) -> dict[str, Any]:
    return {"title": "t", "summary": "s", "annotations": list(annotations)}


@pytest.mark.parametrize(
    ("verb", "path", "body", "word"),
    [
        ("POST", "/issues/1/comments", {"text": "x"}, "'text' was unexpected"),
        ("POST", "/issues/1/comments", {}, "'body' is a required property"),
        ("POST", "/issues/1/comments", None, "body: it is required"),
        ("POST", "/issues/1/comments", {"body": 1}, "1 is not of type 'string'"),
        ("POST", "/issues", {"title": "x", "label": ["a"]}, "'label' was unexpected"),
        ("PATCH", "/issues/1", {"state_reason": "wontfix"}, "is not one of"),
        ("POST", "/check-runs", check(conclusion="failed"), "'failed' is not one of"),
        ("POST", "/check-runs", check(status="done"), "'done' is not one of"),
        ("POST", "/check-runs", check(output=output(*[ANNOTATION] * 51)), "is too long"),
        (
            "POST",
            "/check-runs",
            check(output=output({**ANNOTATION, "annotation_level": "warn"})),
            "'warn' is not one of",
        ),
        ("POST", "/check-runs", check(output=output({"path": "a"})), "'end_line' is a required property"),
        ("POST", f"/statuses/{HEAD}", {"state": "ok"}, "'ok' is not one of"),
        ("POST", "/code-scanning/sarifs", {"commit_sha": "abc", "ref": "refs/heads/main", "sarif": "x"}, "commit_sha"),
        ("POST", "/deployments/1/statuses", {"state": "done"}, "'done' is not one of"),
        (
            "POST",
            "/actions/workflows/a.yml/dispatches",
            {"ref": "main", "inputs": {str(n): n for n in range(26)}},
            "inputs",
        ),
        ("GET", "/issues?label=a", None, "unknown parameter 'label'"),
        ("GET", "/issues?state=any", None, "'any' is not one of"),
        ("GET", "/issues?since=yesterday", None, "'yesterday' is not a 'date-time'"),
        ("GET", "/issues/one", None, "'one' is not of type 'integer'"),
        ("DELETE", "/issues/comments/1", {"body": "x"}, "the operation takes none"),
    ],
)
def test_a_wrong_request_is_refused_and_remembered(
    fake: GitHubFake, job: Client, verb: str, path: str, body: Any, word: str
) -> None:
    with pytest.raises(GithubException) as refused:
        job.requester.requestJsonAndCheck(verb, f"/repos/acme/infra{path}", input=body)
    assert refused.value.status == 422
    assert refused.value.data["message"].startswith("Invalid request.")
    assert any(word in text for text in fake.violations), fake.violations


def test_a_route_that_does_not_exist_is_a_violation(fake: GitHubFake, job: Client) -> None:
    for path in ("/repos/acme/infra/issue", "/search/issues?q=drift"):
        with pytest.raises(GithubException) as refused:
            job.requester.requestJsonAndCheck("GET", path)
        assert refused.value.status == 404
    assert fake.violations == [
        "GET /repos/acme/infra/issue: there is no such route",
        "GET /search/issues: there is no such route",
    ]


def test_text_that_is_no_json(fake: GitHubFake, job: Client) -> None:
    import urllib.error
    import urllib.request

    token = fake.token(permissions={"issues": "write"})
    request = urllib.request.Request(  # noqa: S310 - the fake's own address
        f"{fake.url}/repos/acme/infra/issues", data=b"{", headers={"Authorization": f"Bearer {token}"}, method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)  # noqa: S310 - as above
    with refused.value as error:
        assert error.code == 422
    assert "issues/create: body: Problems parsing JSON" in fake.violations


def test_a_good_request_is_no_violation(fake: GitHubFake, repository: Repository, job: Client) -> None:
    job.create_issue("x", labels=["a"]).add_to_labels("b")
    assert fake.violations == []
    assert fake.defects == []


def test_a_reply_that_github_would_not_give_fails_the_test(tmp_path: Path) -> None:
    with pytest.raises(FakeDefect, match="issues/get-comment 200: created_at"):
        _ask_for_a_broken_comment(tmp_path)


def _ask_for_a_broken_comment(folder: Path) -> None:
    with GitHubFake(folder) as fake:
        repository = fake.repository("acme/infra")
        comment = repository.comment(repository.open_issue("x").number, "y")
        comment.created = "yesterday"  # what a handler that goes wrong would leave
        client = fake.client(fake.token(permissions={"issues": "read"}))
        client.requester.requestJsonAndCheck("GET", f"/repos/acme/infra/issues/comments/{comment.id}")
        assert len(fake.defects) == 1


def test_every_operation_has_a_handler_and_a_permission() -> None:
    for version in VERSIONS:
        assert {route.operation for route in description(version).routes} == HANDLERS.keys()
    assert HANDLERS.keys() - permissions().keys() == {"users/get-authenticated"}  # nothing gives it to a job


def test_the_checker_itself() -> None:
    known = description(VERSIONS[0])
    checker = Validator(known)
    route = next(route for route in known.routes if route.operation == "issues/get-comment")
    assert checker.reply(route, 200, {"id": 1}) != []
    listing = next(route for route in known.routes if route.operation == "issues/list-labels-for-repo")
    label = {
        "id": 1,
        "node_id": "L",
        "url": "https://x",
        "name": "a",
        "description": None,
        "color": "0",
        "default": False,
    }
    for _ in range(2):  # what was found good is remembered, what was not is found again
        assert checker.reply(listing, 200, [label, label | {"id": "1"}]) == ["1/id: '1' is not of type 'integer'"]
        assert checker.reply(listing, 200, {}) != []
    assert checker.reply(route, 418, {}) == ["status 418 is not documented"]
    assert checker.reply(route, 503, {"message": "any operation may answer it"}) == []
    delete = next(route for route in known.routes if route.operation == "issues/delete-comment")
    assert checker.reply(delete, 204, {}) == ["status 204 is documented without a body"]
    assert Reply(status=204).body is None
    assert {"bare-label-array", "discriminator", "label-description", "nullable-enum"} <= WAIVERS.keys()
