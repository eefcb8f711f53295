"""Every row of docs/reference/states.md, by what is then really asked of AWS.

The embedded AWS does the work; only the state that it tells is another one, and changes when somebody waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from e2e import crowd
from e2e.crowd import STACK, Crowd, commit, template
from e2e.harness import REGION, Bench
from e2e.recording import WRITES, Log, recorded
from stackseal import pipeline
from stackseal.aws.states import CHANGE_SET, Do, Row, Use
from stackseal.aws.states import STACK as STATES
from stackseal.deployment import sealed
from stackseal.errors import Failed, Refused, UsageError
from stackseal.model import Config, Plan, PlanOperation, Product, Report, Stack
from stackseal.plan.record import SealRecord
from stackseal.settings import Account
from stackseal.world import Clock

pytestmark = pytest.mark.e2e
WAITING = 2
"""How often somebody has to wait until the told state becomes the last one."""
SHELLS = {None, "REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}
RUNNING = sorted(status for status, row in STATES.items() if status and row.review is Do.WAIT)


@dataclass(kw_only=True)
class Told:
    """What the account tells: these stack states and change-set states, one after the other with each wait."""

    bench: Bench
    log: Log
    statuses: tuple[str, ...] = ()
    pairs: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """By the change set's ARN."""
    waits: int = 0
    seconds: float = 0.0
    speed: int = 1
    """How much faster time goes by."""

    def wait(self, seconds: float) -> None:
        self.waits += 1
        self.seconds += seconds * self.speed

    def stack(self, parsed: dict[str, Any], **_: Any) -> None:
        for item in parsed.get("Stacks", ()) if self.statuses else ():
            item["StackStatus"] = self.statuses[min(self.waits, len(self.statuses) - 1)]

    def change_set(self, parsed: dict[str, Any], **_: Any) -> None:
        if told := self.pairs.get(parsed.get("ChangeSetId", "")):
            parsed["Status"], parsed["ExecutionStatus"] = told[min(self.waits, len(told) - 1)]

    @property
    def writes(self) -> list[Mapping[str, Any]]:
        """What was sent with every call that changes something."""
        changing = WRITES | {"cloudformation:ExecuteChangeSet", "cloudformation:DeleteStack"}
        return [call.sent for call in self.log.calls if call.name in changing]


@pytest.fixture
def told(bench: Bench) -> Told:
    log = Log()
    watched = recorded(bench, log)
    found = Told(bench=watched, log=log)
    clock = Clock(sleep=found.wait, monotonic=lambda: found.seconds)
    found.bench = replace(watched, world=replace(watched.world, clock=clock))
    return found


def telling(told: Told, *statuses: str | None) -> None:
    """From now on the stack is in these states; the log begins here."""
    told.statuses = tuple(status for status in statuses if status)
    told.waits, told.seconds = 0, 0.0
    told.log.calls.clear()
    events = told.bench.client("cloudformation").meta.events
    events.register_first("after-call.cloudformation.DescribeStacks", told.stack, unique_id="stacks")
    events.register_first("after-call.cloudformation.DescribeChangeSet", told.change_set, unique_id="sets")


def prepared(told: Told, status: str | None) -> None:
    """The stack as it must really be for this state: none, an empty shell, or one that stands."""
    if status in SHELLS - {None}:
        Crowd(bench=told.bench).review(1, commit(1, 0), "shell")
    elif status is not None:
        crowd.deployed(told.bench)


def reviewed(told: Told) -> Report:
    return Crowd(bench=told.bench).review(7, commit(7, 1), "new")


def on_record(told: Told) -> SealRecord:
    """A review's plan of the stack, before it comes into the state that is told."""
    assert not reviewed(told).failures
    (found,) = told.bench.records.of(STACK, 7)
    return found


def proven(told: Told, record: SealRecord) -> Plan:
    world = told.bench.world
    return sealed.proven(world, world.cloudformation(STACK), record, template("new"), Account())


