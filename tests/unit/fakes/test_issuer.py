"""The fake issuer gives what GitHub's does, to whoever holds the job's secret."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from fakes.issuer import ISSUER, LIFE, SECRET, Issuer, Job
from stackseal.local.ministack.web_identity import decoded

REVIEW = "stackseal/stackseal/.github/workflows/review.yml@refs/tags/v1"
JOB = Job(end="pull_request", workflow=REVIEW)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(JOB) as found:
        yield found


def ask(issuer: Issuer, *, audience: str = "&audience=x", secret: str = SECRET) -> bytes:
    url = issuer.environ["ACTIONS_ID_TOKEN_REQUEST_URL"] + audience
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {secret}"})  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - loopback
        found: bytes = answer.read()
    return found


def test_a_token_says_who_the_job_is(issuer: Issuer) -> None:
    answer = json.loads(ask(issuer))
    assert answer["count"] == len(answer["value"])
    claims = decoded(answer["value"])
    assert claims is not None
    assert claims["iss"] == ISSUER
    assert claims["aud"] == "x"
    assert claims["sub"] == "repo:techcorp/ml-infrastructure:pull_request"
    assert claims["job_workflow_ref"] == REVIEW
    assert 0 <= claims["iat"] - time.time() + 10 <= 10
    assert claims["exp"] - claims["iat"] == LIFE
    assert issuer.asked == ["x"]
    assert issuer.tokens == [answer["value"]]


def test_ids_and_environments_are_told_as_github_tells_them() -> None:
    claims = Job(end="environment:prod", workflow=REVIEW, immutable=True).claims()
    assert claims["sub"] == "repo:techcorp@1000001/ml-infrastructure@2000001:environment:prod"
    assert claims["environment"] == "prod"
    assert "environment" not in JOB.claims()


def test_two_tokens_differ(issuer: Issuer) -> None:
    assert ask(issuer) != ask(issuer)


@pytest.mark.parametrize(
    ("audience", "secret", "status"), [("", SECRET, 400), ("&audience=x", "wrong", 401), ("&audience=x", "", 401)]
)
def test_others_get_nothing(issuer: Issuer, audience: str, secret: str, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        ask(issuer, audience=audience, secret=secret)
    assert raised.value.code == status
    raised.value.close()
    assert issuer.tokens == []


def test_a_fault_is_answered_once(issuer: Issuer) -> None:
    issuer.faults.append((503, b"busy"))
    with pytest.raises(urllib.error.HTTPError) as raised:
        ask(issuer)
    assert raised.value.code == 503
    raised.value.close()
    assert ask(issuer)
