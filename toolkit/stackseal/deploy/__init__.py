"""Stage 8, sealed Plan → Deployment: the only module that changes stacks.

It follows an operation with a poller of its own, because botocore's waiters call UPDATE_ROLLBACK_COMPLETE a success and
give up after an hour. Every operation ends in one of a closed list of outcomes; a lost connection is *unknown*, with
the command that resumes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from stackseal.errors import Refused, StacksealError, Unknown
from stackseal.model import Deployment, Outcome, Plan, PlanOperation, ResourceEvent, StackId, Template, sha256

if TYPE_CHECKING:
    from stackseal.aws.cloudformation import CloudFormation
    from stackseal.aws.shapes import StackState

LIMIT: Final = 6 * 3600.0
"""Seconds until an operation's outcome counts as unknown."""
_SIGN: Final = 120.0
"""Seconds in which an operation has to show its first event."""
_REST: Final = 15.0
"""Seconds of rest after which the stack's state is believed although its own last event is missing."""
_PAUSES: Final = (0.2, 0.4, 0.8, 1.5, 3.0, 5.0)
_STACK: Final = "AWS::CloudFormation::Stack"
_CANCELLED: Final = ("Resource creation cancelled", "Resource update cancelled")

OUTCOMES: Final[Mapping[str, Outcome]] = {
    "CREATE_COMPLETE": Outcome.CREATED,
    "UPDATE_COMPLETE": Outcome.UPDATED,
    "IMPORT_COMPLETE": Outcome.UPDATED,
    "DELETE_COMPLETE": Outcome.DELETED,
    "ROLLBACK_COMPLETE": Outcome.ROLLED_BACK,
    "UPDATE_ROLLBACK_COMPLETE": Outcome.ROLLED_BACK,
    "IMPORT_ROLLBACK_COMPLETE": Outcome.ROLLED_BACK,
    "CREATE_FAILED": Outcome.FAILED,
    "UPDATE_FAILED": Outcome.FAILED,
    "DELETE_FAILED": Outcome.FAILED,
    "ROLLBACK_FAILED": Outcome.FAILED,
    "UPDATE_ROLLBACK_FAILED": Outcome.FAILED,
    "IMPORT_ROLLBACK_FAILED": Outcome.FAILED,
}
"""How an operation has ended, by the status that the stack then has; every other status means that it is running."""


class Progress(Protocol):
    """Who is told what happens."""

    def event(self, event: ResourceEvent) -> None:
        """One line of the stack's history."""
        ...


@dataclass(frozen=True, kw_only=True)
class Watch:
    """How an operation is followed."""

    sleep: Callable[[float], None]
    monotonic: Callable[[], float]
    progress: Progress
    limit: float = LIMIT
    pauses: Sequence[float] = field(default=_PAUSES)


def execute(plan: Plan, template: Template, cfn: CloudFormation, watch: Watch) -> Deployment:
    """Execute a plan's change set and follow it to its end.

    The caller has proven that the plan is what was reviewed. Production stacks are protected from deletion afterwards.
    Raises Refused for a plan that CloudFormation did not make; an AWS error before anything was started is raised too.
    Where the answer to the start itself is lost, the outcome is UNKNOWN.
    """
    if plan.operation is PlanOperation.NONE:
        return _protected(unchanged(plan.stack, cfn), template, cfn)
    if plan.change_set is None:
        raise Refused(
            f"The plan of {plan.stack.name} cannot be executed",
            why=f"it is a {plan.kind.value} plan without a change set",
            remedy="review it with credentials for the account",
        )
    since = _newest(cfn, plan.stack.name)
    try:
        cfn.execute(plan.change_set, token=token(plan))
    except Unknown as error:
        return _unknown(plan.stack, "", str(error))
    return _protected(follow(plan.stack, cfn, watch, since=since), template, cfn)


def delete(stack: StackId, cfn: CloudFormation, watch: Watch, *, role: str | None = None) -> Deployment:
    """Delete a stack and follow the deletion to its end; `retained` names what its policies leave behind.

    A stack that was protected is protected again when it is still there afterwards.
    """
    state = cfn.stack(stack.name)
    if state is None:
        return Deployment(stack=stack, outcome=Outcome.DELETED, status="")
    if state.termination_protection:
        cfn.set_termination_protection(stack.name, on=False)
    since = _newest(cfn, stack.name)
    deployment = None
    try:
        # With the newest event: a deletion that failed is tried again, where its token would ask for the same one.
        cfn.delete_stack(stack.name, role=role, token=sha256(f"{state.arn} {state.last_updated} {since}")[:32])
        deployment = follow(stack, cfn, watch, since=since, arn=state.arn)
    except Unknown as error:
        return _unknown(stack, "", str(error))
    finally:
        standing = deployment is None or deployment.outcome is Outcome.FAILED
        if state.termination_protection and standing:
            with suppress(StacksealError):
                cfn.set_termination_protection(stack.name, on=True)
    return deployment


