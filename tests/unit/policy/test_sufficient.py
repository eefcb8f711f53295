"""Every policy against an independent judge: the embedded AWS's own table of what CloudFormation asks IAM (spec A23).

The table (`stackseal.local.requests`) imports nothing from `stackseal.policy` and is written from other sources.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stackseal import assets, config, policy, render
from stackseal.catalogue import Catalogue, Resolved
from stackseal.model import Policy, Role, Template
from stackseal.sandbox import Sandbox
from unit.policy.judge import denied

EXAMPLES = sorted((assets.PRODUCTS / "ml" / "examples").glob("*.yaml"))
WRITERS, READERS = (Role.OPERATOR, Role.EXECUTION), (Role.OPERATOR, Role.PLAN, Role.DEPLOY, Role.DRIFT)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


def resolved(path: Path, sandbox: Sandbox, suffix: str = "") -> Resolved:
    return Catalogue.load().resolve(config.read(path, path.name), sandbox, suffix=suffix)


def rendered(found: Resolved, sandbox: Sandbox) -> Template:
    return render.render(found.stack, found.origins, sandbox, path="t.yaml")


@pytest.mark.spec("A23")
@pytest.mark.parametrize("path", EXAMPLES[::2], ids=lambda path: path.stem.partition("-ml-")[2] + path.stem[:4])
def test_nothing_that_the_stack_needs_is_denied(path: Path, sandbox: Sandbox) -> None:
    template = rendered(resolved(path, sandbox), sandbox)
    policies = {item.role: item for item in policy.generate(template)}
    assert denied(template, policies, WRITERS, READERS) == []


@pytest.mark.spec("A22")
@pytest.mark.parametrize("path", EXAMPLES[::4], ids=lambda path: path.stem.partition("-ml-")[2] + path.stem[:4])
def test_the_operator_can_do_the_same_with_a_test_stack(path: Path, sandbox: Sandbox) -> None:
    policies = {item.role: item for item in policy.generate(rendered(resolved(path, sandbox), sandbox))}
    copy = rendered(resolved(path, sandbox, "-test-a1b2c3"), sandbox)
    assert denied(copy, policies, (Role.OPERATOR,), (Role.OPERATOR,)) == []
    assert denied(copy, policies, (Role.EXECUTION,), ()) != []


UNJUDGED = {
    # Nobody in the table asks for these: the schemas of their types say that the handlers do.
    "codecommit:ListRepositories",
    "sns:GetSubscriptionAttributes",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
    # CloudFormation reads the parameters' values from Parameter Store before it makes anything.
    "ssm:GetParameters",
}


@pytest.mark.spec("A23")
@pytest.mark.parametrize("name", ["churn-ml-s3", "forecasting-ml-codecommit-standalone-ssm"])
def test_without_any_one_statement_something_is_denied(name: str, sandbox: Sandbox) -> None:
    (path,) = (example for example in EXAMPLES if example.stem.endswith(name))
    template = rendered(resolved(path, sandbox), sandbox)
    (found,) = (item for item in policy.generate(template) if item.role is Role.EXECUTION)
    for left_out in found.statements:
        rest = Policy(role=found.role, statements=tuple(s for s in found.statements if s is not left_out))
        needed = denied(template, {Role.EXECUTION: rest}, (Role.EXECUTION,), ())
        assert needed or set(left_out.actions) <= UNJUDGED, left_out.sid
