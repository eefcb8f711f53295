"""How a stack set's deployment ends when its operations do not: lost answers, limits, accounts passed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from stackseal.aws.shapes import InstanceState, NewStackSet, OperationState
from stackseal.aws.stack_sets import Reach
from stackseal.deploy import Watch
from stackseal.deploy.stack_sets import Run, resumed
from stackseal.errors import Failed, Unknown
from stackseal.model import Deployment, Group, Outcome, ResourceEvent, StackId, Step, Target

STACK = StackId(account="999999999999", region="us-west-2", name="base")
ONE, TWO = (Target(account=f"{n}" * 12, region="us-west-2") for n in "12")
BOTH = Group(accounts=(ONE.account, TWO.account), regions=("us-west-2",))
NEW = NewStackSet(name="base", body="{}", permissions="SELF_MANAGED", parameters={}, tags={})
GOOD = {ONE: ("SUCCEEDED", ""), TWO: ("SUCCEEDED", "")}


@dataclass(kw_only=True)
class Sets:
    """A stack set that answers what a test says; AWS's own answers are tried in tests/e2e/test_stack_sets.py."""

    statuses: list[str] = field(default_factory=lambda: ["RUNNING", "SUCCEEDED"])
    found: Mapping[Target, tuple[str, str]] = field(default_factory=lambda: GOOD)
    there: tuple[InstanceState, ...] = tuple(InstanceState(target=each, status="CURRENT") for each in (ONE, TWO))
    begun: list[tuple[str, str]] = field(default_factory=list)
    fails: Exception | None = None
    silent: bool = False

    def operations(self, *_: object) -> tuple[OperationState, ...]:
        return tuple(OperationState(id=each, action="UPDATE", status="SUCCEEDED") for _, each in reversed(self.begun))

    def operation(self, _: str, operation: str) -> OperationState:
        if self.silent:
            raise Failed("no answer")
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return OperationState(id=operation, action="CREATE", status=status)

    def results(self, *_: object) -> Mapping[Target, tuple[str, str]]:
        return self.found

    def instances(self, *_: object) -> tuple[InstanceState, ...]:
        return self.there

    def create(self, _: NewStackSet, *, token: str) -> None:
        self._begin("create", token)

    def create_instances(self, *_: object, operation: str) -> None:
        self._begin("add", operation)

    def delete_instances(self, *_: object, operation: str) -> None:
        self._begin("remove", operation)

    def _begin(self, what: str, operation: str) -> None:
        if self.fails:
            raise self.fails
        self.begun.append((what, operation))


@dataclass
class Events:
    seen: list[str] = field(default_factory=list)

    def event(self, event: ResourceEvent) -> None:
        self.seen.append(f"{event.status} {event.logical_id}")


def deployed(sets: Sets, *steps: Step, events: Events | None = None, limit: float = 60.0) -> Deployment:
    time = [0.0]

    def sleep(seconds: float) -> None:
        time[0] += seconds

    watch = Watch(sleep=sleep, monotonic=lambda: time[0], progress=events or Events(), limit=limit)
    run = Run(stack=STACK, sets=sets, reach=Reach(), watch=watch, word="seal-abc")  # type: ignore[arg-type]  # see Sets
    return run.execute(steps or (ADD,), NEW, outcome=Outcome.CREATED)


ADD = Step(kind="add", group=BOTH)
REMOVE = Step(kind="remove", group=BOTH)


def ends(found: Deployment) -> list[tuple[Outcome, str]]:
    return [(one.outcome, one.status) for one in found.instances]


def test_every_account_and_progress_is_told() -> None:
    events = Events()
    found = deployed(Sets(), events=events)
    assert (found.outcome, found.status, found.resume) == (Outcome.CREATED, "SUCCEEDED", "")
    assert ends(found) == [(Outcome.CREATED, "SUCCEEDED")] * 2
    assert events.seen == [f"CREATE_COMPLETE {ONE}", f"CREATE_COMPLETE {TWO}"]


