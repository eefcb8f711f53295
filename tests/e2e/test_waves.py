"""A network, its groups and a product in one pull request: planned, sealed, deployed in waves, removed in reverse."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.harness import REGION, Bench
from e2e.test_network import BANK, GROUPS, ML, VPC, left, value
from stackseal import assets, cli
from stackseal.errors import ConfigErrors, Refused
from stackseal.model import Deployment, Outcome, PlanKind, PlanOperation, Report, StackId, Verdict
from stackseal.output import Output
from stackseal.report import json as report_json

pytestmark = pytest.mark.e2e
PRODUCT = f"{ML}-codecommit-sgprov-ssm"
ALL = (VPC, GROUPS, PRODUCT)
VPC_STACK, SG_STACK, ML_STACK = (
    f"globalbank-prod-c001-us-west-2-{name}-stack" for name in ("vpc", "sg", "demand-forecasting-ml")
)
VPC_ID = "/vpc/globalbank-prod-c001-us-west-2-vpc/VPCId"


def text(example: str) -> str:
    return (assets.PRODUCTS / f"{example}.yaml").read_text(encoding="utf-8")


def name(example: str) -> str:
    return f"{example.rpartition('/')[2]}.yaml"


def proposed(bench: Bench, number: int, files: dict[str, str | None]) -> Report:
    """A pull request with these configs, None for one that goes, and its review."""
    bench.git("switch", "--quiet", "--create", f"pr-{number}")
    for example, content in files.items():
        if content is None:
            (bench.folder / "configs" / name(example)).unlink()
        else:
            bench.write(content, name(example))
    bench.commit(f"Pull request {number}")
    report = bench.review(number)
    bench.git("switch", "--quiet", "main")
    return report


def merged(bench: Bench, number: int) -> tuple[Deployment, ...]:
    bench.git("merge", "--quiet", "--ff-only", f"pr-{number}")
    return bench.deploy(number)


def ended(done: tuple[Deployment, ...]) -> list[tuple[str, Outcome]]:
    assert all(item.outcome.good for item in done), done
    return [(item.stack.name, item.outcome) for item in done]


def planned(report: Report) -> dict[str, tuple[int, PlanKind, PlanOperation]]:
    assert not report.failures, report.failures
    return {stack.id.name: (stack.wave, stack.plan.kind, stack.plan.operation) for stack in report.stacks if stack.plan}


def identity(stack: str) -> StackId:
    return StackId(account=BANK, region=REGION, name=stack)


@pytest.mark.spec("A55", "A61")
def test_one_pull_request_for_vpc_groups_and_product_and_one_that_removes_them(bench: Bench) -> None:
    report = proposed(bench, 1, {example: text(example) for example in ALL})
    create = PlanOperation.CREATE
    assert planned(report) == {
        VPC_STACK: (1, PlanKind.CHANGE_SET, create),
        SG_STACK: (2, PlanKind.DEFERRED, create),
        ML_STACK: (3, PlanKind.DEFERRED, create),
    }
    records = {stack.id.name: bench.records.of(stack.id, 1)[0] for stack in report.stacks}
    assert {stack.id.name: stack.plan.inputs for stack in report.stacks if stack.plan} == {
        stack: record.input_digest for stack, record in records.items()
    }
    assert records[ML_STACK].awaited[VPC_ID] == VPC_STACK
    shown = bench.run("deploy", "--base", "main", "--head", "pr-1", "--dry-run")
    assert shown.stdout.startswith(
        f"wave 1: would deploy {VPC_STACK}\nwave 2: would deploy {SG_STACK}\n"
        f"  {SG_STACK} waits for {VPC_STACK}, which publishes {VPC_ID}\nwave 3: would deploy {ML_STACK}\n"
    )
    assert ended(merged(bench, 1)) == [(stack, Outcome.CREATED) for stack in (VPC_STACK, SG_STACK, ML_STACK)]
    vpc = value(bench, VPC_ID)
    rows = bench.client("ec2", BANK).describe_vpc_endpoints()["VpcEndpoints"]
    assert {row["VpcId"] for row in rows} == {vpc}

    renamed = {example: text(example).replace("owner: ", "owner: another-") for example in ALL}
    assert planned(proposed(bench, 2, dict(renamed))) == {
        stack: (wave, PlanKind.CHANGE_SET, PlanOperation.UPDATE)
        for wave, stack in enumerate((VPC_STACK, SG_STACK, ML_STACK), start=1)
    }
    assert ended(merged(bench, 2)) == [(stack, Outcome.UPDATED) for stack in (VPC_STACK, SG_STACK, ML_STACK)]
    assert value(bench, VPC_ID) == vpc

    report = proposed(bench, 3, dict.fromkeys(ALL))
    assert {stack: wave for stack, (wave, _, _) in planned(report).items()} == {
        ML_STACK: 1,
        SG_STACK: 2,
        VPC_STACK: 3,
    }
    assert report.verdict is Verdict.HUMAN
    assert ended(merged(bench, 3)) == [(stack, Outcome.DELETED) for stack in (ML_STACK, SG_STACK, VPC_STACK)]
    assert "vpc-" not in " ".join(left(bench, BANK))


class Trigger(io.StringIO):
    """Words to a person, with something that happens when one of them is said."""

    def __init__(self, word: str, happens: Callable[[], object]) -> None:
        super().__init__()
        self._word, self._happens = word, happens

    def write(self, text: str) -> int:
        if self._word in text:
            self._happens()
        return super().write(text)


def interrupted(bench: Bench, word: str, happens: Callable[[], object]) -> Bench:
    """The same bench; when the deployment says the word, something happens in the account."""
    said = Trigger(word, happens)
    return replace(bench, world=replace(bench.world, out=Output(stdout=said, stderr=said)))


def test_a_value_that_somebody_else_puts_there_is_not_used(bench: Bench) -> None:
    proposed(bench, 1, {VPC: text(VPC), GROUPS: text(GROUPS)})
    ec2, ssm = (bench.client(service, BANK) for service in ("ec2", "ssm"))

    def swap() -> None:
        other = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
        ssm.put_parameter(Name=VPC_ID, Value=other, Type="String", Overwrite=True)

    vpc, groups = merged(interrupted(bench, "Wave 2 of 2", swap), 1)
    assert (vpc.outcome, groups.outcome) == (Outcome.CREATED, Outcome.REFUSED)
    assert f"{VPC_ID} is not what the stack {VPC_STACK} published: drift detection calls it MODIFIED" in groups.message
    names = {row["StackName"] for row in bench.client("cloudformation", BANK).describe_stacks()["Stacks"]}
    assert names == {VPC_STACK}

    resources = bench.client("cloudformation", BANK).describe_stack_resources(StackName=VPC_STACK)["StackResources"]
    (own,) = (row["PhysicalResourceId"] for row in resources if row["ResourceType"] == "AWS::EC2::VPC")
    ssm.put_parameter(Name=VPC_ID, Value=own, Type="String", Overwrite=True)
    assert ended(bench.deploy(1)) == [(VPC_STACK, Outcome.UNCHANGED), (SG_STACK, Outcome.CREATED)]


def test_a_stack_is_not_deployed_without_the_one_that_its_review_awaited(bench: Bench) -> None:
    """Only a part of the pull request arrives, and somebody has put a value where the VPC's would be."""
    proposed(bench, 1, {VPC: text(VPC), GROUPS: text(GROUPS)})
    vpc = bench.client("ec2", BANK).create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    bench.client("ssm", BANK).put_parameter(Name=VPC_ID, Value=vpc, Type="String")
    bench.write(text(GROUPS), name(GROUPS))
    bench.commit("A part of it")
    with pytest.raises(Refused, match=f"awaited {VPC_ID} from the stack {VPC_STACK}, and this deployment does not"):
        bench.deploy(1)
    names = {row["StackName"] for row in bench.client("cloudformation", BANK).describe_stacks()["Stacks"]}
    assert SG_STACK not in names


