"""What is drift, what is ignored, and what happens to the stack's one issue."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from stackseal.drift import Move, decide, forsaken, judge, key
from stackseal.hosts.base import Issue
from stackseal.model import Difference, Drift, DriftStatus, ResourceDrift, StackId
from stackseal.settings import DriftIgnore

STACK = StackId(account="111122223333", region="us-west-2", name="churn-stack")
TODAY = date(2026, 11, 20)


def resource(name: str, status: str, *paths: str) -> ResourceDrift:
    differences = tuple(Difference(path=path, expected='"a"', actual='"b"') for path in paths)
    return ResourceDrift(
        logical_id=name, type="AWS::SSM::Parameter", physical_id=name, status=status, differences=differences
    )


def drift(status: DriftStatus, *resources: ResourceDrift) -> Drift:
    return Drift(stack=STACK, status=status, resources=resources)


def ignore(**values: str) -> DriftIgnore:
    given = {"reason": "It may differ here.", "owner": "team", "until": "2026-11-20"}
    return DriftIgnore.model_validate({**given, **values})


def issue(number: int = 1, *, is_open: bool = True, body: str = "body", name: str = str(STACK)) -> Issue:
    return Issue(number=number, key=name, title="title", body=body, open=is_open)


DRIFTED = drift(DriftStatus.DRIFTED, resource("A", "MODIFIED", "Value"), resource("B", "IN_SYNC"))
IN_SYNC = drift(DriftStatus.IN_SYNC, resource("A", "IN_SYNC"))
UNKNOWN = drift(DriftStatus.UNKNOWN, resource("A", "UNKNOWN"))
ABSENT = replace(drift(DriftStatus.UNKNOWN), absent=True)


@pytest.mark.parametrize(
    ("found", "issues", "move"),
    [
        (DRIFTED, [], Move.OPEN),
        (DRIFTED, [issue(is_open=False)], Move.REOPEN),
        (DRIFTED, [issue()], Move.KEEP),
        (DRIFTED, [issue(body="another")], Move.EDIT),
        (DRIFTED, [issue(name="another stack")], Move.OPEN),
        (IN_SYNC, [issue()], Move.CLOSE),
        (IN_SYNC, [issue(is_open=False)], Move.KEEP),
        (IN_SYNC, [], Move.NONE),
        (UNKNOWN, [issue()], Move.KEEP),
        (UNKNOWN, [issue(is_open=False)], Move.KEEP),
        (UNKNOWN, [], Move.NONE),
        (ABSENT, [issue()], Move.RETIRE),
        (ABSENT, [issue(is_open=False)], Move.KEEP),
        (ABSENT, [], Move.NONE),
        (ABSENT, [issue(name="another stack")], Move.NONE),
    ],
)
def test_each_state_has_one_move(found: Drift, issues: list[Issue], move: Move) -> None:
    assert decide(found, key(found), "title", "body", issues).move is move


@pytest.mark.parametrize(
    ("issues", "room", "move"),
    [
        ([], 1, Move.OPEN),
        ([], 0, Move.HOLD),
        ([issue(is_open=False)], 0, Move.HOLD),
        ([issue(body="another")], 0, Move.EDIT),
        ([issue()], -3, Move.KEEP),
    ],
)
def test_no_more_are_opened_than_there_is_room_for(issues: list[Issue], room: int, move: Move) -> None:
    assert decide(DRIFTED, key(DRIFTED), "title", "body", issues, room=room).move is move


def test_what_is_settled_makes_room() -> None:
    assert decide(IN_SYNC, key(IN_SYNC), "title", "body", [issue()], room=0).move is Move.CLOSE
    assert [move.opens for move in (Move.OPEN, Move.REOPEN, Move.CLOSE, Move.EDIT, Move.HOLD)] == [1, 1, -1, 0, 0]


def test_line_ends_and_outer_space_are_the_forge_s() -> None:
    kept = issue(body="\r\nfirst\r\nsecond")
    assert decide(DRIFTED, key(DRIFTED), "title", "first\nsecond\n", [kept]).move is Move.KEEP


def test_the_lowest_number_is_the_one_that_counts() -> None:
    assert decide(DRIFTED, key(DRIFTED), "title", "body", [issue(7), issue(3)]).number == 3


def test_a_rule_takes_its_difference_away_and_nothing_else() -> None:
    found = drift(DriftStatus.DRIFTED, resource("A", "MODIFIED", "Value", "Tags/0"))
    judged = judge(found, [ignore(resource="A", path="Value")], TODAY)
    assert [item.path for item in judged.resources[0].differences] == ["Tags/0"]
    assert judged.status is DriftStatus.DRIFTED
    assert judge(found, [ignore(resource="A", path="*")], TODAY).status is DriftStatus.IN_SYNC


def test_a_rule_counts_on_its_last_day_and_not_after() -> None:
    rule = [ignore()]
    assert judge(DRIFTED, rule, TODAY).status is DriftStatus.IN_SYNC
    assert judge(DRIFTED, rule, date(2026, 11, 21)).status is DriftStatus.DRIFTED


def test_a_rule_of_another_stack_or_resource_does_not_count() -> None:
    assert judge(DRIFTED, [ignore(stack="another-*")], TODAY).status is DriftStatus.DRIFTED
    assert judge(DRIFTED, [ignore(resource="B")], TODAY).status is DriftStatus.DRIFTED


def test_ignoring_a_difference_does_not_make_an_unknown_resource_known() -> None:
    found = drift(DriftStatus.DRIFTED, resource("A", "MODIFIED", "Value"), resource("B", "UNKNOWN"))
    assert judge(found, [ignore()], TODAY).status is DriftStatus.UNKNOWN


def test_a_deleted_resource_needs_a_rule_for_everything() -> None:
    found = drift(DriftStatus.DRIFTED, resource("A", "DELETED"))
    assert judge(found, [ignore(path="Value")], TODAY).status is DriftStatus.DRIFTED
    assert judge(found, [ignore(path="*")], TODAY).status is DriftStatus.IN_SYNC


def test_what_was_not_compared_is_counted() -> None:
    found = drift(
        DriftStatus.IN_SYNC, resource("A", "IN_SYNC"), resource("B", "NOT_CHECKED"), resource("C", "UNSUPPORTED")
    )
    assert (found.checked, len(found.resources)) == (1, 3)


def test_the_fingerprint_follows_the_differences_only() -> None:
    again = drift(DriftStatus.DRIFTED, resource("B", "IN_SYNC"), resource("A", "MODIFIED", "Value"))
    assert again.fingerprint == DRIFTED.fingerprint
    assert drift(DriftStatus.DRIFTED, resource("A", "MODIFIED", "Tags")).fingerprint != DRIFTED.fingerprint


def test_forsaken_are_the_open_issues_of_ours_that_no_stack_of_the_check_has() -> None:
    issues = [
        issue(1, name="a", body="ours"),
        issue(2, name="b", body="ours", is_open=False),
        issue(3, name="b", body="theirs"),
        issue(4, name="b", body="ours"),
        issue(5, name="c", body="ours"),
    ]
    found = forsaken(issues, {"a", "c"}, lambda body: body == "ours")
    assert [each.number for each in found] == [4]
