"""Every verb with the role of its own: a job's identity is all it has, and the roles are those that bootstrap makes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from e2e.harness import ACCOUNT, REGION, STARTER, Bench, Result, example
from e2e.test_bootstrap import NAME, config
from fakes.issuer import SECRET, Issuer, Job
from stackseal import hosts
from stackseal.world import connector

pytestmark = pytest.mark.e2e
WORKFLOWS = "stackseal/stackseal/.github/workflows"
REVIEW = Job(end="pull_request", workflow=f"{WORKFLOWS}/review.yml@refs/tags/v1")
DEPLOY = Job(end="environment:prod", workflow=f"{WORKFLOWS}/deploy.yml@refs/tags/v1")
UNSEALED = Job(end="ref:refs/heads/main", workflow=f"{WORKFLOWS}/deploy.yml@refs/tags/v1")
DRIFT = Job(end="ref:refs/heads/main", workflow=f"{WORKFLOWS}/drift.yml@refs/tags/v1", immutable=True)
CLOSED = Job(end="pull_request", workflow=f"{WORKFLOWS}/cleanup.yml@refs/tags/v1")
SWEEP = Job(end="ref:refs/heads/main", workflow=f"{WORKFLOWS}/cleanup.yml@refs/tags/v1")
STACK = f"{STARTER.removesuffix('-s3')}-stack"
CONFIG = f"configs/{STARTER}.yaml"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(REVIEW) as found:
        yield found


class Pipelines:
    """A repository whose account was bootstrapped, and its jobs, which have no AWS key."""

    def __init__(self, bench: Bench, issuer: Issuer, name: str = NAME) -> None:
        self.bench, self.issuer, self._admin = bench, issuer, bench.world
        path = config(bench, name)
        made = bench.run("bootstrap", path, "--force", "--format", "json")
        assert made.code == 0, made.stderr
        self.accounts: dict[str, Any] = made.facts["accounts"]
        (bench.folder / path).unlink()
        self.settings(self.accounts)
        bench.commit("Name the account's roles")

    def settings(self, accounts: dict[str, Any]) -> None:
        text = json.dumps({"version": 1, "configs": "configs", "accounts": accounts})
        (self.bench.folder / "stackseal.yaml").write_text(text, encoding="utf-8")

    def change(self, text: str, branch: str) -> None:
        self.bench.git("switch", "--quiet", "--create", branch, "main")
        self.bench.write(text)
        self.bench.commit(branch)

    def merge(self, branch: str) -> None:
        self.bench.git("switch", "--quiet", "main")
        self.bench.git("merge", "--quiet", "--squash", branch)
        self.bench.commit(f"Merge {branch}")

    def job(self, job: Job, *argv: str, event: str = "workflow_dispatch") -> Result:
        """One command as a job of GitHub Actions that has `id-token: write` and nothing else."""
        self.issuer.job = job
        payload = self.bench.folder / ".cache" / "event.json"
        payload.parent.mkdir(exist_ok=True)
        payload.write_text("{}", encoding="utf-8")
        theirs = {key: value for key, value in self._admin.env.items() if "KEY" not in key}
        about = {"GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": payload.as_posix(), "GITHUB_RUN_ID": "42"}
        env = {**theirs, "GITHUB_ACTIONS": "true", **about, **self.issuer.environ}
        runner = hosts.runner(env)
        self.bench.world = replace(
            self._admin, env=env, aws=connector(env), runner=runner, badge=runner.badge(lambda _: None)
        )
        try:
            done = self.bench.run(*argv)
        finally:
            self.bench.world = self._admin
        assert SECRET not in done.stdout + done.stderr
        assert not [token for token in self.issuer.tokens if token in done.stdout + done.stderr]
        return done

    def client(self, service: str) -> Any:
        """The administrator's, whoever the job is."""
        return self._admin.aws(ACCOUNT, REGION).client(service, REGION)