def test_what_was_not_begun_is_told_by_the_command(bench: Bench) -> None:
    proposed(bench, 1, {example: text(example) for example in ALL})
    bench.git("merge", "--quiet", "--ff-only", "pr-1")
    ssm = bench.client("ssm", BANK)

    class Spoiled(Output):
        def say(self, text: str, level: str = "info") -> None:
            super().say(text, level)
            if text.startswith("Wave 2 of 3"):
                ssm.delete_parameter(Name=VPC_ID)

    output = Spoiled(stdout=io.StringIO(), stderr=io.StringIO())
    world = replace(bench.world, out=output, json=True)
    arguments = cli.parse(["deploy", "--pull-request", "1", "--force", "--format", "json"], {})
    assert cli.COMMANDS["deploy"].run(arguments, world) == 3
    facts = json.loads(output.stdout.getvalue())  # type: ignore[attr-defined] # it is the one from above
    assert [(row["stack"], row["outcome"]) for row in facts["deployments"]] == [
        (VPC_STACK, "created"),
        (SG_STACK, "failed"),
    ]
    assert facts["not_begun"] == [ML_STACK]


def test_the_order_crosses_the_jobs_of_a_review(bench: Bench) -> None:
    bench.git("switch", "--quiet", "--create", "pr-1")
    for example in (VPC, GROUPS):
        bench.write(text(example), name(example))
    bench.commit("Add a network")
    bundle, report = (str(bench.folder / "ml" / file) for file in ("bundle.json", "report.json"))
    number = ("--pull-request", "1")
    assert bench.run("review", "--base", "main", *number, "--to-bundle", bundle).code == 0
    done = bench.run(
        *("review", "--base", "main", *number, "--from-bundle", bundle, "--plan", "sealed", "--to-report", report)
    )
    assert done.code == 0, done.stderr
    found = report_json.loads(Path(report).read_text(encoding="utf-8"))
    assert planned(found)[SG_STACK] == (2, PlanKind.DEFERRED, PlanOperation.CREATE)
    bench.git("switch", "--quiet", "main")
    assert len(ended(merged(bench, 1))) == 2


