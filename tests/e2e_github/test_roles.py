"""The real review workflow with nothing but a job's identity: it goes through OIDC to the account's plan role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.harness import ACCOUNT, REGION, STARTER, bench, example
from e2e.test_bootstrap import config
from e2e_github.harness import Hub, hub
from fakes.github.fake import GitHubFake
from fakes.issuer import SECRET, Issuer, Job
from stackseal.cli import connector
from stackseal.local import EmbeddedAws
from stackseal.world import EMBEDDED

pytestmark = pytest.mark.e2e
JOB = Job(end="pull_request", workflow="stackseal/stackseal/.github/workflows/review.yml@refs/tags/v1")
BUCKET = f"stackseal-{ACCOUNT}-{REGION}"


@pytest.fixture
def consumer(tmp_path: Path) -> Iterator[Hub]:
    with GitHubFake(tmp_path / "github") as github:
        yield hub(tmp_path, github)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(JOB) as found:
        yield found


@pytest.fixture
def account(consumer: Hub, issuer: Issuer, tmp_path: Path) -> Iterator[Any]:
    """A bootstrapped account whose roles the consumer's settings name; the administrator's way to it."""
    with EmbeddedAws(account=ACCOUNT, region=REGION) as aws:
        aws.reset()
        (tmp_path / "admin").mkdir()
        with bench(tmp_path / "admin", aws) as admin:
            made = admin.run("bootstrap", config(admin), "--force", "--format", "json")
        assert made.code == 0, made.stderr
        settings = {"version": 1, "configs": "configs", "accounts": made.facts["accounts"]}
        consumer.repository.push("main", {"stackseal.yaml": json.dumps(settings)})
        keyless = {key: value for key, value in aws.environ().items() if "KEY" not in key}
        consumer.env = {**keyless, **issuer.environ}
        yield connector({**aws.environ(), EMBEDDED: "1"})(ACCOUNT, REGION)


def test_the_plan_job_takes_the_plan_role_by_its_identity(consumer: Hub, issuer: Issuer, account: Any) -> None:
    number, event = consumer.pull_request({f"configs/{STARTER}.yaml": example()})
    done = consumer.act("pull_request", "review", event)
    assert done.jobs == dict.fromkeys(("render", "plan", "publish", "scan", "verdict"), "success"), done.log
    assert "sealed at" in consumer.repository.comments_of(number)[0].body
    assert set(issuer.asked) == {"sts.amazonaws.com"}
    assert not [token for token in issuer.tokens if token in done.log]
    # Nobody but the plan role can write a record.
    records = account.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="seals/")["Contents"]
    assert {item["Key"].split("/")[-2] for item in records} == {str(number)}

    issuer.job, asked = replace(JOB, workflow="acme/infra/.github/workflows/own.yml@refs/heads/main"), len(issuer.asked)
    refused = consumer.act("pull_request", "review", event)
    assert refused.jobs["verdict"] == "failure", refused.log
    assert refused.output("verdict") == "blocked"
    assert len(issuer.asked) > asked
    assert "cannot be taken" in consumer.repository.comments_of(number)[0].body
    assert SECRET not in done.log + refused.log
