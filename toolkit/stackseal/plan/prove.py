"""Is this still what was reviewed? Deciding only; each reason against is one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from stackseal.aws.shapes import ChangeSetState
from stackseal.model import Change, Drift, Plan, StackId, Template, canonical_json, sha256
from stackseal.plan.change_set import Live
from stackseal.plan.reads import reads
from stackseal.plan.record import SealRecord, hashed
from stackseal.plan.seal import coarse, normalise, of_plan, subset


def prove(
    record: SealRecord,
    live: Live,
    *,
    execution_role: str | None,
    drift: Drift | None = None,
) -> tuple[str, ...]:
    """Why the change set must not be executed; empty when it is the reviewed one.

    `live` is what `change_set.inspect` read, `execution_role` the role that the settings name today, `drift` the drift
    of the changed resources now.
    """
    return (
        *_state(live.state),
        *_identity(record, live.state),
        *_inputs(record, live, execution_role),
        *_lines(record, live.changes),
        *drifted(record, drift),
    )


def prove_again(
    record: SealRecord,
    plan: Plan,
    template: Template,
    *,
    resolved: Mapping[str, str] | None = None,
    drift: Drift | None = None,
) -> tuple[str, ...]:
    """Why a plan that was made again must not be executed in the place of the recorded one.

    The inputs must be equal; the changes may have become fewer, never more. `resolved` are the SSM values of now.
    """
    reasons: list[str] = []
    if of_plan(plan, template).digest != record.input_digest:
        reasons.append(
            "The template, its parameters, tags, capabilities or the execution role are not the reviewed ones."
        )
    if plan.operation.value not in {record.operation, "no changes"}:
        reasons.append(f"The plan would {plan.operation.value} the stack; reviewed was: {record.operation}.")
    # Without changes there is no change set, and nothing that could use another value.
    if plan.changes or resolved is not None:
        later = {name for name, path in reads(template).items() if path in record.awaited}
        reasons += _values(record, {name: value for name, value in (resolved or {}).items() if name not in later})
    lines = coarse(plan.changes) if record.awaited else normalise(plan.changes)
    reasons += [f"Not reviewed: {line}." for line in subset(lines, record.lines)]
    return (*reasons, *drifted(record, drift))


def unpublished(
    record: SealRecord,
    template: Template,
    *,
    resolved: Mapping[str, str],
    now: Mapping[str, str],
    published: Mapping[str, str],
) -> tuple[str, ...]:
    """Why a value that the review could not know must not be used: it is not what its stack published.

    `resolved` are the values that the new change set would use, `now` those behind the awaited paths, `published` the
    drift status of each path's parameter in the stack that publishes it; a path that it does not have is missing.
    """
    reasons: list[str] = []
    for path, stack in sorted(record.awaited.items()):
        status = published.get(path)
        if status is None:
            reasons.append(f"The stack {stack} does not publish {path}.")
        elif status != "IN_SYNC":
            reasons.append(f"{path} is not what the stack {stack} published: drift detection calls it {status}.")
        used = [name for name, read in reads(template).items() if read == path and name in resolved]
        other = [name for name in used if resolved[name] != now.get(path)]
        reasons += [f"The value of {name} is not the one behind {path}: it changed meanwhile." for name in other]
    return tuple(reasons)


def drifted(record: SealRecord, drift: Drift | None) -> Iterator[str]:
    """Resources that somebody changed by hand since the review."""
    now = {item.logical_id: item.status for item in drift.resources} if drift else {}
    for name, status in sorted(now.items()):
        before = record.drift.get(name, status)
        if status != before:
            yield f"{name} was {before} at review and is {status} now: it was changed outside CloudFormation."


def _state(live: ChangeSetState) -> Iterator[str]:
    if (live.status, live.execution_status) != ("CREATE_COMPLETE", "AVAILABLE"):
        yield f"The change set {live.name} cannot be executed: it is {live.status} and {live.execution_status}."


def _identity(record: SealRecord, live: ChangeSetState) -> Iterator[str]:
    if live.arn != record.change_set or live.name != record.change_set_name:
        yield f"The change set {live.arn} is not the reviewed one ({record.change_set})."
    found = stack_of(live.stack_arn)
    if found != record.stack:
        yield f"The change set belongs to the stack {found}; reviewed was {record.stack}."


def _inputs(record: SealRecord, live: Live, role: str | None) -> Iterator[str]:
    if _digest(live.template) != record.template_sha256:
        yield "The change set's template is not the reviewed one."
    if other := _other_parameters(record, live.state):
        yield f"The change set's parameters are not the reviewed ones: {', '.join(other)}."
    if dict(live.state.tags) != dict(record.tags):
        yield "The change set's tags are not the reviewed ones."
    if tuple(live.state.capabilities) != record.capabilities:
        yield "The change set's capabilities are not the reviewed ones."
    if role != record.execution_role:
        yield f"The settings name the execution role {role}; reviewed was {record.execution_role}."
    yield from _values(record, live.state.resolved)


def _other_parameters(record: SealRecord, live: ChangeSetState) -> list[str]:
    now = hashed(live.parameters)
    names = sorted(now.keys() | record.parameters.keys())
    # A NoEcho parameter comes back as asterisks: there is nothing to compare, the ARN vouches for it.
    hidden = {name for name, value in live.parameters.items() if value and not value.strip("*")}
    return [name for name in names if now.get(name) != record.parameters.get(name) and name not in hidden]


def _values(record: SealRecord, resolved: Mapping[str, str]) -> Iterator[str]:
    now = hashed(resolved)
    for name in sorted(record.resolved.keys() | now.keys()):
        if now.get(name) != record.resolved.get(name):
            yield f"The SSM value behind {name} is not the one at review."


def _lines(record: SealRecord, changes: Sequence[Change]) -> Iterator[str]:
    lines = normalise(changes)
    extra = subset(lines, record.lines)
    yield from (f"Not reviewed: {line}." for line in extra)
    # A change set never changes after it is made, so this very one must still have all its lines.
    missing = {(line.nested, line.logical_id, line.path) for line in record.lines}
    missing -= {(line.nested, line.logical_id, line.path) for line in lines}
    if missing:
        yield f"{len(missing)} of the reviewed changes are missing from the change set."


def stack_of(arn: str) -> StackId:
    """The identity in a stack's ARN, `arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID`."""
    parts = [*arn.split(":"), "", "", "", "", "", ""]
    name = [*parts[5].split("/"), "", ""][1]
    return StackId(account=parts[4], region=parts[3], name=name)


def _digest(template: str) -> str:
    try:
        return sha256(canonical_json(json.loads(template)))
    except ValueError:
        return sha256(template)
