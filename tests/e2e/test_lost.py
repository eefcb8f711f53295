"""A connection that is lost during a deployment: nobody knows the outcome, exit 5, and one command finds it out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from e2e.harness import STARTER, Bench, Result, example

pytestmark = pytest.mark.e2e
STACK = f"{STARTER.removesuffix('-s3')}-stack"


def merged(bench: Bench, number: int, text: str | None) -> None:
    """A pull request, reviewed and merged."""
    bench.git("switch", "--quiet", "--create", f"pr-{number}", "main")
    if text is None:
        (bench.folder / "configs" / f"{STARTER}.yaml").unlink()
    else:
        bench.write(text)
    bench.commit(f"Pull request {number}")
    assert not bench.review(number).failures
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", f"pr-{number}")


@contextmanager
def losing(bench: Bench, event: str, operation: str, error: Exception, *, after: str = "") -> Iterator[None]:
    """The connection fails at an operation: always, or only once another one was called."""
    events = bench.client("cloudformation").meta.events
    seen: list[str] = []

    def fail(**_: Any) -> None:
        if not after or seen:
            raise error

    def note(**_: Any) -> None:
        seen.append(after)

    events.register(f"{event}.cloudformation.{operation}", fail)
    if after:
        events.register(f"after-call.cloudformation.{after}", note)
    yield
    events.unregister(f"{event}.cloudformation.{operation}", fail)
    if after:
        events.unregister(f"after-call.cloudformation.{after}", note)


def deployed(bench: Bench, number: int) -> Result:
    return bench.run("deploy", "--pull-request", str(number), "--force", "--format", "json")


def resumed(bench: Bench, lost: Result) -> Result:
    """What the deployment itself said is to be done."""
    assert lost.code == 5, lost.stdout
    (row,) = lost.facts["deployments"]
    assert row["outcome"] == "unknown"
    words = shlex.split(row["resume"])
    assert re.fullmatch(r"stackseal recover [a-z0-9-]+ --region [a-z0-9-]+", row["resume"])
    return bench.run(*words[1:], "--format", "json")


CLOSED = ConnectionClosedError(endpoint_url="https://cloudformation")
TIMEOUT = ReadTimeoutError(endpoint_url="https://cloudformation")
LOSSES: dict[str, Callable[[Bench], Any]] = {
    "while it is followed": lambda bench: losing(
        bench, "before-call", "DescribeStacks", CLOSED, after="ExecuteChangeSet"
    ),
    "while its events are read": lambda bench: losing(
        bench, "before-call", "DescribeStackEvents", CLOSED, after="ExecuteChangeSet"
    ),
    "with the answer to its start": lambda bench: losing(bench, "after-call", "ExecuteChangeSet", TIMEOUT),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_deployment_whose_connection_is_lost_is_unknown_and_recovered(bench: Bench, loss: str) -> None:
    merged(bench, 1, example())
    with LOSSES[loss](bench):
        lost = deployed(bench, 1)
    found = resumed(bench, lost)
    assert found.code == 0, found.stderr
    assert found.facts["status"] == "CREATE_COMPLETE"
    again = deployed(bench, 1)
    assert [row["outcome"] for row in again.facts["deployments"]] == ["unchanged"]


def test_a_start_that_never_arrived_is_unknown_too_and_recover_says_so(bench: Bench) -> None:
    merged(bench, 1, example())
    with losing(bench, "before-call", "ExecuteChangeSet", TIMEOUT):
        lost = deployed(bench, 1)
    found = resumed(bench, lost)
    assert found.code == 3
    assert found.facts["status"] == "REVIEW_IN_PROGRESS"
    assert "nothing was deployed" in found.facts["remedy"]
    assert deployed(bench, 1).code == 0


@pytest.mark.parametrize(
    ("event", "operation"), [("after-call", "DeleteStack"), ("before-call", "DescribeStackEvents")]
)
def test_a_deletion_whose_connection_is_lost_is_unknown_and_recovered(bench: Bench, event: str, operation: str) -> None:
    merged(bench, 1, example())
    assert deployed(bench, 1).code == 0
    merged(bench, 2, None)
    after = "" if operation == "DeleteStack" else "DeleteStack"
    with losing(bench, event, operation, TIMEOUT, after=after):
        lost = deployed(bench, 2)
    found = resumed(bench, lost)
    # It is gone, or it is still going and is followed to its end.
    assert found.code == 0 or "There is no stack" in found.stderr
    assert bench.run("recover", STACK, "--region", "us-west-2").code == 2
    assert deployed(bench, 2).facts["deployments"][0]["outcome"] == "deleted"