@pytest.mark.parametrize(
    "sets",
    [Sets(silent=True), Sets(statuses=["RUNNING"]), Sets(statuses=["STOPPING"]), Sets(statuses=["QUEUED"])],
)
def test_an_end_that_nobody_saw_is_unknown(sets: Sets) -> None:
    found = deployed(sets, ADD, REMOVE)
    assert found.outcome is Outcome.UNKNOWN
    assert [one.outcome for one in found.instances] == [Outcome.UNKNOWN] * 2
    assert found.resume == "stackseal recover base --region us-west-2"
    assert [what for what, _ in sets.begun] == ["add"]


def test_a_start_that_nobody_saw_is_unknown_and_the_rest_is_not_begun() -> None:
    found = deployed(Sets(fails=Unknown("could not create stacks", why="no answer")), ADD)
    assert (found.outcome, ends(found)) == (Outcome.UNKNOWN, [(Outcome.UNKNOWN, "")] * 2)
    assert "could not create stacks" in found.message


def test_a_refused_start_is_an_error_and_not_unknown() -> None:
    with pytest.raises(Failed, match="AWS said no"):
        deployed(Sets(fails=Failed("AWS said no")))


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (("FAILED", "no role"), Outcome.FAILED),
        (("CANCELLED", "tolerance"), Outcome.FAILED),
        (("PENDING", ""), Outcome.UNKNOWN),
        (("RUNNING", ""), Outcome.UNKNOWN),
        (("SOMETHING_NEW", ""), Outcome.UNKNOWN),
    ],
)
def test_the_worst_account_counts(result: tuple[str, str], outcome: Outcome) -> None:
    found = deployed(Sets(found={**GOOD, TWO: result}))
    assert found.outcome is outcome
    assert ends(found)[1] == (outcome, result[0])


def test_an_account_of_which_nothing_is_told_is_unknown() -> None:
    assert ends(deployed(Sets(found={ONE: GOOD[ONE]})))[1] == (Outcome.UNKNOWN, "")


def test_an_account_that_was_passed_over_is_no_success() -> None:
    passed = InstanceState(target=TWO, status="OUTDATED", detailed="SKIPPED_SUSPENDED_ACCOUNT", reason="suspended")
    found = deployed(Sets(there=(Sets().there[0], passed)))
    assert (found.outcome, ends(found)[1]) == (Outcome.FAILED, (Outcome.FAILED, "SKIPPED_SUSPENDED_ACCOUNT"))


def test_what_is_still_there_was_not_deleted() -> None:
    found = deployed(Sets(), REMOVE)
    assert found.outcome is Outcome.FAILED
    assert {one.reason for one in found.instances} == {"it is still there"}
    assert deployed(Sets(there=()), REMOVE).outcome is Outcome.CREATED


def test_after_a_failure_nothing_more_is_begun() -> None:
    sets = Sets(statuses=["FAILED"], found={ONE: ("FAILED", "no role"), TWO: ("CANCELLED", "")})
    third = Group(accounts=("3" * 12,), regions=("us-west-2",))

    found = deployed(sets, ADD, Step(kind="remove", group=third))

    assert [what for what, _ in sets.begun] == ["add"]
    assert ends(found)[2] == (Outcome.FAILED, "NOT_BEGUN")
    assert found.first_failure
    assert found.first_failure.reason == "no role"


def test_a_repeat_after_the_same_history_has_the_same_id() -> None:
    first, again = Sets(), Sets()
    deployed(first)
    deployed(again)
    assert first.begun == again.begun
    deployed(again)
    assert len({operation for _, operation in again.begun}) == 2


def test_recovery_tells_the_accounts_of_the_last_operation() -> None:
    watch = Watch(sleep=lambda _: None, monotonic=lambda: 0.0, progress=Events())
    last = OperationState(id="x", action="DELETE", status="SUCCEEDED")
    sets: object = Sets(found={ONE: ("SUCCEEDED", ""), TWO: ("FAILED", "in use")})

    found = resumed(sets, STACK, last, watch)  # type: ignore[arg-type]  # see Sets

    assert (found.outcome, ends(found)) == (
        Outcome.FAILED,
        [(Outcome.DELETED, "SUCCEEDED"), (Outcome.FAILED, "FAILED")],
    )
    assert resumed(sets, STACK, None, watch).outcome is Outcome.UNCHANGED  # type: ignore[arg-type]  # see Sets
