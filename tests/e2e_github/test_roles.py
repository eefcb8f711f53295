"""The real workflows with nothing but a job's identity: it goes through OIDC to the role that it has in the account.

Every stack has an execution role of its own there, so that a deployment can be done in two parts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.harness import ACCOUNT, REGION, STARTER, bench, example
from e2e.test_bootstrap import config
from e2e_github.facts import measured
from e2e_github.harness import Hub, hub
from fakes.github.fake import GitHubFake
from fakes.issuer import SECRET, Issuer, Job
from stackseal import assets, naming
from stackseal.cli import connector
from stackseal.local import EmbeddedAws
from stackseal.model import StackId
from stackseal.world import EMBEDDED

pytestmark = pytest.mark.e2e
REVIEW = Job(end="pull_request", workflow="stackseal/stackseal/.github/workflows/review.yml@refs/tags/v1")
DEPLOY = Job(end="environment:prod", workflow="stackseal/stackseal/.github/workflows/deploy.yml@refs/tags/v1")
BUCKET = f"stackseal-{ACCOUNT}-{REGION}"
BOOTSTRAP = f"{BUCKET}-bootstrap-managed"
STACK = StackId(account=ACCOUNT, region=REGION, name=f"{STARTER.removesuffix('-s3')}-stack")
ROLES = naming.roles_stack(STACK).name


@pytest.fixture
def consumer(tmp_path: Path) -> Iterator[Hub]:
    with GitHubFake(tmp_path / "github") as github:
        yield hub(tmp_path, github)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(REVIEW) as found:
        yield found


@pytest.fixture
def account(consumer: Hub, issuer: Issuer, tmp_path: Path) -> Iterator[Any]:
    """A bootstrapped account whose roles the consumer's settings name; the administrator's way to it."""
    with EmbeddedAws(account=ACCOUNT, region=REGION) as aws:
        aws.reset()
        (tmp_path / "admin").mkdir()
        with bench(tmp_path / "admin", aws) as admin:
            made = admin.run("bootstrap", config(admin, BOOTSTRAP), "--force", "--format", "json")
        assert made.code == 0, made.stderr
        settings = {"version": 1, "configs": "configs", "accounts": made.facts["accounts"]}
        text = (assets.PRODUCTS / "bootstrap" / "examples" / f"{BOOTSTRAP}.yaml").read_text(encoding="utf-8")
        consumer.repository.push("main", {"stackseal.yaml": json.dumps(settings), f"configs/{BOOTSTRAP}.yaml": text})
        keyless = {key: value for key, value in aws.environ().items() if "KEY" not in key}
        consumer.env = {**keyless, **issuer.environ}
        yield connector({**aws.environ(), EMBEDDED: "1"})(ACCOUNT, REGION)


def test_each_job_takes_the_role_of_its_verb_by_its_identity(consumer: Hub, issuer: Issuer, account: Any) -> None:
    before = consumer.repository.git.resolve("refs/heads/main")
    assert before
    number = is_reviewed(consumer, issuer, account)
    consumer.merge(number)
    is_deployed_in_two_parts(consumer, issuer, account, {"base": before, "pull-request": str(number)})


def is_reviewed(consumer: Hub, issuer: Issuer, account: Any) -> int:
    """By a job of the workflow that the plan role trusts; by one of another workflow it is not."""
    number, event = consumer.pull_request({f"configs/{STARTER}.yaml": example()})
    done = consumer.act("pull_request", "review", event)
    assert done.jobs == dict.fromkeys(("render", "plan", "publish", "scan", "verdict"), "success"), done.log
    assert "sealed at" in consumer.repository.comments_of(number)[0].body
    assert set(issuer.asked) == {"sts.amazonaws.com"}
    assert not [token for token in issuer.tokens if token in done.log]
    # Nobody but the plan role can write a record.
    records = account.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="seals/")["Contents"]
    assert {item["Key"].split("/")[-2] for item in records} == {str(number)}

    own = "acme/infra/.github/workflows/own.yml@refs/heads/main"
    issuer.job, asked = replace(REVIEW, workflow=own), len(issuer.asked)
    refused = consumer.act("pull_request", "review", event)
    assert refused.jobs["verdict"] == "failure", refused.log
    assert refused.output("verdict") == "blocked"
    assert len(issuer.asked) > asked
    assert "cannot be taken" in consumer.repository.comments_of(number)[0].body
    assert SECRET not in done.log + refused.log
    return number


def is_deployed_in_two_parts(consumer: Hub, issuer: Issuer, account: Any, inputs: dict[str, str]) -> None:
    """`only: roles` makes the stack's role and names nothing else; `only: stacks` makes the stack with it."""
    issuer.job = DEPLOY
    asked = "      only:\n        required: false\n        type: string\n"
    consumer.use(
        "deploy",
        {
            "\n\npermissions: {}\n": f"\n{asked}\npermissions: {{}}\n",
            "unsealed: false\n": "unsealed: false\n      only: ${{ inputs.only }}\n",
        },
    )
    cloud, made = account.client("cloudformation"), {}
    for only, name, other in (("roles", ROLES, STACK.name), ("stacks", STACK.name, ROLES)):
        event = consumer.github.events.workflow_dispatch(
            consumer.repository, {**inputs, "only": only}, workflow="stackseal-deploy.yml"
        )
        done = consumer.act("workflow_dispatch", "deploy", event)
        assert done.jobs == {"deploy": "success"}, done.log
        (row,) = json.loads(done.output("deployments"))
        assert row == {"stack": name, "outcome": "created", "status": "CREATE_COMPLETE"}
        assert f"`{name}`" in done.summary
        assert f"`{other}`" not in done.summary
        assert SECRET not in done.log
        standing = {each["StackName"] for each in cloud.describe_stacks()["Stacks"]}
        assert (STACK.name in standing) is (only == "stacks")
        made[only] = row["stack"]
    (stack,) = cloud.describe_stacks(StackName=STACK.name)["Stacks"]
    assert stack["RoleARN"] == naming.role_arn(STACK)
    measured(deployed_by_only_roles=made["roles"], deployed_by_only_stacks=made["stacks"])
