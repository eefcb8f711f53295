"""Every role of a stack set does its work with the generated policy and nothing else, and no other role's work."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from e2e.everywhere import CONFIG, HOME, ONE, SELF, SERVICE, TWO, Everywhere, plan, trust
from e2e.harness import REGION, Bench
from stackseal import policy, settings
from stackseal.aws.session import Aws
from stackseal.change import preparation
from stackseal.model import ADMINISTRATION_ROLE, Outcome, PlanOperation, Policy, Role

pytestmark = pytest.mark.e2e
BUCKET = "stackseal-seals-here"
USED = policy.Roles(execution=f"arn:aws:iam::{HOME}:role/{ADMINISTRATION_ROLE}", bucket=BUCKET)


@pytest.fixture
def all_of(bench: Bench) -> Everywhere:
    bench.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    text = f'version: 1\nconfigs: configs\naccounts: {{"{HOME}": {{artifact_bucket: {BUCKET}}}}}\n'
    (bench.folder / settings.FILE).write_text(text, encoding="utf-8")
    bench.commit("Name the bucket")
    return Everywhere(bench=bench)


def granted(all_of: Everywhere, text: str, name: str, *accounts: str) -> None:
    """The roles of a config with exactly their generated policies; the execution role in each of the accounts."""
    path = all_of.bench.write(text, name)
    world = replace(all_of.bench.world, here=all_of.bench.folder)
    found = {one.role: one for one in policy.generate(preparation.prepare(world, str(path)).template, roles=USED)}
    path.unlink()
    iam = all_of.bench.client("iam", HOME)
    for role in (Role.PLAN, Role.DEPLOY, Role.DRIFT):
        iam.create_role(RoleName=role.value, AssumeRolePolicyDocument=trust("AWS", f"arn:aws:iam::{HOME}:root"))
        attached(iam, role.value, found[role])
    if accounts:
        (document,) = policy.documents(found[Role.EXECUTION])
        all_of.roles(*accounts, policy=json.dumps(document))


def attached(iam: Any, name: str, found: Policy) -> None:
    for number, document in enumerate(policy.documents(found)):
        iam.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=json.dumps(document))


def acting(all_of: Everywhere, role: Role) -> Everywhere:
    """The same repository, worked on by somebody who has taken the role."""
    bench = all_of.bench
    arn = f"arn:aws:iam::{HOME}:role/{role.value}"
    keys = bench.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    environ = {
        **bench.aws.environ(),
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    world = replace(bench.world, aws=lambda _account, _region: Aws(environ, region=REGION))
    return Everywhere(bench=replace(bench, world=world))


@pytest.mark.spec("D13")
def test_each_role_does_its_own_work(all_of: Everywhere) -> None:
    granted(all_of, CONFIG, SELF.name, ONE, TWO)

    report = acting(all_of, Role.PLAN).propose(CONFIG)
    assert plan(report).operation is PlanOperation.CREATE
    done = acting(all_of, Role.DEPLOY).merge()
    assert done.outcome is Outcome.CREATED, done
    watched = acting(all_of, Role.DRIFT).bench.run("check-drift", f"configs/{SELF.name}")
    assert watched.code == 0, watched.stderr

    changed = CONFIG.replace("guardrails_baseline: {}", "guardrails_baseline: {rules: [vpc]}")
    assert plan(acting(all_of, Role.PLAN).propose(changed, 2)).operation is PlanOperation.UPDATE
    assert acting(all_of, Role.DEPLOY).merge(2).outcome is Outcome.UPDATED
    assert plan(acting(all_of, Role.PLAN).propose(None, 3)).operation is PlanOperation.DELETE
    gone = acting(all_of, Role.DEPLOY).merge(3)
    assert gone.outcome is Outcome.DELETED, gone
    assert not all_of.guarded(ONE)


def test_who_reviews_cannot_deploy(all_of: Everywhere) -> None:
    granted(all_of, CONFIG, SELF.name, ONE, TWO)
    acting(all_of, Role.PLAN).propose(CONFIG)

    done = acting(all_of, Role.PLAN).merge()

    assert done.outcome is Outcome.FAILED
    assert "cloudformation:CreateStackSet" in done.message
    assert not all_of.guarded(ONE)


def test_an_execution_role_that_is_too_small_fails_its_account_only(all_of: Everywhere) -> None:
    tolerant = CONFIG.replace("max_concurrent_count: 2", "failure_tolerance_count: 1")
    granted(all_of, tolerant, SELF.name, ONE, TWO)
    all_of.bench.client("iam", ONE).put_role_policy(
        RoleName="AWSCloudFormationStackSetExecutionRole",
        PolicyName="work",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"}],
            }
        ),
    )
    acting(all_of, Role.PLAN).propose(tolerant)

    done = acting(all_of, Role.DEPLOY).merge()

    assert [(one.target.account, one.outcome) for one in done.instances] == [
        (ONE, Outcome.FAILED),
        (TWO, Outcome.CREATED),
    ]
    assert "is not authorized to perform: iam:CreatePolicy" in done.instances[0].reason


def test_organizational_units_need_no_role_of_ours(all_of: Everywhere) -> None:
    client = all_of.bench.client("organizations", HOME)
    root = client.list_roots()["Roots"][0]["Id"]
    unit = client.create_organizational_unit(ParentId=root, Name="ml")["OrganizationalUnit"]["Id"]
    account = client.create_account(Email="a@example.com", AccountName="a")["CreateAccountStatus"]["AccountId"]
    client.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
    text = SERVICE.read_text(encoding="utf-8").replace("ou-ab12-34cd56ef", unit)
    granted(all_of, text, SERVICE.name)

    report = acting(all_of, Role.PLAN).propose(text, name=SERVICE.name)

    assert any("without a review" in note for note in plan(report).notes)
    assert acting(all_of, Role.DEPLOY).merge().outcome is Outcome.CREATED
    assert all_of.guarded(account, "techcorp-staging-a001-guardrails-us-west-2")


def test_an_account_that_manages_its_roles_makes_none_for_a_stack_set(all_of: Everywhere) -> None:
    text = f'version: 1\nconfigs: configs\naccounts: {{"{HOME}": {{execution_roles: managed}}}}\n'
    (all_of.bench.folder / settings.FILE).write_text(text, encoding="utf-8")
    all_of.bench.commit("Manage the roles")
    all_of.roles(ONE, TWO)

    all_of.deployed()

    assert all_of.bench.client("cloudformation").list_stacks()["StackSummaries"] == []
    watched = all_of.bench.run("drift", f"configs/{SELF.name}", "--format", "json")
    assert [row["status"] for row in watched.facts["stacks"]] == ["IN_SYNC"]


def test_a_closed_pull_request_leaves_nothing_to_tidy_up(all_of: Everywhere) -> None:
    granted(all_of, CONFIG, SELF.name)
    acting(all_of, Role.PLAN).propose(CONFIG)

    done = acting(all_of, Role.PLAN).bench.run(
        "cleanup", "--pull-request", "1", "--state", "closed", "--base", "main", "--head", "pr-1"
    )

    assert done.code == 0, done.stderr
