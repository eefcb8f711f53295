"""Stack sets from a config to every account: what a review seals is deployed, account by account, and nothing more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from e2e.everywhere import (
    CONFIG,
    HOME,
    IDENTITY,
    NAME,
    ONE,
    POLICY,
    SELF,
    SERVICE,
    THREE,
    TWO,
    Everywhere,
    plan,
    rows,
    target,
)
from e2e.harness import Bench
from stackseal.change import preparation
from stackseal.errors import Refused
from stackseal.model import Outcome, PlanKind, PlanOperation, Template, Verdict
from stackseal.plan import stack_set
from stackseal.report import done as reports

pytestmark = pytest.mark.e2e
VPC = CONFIG.replace("guardrails_baseline: {}", "guardrails_baseline: {rules: [vpc]}")
THIRD = CONFIG.replace(f'"{TWO}"]', f'"{TWO}", "{THREE}"]')
FIRST = CONFIG.replace(f', "{TWO}"]', "]")


@pytest.fixture
def all_of(bench: Bench) -> Everywhere:
    return Everywhere(bench=bench)


@pytest.mark.spec("D13")
def test_what_was_reviewed_is_in_every_account(all_of: Everywhere) -> None:
    all_of.roles(ONE, TWO)

    found = plan(all_of.propose(CONFIG))

    assert (found.kind, found.operation) == (PlanKind.STACK_SET, PlanOperation.CREATE)
    assert rows(found)[:3] == [f"Add {NAME}", f"Add {ONE}/us-west-2", f"Add {TWO}/us-west-2"]
    assert {"Add GuardrailPolicy", "Add SsmGuardrailPolicyArn"} <= set(rows(found))
    assert found.seal
    assert not all_of.guarded(ONE)
    done = all_of.merge()
    assert (done.outcome, done.status) == (Outcome.CREATED, "SUCCEEDED")
    assert [(one.target, one.outcome) for one in done.instances] == [
        (target(ONE), Outcome.CREATED),
        (target(TWO), Outcome.CREATED),
    ]
    assert (all_of.guarded(ONE), all_of.guarded(TWO), all_of.guarded(HOME)) == (True, True, False)


def test_an_update_shows_what_changes_in_every_stack(all_of: Everywhere) -> None:
    all_of.roles(ONE, TWO)
    all_of.deployed()

    found = plan(all_of.propose(VPC, 2))

    assert found.operation is PlanOperation.UPDATE
    assert rows(found) == [
        f"Modify {NAME}",
        f"Modify {ONE}/us-west-2",
        f"Modify {TWO}/us-west-2",
        "Modify GuardrailPolicy",
    ]
    assert found.changes[-1].properties[0].path.startswith("PolicyDocument/Statement")
    assert all_of.merge(2).outcome is Outcome.UPDATED


def test_accounts_come_and_go(all_of: Everywhere) -> None:
    all_of.roles(ONE, TWO, THREE)
    all_of.deployed(FIRST)

    swapped = FIRST.replace(ONE, THREE)
    report = all_of.propose(swapped, 2)

    assert rows(plan(report)) == [f"Remove {ONE}/us-west-2", f"Add {THREE}/us-west-2"]
    assert report.verdict is Verdict.HUMAN
    assert [item.sentence for item in plan(report).consequences] == [
        "The stack of this account and region is deleted with 2 resources."
    ]
    done = all_of.merge(2)
    assert [(one.target.account, one.outcome) for one in done.instances] == [
        (ONE, Outcome.DELETED),
        (THREE, Outcome.CREATED),
    ]
    assert (all_of.guarded(ONE), all_of.guarded(THREE)) == (False, True)


def test_a_removed_config_removes_the_set_and_every_stack(all_of: Everywhere) -> None:
    all_of.roles(ONE, TWO)
    all_of.deployed()

    report = all_of.propose(None, 2)

    assert plan(report).operation is PlanOperation.DELETE
    assert rows(plan(report)) == [f"Remove {NAME}", f"Remove {ONE}/us-west-2", f"Remove {TWO}/us-west-2"]
    done = all_of.merge(2)
    assert done.outcome is Outcome.DELETED
    assert not all_of.guarded(ONE)
    assert all_of.bench.client("cloudformation").list_stack_sets()["Summaries"] == []


def test_no_changes_is_a_success(all_of: Everywhere) -> None:
    all_of.roles(ONE, TWO)
    all_of.deployed()
    with_default = CONFIG.replace("guardrails_baseline: {}", "guardrails_baseline: {rules: [vpc, keys, traffic]}")

    found = plan(all_of.propose(with_default, 2))

    assert (found.operation, found.changes) == (PlanOperation.NONE, ())
    assert all_of.merge(2).outcome is Outcome.UNCHANGED


def test_a_stack_that_somebody_added_since_the_review_is_not_touched(all_of: Everywhere) -> None:
    all_of.roles(ONE, TWO, THREE)
    all_of.deployed()
    all_of.propose(VPC, 2)
    cfn = all_of.bench.client("cloudformation")
    made = cfn.create_stack_instances(StackSetName=NAME, Accounts=[THREE], Regions=["us-west-2"])
    all_of.settled(made["OperationId"])

    with pytest.raises(Refused, match=f"Not reviewed: Remove {THREE}/us-west-2"):
        all_of.merge(2)

    assert all_of.guarded(THREE)


def test_a_template_that_somebody_changed_since_the_review_is_not_overwritten(all_of: Everywhere) -> None:
    all_of.roles(ONE, TWO)
    all_of.deployed()
    assert plan(all_of.propose(VPC, 2)).operation is PlanOperation.UPDATE
    cfn = all_of.bench.client("cloudformation")
    body = cfn.describe_stack_set(StackSetName=NAME)["StackSet"]["TemplateBody"].replace(
        '"SsmGuardrailPolicyArn"', '"Another"'
    )
    all_of.settled(cfn.update_stack_set(StackSetName=NAME, TemplateBody=body)["OperationId"])

    with pytest.raises(Refused, match="Not reviewed: Remove Another"):
        all_of.merge(2)


@pytest.mark.spec("D13")
def test_one_account_that_fails_makes_the_deployment_fail_and_a_repeat_goes_on(all_of: Everywhere) -> None:
    all_of.roles(ONE)
    tolerant = CONFIG.replace("max_concurrent_count: 2", "failure_tolerance_count: 1")
    all_of.propose(tolerant)

    done = all_of.merge()

    assert (done.outcome, done.status) == (Outcome.FAILED, "SUCCEEDED")
    assert [(one.target.account, one.outcome, one.status) for one in done.instances] == [
        (ONE, Outcome.CREATED, "SUCCEEDED"),
        (TWO, Outcome.FAILED, "FAILED"),
    ]
    assert f"Account {TWO} should have" in done.instances[1].reason
    assert f"Account {TWO} should have" in done.first_failure.reason
    for text in (reports.deployed((done,)), reports.page(done)):
        assert "1 of 2 accounts and regions done" in text
        assert TWO in text
    all_of.roles(TWO)
    (again,) = all_of.bench.deploy(1)
    assert again.outcome is Outcome.UPDATED, again
    assert [one.target.account for one in again.instances] == [TWO]
    assert all_of.guarded(TWO)


def test_what_was_not_begun_is_told(all_of: Everywhere) -> None:
    all_of.roles(TWO)
    all_of.propose(CONFIG)

    done = all_of.merge()

    assert done.outcome is Outcome.FAILED
    assert [(one.target.account, one.status) for one in done.instances] == [(ONE, "FAILED"), (TWO, "CANCELLED")]


def organised(all_of: Everywhere, count: int = 2) -> tuple[str, list[str]]:
    """An organizational unit and its accounts."""
    client = all_of.bench.client("organizations", HOME)
    root = client.list_roots()["Roots"][0]["Id"]
    unit = client.create_organizational_unit(ParentId=root, Name="ml")["OrganizationalUnit"]["Id"]
    return unit, [joined(all_of, unit, number) for number in range(count)]


def joined(all_of: Everywhere, unit: str, number: int) -> str:
    """An account that is in the unit from now on."""
    client = all_of.bench.client("organizations", HOME)
    root = client.list_roots()["Roots"][0]["Id"]
    made = client.create_account(Email=f"{number}@example.com", AccountName=f"ml-{number}")
    account = str(made["CreateAccountStatus"]["AccountId"])
    client.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
    return account


def service(unit: str) -> str:
    text = SERVICE.read_text(encoding="utf-8").replace("ou-ab12-34cd56ef", unit)
    return text.replace("  auto_deployment: true\n  retain_on_account_removal: true\n", "")


@pytest.mark.spec("D13")
def test_organizational_units_are_resolved_and_sealed(all_of: Everywhere) -> None:
    unit, accounts = organised(all_of)
    report = all_of.propose(service(unit), name=SERVICE.name)

    found = plan(report)

    assert [row for row in rows(found) if "/" in row] == [f"Add {account}/us-west-2" for account in sorted(accounts)]
    assert found.execution_role is None
    done = all_of.merge()
    assert done.outcome is Outcome.CREATED
    policy = "techcorp-staging-a001-guardrails-us-west-2"
    assert [all_of.guarded(account, policy) for account in accounts] == [True, True]
    assert plan(all_of.propose(None, 2, name=SERVICE.name)).operation is PlanOperation.DELETE
    assert all_of.merge(2).outcome is Outcome.DELETED


@pytest.mark.spec("D13")
def test_an_account_that_joined_since_the_review_is_refused(all_of: Everywhere) -> None:
    unit, _ = organised(all_of)
    all_of.propose(service(unit), name=SERVICE.name)
    newcomer = joined(all_of, unit, 9)

    with pytest.raises(Refused, match=f"Not reviewed: Add {newcomer}/us-west-2"):
        all_of.merge()


def test_self_managed_sets_take_organizational_units_too(all_of: Everywhere) -> None:
    unit, accounts = organised(all_of)
    all_of.roles(*accounts)
    text = CONFIG.replace(f'accounts: ["{ONE}", "{TWO}"]', f"organizational_units: [{unit}]")

    all_of.deployed(text)

    assert [all_of.guarded(account) for account in accounts] == [True, True]


def test_the_record_holds_every_target(all_of: Everywhere) -> None:
    all_of.roles(ONE, TWO)
    all_of.propose(CONFIG)

    (record,) = all_of.bench.records.of(IDENTITY, 1)

    assert record.change_set is None
    assert record.execution_role == f"arn:aws:iam::{HOME}:role/AWSCloudFormationStackSetAdministrationRole"
    assert {line.logical_id for line in record.lines if line.type == "stack in an account"} == {
        f"{ONE}/us-west-2",
        f"{TWO}/us-west-2",
    }


def test_drift_is_found_in_the_account_where_it_is(all_of: Everywhere) -> None:
    all_of.roles(ONE, TWO)
    all_of.deployed()
    config = f"configs/{SELF.name}"
    assert all_of.bench.run("check-drift", config).code == 0
    ssm = all_of.bench.client("ssm", TWO)
    ssm.put_parameter(
        Name="/guardrails/techcorp-prod-a001/GuardrailPolicyArn", Value="mine", Type="String", Overwrite=True
    )

    done = all_of.bench.run("check-drift", config, "--format", "json")

    assert done.code == 1
    (difference,) = done.facts["differences"]
    assert (difference["resource"], difference["actual"]) == (f"{TWO}/us-west-2/SsmGuardrailPolicyArn", '"mine"')
    assert (done.facts["checked"], done.facts["not_checked"]) == (3, [])
    report = all_of.bench.run("drift", config)
    assert report.code == 0
    (issue,) = all_of.bench.world.forge.issues()
    assert f"{TWO}/us-west-2/SsmGuardrailPolicyArn" in issue.body


def test_a_stack_that_is_gone_or_not_up_to_date_is_told(all_of: Everywhere) -> None:
    all_of.roles(ONE, TWO)
    all_of.deployed()
    cfn = all_of.bench.client("cloudformation")
    all_of.bench.client("iam", TWO).delete_role_policy(
        RoleName="AWSCloudFormationStackSetExecutionRole", PolicyName="work"
    )
    gone = cfn.delete_stack_instances(StackSetName=NAME, Accounts=[ONE], Regions=["us-west-2"], RetainStacks=False)
    all_of.settled(gone["OperationId"])

    found = all_of.bench.run("check-drift", f"configs/{SELF.name}", "--format", "json").facts

    assert (found["status"], found["deleted"]) == ("DRIFTED", [f"{ONE}/us-west-2"])
    assert found["not_checked"] == [f"{TWO}/us-west-2"]


def test_the_commands_for_one_config_reach_every_account(all_of: Everywhere) -> None:
    all_of.roles(ONE, TWO)
    all_of.bench.write(CONFIG, SELF.name)
    config = f"configs/{SELF.name}"
    assert all_of.bench.run("create-prov-template", config).code == 0
    assert f"in each stack of {NAME}: {ONE}, {TWO} in us-west-2" in all_of.bench.run("show-product", config).stdout

    made = all_of.bench.run("deploy-product", config, "--force", "--format", "json")

    assert made.code == 0, made.stderr
    assert [one["outcome"] for one in made.facts["instances"]] == ["created", "created"]
    assert f"CREATE_COMPLETE {TWO}/us-west-2" in made.stderr
    again = all_of.bench.run("deploy-product", config, "--force")
    assert (again.code, "Stack set already exists" in again.stderr) == (4, True)
    shown = all_of.bench.run("show-changes", config, "--format", "json")
    assert (shown.facts["operation"], shown.facts["changes"]) == ("no changes", [])
    assert all_of.bench.run("recover", NAME, "--region", "us-west-2").code == 0
    assert all_of.bench.run("delete-product", config, "--force", "--delete-data").code == 2
    dry = all_of.bench.run("delete-product", config, "--dry-run")
    assert f"{ONE}/us-west-2" in dry.stdout
    gone = all_of.bench.run("delete-product", config, "--force")
    assert (gone.code, all_of.guarded(ONE)) == (0, False)
    assert "stacks: 2 deleted" in gone.stdout
    assert all_of.bench.run("delete-product", config, "--force").code == 2


def test_a_failure_ends_with_exit_3_and_names_the_account(all_of: Everywhere) -> None:
    all_of.roles(ONE)
    all_of.propose(CONFIG)
    all_of.bench.git("switch", "--quiet", "main")
    all_of.bench.git("merge", "--quiet", "--ff-only", "pr-1")

    done = all_of.bench.run("deploy", "--pull-request", "1", "--force")

    assert done.code == 3
    assert f"{TWO}/us-west-2 FAILED: Account {TWO} should have" in done.stdout
    assert all_of.bench.run("recover", NAME, "--region", "us-west-2").code == 3


def test_a_test_copy_is_one_stack_in_the_administrators_account(all_of: Everywhere) -> None:
    all_of.bench.write(CONFIG, SELF.name)

    done = all_of.bench.run("test-deploy", f"configs/{SELF.name}", "--suffix", "0a1b2c")

    assert done.code == 0, done.stderr
    assert all_of.guarded(HOME, "techcorp-prod-a001-guardrails-us-west-2-test-0a1b2c")
    assert all_of.bench.client("cloudformation").list_stack_sets()["Summaries"] == []


def test_without_credentials_the_listed_accounts_are_predicted(all_of: Everywhere) -> None:
    all_of.bench.write(CONFIG, SELF.name)
    base = rendered(all_of, CONFIG)
    head = rendered(all_of, THIRD.replace(f'"{ONE}", ', ""))

    found = stack_set.blindly(base, head, role="arn:aws:iam::111122223333:role/r")

    assert (found.kind, found.seal) == (PlanKind.PREDICTED, None)
    assert rows(found) == [f"Remove {ONE}/us-west-2", f"Add {THREE}/us-west-2"]
    gone = stack_set.blindly(base, None, role=None)
    assert rows(gone) == [f"Remove {NAME}", f"Remove {ONE}/us-west-2", f"Remove {TWO}/us-west-2"]


def rendered(all_of: Everywhere, text: str) -> Template:
    all_of.bench.write(text, SELF.name)
    world = replace(all_of.bench.world, here=all_of.bench.folder)
    return preparation.prepare(world, str(all_of.bench.folder / "configs" / SELF.name)).template


def test_a_review_in_three_jobs_seals_and_deploys_the_same(all_of: Everywhere) -> None:
    all_of.roles(ONE, TWO)
    bench, folder = all_of.bench, all_of.bench.folder / "ml"
    all_of.propose(CONFIG)
    bundle, report = str(folder / "bundle.json"), str(folder / "report.json")

    drawn = bench.run("review", "--base", "main", "--to-bundle", bundle)
    assert drawn.code == 0, drawn.stderr
    made = bench.run(
        "review",
        "--base",
        "main",
        "--plan",
        "sealed",
        "--pull-request",
        "2",
        "--from-bundle",
        bundle,
        "--to-report",
        report,
    )
    assert made.code == 0, made.stderr
    done = bench.run("publish", report, "--pull-request", "2")
    assert done.code == 0, done.stderr

    (alone,), (apart,) = bench.records.of(IDENTITY, 1), bench.records.of(IDENTITY, 2)
    assert (apart.seal, apart.input_digest) == (alone.seal, alone.input_digest)
    comment = (folder / "forge" / "pull-requests" / "2" / "review.md").read_text()
    assert f"new stacks in `us-west-2`: `{ONE}`, `{TWO}`" in comment
    assert "brought to the sealed template in the sealed accounts" in comment
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", "pr-1")
    (deployed,) = bench.deploy(2)
    assert deployed.outcome is Outcome.CREATED


def test_moving_the_stacks_to_another_unit_deletes_them_there(all_of: Everywhere) -> None:
    unit, (first, second) = organised(all_of)
    all_of.propose(service(unit), name=SERVICE.name)
    assert all_of.merge().outcome is Outcome.CREATED
    narrowed = service(unit).replace("  regions:", f'  accounts: ["{second}"]\n  regions:')

    found = plan(all_of.propose(narrowed, 2, name=SERVICE.name))

    assert rows(found) == [f"Remove {first}/us-west-2"]
    assert all_of.merge(2).outcome is Outcome.UPDATED
    policy = "techcorp-staging-a001-guardrails-us-west-2"
    assert [all_of.guarded(account, policy) for account in (first, second)] == [False, True]


def test_an_account_outside_the_units_is_an_error_at_its_line(all_of: Everywhere) -> None:
    unit, _ = organised(all_of)
    strange = service(unit).replace("  regions:", f'  accounts: ["{ONE}"]\n  regions:')

    report = all_of.propose(strange, name=SERVICE.name)

    (failure,) = report.failures
    assert f"{ONE} are no active accounts of the organizational units {unit}" in failure.message
    assert failure.where.line == 12


def test_every_region_has_its_stack(all_of: Everywhere) -> None:
    all_of.roles(ONE)
    two = FIRST.replace("regions: [us-west-2]", "regions: [us-west-2, eu-west-1]")

    all_of.deployed(two)

    names = [POLICY, POLICY.replace("us-west-2", "eu-west-1")]
    assert [all_of.guarded(ONE, name) for name in names] == [True, True]
    found = plan(all_of.propose(FIRST, 2))
    assert rows(found) == [f"Remove {ONE}/eu-west-1"]
    assert all_of.merge(2).outcome is Outcome.UPDATED
    assert [all_of.guarded(ONE, name) for name in names] == [True, False]
