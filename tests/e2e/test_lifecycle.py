"""Stacks side by side, roles that are too small, creations and updates that fail, drift issues, what is left behind."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from e2e.harness import ACCOUNT, STARTER, STARTER_GIT, Bench, example
from stackseal import config, pipeline, policy, settings
from stackseal.change import preparation
from stackseal.model import DriftStatus, Outcome, Role

pytestmark = pytest.mark.e2e
NAME = STARTER.removesuffix("-s3")
STACK = f"{NAME}-stack"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/stackseal-execution"


def merge(bench: Bench, number: int, text: str, name: str = f"{STARTER}.yaml") -> Any:
    """A pull request: branch, review, merge, deploy."""
    bench.git("switch", "--quiet", "--create", f"pr-{number}")
    bench.write(text, name)
    bench.commit(f"Pull request {number}")
    report = bench.review(number)
    assert not report.failures, report.failures
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", f"pr-{number}")
    return bench.deploy(number)


def use_role(bench: Bench) -> None:
    text = f'version: 1\nconfigs: configs\naccounts: {{"{ACCOUNT}": {{execution_role: "{ROLE}"}}}}\n'
    (bench.folder / settings.FILE).write_text(text)
    bench.commit("Name the role")


def grant(bench: Bench, text: str, *, without: str = "") -> None:
    """The execution role with the generated policy, perhaps without one action."""
    found = prepared(bench, text)
    execution = next(item for item in policy.generate(found.template) if item.role is Role.EXECUTION)
    iam = bench.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    iam.create_role(RoleName="stackseal-execution", AssumeRolePolicyDocument=json.dumps(document))
    for index, each in enumerate(policy.documents(execution)):
        for statement in each["Statement"]:
            statement["Action"] = [action for action in statement["Action"] if action != without]
        each["Statement"] = [statement for statement in each["Statement"] if statement["Action"]]
        iam.put_role_policy(RoleName="stackseal-execution", PolicyName=f"p{index}", PolicyDocument=json.dumps(each))


def prepared(bench: Bench, text: str) -> preparation.Prepared:
    parsed = config.parse(text.encode(), f"configs/{STARTER}.yaml")
    resolved = preparation.catalogue_of(bench.world).resolve(parsed, bench.world.sandbox)
    return preparation.rendered(bench.world, resolved, ())


def resources(bench: Bench, stack: str = STACK) -> dict[str, str]:
    found = bench.client("cloudformation").list_stack_resources(StackName=stack)["StackResourceSummaries"]
    return {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in found}


@pytest.mark.spec("A40")
def test_two_products_side_by_side_share_nothing_and_go_separately(bench: Bench) -> None:
    batch = example().replace("use_case: customer-churn", "use_case: customer-churn\n  workload: batch")
    realtime = example().replace("use_case: customer-churn", "use_case: customer-churn\n  workload: realtime")
    merge(bench, 1, batch, "batch.yaml")
    merge(bench, 2, realtime, "realtime.yaml")
    names = [f"{NAME.removesuffix('-ml')}-{kind}-ml-stack" for kind in ("batch", "realtime")]
    first, second = (set(resources(bench, name).values()) for name in names)
    assert first.isdisjoint(second)
    done = bench.run("delete-product", "configs/batch.yaml", "--force", "--delete-data", "--format", "json")
    assert done.code == 0, done.stderr
    assert set(resources(bench, names[1]).values()) == second
    buckets = bench.client("s3").list_buckets()["Buckets"]
    assert [item["Name"] for item in buckets] == [resources(bench, names[1])["ArtifactsBucket"]]


def test_the_generated_role_is_enough(bench: Bench) -> None:
    use_role(bench)
    grant(bench, example())
    (done,) = merge(bench, 1, example())
    assert done.outcome is Outcome.CREATED, done
    described = bench.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    assert described["RoleARN"] == ROLE


def test_a_role_without_one_action_fails_by_name_and_leaves_nothing(bench: Bench) -> None:
    use_role(bench)
    grant(bench, example(), without="codebuild:CreateProject")
    (done,) = merge(bench, 1, example())
    assert done.outcome is Outcome.ROLLED_BACK
    assert done.first_failure
    assert done.first_failure.logical_id in {"BuildProject", "DeployProject"}
    assert "codebuild:CreateProject" in done.first_failure.reason
    assert "stackseal-execution" in done.first_failure.reason
    assert bench.client("s3").list_buckets()["Buckets"] == []
    roles = [item["RoleName"] for item in bench.client("iam").list_roles()["Roles"]]
    assert [name for name in roles if name.startswith("techcorp")] == []


def test_a_failing_creation_rolls_back_with_the_first_reason(bench: Bench) -> None:
    # The bucket's name is taken by somebody else.
    bench.client("s3").create_bucket(
        Bucket=f"{NAME}-artifacts", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    (done,) = merge(bench, 1, example())
    assert done.outcome is Outcome.ROLLED_BACK
    assert done.status == "ROLLBACK_COMPLETE"
    assert done.first_failure
    assert done.first_failure.logical_id == "ArtifactsBucket"
    assert "exist" in done.first_failure.reason
    assert [item["Name"] for item in bench.client("s3").list_buckets()["Buckets"]] == [f"{NAME}-artifacts"]


def test_a_failing_update_restores_what_was_there(bench: Bench) -> None:
    merge(bench, 1, example())
    before = resources(bench)
    renamed = prepared(bench, _unique()).stack.names["ArtifactsBucketName"].value
    bench.client("s3").create_bucket(Bucket=renamed, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    (done,) = merge(bench, 2, _unique())
    assert done.outcome is Outcome.ROLLED_BACK
    assert done.status == "UPDATE_ROLLBACK_COMPLETE"
    assert done.first_failure
    assert done.first_failure.logical_id == "ArtifactsBucket"
    assert resources(bench) == before
    bench.write(example())
    checked = bench.run("check-drift", f"configs/{STARTER}.yaml", "--format", "json")
    assert checked.facts["status"] == "IN_SYNC", checked.facts


def _unique() -> str:
    return example().replace("use_case: customer-churn", "use_case: customer-churn\n  unique_bucket_name: true")


def test_a_replacement_is_announced_and_its_data_stays(bench: Bench) -> None:
    merge(bench, 1, example())
    bench.client("s3").put_object(Bucket=f"{NAME}-artifacts", Key="model", Body=b"weights")
    bench.git("switch", "--quiet", "--create", "pr-2")
    bench.write(_unique())
    bench.commit("Rename the bucket")
    report = bench.review(2)
    (plan,) = [stack.plan for stack in report.stacks]
    assert plan
    assert plan.destructive
    assert any(item.logical_id == "ArtifactsBucket" for item in plan.consequences)
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", "pr-2")
    (done,) = bench.deploy(2)
    assert done.outcome is Outcome.UPDATED
    assert bench.client("s3").get_object(Bucket=f"{NAME}-artifacts", Key="model")["Body"].read() == b"weights"
    assert any(f"{NAME}-artifacts" in item for item in done.retained)


def test_production_is_protected_and_a_reviewed_removal_still_works(bench: Bench) -> None:
    merge(bench, 1, example())
    described = bench.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    assert described["EnableTerminationProtection"] is True
    bench.git("switch", "--quiet", "--create", "pr-2")
    (bench.folder / "configs" / f"{STARTER}.yaml").unlink()
    bench.commit("Remove it")
    bench.review(2)
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", "pr-2")
    (done,) = bench.deploy(2)
    assert done.outcome is Outcome.DELETED


def test_deleted_and_deployed_again(bench: Bench) -> None:
    path = f"configs/{STARTER_GIT}.yaml"
    bench.write(example(STARTER_GIT), f"{STARTER_GIT}.yaml")
    for _ in range(2):
        assert bench.run("create-prov-template", path).code == 0
        assert bench.run("deploy-product", path, "--force").code == 0
        done = bench.run("delete-product", path, "--force", "--delete-data", "--format", "json")
        assert (done.code, done.facts["retained"]) == (0, [])


def test_one_issue_is_opened_edited_closed_and_reopened(bench: Bench) -> None:
    merge(bench, 1, example())
    stack = prepared(bench, example()).stack
    ours = settings.load(bench.folder)
    ssm, path = bench.client("ssm"), f"/ml/{NAME}/ModelPackageGroupArn"
    good = ssm.get_parameter(Name=path)["Parameter"]["Value"]

    def cron(value: str) -> tuple[DriftStatus, str, int | None]:
        ssm.put_parameter(Name=path, Value=value, Type="String", Overwrite=True)
        ((drift, step),) = pipeline.drift(bench.world, [stack], ours)
        return drift.status, step.move.value, step.number

    assert cron(good) == (DriftStatus.IN_SYNC, "none", None)
    assert cron("by-hand") == (DriftStatus.DRIFTED, "opened", 1)
    assert cron("by-hand") == (DriftStatus.DRIFTED, "unchanged", 1)
    assert cron("by-another-hand") == (DriftStatus.DRIFTED, "updated", 1)
    assert cron(good) == (DriftStatus.IN_SYNC, "closed", 1)
    assert cron("by-hand") == (DriftStatus.DRIFTED, "reopened", 1)
    (issue,) = bench.world.forge.issues()
    assert issue.open
    assert "SsmModelPackageGroupArn" in issue.body


def test_an_ignored_difference_is_no_drift_until_its_last_day(bench: Bench) -> None:
    merge(bench, 1, example())
    stack = prepared(bench, example()).stack
    path = f"/ml/{NAME}/ModelPackageGroupArn"
    bench.client("ssm").put_parameter(Name=path, Value="by-hand", Type="String", Overwrite=True)
    rule = settings.DriftIgnore(
        resource="SsmModelPackageGroupArn",
        path="Value",
        reason="An operator owns this value.",
        owner="platform-team",
        until="2999-12-31",
    )
    quiet = settings.Settings(drift=settings.DriftSettings(ignore=(rule,)))
    ((drift, _),) = pipeline.drift(bench.world, [stack], quiet)
    assert drift.status is DriftStatus.IN_SYNC
    late = settings.Settings(drift=settings.DriftSettings(ignore=(rule.model_copy(update={"until": "2020-01-01"}),)))
    ((drift, _),) = pipeline.drift(bench.world, [stack], late)
    assert drift.status is DriftStatus.DRIFTED


def test_a_stack_that_is_not_there_cannot_drift(bench: Bench) -> None:
    bench.write(example())
    done = bench.run("check-drift", f"configs/{STARTER}.yaml")
    assert done.code == 2
    assert "not deployed" in done.stderr


@pytest.mark.spec("A33")
def test_a_person_is_asked_and_may_say_no(bench: Bench) -> None:
    bench.write(example())
    path = f"configs/{STARTER}.yaml"
    bench.run("create-prov-template", path)
    asked: list[str] = []
    bench.world = replace(bench.world, confirm=lambda question: bool(asked.append(question)))
    done = bench.run("deploy-product", path)
    assert done.code == 4
    assert "the answer was no" in done.stderr
    assert STACK in asked[0]
    bench.world = replace(bench.world, confirm=lambda _: True)
    assert bench.run("deploy-product", path).code == 0
