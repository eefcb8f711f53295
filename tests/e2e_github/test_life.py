"""The life of a change, by the real workflows: reviewed, deployed, watched, made stale, planned again, queued, closed.

Each act run takes seconds, so that one test walks through many events. Facts go to reports/e2e.json.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from e2e.harness import ACCOUNT, REGION, STARTER, example
from e2e_github.facts import measured
from e2e_github.harness import Hub
from stackseal.cli import connector
from stackseal.commands.replan import NOTE
from stackseal.model import canonical_json, sha256

pytestmark = pytest.mark.e2e
CONFIG = f"configs/{STARTER}.yaml"
STACK = f"{STARTER.removesuffix('-s3')}-stack"
STALE = "stackseal: stale plan"
REVIEWED = dict.fromkeys(("render", "plan", "publish", "scan", "verdict"), "success")


def reviewed(consumer: Hub, number: int, action: str = "opened") -> dict[str, Any]:
    """The review of a pull request; the plan of its one stack."""
    event = consumer.github.events.pull_request(consumer.repository, number, action)
    done = consumer.act("pull_request", "review", event)
    assert done.jobs == REVIEWED, done.log
    return planned(consumer)


def planned(consumer: Hub) -> dict[str, Any]:
    """The plan of the one stack of the newest report."""
    report = json.loads((consumer.artifacts / "stackseal-report-review" / "report.json").read_text())
    (stack,) = report["stacks"]
    assert stack["plan"]["seal"]
    found: dict[str, Any] = stack["plan"]
    return found


def sets(cloud: Any) -> list[str]:
    """The change sets that can be executed, by the beginning of their names."""
    found = cloud.list_change_sets(StackName=STACK)["Summaries"]
    ready = [item["ChangeSetName"] for item in found if item["ExecutionStatus"] == "AVAILABLE"]
    return sorted("-".join(name.split("-")[:2]) for name in ready)


def live(cloud: Any) -> str:
    """The digest of the template that the stack has."""
    body = cloud.get_template(StackName=STACK)["TemplateBody"]
    return sha256(canonical_json(json.loads(body) if isinstance(body, str) else body))


def changed(**values: str) -> str:
    """The example with other values for some of its keys."""
    lines = example().splitlines()
    for key, value in values.items():
        (at,) = [index for index, line in enumerate(lines) if line.strip().startswith(f"{key}:")]
        lines[at] = f"{lines[at].partition(':')[0]}: {value}"
    return "\n".join([*lines, ""])


def test_the_life_of_a_change(consumer: Hub, cloud: Any) -> None:
    first = is_reviewed_and_pushed_again(consumer)
    before = is_deployed_as_sealed(consumer, cloud, first)
    is_watched(consumer)
    is_deployed_again_by_hand(consumer, first, before)
    other = makes_another_stale(consumer, cloud)
    is_planned_again(consumer, cloud, other)
    is_held_against_the_review_in_the_queue(consumer, other)
    is_closed_and_cleaned(consumer, cloud, other)


def is_reviewed_and_pushed_again(consumer: Hub) -> int:
    base = consumer.repository.git.resolve("refs/heads/main")
    number, _ = consumer.pull_request({CONFIG: changed(owner="first-team")})
    reviewed(consumer, number)
    # render had the merge commit, plan the base, publish and verdict nothing; only data went from job to job.
    (render, plan) = consumer.checkouts
    assert render[:2] == ["render", f"refs/pull/{number}/merge"]
    assert plan == ["plan", base, base]
    assert sorted(path.name for path in consumer.artifacts.iterdir()) == [
        "stackseal-part-0-of-review",
        "stackseal-report-review",
        "stackseal-review-review",
    ]
    assert {call.method for call in consumer.github.calls} <= {"GET", "POST", "DELETE"}
    (comment,) = consumer.repository.comments_of(number)
    assert "sealed at" in comment.body
    assert "<!-- stackseal " in comment.body
    was = comment.body
    measured(comment_created=comment.id > 0)
    consumer.repository.push(consumer.repository.pulls[number].head_ref, {CONFIG: example()})
    reviewed(consumer, number, "synchronize")
    (again,) = consumer.repository.comments_of(number)
    assert again.id == comment.id
    assert again.body != was
    measured(same_comment_edited=again.id == comment.id and again.body != was)
    return number


def is_deployed_as_sealed(consumer: Hub, cloud: Any, number: int) -> str:
    sealed = planned(consumer)["template_sha256"]
    before = consumer.repository.git.resolve("refs/heads/main")
    assert before
    done = consumer.act("push", "deploy", consumer.merge(number))
    assert done.jobs == {"deploy": "success"}, done.log
    (row,) = json.loads(done.output("deployments"))
    assert row == {"stack": STACK, "outcome": "created", "status": "CREATE_COMPLETE"}
    shown = done.summary.replace("|  |", "| |")
    assert f"| `{STACK}` | `{ACCOUNT}` `{REGION}` | 🟢 created `CREATE_COMPLETE` | |" in shown
    assert live(cloud) == sealed
    measured(sealed_digest=sealed, deployed_digest=live(cloud), deployed_is_sealed=live(cloud) == sealed)
    return before


def is_watched(consumer: Hub) -> None:
    ssm = connector(consumer.env)(ACCOUNT, REGION).client("ssm", REGION)
    path = f"/ml/{STARTER.removesuffix('-s3')}/ModelPackageGroupArn"
    was = ssm.get_parameter(Name=path)["Parameter"]["Value"]
    clock = consumer.github.events.schedule(consumer.repository)
    for value, drifted, state in (("by-hand", [STACK], "open"), (was, [], "closed")):
        ssm.put_parameter(Name=path, Value=value, Type="String", Overwrite=True)
        done = consumer.act("schedule", "drift", clock)
        assert done.jobs == {"drift": "success", "findings": "success"}, done.log
        assert json.loads(done.output("drifted")) == drifted
        assert ("🟡 not as deployed" in done.summary) == bool(drifted)
        (issue,) = [item for item in consumer.repository.issues.values() if STACK in item.title]
        assert issue.state == state
        measured(**{f"drift_issue_{'opened' if drifted else 'closed'}": issue.state == state})
    # What the first night kept the second proved, and kept again.
    kept = (consumer.folder / "cache.log").read_text().splitlines()
    assert kept == ["findings saved", "findings restored", "findings saved"]
    assert list((consumer.folder / "cache").rglob("*.json"))


def is_deployed_again_by_hand(consumer: Hub, number: int, before: str) -> None:
    inputs = {"base": before, "pull-request": str(number)}
    event = consumer.github.events.workflow_dispatch(consumer.repository, inputs, workflow="stackseal-deploy.yml")
    done = consumer.act("workflow_dispatch", "deploy", event)
    assert done.jobs == {"deploy": "success"}, done.log
    (row,) = json.loads(done.output("deployments"))
    assert row["outcome"] == "unchanged"
    measured(redeployed_by_hand=row["outcome"])


def makes_another_stale(consumer: Hub, cloud: Any) -> int:
    """Two pull requests change the stack; the first is merged. Returns the other."""
    winner, _ = consumer.pull_request({CONFIG: changed(owner="another-team")})
    other, _ = consumer.pull_request({"README.md": "words\n", CONFIG: changed(cost_center='"7777"')})
    for number in (winner, other):
        reviewed(consumer, number)
    assert sets(cloud) == [f"seal-pr{winner}", f"seal-pr{other}"]
    done = consumer.act("push", "deploy", consumer.merge(winner))
    assert done.jobs == {"deploy": "success", "replan": "success"}, done.log
    assert sets(cloud) == []
    assert consumer.repository.issues[other].labels == [STALE]
    assert consumer.repository.issues[winner].labels == []
    (comment,) = consumer.repository.comments_of(other)
    assert comment.body.split("\n")[1] == NOTE
    return other


def is_planned_again(consumer: Hub, cloud: Any, number: int) -> None:
    """By what the deployment has started: a dispatch, whose number is all that is believed."""
    (begun,) = consumer.repository.dispatches
    assert (begun.workflow, begun.ref) == ("stackseal-review.yml", "main")
    event = consumer.github.events.workflow_dispatch(consumer.repository, begun.inputs, workflow=begun.workflow)
    done = consumer.act("workflow_dispatch", "review", event)
    ends = dict.fromkeys(("find", "render", "plan", "publish", "verdict"), "success")
    assert done.jobs == ends, done.log
    pull = consumer.repository.pulls[number]
    (render, plan) = consumer.checkouts[-2:]
    assert render == ["render", pull.merge_sha, pull.merge_sha]
    assert plan[2] == consumer.repository.git.resolve("refs/heads/main")
    assert sets(cloud) == [f"seal-pr{number}"]
    (comment,) = consumer.repository.comments_of(number)
    assert NOTE not in comment.body
    assert pull.head_sha in comment.body.split("\n")[0]
    assert consumer.repository.issues[number].labels == []
    measured(stale_plan_made_again=sets(cloud) == [f"seal-pr{number}"] and NOTE not in comment.body)


def is_held_against_the_review_in_the_queue(consumer: Hub, number: int) -> None:
    """As reviewed it may go on; beside another change of the same stack it may not. No AWS is at hand."""
    aws, consumer.env = consumer.env, {}
    done = consumer.act("merge_group", "review", consumer.github.events.merge_group(consumer.repository, number))
    assert done.jobs == dict.fromkeys(("render", "queue", "verdict"), "success"), done.log
    consumer.repository.push("main", {CONFIG: changed(owner="a-third-team")})
    late = consumer.act("merge_group", "review", consumer.github.events.merge_group(consumer.repository, number))
    assert late.jobs == {"render": "success", "queue": "failure", "verdict": "failure"}, late.log
    assert f"The stack {STACK} is not the sealed one." in late.log
    consumer.env = aws
    measured(queue_passes_what_was_sealed=done.code == 0, queue_stops_what_was_not=late.code != 0)


def is_closed_and_cleaned(consumer: Hub, cloud: Any, number: int) -> None:
    """At once by the event, and what that has missed by the clock."""
    consumer.repository.close_issue(number)
    event = consumer.github.events.pull_request(consumer.repository, number, "closed")
    done = consumer.act("pull_request", "cleanup", event)
    assert done.jobs == {"closed": "success"}, done.log
    assert sets(cloud) == []
    cloud.create_change_set(
        StackName=STACK,
        ChangeSetName=f"seal-pr{number}-{'a' * 7}-{'b' * 12}",
        Description=f"stackseal {'b' * 64}",
        TemplateBody=json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}),
    )
    assert sets(cloud) == [f"seal-pr{number}"]
    consumer.repository.issues[number].closed = "2026-01-01T00:00:00Z"
    swept = consumer.act("schedule", "cleanup", consumer.github.events.schedule(consumer.repository))
    assert swept.jobs == {"sweep": "success"}, swept.log
    assert sets(cloud) == []
    measured(cleaned=sets(cloud) == [] and done.code == swept.code == 0)


def test_what_nobody_reviewed_waits_for_a_person(consumer: Hub, cloud: Any) -> None:
    repository = consumer.repository
    before = repository.git.resolve("refs/heads/main")
    assert before
    event = consumer.github.events.push(repository, repository.push("main", {CONFIG: example()}), before=before)
    refused = consumer.act("push", "deploy", event)
    assert refused.jobs == {"deploy": "failure"}, refused.log
    assert "no review has sealed exactly this" in refused.log
    assert cloud.describe_stacks()["Stacks"] == []

    consumer.use("deploy", {"unsealed: false": "unsealed: true"})
    repository.environment("production-unsealed")
    open_to_all = consumer.act("push", "deploy", event)
    ends = {"deploy": "success", "plan-unsealed": "success", "unsealed": "failure"}
    assert open_to_all.jobs == ends, open_to_all.log
    assert "the environment production-unsealed has no required reviewers" in open_to_all.log
    assert "Nobody reviewed this" in open_to_all.summary
    assert "ArtifactsBucket" in open_to_all.summary
    assert sets(cloud) == [f"deploy-{event['after'][:7]}"]
    assert repository.comments == {}

    repository.environment("production-unsealed", reviewers=("somebody",))
    approved = consumer.act("push", "deploy", event)
    assert approved.jobs == {**ends, "unsealed": "success"}, approved.log
    (stack,) = cloud.describe_stacks()["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    measured(unsealed_refused_without_reviewers=open_to_all.code != 0, unsealed_deployed=stack["StackStatus"])


def test_two_folders_have_two_comments(consumer: Hub) -> None:
    """A monorepo: a job of the caller for each folder."""
    path = consumer.work / ".github" / "workflows" / "stackseal-review.yml"
    text = path.read_text(encoding="utf-8")
    head, _, job = text.partition("jobs:\n")
    jobs = "".join(
        job.replace("  review:\n", f"  {name}:\n", 1)
        .replace("      id: review\n", f"      id: {name}\n")
        .replace("working-directory: .\n", f"working-directory: {name}\n      plan: predicted\n")
        for name in ("east", "west")
    )
    path.write_text(f"{head}jobs:\n{jobs}", encoding="utf-8")
    files = {f"{name}/stackseal.yaml": "version: 1\nconfigs: configs\n" for name in ("east", "west")}
    consumer.repository.push("main", files)
    number, event = consumer.pull_request({f"east/{CONFIG}": example()})
    done = consumer.act("pull_request", "review", event)
    assert done.code == 0, done.log
    bodies = [comment.body for comment in consumer.repository.comments_of(number)]
    keys = sorted(json.loads(body.split("\n")[0][len("<!-- stackseal ") : -len(" -->")])["key"] for body in bodies)
    assert keys == ["east", "west"]
    assert sorted("ArtifactsBucket" in body for body in bodies) == [False, True]
    measured(comments_of_two_folders=len(bodies))
