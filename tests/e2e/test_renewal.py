"""A job that outlives its credentials: AWS refuses those that are over, and the job takes new ones with a new token."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from e2e.harness import Bench, Result, example
from e2e.test_roles import DEPLOY, DRIFT, REVIEW, STACK, Pipelines
from fakes.issuer import Issuer
from stackseal.aws.errors import AwsFailed
from stackseal.aws.session import Aws
from stackseal.world import EMBEDDED, Clock, connector, impatient

pytestmark = pytest.mark.e2e
SESSION = 3_600.0
"""Seconds that STS gives a session."""
STEP = 5_400.0
"""Seconds by which the day moves whenever the job looks at its stop-watch: its session is over then."""


@dataclass
class Time:
    """The time of day for the job, for AWS and for the issuer of tokens. Nobody waits for it: it is moved."""

    ahead: float = 0.0
    happens: Callable[[], bool] = lambda: True
    """Asked before each move, whether there is one."""

    def seconds(self) -> float:
        return time.time() + self.ahead

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds(), UTC)

    def monotonic(self) -> float:
        """A job looks at it when it begins to wait and while it does; here hours have gone since."""
        if self.happens():
            self.ahead += STEP
        return time.monotonic()

    @property
    def clock(self) -> Clock:
        return replace(impatient(), now=self.now, monotonic=self.monotonic)


@pytest.fixture
def day() -> Time:
    return Time()


@pytest.fixture
def pipelines(bench: Bench, day: Time) -> Iterator[Pipelines]:
    """An account that was bootstrapped, and a pull request that was reviewed and merged."""
    with Issuer(REVIEW, day.seconds) as issuer:
        bench.aws.tell_time(day.seconds)
        bench.world = replace(bench.world, clock=day.clock)
        found = Pipelines(bench, issuer)
        found.change(example(), "pr-1")
        reviewed = found.job(REVIEW, "review", "--base", "main", "--plan", "sealed", "--pull-request", "1")
        assert reviewed.code == 0, reviewed.stderr + reviewed.stdout
        found.merge("pr-1")
        yield found


def deployed(pipelines: Pipelines) -> Result:
    return pipelines.job(DEPLOY, "deploy", "--pull-request", "1", "--force", "--format", "json")


def role(pipelines: Pipelines, verb: str) -> str:
    ((_, entry),) = pipelines.accounts.items()
    return str(entry["roles"][verb])


def taken(pipelines: Pipelines, verb: str) -> dict[str, Any]:
    """A session of a role, as somebody takes it who does not renew it."""
    token = pipelines.issuer.token("sts.amazonaws.com")
    sts = pipelines.bench.client("sts").meta
    unsigned = Config(signature_version=UNSIGNED)
    client = boto3.client("sts", region_name=sts.region_name, endpoint_url=sts.endpoint_url, config=unsigned)
    found: dict[str, Any] = client.assume_role_with_web_identity(
        RoleArn=role(pipelines, verb), RoleSessionName="by-hand", WebIdentityToken=token
    )["Credentials"]
    client.close()
    return found


def begun(pipelines: Pipelines) -> bool:
    """Whether CloudFormation has begun to make the stack."""
    stacks = pipelines.client("cloudformation").describe_stacks()["Stacks"]
    return any(stack["StackName"] == STACK and stack["StackStatus"] != "REVIEW_IN_PROGRESS" for stack in stacks)


def test_a_deployment_outlives_its_credentials_many_times(pipelines: Pipelines, day: Time) -> None:
    pipelines.issuer.asked.clear()
    before = day.ahead
    done = deployed(pipelines)
    assert done.code == 0, done.stderr
    assert [item["status"] for item in done.facts["deployments"]] == ["CREATE_COMPLETE"]
    moves = (day.ahead - before) / STEP
    assert moves >= 3
    # Once to begin with, and then for the first call after each move: no session is used when it is over.
    assert 3 <= len(pipelines.issuer.asked) <= 1 + moves
    assert len(set(pipelines.issuer.tokens)) == len(pipelines.issuer.tokens), "each session is taken with a new token"


@pytest.mark.parametrize("at_once", [True, False])
def test_a_job_that_does_not_renew_is_refused_by_aws(pipelines: Pipelines, day: Time, at_once: bool) -> None:
    """The same with a session of the same role in its environment: that is why a job has to renew."""
    pipelines.issuer.job = DEPLOY
    keys = taken(pipelines, "deploy")
    bench, admin = pipelines.bench, pipelines.bench.world
    env = {
        **{key: value for key, value in admin.env.items() if "KEY" not in key and key != EMBEDDED},
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    bench.world = replace(admin, env=env, aws=connector(env))
    if not at_once:
        day.happens = lambda: begun(pipelines)
    try:
        done = bench.run("deploy", "--pull-request", "1", "--force", "--format", "json")
    finally:
        bench.world = admin
    if at_once:
        assert done.code == 3
        assert "the credentials have expired; renew them" in done.stderr
        assert not begun(pipelines)
        return
    assert done.code == 5, "it was begun, and then nobody could ask how it went"
    (row,) = done.facts["deployments"]
    assert (row["outcome"], row["resume"]) == ("unknown", f"stackseal recover {STACK} --region us-west-2")


def test_aws_names_what_is_over_and_so_do_we(pipelines: Pipelines, day: Time) -> None:
    pipelines.issuer.job = DRIFT
    token = pipelines.issuer.token
    anonymous = pipelines.bench.world.aws("", "us-west-2").anonymous()
    stopped = day.now()
    blind = anonymous.assumed(
        role(pipelines, "drift"),
        session_name="blind",
        token=lambda: token("sts.amazonaws.com"),
        now=lambda: stopped,
    )
    client = blind.client("cloudformation", "us-west-2")
    assert client.describe_stacks(StackName=STACK)["Stacks"]
    day.ahead += SESSION - 60
    assert client.describe_stacks(StackName=STACK)["Stacks"]
    day.ahead += 120
    with pytest.raises(client.exceptions.ClientError) as refused:
        client.describe_stacks(StackName=STACK)
    assert refused.value.response["Error"]["Code"] == "ExpiredToken"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    with pytest.raises(AwsFailed, match="the credentials have expired; renew them"):
        blind.account("us-west-2")
    # The same role whose clock goes: it renews by itself.
    awake = anonymous.assumed(
        role(pipelines, "drift"), session_name="awake", token=lambda: token("sts.amazonaws.com"), now=day.now
    )
    client = awake.client("cloudformation", "us-west-2")
    for _ in range(3):
        assert client.describe_stacks(StackName=STACK)["Stacks"]
        day.ahead += SESSION + 1
    assert len({*map(str, pipelines.issuer.tokens)}) >= 4
    for way in (blind, awake, anonymous):
        assert isinstance(way, Aws)
        way.close()


def test_a_renewal_that_aws_refuses_leaves_the_outcome_unknown_and_names_the_way_on(
    pipelines: Pipelines, day: Time
) -> None:
    """Somebody has changed whom the role trusts while the deployment runs."""
    name = role(pipelines, "deploy").rpartition("/")[2]

    def happens() -> bool:
        if not begun(pipelines):
            return False
        nobody = '{"Version": "2012-10-17", "Statement": []}'
        pipelines.client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=nobody)
        return True

    day.happens = happens
    done = deployed(pipelines)
    assert done.code == 5
    (row,) = done.facts["deployments"]
    assert (row["outcome"], row["resume"]) == ("unknown", f"stackseal recover {STACK} --region us-west-2")
