"""Following an operation: every state of CloudFormation's, a lost connection, the first failure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import botocore.session
import pytest

from stackseal import deploy
from stackseal.aws.errors import AwsFailed
from stackseal.aws.shapes import StackResource, StackState
from stackseal.deploy import OUTCOMES, Watch, follow, token
from stackseal.errors import Refused
from stackseal.model import Outcome, Plan, PlanKind, PlanOperation, ResourceEvent, StackId, Template
from stackseal.render import read

STACK = StackId(account="111122223333", region="us-west-2", name="churn")
TEMPLATE: Template = read("Resources: {R: {Type: AWS::SNS::Topic}}\n", "t.yaml")


@dataclass
class Scripted:
    """CloudFormation whose stack goes through these statuses, one for each look; an exception is raised instead."""

    statuses: Sequence[str | Exception | None]
    history: Sequence[ResourceEvent] = ()
    executed: list[str] = field(default_factory=list)
    looks: int = 0

    def stack(self, _name: str) -> StackState | None:
        status = self.statuses[min(self.looks, len(self.statuses) - 1)]
        self.looks += 1
        if isinstance(status, Exception):
            raise status
        return StackState(name=STACK.name, arn="arn", status=status, outputs={"Url": "u"}) if status else None

    def events(self, _name: str, *, since: str = "", token: str | None = None) -> tuple[ResourceEvent, ...]:
        del token
        return tuple(event for event in self.history if event.timestamp > since)

    def resources(self, _name: str) -> tuple[StackResource, ...]:
        return (StackResource(logical_id="R", physical_id="r", type="AWS::SNS::Topic", status="CREATE_COMPLETE"),)

    def execute(self, arn: str, *, token: str) -> None:
        self.executed.append(f"{arn} {token}")


@dataclass
class Heard:
    """A progress that remembers."""

    events: list[ResourceEvent] = field(default_factory=list)

    def event(self, event: ResourceEvent) -> None:
        self.events.append(event)


def watch(*, limit: float = 100.0) -> tuple[Watch, Heard]:
    heard, now = Heard(), [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    return Watch(sleep=sleep, monotonic=lambda: now[0], progress=heard, limit=limit), heard


def event(name: str, status: str, at: int, reason: str = "", type_: str = "AWS::SNS::Topic") -> ResourceEvent:
    return ResourceEvent(
        logical_id=name, type=type_, status=status, reason=reason, timestamp=f"2026-01-01T00:00:{at:02}"
    )


def statuses() -> list[str]:
    model = botocore.session.get_session().get_service_model("cloudformation")
    return list(model.shape_for("StackStatus").enum)


@pytest.mark.parametrize("status", statuses())
def test_every_status_is_an_end_or_goes_on(status: str) -> None:
    running = status.endswith("_IN_PROGRESS")
    assert (status in OUTCOMES) is not running
    if status in OUTCOMES:
        assert OUTCOMES[status].good is (status.endswith("_COMPLETE") and "ROLLBACK" not in status)


@pytest.mark.parametrize("status", sorted(OUTCOMES))
def test_the_end_is_told_as_it_is(status: str) -> None:
    cfn: Any = Scripted(["UPDATE_IN_PROGRESS", status])
    found = follow(STACK, cfn, watch()[0])
    assert found.outcome is OUTCOMES[status]
    assert found.status == status


def test_a_stack_that_is_gone_was_deleted() -> None:
    cfn: Any = Scripted(["DELETE_IN_PROGRESS", None])
    found = follow(STACK, cfn, watch()[0])
    assert (found.outcome, found.resources, found.outputs) == (Outcome.DELETED, 0, {})


def test_a_lost_connection_is_unknown_and_names_the_command_that_resumes() -> None:
    cfn: Any = Scripted(["CREATE_IN_PROGRESS", AwsFailed("could not read the stack", why="no answer")])
    found = follow(STACK, cfn, watch()[0])
    assert found.outcome is Outcome.UNKNOWN
    assert not found.outcome.good
    assert found.resume == "stackseal recover churn --region us-west-2"


def test_an_operation_without_end_is_unknown_at_the_limit() -> None:
    cfn: Any = Scripted(["UPDATE_IN_PROGRESS"])
    found = follow(STACK, cfn, watch(limit=20)[0])
    assert (found.outcome, found.status) == (Outcome.UNKNOWN, "UPDATE_IN_PROGRESS")
    assert cfn.looks < 20


def test_events_are_told_once_and_only_those_of_this_operation() -> None:
    history = [event("Old", "CREATE_COMPLETE", 1), event("New", "UPDATE_COMPLETE", 5)]
    cfn: Any = Scripted(["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"], history)
    following, heard = watch()
    follow(STACK, cfn, following, since="2026-01-01T00:00:03")
    assert [item.logical_id for item in heard.events] == ["New"]


def test_the_first_failure_is_the_cause_and_not_what_followed_from_it() -> None:
    history = [
        event("Cancelled", "CREATE_FAILED", 4, "Resource creation cancelled"),
        event("Cause", "CREATE_FAILED", 5, "the name is taken"),
        event("Stack", "CREATE_FAILED", 6, "many failed", "AWS::CloudFormation::Stack"),
    ]
    found = deploy.first_failure(history)
    assert found is not None
    assert (found.logical_id, found.reason) == ("Cause", "the name is taken")
    assert deploy.first_failure([event("A", "CREATE_COMPLETE", 1)]) is None


def test_what_a_deletion_leaves_behind_is_named() -> None:
    skipped = ResourceEvent(
        logical_id="B", type="AWS::S3::Bucket", status="DELETE_SKIPPED", timestamp="2", physical_id="models"
    )
    cfn: Any = Scripted([None], [skipped])
    assert follow(STACK, cfn, watch()[0]).retained == ()
    cfn = Scripted(["DELETE_COMPLETE"], [skipped])
    assert follow(STACK, cfn, watch()[0]).retained == ("AWS::S3::Bucket models",)


def plan(**values: Any) -> Plan:
    given: dict[str, Any] = {
        "stack": STACK,
        "kind": PlanKind.CHANGE_SET,
        "operation": PlanOperation.UPDATE,
        "changes": (),
        "template_sha256": TEMPLATE.sha256,
        "change_set": "arn:aws:cloudformation:us-west-2:111122223333:changeSet/seal-pr1/1",
        "seal": "a" * 64,
    }
    return Plan(**{**given, **values})


def test_a_predicted_plan_is_never_executed() -> None:
    cfn: Any = Scripted(["CREATE_COMPLETE"])
    with pytest.raises(Refused, match="without a change set"):
        deploy.execute(plan(kind=PlanKind.PREDICTED, change_set=None), TEMPLATE, cfn, watch()[0])
    assert cfn.executed == []


def test_no_changes_is_a_success_without_a_call_that_changes() -> None:
    cfn: Any = Scripted(["UPDATE_COMPLETE"])
    found = deploy.execute(plan(operation=PlanOperation.NONE), TEMPLATE, cfn, watch()[0])
    assert found.outcome is Outcome.UNCHANGED
    assert found.resources == 1
    assert cfn.executed == []


def test_a_change_set_is_executed_by_arn_with_its_own_token() -> None:
    cfn: Any = Scripted(["CREATE_COMPLETE", "UPDATE_COMPLETE"])
    made = plan()
    assert deploy.execute(made, TEMPLATE, cfn, watch()[0]).outcome is Outcome.UPDATED
    assert cfn.executed == [f"{made.change_set} {token(made)}"]


def test_a_token_names_the_seal_and_belongs_to_one_change_set() -> None:
    assert token(plan()).startswith(f"seal-{'a' * 32}-")
    assert token(plan()) == token(plan())
    assert token(plan()) != token(plan(change_set="another"))
    assert len(token(plan())) <= 128


def stack_event(status: str, at: int) -> ResourceEvent:
    return event(STACK.name, status, at, type_="AWS::CloudFormation::Stack")


def test_an_answer_that_is_older_than_the_operation_is_no_end() -> None:
    history: list[ResourceEvent] = []
    cfn: Any = Scripted(["UPDATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"], history)
    following, _ = watch()

    def later(seconds: float) -> None:
        del seconds
        if cfn.looks == 2:
            history.extend([stack_event("UPDATE_IN_PROGRESS", 5), stack_event("UPDATE_ROLLBACK_COMPLETE", 6)])

    found = follow(STACK, cfn, Watch(**{**vars(following), "sleep": later}), since="2026-01-01T00:00:03")
    assert (found.outcome, found.status) == (Outcome.ROLLED_BACK, "UPDATE_ROLLBACK_COMPLETE")


def test_an_operation_that_never_shows_is_unknown() -> None:
    cfn: Any = Scripted(["UPDATE_COMPLETE"])
    found = follow(STACK, cfn, watch(limit=10_000)[0], since="2026-01-01T00:00:03")
    assert found.outcome is Outcome.UNKNOWN


def test_a_stack_that_rests_after_events_is_believed_even_without_its_last_one() -> None:
    cfn: Any = Scripted(["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"], [event("R", "UPDATE_COMPLETE", 5)])
    found = follow(STACK, cfn, watch(limit=10_000)[0], since="2026-01-01T00:00:03")
    assert found.outcome is Outcome.UPDATED
