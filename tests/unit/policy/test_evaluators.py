"""Our evaluator and one that others wrote give the same answers, and both deny what is somebody else's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from stackseal import policy
from stackseal.model import Policy, Role
from unit.policy import judge, other, samples
from unit.products import cases

Asked = tuple[str, str, dict[str, Any]]
TEMPLATE = cases.rendered(cases.example(cases.EXAMPLES[9]))
EXECUTION = next(item for item in policy.generate(TEMPLATE) if item.role is Role.EXECUTION)
NAME = "globalbank-prod-c001"


def asked() -> Iterator[Asked]:
    """What the example needs."""
    assert TEMPLATE.stack
    for request in (*judge.creation(TEMPLATE), *judge.release(TEMPLATE), *judge.deletion(TEMPLATE)):
        context = {key: text for key, text in request.context.items() if isinstance(text, str) and text}
        yield request.action, request.resource, context


def foreign(request: Asked) -> Iterator[Asked]:
    """The same for another customer's name, in another account or region, with another service or boundary."""
    action, resource, context = request
    for old, new in ((NAME, "globalbank-prod-c002"), (cases.ACCOUNT, "999999999999"), (cases.REGION, "eu-west-1")):
        if old in resource:
            yield action, resource.replace(old, new), context
    for key in sorted(context.keys() & LIMITED):
        if key != "iam:PermissionsBoundary" or not action.startswith("iam:Detach"):
            yield action, resource, {**context, key: "arn:aws:iam::aws:policy/AdministratorAccess"}


LIMITED = {"iam:PassedToService", "iam:PermissionsBoundary", "iam:PolicyARN"}
"""Keys that hold a request back; taking a policy away must work whatever boundary a role has."""
LISTINGS = {name for statement in EXECUTION.statements if "*" in statement.resources for name in statement.actions}
"""They see all or nothing, in the stack's region."""
OWN = list({repr(item): item for item in asked()}.values())
FOREIGN = list({repr(item): item for own in OWN for item in foreign(own)}.values())
LONGER = [(action, f"{resource}-2", context) for action, resource, context in OWN]


def ours(found: Policy, request: Asked) -> bool:
    action, resource, context = request
    return samples.allows(found, action, resource, **{key.replace(":", "_", 1): text for key, text in context.items()})


@pytest.mark.spec("A23")
def test_two_evaluators_agree_on_every_request() -> None:
    theirs, parts = other.parsed(policy.documents(EXECUTION)), judge.by_action(EXECUTION)
    nothing = Policy(role=Role.EXECUTION, statements=())
    requests = [*OWN, *FOREIGN, *LONGER]
    assert len(requests) >= 1_000
    differing = [item for item in requests if ours(parts.get(item[0], nothing), item) != other.allows(theirs, *item)]
    assert differing == []


@pytest.mark.spec("A23")
def test_another_name_account_service_or_boundary_is_denied() -> None:
    theirs = other.parsed(policy.documents(EXECUTION))
    assert len(FOREIGN) > 2 * len(OWN)
    assert [item for item in OWN if not other.allows(theirs, *item)] == []
    allowed = [item for item in FOREIGN if other.allows(theirs, *item)]
    assert {action for action, _, _ in allowed} <= LISTINGS


@pytest.mark.spec("A23")
def test_a_listing_in_another_region_is_denied() -> None:
    theirs = other.parsed(policy.documents(EXECUTION))
    assert LISTINGS
    assert all(other.allows(theirs, action, "*", {}) for action in LISTINGS)
    assert not any(other.allows(theirs, action, "*", {}, region="eu-west-1") for action in LISTINGS)
