"""A network, its groups and a product in one pull request: planned, sealed, deployed in waves, removed in reverse."""

from __future__ import annotations

import pytest

from e2e.harness import REGION, Bench
from e2e.test_network import BANK, GROUPS, ML, VPC, left, value
from stackseal import assets
from stackseal.model import Deployment, Outcome, PlanKind, PlanOperation, Report, StackId, Verdict

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


@pytest.mark.spec("A61")
def test_one_pull_request_for_vpc_groups_and_product_and_one_that_removes_them(bench: Bench) -> None:
    report = proposed(bench, 1, {example: text(example) for example in ALL})
    create = PlanOperation.CREATE
    assert planned(report) == {
        VPC_STACK: (1, PlanKind.CHANGE_SET, create),
        SG_STACK: (2, PlanKind.DEFERRED, create),
        ML_STACK: (3, PlanKind.DEFERRED, create),
    }
    shown = bench.run("deploy", "--base", "main", "--head", "pr-1", "--dry-run")
    assert shown.stdout.startswith(
        f"wave 1: would deploy {VPC_STACK}\nwave 2: would deploy {SG_STACK}\n"
        f"  {SG_STACK} waits for {VPC_STACK}, which publishes {VPC_ID}\nwave 3: would deploy {ML_STACK}\n"
    )
    assert ended(merged(bench, 1)) == [(stack, Outcome.CREATED) for stack in (VPC_STACK, SG_STACK, ML_STACK)]
    vpc = value(bench, VPC_ID)
    rows = bench.client("ec2", BANK).describe_vpc_endpoints()["VpcEndpoints"]
    assert {row["VpcId"] for row in rows} == {vpc}

    report = proposed(bench, 2, dict.fromkeys(ALL))
    assert {stack: wave for stack, (wave, _, _) in planned(report).items()} == {
        ML_STACK: 1,
        SG_STACK: 2,
        VPC_STACK: 3,
    }
    assert report.verdict is Verdict.HUMAN
    assert ended(merged(bench, 2)) == [(stack, Outcome.DELETED) for stack in (ML_STACK, SG_STACK, VPC_STACK)]
    assert "vpc-" not in " ".join(left(bench, BANK))
