"""The identity of a job, from a server that speaks like GitHub's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fakes.issuer import SECRET, Issuer, Job
from stackseal.errors import Failed
from stackseal.hosts import runner
from stackseal.hosts.github_oidc import ATTEMPTS, badge

JOB = Job(end="pull_request", workflow="stackseal/stackseal/.github/workflows/review.yml@refs/tags/v1")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(JOB) as found:
        yield found


def test_a_new_token_is_fetched_each_time(issuer: Issuer) -> None:
    waits: list[float] = []
    found = badge({**issuer.environ, "GITHUB_RUN_ID": "123", "GITHUB_RUN_ATTEMPT": "2"}, waits.append)
    assert found is not None
    assert found.run == "123-2"
    assert [found.token(), found.token()] == issuer.tokens
    assert len(set(issuer.tokens)) == 2
    assert issuer.asked == ["sts.amazonaws.com"] * 2
    assert waits == []


def test_an_accident_is_tried_again(issuer: Issuer) -> None:
    waits: list[float] = []
    issuer.faults = [(503, b""), (429, b""), (500, b"")]
    found = badge(issuer.environ, waits.append)
    assert found is not None
    assert found.token() == issuer.tokens[0]
    assert waits == [1.0, 2.0, 4.0]


def test_patience_ends(issuer: Issuer) -> None:
    waits: list[float] = []
    issuer.faults = [(503, b"")] * 20
    found = badge(issuer.environ, waits.append)
    assert found is not None
    with pytest.raises(Failed, match=rf"no identity: it answered 503, after {ATTEMPTS} tries; run the job again"):
        found.token()
    assert len(issuer.asked) == ATTEMPTS == len(waits) + 1


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (403, b"no", "it answered 403; .*`id-token: write`"),
        (401, b"", "it answered 401; .*caller"),
        (404, b"", "it answered 404"),
        (200, b"not json", "holds no token"),
        (200, b"", "holds no token"),
        (200, b"{}", "holds no token"),
        (200, b"[]", "holds no token"),
        (200, b"[" * 60_000, "holds no token"),
        (200, b'{"value": ""}', "holds no token"),
        (200, b'{"value": 7}', "holds no token"),
        (200, b'{"value": "one.two"}', "holds no token"),
        (200, b'{"value": "a.b.c\\n::set-env name=X::y"}', "holds no token"),
    ],
)
def test_no_token_is_one_sentence_without_the_secret(issuer: Issuer, status: int, body: bytes, why: str) -> None:
    issuer.faults = [(status, body)]
    found = badge(issuer.environ, lambda _: None)
    assert found is not None
    with pytest.raises(Failed, match=why) as raised:
        found.token()
    assert SECRET not in str(raised.value)
    assert len(issuer.asked) == 1, "what is no accident is not tried again"


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    env = {"ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:1/x", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "s"}
    found = badge(env, lambda _: None)
    assert found is not None
    with pytest.raises(Failed, match="could not be reached"):
        found.token()


def test_the_secret_is_sent_over_https_only() -> None:
    for url in ("http://example.com/x", "file:///etc/passwd", "ftp://x", "http://127.0.0.1.example.com/x"):
        with pytest.raises(Failed, match="not HTTPS"):
            badge({"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "s"}, lambda _: None)


def test_only_a_job_with_the_permission_has_one(issuer: Issuer) -> None:
    def of(env: dict[str, str]) -> object:
        return runner(env).badge(lambda _: None)

    assert of({"GITHUB_ACTIONS": "true"}) is None
    assert of({"GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_URL": "https://x"}) is None
    assert of(issuer.environ) is None, "a laptop has no identity, whatever lies in its environment"
    assert of({"GITHUB_ACTIONS": "true", **issuer.environ}) is not None
    assert [runner(env).identifies for env in ({}, {"GITHUB_ACTIONS": "true"})] == [False, True]
