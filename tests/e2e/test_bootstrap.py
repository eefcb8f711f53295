"""An account is set up once, and what it then has suffices for a product's whole life."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml

from e2e.harness import ACCOUNT, REGION, STARTER, Bench, example
from stackseal import assets
from stackseal.model import Outcome

pytestmark = pytest.mark.e2e
FOLDER = assets.PRODUCTS / "bootstrap" / "examples"
NAME = f"stackseal-{ACCOUNT}-us-west-2-bootstrap"
STACK = "stackseal-us-west-2-bootstrap"
CONFIG = f"configs/{NAME}.yaml"
VERBS = ("plan", "deploy", "drift", "cleanup")
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"


def config(bench: Bench, name: str = NAME, **changes: str) -> str:
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    for old, new in changes.items():
        text = text.replace(old, new)
    bench.write(text, f"{name}.yaml")
    return f"configs/{name}.yaml"


def test_an_account_is_set_up_and_a_second_run_changes_nothing(bench: Bench) -> None:
    done = bench.run("bootstrap", config(bench), "--force", "--format", "json")
    assert done.code == 0, done.stderr
    assert done.facts["accounts"] == {
        ACCOUNT: {
            "execution_role": f"arn:aws:iam::{ACCOUNT}:role/stackseal-execution-us-west-2",
            "artifact_bucket": f"stackseal-{ACCOUNT}-us-west-2",
            "roles": {verb: f"arn:aws:iam::{ACCOUNT}:role/stackseal-{verb}-us-west-2" for verb in VERBS},
        }
    }
    assert "15 changes" in done.stderr
    cfn = bench.client("cloudformation")
    assert cfn.describe_stacks(StackName=STACK)["Stacks"][0]["EnableTerminationProtection"] is True
    before = len(cfn.describe_stack_events(StackName=STACK)["StackEvents"])

    again = bench.run("bootstrap", CONFIG, "--force")
    assert again.code == 0, again.stderr
    assert "nothing changes" in again.stderr
    settings = yaml.safe_load(again.stdout.partition("# GitHub")[0])
    assert settings == {"accounts": done.facts["accounts"]}
    assert "prod: deployment branches main" in again.stdout
    assert len(cfn.describe_stack_events(StackName=STACK)["StackEvents"]) == before


def test_the_plan_is_shown_and_a_no_leaves_nothing_behind(bench: Bench) -> None:
    dry = bench.run("bootstrap", config(bench), "--dry-run", "--format", "json")
    assert dry.code == 0, dry.stderr
    assert len(dry.facts["changes"]) == 15
    assert bench.client("cloudformation").list_stacks()["StackSummaries"] == []
    done = bench.run("bootstrap", CONFIG)
    assert done.code == 4
    assert "--force is missing" in done.stderr
    assert "add PlanRole (AWS::IAM::Role)" in done.stderr
    stacks = bench.client("cloudformation").list_stacks()["StackSummaries"]
    assert {stack["StackStatus"] for stack in stacks} <= {"DELETE_COMPLETE"}
    assert bench.client("iam").list_roles()["Roles"] == []


def test_another_account_another_product_and_a_second_provider_are_refused(bench: Bench) -> None:
    connect = bench.world.aws
    bench.world = replace(bench.world, aws=lambda _, region: connect("999988887777", region))
    done = bench.run("bootstrap", config(bench), "--force")
    assert done.code == 4
    assert "the credentials belong to the account 999988887777" in done.stderr
    assert connect("999988887777", REGION).client("cloudformation").list_stacks()["StackSummaries"] == []
    bench.world = replace(bench.world, aws=connect)
    bench.write(example())
    done = bench.run("bootstrap", f"configs/{STARTER}.yaml", "--force")
    assert done.code == 2
    assert "chooses the product ml" in done.stderr
    bench.client("iam").create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"]
    )
    done = bench.run("bootstrap", config(bench), "--force")
    assert done.code == 4
    assert f"set bootstrap.oidc_provider_arn: {PROVIDER}" in done.stderr
    done = bench.run("bootstrap", config(bench, f"{NAME}-shared"), "--force")
    assert done.code == 0, done.stderr


def test_doctor_says_what_an_account_lacks(bench: Bench) -> None:
    path = config(bench)
    done = bench.run("doctor", path)
    assert done.code == 1
    assert "missing: stackseal bootstrap" in done.stdout
    assert "missing: there is no role stackseal-plan-us-west-2" in done.stdout
    made = bench.run("bootstrap", path, "--force", "--format", "json")
    done = bench.run("doctor", path)
    assert done.code == 1
    assert f"missing: set it to stackseal-{ACCOUNT}-us-west-2" in done.stdout
    (bench.folder / "stackseal.yaml").write_text(json.dumps({"version": 1, "accounts": made.facts["accounts"]}))
    done = bench.run("doctor", path)
    assert done.code == 0, done.stdout
    assert f"stackseal.yaml roles.plan       arn:aws:iam::{ACCOUNT}:role/stackseal-plan-us-west-2" in done.stdout
    wrong = json.loads(json.dumps(made.facts["accounts"]))
    wrong[ACCOUNT]["roles"] |= {"drift": wrong[ACCOUNT]["roles"]["deploy"]}
    (bench.folder / "stackseal.yaml").write_text(json.dumps({"version": 1, "accounts": wrong}))
    done = bench.run("doctor", path)
    assert done.code == 1
    assert done.stdout.count("missing: ") == 1
    assert f"missing: set it to arn:aws:iam::{ACCOUNT}:role/stackseal-drift-us-west-2" in done.stdout
    bench.client("iam").delete_role_policy(RoleName="stackseal-cleanup-us-west-2", PolicyName="cleanup")
    bench.client("iam").delete_role(RoleName="stackseal-cleanup-us-west-2")
    config(bench, **{"environments: [prod]": "environments: [prod, staging]"})
    done = bench.run("doctor", path)
    assert done.code == 1
    assert "missing: there is no role stackseal-cleanup-us-west-2" in done.stdout
    assert "missing: 1 changes of the config are not deployed" in done.stdout


def test_a_fresh_account_has_no_drift_and_an_audience_by_hand_is_found(bench: Bench) -> None:
    path = config(bench)
    assert bench.run("bootstrap", path, "--force").code == 0
    done = bench.run("check-drift", path)
    assert done.code == 0, done.stdout
    iam = bench.client("iam")
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER)
    iam.create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com", "https://github.com/evil"]
    )
    done = bench.run("check-drift", path)
    assert done.code == 1
    assert "GitHubProvider" in done.stdout


def test_a_test_stack_lives_beside_the_real_one(bench: Bench) -> None:
    path = config(bench)
    assert bench.run("bootstrap", path, "--force").code == 0
    done = bench.run("test-deploy", path)
    assert done.code == 0, done.stderr
    listed = bench.client("cloudformation").list_stacks()["StackSummaries"]
    names = sorted(item["StackName"] for item in listed if item["StackStatus"] == "CREATE_COMPLETE")
    assert names[0] == STACK
    assert names[1].startswith(f"{STACK}-test-")


def test_the_account_suffices_for_a_product(bench: Bench) -> None:
    """The execution role that bootstrap makes, enforced, creates and deletes a stack; records lie in the bucket."""
    made = bench.run("bootstrap", config(bench), "--force", "--format", "json")
    (bench.folder / CONFIG).unlink()
    (bench.folder / "stackseal.yaml").write_text(
        json.dumps({"version": 1, "configs": "configs", "accounts": made.facts["accounts"]})
    )
    bench.commit("Name the account's role and bucket")
    bench.git("switch", "--quiet", "--create", "pr-1")
    bench.write(example())
    bench.commit("Add a product")
    report = bench.review(1)
    assert not report.failures
    keys = bench.client("s3").list_objects_v2(Bucket=f"stackseal-{ACCOUNT}-{REGION}")["Contents"]
    stack = f"{STARTER.removesuffix('-s3')}-stack"
    assert {item["Key"].rpartition("/")[0] for item in keys} == {f"seals/{ACCOUNT}/{REGION}/{stack}/1"}
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", "pr-1")
    (done,) = bench.deploy(1)
    assert done.outcome is Outcome.CREATED, done
    role = bench.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["RoleARN"]
    assert role.endswith("role/stackseal-execution-us-west-2")
