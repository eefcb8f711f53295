"""Roles that CloudFormation cannot take yet: waited for where this deployment made them, refused where it did not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from e2e.harness import Bench, example
from e2e.test_granting import NAME, OWNER, ROLE, ROLES, Account, account, outcomes
from stackseal import naming
from stackseal.deployment.spreading import PAUSES
from stackseal.model import Deployment, Outcome, PlanOperation
from stackseal.world import Clock

__all__ = ["account"]
pytestmark = pytest.mark.e2e
LARGER = example().replace("tier: starter", "tier: professional\n  alerts_email: ml@example.com")
WAITING = f"{OWNER.name}: waiting "


def deployed(account: Account) -> tuple[tuple[Deployment, ...], list[float]]:
    """The deployment, and how long it meant to wait for a role; no test waits."""
    waits: list[float] = []
    bench, patient = account.bench, account.bench.world.clock.sleep

    def sleep(seconds: float) -> None:
        patient(seconds)
        if bench.out.getvalue().rstrip().rpartition("\n")[2].startswith(WAITING):
            waits.append(seconds)

    world = replace(bench.world, clock=replace(bench.world.clock, sleep=sleep))
    assert isinstance(world.clock, Clock)
    found = replace(bench, world=world).deploy(account.number)
    return found, waits


def said(bench: Bench) -> list[str]:
    return [line for line in bench.out.getvalue().splitlines() if WAITING in line]


def test_a_role_that_was_just_made_is_waited_for(account: Account) -> None:
    account.change(NAME, example())
    account.bench.aws.delay_roles(CreateChangeSet=2, ExecuteChangeSet=1)
    done, waits = deployed(account)
    assert outcomes(done) == [(ROLES.name, Outcome.CREATED), (OWNER.name, Outcome.CREATED)]
    assert waits == list(PAUSES[:3])
    assert said(account.bench) == [
        f"{WAITING}{pause:g} s until CloudFormation can take the role that this deployment has just made or changed; "
        "IAM tells other services of it with a delay"
        for pause in PAUSES[:3]
    ]


def test_a_role_that_was_just_changed_is_waited_for(account: Account) -> None:
    account.change(NAME, example())
    account.deploy()
    account.change(NAME, LARGER)
    account.bench.aws.delay_roles(ExecuteChangeSet=3)
    done, waits = deployed(account)
    assert [name for name, _ in outcomes(done)] == [ROLES.name, OWNER.name, ROLES.name]
    assert waits == list(PAUSES[:3])
    cfn = account.bench.client("cloudformation")
    statuses = [item["ResourceStatus"] for item in cfn.describe_stack_events(StackName=OWNER.name)["StackEvents"]]
    assert statuses.count("UPDATE_COMPLETE") >= 1


def test_the_wait_ends_and_says_how_long_it_was(account: Account) -> None:
    account.change(NAME, example())
    account.bench.aws.delay_roles(CreateChangeSet=len(PAUSES) + 1)
    (roles, stack), waits = deployed(account)
    assert (roles.outcome, stack.outcome) == (Outcome.CREATED, Outcome.FAILED)
    assert waits == list(PAUSES)
    role = naming.role_arn(OWNER)
    assert f"Role {role} is invalid or cannot be assumed, 120 s after this deployment has made" in stack.message
    assert "run the deployment again in some minutes" in stack.message
    # Nothing was begun, and the repeat goes on where it ended.
    done, waits = deployed(account)
    assert (outcomes(done), waits) == ([(ROLES.name, Outcome.UNCHANGED), (OWNER.name, Outcome.CREATED)], [])


def test_a_role_that_this_deployment_did_not_touch_is_not_waited_for(account: Account) -> None:
    """Somebody has changed whom it trusts: time does not mend that."""
    account.change(NAME, example())
    account.deploy()
    report = account.change(NAME, example().replace("ml-source/customer-churn", "ml-source/another-folder"))
    (roles,) = (stack.plan for stack in report.stacks if stack.id == ROLES)
    assert roles
    assert roles.operation is PlanOperation.NONE
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    account.bench.aws.delay_roles(ExecuteChangeSet=1)
    account.bench.client("iam").update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(trust))
    done, waits = deployed(account)
    assert (done[-1].stack, done[-1].outcome, waits) == (OWNER, Outcome.FAILED, [])
    assert "is invalid or cannot be assumed" in done[-1].message
    assert said(account.bench) == []
