"""Review, deployment and drift detection as the generated roles: each can do its part, and nothing of the others'."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest

from e2e.harness import ACCOUNT, REGION, Bench, example
from e2e.recording import REVIEW_CALLS
from e2e.test_connection import NAME as GITHUB
from e2e.test_connection import text as github
from e2e.test_network import NAT, SHOP
from stackseal import assets, config, facts, pipeline, policy, settings
from stackseal.aws.errors import AwsFailed
from stackseal.aws.session import Aws
from stackseal.change import preparation
from stackseal.model import DriftStatus, Level, Outcome, PlanKind, Policy, Report, Role, Statement, Template
from stackseal.policy import Roles

pytestmark = pytest.mark.e2e
CONFIG = "globalbank-prod-c001-us-west-2-demand-forecasting-ml-codecommit-standalone-ssm"
STACK = f"{CONFIG.removesuffix('-codecommit-standalone-ssm')}-stack"
BUCKET = f"stackseal-{ACCOUNT}-{REGION}"
ROLES = Roles(execution=f"arn:aws:iam::{ACCOUNT}:role/stackseal-execution", bucket=BUCKET)
TEXT = re.sub(r'account_id: "\d+"', f'account_id: "{ACCOUNT}"', example(CONFIG))
CHANGED = re.sub(r"owner: .*", "owner: another-team", TEXT)
PUBLISHED = {
    "/vpc/globalbank-prod-c001-us-west-2-vpc/VPCId": "vpc-0123456789abcdef0",
    "/vpc/globalbank-prod-c001-us-west-2-vpc/PrivateSubnetIds": "subnet-0123456789abcdef0,subnet-0fedcba9876543210",
}

PLAN_WRITES = {
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteChangeSet",
    "iam:PassRole",
    "s3:PutObject",
}


@dataclass(kw_only=True)
class Account:
    """The account with its roles, and what was asked of AWS so far."""

    bench: Bench
    asked: set[str] = field(default_factory=set)
    together: bool = False
    """Whether the roles keep what they have for other stacks."""

    def role(self, name: str, found: Policy, trusted: Mapping[str, str]) -> None:
        """A role with exactly this policy."""
        iam = self.bench.client("iam")
        trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        if name not in {item["RoleName"] for item in iam.list_roles()["Roles"]}:
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
        for old in iam.list_role_policies(RoleName=name)["PolicyNames"] if not self.together else ():
            iam.delete_role_policy(RoleName=name, PolicyName=old)
        before = len(iam.list_role_policies(RoleName=name)["PolicyNames"])
        for index, each in enumerate(policy.documents(found), start=before):
            iam.put_role_policy(RoleName=name, PolicyName=f"p{index}", PolicyDocument=json.dumps(each))

    def roles(self, head: Template, base: Template | None = None) -> None:
        """All roles of the stack, as they must be for this change."""
        for found in policy.generate(head, base=base, roles=ROLES):
            if found.role is Role.EXECUTION:
                self.role("stackseal-execution", found, {"Service": "cloudformation.amazonaws.com"})
            elif found.role in {Role.PLAN, Role.DEPLOY, Role.DRIFT}:
                self.role(f"stackseal-{found.role.value}", found, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})

    def as_role(self, role: Role) -> Bench:
        """The same repository, worked on by somebody who has taken the role."""
        arn = f"arn:aws:iam::{ACCOUNT}:role/stackseal-{role.value}"
        keys = self.bench.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        environ = {
            **self.bench.aws.environ(),
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }
        made = Recorded(environ, region=REGION)
        made.asked = self.asked
        return replace(self.bench, world=replace(self.bench.world, aws=lambda _account, _region: made))


class Recorded(Aws):
    """A way to AWS that notes every operation."""

    asked: set[str]

    def client(self, service: Any, region: str | None = None) -> Any:
        found = super().client(service, region)
        found.meta.events.register("before-call.*.*", partial(self._note, service), unique_id="noted")
        return found

    def _note(self, service: str, model: Any, **_: Any) -> None:
        name = {"ListObjectsV2": "ListBucket", "ListObjectVersions": "ListBucketVersions"}.get(model.name, model.name)
        self.asked.add(f"{service}:{name}")


@pytest.fixture
def account(bench: Bench) -> Account:
    bench.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for path, value in PUBLISHED.items():
        kind = "StringList" if "," in value else "String"
        bench.client("ssm").put_parameter(Name=path, Value=value, Type=kind)
    ours = f'accounts: {{"{ACCOUNT}": {{execution_role: "{ROLES.execution}", artifact_bucket: {BUCKET}}}}}'
    (bench.folder / settings.FILE).write_text(f"version: 1\nconfigs: configs\n{ours}\n")
    bench.commit("Name the role and the bucket")
    return Account(bench=bench)


def rendered(bench: Bench, text: str, name: str = CONFIG) -> Template:
    parsed = config.parse(text.encode(), f"configs/{name}.yaml")
    resolved = preparation.catalogue_of(bench.world).resolve(parsed, bench.world.sandbox)
    return preparation.rendered(bench.world, resolved, ()).template


def proposed(account: Account, number: int, text: str) -> Report:
    """A pull request, reviewed as the plan role."""
    bench = account.bench
    bench.git("switch", "--quiet", "--create", f"pr-{number}")
    bench.write(text, f"{CONFIG}.yaml")
    bench.commit(f"Pull request {number}")
    report = account.as_role(Role.PLAN).review(number)
    assert report.failures == ()
    return report


def pushed(account: Account, text: str) -> Report:
    """One more commit of the pull request that is checked out, reviewed as the plan role."""
    account.bench.write(text, f"{CONFIG}.yaml")
    account.bench.commit("One more thing")
    return account.as_role(Role.PLAN).review(2)


def merged(account: Account, number: int) -> Outcome:
    """The same pull request, deployed as the deploy role."""
    account.bench.git("switch", "--quiet", "main")
    account.bench.git("merge", "--quiet", "--ff-only", f"pr-{number}")
    (done,) = account.as_role(Role.DEPLOY).deploy(number)
    assert done.outcome.good, done
    return done.outcome


@pytest.mark.spec("A23")
def test_each_role_does_its_part_with_its_own_policy_alone(account: Account) -> None:
    first, second = rendered(account.bench, TEXT), rendered(account.bench, CHANGED)
    account.roles(first)
    proposed(account, 1, TEXT)
    reviewed = set(account.asked)
    assert merged(account, 1) is Outcome.CREATED
    account.roles(second, first)
    account.asked.clear()
    report = proposed(account, 2, CHANGED)
    assert report.stacks[0].plan
    assert report.stacks[0].plan.changes
    again = pushed(account, CHANGED.replace("another-team", "a-third-team"))
    assert again.failures == ()
    assert "warning" not in account.bench.out.getvalue()
    assert reviewed | account.asked == REVIEW_CALLS - {"codeconnections:GetConnection"}
    assert merged(account, 2) is Outcome.UPDATED
    account.roles(second)
    account.asked.clear()
    stack = second.stack
    assert stack
    drift = pipeline.drift_of(account.as_role(Role.DRIFT).world, stack)
    assert drift.status is DriftStatus.IN_SYNC
    assert {item.status for item in drift.resources} <= {"IN_SYNC", "NOT_CHECKED"}
    assert writes_of(account.asked) == set()


@pytest.mark.spec("A23", "D01")
def test_the_plan_role_sees_the_connection_that_the_config_names_and_says_where_it_may_not(account: Account) -> None:
    bench = account.bench
    made = bench.client("codeconnections").create_connection(ProviderType="GitHub", ConnectionName="churn")
    text = github(str(made["ConnectionArn"]))
    account.roles(rendered(bench, text, GITHUB))
    bench.git("switch", "--quiet", "--create", "pr-1")
    bench.write(text, f"{GITHUB}.yaml")
    bench.commit("Read from GitHub")

    def levels() -> list[Level]:
        report = account.as_role(Role.PLAN).review(1)
        assert report.failures == ()
        return [each.level for stack in report.stacks for each in stack.findings if each.check == "connection"]

    assert levels() == [Level.WARNING]
    other = text.replace(made["ConnectionArn"], made["ConnectionArn"][:-1] + "x")
    account.roles(rendered(bench, other.replace("x\n", "0\n"), GITHUB))
    assert levels() == [Level.NOTE]


@pytest.mark.spec("A23")
def test_the_roles_of_two_stacks_suffice_for_one_that_waits_for_the_other(account: Account) -> None:
    account.together = True
    bench = account.bench
    bench.git("switch", "--quiet", "--create", "pr-1")
    for each in (NAT, SHOP):
        text, name = (assets.PRODUCTS / f"{each}.yaml").read_text(encoding="utf-8"), each.rpartition("/")[2]
        account.roles(rendered(bench, text, name))
        bench.write(text, f"{name}.yaml")
    bench.commit("Add a network")
    report = account.as_role(Role.PLAN).review(1)
    assert report.failures == ()
    assert [stack.plan.kind for stack in report.stacks if stack.plan] == [PlanKind.DEFERRED, PlanKind.CHANGE_SET]
    assert account.asked <= REVIEW_CALLS
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", "pr-1")
    done = account.as_role(Role.DEPLOY).deploy(1)
    assert [item.outcome for item in done] == [Outcome.CREATED, Outcome.CREATED], done


def writes_of(actions: set[str]) -> set[str]:
    return {name for name in actions if (known := facts.action(name)) and not known.reads}


@pytest.mark.spec("A23")
def test_what_a_role_must_not_do_it_cannot(account: Account) -> None:
    account.roles(rendered(account.bench, TEXT))
    report = proposed(account, 1, TEXT)
    assert report.stacks[0].plan
    change_set = report.stacks[0].plan.change_set
    assert change_set
    for role in (Role.PLAN, Role.DRIFT):
        cfn = account.as_role(role).world.cloudformation(report.stacks[0].id)
        with pytest.raises(AwsFailed, match="not authorized"):
            cfn.execute(change_set, token="t")
        with pytest.raises(AwsFailed, match="not authorized"):
            cfn.delete_stack(STACK)
        with pytest.raises(AwsFailed, match="not authorized"):
            cfn.set_termination_protection(STACK, on=False)
    with pytest.raises(AwsFailed, match="not authorized"):
        account.as_role(Role.DRIFT).world.cloudformation(report.stacks[0].id).delete_change_set(change_set)


@pytest.mark.spec("A23")
def test_plan_and_drift_write_nothing_but_change_sets_records_and_templates(account: Account) -> None:
    template = rendered(account.bench, TEXT)
    found = {item.role: item for item in policy.generate(template, roles=ROLES)}
    assert writes_of(actions(found[Role.DRIFT])) == set()
    assert writes_of(actions(found[Role.PLAN])) == PLAN_WRITES
    by_action = {name: item for item in found[Role.PLAN].statements for name in item.actions if name in PLAN_WRITES}
    assert by_action["iam:PassRole"].resources == (ROLES.execution,)
    assert limits(by_action["iam:PassRole"]) == {"iam:PassedToService": ("cloudformation.amazonaws.com",)}
    assert all(arn.startswith(f"arn:aws:s3:::{BUCKET}/") for arn in by_action["s3:PutObject"].resources)
    for verb in ("CreateChangeSet", "DeleteChangeSet"):
        names = limits(by_action[f"cloudformation:{verb}"])["cloudformation:ChangeSetName"]
        assert all(name.rpartition("changeSet/")[2].startswith(("seal-", "deploy-")) for name in names)


def actions(found: Policy) -> set[str]:
    return {name for statement in found.statements for name in statement.actions}


def limits(statement: Statement) -> dict[str, tuple[str, ...]]:
    return {key: values for keys in statement.conditions.values() for key, values in keys.items()}
