"""The tables know every state that botocore knows, and review destroys in none of them."""

from __future__ import annotations

import botocore.session
import pytest

from stackseal.aws.states import CHANGE_SET, STACK, Do, Use

MODEL = botocore.session.Session().get_service_model("cloudformation")


def enum(shape: str) -> set[str]:
    return set(MODEL.shape_for(shape).enum)


def test_every_stack_state_has_a_row() -> None:
    assert {state for state in STACK if state} == enum("StackStatus")
    assert len(STACK) == 23 + 1
    assert None in STACK


def test_every_pair_of_a_change_set_has_a_use() -> None:
    pairs = {(status, execution) for status in enum("ChangeSetStatus") for execution in enum("ExecutionStatus")}
    assert set(CHANGE_SET) == pairs
    assert len(pairs) == 8 * 6


def test_only_one_pair_is_executed() -> None:
    assert [pair for pair, use in CHANGE_SET.items() if use is Use.EXECUTE] == [("CREATE_COMPLETE", "AVAILABLE")]


@pytest.mark.parametrize("state", STACK)
def test_each_state_has_one_sensible_action(state: str | None) -> None:
    row = STACK[state]
    assert row.review is row.deploy
    assert row.review in {Do.CREATE, Do.UPDATE, Do.WAIT, Do.STOP}
    assert row.drift in {Do.DETECT, Do.NOTHING, Do.WAIT}
    assert (row.review in {Do.WAIT, Do.STOP}) == bool(row.remedy)


def test_what_runs_is_waited_for_and_a_shell_is_created() -> None:
    running = {state for state in STACK if state and state.endswith("_IN_PROGRESS") and state != "REVIEW_IN_PROGRESS"}
    assert {state for state, row in STACK.items() if row.review is Do.WAIT} == running
    assert STACK["REVIEW_IN_PROGRESS"].review is Do.CREATE
    assert {state for state, row in STACK.items() if row.review is Do.UPDATE} == {
        "CREATE_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
    }