@pytest.mark.spec("A20", "A61")
def test_a_product_whose_network_nobody_publishes_is_blocked_with_the_order(bench: Bench) -> None:
    report = proposed(bench, 1, {PRODUCT: text(PRODUCT)})
    (failure,) = report.failures
    assert report.verdict is Verdict.BLOCKED
    assert failure.message.startswith(f"The stack {ML_STACK} cannot be deployed yet: it reads SSM parameters that")
    assert failure.remedy == "deploy in this order: vpc-provisioner → sg-provisioner → ml-provisioner"
    assert bench.client("cloudformation", BANK).describe_stacks()["Stacks"] == []


def test_what_reads_a_value_that_changes_takes_part_and_is_planned_again(bench: Bench) -> None:
    proposed(bench, 1, {example: text(example) for example in ALL})
    assert len(ended(merged(bench, 1))) == 3
    before = value(bench, VPC_ID)
    other = text(VPC).replace("cidr: 10.", "cidr: 10.1")
    assert other != text(VPC)
    report = proposed(bench, 2, {VPC: other})
    found = planned(report)
    assert found[SG_STACK] == (2, PlanKind.DEFERRED, PlanOperation.UPDATE)
    assert found[ML_STACK] == (3, PlanKind.DEFERRED, PlanOperation.UPDATE)
    groups = next(stack for stack in report.stacks if stack.id.name == SG_STACK)
    assert any("It takes part because it reads what this change may change" in note for note in groups.notes)
    assert ended(merged(bench, 2)) == [(stack, Outcome.UPDATED) for stack in (VPC_STACK, SG_STACK, ML_STACK)]
    assert value(bench, VPC_ID) != before
    rows = bench.client("ec2", BANK).describe_vpc_endpoints()["VpcEndpoints"]
    assert {row["VpcId"] for row in rows if row["State"] != "deleted"} == {value(bench, VPC_ID)}
    groups_now = bench.client("ec2", BANK).describe_security_groups()["SecurityGroups"]
    left_behind = {row["VpcId"] for row in groups_now if "-sg-" in row["GroupName"]} - {value(bench, VPC_ID)}
    assert left_behind == {before}, "AWS removes no group that is still used, and says so to nobody: the report does"
    vpc = next(stack for stack in report.stacks if stack.id.name == VPC_STACK)
    assert any("what is still used then stays behind, no longer managed" in note for note in vpc.notes)