def script(status: str | None, row: Row) -> tuple[str | None, ...]:
    """The state itself, or for one that is waited for: it twice, then one that rests."""
    return (status, status, "CREATE_COMPLETE") if row.review is Do.WAIT else (status,)


@pytest.mark.parametrize("status", STATES)
def test_review(told: Told, status: str | None) -> None:
    row = STATES[status]
    prepared(told, status)
    telling(told, *script(status, row))
    report = reviewed(told)
    if row.review is Do.STOP:
        (failure,) = report.failures
        assert f"it is {status}" in failure.message
        assert failure.remedy == row.remedy
        assert told.writes == []
        return
    assert report.failures == ()
    (sent,) = told.writes
    assert sent["ChangeSetType"] == {Do.CREATE: "CREATE", Do.UPDATE: "UPDATE", Do.WAIT: "UPDATE"}[row.review]
    assert told.waits == (WAITING if row.review is Do.WAIT else 0)


@pytest.mark.parametrize("status", STATES)
def test_deploy(told: Told, status: str | None) -> None:
    """The reviewed change set is gone, so that what is made in its place shows the action."""
    row = STATES[status]
    prepared(told, status)
    record = on_record(told)
    cfn = told.bench.world.cloudformation(STACK)
    cfn.delete_change_set(record.change_set or "")
    if status is None:
        told.bench.client("cloudformation").delete_stack(StackName=STACK.name)
    telling(told, *script(status, row))
    if row.deploy is Do.STOP:
        with pytest.raises(Refused, match=f"it is {status}") as caught:
            proven(told, record)
        assert caught.value.remedy == row.remedy
        assert told.writes == []
        return
    plan = proven(told, record)
    (sent,) = told.writes
    assert sent["ChangeSetName"].startswith("deploy-")
    assert sent["ChangeSetType"] == {Do.CREATE: "CREATE", Do.UPDATE: "UPDATE", Do.WAIT: "UPDATE"}[row.deploy]
    assert (plan.change_set_name, told.waits) == (sent["ChangeSetName"], WAITING if row.deploy is Do.WAIT else 0)


@pytest.mark.parametrize("status", STATES)
def test_drift(told: Told, status: str | None) -> None:
    row = STATES[status]
    prepared(told, status)
    telling(told, *script(status, row))
    if row.drift is Do.NOTHING:
        with pytest.raises(UsageError, match=r"There is no" if status is None else f"it is {status}") as caught:
            pipeline.drift_of(told.bench.world, stack())
        assert row.remedy in caught.value.remedy
        assert "cloudformation:DetectStackDrift" not in told.log.names
        return
    found = pipeline.drift_of(told.bench.world, stack())
    assert [item.status for item in found.resources] == ["IN_SYNC"]
    assert "cloudformation:DetectStackDrift" in told.log.names
    assert told.waits == (WAITING if row.drift is Do.WAIT else 0)
    assert told.writes == []


@pytest.mark.parametrize("status", STATES)
def test_recover(told: Told, status: str | None) -> None:
    """It follows what runs, and of what rests it says the remedy."""
    row = STATES[status]
    prepared(told, status)
    telling(told, *script(status, row))
    done = told.bench.run("recover", STACK.name, "--region", REGION)
    good = status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "DELETE_COMPLETE"}
    good = good or row.deploy is Do.WAIT
    assert done.code == (2 if status is None else 0 if good else 3), done.stderr
    assert row.deploy is Do.WAIT or row.remedy in done.stdout
    assert told.waits == (WAITING if row.deploy is Do.WAIT else 0)
    assert "CREATE_COMPLETE" in done.stdout or row.deploy is not Do.WAIT
    assert ("nothing was deployed" in done.stdout) == (status == "REVIEW_IN_PROGRESS")
    assert told.writes == []


