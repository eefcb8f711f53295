"""Fewer documents that allow the same: what joining adds can never be a request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from stackseal import facts, policy
from stackseal.model import Policy, Risk, Role, Statement
from stackseal.policy.fit import LIMIT, size
from unit.policy import judge
from unit.products import cases

LARGEST = [path for path in cases.EXAMPLES if "globalbank" in path.name or "edge" in path.name]
Pair = tuple[str, str, str, str]


def pairs(statements: Sequence[Mapping[str, Any]]) -> Iterator[Pair]:
    """Effect, action, resource and conditions of IAM statements."""
    for each in statements:
        limits = repr(each.get("Condition", {}))
        yield from ((each["Effect"], action, arn, limits) for action in each["Action"] for arn in each["Resource"])


def acts_on(action: str, arn: str) -> bool:
    """Whether the Service Authorization Reference names the ARN's kind for the action; written apart from the code."""
    known = facts.action(action)
    assert known is not None
    service = facts.service(action.partition(":")[0])
    assert service is not None
    if arn == "*":
        return True
    patterns = [pattern for kind in known.resources for pattern in service.arns[kind]]
    any_text = "[^:/]+" if arn.startswith("arn:aws:s3:::") else ".*"
    return any(re.fullmatch(re.sub(r"\\\$\\{\w+\\}", any_text, re.escape(pattern)), arn) for pattern in patterns)


@pytest.mark.parametrize("path", LARGEST, ids=lambda path: path.stem)
def test_documents_allow_what_the_statements_allow(path: Any) -> None:
    for found in policy.generate(cases.rendered(cases.example(path))):
        if found.role is Role.BOUNDARY:
            continue
        exact = set(pairs([statement.document() for statement in found.statements]))
        made = {pair for document in policy.documents(found) for pair in pairs(document["Statement"])}
        assert exact <= made
        assert [pair for pair in made - exact if acts_on(pair[1], pair[2])] == []


def test_the_largest_examples_are_joined_and_still_denied_nothing_they_need() -> None:
    joined = 0
    for path in LARGEST:
        template = cases.rendered(cases.example(path))
        found = next(item for item in policy.generate(template) if item.role is Role.EXECUTION)
        documents = policy.documents(found)
        assert all(size(document) <= LIMIT for document in documents)
        parts = judge.by_action(whole(documents))
        joined += any(each["Sid"].startswith("Stack") for document in documents for each in document["Statement"])
        for request in judge.creation(template):
            assert judge.allowed(parts[request.action], request), request
    # Starter and professional fit as they are.
    assert joined == sum("enterprise" in path.read_text(encoding="utf-8") for path in LARGEST)


def whole(documents: Sequence[Mapping[str, Any]]) -> Policy:
    """Documents as one policy again."""
    return Policy(
        role=Role.EXECUTION,
        statements=tuple(
            Statement(
                sid=each["Sid"],
                actions=tuple(each["Action"]),
                resources=tuple(each["Resource"]),
                conditions={
                    operator: {key: tuple(values) for key, values in keys.items()}
                    for operator, keys in each.get("Condition", {}).items()
                },
            )
            for document in documents
            for each in document["Statement"]
        ),
    )


def many(*kinds: tuple[str, str], effect: str = "Allow", **condition: dict[str, tuple[str, ...]]) -> Policy:
    """Two dozen long statements, each of the next kind (action, beginning of its ARN) in turn."""
    return Policy(
        role=Role.EXECUTION,
        statements=tuple(
            Statement(
                sid=f"S{number}",
                actions=(kinds[number % len(kinds)][0],),
                resources=(f"{kinds[number % len(kinds)][1]}{number:03}{'x' * 220}",),
                conditions=condition,
                effect=effect,
                risk=Risk.WRITE,
            )
            for number in range(40)
        ),
    )


QUEUE, TOPIC = "arn:aws:sqs:us-west-2:111122223333:q", "arn:aws:sns:us-west-2:111122223333:t"


def sids(found: Policy) -> set[str]:
    return {each["Sid"] for document in policy.documents(found) for each in document["Statement"]}


def test_statements_of_two_services_are_joined_where_that_saves_a_document() -> None:
    found = many(("sqs:CreateQueue", QUEUE), ("sns:CreateTopic", TOPIC))
    assert any(sid.startswith("StackWrite") for sid in sids(found))
    made = {pair for document in policy.documents(found) for pair in pairs(document["Statement"])}
    assert {pair for pair in made if acts_on(pair[1], pair[2])} == set(
        pairs([statement.document() for statement in found.statements])
    )


def test_two_actions_of_one_kind_stay_apart() -> None:
    found = many(("sqs:CreateQueue", QUEUE), ("sqs:DeleteQueue", QUEUE))
    for document in policy.documents(found):
        assert all(len(each["Action"]) == 1 for each in document["Statement"])


def test_a_pattern_is_joined_with_another_service_only() -> None:
    """`bucket*` is no object, but an object's ARN matches it."""
    found = many(("s3:GetObject", "arn:aws:s3:::b"), ("s3:PutBucketTagging", "arn:aws:s3:::b"))
    stars = Policy(
        role=Role.EXECUTION,
        statements=tuple(
            Statement(sid=each.sid, actions=each.actions, resources=(f"{each.resources[0]}*",), risk=Risk.WRITE)
            for each in found.statements
        ),
    )
    for document in policy.documents(stars):
        assert all(len(each["Action"]) == 1 for each in document["Statement"])


def test_an_unknown_action_and_everything_stay_apart() -> None:
    for action, arn in (("sqs:NobodyKnowsThis", QUEUE), ("kms:CreateKey", "*")):
        found = many((action, arn), ("sns:CreateTopic", TOPIC))
        for document in policy.documents(found):
            assert all(len(each["Action"]) == 1 for each in document["Statement"])


def test_other_conditions_or_another_effect_stay_apart() -> None:
    one = many(("sqs:CreateQueue", QUEUE))
    for two in (
        many(("sns:CreateTopic", TOPIC), effect="Deny"),
        many(("sns:CreateTopic", TOPIC), Bool={"aws:SecureTransport": ("true",)}),
    ):
        both = Policy(role=Role.EXECUTION, statements=(*one.statements, *two.statements))
        for document in policy.documents(both):
            assert all(len(each["Action"]) == 1 for each in document["Statement"])


def test_a_policy_that_fits_is_left_as_it_is() -> None:
    found = many(("sqs:CreateQueue", QUEUE), ("sns:CreateTopic", TOPIC))
    small = Policy(role=Role.EXECUTION, statements=found.statements[:6])
    assert sids(small) == {f"S{number}" for number in range(6)}
