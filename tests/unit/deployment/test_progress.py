"""What a person sees while a stack is changed: lines in CI, a table on a terminal, one sentence at the end."""

from __future__ import annotations

import io

from stackseal.deployment.progress import Lines, Table, progress, sentence
from stackseal.model import Deployment, Outcome, ResourceEvent, StackId
from stackseal.output import Output

STACK = StackId(account="111122223333", region="us-west-2", name="churn")


def event(name: str, status: str, reason: str = "") -> ResourceEvent:
    return ResourceEvent(
        logical_id=name, type="AWS::SNS::Topic", status=status, reason=reason, timestamp="2026-01-01T10:20:30"
    )


def test_ci_gets_one_plain_line_for_each_event() -> None:
    out = Output(stdout=io.StringIO(), stderr=(said := io.StringIO()))
    shown = progress(out)
    assert isinstance(shown, Lines)
    shown.event(event("Stack", "REVIEW_IN_PROGRESS"))
    shown.event(event("Topic", "CREATE_IN_PROGRESS"))
    shown.event(event("Topic", "CREATE_FAILED", "::error::the name is taken"))
    first, second = said.getvalue().splitlines()
    assert first == "  10:20:30 … CREATE_IN_PROGRESS Topic"
    assert second.startswith("  10:20:30 ✗ CREATE_FAILED Topic: ")
    assert "\x1b" not in said.getvalue()


def test_several_stacks_at_once_get_lines_with_their_names_also_on_a_terminal() -> None:
    out = Output(stdout=io.StringIO(), stderr=(said := io.StringIO()), live=True)
    progress(out, "churn").event(event("Topic", "CREATE_IN_PROGRESS"))
    assert said.getvalue() == "  churn: 10:20:30 … CREATE_IN_PROGRESS Topic\n"


def test_a_terminal_gets_a_table_that_redraws_itself() -> None:
    out = Output(stdout=io.StringIO(), stderr=(said := io.StringIO()), live=True)
    shown = progress(out)
    assert isinstance(shown, Table)
    shown.event(event("Topic", "CREATE_IN_PROGRESS"))
    shown.event(event("Rule", "CREATE_IN_PROGRESS"))
    shown.event(event("Topic", "CREATE_COMPLETE"))
    last = said.getvalue().rpartition("\x1b[J")[2]
    assert last.splitlines() == ["  ✓ Topic  CREATE_COMPLETE", "  … Rule   CREATE_IN_PROGRESS"]
    assert "\x1b[2F" in said.getvalue()


def test_the_end_is_one_sentence() -> None:
    failed = Deployment(
        stack=STACK,
        outcome=Outcome.ROLLED_BACK,
        status="ROLLBACK_COMPLETE",
        first_failure=event("Topic", "CREATE_FAILED", "the name is taken"),
    )
    assert sentence(failed) == (
        "churn: rolled back (ROLLBACK_COMPLETE); Topic (AWS::SNS::Topic) CREATE_FAILED: the name is taken"
    )
    lost = Deployment(stack=STACK, outcome=Outcome.UNKNOWN, status="", resume="stackseal recover churn --region r")
    assert "nobody knows how it ends" in sentence(lost)
    assert sentence(lost).endswith("stackseal recover churn --region r")
    left = Deployment(stack=STACK, outcome=Outcome.DELETED, status="DELETE_COMPLETE", retained=("AWS::S3::Bucket b",))
    assert sentence(left).endswith("left behind: AWS::S3::Bucket b")
