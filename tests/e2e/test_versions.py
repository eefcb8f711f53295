"""A pull request that names another version of stackseal: every stack is reviewed, and its changes are deployed."""

from __future__ import annotations

import json

import pytest

from e2e.harness import STARTER, Bench, example
from stackseal.model import Outcome, PlanOperation

pytestmark = pytest.mark.e2e
STACK = f"{STARTER.removesuffix('-s3')}-stack"
CALLER = ".github/workflows/stackseal-review.yml"
TEXT = "on: pull_request\njobs:\n  review:\n    uses: stackseal/stackseal/.github/workflows/review.yml@{}\n"


def call(bench: Bench, version: str) -> None:
    path = bench.folder / CALLER
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(TEXT.format(version), encoding="utf-8")
    bench.commit(f"Run {version}")


def stand(bench: Bench) -> None:
    """A stack as an older version would have rendered it: with another description."""
    call(bench, "v1.0.0")
    bench.git("switch", "--quiet", "--create", "pr-1")
    bench.write(example())
    bench.commit("Add the product")
    assert not bench.review(1).failures
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", "pr-1")
    (done,) = bench.deploy(1)
    assert done.outcome is Outcome.CREATED
    client = bench.client("cloudformation")
    body = client.get_template(StackName=STACK, TemplateStage="Original")["TemplateBody"]
    body = json.loads(body) if isinstance(body, str) else body
    body["Resources"]["BuildProject"]["Properties"]["Description"] = "As the old version wrote it."
    given = client.describe_stacks(StackName=STACK)["Stacks"][0]
    keys = [{"ParameterKey": item["ParameterKey"], "UsePreviousValue": True} for item in given.get("Parameters", [])]
    client.update_stack(
        StackName=STACK,
        TemplateBody=json.dumps(body),
        Parameters=keys,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Tags=given["Tags"],
    )


@pytest.mark.spec("A67")
def test_what_another_version_changes_is_reviewed_and_deployed_although_no_config_changed(bench: Bench) -> None:
    stand(bench)
    bench.git("switch", "--quiet", "--create", "pr-2")
    call(bench, "v1.1.0")
    report = bench.review(2)
    assert report.failures == ()
    (stack,) = report.stacks
    assert any("another version of stackseal (v1.1.0 after v1.0.0)" in note for note in stack.notes)
    assert stack.plan
    assert "BuildProject" in [change.logical_id for change in stack.plan.changes]
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", "pr-2")
    (done,) = bench.deploy(2)
    assert done.outcome is Outcome.UPDATED
    bench.git("switch", "--quiet", "--create", "pr-3")
    call(bench, "v1.2.0")
    (stack,) = bench.review(3).stacks
    assert stack.plan
    assert stack.plan.operation is PlanOperation.NONE