def by_hand(bench: Bench, stack: str, change: Callable[[dict[str, Any]], object], **arguments: Any) -> None:
    """Somebody updates a stack past us: its template as it is, but for one change."""
    cfn = bench.client("cloudformation", BANK)
    body = cfn.get_template(StackName=stack)["TemplateBody"]
    body = json.loads(body) if isinstance(body, str) else body
    change(body)
    names = [{"ParameterKey": name, "UsePreviousValue": True} for name in body.get("Parameters", {})]
    cfn.update_stack(
        StackName=stack,
        TemplateBody=json.dumps(body),
        Parameters=names,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        **arguments,
    )
    cfn.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def other_network(bench: Bench) -> dict[str, tuple[int, PlanKind, PlanOperation]]:
    """Everything is deployed; pull request 2 replaces the network, so that the groups' plan is deferred."""
    proposed(bench, 1, {VPC: text(VPC), GROUPS: text(GROUPS)})
    assert len(ended(merged(bench, 1))) == 2
    return planned(proposed(bench, 2, {VPC: text(VPC).replace("cidr: 10.", "cidr: 10.1")}))


def test_a_deferred_plan_that_turns_out_to_do_more_is_refused_with_what_is_more(bench: Bench) -> None:
    """A plan may shrink, never grow; what came before it stands, and the next review seals what there is to do then."""
    assert other_network(bench)[SG_STACK] == (2, PlanKind.DEFERRED, PlanOperation.UPDATE)
    before = value(bench, VPC_ID)

    def more(body: dict[str, Any]) -> None:
        body["Resources"]["Extra"] = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "extra"}}

    vpc, groups = merged(interrupted(bench, "Wave 2 of 2", lambda: by_hand(bench, SG_STACK, more)), 2)
    assert (vpc.outcome, groups.outcome) == (Outcome.UPDATED, Outcome.REFUSED)
    assert "it is not what was reviewed: Not reviewed: Remove Extra (AWS::SNS::Topic)." in groups.message
    assert groups.message.count("Not reviewed") == 1
    cfn = bench.client("cloudformation", BANK)
    sets = cfn.list_change_sets(StackName=SG_STACK)["Summaries"]
    assert [item["ChangeSetName"] for item in sets if item["ExecutionStatus"] == "AVAILABLE"] == []
    assert cfn.describe_stack_resource(StackName=SG_STACK, LogicalResourceId="Extra")["StackResourceDetail"]
    assert value(bench, VPC_ID) != before
    # Again, it is the same; reviewed anew against the network that is there, it goes.
    assert [done.outcome for done in bench.deploy(2)] == [Outcome.UNCHANGED, Outcome.REFUSED]
    found = planned(proposed(bench, 3, {GROUPS: text(GROUPS).replace("owner: ", "owner: another-")}))
    assert found == {SG_STACK: (1, PlanKind.CHANGE_SET, PlanOperation.UPDATE)}
    assert ended(merged(bench, 3)) == [(SG_STACK, Outcome.UPDATED)]


def test_a_deferred_plan_that_turns_out_to_change_in_place_what_is_sealed_as_kept_is_refused(bench: Bench) -> None:
    """A property that the live stack does not have any more as the review saw it."""
    other_network(bench)

    def another(body: dict[str, Any]) -> None:
        parameter = next(raw for raw in body["Resources"].values() if raw["Type"] == "AWS::SSM::Parameter")
        parameter["Properties"]["Description"] = "Somebody's words"

    _, groups = merged(interrupted(bench, "Wave 2 of 2", lambda: by_hand(bench, SG_STACK, another)), 2)
    assert groups.outcome is Outcome.REFUSED
    assert "(AWS::SSM::Parameter) Description." in groups.message


