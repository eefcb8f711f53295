"""A stack set's repository: an administrator's account, the accounts of an organisation, and the roles between them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from e2e.harness import REGION, Bench
from stackseal import assets
from stackseal.model import ADMINISTRATION_ROLE, EXECUTION_ROLE, Plan, Report, StackId, Target

HOME, ONE, TWO, THREE = "111122223333", "222233334444", "333344445555", "444455556666"
EXAMPLES = assets.PRODUCTS / "guardrails_baseline" / "examples"
SELF, SERVICE = sorted(EXAMPLES.glob("*.yaml"))
NAME = "techcorp-prod-a001-guardrails-stack"
IDENTITY = StackId(account=HOME, region=REGION, name=NAME)
POLICY = "techcorp-prod-a001-guardrails-us-west-2"
CONFIG = SELF.read_text(encoding="utf-8").replace("regions: [us-west-2, eu-west-1]", "regions: [us-west-2]")


def target(account: str, region: str = REGION) -> Target:
    return Target(account=account, region=region)


def trust(kind: str, who: str) -> str:
    statement = {"Effect": "Allow", "Principal": {kind: who}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(*actions: str, on: str = "*") -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass(frozen=True, kw_only=True)
class Everywhere:
    """The bench, and what the accounts hold."""

    bench: Bench

    def roles(self, *accounts: str, policy: str = allow("*")) -> None:
        """The administration role where there is none, and the execution role of each account."""
        home = self.bench.client("iam", HOME)
        if ADMINISTRATION_ROLE not in {role["RoleName"] for role in home.list_roles()["Roles"]}:
            document = trust("Service", "cloudformation.amazonaws.com")
            home.create_role(RoleName=ADMINISTRATION_ROLE, AssumeRolePolicyDocument=document)
            assume = allow("sts:AssumeRole", on=f"arn:aws:iam::*:role/{EXECUTION_ROLE}")
            home.put_role_policy(RoleName=ADMINISTRATION_ROLE, PolicyName="assume", PolicyDocument=assume)
        for account in accounts:
            iam = self.bench.client("iam", account)
            document = trust("AWS", f"arn:aws:iam::{HOME}:role/{ADMINISTRATION_ROLE}")
            iam.create_role(RoleName=EXECUTION_ROLE, AssumeRolePolicyDocument=document)
            iam.put_role_policy(RoleName=EXECUTION_ROLE, PolicyName="work", PolicyDocument=policy)

    def propose(self, text: str | None, number: int = 1, *, name: str = SELF.name) -> Report:
        """A pull request with this config, or without it, reviewed."""
        self.bench.git("switch", "--quiet", "--create", f"pr-{number}")
        if text is None:
            (self.bench.folder / "configs" / name).unlink()
        else:
            self.bench.write(text, name)
        self.bench.commit("Change the guardrails")
        return self.bench.review(number)

    def merge(self, number: int = 1) -> Any:
        self.bench.git("switch", "--quiet", "main")
        self.bench.git("merge", "--quiet", "--ff-only", f"pr-{number}")
        (done,) = self.bench.deploy(number)
        return done

    def deployed(self, text: str = CONFIG, number: int = 1) -> None:
        report = self.propose(text, number)
        assert not report.failures, report.failures
        done = self.merge(number)
        assert done.outcome.good, done

    def settled(self, operation: str) -> None:
        """Once an operation that somebody began has ended."""
        cfn = self.bench.client("cloudformation")
        for _ in range(3000):
            found = cfn.describe_stack_set_operation(StackSetName=NAME, OperationId=operation)["StackSetOperation"]
            if found["Status"] not in {"RUNNING", "STOPPING"}:
                return
            time.sleep(0.01)
        raise AssertionError("the operation does not end")

    def guarded(self, account: str, name: str = POLICY) -> bool:
        """Whether the account has the guardrails."""
        found = self.bench.client("iam", account).list_policies(Scope="Local")["Policies"]
        return name in {policy["PolicyName"] for policy in found}


def plan(report: Report) -> Plan:
    assert not report.failures, report.failures
    (stack,) = report.stacks
    assert stack.plan
    return stack.plan


def rows(found: Plan) -> list[str]:
    return [f"{change.action.value} {change.logical_id}" for change in found.changes]
