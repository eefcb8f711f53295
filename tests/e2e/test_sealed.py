"""What was reviewed is what is deployed; tests/e2e/test_between.py has all that can change between the two."""

from __future__ import annotations

import json

import pytest

from e2e.harness import ACCOUNT, REGION, STARTER, Bench, example
from stackseal.errors import Refused
from stackseal.model import Outcome, PlanOperation, StackId, Verdict

pytestmark = pytest.mark.e2e
STACK = f"{STARTER.removesuffix('-s3')}-stack"
IDENTITY = StackId(account=ACCOUNT, region=REGION, name=STACK)


def deployed(bench: Bench, text: str | None = None, *, number: int = 1) -> None:
    """A first pull request, merged."""
    bench.git("switch", "--quiet", "--create", f"pr-{number}")
    bench.write(text or example())
    bench.commit("Add a product")
    bench.review(number)
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", f"pr-{number}")
    (done,) = bench.deploy(number)
    assert done.outcome.good, done


def proposed(bench: Bench, text: str, *, number: int = 2) -> None:
    """A pull request against the deployed stack, reviewed, not merged."""
    bench.git("switch", "--quiet", "--create", f"pr-{number}")
    bench.write(text)
    bench.commit("Change the product")
    report = bench.review(number)
    assert not report.failures
    assert report.stacks[0].plan
    assert report.stacks[0].plan.operation is PlanOperation.UPDATE


def merged(bench: Bench, number: int = 2) -> None:
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", f"pr-{number}")


def template(bench: Bench) -> str:
    body = bench.client("cloudformation").get_template(StackName=STACK)["TemplateBody"]
    return json.dumps(body, sort_keys=True)


CHANGED = example().replace("owner: ml-platform-team", "owner: another-team")


def test_the_reviewed_change_set_itself_is_executed(bench: Bench) -> None:
    deployed(bench)
    proposed(bench, CHANGED)
    (record,) = bench.records.of(IDENTITY, 2)
    merged(bench)
    (done,) = bench.deploy(2)
    assert done.outcome is Outcome.UPDATED
    assert "another-team" in template(bench)
    assert record.change_set_name
    assert record.change_set_name.startswith("seal-pr2-")


def test_without_a_review_nothing_is_deployed(bench: Bench) -> None:
    bench.write(example())
    bench.commit("Straight to main")
    with pytest.raises(Refused, match="no review has sealed"):
        bench.deploy(None)  # type: ignore[arg-type]
    assert bench.client("cloudformation").list_stacks()["StackSummaries"] == []


def test_a_review_changes_nothing_but_its_own_change_set(bench: Bench) -> None:
    deployed(bench)
    before = template(bench)
    proposed(bench, CHANGED)
    cfn = bench.client("cloudformation")
    assert template(bench) == before
    sets = cfn.list_change_sets(StackName=STACK)["Summaries"]
    (waiting,) = [item["ChangeSetName"] for item in sets if item["ExecutionStatus"] == "AVAILABLE"]
    assert waiting.startswith("seal-pr2-")


def test_no_changes_is_a_success(bench: Bench) -> None:
    deployed(bench)
    bench.git("switch", "--quiet", "--create", "pr-2")
    # The same stack written in another way is no change at all; a comment alone does not even concern the stack.
    bench.write(f"# a comment\n{example()}")
    bench.commit("Comment")
    report = bench.review(2)
    assert report.stacks == ()
    assert report.verdict is Verdict.READY
    merged(bench)
    assert bench.deploy(2) == ()


def test_a_removed_config_is_a_planned_deletion_that_names_what_stays(bench: Bench) -> None:
    deployed(bench)
    bench.git("switch", "--quiet", "--create", "pr-2")
    (bench.folder / "configs" / f"{STARTER}.yaml").unlink()
    bench.commit("Remove the product")
    report = bench.review(2)
    plan = report.stacks[0].plan
    assert plan
    assert plan.operation is PlanOperation.DELETE
    assert report.verdict is Verdict.HUMAN
    assert "ArtifactsBucket" in plan.retained
    merged(bench)
    (done,) = bench.deploy(2)
    assert done.outcome is Outcome.DELETED
    assert any("AWS::S3::Bucket" in item for item in done.retained)