@pytest.fixture
def pipelines(bench: Bench, issuer: Issuer) -> Pipelines:
    return Pipelines(bench, issuer)


def test_review_deploy_drift_and_sweep_need_no_credentials(pipelines: Pipelines) -> None:
    pipelines.change(example(), "pr-1")
    reviewed = pipelines.job(REVIEW, "review", "--base", "main", "--plan", "sealed", "--pull-request", "1")
    assert reviewed.code == 0, reviewed.stderr + reviewed.stdout
    assert "sealed at" in reviewed.stdout
    (found,) = pipelines.client("cloudformation").list_change_sets(StackName=STACK)["Summaries"]
    assert found["ChangeSetName"].startswith("seal-pr1-")
    records = pipelines.client("s3").list_objects_v2(Bucket=f"stackseal-{ACCOUNT}-{REGION}", Prefix="seals/")
    assert {item["Key"].rpartition("/")[0] for item in records["Contents"]} == {f"seals/{ACCOUNT}/{REGION}/{STACK}/1"}

    pipelines.merge("pr-1")
    deployed = pipelines.job(DEPLOY, "deploy", "--pull-request", "1", "--leave-unsealed", "--force", "--format", "json")
    assert deployed.code == 0, deployed.stderr
    assert [item["status"] for item in deployed.facts["deployments"]] == ["CREATE_COMPLETE"]

    path = (pipelines.bench.folder / CONFIG).as_posix()
    watched = pipelines.job(DRIFT, "drift", path, "--format", "json")
    assert watched.code == 0, watched.stderr + watched.stdout
    assert [item["status"] for item in watched.facts["stacks"]] == ["IN_SYNC"]

    swept = pipelines.job(SWEEP, "cleanup", "--sweep", "--open", "", "--format", "json")
    assert swept.code == 0, swept.stderr
    assert swept.facts["looked_at"] == 1


def test_the_same_roles_suffice_where_every_stack_has_a_role_of_its_own(bench: Bench, issuer: Issuer) -> None:
    pipelines = Pipelines(bench, issuer, f"{NAME}-managed")
    pipelines.change(example(), "pr-1")
    reviewed = pipelines.job(REVIEW, "review", "--base", "main", "--plan", "sealed", "--pull-request", "1")
    assert reviewed.code == 0, reviewed.stderr + reviewed.stdout
    pipelines.merge("pr-1")
    deployed = pipelines.job(DEPLOY, "deploy", "--pull-request", "1", "--force", "--format", "json")
    assert deployed.code == 0, deployed.stderr
    assert [item["status"] for item in deployed.facts["deployments"]] == ["CREATE_COMPLETE"] * 2
    watched = pipelines.job(DRIFT, "drift", (bench.folder / CONFIG).as_posix(), "--format", "json")
    assert watched.code == 0, watched.stderr + watched.stdout
    assert [(item["role_of"], item["status"]) for item in watched.facts["stacks"]] == [
        (None, "IN_SYNC"),
        (STACK, "IN_SYNC"),
    ]


def test_what_nobody_reviewed_is_planned_by_the_deployments_own_job(pipelines: Pipelines) -> None:
    pipelines.bench.write(example())
    pipelines.bench.commit("Push without a review")
    planned = pipelines.job(UNSEALED, "review", "--base", "HEAD~1", "--plan", "sealed", "--unsealed")
    assert planned.code == 0, planned.stderr + planned.stdout
    (found,) = pipelines.client("cloudformation").list_change_sets(StackName=STACK)["Summaries"]
    assert found["ChangeSetName"].startswith("deploy-")


def test_a_closed_pull_request_leaves_no_change_set(pipelines: Pipelines) -> None:
    pipelines.change(example(), "pr-2")
    reviewed = pipelines.job(REVIEW, "review", "--base", "main", "--plan", "sealed", "--pull-request", "2")
    assert reviewed.code == 0, reviewed.stderr
    argv = ("cleanup", "--pull-request", "2", "--state", "closed", "--base", "main", "--head", "pr-2")
    done = pipelines.job(CLOSED, *argv)
    assert done.code == 0, done.stderr
    assert "removed 1 change sets; the empty stack stays until the sweep: access denied" in done.stdout
    assert pipelines.client("cloudformation").list_change_sets(StackName=STACK)["Summaries"] == []


