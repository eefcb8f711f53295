"""Stacks that read what other stacks of the same change publish first: planned without those values, proven with them.

CloudFormation makes no change set while an SSM parameter that the template reads is missing, and one that it made with
the value of today is worthless when the value changes first. Such a plan is *deferred* (docs/adr/0014): predicted
against the real stack and sealed; its change set is made when the others are deployed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from stackseal import naming
from stackseal.aws.ssm import Parameters
from stackseal.change import preflight
from stackseal.errors import Refused
from stackseal.model import Because, Plan, PlanKind, PlanOperation, SourceMap, StackId, Template, Wait
from stackseal.plan import predicted, prove, seal
from stackseal.plan.notes import BLIND
from stackseal.plan.reads import reads
from stackseal.plan.record import SealRecord, hashed

if TYPE_CHECKING:
    from stackseal.aws.cloudformation import CloudFormation
    from stackseal.aws.shapes import StackState
    from stackseal.world import World

_PARAMETER: Final = "AWS::SSM::Parameter"


@dataclass(frozen=True, kw_only=True)
class Values:
    """What a template reads from Parameter Store, as it is today."""

    awaits: tuple[Wait, ...]
    """What other stacks of the change give a value, or another one, first."""
    known: Mapping[str, str]
    """Path → value, of the others."""


def values(world: World, stack: StackId, head: Template, waits: Sequence[Wait]) -> Values:
    """The values that the stack reads.

    Raises Refused, with who publishes them, for parameters that are missing and that nobody in this change publishes.
    """
    promised = {wait.path: wait for wait in waits if wait.because is Because.READS}
    paths = {*reads(head).values(), *promised}
    found = Parameters(world.aws(stack.account, stack.region), stack.region).given(paths) if paths else {}
    awaits = tuple(sorted(wait for path, wait in promised.items() if wait.changes or path not in found))
    later = {wait.path for wait in awaits}
    if absent := sorted(paths - found.keys() - later):
        raise preflight.too_early(stack, absent, head)
    return Values(awaits=awaits, known={path: value for path, value in found.items() if path not in later})


def missing_roles(cfn: CloudFormation, waits: Sequence[Wait]) -> tuple[Wait, ...]:
    """The roles that this change makes first: without its role CloudFormation makes no change set."""
    return tuple(
        wait
        for wait in waits
        if wait.because is Because.GRANTS and ((state := cfn.stack(wait.stack.name)) is None or state.empty)
    )


def plan(
    cfn: CloudFormation,
    stack: StackId,
    head: Template,
    awaits: Sequence[Wait],
    *,
    live: StackState | None,
    execution_role: str | None,
) -> Plan:
    """The deferred plan of a stack, sealed; `live` is the stack as it stands, None for one that has to be created."""
    base = _template(cfn, live, head) if live is not None else None
    later = {wait.path for wait in awaits}
    made = predicted.predict(base, head, stack=stack, execution_role=execution_role, later=later, cautious=True)
    there = {item.logical_id: item.physical_id for item in cfn.resources(stack.name)} if live is not None else {}
    complete = replace(
        made,
        kind=PlanKind.DEFERRED,
        operation=PlanOperation.CREATE if live is None else PlanOperation.UPDATE,
        changes=tuple(
            replace(change, physical_id=there.get(change.logical_id) or change.physical_id) for change in made.changes
        ),
        awaits=tuple(sorted(awaits)),
        notes=(*(_sentence(wait) for wait in sorted(awaits)), *(note for note in made.notes if note != BLIND)),
    )
    return replace(complete, seal=seal.seal(complete, head), inputs=seal.of_plan(complete, head).digest)


def resolved(head: Template, known: Mapping[str, str]) -> dict[str, str]:
    """Parameter of the template → value, of those that are known at review."""
    return {name: known[path] for name, path in reads(head).items() if path in known}


def unpublished(
    world: World, cfn: CloudFormation, record: SealRecord, template: Template, change_set: str | None
) -> tuple[str, ...]:
    """Why a change set must not be executed: a value that it uses is not what the stack before it published."""
    awaited = {path: stack for path, stack in record.awaited.items() if not stack.startswith(naming.ROLES)}
    if not awaited or change_set is None:
        return ()
    here = record.stack
    statuses: dict[str, str] = {}
    for stack in sorted(set(awaited.values())):
        paths = {path for path, publisher in awaited.items() if publisher == stack}
        statuses |= _statuses(world, cfn, replace(here, name=stack), paths)
    now = Parameters(world.aws(here.account, here.region), here.region).given(awaited)
    return prove.unpublished(
        replace(record, awaited=awaited),
        template,
        resolved=cfn.change_set(change_set).resolved,
        now=now,
        published=statuses,
    )


def moved(world: World, record: SealRecord, template: Template, waits: Sequence[Wait] | None = None) -> tuple[str, ...]:
    """Why values are not those of the review; with `waits` only of parameters that stacks of this deployment publish.

    A change set keeps the values that it was made with, so that it would install what is out of date.
    """
    here = record.stack
    paths = None if waits is None else {wait.path for wait in waits if wait.because is Because.READS}
    names = {
        name: path
        for name, path in reads(template).items()
        if name in record.resolved and (paths is None or path in paths)
    }
    now = Parameters(world.aws(here.account, here.region), here.region).given(names.values()) if names else {}
    return tuple(
        f"The SSM value behind {name} ({path}) is not the one at review."
        for name, path in names.items()
        if hashed({name: now.get(path, "")})[name] != record.resolved[name]
    )


def _statuses(world: World, cfn: CloudFormation, stack: StackId, paths: set[str]) -> dict[str, str]:
    """Path → drift status of its parameter, as far as the stack has one."""
    if cfn.stack(stack.name) is None:
        return {}
    owned = {
        item.logical_id: item.physical_id
        for item in cfn.resources(stack.name)
        if item.type == _PARAMETER and item.physical_id in paths
    }
    if not owned:
        return {}
    drift = cfn.detect_drift(stack, sleep=world.clock.sleep, clock=world.clock.monotonic, logical_ids=sorted(owned))
    return {owned[item.logical_id]: item.status for item in drift.resources if item.logical_id in owned}


def _template(cfn: CloudFormation, live: StackState, head: Template) -> Template:
    """The template that the stack has now, as the base of a prediction.

    Raises Refused for one that is not JSON: it was not ours.
    """
    text = cfn.template(stack=live.name)
    try:
        body = json.loads(text)
    except ValueError as error:
        raise Refused(
            f"The stack {live.name} cannot be planned before the stacks that it waits for",
            why="the template that it has now is not JSON, so nobody can predict what changes",
            remedy="change those stacks in a pull request of their own first",
        ) from error
    nowhere = SourceMap(path=live.name, lines=(), rendered={}, template={}, config={})
    owner = replace(head.stack, tags=dict(live.tags)) if head.stack else None
    return Template(text=text, body=body, parameters=live.parameters, source=nowhere, stack=owner)


def _sentence(wait: Wait) -> str:
    if wait.because is Because.GRANTS:
        return f"Its role is there after the deployment of {wait.stack.name}."
    return f"{wait.path} is known after the deployment of {wait.stack.name}."
