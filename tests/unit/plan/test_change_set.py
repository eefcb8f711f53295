"""Change sets of a real engine: the embedded AWS, driven by boto3."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from stackseal.aws.cloudformation import CloudFormation
from stackseal.aws.errors import AwsFailed
from stackseal.aws.session import Aws
from stackseal.aws.shapes import ChangeSetRef, ChangeSetState, NewChangeSet, Objection, StackState
from stackseal.errors import Failed, Unknown, UsageError
from stackseal.local import EmbeddedAws
from stackseal.model import (
    KNOWN_AFTER_APPLY,
    Action,
    Certainty,
    Change,
    Location,
    Plan,
    PlanKind,
    PlanOperation,
    Replacement,
    Template,
)
from stackseal.plan.change_set import NO_CHANGES, create, inspect, no_changes
from stackseal.plan.deletion import deletion
from stackseal.plan.objections import blame
from stackseal.plan.predicted import predict
from stackseal.plan.prove import prove, prove_again
from stackseal.plan.record import record
from stackseal.plan.rest import Patience
from stackseal.plan.seal import change_set_name, inputs
from unit.plan.templates import STACK, template

HEAD = "0123456789abcdef0123456789abcdef01234567"
LINE = ("Resources", "Bucket", "Properties", "BucketName")


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as aws:
        yield aws


@pytest.fixture
def cfn(embedded: EmbeddedAws) -> Iterator[CloudFormation]:
    embedded.reset()
    aws = Aws(embedded.environ())
    yield CloudFormation(aws)
    aws.close()


def patience(limit: float = 30.0) -> Patience:
    return Patience(sleep=lambda _: time.sleep(0.05), clock=time.monotonic, limit=limit)


def starter(name: str = "churn-artifacts", topic: str = "alerts", **resources: Any) -> Template:
    return template(
        {
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "Name"}}},
            "Reader": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Name": "/ml/churn/BucketName", "Type": "String", "Value": {"Ref": "Bucket"}},
            },
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": topic}},
            **resources,
        },
        parameters={"Name": name},
        lines={LINE: 21},
        tags={"team": "ml"},
    )


def review(cfn: CloudFormation, wanted: Template, pull_request: int = 7, description: str = "reviewed") -> Plan:
    found = inputs(wanted)
    name = change_set_name(pull_request, HEAD, found.digest)
    return create(found, cfn, name=name, description=description, patience=patience())


def deploy(cfn: CloudFormation, plan: Plan) -> str:
    assert plan.change_set is not None
    cfn.execute(plan.change_set, token=f"seal-{(plan.seal or '')[:20]}")
    for _ in range(200):
        state = cfn.stack(plan.stack.name)
        if state and not state.status.endswith("IN_PROGRESS"):
            return state.status
        time.sleep(0.05)
    raise AssertionError("the stack never came to rest")


def by_id(plan: Plan) -> Mapping[str, Change]:
    return {change.logical_id: change for change in plan.changes}


@pytest.mark.spec("A30")
def test_a_new_stack_is_planned_as_a_creation(cfn: CloudFormation) -> None:
    plan = review(cfn, starter())

    assert (plan.kind, plan.operation) == (PlanKind.CHANGE_SET, PlanOperation.CREATE)
    assert [change.action for change in plan.changes] == [Action.ADD] * 3
    assert plan.change_set_name == change_set_name(7, HEAD, inputs(starter()).digest)
    assert plan.seal is not None
    assert any("REVIEW_IN_PROGRESS" in note for note in plan.notes)
    state = cfn.stack(STACK.name)
    assert state is not None
    assert state.status == "REVIEW_IN_PROGRESS"


def test_a_second_review_of_an_undeployed_stack_is_a_creation_too(cfn: CloudFormation) -> None:
    review(cfn, starter(), 7)
    plan = review(cfn, starter("other"), 8)
    assert plan.operation is PlanOperation.CREATE
    assert len(cfn.list_change_sets(STACK.name)) == 2


def test_no_changes_is_a_plan_and_leaves_nothing_behind(cfn: CloudFormation) -> None:
    deploy(cfn, review(cfn, starter()))
    before = {ref.name for ref in cfn.list_change_sets(STACK.name)}

    plan = review(cfn, starter(), 8)

    assert (plan.operation, plan.changes, plan.change_set) == (PlanOperation.NONE, (), None)
    assert plan.seal is not None
    assert {ref.name for ref in cfn.list_change_sets(STACK.name)} == before


@pytest.mark.spec("A35")
def test_an_update_tells_every_property_with_its_cause_and_line(cfn: CloudFormation) -> None:
    deploy(cfn, review(cfn, starter()))

    plan = review(cfn, starter("churn-artifacts-2"), 8)

    found = by_id(plan)
    assert set(found) == {"Bucket", "Reader"}
    (name,) = found["Bucket"].properties
    assert (name.path, name.before, name.after, name.cause) == (
        "BucketName",
        '"churn-artifacts"',
        '"churn-artifacts-2"',
        "Name",
    )
    assert found["Bucket"].replacement is Replacement.ALWAYS
    assert found["Bucket"].policy_action == "ReplaceAndDelete"
    assert found["Bucket"].physical_id == "churn-artifacts"
    assert found["Bucket"].where == Location(path="configs/churn.yaml", line=21)
    assert found["Reader"].properties[0].after == KNOWN_AFTER_APPLY
    assert found["Reader"].certainty is Certainty.CASCADE
    assert [item.logical_id for item in plan.consequences if item.data_loss] == ["Bucket"]


def test_the_predicted_plan_agrees_with_the_engine(cfn: CloudFormation) -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "work"}}
    base, head = starter(Queue=queue), starter("churn-artifacts-2", "warnings")
    deploy(cfn, review(cfn, base))

    real, predicted = by_id(review(cfn, head, 8)), by_id(predict(base, head))

    for name in real.keys() | predicted.keys():
        one, two = real[name], predicted[name]
        assert (one.action, one.replacement, one.certainty) == (two.action, two.replacement, two.certainty), name
        assert [item.path for item in one.properties] == [item.path for item in two.properties]


def test_a_review_that_runs_again_takes_up_its_change_set(cfn: CloudFormation) -> None:
    first = review(cfn, starter())
    again = review(cfn, starter())
    assert again == first
    assert len(cfn.list_change_sets(STACK.name)) == 1


def test_one_of_our_name_with_another_description_makes_room(cfn: CloudFormation) -> None:
    first = review(cfn, starter())
    again = review(cfn, starter(), description="another digest")
    assert again.change_set != first.change_set
    assert [ref.description for ref in cfn.list_change_sets(STACK.name)] == ["another digest"]


@pytest.mark.parametrize(
    "planted",
    [
        {"body": starter(topic="planted").canonical},
        {"parameters": {"Name": "planted"}},
        {"tags": {"team": "planted"}},
        {"capabilities": ("CAPABILITY_NAMED_IAM",)},
    ],
)
def test_a_planted_change_set_of_the_right_name_is_not_taken_up(cfn: CloudFormation, planted: dict[str, Any]) -> None:
    found = inputs(starter())
    name = change_set_name(7, HEAD, found.digest)
    order = NewChangeSet(
        stack=STACK.name,
        name=name,
        kind="CREATE",
        body=starter().canonical,
        parameters=starter().parameters,
        tags=found.tags,
        description="reviewed",
    )
    cfn.create_change_set(replace(order, **planted))

    plan = review(cfn, starter())

    assert plan.change_set is not None
    assert inspect(cfn, plan.change_set).template == starter().canonical
    assert cfn.change_set(plan.change_set).parameters == {"Name": "churn-artifacts"}
    assert len(cfn.list_change_sets(STACK.name)) == 1


def test_what_was_reviewed_is_proven_and_deployed(cfn: CloudFormation) -> None:
    wanted = starter()
    plan = review(cfn, wanted)
    found = record(plan, wanted, pull_request=7, head=HEAD, base=None, created="2026-11-20T00:00:00+00:00")
    assert plan.change_set is not None

    assert prove(found, inspect(cfn, plan.change_set), execution_role=None) == ()
    assert deploy(cfn, plan) == "CREATE_COMPLETE"
    reasons = prove(found, inspect(cfn, plan.change_set), execution_role=None)
    assert any("cannot be executed" in reason for reason in reasons)


def test_another_deployment_first_means_planning_again_and_a_smaller_plan_passes(cfn: CloudFormation) -> None:
    deploy(cfn, review(cfn, starter()))
    both = starter("churn-artifacts-2", "warnings")
    plan = review(cfn, both, 8)
    found = record(plan, both, pull_request=8, head=HEAD, base=None, created="2026-11-20T00:00:00+00:00")
    deploy(cfn, review(cfn, starter("churn-artifacts-2"), 9))

    again = create(inputs(both), cfn, name="deploy-8", description="again", patience=patience())

    assert set(by_id(again)) == {"Topic"}
    assert prove_again(found, again, both) == ()


def test_an_unknown_parameter_type_is_a_clear_failure(cfn: CloudFormation) -> None:
    broken = starter(Bad={"Type": "AWS::Nothing::AtAll", "Properties": {}})
    with pytest.raises(Failed) as raised:
        review(cfn, broken)
    assert STACK.name in str(raised.value)
    assert "AWS::Nothing::AtAll" in str(raised.value)


def test_a_deletion_lists_what_goes_and_what_stays(cfn: CloudFormation) -> None:
    kept = starter()
    body = dict(kept.body)
    body["Resources"] = {
        **kept.resources,
        "Bucket": {**kept.resources["Bucket"], "DeletionPolicy": "RetainExceptOnCreate"},
    }
    deploy(cfn, review(cfn, replace(kept, body=body)))
    cfn.set_termination_protection(STACK.name, on=True)

    plan = deletion(cfn, STACK)

    assert plan.operation is PlanOperation.DELETE
    assert {change.logical_id: change.policy_action for change in plan.changes} == {
        "Bucket": "Retain",
        "Reader": "Delete",
        "Topic": "Delete",
    }
    assert plan.retained == ("Bucket",)
    assert plan.notes == ("Termination protection is on: AWS refuses the deletion.",)
    with pytest.raises(UsageError, match="there is no stack"):
        deletion(cfn, replace(STACK, name="nothing-here"))


def test_limits_are_refused_before_the_call(cfn: CloudFormation) -> None:
    with pytest.raises(UsageError, match="not allowed"):
        create(inputs(starter()), cfn, name="a" * 129, patience=patience())
    assert cfn.stack(STACK.name) is None


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        ("FAILED", "The submitted information didn't contain changes. Submit different information.", True),
        ("FAILED", "No updates are to be performed.", True),
        ("FAILED", f"[WARN] --include-property-values option can return incomplete data; {NO_CHANGES[1]}", True),
        ("FAILED", "Parameters: [Name] must have values", False),
        ("FAILED", "", False),
        ("CREATE_COMPLETE", "No updates are to be performed.", False),
    ],
)
def test_the_ways_in_which_aws_says_no_changes(status: str, reason: str, expected: bool) -> None:
    assert no_changes(status, reason) is expected


class Scripted(CloudFormation):
    """A CloudFormation in any state that an engine rarely shows: answers from a script, remembers what it was asked."""

    def __init__(
        self,
        *,
        stack: list[str | None],
        change_set: list[ChangeSetRef],
        state: ChangeSetState | None,
        objections: tuple[Objection, ...] | AwsFailed = (),
    ) -> None:
        self._stacks = itertools.chain(stack, itertools.repeat(stack[-1]))
        self._refs = itertools.chain(change_set, itertools.repeat(change_set[-1])) if change_set else iter(())
        self._state = state
        self._objections = objections
        self.calls: list[str] = []

    def stack(self, name: str) -> StackState | None:
        self.calls.append("stack")
        status = next(self._stacks)
        return StackState(name=name, arn="arn", status=status, reason="because") if status else None

    def list_change_sets(self, stack: str) -> tuple[ChangeSetRef, ...]:
        self.calls.append(f"list {stack}")
        return ()

    def create_change_set(self, new: NewChangeSet) -> tuple[str, str]:
        self.calls.append(f"create {new.kind}")
        return "arn", "arn"

    def change_set_status(self, arn: str) -> ChangeSetRef:
        self.calls.append(f"status {arn}")
        return next(self._refs)

    def change_set(self, arn: str) -> ChangeSetState:
        self.calls.append(f"read {arn}")
        assert self._state is not None
        return self._state

    def delete_change_set(self, arn: str) -> None:
        self.calls.append(f"delete {arn}")

    def objections(self, change_set: str) -> tuple[Objection, ...]:
        self.calls.append(f"objections {change_set}")
        if isinstance(self._objections, AwsFailed):
            raise self._objections
        return self._objections


def ref(status: str, reason: str = "", execution: str = "UNAVAILABLE") -> ChangeSetRef:
    return ChangeSetRef(name="seal", arn="arn", status=status, execution_status=execution, reason=reason)


def ticking() -> Patience:
    seconds = itertools.count()
    return Patience(sleep=lambda _: None, clock=lambda: float(next(seconds)), limit=5)


def state(**nested: str) -> ChangeSetState:
    return ChangeSetState(
        name="seal", arn="arn", stack_arn="arn", status="FAILED", execution_status="UNAVAILABLE", nested=nested
    )


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "CREATE_FAILED", "SOMETHING_NEW"])
def test_review_stops_at_a_broken_stack_and_touches_nothing(status: str) -> None:
    scripted = Scripted(stack=[status], change_set=[], state=None)
    with pytest.raises(Failed, match=status):
        create(inputs(starter()), scripted, name="seal", patience=ticking())
    assert scripted.calls == ["stack"]


def test_review_waits_for_a_busy_stack_then_goes_on() -> None:
    scripted = Scripted(
        stack=["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"],
        change_set=[ref("CREATE_PENDING"), ref("FAILED", "No updates are to be performed.")],
        state=None,
    )
    plan = create(inputs(starter()), scripted, name="seal", patience=ticking())
    assert plan.operation is PlanOperation.NONE
    assert scripted.calls == [*["stack"] * 3, f"list {STACK.name}", "create UPDATE", *["status arn"] * 2, "delete arn"]


def test_a_stack_that_stays_busy_is_a_failure_with_its_remedy() -> None:
    scripted = Scripted(stack=["UPDATE_IN_PROGRESS"], change_set=[], state=None)
    with pytest.raises(Failed, match="is busy: it is UPDATE_IN_PROGRESS; wait for the operation"):
        create(inputs(starter()), scripted, name="seal", patience=ticking())


def test_a_change_set_that_is_never_ready_is_unknown() -> None:
    scripted = Scripted(stack=[None], change_set=[ref("CREATE_IN_PROGRESS")], state=None)
    with pytest.raises(Unknown, match="not ready in time"):
        create(inputs(starter()), scripted, name="seal", patience=ticking())
    assert "delete arn" not in scripted.calls


def test_a_failed_change_set_is_removed_and_its_shell_reported() -> None:
    scripted = Scripted(stack=[None], change_set=[ref("FAILED", "Parameters: [Vpc] is not there")], state=state())
    with pytest.raises(Failed, match=r"\[Vpc\] is not there.*empty shell"):
        create(inputs(starter()), scripted, name="seal", patience=ticking())
    assert scripted.calls[-1] == "delete arn"


def test_a_failed_nested_change_set_tells_its_own_reason() -> None:
    scripted = Scripted(
        stack=["CREATE_COMPLETE"],
        change_set=[ref("FAILED", "Nested change set failed"), ref("FAILED", "S3 error: Access Denied")],
        state=state(Child="child"),
    )
    with pytest.raises(Failed, match="Nested change set failed; seal: S3 error: Access Denied"):
        create(inputs(starter()), scripted, name="seal", patience=ticking())
    assert "status child" in scripted.calls


class Nested(Scripted):
    """A change set whose nested stack has a change set of its own."""

    def change_set(self, arn: str) -> ChangeSetState:
        found = super().change_set(arn)
        inner = Change(action=Action.REMOVE, logical_id="Table", type="AWS::DynamoDB::Table")
        return replace(found, changes=(inner,), nested={}) if arn == "child" else found

    def template(self, *, stack: str | None = None, change_set: str | None = None) -> str:
        self.calls.append(f"template {stack or change_set}")
        return "{}"


def test_changes_of_nested_stacks_are_told_with_their_path() -> None:
    outer = Change(action=Action.MODIFY, logical_id="Child", type="AWS::CloudFormation::Stack")
    scripted = Nested(
        stack=["CREATE_COMPLETE"],
        change_set=[ref("CREATE_COMPLETE", execution="AVAILABLE")],
        state=replace(state(Child="child"), changes=(outer,), status="CREATE_COMPLETE"),
    )
    path = ("Resources", "Child")
    wanted = template({"Child": {"Type": "AWS::CloudFormation::Stack"}}, lines={path: 3})

    plan = create(inputs(wanted), scripted, name="seal", patience=ticking())

    assert [(change.nested, change.logical_id) for change in plan.changes] == [((), "Child"), (("Child",), "Table")]
    assert {str(change.where) for change in plan.changes} == {"configs/churn.yaml:3:1"}
    assert [item.logical_id for item in plan.consequences if item.data_loss] == ["Table"]


def objection(mode: str, status: str = "FAILED", path: str = "/Resources/Bucket/Properties/BucketName") -> Objection:
    return Objection(
        logical_id="Bucket",
        validation="NAME_CONFLICT_VALIDATION",
        status=status,
        mode=mode,
        path=path,
        reason="Resource of type 'AWS::S3::Bucket' with identifier 'churn' already exists.",
    )


def test_a_validation_that_fails_points_at_the_config_line() -> None:
    scripted = Scripted(
        stack=[None],
        change_set=[ref("FAILED", "The following hook(s)/validation failed: [AWS::EarlyValidation]")],
        state=state(),
        objections=(objection("WARN", path="/Resources/Topic"), objection("FAIL")),
    )
    with pytest.raises(Failed) as raised:
        create(inputs(starter()), scripted, name="seal", patience=ticking())
    assert raised.value.where == Location(path="configs/churn.yaml", line=21)
    assert "NAME_CONFLICT_VALIDATION fails at /Resources/Bucket/Properties/BucketName: Resource of" in str(raised.value)


@pytest.mark.parametrize(
    ("found", "note"),
    [
        ((objection("WARN"),), "NAME_CONFLICT_VALIDATION warns at /Resources/Bucket"),
        ((objection("FAIL", "SKIPPED", ""),), "NAME_CONFLICT_VALIDATION was skipped for Bucket"),
        (AwsFailed("x", why="not allowed", code="AccessDenied"), "validations could not be read (not allowed)"),
    ],
)
def test_validations_that_do_not_stop_are_noted(found: tuple[Objection, ...] | AwsFailed, note: str) -> None:
    scripted = Nested(
        stack=["CREATE_COMPLETE"],
        change_set=[ref("CREATE_COMPLETE", execution="AVAILABLE")],
        state=replace(state(), status="CREATE_COMPLETE"),
        objections=found,
    )
    plan = create(inputs(starter()), scripted, name="seal", patience=ticking())
    assert any(note in text for text in plan.notes)


def test_an_objection_to_a_resource_that_is_not_ours_has_no_line() -> None:
    stranger = replace(objection("FAIL"), logical_id="Stranger", path="/Resources/Stranger/Properties")
    assert blame((stranger,), starter()) is None
    assert blame((replace(stranger, path=""),), starter()) is None
    assert blame((), starter()) is None
