"""The stacks of roles that a change needs: where an account manages its roles, every stack has one, and it goes first.

Joins the parts of a change, the policies and the templates. The role of a stack that changes may do what either side
needs, so that an update and its rollback work; what only the base needed is taken away at the end (`contracting`). The
role of a stack that is removed goes after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from stackseal import checks, naming, policy, render, yamltext
from stackseal.catalogue import Resolved
from stackseal.change import waves
from stackseal.change.concerned import Concerned, Part, Sides
from stackseal.change.preparation import Prepared
from stackseal.change.subjects import Change, Subject
from stackseal.errors import ConfigError
from stackseal.model import Because, Finding, Policy, Product, SourceMap, Stack, StackId, Template, Wait, Waiver
from stackseal.settings import Settings

PRODUCT: Final = "stackseal-roles"
_BOUNDARY: Final = "ExecutionBoundary"
"""What bootstrap's template calls the boundary of execution roles."""
_BOOTSTRAP: Final = "bootstrap"
_REASON: Final = (
    "The statement is generated from the template and names every resource that IAM can name; what stays on * has no "
    "resource, and the boundary limits it."
)
_SHOWN: Final = 3
WAIVED: Final = ("CKV_AWS_107", "CKV_AWS_108", "CKV_AWS_109", "CKV_AWS_110", "CKV_AWS_111", "CKV_AWS_356")


@dataclass(frozen=True, kw_only=True)
class Granted:
    """What the role in one stack of roles may do."""

    owner: StackId
    """The stack that CloudFormation builds with the role."""
    before: Policy | None
    after: Policy | None
    """Base and head together, while the change is deployed."""

    @property
    def old(self) -> tuple[Policy, ...]:
        """As reports list policies."""
        return () if self.before is None else (self.before,)

    @property
    def new(self) -> tuple[Policy, ...]:
        """As reports list policies."""
        return () if self.after is None else (self.after,)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of a change, its stacks of roles among them."""

    found: Concerned
    granted: Mapping[StackId, Granted]
    """Stack of roles → what its role may do."""
    narrow: Mapping[StackId, Template] = field(default_factory=dict)
    """Stack of roles → its template once everything is deployed, where the role may do more until then."""


def with_roles(found: Concerned, ours: Settings, waivers: Sequence[Waiver]) -> Parts:
    """The parts of a change and the stacks of roles that they need, in order."""
    for part in found.parts:
        _not_ours(part, ours)
    owners = [
        part
        for part in found.parts
        if part.subject.either.stack.stack_set is None  # its roles are in other accounts
        and ours.account(part.subject.id.account).has_own_role(part.subject.id)
    ]
    if not owners:
        return Parts(found=found, granted={})
    granted = {naming.roles_stack(part.subject.id): _granted(part) for part in owners}
    waits = _waits(owners)
    going = {part.subject.id for part in found.parts if part.sides[1] is None}
    going |= {naming.roles_stack(stack) for stack in going}
    order = waves.with_more(found.order, waits, going)
    added, narrow = [], {}
    for part in owners:
        roles = naming.roles_stack(part.subject.id)
        end = _narrow(part, granted[roles], waivers)
        added.append(_part(part, granted[roles], end, waivers))
        if end is not None:
            narrow[roles] = end.template
    placed = [
        replace(part, waits=order.waits[part.subject.id], wave=order.wave(part.subject.id))
        for part in sorted([*found.parts, *added], key=lambda part: part.subject.id)
    ]
    return Parts(found=Concerned(parts=tuple(placed), order=order), granted=granted, narrow=narrow)


def over(granted: Granted, about: StackId, accounts: Sequence[Prepared]) -> tuple[Finding, ...]:
    """What the account's boundary would stop, as far as the repository holds the config that made the boundary."""
    for prepared in accounts:
        here = prepared.stack.id
        if granted.after and (here.account, here.region) == (about.account, about.region):
            ceiling = policy.boundary_of(prepared.template, here, _BOUNDARY)
            return policy.beyond(granted.after, ceiling, granted.owner, about) if ceiling else ()
    return ()


def _not_ours(part: Part, ours: Settings) -> None:
    """Nothing, unless a config claims the name of a stack of roles: it would be built with the right to make roles."""
    stack = part.subject.id
    if ours.account(stack.account).execution_roles == "managed" and stack.name.startswith(naming.ROLES):
        raise ConfigError(
            f"The stack cannot be called {stack.name}",
            why=f"names that begin with {naming.ROLES} belong to the stacks that hold execution roles",
            remedy="give the config another company prefix or name",
            where=part.subject.either.stack.config.at(),
        )


