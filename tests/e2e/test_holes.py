"""Ways around the seal and ways to lose a result: each was open once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from e2e.harness import ACCOUNT, REGION, STARTER, Bench, example
from stackseal.aws.states import STACK as STACK_STATES
from stackseal.errors import Refused
from stackseal.model import Outcome, StackId, Verdict

pytestmark = pytest.mark.e2e
NAME = STARTER.removesuffix("-s3")
STACK = f"{NAME}-stack"
IDENTITY = StackId(account=ACCOUNT, region=REGION, name=STACK)
BATCH = example().replace("use_case: customer-churn", "use_case: customer-churn\n  workload: batch")


def branch(bench: Bench, number: int, **files: str) -> None:
    bench.git("switch", "--quiet", "--create", f"pr-{number}", "main")
    for name, text in files.items():
        bench.write(text, f"{name}.yaml")
    bench.commit(f"Pull request {number}")


def merged(bench: Bench, number: int) -> None:
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", f"pr-{number}")


def stacks(bench: Bench) -> list[str]:
    found = bench.client("cloudformation").describe_stacks()["Stacks"]
    return sorted(item["StackName"] for item in found if item["StackStatus"] != "DELETE_COMPLETE")


def protected(bench: Bench) -> bool:
    found = bench.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return bool(found["EnableTerminationProtection"])


def test_a_pull_request_cannot_bring_its_own_seal_record(bench: Bench) -> None:
    branch(bench, 1, product=example())
    bench.review(1)
    (record,) = (bench.folder / "ml" / "seals").rglob("*.json")
    bench.git("add", "--force", str(record))
    bench.commit("A record of our own")
    merged(bench, 1)
    with pytest.raises(Refused, match="the repository itself holds seal records"):
        bench.deploy(1, base="HEAD~2")
    assert stacks(bench) == [STACK]  # the review's empty shell
    assert bench.client("cloudformation").describe_stacks()["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"


def test_what_a_blocked_review_sealed_is_not_executed(bench: Bench) -> None:
    branch(bench, 1, product=example(), broken="ml_product: {}\n")
    assert bench.review(1).verdict is Verdict.BLOCKED
    (bench.folder / "configs" / "broken.yaml").unlink()
    bench.commit("Drop what was wrong, without a review")
    merged(bench, 1)
    with pytest.raises(Refused, match="was blocked"):
        bench.deploy(1, base="HEAD~2")
    bench.git("switch", "--quiet", "pr-1")
    assert bench.review(1, base="HEAD~2").verdict is not Verdict.BLOCKED
    bench.git("switch", "--quiet", "main")
    (done,) = bench.deploy(1, base="HEAD~2")
    assert done.outcome is Outcome.CREATED


def test_protection_that_a_run_died_before_is_set_by_the_next(bench: Bench) -> None:
    branch(bench, 1, product=example())
    bench.review(1)
    (record,) = bench.records.of(IDENTITY, 1)
    bench.client("cloudformation").execute_change_set(ChangeSetName=record.change_set)
    bench.client("cloudformation").get_waiter("stack_create_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    assert not protected(bench)
    merged(bench, 1)
    (done,) = bench.deploy(1)
    assert done.outcome is Outcome.UNCHANGED
    assert protected(bench)


def test_a_deletion_that_fails_leaves_the_stack_protected(bench: Bench) -> None:
    branch(bench, 1, product=example())
    bench.review(1)
    merged(bench, 1)
    bench.deploy(1)
    client = bench.client("cloudformation")

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteStack")

    client.meta.events.register("before-call.cloudformation.DeleteStack", refuse)
    done = bench.run("delete-product", "configs/product.yaml", "--force")
    client.meta.events.unregister("before-call.cloudformation.DeleteStack", refuse)
    assert done.code == 3
    assert protected(bench)


def test_one_stack_that_cannot_be_compared_hides_no_other(bench: Bench) -> None:
    branch(bench, 1, product=example())
    bench.review(1)
    merged(bench, 1)
    bench.deploy(1)
    bench.write(BATCH, "absent.yaml")
    bench.write("ml_product: {}\n", "broken.yaml")
    path = f"/ml/{NAME}/ModelPackageGroupArn"
    bench.client("ssm").put_parameter(Name=path, Value="by-hand", Type="String", Overwrite=True)
    folder = sorted((bench.folder / "configs").glob("*.yaml"))
    done = bench.run("drift", *(str(each) for each in folder), "--format", "json")
    assert done.code == 5
    rows = {row["stack"]: row for row in json.loads(done.stdout)["stacks"]}
    assert rows[STACK]["issue"] == {"move": "opened", "number": 1}
    absent = rows[f"{NAME.removesuffix('-ml')}-batch-ml-stack"]
    assert absent["status"] == "UNKNOWN"
    assert "not deployed" in absent["reason"]
    assert "broken.yaml" in done.stderr


def test_the_removal_of_a_stack_that_never_was_stops_nobody(bench: Bench) -> None:
    bench.write(example(), "never.yaml")
    bench.commit("Never deployed")
    branch(bench, 1, batch=BATCH)
    (bench.folder / "configs" / "never.yaml").unlink()
    bench.commit("Remove it")
    assert bench.review(1).verdict is not Verdict.BLOCKED
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", "pr-1")
    done = bench.deploy(1, base="HEAD~2")
    assert [item.outcome for item in done] == [Outcome.CREATED, Outcome.DELETED]


def test_a_removal_that_was_done_is_done(bench: Bench) -> None:
    branch(bench, 1, product=example())
    bench.review(1)
    merged(bench, 1)
    bench.deploy(1)
    branch(bench, 2)
    (bench.folder / "configs" / "product.yaml").unlink()
    bench.commit("Remove it")
    bench.review(2)
    merged(bench, 2)
    for _ in range(2):
        (done,) = bench.deploy(2)
        assert done.outcome is Outcome.DELETED


def test_what_went_wrong_with_the_second_stack_does_not_hide_the_first(bench: Bench) -> None:
    branch(bench, 1, first=BATCH, second=example())
    bench.review(1)
    merged(bench, 1)
    client = bench.client("cloudformation")

    def refuse(params: Any, **_: Any) -> None:
        body = params["body"]
        if STACK in str(body) or STACK in str(body.get("ChangeSetName", "")):
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ExecuteChangeSet")

    calls: list[str] = []

    def second(**_: Any) -> None:
        calls.append("execute")
        if len(calls) == 2:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ExecuteChangeSet")

    client.meta.events.register("before-call.cloudformation.ExecuteChangeSet", second)
    done = bench.run("deploy", "--pull-request", "1", "--force", "--format", "json")
    client.meta.events.unregister("before-call.cloudformation.ExecuteChangeSet", second)
    assert done.code == 3
    # Both are of one wave, so either may have been the second.
    rows = {item["outcome"]: item for item in done.facts["deployments"]}
    assert sorted(rows) == ["created", "failed"]
    assert "AccessDenied" in rows["failed"]["message"] or "may not" in done.stdout


def test_a_refused_deployment_leaves_no_shell(bench: Bench) -> None:
    branch(bench, 1, product=example())
    bench.review(1)
    merged(bench, 1)
    bench.deploy(1)
    branch(bench, 2, product=example().replace("ml-platform-team", "another"))
    bench.review(2)
    merged(bench, 2)
    assert bench.run("delete-product", "configs/product.yaml", "--force", "--delete-data").code == 0
    with pytest.raises(Refused, match="would create the stack"):
        bench.deploy(2)
    assert stacks(bench) == []


def test_recover_tells_a_failed_stack_by_its_exit_code(bench: Bench) -> None:
    bench.client("s3").create_bucket(
        Bucket=f"{NAME}-artifacts", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    branch(bench, 1, product=example())
    bench.review(1)
    merged(bench, 1)
    (done,) = bench.deploy(1)
    assert done.outcome is Outcome.ROLLED_BACK
    told = bench.run("recover", STACK, "--region", REGION)
    assert told.code == 3
    assert "ROLLBACK_COMPLETE" in told.stdout
    assert STACK_STATES["ROLLBACK_COMPLETE"].remedy in told.stdout
    with pytest.raises(Refused, match="it is ROLLBACK_COMPLETE"):
        bench.deploy(1)


def test_the_plan_job_does_not_believe_a_bundle_about_macros(bench: Bench) -> None:
    branch(bench, 1, product=example())
    path = bench.folder / "ml" / "bundle.json"
    assert bench.run("review", "--base", "main", "--to-bundle", str(path)).code == 0
    found = json.loads(path.read_text())
    sheet = found["pairs"][0]["head"]
    body = {**json.loads(sheet["body"]), "Transform": "EvilMacro"}
    sheet["body"] = json.dumps(body, sort_keys=True, separators=(",", ":"))
    path.write_text(json.dumps(found))
    parts = ("--from-bundle", str(path), "--to-report", str(bench.folder / "ml" / "report.json"))
    done = bench.run("review", "--base", "main", "--plan", "sealed", "--pull-request", "1", *parts, "--format", "json")
    assert done.facts["verdict"] == "blocked"
    assert "No change set is made" in done.facts["failures"][0]
    assert stacks(bench) == []
