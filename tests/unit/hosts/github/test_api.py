"""GitHub's limits are obeyed by its own clock, writes are never sent twice blindly, refusals are sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from stackseal.errors import Failed, StacksealError, UsageError
from stackseal.hosts.github_api import ATTEMPTS, PATIENCE, Client, Rejected, Unsure, wait
from stackseal.hosts.github_errors import permission
from stackseal.hosts.github_http import GRAPHQL, Lost, PyGithubTransport, Reply
from unit.hosts.github.hub import START, Time

NOW = datetime.fromtimestamp(START, UTC)
OK = Reply(status=200, data={"ok": True})
BAD_GATEWAY = Reply(status=502, data=None)


@dataclass
class Script:
    """A transport that answers what a test says, the last answer again and again; None is a lost connection."""

    replies: list[Reply | None]
    sent: list[tuple[str, str, Mapping[str, str | int], Any]] = field(default_factory=list)

    def send(self, method: str, path: str, query: Mapping[str, str | int], body: Any) -> Reply:
        self.sent.append((method, path, dict(query), body))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if reply is None:
            raise Lost("ConnectionError")
        return reply

    def close(self) -> None:
        self.sent.append(("CLOSE", "", {}, None))


def client(*replies: Reply | None) -> tuple[Client, Script, Time]:
    script, time = Script(list(replies)), Time()
    return Client(script, sleep=time.sleep, now=time.now), script, time


def limited(status: int = 403, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, data={"message": "You have exceeded a secondary rate limit."}, headers=named)


@pytest.mark.parametrize("status", [403, 429])
def test_it_waits_as_long_as_github_says(status: int) -> None:
    github, script, time = client(limited(status, retry_after="17"), OK)
    assert github.get("/x", doing="look") == {"ok": True}
    assert time.slept == [17.0]
    assert len(script.sent) == 2


def test_it_waits_until_the_limit_is_reset_by_githubs_clock() -> None:
    reply = limited(
        x_ratelimit_remaining="0", x_ratelimit_reset=str(int(START) + 90), date="Fri, 15 Jan 2027 08:00:30 GMT"
    )
    github, _, time = client(reply, OK)
    github.get("/x", doing="look")
    assert time.slept == [61.0], "GitHub's clock is thirty seconds ahead of ours; one second for the rounding"


def test_without_a_hint_it_waits_a_minute_then_twice_as_long() -> None:
    github, _, time = client(limited(), limited(), limited(), OK)
    github.get("/x", doing="look")
    assert time.slept == [60.0, 120.0, 240.0]


def test_it_gives_up_with_a_sentence() -> None:
    github, script, time = client(limited(retry_after="1"))
    with pytest.raises(
        Failed, match="GitHub could not write a comment: of the rate limit, after 6 tries; run it again"
    ):
        github.write("POST", "/x", {}, doing="write a comment")
    assert len(script.sent) == ATTEMPTS
    assert sum(time.slept) == ATTEMPTS - 1


def test_it_does_not_wait_for_an_hour() -> None:
    reset = str(int(START) + 3_600)
    github, script, time = client(limited(x_ratelimit_remaining="0", x_ratelimit_reset=reset))
    with pytest.raises(Failed, match="rate limit"):
        github.get("/x", doing="look")
    assert len(script.sent) == 1
    assert sum(time.slept) <= PATIENCE


@pytest.mark.parametrize("lost", [None, BAD_GATEWAY])
def test_a_read_and_an_edit_survive_five_failures_in_a_row(lost: Reply | None) -> None:
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        github, script, time = client(lost, lost, lost, lost, lost, OK)
        assert github.send(method, "/x", doing="do it").data == {"ok": True}
        assert len(script.sent) == 6
        assert time.slept == [1.0, 2.0, 4.0, 8.0, 16.0]


@pytest.mark.parametrize("lost", [None, BAD_GATEWAY])
def test_a_lost_creation_is_unknown_and_not_repeated(lost: Reply | None) -> None:
    github, script, _ = client(lost, OK)
    with pytest.raises(Unsure, match="Nobody knows whether") as caught:
        github.write("POST", "/x", {}, doing="write a comment")
    assert len(script.sent) == 1
    assert caught.value.exit_code == 5


def test_every_page_is_read() -> None:
    more = {"link": '<https://api.github.com/x?page=2>; rel="next", <https://api.github.com/x?page=9>; rel="last"'}
    github, script, _ = client(
        Reply(status=200, data=[{"id": 1}], headers=more),
        Reply(status=200, data=[{"id": 2}], headers=more),
        Reply(status=200, data=[{"id": 3}], headers={"link": '<https://api.github.com/x?page=1>; rel="first"'}),
    )
    assert [item["id"] for item in github.pages("/x", doing="list", state="all")] == [1, 2, 3]
    assert [query for _, _, query, _ in script.sent] == [
        {"state": "all", "per_page": 100, "page": page} for page in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("method", "path", "status", "message", "sentence"),
    [
        (
            "POST",
            "/repos/a/b/issues/7/comments",
            403,
            "Resource not accessible by integration",
            "the token lacks the permission pull-requests: write",
        ),
        (
            "POST",
            "/repos/a/b/issues",
            403,
            "Resource not accessible by integration",
            "the token lacks the permission issues: write",
        ),
        (
            "POST",
            "/repos/a/b/issues",
            403,
            "Resource not accessible by personal access token",
            "give the personal access token that permission",
        ),
        (
            "POST",
            "/repos/a/b/issues",
            403,
            "Must have admin rights to Repository.",
            "Must have admin rights to Repository.; do as GitHub says; the token needs at least issues: write",
        ),
        ("POST", "/repos/a/b/issues", 410, "Issues are disabled for this repo", "issues are disabled"),
        ("GET", "/repos/a/b/pulls/7", 404, "Not Found", "it was not found, or the token cannot see it"),
        ("GET", "/repos/a/b", 401, "Bad credentials", "the token is not valid"),
        (
            "POST",
            "/repos/a/b/issues/7/comments",
            403,
            "Unable to create comment because issue is locked.",
            "the conversation is locked",
        ),
    ],
)
def test_a_refusal_says_what_to_do(method: str, path: str, status: int, message: str, sentence: str) -> None:
    github, script, _ = client(Reply(status=status, data={"message": message}))
    with pytest.raises(Rejected) as caught:
        github.send(method, path, doing="do it")
    assert str(caught.value).startswith("GitHub refused to do it: ")
    assert sentence in str(caught.value)
    assert caught.value.remedy
    assert caught.value.status == status
    assert len(script.sent) == 1


def test_a_validation_error_shows_its_details_on_one_line() -> None:
    errors = [{"resource": "IssueComment", "field": "data", "code": "custom", "message": "Body is\ntoo long"}, "odd"]
    github, _, _ = client(Reply(status=422, data={"message": "Validation Failed", "errors": errors}))
    with pytest.raises(Rejected, match="422 Validation Failed; Body is too long; odd"):
        github.write("POST", "/x", {}, doing="write")


def test_github_itself_names_the_permission_where_it_does() -> None:
    headers = {"x-accepted-github-permissions": "issues=write; pull_requests=write"}
    assert permission("POST", "/anything", headers) == "issues: write or pull-requests: write"
    headers = {"x-accepted-github-permissions": "contents=write,workflows=write; administration=write"}
    assert permission("PUT", "/x", headers) == "contents: write and workflows: write or administration: write"


def test_an_error_of_graphql_is_a_refusal_although_its_status_is_200() -> None:
    answer = {"data": None, "errors": [{"type": "FORBIDDEN", "message": "Resource not accessible by integration"}]}
    github, _, _ = client(Reply(status=200, data=answer))
    with pytest.raises(Rejected, match="pull-requests: read"):
        github.graphql("query { viewer { login } }", {}, doing="ask")


def test_a_graphql_query_is_repeated_because_it_reads() -> None:
    github, script, _ = client(None, Reply(status=200, data={"data": {"x": 1}}))
    assert github.graphql("query { x }", {}, doing="ask") == {"x": 1}
    assert [path for _, path, _, _ in script.sent] == [GRAPHQL, GRAPHQL]


def test_a_query_that_is_never_answered_failed_and_is_not_unknown() -> None:
    github, script, _ = client(None)
    with pytest.raises(Failed, match="GitHub could not ask: the connection was lost, after 6 tries"):
        github.graphql("query { x }", {}, doing="ask")
    assert len(script.sent) == ATTEMPTS


@pytest.mark.parametrize("turn", range(5))
def test_a_wait_is_never_negative(turn: int) -> None:
    past = limited(x_ratelimit_remaining="0", x_ratelimit_reset=str(int(START) - 500))
    assert wait(past, turn, NOW) == 1.0


@pytest.mark.parametrize("url", ["http://github.example.com/api/v3", "ftp://127.0.0.1", "api.github.com"])
def test_a_token_never_travels_unencrypted(url: str) -> None:
    with pytest.raises(UsageError, match="unencrypted"):
        PyGithubTransport("secret", agent="stackseal", url=url)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_every_status_is_an_answer_or_a_sentence(method: str) -> None:
    for status in [200, 201, 202, 204, *range(300, 309), *range(400, 430), 451, *range(500, 512)]:
        for data in (None, {"message": "No."}, {"message": None, "errors": "text"}, [], "text"):
            github, _, _ = client(Reply(status=status, data=data))
            if 200 <= status < 300:
                assert github.send(method, "/repos/a/b/issues", doing="do it").data == data
                continue
            with pytest.raises(StacksealError) as caught:
                github.send(method, "/repos/a/b/issues", doing="do it")
            assert caught.value.why
            assert caught.value.remedy


@pytest.mark.parametrize("data", [None, {"message": "Not what was asked for"}, "text"])
def test_a_list_that_is_none_is_a_sentence(data: object) -> None:
    github, _, _ = client(Reply(status=200, data=data))
    with pytest.raises(Failed, match="its answer is no list"):
        list(github.pages("/x", doing="list"))
