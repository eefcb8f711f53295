"""A trust policy that compares anything less than letter for letter is called too wide."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from stackseal.policy import trust
from unit.bootstrap.account import ACCOUNT, template
from unit.bootstrap.account import trust as live

HOST = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}"


def document(change: Callable[[dict[str, Any]], Any] = lambda _: None) -> dict[str, Any]:
    """The plan role's trust policy with a changed statement."""
    found = copy.deepcopy(live(template(), "Plan"))
    (statement,) = found["Statement"]
    statement["Principal"] = {"Federated": PROVIDER}
    change(statement)
    return found


def test_the_products_own_policies_are_narrow() -> None:
    assert trust.too_wide(document()) == ""
    assert trust.too_wide({"Statement": []}) == ""
    assert trust.too_wide(document(lambda statement: statement.update(Effect="Deny", Principal="*"))) == ""


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda found: found.update(Principal="*"), "somebody else"),
        (lambda found: found.update(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), "somebody else"),
        (lambda found: found["Principal"].update(Service="ec2.amazonaws.com"), "somebody else"),
        (lambda found: found.update(Principal={"Federated": [PROVIDER, "cognito-identity.amazonaws.com"]}), "another"),
        (lambda found: found.update(Principal={"Federated": f"{PROVIDER}.evil.example"}), "another provider"),
        (lambda found: found.update(Action="sts:*"), "another action"),
        (lambda found: found.update(Action=["sts:AssumeRoleWithWebIdentity", "sts:AssumeRole"]), "another action"),
        (lambda found: found.pop("Condition"), "compare aud, repository_id, sub, job_workflow_ref"),
        (lambda found: found["Condition"]["StringEquals"].pop(f"{HOST}:job_workflow_ref"), "compare job_workflow_ref"),
        (
            lambda found: found["Condition"].update(StringEqualsIfExists=found["Condition"].pop("StringEquals")),
            "compare aud",
        ),
    ],
)
def test_what_lets_others_in_is_named(change: Callable[[dict[str, Any]], Any], why: str) -> None:
    assert why in trust.too_wide(document(change))


def test_every_statement_is_read() -> None:
    found = document()
    found["Statement"].append({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
    assert "somebody else" in trust.too_wide(found)