@pytest.mark.parametrize(
    ("job", "role"),
    [
        (replace(REVIEW, repository="mallory/ml-infrastructure", repository_id="666"), "plan"),
        (replace(REVIEW, workflow="techcorp/ml-infrastructure/.github/workflows/x.yml@refs/heads/main"), "plan"),
        (replace(REVIEW, workflow=f"{WORKFLOWS}/review.yml@refs/heads/evil"), "plan"),
        (DRIFT, "plan"),
    ],
)
def test_a_review_by_somebody_else_is_blocked_and_asks_nothing(pipelines: Pipelines, job: Job, role: str) -> None:
    pipelines.change(example(), "pr-3")
    done = pipelines.job(job, "review", "--base", "main", "--plan", "sealed", "--pull-request", "3")
    assert done.code == 1
    assert f"stackseal-{role}-us-west-2 cannot be taken" in done.stdout
    assert "compare the role's trust policy" in done.stdout
    stacks = pipelines.client("cloudformation").list_stacks()["StackSummaries"]
    assert STACK not in {stack["StackName"] for stack in stacks}


def test_a_pull_request_does_not_choose_the_role_that_plans_it(pipelines: Pipelines) -> None:
    """The head's settings name the deploy role for plans; the base's count."""
    pipelines.bench.git("switch", "--quiet", "--create", "pr-4", "main")
    theirs = json.loads(json.dumps(pipelines.accounts))
    theirs[ACCOUNT]["roles"]["plan"] = theirs[ACCOUNT]["roles"]["deploy"]
    pipelines.settings(theirs)
    pipelines.bench.write(example())
    pipelines.bench.commit("Take another role")
    done = pipelines.job(REVIEW, "review", "--base", "main", "--plan", "sealed", "--pull-request", "4")
    assert done.code == 0, done.stdout
    assert "sealed at" in done.stdout


def test_a_role_that_the_settings_do_not_name_is_named_by_its_key(pipelines: Pipelines) -> None:
    ours = json.loads(json.dumps(pipelines.accounts))
    del ours[ACCOUNT]["roles"]["plan"]
    pipelines.settings(ours)
    pipelines.bench.commit("Forget a role")
    pipelines.change(example(), "pr-5")
    done = pipelines.job(REVIEW, "review", "--base", "main", "--plan", "sealed", "--pull-request", "5")
    assert done.code == 1
    assert f'set accounts."{ACCOUNT}".roles.plan in stackseal.yaml' in done.stdout.replace("\\", "")
    assert pipelines.issuer.asked == []


def test_without_any_credentials_a_sealed_review_is_a_prediction_that_says_so(bench: Bench) -> None:
    bench.git("switch", "--quiet", "--create", "pr-6")
    bench.write(example())
    bench.commit("Add a product")
    nothing = {"PATH": bench.world.env["PATH"], "AWS_EC2_METADATA_DISABLED": "true"}
    bench.world = replace(bench.world, env=nothing, aws=connector(nothing))
    done = bench.run("review", "--base", "main", "--plan", "sealed", "--pull-request", "6")
    assert done.code == 0, done.stderr
    assert "predicted, not sealed" in done.stdout
    assert "There are no AWS credentials, so the plan is predicted" in done.stdout
    assert "warning: There are no AWS credentials" in done.stderr
    assert not (bench.folder / "ml" / "seals").exists()
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--squash", "pr-6")
    bench.commit("Merge it")
    refused = bench.run("deploy", "--pull-request", "6", "--force")
    assert refused.code == 4
    assert "no review has sealed exactly this" in refused.stderr