@pytest.mark.parametrize("status", [status for status in STATES if status not in {None, "DELETE_COMPLETE"}])
def test_planned_deletion(told: Told, status: str) -> None:
    """It waits for what runs, and is planned and done in every other state: often it is the remedy."""
    prepared(told, status)
    telling(told, *script(status, STATES[status]))
    waits = WAITING if STATES[status].review is Do.WAIT else 0
    assert Crowd(bench=told.bench).removal(7, commit(7, 1)).failures == ()
    assert (told.waits, told.writes) == (waits, [])
    (found,) = told.bench.records.of(STACK, 7)
    telling(told, *script(status, STATES[status]))
    world = told.bench.world
    plan = sealed.proven_deletion(world, world.cloudformation(STACK), found, template("first"))
    assert (plan.operation, told.waits, told.writes) == (PlanOperation.DELETE, waits, [])


@pytest.mark.parametrize("status", RUNNING)
def test_what_stays_busy_is_not_waited_for_without_end(told: Told, status: str) -> None:
    crowd.deployed(told.bench)
    record = on_record(told)
    told.speed = 50
    for work in (lambda: proven(told, record), lambda: pipeline.drift_of(told.bench.world, stack())):
        telling(told, status)
        with pytest.raises(Failed, match=f"busy: it is {status}"):
            work()
        assert 900 <= told.seconds <= 1_000
        assert told.writes == []
    telling(told, status)
    assert f"busy: it is {status}" in reviewed(told).failures[0].message
    assert 900 <= told.seconds <= 1_000
    assert told.writes == []
    told.speed = 1_000
    telling(told, status)
    done = told.bench.run("recover", STACK.name, "--region", REGION)
    assert done.code == 5
    assert f"stackseal recover {STACK.name} --region {REGION}" in done.stdout


ENDS = {
    # What the change set becomes while it is waited for.
    Use.WAIT: ("CREATE_COMPLETE", "AVAILABLE"),
    Use.FOLLOW: ("CREATE_COMPLETE", "EXECUTE_COMPLETE"),
}


@pytest.mark.parametrize(("status", "execution"), CHANGE_SET)
def test_change_set(told: Told, status: str, execution: str) -> None:
    pair = (status, execution)
    use = CHANGE_SET[pair]
    crowd.deployed(told.bench)
    record = on_record(told)
    told.pairs = {record.change_set or "": (pair, pair, ENDS[use]) if use in ENDS else (pair,)}
    telling(told)
    if use is Use.STOP:
        with pytest.raises(Refused, match=f"is {status} and {execution}, which AWS does not document"):
            proven(told, record)
        assert told.writes == []
        return
    plan = proven(told, record)
    assert told.waits == (WAITING if use in ENDS else 0)
    match use:
        case Use.EXECUTE | Use.WAIT:
            assert (plan.change_set, told.writes) == (record.change_set, [])
        case Use.DONE | Use.FOLLOW:
            assert (plan.operation, plan.change_set, told.writes) == (PlanOperation.NONE, None, [])
        case Use.REPLAN:
            (sent,) = told.writes
            assert sent["ChangeSetName"].startswith("deploy-")
            assert plan.change_set_name == sent["ChangeSetName"]


def test_a_change_set_that_is_never_ready_is_not_waited_for_without_end(told: Told) -> None:
    crowd.deployed(told.bench)
    record = on_record(told)
    told.speed = 50
    told.pairs = {record.change_set or "": (("CREATE_IN_PROGRESS", "UNAVAILABLE"),)}
    telling(told)
    with pytest.raises(Failed, match="CREATE_IN_PROGRESS and UNAVAILABLE all the time"):
        proven(told, record)
    assert told.writes == []


def stack() -> Stack:
    """The stack as its config would name it."""
    product = Product(name="ml", title="ML", section="ml_product", root=Path(), template="t", stateful=frozenset())
    return Stack(
        id=STACK,
        product=product,
        config=Config(path="configs/crowd.yaml", data={}, marks={}),
        env="prod",
        slug="crowd",
        scenario="s3",
        variant="starter",
        names={},
        context={},
        tags={},
    )
