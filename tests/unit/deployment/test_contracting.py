"""The last step of a deployment can only take away. No gate looks at it, so nothing in it may need one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from stackseal import assets, policy
from stackseal.model import Action, Policy, Replacement, Role, SourceMap, Stack, Statement, Template
from stackseal.plan import predicted
from unit.products import cases

TURNS = 4


def pairs() -> Iterator[tuple[Path, Path]]:
    """A stack before and after a change, of one product: what is larger becomes smaller, and the other way round."""
    for folder in sorted(assets.PRODUCTS.glob("*/examples")):
        mine = sorted(folder.glob("*.yaml"))
        for index, one in enumerate(mine):
            if one != (other := mine[(index + 1) % len(mine)]):
                yield from ((one, other), (other, one))


@cache
def example(path: Path) -> Template:
    return cases.rendered(cases.example(path))


PAIRS = sorted(set(pairs()))


def grants(found: Policy) -> Iterator[tuple[str, str, Statement]]:
    """Action and resource of every permission, with the statement that it stands in."""
    for statement in found.statements:
        assert statement.effect == "Allow", "taking a denial away would be giving"
        for action in statement.actions:
            for resource in statement.resources:
                yield action, resource, statement


def covers(wide: Statement, action: str, resource: str, narrow: Statement) -> bool:
    """Whether one statement allows at least what another one allows for this action and resource.

    Wildcards of the other one are taken by the letter: only a wildcard covers them.
    """
    return (
        any(fnmatchcase(action.lower(), each.lower()) for each in wide.actions)
        and any(fnmatchcase(resource, each.replace("[", "[[]")) for each in wide.resources)
        and all(
            set(narrow.conditions.get(operator, {}).get(key, ())) <= set(values)
            and key in narrow.conditions.get(operator, {})
            for operator, keys in wide.conditions.items()
            for key, values in keys.items()
        )
    )


def gained(wide: Policy, narrow: Policy) -> list[tuple[str, str]]:
    """What the second policy allows and the first does not."""
    known = [statement for statement in wide.statements if statement.effect == "Allow"]
    return [
        (action, resource)
        for action, resource, statement in grants(narrow)
        if not any(covers(each, action, resource, statement) for each in known)
    ]


def both(base: Path, head: Path) -> tuple[Policy, Policy]:
    """What a role may do while a change is deployed, and once it is."""
    old, new = example(base), example(head)
    return policy.execution(new, base=old), policy.execution(new)


def template(stack: Stack, execution: Policy) -> Template:
    source = SourceMap(path="roles", lines=(), rendered={}, template={}, config={})
    return Template(text="", body=policy.role_template(stack, execution), parameters={}, source=source, stack=stack)


def test_the_judge_sees_what_is_gained() -> None:
    one = Statement(sid="A", actions=("s3:PutObject",), resources=("arn:aws:s3:::a/*",))
    mail = Statement(
        sid="B",
        actions=("iam:PassRole",),
        resources=("*",),
        conditions={"StringEquals": {"iam:PassedToService": ("a.amazonaws.com", "b.amazonaws.com")}},
    )

    def judged(wide: Statement, narrow: Statement) -> bool:
        first, second = (Policy(role=Role.EXECUTION, statements=(each,)) for each in (wide, narrow))
        return not gained(first, second)

    assert judged(one, one)
    assert judged(one, replace(one, resources=("arn:aws:s3:::a/b",)))
    assert not judged(one, replace(one, resources=("*",)))
    assert not judged(one, replace(one, actions=("s3:DeleteObject",)))
    assert not judged(replace(one, actions=("s3:PutObject",)), replace(one, actions=("s3:*",)))
    fewer = {"StringEquals": {"iam:PassedToService": ("a.amazonaws.com",)}}
    assert judged(mail, replace(mail, conditions=fewer))
    assert not judged(replace(mail, conditions=fewer), mail)
    assert not judged(mail, replace(mail, conditions={}))
    assert judged(replace(mail, conditions={}), mail)


@pytest.mark.parametrize("turn", range(TURNS))
def test_the_last_step_gives_nothing_and_leaves_the_role_who_it_is(turn: int) -> None:
    """Every example of every product is changed into another one and back."""
    less = 0
    for base, head in PAIRS[turn::TURNS]:
        stack = example(head).stack
        assert stack
        wide, narrow = both(base, head)
        assert gained(wide, narrow) == [], (base, head)
        less += bool(gained(narrow, wide))
        before, after = template(stack, wide), template(stack, narrow)
        for change in predicted.predict(before, after, cautious=True).changes:
            # Documents may be cut anew, and the role lists them; who may take it, its boundary and its name stay.
            paths = {item.path.partition("/")[0] for item in change.properties}
            role = change.logical_id == "Role"
            assert (change.type, paths) == ("AWS::IAM::Role", {"ManagedPolicyArns"}) or (
                change.type == "AWS::IAM::ManagedPolicy" and paths <= {"PolicyDocument"}
            ), (base, head)
            assert change.replacement is Replacement.NEVER
            assert change.action is Action.MODIFY or not role
        assert fixed(after.body) == fixed(before.body)
    assert less > len(PAIRS) / TURNS / 3, "many of these changes leave something to take away"


def test_no_product_is_left_out() -> None:
    assert {base.parts[-3] for base, _ in PAIRS} >= {"ml", "model_hosting", "sg", "training_workflow", "vpc"}
    assert len(PAIRS) > 80


def fixed(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """A stack of roles without what its role may do."""
    role = body["Resources"]["Role"]
    return {**role, "Properties": {**role["Properties"], "ManagedPolicyArns": None}}
