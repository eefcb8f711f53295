"""Fewer documents that allow the same: what joining adds can never be a request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import pytest

from stackseal import facts, policy
from stackseal.model import Policy, Risk, Role, Statement
from stackseal.policy import join
from stackseal.policy.fit import INLINE, LIMIT, size
from unit.policy import judge
from unit.products import cases

LARGEST = [path for path in cases.EXAMPLES if "globalbank" in path.name or "edge" in path.name]
Pair = tuple[str, str, str, str]
BETWEEN = ("x", "a/b", "a:b", ":log-stream:a", "/a/b", "")
"""What a star may stand for."""


def pairs(statements: Sequence[Mapping[str, Any]]) -> Iterator[Pair]:
    """Effect, action, resource and conditions of IAM statements; each value of a condition counts apart."""
    for each in statements:
        limits = [
            [(operator, key, value) for value in values]
            for operator, keys in each.get("Condition", {}).items()
            for key, values in keys.items()
        ]
        for action, arn, limit in product(each["Action"], each["Resource"], product(*limits)):
            yield each["Effect"], action, arn, repr(limit)


@cache
def acts_on(action: str, arn: str) -> bool:
    """Whether the Service Authorization Reference names the kind of an ARN, or of one that a pattern may mean.

    Written apart from the code: stars are filled instead of compared.
    """
    known = facts.action(action)
    assert known is not None
    service = facts.service(action.partition(":")[0])
    assert service is not None
    if arn == "*":
        return True
    kinds = service.arns if "t" in known.levels else known.resources
    patterns = [pattern for kind in kinds for pattern in service.arns[kind]]
    meant = {arn.replace("*", text) for text in (*BETWEEN, "*")}
    any_text = "[^:/]+" if arn.startswith("arn:aws:s3:::") else ".*"
    return any(
        re.fullmatch(re.sub(r"\\\$\\{\w+\\}", any_text, re.escape(pattern)), text)
        for pattern in patterns
        for text in meant
    )


def unexpected(found: Policy) -> tuple[set[Pair], set[Pair]]:
    """What the documents of a policy do not allow although its statements do, and what only the documents allow."""
    exact = set(pairs([statement.document() for statement in found.statements]))
    made = {pair for document in policy.documents(found) for pair in pairs(document["Statement"])}
    lost = {pair for pair in exact - made if not any(includes(other, pair) for other in made)}
    return lost, {pair for pair in made - exact if acts_on(pair[1], pair[2])}


def includes(one: Pair, other: Pair) -> bool:
    """The same with a pattern for the resource."""
    same = one[:2] == other[:2] and one[3] == other[3]
    return same and one[2].endswith("*") and other[2].startswith(one[2][:-1])


@pytest.mark.parametrize("path", LARGEST, ids=lambda path: path.stem)
def test_documents_allow_what_the_statements_allow(path: Any) -> None:
    for found in policy.generate(cases.rendered(cases.example(path))):
        if found.role is not Role.BOUNDARY:
            assert unexpected(found) == (set(), set()), found.role
            three = found.role is Role.OPERATOR or "credit-scoring" in path.name
            assert len(policy.documents(found)) <= (3 if three else 2), found.role


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
    # Starter and professional fit nearly as they are.
    assert 10 <= joined < len(LARGEST)


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
    assert unexpected(found) == (set(), set())


def test_two_actions_of_one_kind_stay_apart() -> None:
    found = many(("sqs:CreateQueue", QUEUE), ("sqs:DeleteQueue", QUEUE))
    for document in policy.documents(found):
        assert all(len(each["Action"]) == 1 for each in document["Statement"])


def starred(found: Policy) -> Policy:
    """The policy with a pattern for each resource."""
    statements = (replace(each, resources=(f"{each.resources[0]}-*",)) for each in found.statements)
    return replace(found, statements=tuple(statements))


def joined(found: Policy) -> tuple[Statement, ...]:
    """The statements joined as far as that can go."""
    *_, last = join.states(found.statements)
    return last


ROLE, KEPT = "arn:aws:iam::111122223333:role/r", "arn:aws:iam::111122223333:policy/p"


def test_patterns_are_joined_where_they_cannot_mean_each_others_kind() -> None:
    """`bucket-*` is no object, but an object's ARN matches it; `role/r-*` is never a policy."""
    apart = starred(many(("s3:GetObject", "arn:aws:s3:::b"), ("s3:PutBucketTagging", "arn:aws:s3:::b")))
    assert {len(each.actions) for each in joined(apart)} == {1}
    together = starred(many(("iam:CreateRole", ROLE), ("iam:CreatePolicy", KEPT)))
    assert {each.actions for each in joined(together)} == {("iam:CreatePolicy", "iam:CreateRole")}
    assert unexpected(apart) == unexpected(together) == (set(), set())


def passing(operator: str, *others: str) -> Policy:
    """Forty statements in pairs that differ in the values of one condition, the second with more of them."""
    found = many(("iam:PassRole", ROLE))
    pairs_of = zip(found.statements[::2], found.statements[1::2], strict=True)
    limit = {operator: {"iam:PassedToService": ("a.amazonaws.com",), **dict.fromkeys(others, ("x",))}}
    more = {operator: {"iam:PassedToService": ("b.amazonaws.com",), **dict.fromkeys(others, ("y",))}}
    made = [(replace(one, conditions=limit), replace(one, sid=two.sid, conditions=more)) for one, two in pairs_of]
    return replace(found, statements=tuple(each for pair in made for each in pair))


def test_values_of_one_condition_are_united() -> None:
    found = passing("StringEquals")
    (first, *_), *_ = (document["Statement"] for document in policy.documents(found))
    assert first["Condition"] == {"StringEquals": {"iam:PassedToService": ["a.amazonaws.com", "b.amazonaws.com"]}}
    assert unexpected(found) == (set(), set())


@pytest.mark.parametrize("found", [passing("StringNotEquals"), passing("StringEquals", "aws:SourceAccount")])
def test_denying_conditions_and_two_that_differ_stay_apart(found: Policy) -> None:
    conditions = [each["Condition"] for document in policy.documents(found) for each in document["Statement"]]
    assert {len(values) for limit in conditions for keys in limit.values() for values in keys.values()} == {1}
    assert unexpected(found) == (set(), set())


def test_what_another_resource_includes_is_left_out_where_statements_are_joined() -> None:
    found = many(("sqs:CreateQueue", QUEUE), ("sns:CreateTopic", TOPIC))
    opened = [replace(each, resources=(*each.resources, f"{each.resources[0]}*")) for each in found.statements]
    wide = replace(found, statements=tuple(opened))
    (only,) = joined(wide)
    assert len(only.resources) == len(found.statements)
    assert all(arn.endswith("*") for arn in only.resources)
    assert unexpected(wide) == (set(), set())


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


def test_the_first_document_may_be_an_inline_policy() -> None:
    found = many(("sqs:CreateQueue", QUEUE), ("sqs:DeleteQueue", QUEUE))
    for number, managed, inline in ((6, 1, 1), (28, 2, 1), (40, 2, 2)):
        some = replace(found, statements=found.statements[:number])
        documents, (first, *others) = policy.documents(some), policy.documents(some, inline=True)
        assert (len(documents), len(others) + 1) == (managed, inline)
        assert size(first) <= INLINE
        assert all(size(document) <= LIMIT for document in (*documents, *others))
        texts = {pair for document in (first, *others) for pair in pairs(document["Statement"])}
        assert texts == {pair for document in documents for pair in pairs(document["Statement"])}