def _granted(part: Part) -> Granted:
    old, new = part.sides
    return Granted(
        owner=part.subject.id,
        before=policy.execution(old.template) if old else None,
        after=policy.execution(new.template, base=old.template if old else None) if new else None,
    )


def _waits(owners: Sequence[Part]) -> dict[StackId, tuple[Wait, ...]]:
    """A stack waits for its role; the role of one that is removed waits for the stack."""
    found: dict[StackId, tuple[Wait, ...]] = {}
    for part in owners:
        stack = part.subject.id
        roles, arn = naming.roles_stack(stack), naming.role_arn(stack)
        if part.sides[1] is None:
            found[roles] = (Wait(stack=stack, path=arn, because=Because.USES),)
        else:
            found[stack], found[roles] = (Wait(stack=roles, path=arn, because=Because.GRANTS),), ()
    return found


def _part(part: Part, granted: Granted, end: Prepared | None, waivers: Sequence[Waiver]) -> Part:
    """The part of the stack of roles; `end` is what it becomes when everything is deployed, where that is less."""
    old, new = part.sides
    contracts = {"Contracts": end.template.sha256} if end else {}
    sides: Sides = (_prepared(old, granted.before, waivers), _prepared(new, granted.after, waivers, contracts))
    subject = Subject(
        id=naming.roles_stack(part.subject.id),
        base=sides[0].resolved if sides[0] else None,
        head=sides[1].resolved if sides[1] else None,
    )
    return Part(subject=subject, sides=sides, notes=_kept(new, granted))


def _narrow(part: Part, granted: Granted, waivers: Sequence[Waiver]) -> Prepared | None:
    """The stack of roles with what the new version needs alone; None where that is what it has all the time."""
    new = part.sides[1]
    if new is None or granted.after is None:
        return None
    wide, narrow = (_prepared(new, found, waivers) for found in (granted.after, policy.execution(new.template)))
    same = wide is None or narrow is None or wide.template.sha256 == narrow.template.sha256
    return None if same else narrow


def _kept(new: Prepared | None, granted: Granted) -> tuple[str, ...]:
    """What the role may still do after the change although the new version does not need it, as a sentence."""
    if new is None or granted.before is None or granted.after is None:
        return ()
    needed = _actions(policy.execution(new.template))
    more = sorted(_actions(granted.after) - needed)
    if not more:
        return ()
    listed = ", ".join(more[:_SHOWN]) + (f" and {len(more) - _SHOWN} more" if len(more) > _SHOWN else "")
    sentence = (
        f"The role keeps {listed}, which only the old version of {granted.owner.name} needs, so that the change can be "
        "made and rolled back; it is taken away when everything is deployed."
    )
    return (sentence,)


def _actions(found: Policy) -> set[str]:
    return {action for statement in found.statements for action in statement.actions}


def _prepared(
    owner: Prepared | None,
    execution: Policy | None,
    waivers: Sequence[Waiver],
    metadata: Mapping[str, str] | None = None,
) -> Prepared | None:
    if owner is None or execution is None:
        return None
    stack = holder(owner.stack)
    body = policy.role_template(owner.stack, execution)
    if metadata:
        body["Metadata"] = {"stackseal": dict(metadata)}
    marked = checks.with_metadata(body, (*stack.product.waivers, *waivers), stack=str(stack.id))
    read = render.read(yamltext.dump(marked), stack.config.path)
    line = owner.stack.config.at(owner.stack.product.section)
    source = SourceMap(path=read.source.path, lines=read.source.lines, rendered={}, template={}, config={(): line})
    template = Template(text=read.text, body=marked, parameters={}, source=source, stack=stack)
    return Prepared(resolved=Resolved(stack=stack, warnings=(), origins={}), template=template)


def holder(owner: Stack) -> Stack:
    """A stack's own stack of roles as later stages see a stack: it has its owner's config, and none of the content."""
    return Stack(
        id=naming.roles_stack(owner.id),
        product=Product(
            name=PRODUCT,
            title="Execution role of a stack",
            section="",
            root=Path(),
            template="",
            waivers=tuple(Waiver(check=check, reason=_REASON, owner="stackseal") for check in WAIVED),
        ),
        config=replace(owner.config, data={}),
        env=owner.env,
        slug=owner.slug,
        scenario=f"{owner.scenario}-roles",
        variant="role",
        names={},
        context={},
        tags=owner.tags,
    )


def bootstraps(change: Change) -> list[Resolved]:
    """The configs that have bootstrapped accounts, as they are before the change."""
    before = {subject.id: subject.base for subject in change.subjects}
    found = [before.get(item.stack.id, item) for item in change.after]
    return [item for item in found if item is not None and item.stack.product.name == _BOOTSTRAP]
