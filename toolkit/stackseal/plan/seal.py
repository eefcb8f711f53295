"""The seal: one digest over everything that a review looked at, and the rule that a plan may shrink, never grow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from stackseal import naming
from stackseal.errors import UsageError
from stackseal.model import (
    KNOWN_AFTER_APPLY,
    Action,
    Change,
    Plan,
    PlanKind,
    Replacement,
    StackId,
    Template,
    canonical_json,
    sha256,
)
from stackseal.plan.capabilities import needed

ANY: Final = "*"
"""Stands for a value that only the deployment tells."""
NAME_LIMIT: Final = 128
DESCRIPTION_LIMIT: Final = 1_024
_NAME: Final = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*")
_HEAD: Final = re.compile(r"[0-9a-f]{7,64}")
_ORDER: Final = {"": 0, Replacement.NEVER.value: 0, Replacement.CONDITIONAL.value: 1, Replacement.ALWAYS.value: 2}


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything that goes into a plan."""

    template: Template
    stack: StackId
    tags: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    execution_role: str | None = None
    """Of a stack set its administration role."""

    @property
    def digest(self) -> str:
        """SHA-256 of the inputs, known before CloudFormation is asked: it finds the record of a commit."""
        return sha256(canonical_json(self.document()))

    def document(self) -> dict[str, object]:
        owner = self.template.stack
        more = {"stack_set": owner.stack_set.document()} if owner and owner.stack_set else {}
        return {
            **more,
            "account": self.stack.account,
            "capabilities": sorted(self.capabilities),
            "parameters": dict(self.template.parameters),
            "region": self.stack.region,
            "role": self.execution_role,
            "stack": self.stack.name,
            "tags": dict(self.tags),
            "template": self.template.canonical,
        }


def inputs(template: Template, *, stack: StackId | None = None, execution_role: str | None = None) -> Inputs:
    """The inputs of a template's own stack, with the capabilities that it needs; `stack` for a foreign template."""
    identity = stack or (template.stack.id if template.stack else None)
    if identity is None:
        raise UsageError("this template belongs to no stack", remedy="name account, region and stack")
    return Inputs(
        template=template,
        stack=identity,
        tags=dict(template.stack.tags) if template.stack else {},
        capabilities=needed(template.body),
        execution_role=execution_role,
    )


def of_plan(plan: Plan, template: Template) -> Inputs:
    """The inputs that a plan was made from."""
    return Inputs(
        template=template,
        stack=plan.stack,
        tags=plan.tags,
        capabilities=plan.capabilities,
        execution_role=plan.execution_role,
    )


@dataclass(frozen=True, kw_only=True, order=True)
class Line:
    """One thing that a plan does: a property of a change, or the change as a whole (path empty)."""

    nested: tuple[str, ...]
    logical_id: str
    path: str
    action: str
    type: str
    replacement: str
    policy_action: str
    value: str
    """SHA-256 of the value after the change, `*` for one that only the deployment tells, empty for none."""

    @property
    def destructive(self) -> bool:
        """Something that exists goes away, or may: `Change.destructive` of what was sealed."""
        return self.action in {Action.REMOVE.value, Action.DYNAMIC.value} or (
            self.action == Action.MODIFY.value and self.replacement != Replacement.NEVER.value
        )

    def __str__(self) -> str:
        where = "/".join((*self.nested, self.logical_id))
        path = f" {self.path}" if self.path else ""
        replaced = {"True": ", replaced", "Conditional": ", perhaps replaced"}.get(self.replacement, "")
        return f"{self.action} {where} ({self.type}){path}{replaced}"


def normalise(changes: Iterable[Change]) -> tuple[Line, ...]:
    """The changes without physical ids, causes, old values and order: equal for equal effects."""
    return tuple(sorted(line for change in changes for line in _lines(change)))


def coarse(changes: Iterable[Change]) -> tuple[Line, ...]:
    """The changes to their first property only and with any value, for a plan that was predicted.

    Nothing is lost: what a value becomes follows from the inputs, which the digest pins, and from the values of SSM
    parameters, which are compared on their own.
    """
    return rough(normalise(changes))


