"""Two evaluators, ours and one that others wrote, on documents and requests made by chance: the same answers."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest

from trust.figures import SEED
from unit.policy import evaluator, other
from unit.policy.samples import ACCOUNT, REGION

REQUESTS = 6_000
VERBS = ("GetObject", "GetObjectAcl", "PutObject", "DeleteObject", "ListBucket")
ACTIONS = (*(f"s3:{verb}" for verb in VERBS), "iam:PassRole", "iam:PutRolePolicy", "sqs:SendMessage")
PATTERNS = (*ACTIONS, "s3:*", "s3:Get*", "s3:?etObject", "S3:putobject", "iam:P*", "*", "sqs:Send*e")
RESOURCES = (
    *("arn:aws:s3:::data", "arn:aws:s3:::data/a", "arn:aws:s3:::data-2/a/b", "*"),
    *(f"arn:aws:iam::{ACCOUNT}:role/build", f"arn:aws:iam::{ACCOUNT}:role/build-2"),
    f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs",
)
WILD = (
    *RESOURCES,
    "arn:aws:s3:::data*",
    "arn:aws:s3:::data/*",
    f"arn:aws:iam::{ACCOUNT}:role/buil?",
    "arn:aws:s3:::*/a",
)
KEYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # Key -> operators, and values that stand in a policy or in a request.
    "iam:PassedToService": (
        ("StringEquals", "StringNotEquals", "StringEqualsIfExists", "StringLike", "StringEqualsIgnoreCase", "Null"),
        ("lambda.amazonaws.com", "Lambda.amazonaws.com", "*.amazonaws.com", "ec2.amazonaws.com"),
    ),
    "iam:PolicyARN": (
        ("ArnEquals", "ArnLike", "ArnNotLike", "ArnLikeIfExists", "Null"),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/*", "arn:aws:iam::*:policy/A"),
    ),
    "sagemaker:InterContainerTrafficEncryption": (("Bool", "BoolIfExists", "Null"), ("true", "false")),
}


def some(chance: random.Random, values: tuple[str, ...]) -> list[str] | str:
    """One value as itself or several as a list, as IAM takes both."""
    found = chance.sample(values, chance.choice((1, 1, 2)))
    return found if len(found) > 1 or chance.random() < 0.5 else found[0]


def statement(chance: random.Random) -> dict[str, Any]:
    action, resource = (
        chance.choice(("Action", "Action", "NotAction")),
        chance.choice(("Resource",) * 3 + ("NotResource",)),
    )
    found: dict[str, Any] = {
        "Effect": chance.choice(("Allow", "Allow", "Deny")),
        action: some(chance, PATTERNS),
        resource: some(chance, WILD),
    }
    for key, (operators, values) in KEYS.items():
        if chance.random() < 0.25:
            operator = chance.choice(operators)
            wanted: Any = chance.choice(("true", "false")) if operator == "Null" else some(chance, values)
            found.setdefault("Condition", {}).setdefault(operator, {})[key] = wanted
    return found


def request(chance: random.Random) -> tuple[str, str, dict[str, str]]:
    context = {key: chance.choice(values) for key, (_, values) in KEYS.items() if chance.random() < 0.6}
    return chance.choice(ACTIONS), chance.choice(RESOURCES), {k: v.replace("*", "x") for k, v in context.items()}


@pytest.mark.spec("A23")
def test_two_evaluators_agree_on_documents_made_by_chance() -> None:
    chance, seen = random.Random(SEED), Counter[str]()  # noqa: S311 - a choice of tests, no secret
    differing = []
    for _ in range(REQUESTS // 10):
        listed = [statement(chance) for _ in range(chance.randint(1, 4))]
        documents = [{"Version": "2012-10-17", "Statement": listed}]
        seen.update({word for word in WORDS if f'"{word}"' in json.dumps(documents)})
        theirs = other.parsed(documents)
        for action, resource, context in (request(chance) for _ in range(10)):
            ours = evaluator.allows(documents, action, resource, context)
            seen["allowed" if ours else "denied"] += 1
            if ours != other.allows(theirs, action, resource, context):
                differing.append((documents, action, resource, context, ours))
    assert differing == []
    assert {word: seen[word] for word in (*WORDS, "allowed", "denied") if seen[word] < 50} == {}


WORDS = ("Deny", "NotAction", "NotResource", "Condition", "Null", "ArnLike", "StringNotEquals", "BoolIfExists")