def test_a_deferred_plan_of_which_less_is_left_is_executed(bench: Bench) -> None:
    proposed(bench, 1, {VPC: text(VPC), GROUPS: text(GROUPS)})
    merged(bench, 1)
    renamed = text(GROUPS).replace("owner: ", "owner: another-")
    report = proposed(bench, 2, {VPC: text(VPC).replace("cidr: 10.", "cidr: 10.1"), GROUPS: renamed})
    (groups,) = (stack for stack in report.stacks if stack.id.name == SG_STACK)
    assert groups.plan
    assert groups.plan.kind is PlanKind.DEFERRED
    tags = [{"Key": key, "Value": value} for key, value in groups.plan.tags.items()]
    sealed = {line.path for line in bench.records.of(identity(SG_STACK), 2)[0].lines}
    assert {"/Tags", "Tags"} & sealed

    def retag() -> None:
        by_hand(bench, SG_STACK, lambda _: None, Tags=tags)

    vpc, done = merged(interrupted(bench, "Wave 2 of 2", retag), 2)
    assert (vpc.outcome, done.outcome) == (Outcome.UPDATED, Outcome.UPDATED), done.message


def test_a_stack_that_somebody_else_made_is_not_predicted(bench: Bench) -> None:
    body = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n"
    bench.client("cloudformation", BANK).create_stack(StackName=SG_STACK, TemplateBody=body)
    report = proposed(bench, 1, {VPC: text(VPC), GROUPS: text(GROUPS)})
    (failure,) = report.failures
    assert "the template that it has now is not JSON" in failure.message
    assert failure.remedy == "change those stacks in a pull request of their own first"


def test_an_update_that_changes_no_published_value_concerns_nobody_else(bench: Bench) -> None:
    proposed(bench, 1, {VPC: text(VPC), GROUPS: text(GROUPS)})
    merged(bench, 1)
    report = proposed(bench, 2, {VPC: text(VPC).replace("owner: ", "owner: another-")})
    assert list(planned(report)) == [VPC_STACK]


def test_a_value_that_changes_although_nobody_planned_it_stops_its_reader(bench: Bench) -> None:
    proposed(bench, 1, {VPC: text(VPC), GROUPS: text(GROUPS)})
    merged(bench, 1)
    report = proposed(bench, 2, {each: text(each).replace("owner: ", "owner: another-") for each in (VPC, GROUPS)})
    assert {kind for _, kind, _ in planned(report).values()} == {PlanKind.CHANGE_SET}
    ssm = bench.client("ssm", BANK)

    def swap() -> None:
        ssm.put_parameter(Name=VPC_ID, Value="vpc-0123456789abcdef0", Type="String", Overwrite=True)

    vpc, groups = merged(interrupted(bench, "Wave 2 of 2", swap), 2)
    assert (vpc.outcome, groups.outcome) == (Outcome.UPDATED, Outcome.REFUSED)
    assert f"({VPC_ID}) is not the one at review" in groups.message


def test_a_network_that_is_still_used_is_not_taken_away(bench: Bench) -> None:
    proposed(bench, 1, {VPC: text(VPC), GROUPS: text(GROUPS)})
    merged(bench, 1)
    report = proposed(bench, 2, {VPC: None})
    assert report.verdict is Verdict.BLOCKED
    (remedy,) = {failure.remedy for failure in report.failures}
    assert remedy.startswith(f"change it in this order: first configs/{name(GROUPS)}, so that it no longer reads it, ")
    assert remedy.endswith(f"then configs/{name(VPC)}")
    with pytest.raises(ConfigErrors):
        merged(bench, 2)
    assert value(bench, VPC_ID).startswith("vpc-")
