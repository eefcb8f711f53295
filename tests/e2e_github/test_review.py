"""The real workflows, run by act from a consumer's repository: a review, the deployment of what it sealed, drift."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.harness import ACCOUNT, REGION, STARTER, example
from e2e_github.harness import Hub, hub
from stackseal.cli import connector
from stackseal.local import EmbeddedAws
from stackseal.model import canonical_json, sha256
from stackseal.world import EMBEDDED

pytestmark = pytest.mark.e2e
CONFIG = f"configs/{STARTER}.yaml"
BUCKET = "stackseal-artifacts"
SETTINGS = f'version: 1\nconfigs: configs\naccounts:\n  "{ACCOUNT}":\n    artifact_bucket: {BUCKET}\n'


@pytest.fixture
def consumer(tmp_path: Path) -> Hub:
    return hub(tmp_path)


@pytest.fixture
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(account=ACCOUNT, region=REGION) as running:
        running.reset()
        yield running


def test_what_a_review_sealed_is_deployed_and_watched(consumer: Hub, aws: EmbeddedAws) -> None:
    consumer.env = {**aws.environ(), EMBEDDED: "1"}
    session = connector(consumer.env)(ACCOUNT, REGION)
    location = {"LocationConstraint": REGION}
    session.client("s3", REGION).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
    cfn = session.client("cloudformation", REGION)
    base = consumer.commit({"stackseal.yaml": SETTINGS}, "Name the bucket")
    consumer.git("push", "--quiet", "origin", "main")

    reviewed = consumer.act("pull_request", "review", consumer.pull_request(7, {CONFIG: example()}))
    assert reviewed.jobs == dict.fromkeys(("render", "plan", "publish", "verdict"), "success"), reviewed.log
    assert reviewed.output("verdict") == "needs a human"
    # render had the merge commit, plan the base, publish and verdict nothing.
    (render, plan) = consumer.checkouts
    assert render[:2] == ["render", "refs/pull/7/merge"]
    assert plan == ["plan", base, base]
    assert "ArtifactsBucket" in reviewed.summary
    assert "sealed at" in reviewed.summary
    assert sorted(path.name for path in consumer.artifacts.iterdir()) == [
        "stackseal-bundle-review",
        "stackseal-report-review",
        "stackseal-review-review",
    ]
    report = json.loads((consumer.artifacts / "stackseal-report-review" / "report.json").read_text())
    (stack,) = report["stacks"]
    name = stack["id"]["name"]
    assert stack["plan"]["seal"]
    (change_set,) = cfn.list_change_sets(StackName=name)["Summaries"]
    assert change_set["ChangeSetName"].startswith("seal-pr7-")
    assert change_set["ExecutionStatus"] == "AVAILABLE"
    assert cfn.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert reviewed.output("exit-code") == "0"

    before = consumer.merge(7)["before"]
    given = {"inputs": {"base": before, "pull-request": "7"}, "ref": "refs/heads/main"}
    deployed = consumer.act("workflow_dispatch", "deploy", given)
    assert deployed.jobs == {"deploy": "success"}, deployed.log
    row = {"stack": name, "outcome": "created", "status": "CREATE_COMPLETE"}
    assert json.loads(deployed.output("deployments")) == [row]
    live = cfn.get_template(StackName=name)["TemplateBody"]
    assert sha256(canonical_json(json.loads(live) if isinstance(live, str) else live)) == stack["template_sha256"]

    watched = consumer.act("schedule", "drift", {"schedule": "17 5 * * *"})
    assert watched.jobs == {"drift": "success"}, watched.log
    assert json.loads(watched.output("drifted")) == []
    assert json.loads(watched.output("stacks")) == [name]


def test_a_fork_is_reviewed_without_any_credential(consumer: Hub) -> None:
    done = consumer.act("pull_request", "review", consumer.pull_request(8, {CONFIG: example()}, fork=True))
    assert done.jobs == dict.fromkeys(("render", "predict", "publish", "verdict"), "success"), done.log
    assert "predicted, not sealed" in done.summary
    assert done.output("verdict") == "needs a human"
    assert done.output("change-set-id") == ""
    assert [row[0] for row in consumer.checkouts] == ["render", "predict"]


def test_an_invalid_config_blocks(consumer: Hub) -> None:
    event = consumer.pull_request(
        9, {CONFIG: example().replace("tier: starter", "tier: golden")}, author="dependabot[bot]"
    )
    done = consumer.act("pull_request", "review", event)
    assert done.code == 1
    assert done.jobs == {"render": "success", "predict": "success", "publish": "failure", "verdict": "failure"}, (
        done.log
    )
    assert "verdict=blocked" in (done.log.replace("::set-output:: ", ""))
    assert "tier" in done.summary
    assert f"file={CONFIG}" in done.log or CONFIG in done.summary


def test_a_change_without_configs_succeeds(consumer: Hub) -> None:
    event = consumer.pull_request(10, {"README.md": "words\n"})
    event["pull_request"]["draft"] = True
    done = consumer.act("pull_request", "review", event)
    assert done.jobs == dict.fromkeys(("render", "predict", "publish", "verdict"), "success"), done.log
    assert done.output("verdict") == "ready"
    assert json.loads(done.output("stacks") or "[]") == []