def follow(stack: StackId, cfn: CloudFormation, watch: Watch, *, since: str = "", arn: str = "") -> Deployment:
    """Watch a running operation until the stack rests.

    `since` is the time of the newest event before the operation: the stack rests only when an event after it says so,
    because an answer of AWS may be older than the operation. `arn` finds a stack that is being deleted. Never raises
    for a lost connection: the outcome is then UNKNOWN.
    """
    end = watch.monotonic() + watch.limit
    rested: float | None = None
    seen: list[ResourceEvent] = []
    turn = 0
    try:
        while True:
            state = cfn.stack(arn or stack.name)
            for event in cfn.events(arn or stack.name, since=seen[-1].timestamp if seen else since) if state else ():
                seen.append(event)
                watch.progress.event(event)
            if state is None or (state.status in OUTCOMES and (not since or _told(stack, seen) == state.status)):
                return _ended(stack, cfn, state, seen)
            now = watch.monotonic()
            rested = None if state.status not in OUTCOMES else now if rested is None else rested
            resting = 0.0 if rested is None else now - rested
            if seen and resting >= _REST:
                return _ended(stack, cfn, state, seen)
            if resting >= _SIGN or now >= end:
                return _unknown(stack, state.status)
            watch.sleep(watch.pauses[min(turn, len(watch.pauses) - 1)])
            turn += 1
    except Unknown:
        return _unknown(stack, "")
    except StacksealError:
        return _unknown(stack, "")


def _told(stack: StackId, events: Sequence[ResourceEvent]) -> str:
    """The last status of the stack itself that its events tell."""
    own = [event.status for event in events if event.type == _STACK and event.logical_id == stack.name]
    return own[-1] if own else ""


def _protected(deployment: Deployment, template: Template, cfn: CloudFormation) -> Deployment:
    """A production stack that stands is protected from deletion, also where an earlier run died before it did that."""
    if deployment.outcome.good and deployment.status and template.stack is not None and template.stack.protected:
        cfn.set_termination_protection(deployment.stack.name, on=True)
    return deployment


def unchanged(stack: StackId, cfn: CloudFormation) -> Deployment:
    """The deployment of a plan without changes: a success."""
    state = cfn.stack(stack.name)
    return Deployment(
        stack=stack,
        outcome=Outcome.UNCHANGED,
        status=state.status if state else "",
        outputs=state.outputs if state else {},
        resources=len(cfn.resources(stack.name)) if state else 0,
    )


def token(plan: Plan) -> str:
    """The client token of an execution: it names the seal, and a repeat for the same change set does not run twice."""
    return f"seal-{(plan.seal or '')[:32]}-{sha256(plan.change_set or '')[:16]}"


def _ended(
    stack: StackId, cfn: CloudFormation, state: StackState | None, events: Sequence[ResourceEvent]
) -> Deployment:
    outcome = OUTCOMES[state.status] if state else Outcome.DELETED
    standing = state is not None and outcome is not Outcome.DELETED
    return Deployment(
        stack=stack,
        outcome=outcome,
        status=state.status if state else "DELETE_COMPLETE",
        first_failure=None if outcome.good else first_failure(events),
        outputs=state.outputs if state and standing else {},
        resources=len(cfn.resources(stack.name)) if standing else 0,
        retained=tuple(
            sorted(f"{event.type} {event.physical_id}" for event in events if event.status == "DELETE_SKIPPED")
        ),
    )


def first_failure(events: Sequence[ResourceEvent]) -> ResourceEvent | None:
    """The event that began the trouble: the first failure that is not the consequence of another."""
    failed = [event for event in events if event.status.endswith("_FAILED") and event.type != _STACK]
    causes = [event for event in failed if not event.reason.startswith(_CANCELLED)]
    return next(iter(causes or failed), None)


def _unknown(stack: StackId, status: str, message: str = "") -> Deployment:
    return Deployment(
        stack=stack,
        outcome=Outcome.UNKNOWN,
        status=status,
        resume=f"stackseal recover {stack.name} --region {stack.region}",
        message=message,
    )


def _newest(cfn: CloudFormation, name: str) -> str:
    """The time of the last thing that happened before us."""
    if cfn.stack(name) is None:
        return ""
    events = cfn.events(name)
    return events[-1].timestamp if events else ""
