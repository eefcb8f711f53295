"""The real workflows, run by act from a consumer's repository: a review, the deployment of what it sealed, drift."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.test_workflows import PERMISSIONS
from e2e.harness import ACCOUNT, REGION, STARTER, example
from e2e_github.harness import Hub, hub
from fakes.github.fake import GitHubFake
from stackseal.cli import connector
from stackseal.local import EmbeddedAws
from stackseal.model import canonical_json, sha256
from stackseal.world import EMBEDDED

pytestmark = pytest.mark.e2e
CONFIG = f"configs/{STARTER}.yaml"
BUCKET = "stackseal-artifacts"
SETTINGS = f'version: 1\nconfigs: configs\naccounts:\n  "{ACCOUNT}":\n    artifact_bucket: {BUCKET}\n'


REVIEW = {**PERMISSIONS["review", "publish"], **PERMISSIONS["review", "scan"]}


@pytest.fixture
def consumer(tmp_path: Path) -> Iterator[Hub]:
    with GitHubFake(tmp_path / "github") as github:
        yield hub(tmp_path, github)
        # The fake has no reactions, by which writers take turns; the forge goes on without.
        assert [line for line in github.violations if "/reactions:" not in line] == []


@pytest.fixture
def cloud(consumer: Hub) -> Iterator[Any]:
    """CloudFormation of the embedded AWS, which the consumer's jobs reach, too; its bucket is there."""
    with EmbeddedAws(account=ACCOUNT, region=REGION) as aws:
        aws.reset()
        consumer.env = {**aws.environ(), EMBEDDED: "1"}
        session = connector(consumer.env)(ACCOUNT, REGION)
        location = {"LocationConstraint": REGION}
        session.client("s3", REGION).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
        consumer.repository.push("main", {"stackseal.yaml": SETTINGS})
        yield session.client("cloudformation", REGION)


def test_what_a_review_sealed_is_deployed_and_watched(consumer: Hub, cloud: Any) -> None:
    base = consumer.repository.git.resolve("refs/heads/main")
    number, event = consumer.pull_request({CONFIG: example()})
    reviewed = consumer.act("pull_request", "review", event, REVIEW)
    assert reviewed.jobs == dict.fromkeys(("render", "plan", "publish", "scan", "verdict"), "success"), reviewed.log
    assert reviewed.output("verdict") == "needs a human"
    # render had the merge commit, plan the base, publish and verdict nothing.
    (render, plan) = consumer.checkouts
    assert render[:2] == ["render", f"refs/pull/{number}/merge"]
    assert plan == ["plan", base, base]
    (comment,) = consumer.repository.comments_of(number)
    assert "ArtifactsBucket" in comment.body
    assert "sealed at" in comment.body
    assert "ArtifactsBucket" in reviewed.summary
    assert {call.method for call in consumer.github.calls} <= {"GET", "POST"}
    assert sorted(path.name for path in consumer.artifacts.iterdir()) == [
        "stackseal-bundle-review",
        "stackseal-report-review",
        "stackseal-review-review",
    ]
    report = json.loads((consumer.artifacts / "stackseal-report-review" / "report.json").read_text())
    (stack,) = report["stacks"]
    name = stack["id"]["name"]
    assert stack["plan"]["seal"]
    (change_set,) = cloud.list_change_sets(StackName=name)["Summaries"]
    assert change_set["ChangeSetName"].startswith(f"seal-pr{number}-{event['pull_request']['head']['sha'][:7]}-")
    assert change_set["ExecutionStatus"] == "AVAILABLE"
    assert cloud.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"

    deployed = consumer.act("push", "deploy", consumer.merge(number), PERMISSIONS["deploy", "deploy"])
    assert deployed.jobs == {"deploy": "success"}, deployed.log
    row = {"stack": name, "outcome": "created", "status": "CREATE_COMPLETE"}
    assert json.loads(deployed.output("deployments")) == [row]
    assert f"| `{name}` | `{ACCOUNT}` `{REGION}` | 🟢 created `CREATE_COMPLETE` | |" in deployed.summary.replace(
        "|  |", "| |"
    )
    live = cloud.get_template(StackName=name)["TemplateBody"]
    assert sha256(canonical_json(json.loads(live) if isinstance(live, str) else live)) == stack["template_sha256"]

    ssm = connector(consumer.env)(ACCOUNT, REGION).client("ssm", REGION)
    path = f"/ml/{STARTER.removesuffix('-s3')}/ModelPackageGroupArn"
    was = ssm.get_parameter(Name=path)["Parameter"]["Value"]
    clock = consumer.github.events.schedule(consumer.repository)
    for value, drifted, state in (("by-hand", [name], "open"), (was, [], "closed")):
        ssm.put_parameter(Name=path, Value=value, Type="String", Overwrite=True)
        watched = consumer.act("schedule", "drift", clock, PERMISSIONS["drift", "drift"])
        assert watched.jobs == {"drift": "success"}, watched.log
        assert json.loads(watched.output("drifted")) == drifted
        assert ("🟡 not as deployed" in watched.summary) == bool(drifted)
        (issue,) = [item for item in consumer.repository.issues.values() if name in item.title]
        assert issue.state == state


