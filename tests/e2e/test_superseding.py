"""A review takes the plan that it supersedes along, of its own pull request and stack, and nothing else."""

from __future__ import annotations

import pytest

from e2e import crowd
from e2e.crowd import STACK, Crowd, commit
from e2e.harness import Bench
from stackseal.aws.shapes import NewChangeSet
from stackseal.errors import UsageError
from stackseal.model import PlanOperation

pytestmark = pytest.mark.e2e
ONE, TWO = commit(7, 1), commit(7, 2)


def record(bench: Bench, head: str, number: int = 7) -> str:
    (found,) = [item for item in bench.records.of(STACK, number) if item.head == head]
    return found.change_set or ""


def test_reviews_without_end_keep_one_change_set_of_each_pull_request_and_leave_nothing(bench: Bench) -> None:
    """`make trust` does the same with 1,100 (tests/trust/test_hygiene.py)."""
    found = Crowd(bench=bench)
    found.run(88, seed=1)
    assert found.wrong == []
    assert found.reviews == 88
    assert found.most == crowd.OPEN
    assert found.cfn.stack(STACK.name) is None


def test_on_a_deployed_stack_too_and_what_is_nobodys_stays(bench: Bench) -> None:
    crowd.deployed(bench)
    found = Crowd(bench=bench, foreign={"by-hand"})
    found.run(44, seed=2)
    assert found.wrong == []
    assert found.most == crowd.OPEN
    assert found.kept() == ["by-hand"]
    state = found.cfn.stack(STACK.name)
    assert state
    assert state.status == "CREATE_COMPLETE"


def test_the_same_head_again_takes_up_its_change_set(bench: Bench) -> None:
    found = Crowd(bench=bench)
    found.review(7, ONE, "a")
    first = record(bench, ONE)
    found.review(7, ONE, "a")
    assert record(bench, ONE) == first
    assert len(found.kept()) == 1


def test_another_head_with_the_same_plan_has_a_change_set_of_its_own_name(bench: Bench) -> None:
    found = Crowd(bench=bench)
    found.review(7, ONE, "a")
    found.review(7, TWO, "a")
    (name,) = found.kept()
    assert name.split("-")[2] == TWO[:7]
    # Forced back: the first name again, and the second one goes.
    found.review(7, ONE, "a")
    (again,) = found.kept()
    assert again == name.replace(TWO[:7], ONE[:7])
    assert record(bench, ONE).split("/")[1] == again


def test_a_stack_in_which_nothing_is_left_to_change_keeps_no_plan(bench: Bench) -> None:
    crowd.deployed(bench)
    found = Crowd(bench=bench, foreign={"by-hand"})
    found.review(7, ONE, "a")
    found.review(8, ONE, "b")
    found.review(7, TWO, "first")
    (newest, _) = sorted(bench.records.of(STACK, 7), key=lambda item: item.created, reverse=True)
    assert newest.operation == PlanOperation.NONE.value
    assert [name[:8] for name in found.kept()] == ["by-hand", "seal-pr8"]


def test_a_review_without_a_pull_request_supersedes_nobodys(bench: Bench) -> None:
    found = Crowd(bench=bench)
    found.review(1, ONE, "a")
    found.review(None, TWO, "b")
    assert len(found.kept()) == 2


def test_a_review_that_fails_keeps_the_plan_that_there_is(bench: Bench) -> None:
    crowd.deployed(bench)
    found = Crowd(bench=bench, foreign={"by-hand"})
    found.review(7, ONE, "a")
    before = found.kept()
    client = bench.client("cloudformation")

    def refuse(**_: object) -> None:
        raise UsageError("no")

    client.meta.events.register("before-call.cloudformation.CreateChangeSet", refuse)
    assert found.review(7, TWO, "b").failures
    client.meta.events.unregister("before-call.cloudformation.CreateChangeSet", refuse)
    assert found.kept() == before


def test_an_older_plan_that_cannot_be_removed_is_a_warning(bench: Bench) -> None:
    found = Crowd(bench=bench)
    found.review(7, ONE, "a")
    client = bench.client("cloudformation")

    def refuse(**_: object) -> None:
        raise UsageError("AWS says no")

    client.meta.events.register("before-call.cloudformation.DeleteChangeSet", refuse)
    report = found.review(7, TWO, "b")
    client.meta.events.unregister("before-call.cloudformation.DeleteChangeSet", refuse)
    assert report.failures == ()
    assert "warning: an older change set stays: AWS says no" in bench.out.getvalue()
    assert record(bench, TWO)
    assert len(found.kept()) == 2


def test_what_only_looks_like_ours_stays(bench: Bench) -> None:
    found = Crowd(bench=bench)
    found.review(7, ONE, "a")
    names = {"seal-pr7-mine", "seal-pr7-0000000-000000000000", "seal-pr70-0000000-000000000000"}
    for name in names:
        new = NewChangeSet(
            stack=STACK.name, name=name, kind="CREATE", body=crowd.template(name).canonical, parameters={}, tags={},
            description="stackseal, somebody says",
        )  # fmt: skip
        found.cfn.create_change_set(new)
    found.review(7, TWO, "b")
    assert names < set(found.kept())
    assert len(found.kept()) == len(names) + 1
