"""Every stack has a role of its own: made before it, grown before it changes, removed after it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from e2e.harness import ACCOUNT, STARTER, Bench, example
from stackseal import assets, naming, pipeline
from stackseal.change import preparation, subjects
from stackseal.errors import ConfigError
from stackseal.hosts.base import Shown
from stackseal.hosts.git import Repository
from stackseal.model import Action, Deployment, Outcome, PlanKind, Report, Role, Run, StackId, Verdict, word
from stackseal.review import planning, queued

pytestmark = pytest.mark.e2e
BOOTSTRAP = f"stackseal-{ACCOUNT}-us-west-2-bootstrap-managed"
NAME = f"{STARTER}.yaml"
OWNER = StackId(account=ACCOUNT, region="us-west-2", name="techcorp-prod-a001-us-west-2-customer-churn-ml-stack")
ROLES = naming.roles_stack(OWNER)
ROLE = naming.role(OWNER)


@dataclass
class Account:
    """An account with managed roles, and pull requests on its repository."""

    bench: Bench
    number: int = 0

    def change(self, name: str, text: str | None) -> Report:
        """A pull request that writes a config, or removes it, and its review; it is merged afterwards."""
        self.number += 1
        bench = self.bench
        bench.git("switch", "--quiet", "--create", f"change-{self.number}")
        if text is None:
            (bench.folder / "configs" / name).unlink()
        else:
            bench.write(text, name)
        bench.commit("Change a config")
        report = bench.review(self.number)
        bench.git("switch", "--quiet", "main")
        bench.git("merge", "--quiet", "--ff-only", f"change-{self.number}")
        return report

    def deploy(self) -> tuple[Deployment, ...]:
        return self.bench.deploy(self.number)

    def role(self) -> dict[str, Any]:
        found: dict[str, Any] = self.bench.client("iam").get_role(RoleName=ROLE)["Role"]
        return found

    def granted(self) -> set[str]:
        """Every action of the policies that are attached to the role."""
        iam = self.bench.client("iam")
        found: set[str] = set()
        for each in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]:
            version = iam.get_policy(PolicyArn=each["PolicyArn"])["Policy"]["DefaultVersionId"]
            answer = iam.get_policy_version(PolicyArn=each["PolicyArn"], VersionId=version)
            document = answer["PolicyVersion"]["Document"]
            document = json.loads(document) if isinstance(document, str) else document
            found.update(action for statement in document["Statement"] for action in statement["Action"])
        return found


@pytest.fixture
def account(bench: Bench) -> Account:
    text = (assets.PRODUCTS / "bootstrap" / "examples" / f"{BOOTSTRAP}.yaml").read_text(encoding="utf-8")
    bench.write(text, f"{BOOTSTRAP}.yaml")
    done = bench.run("bootstrap", f"configs/{BOOTSTRAP}.yaml", "--force", "--format", "json")
    assert done.code == 0, done.stderr
    entry = done.facts["accounts"][ACCOUNT]
    assert entry["execution_roles"] == "managed"
    assert "execution_role" not in entry
    settings = {"version": 1, "configs": "configs", "accounts": {ACCOUNT: {"execution_roles": "managed"}}}
    (bench.folder / "stackseal.yaml").write_text(json.dumps(settings))
    bench.commit("Bootstrap the account")
    return Account(bench)


def outcomes(done: tuple[Deployment, ...]) -> list[tuple[str, Outcome]]:
    assert all(each.outcome.good for each in done), done
    return [(each.stack.name, each.outcome) for each in done]


def test_a_stack_comes_grows_and_goes_with_its_role(account: Account) -> None:
    report = account.change(NAME, example())
    assert report.failures == ()
    by_name = {stack.id.name: stack for stack in report.stacks}
    assert set(by_name) == {OWNER.name, ROLES.name}
    assert (by_name[ROLES.name].wave, by_name[OWNER.name].wave) == (1, 2)
    assert [finding for stack in report.stacks for finding in stack.findings if finding.blocks] == []
    (delta,) = by_name[ROLES.name].policy_deltas
    assert delta.role is Role.EXECUTION
    assert delta.added
    plan = by_name[OWNER.name].plan
    assert plan is not None
    assert plan.kind is PlanKind.DEFERRED
    assert plan.execution_role == naming.role_arn(OWNER)
    assert not any("Grant first" in note for stack in report.stacks for note in stack.notes)
    assert outcomes(account.deploy()) == [(ROLES.name, Outcome.CREATED), (OWNER.name, Outcome.CREATED)]
    role = account.role()
    assert role["Arn"] == naming.role_arn(OWNER)
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == naming.boundary_arn(OWNER)
    cfn = account.bench.client("cloudformation")
    assert cfn.describe_stacks(StackName=OWNER.name)["Stacks"][0]["RoleARN"] == naming.role_arn(OWNER)
    assert cfn.describe_stacks(StackName=ROLES.name)["Stacks"][0]["RoleARN"] == naming.roles_role_arn(OWNER)
    assert "cloudwatch:PutDashboard" not in account.granted()

    larger = example().replace("tier: starter", "tier: professional\n  alerts_email: ml@example.com")
    report = account.change(NAME, larger)
    assert report.failures == ()
    by_name = {stack.id.name: stack for stack in report.stacks}
    plan = by_name[ROLES.name].plan
    assert plan is not None
    assert {change.action for change in plan.changes} <= {Action.MODIFY, Action.ADD}
    assert outcomes(account.deploy()) == [
        (ROLES.name, Outcome.UPDATED),
        (OWNER.name, Outcome.UPDATED),
        (ROLES.name, Outcome.UPDATED),
    ]
    assert "cloudwatch:PutDashboard" in account.granted()

    report = account.change(NAME, None)
    assert report.failures == ()
    by_name = {stack.id.name: stack for stack in report.stacks}
    assert by_name[OWNER.name].wave < by_name[ROLES.name].wave
    assert outcomes(account.deploy()) == [(OWNER.name, Outcome.DELETED), (ROLES.name, Outcome.DELETED)]
    names = {role["RoleName"] for role in account.bench.client("iam").list_roles()["Roles"]}
    assert ROLE not in names


def test_the_plan_job_and_the_queue_know_the_stacks_of_roles(account: Account) -> None:
    """What the render job hands on is what is planned; the order says why each stack waits."""
    bench = account.bench
    bench.git("switch", "--quiet", "--create", "change")
    bench.write(example(), NAME)
    bench.commit("Add a config")
    repository = Repository(bench.folder)
    change = subjects.between(repository, "main", "HEAD", preparation.catalogue_of(bench.world), bench.world.sandbox)
    run = Run(host="local", repository="test", commit=repository.commit("HEAD"), pull_request=1)
    drawn = pipeline.draw(bench.world, change, run)
    assert {pair.id for pair in drawn.pairs} == {OWNER, ROLES}
    again = pipeline.unbundled(pipeline.bundled(drawn))
    assert [(pair.id, pair.head and pair.head.sha256, pair.waits) for pair in again.pairs] == [
        (pair.id, pair.head and pair.head.sha256, pair.waits) for pair in drawn.pairs
    ]
    report = pipeline.plan(again, planning.Sealing(world=bench.world), change.settings, bench.world.out.hidden)
    words = {word(stack.id, stack.plan.inputs) for stack in report.stacks if stack.plan}
    shown = Shown(head="a", commit="a", words=frozenset(words))
    queued.hold(drawn.pairs, change.settings, shown, 1)
    dry = bench.run("deploy", "--base", "main", "--head", "HEAD", "--dry-run")
    assert f"{OWNER.name} waits for {ROLES.name}, which holds its role" in dry.stdout


def test_a_pull_request_that_is_closed_leaves_no_stack_of_roles(account: Account) -> None:
    bench = account.bench
    bench.git("switch", "--quiet", "--create", "change")
    bench.write(example(), NAME)
    bench.commit("Add a config")
    bench.review(1)
    cfn = bench.client("cloudformation")
    assert cfn.describe_stacks(StackName=ROLES.name)["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"
    closed = ("cleanup", "--pull-request", "1", "--base", "main", "--head", "HEAD", "--state", "closed")
    done = bench.run(*closed)
    assert done.code == 0, done.stderr
    standing = [
        each["StackName"] for each in cfn.list_stacks()["StackSummaries"] if "DELETE" not in each["StackStatus"]
    ]
    assert ROLES.name not in standing


def test_doctor_finds_managed_roles_in_order(account: Account) -> None:
    done = account.bench.run("doctor", f"configs/{BOOTSTRAP}.yaml")
    rows = [line for line in done.stdout.splitlines() if "execution_roles" in line]
    assert [row.split()[-1] for row in rows] == ["ok"]
    assert "execution_role " not in done.stdout


def test_what_only_the_old_version_needed_is_taken_away_at_the_end(account: Account) -> None:
    larger = example().replace("tier: starter", "tier: professional\n  alerts_email: ml@example.com")
    account.change(NAME, larger)
    outcomes(account.deploy())
    report = account.change(NAME, example())
    (note,) = [note for stack in report.stacks for note in stack.notes if note.startswith("The role keeps ")]
    assert "cloudwatch:DeleteDashboards" in note
    done = outcomes(account.deploy())
    assert [name for name, _ in done] == [ROLES.name, OWNER.name, ROLES.name]
    assert done[-1] == (ROLES.name, Outcome.UPDATED)
    assert "cloudwatch:DeleteDashboards" not in account.granted()
    assert "s3:CreateBucket" in account.granted()
    account.change(NAME, larger)
    assert [name for name, _ in outcomes(account.deploy())] == [ROLES.name, OWNER.name, ROLES.name]


def _shrinking(account: Account) -> tuple[str, ...]:
    """A product is deployed larger than its next version; the words that deploy that one."""
    larger = example().replace("tier: starter", "tier: professional\n  alerts_email: ml@example.com")
    account.change(NAME, larger)
    outcomes(account.deploy())
    account.change(NAME, example())
    return ("deploy", "--base", "HEAD~1", "--pull-request", "2", "--force", "--format", "json")


def test_a_role_stays_wide_until_its_stack_is_done(account: Account) -> None:
    base = _shrinking(account)
    assert account.bench.run(*base, "--only", "roles").code == 0
    assert "cloudwatch:DeleteDashboards" in account.granted()
    done = account.bench.run(*base, "--only", "stacks")
    assert done.code == 0, done.stderr
    assert [each["stack"] for each in done.facts["deployments"]] == [OWNER.name, ROLES.name]
    assert "cloudwatch:DeleteDashboards" not in account.granted()


def test_a_role_that_somebody_changed_is_not_narrowed_blindly(account: Account) -> None:
    base = _shrinking(account)
    assert account.bench.run(*base, "--only", "roles").code == 0
    cfn = account.bench.client("cloudformation")
    body = cfn.get_template(StackName=ROLES.name)["TemplateBody"]
    body = json.loads(body) if isinstance(body, str) else body
    body["Resources"]["Extra"] = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            **body["Resources"]["Policy1"]["Properties"],
            "ManagedPolicyName": f"{ROLE}-extra",
        },
    }
    cfn.update_stack(StackName=ROLES.name, TemplateBody=json.dumps(body), Capabilities=["CAPABILITY_NAMED_IAM"])
    cfn.get_waiter("stack_update_complete").wait(StackName=ROLES.name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    done = account.bench.run(*base, "--only", "stacks")
    last = done.facts["deployments"][-1]
    assert done.code == 4
    assert (last["stack"], last["outcome"]) == (ROLES.name, "refused")
    assert "keeps what it no longer needs" in last["message"]
    assert "Extra" in last["message"]


def watch(account: Account) -> dict[str, Any]:
    """A check for drift of the one config: stack → what it says."""
    done = account.bench.run("drift", f"configs/{NAME}", "--format", "json")
    assert done.code in {0, 5}, done.stderr
    return {row["stack"]: row for row in done.facts["stacks"]}


def test_a_role_that_somebody_widened_by_hand_is_drift_with_an_issue_of_its_own(account: Account) -> None:
    account.change(NAME, example())
    outcomes(account.deploy())
    found = watch(account)
    assert {name: (row["status"], row["role_of"]) for name, row in found.items()} == {
        OWNER.name: ("IN_SYNC", None),
        ROLES.name: ("IN_SYNC", OWNER.name),
    }
    iam, wide = account.bench.client("iam"), "arn:aws:iam::aws:policy/AdministratorAccess"
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=wide)
    found = watch(account)
    assert (found[OWNER.name]["status"], found[OWNER.name]["issue"]["move"]) == ("IN_SYNC", "none")
    assert (found[ROLES.name]["status"], found[ROLES.name]["issue"]["move"]) == ("DRIFTED", "opened")
    (difference,) = found[ROLES.name]["differences"]
    assert (difference["resource"], wide in difference["actual"]) == ("Role", True)
    (issue,) = account.bench.world.forge.issues()
    assert issue.title == f"Drift in the execution role of {OWNER.name}: 1 resource is not as deployed"
    assert f"**the execution role of `{OWNER.name}`**" in issue.body
    assert "**Find out** who changed it" in issue.body
    said = account.bench.run("drift", f"configs/{NAME}").stdout
    assert f"{ROLES.name} (the execution role of {OWNER.name}): DRIFTED" in said

    iam.detach_role_policy(RoleName=ROLE, PolicyArn=wide)
    assert watch(account)[ROLES.name]["issue"] == {"move": "closed", "number": issue.number}


def test_a_statement_that_somebody_added_to_a_roles_policy_is_drift(account: Account) -> None:
    account.change(NAME, example())
    outcomes(account.deploy())
    iam = account.bench.client("iam")
    (first, *_) = iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]
    text = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    iam.create_policy_version(PolicyArn=first["PolicyArn"], PolicyDocument=text, SetAsDefault=True)
    found = watch(account)[ROLES.name]
    assert found["status"] == "DRIFTED"
    assert {row["resource"] for row in found["differences"]} == {"Policy1"}


def test_a_stack_has_no_role_to_compare_before_one_was_made_and_misses_one_that_is_gone(account: Account) -> None:
    settings = account.bench.folder / "stackseal.yaml"
    managed = settings.read_text()
    settings.write_text('{"version": 1, "configs": "configs"}')
    account.bench.commit("Manage no roles")
    account.change(NAME, example())
    outcomes(account.deploy())
    settings.write_text(managed)
    account.bench.commit("Manage the roles")
    assert list(watch(account)) == [OWNER.name], "its next change makes the role"

    account.change(NAME, example().replace("owner: ", "owner: another-"))
    outcomes(account.deploy())
    assert list(watch(account)) == [OWNER.name, ROLES.name]
    cfn = account.bench.client("cloudformation")
    cfn.delete_stack(StackName=ROLES.name)
    cfn.get_waiter("stack_delete_complete").wait(StackName=ROLES.name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    found = watch(account)[ROLES.name]
    assert (found["status"], "not deployed" in found["reason"]) == ("UNKNOWN", True)


def test_a_role_that_would_exceed_the_boundary_blocks(account: Account) -> None:
    path = assets.PRODUCTS / "training_workflow" / "examples"
    first = sorted(path.glob("techcorp-*.yaml"))[0]
    report = account.change(first.name, first.read_text(encoding="utf-8"))
    assert report.verdict is Verdict.BLOCKED
    (stop,) = [each for stack in report.stacks for each in stack.findings if each.check == "role-boundary"]
    assert "states:" in stop.message
    assert "which the boundary of the account's execution roles does not allow" in stop.message
    assert stop.where.path.endswith(first.name)


def test_nobody_takes_the_name_of_a_stack_of_roles(account: Account) -> None:
    text = example().replace("company_prefix: techcorp", "company_prefix: stackseal-roles")
    with pytest.raises(ConfigError, match="belong to the stacks that hold execution roles"):
        account.change("stackseal-roles-prod-a001-us-west-2-customer-churn-ml-s3.yaml", text)


def test_a_job_of_its_own_deploys_the_roles_before_another_deploys_the_rest(account: Account) -> None:
    account.change(NAME, example())
    base = ("deploy", "--base", "HEAD~1", "--pull-request", "1", "--force", "--format", "json")
    done = account.bench.run(*base, "--only", "roles")
    assert done.code == 0, done.stderr
    assert [each["stack"] for each in done.facts["deployments"]] == [ROLES.name]
    assert account.role()["Arn"] == naming.role_arn(OWNER)
    done = account.bench.run(*base, "--only", "stacks", "--stacks", f"{OWNER.name},{ROLES.name}")
    assert done.code == 0, done.stderr
    assert [each["stack"] for each in done.facts["deployments"]] == [OWNER.name]
    account.change(NAME, None)
    base = ("deploy", "--base", "HEAD~1", "--pull-request", "2", "--force", "--format", "json")
    done = account.bench.run(*base, "--only", "roles")
    assert (done.code, done.facts["deployments"]) == (0, [])
    done = account.bench.run(*base, "--only", "stacks")
    assert [each["stack"] for each in done.facts["deployments"]] == [OWNER.name, ROLES.name]