def test_a_fork_is_reviewed_without_any_credential(consumer: Hub) -> None:
    number, event = consumer.pull_request({CONFIG: example()}, fork=True)
    done = consumer.act("pull_request", "review", event, {})
    assert done.jobs == dict.fromkeys(("render", "predict", "publish", "verdict"), "success"), done.log
    assert "predicted, not sealed" in done.summary
    assert done.output("verdict") == "needs a human"
    assert done.output("change-set-id") == ""
    assert [row[0] for row in consumer.checkouts] == ["render", "predict"]
    assert consumer.repository.comments_of(number) == []
    assert consumer.github.calls == []


def test_an_invalid_config_blocks_until_it_is_mended(consumer: Hub) -> None:
    text = example()
    number, event = consumer.pull_request({CONFIG: text.replace("tier: starter", "tier: golden")}, draft=True)
    done = consumer.act("pull_request", "review", event, REVIEW)
    assert done.code == 1
    ends = {"render": "success", "predict": "success", "publish": "failure", "scan": "success", "verdict": "failure"}
    assert done.jobs == ends, done.log
    assert done.output("verdict") == "blocked"
    (comment,) = consumer.repository.comments_of(number)
    assert f"{CONFIG}:" in comment.body
    assert "golden" in comment.body
    (findings,) = consumer.repository.sarifs.values()
    assert findings.ref == f"refs/pull/{number}/merge"
    assert [item["ruleId"] for item in findings.document["runs"][0]["results"]] == ["invalid-config"]

    consumer.repository.push(consumer.repository.pulls[number].head_ref, {CONFIG: None, "README.md": "words\n"})
    event = consumer.github.events.pull_request(consumer.repository, number, "synchronize")
    done = consumer.act("pull_request", "review", event, REVIEW)
    assert done.jobs == dict.fromkeys(("render", "predict", "publish", "scan", "verdict"), "success"), done.log
    assert done.output("verdict") == "ready"
    (again,) = consumer.repository.comments_of(number)
    assert again.id == comment.id
    assert "golden" not in again.body


def test_what_a_closed_pull_request_left_is_removed(consumer: Hub, cloud: Any) -> None:
    number, event = consumer.pull_request({CONFIG: example()})
    reviewed = consumer.act("pull_request", "review", event, REVIEW)
    assert reviewed.jobs["plan"] == "success", reviewed.log
    assert [item["StackStatus"] for item in cloud.describe_stacks()["Stacks"]] == ["REVIEW_IN_PROGRESS"]

    consumer.repository.close_issue(number)
    closed = consumer.github.events.pull_request(consumer.repository, number, "closed")
    done = consumer.act("pull_request", "cleanup", closed, PERMISSIONS["cleanup", "closed"])
    assert done.jobs == {"closed": "success"}, done.log
    assert cloud.describe_stacks()["Stacks"] == []
    assert consumer.checkouts[-1][:2] == ["closed", event["pull_request"]["base"]["sha"]]
