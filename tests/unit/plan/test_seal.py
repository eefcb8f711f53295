"""The seal changes with everything that matters and with nothing else; a plan may shrink, never grow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from stackseal.errors import UsageError
from stackseal.model import (
    KNOWN_AFTER_APPLY,
    Action,
    Change,
    Location,
    Plan,
    PlanOperation,
    PropertyChange,
    Replacement,
)
from stackseal.plan.seal import (
    ANY,
    change_set_name,
    check_name,
    inputs,
    normalise,
    of_plan,
    seal,
    subset,
)
from unit.plan.plans import CHANGES, HEAD, plan, reviewed
from unit.plan.templates import STACK, template


@pytest.mark.parametrize(
    "change",
    [
        lambda p: replace(p, parameters={"Name": "x"}),
        lambda p: replace(p, notes=("other",), consequences=(), change_set="arn:other", change_set_name="other"),
        lambda p: replace(p, changes=tuple(reversed(p.changes))),
        lambda p: replace(p, changes=tuple(replace(c, physical_id="x", where=Location(path="y")) for c in p.changes)),
        lambda p: replace(p, capabilities=tuple(reversed(p.capabilities))),
    ],
)
def test_the_seal_ignores_what_has_no_effect(change: Callable[[Plan], Plan]) -> None:
    # The parameters that count are the template's own: a plan only repeats them for display.
    assert seal(change(plan()), reviewed()) == plan().seal


@pytest.mark.parametrize(
    "change",
    [
        lambda p: replace(p, tags={"team": "x"}),
        lambda p: replace(p, capabilities=("CAPABILITY_IAM",)),
        lambda p: replace(p, execution_role="arn:aws:iam::123456789012:role/other"),
        lambda p: replace(p, execution_role=None),
        lambda p: replace(p, stack=replace(p.stack, account="999999999999")),
        lambda p: replace(p, stack=replace(p.stack, region="eu-west-1")),
        lambda p: replace(p, stack=replace(p.stack, name="other")),
        lambda p: replace(p, operation=PlanOperation.CREATE),
        lambda p: replace(p, changes=p.changes[1:]),
        lambda p: replace(p, changes=(replace(p.changes[0], replacement=Replacement.CONDITIONAL), *p.changes[1:])),
        lambda p: replace(p, changes=(replace(p.changes[0], policy_action="ReplaceAndRetain"), *p.changes[1:])),
        lambda p: replace(p, changes=(*p.changes[:2], replace(p.changes[2], nested=("Child",)))),
    ],
)
def test_the_seal_notices_what_has_an_effect(change: Callable[[Plan], Plan]) -> None:
    assert seal(change(plan()), reviewed()) != plan().seal


def test_the_seal_notices_the_template_and_its_parameters() -> None:
    other = template(dict(reviewed().resources), parameters={"Name": "c"}, tags={"team": "ml"})
    more = template({**reviewed().resources, "New": {"Type": "AWS::SNS::Topic"}}, parameters={"Name": "b"})
    assert len({seal(plan(), reviewed()), seal(plan(), other), seal(plan(), more)}) == 3
    assert len({of_plan(plan(), item).digest for item in (reviewed(), other, more)}) == 3


def test_inputs_come_from_the_template() -> None:
    role = template({"R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r"}}}, tags={"team": "ml"})
    found = inputs(role, execution_role="arn:role")
    assert (found.stack, found.capabilities, dict(found.tags)) == (STACK, ("CAPABILITY_NAMED_IAM",), {"team": "ml"})
    with pytest.raises(UsageError, match="belongs to no stack"):
        inputs(replace(role, stack=None))


def test_lines_are_sorted_and_hold_no_value_in_clear() -> None:
    lines = normalise(CHANGES)
    assert [(line.logical_id, line.path) for line in lines] == [
        ("Bucket", "BucketName"),
        ("Bucket", "Tags"),
        ("Reader", "Value"),
        ("Topic", ""),
    ]
    assert [len(line.value) for line in lines] == [64, 64, 1, 0]
    assert str(lines[0]) == "Modify Bucket (AWS::S3::Bucket) BucketName, replaced"


def modified(after: str | None, replacement: Replacement = Replacement.NEVER, policy: str | None = None) -> Change:
    item = PropertyChange(path="Value", before=None, after=after, replacement=replacement)
    return Change(
        action=Action.MODIFY,
        logical_id="R",
        type="AWS::SSM::Parameter",
        replacement=replacement,
        policy_action=policy,
        properties=(item,),
    )


@pytest.mark.parametrize(
    ("sealed", "new", "extra"),
    [
        (CHANGES, CHANGES, 0),
        (CHANGES, CHANGES[:1], 0),
        (CHANGES, (), 0),
        ((), CHANGES, 4),
        (CHANGES[:1], CHANGES, 2),
        ([modified('"a"')], [modified('"a"')], 0),
        ([modified('"a"')], [modified('"b"')], 1),
        ([modified(KNOWN_AFTER_APPLY)], [modified('"b"')], 0),
        ([modified(f'["{KNOWN_AFTER_APPLY}"]')], [modified('["b"]')], 0),
        ([modified('"a"')], [modified(KNOWN_AFTER_APPLY)], 1),
        ([modified(None)], [modified('"b"')], 1),
        (
            [modified('"a"', Replacement.ALWAYS, "ReplaceAndDelete")],
            [modified('"a"', Replacement.CONDITIONAL, "ReplaceAndDelete")],
            0,
        ),
        ([modified('"a"', Replacement.ALWAYS, "ReplaceAndDelete")], [modified('"a"')], 0),
        ([modified('"a"')], [modified('"a"', Replacement.CONDITIONAL)], 1),
        ([modified('"a"', Replacement.CONDITIONAL)], [modified('"a"', Replacement.ALWAYS)], 1),
        (
            [modified('"a"', Replacement.ALWAYS, "ReplaceAndRetain")],
            [modified('"a"', Replacement.ALWAYS, "ReplaceAndDelete")],
            1,
        ),
        (
            [modified('"a"', Replacement.ALWAYS, "ReplaceAndRetain")],
            [modified('"a"', Replacement.CONDITIONAL, "ReplaceAndDelete")],
            1,
        ),
        ([modified('"a"', Replacement.ALWAYS, "ReplaceAndRetain")], [modified('"a"', Replacement.ALWAYS)], 1),
        ([replace(modified('"a"'), nested=("Child",))], [modified('"a"')], 1),
        ([replace(modified('"a"'), action=Action.REMOVE)], [modified('"a"')], 1),
    ],
)
def test_a_plan_may_shrink_never_grow(sealed: list[Change], new: list[Change], extra: int) -> None:
    assert len(subset(normalise(new), normalise(sealed))) == extra


def test_a_value_that_is_not_known_is_a_wildcard() -> None:
    assert normalise([modified(KNOWN_AFTER_APPLY)])[0].value == ANY


def test_change_set_names_carry_pull_request_commit_and_digest() -> None:
    assert change_set_name(12, HEAD, "ab" * 32) == "seal-pr12-0123456-abababababab"
    assert change_set_name(1, HEAD, "ab" * 32).startswith("seal-pr1-")
    for bad in ((0, HEAD, "ab" * 32), (1, "main", "ab" * 32), (1, HEAD, "../../etc"), (1, f"{HEAD}\n", "ab" * 32)):
        with pytest.raises(UsageError):
            change_set_name(*bad)


def test_limits_are_checked_before_anything_is_sent() -> None:
    check_name("a" * 128, "d" * 1_024)
    for name, description in (("a" * 129, ""), ("1a", ""), ("a_b", ""), ("a\n", ""), ("", ""), ("a", "d" * 1_025)):
        with pytest.raises(UsageError):
            check_name(name, description)