def rough(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Lines to their first property only and with any value, so that they compare with those of a predicted plan."""
    found: dict[tuple[object, ...], Line] = {}
    for line in lines:
        path = f"/{line.path.split('/')[1]}" if line.path.startswith("/") else line.path.partition("/")[0]
        key = (line.nested, line.logical_id, path, line.action, line.type, line.policy_action)
        old = found.get(key)
        if old is None or _ORDER[old.replacement] < _ORDER[line.replacement]:
            found[key] = replace(line, path=path, value=ANY)
    return tuple(sorted(found.values()))


def lines_of(plan: Plan) -> tuple[Line, ...]:
    """What is sealed of a plan's changes."""
    return coarse(plan.changes) if plan.kind is PlanKind.DEFERRED else normalise(plan.changes)


def awaited(plan: Plan) -> dict[str, str]:
    """SSM path → name of the stack that publishes it first, of a deferred plan."""
    return {wait.path: wait.stack.name for wait in sorted(plan.awaits)}


def subset(new: Sequence[Line], sealed: Sequence[Line]) -> tuple[Line, ...]:
    """The lines of `new` that nobody sealed: empty means that the plan shrank or stayed.

    A sealed `*` covers any value, a sealed replacement covers a milder one; a value that was known when it was sealed
    does not cover an unknown one.
    """
    by_key: dict[tuple[tuple[str, ...], str, str], list[Line]] = {}
    for line in sealed:
        by_key.setdefault((line.nested, line.logical_id, line.path), []).append(line)
    return tuple(
        line
        for line in new
        if not any(_covers(old, line) for old in by_key.get((line.nested, line.logical_id, line.path), ()))
    )


def seal(plan: Plan, template: Template) -> str:
    """SHA-256 of the inputs and of what CloudFormation said it would do with them."""
    rows = [_row(line) for line in lines_of(plan)]
    document = {**of_plan(plan, template).document(), "operation": plan.operation.value, "changes": rows}
    if plan.awaits:
        document["awaits"] = awaited(plan)
    return sha256(canonical_json(document))


def change_set_name(pull_request: int, head: str, digest: str) -> str:
    """`seal-pr<N>-<head7>-<digest12>`; errors where a part is not what it should be."""
    if pull_request < 1 or not _HEAD.fullmatch(head) or not _HEAD.fullmatch(digest):
        raise UsageError(
            "the change set cannot be named",
            why=f"pull request {pull_request}, commit {head!r} and digest {digest!r} are not a number and two hashes",
            remedy="pass the pull request's number and the full commit id",
        )
    return f"{naming.SEALED}pr{pull_request}-{head[:7]}-{digest[:12]}"


def change_set_again(head: str, digest: str) -> str:
    """`deploy-<head7>-<digest12>`: the change set that a deployment, or a push without a review, makes."""
    return f"{naming.REPLANNED}{head[:7]}-{digest[:12]}"


def of_all(seals: Mapping[StackId, str]) -> str:
    """One digest of the seals of several stacks, so that a person's word for all of them holds for these only."""
    return sha256(canonical_json({str(stack): seals[stack] for stack in sorted(seals)}))


def check_name(name: str, description: str) -> None:
    """CloudFormation's limits, checked before anything is sent."""
    if len(name) > NAME_LIMIT or not _NAME.fullmatch(name):
        raise UsageError(
            f"the change set's name {name!r} is not allowed",
            why=f"CloudFormation takes at most {NAME_LIMIT} letters, digits and hyphens, a letter first",
        )
    if len(description) > DESCRIPTION_LIMIT:
        raise UsageError(
            "the change set's description is too long",
            why=f"it has {len(description)} characters, CloudFormation takes {DESCRIPTION_LIMIT}",
        )


def value_hash(text: str | None) -> str:
    """How a value stands in a record: its SHA-256, `*`, or empty for none."""
    if text is None:
        return ""
    return ANY if KNOWN_AFTER_APPLY in text else sha256(text)


def _lines(change: Change) -> Iterable[Line]:
    for path, value in [(item.path, value_hash(item.after)) for item in change.properties] or [("", "")]:
        yield Line(
            nested=change.nested,
            logical_id=change.logical_id,
            path=path,
            action=change.action.value,
            type=change.type,
            replacement=change.replacement.value,
            policy_action=change.policy_action or "",
            value=value,
        )


def _covers(sealed: Line, new: Line) -> bool:
    milder = _ORDER[new.replacement] < _ORDER[sealed.replacement]
    return (
        (sealed.action, sealed.type) == (new.action, new.type)
        and _ORDER[new.replacement] <= _ORDER[sealed.replacement]
        and (sealed.policy_action == new.policy_action or (milder and not new.policy_action))
        and sealed.value in {ANY, new.value}
    )


def _row(line: Line) -> list[object]:
    return [
        list(line.nested),
        line.logical_id,
        line.path,
        line.action,
        line.type,
        line.replacement,
        line.policy_action,
        line.value,
    ]
