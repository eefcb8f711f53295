"""The order between the stacks of one change, from what they publish and read: Parameter Store paths, nothing else.

Creations and updates come first, each stack after those whose parameters it reads; deletions come last, in reverse. A
*wave* is what may go at the same time. A change that has no order is a failure with the lines of the configs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stackseal.model import Because, Failure, Json, JsonPath, Location, Stack, StackId, Wait


class Place(NamedTuple):
    """A parameter: one account and region have one of a path."""

    account: str
    region: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Member:
    """A stack that a change concerns, before and after it; not both are None."""

    base: Stack | None
    head: Stack | None

    @property
    def either(self) -> Stack:
        """The stack after the change, or for one that goes before it."""
        found = self.head or self.base
        assert found is not None  # noqa: S101 - see the class's contract
        return found

    @property
    def id(self) -> StackId:
        return self.either.id

    @property
    def dropped(self) -> list[Place]:
        """What it publishes before the change and no longer after it."""
        return sorted(_published(self.base) - _published(self.head))

    @property
    def left(self) -> set[Place]:
        """What it reads before the change and no longer after it."""
        return read(self.base) - read(self.head)


@dataclass(frozen=True, kw_only=True)
class Order:
    """Who goes when, and what each waits for."""

    waves: tuple[tuple[StackId, ...], ...]
    """First to last; the stacks of one wave are sorted and independent of each other."""
    waits: Mapping[StackId, tuple[Wait, ...]]

    def wave(self, stack: StackId) -> int:
        """The number of a stack's wave, counted from 1."""
        return next(number for number, wave in enumerate(self.waves, start=1) if stack in wave)


def order(members: Iterable[Member]) -> Order:
    """The waves of a change. Stacks that wait for each other (see `problems`) share one wave."""
    by_id = {member.id: member for member in members}
    waits = _waits(by_id.values())
    standing = [identity for identity, member in by_id.items() if member.head is not None]
    going = [identity for identity, member in by_id.items() if member.head is None]
    return Order(waves=(*_levels(standing, waits), *_levels(going, waits)), waits=waits)


def with_more(found: Order, more: Mapping[StackId, Sequence[Wait]], going: Collection[StackId]) -> Order:
    """The order with more stacks and waits in it; `going` are all that are deleted, the new ones too."""
    stacks = {*found.waits, *more}
    waits = {stack: tuple(sorted({*found.waits.get(stack, ()), *more.get(stack, ())})) for stack in sorted(stacks)}
    standing = [stack for stack in waits if stack not in going]
    leaving = [stack for stack in waits if stack in going]
    return Order(waves=(*_levels(standing, waits), *_levels(leaving, waits)), waits=waits)


def problems(members: Iterable[Member], heads: Iterable[Stack]) -> tuple[Failure, ...]:
    """Why a change has no order, sorted; `heads` are all stacks of the repository after it.

    Two stacks that publish one path, a path that passes from one stack to another, a parameter that goes while
    somebody still reads it, stacks that wait for each other. What the change does not touch is no problem of its.
    """
    change, after = sorted(members, key=lambda member: member.id), sorted(heads, key=lambda stack: stack.id)
    found = [*_doubles(change, after), *_handovers(change), *_orphans(change, after), *_late(change)]
    found += _circles(change, after)
    return tuple(sorted(found, key=lambda failure: (failure.where, failure.message)))


def because(wait: Wait) -> str:
    """Why one waits, as the end of a sentence that begins with its name."""
    if wait.because is Because.GRANTS:
        return f"waits for {wait.stack.name}, which holds its role"
    if wait.because is Because.USES:
        return f"waits for {wait.stack.name}, which is deleted with the role"
    if wait.because is Because.READS:
        return f"waits for {wait.stack.name}, which publishes {wait.path}"
    return f"waits for {wait.stack.name}, which has to stop reading {wait.path} first"


def line(stack: Stack, path: str) -> Location:
    """The line of a config that names a path; that of its product's section where the path is computed."""
    named = next((stack.config.at(*at) for at, value in _leaves(stack.config.data) if value == path), None)
    return named or stack.config.at(stack.product.section)


def readers(stacks: Iterable[Stack]) -> dict[Place, list[Stack]]:
    """Who reads each parameter."""
    return _by_place((place, stack) for stack in stacks for place in read(stack))


def _waits(members: Iterable[Member]) -> dict[StackId, tuple[Wait, ...]]:
    """What each stack waits for: whose parameters it reads, and who must stop reading what it drops."""
    everyone = list(members)
    publishers = _publishers(member.head for member in everyone if member.head)
    leavers = _by_place((place, member.either) for member in everyone for place in member.left)
    found: dict[StackId, tuple[Wait, ...]] = {}
    for member in everyone:
        reads = [(place, one, Because.READS) for place in read(member.head) for one in publishers.get(place, [])]
        drops = [(place, one, Because.RELEASES) for place in member.dropped for one in leavers.get(place, [])]
        mine = {
            Wait(stack=one.id, path=place.path, because=because)
            for place, one, because in (*reads, *drops)
            if one.id != member.id
        }
        found[member.id] = tuple(sorted(mine))
    return found


def _levels(stacks: Iterable[StackId], waits: Mapping[StackId, Iterable[Wait]]) -> list[tuple[StackId, ...]]:
    """Each stack one level after the last of these that it waits for."""
    left = set(stacks)
    levels = []
    while left:
        free = {one for one in left if not any(wait.stack in left for wait in waits[one])} or set(left)
        levels.append(tuple(sorted(free)))
        left -= free
    return levels


def _doubles(members: Sequence[Member], heads: Sequence[Stack]) -> Iterator[Failure]:
    touched = {member.id for member in members}
    for place, stacks in _publishers(heads).items():
        if len(stacks) > 1 and touched & {stack.id for stack in stacks}:
            names = ", ".join(f"{stack.id.name} ({line(stack, place.path)})" for stack in stacks)
            yield Failure(
                message=f"{len(stacks)} stacks publish {place.path}: {names}",
                remedy="give each a path of its own, because AWS keeps one parameter of a name",
                where=line(stacks[-1], place.path),
            )


def _handovers(members: Sequence[Member]) -> Iterator[Failure]:
    dropped = {place: member.either for member in members for place in member.dropped}
    for member in members:
        for place in sorted(_published(member.head) - _published(member.base)):
            if (old := dropped.get(place)) is not None:
                yield Failure(
                    message=f"{place.path} passes from the stack {old.id.name} to {member.id.name}: AWS keeps one "
                    "parameter of a name, and the new one cannot be made while the old one is there",
                    remedy="publish it under another path, or remove the old one in a pull request of its own first",
                    where=line(member.either, place.path),
                )


def _orphans(members: Sequence[Member], heads: Sequence[Stack]) -> Iterator[Failure]:
    """A parameter goes and somebody still reads it."""
    reading, published = readers(heads), _publishers(heads)
    for member in members:
        for place in member.dropped:
            for reader in reading.get(place, []) if place not in published else ():
                at = line(reader, place.path)
                yield Failure(
                    message=f"The stack {member.id.name} stops publishing {place.path}, and {reader.id.name} still "
                    f"reads it ({at})",
                    remedy=f"change it in this order: first {reader.config.path}, so that it no longer reads it, then "
                    f"{member.either.config.path}",
                    where=at,
                )


def _late(members: Sequence[Member]) -> Iterator[Failure]:
    """A standing stack drops what one that is deleted reads: deletions come last, so it would still be read."""
    going = _by_place((place, member.either) for member in members if member.head is None for place in member.left)
    for member in members:
        for place in member.dropped if member.head is not None else ():
            for reader in going.get(place, []):
                yield Failure(
                    message=f"The stack {member.id.name} stops publishing {place.path} before {reader.id.name}, which "
                    "reads it, is deleted, because deletions come last",
                    remedy=f"change it in this order: first a pull request that removes {reader.config.path}, then one "
                    f"that changes {member.either.config.path}",
                    where=line(member.either, place.path),
                )


def _circles(members: Sequence[Member], heads: Sequence[Stack]) -> Iterator[Failure]:
    """The shortest circle through each stack of the change, every circle once."""
    standing = {stack.id: Member(base=stack, head=stack) for stack in heads}
    standing |= {member.id: member for member in members if member.head is not None}
    waits = _waits(standing.values())
    seen: set[frozenset[StackId]] = set()
    for member in members:
        if own := sorted(_published(member.head) & read(member.head)):
            yield Failure(
                message=f"The stack {member.id.name} reads {own[0].path}, which it publishes itself",
                remedy="give it the path of another stack's parameter",
                where=line(member.either, own[0].path),
            )
        circle = _circle(member.id, waits)
        stacks = frozenset(one for one, _ in circle)
        if circle and stacks not in seen:
            seen.add(stacks)
            yield _circular(circle, standing)


def _circle(start: StackId, waits: Mapping[StackId, Iterable[Wait]]) -> list[tuple[StackId, Wait]]:
    """The shortest way from a stack over what it waits for back to itself; empty where there is none."""
    ways: deque[list[tuple[StackId, Wait]]] = deque([(start, wait)] for wait in waits.get(start, ()))
    seen = {start}
    while ways:
        way = ways.popleft()
        here = way[-1][1].stack
        if here == start:
            return way
        if here not in seen:
            seen.add(here)
            ways.extend([*way, (here, wait)] for wait in waits.get(here, ()))
    return []


def _circular(circle: Sequence[tuple[StackId, Wait]], standing: Mapping[StackId, Member]) -> Failure:
    steps = []
    for identity, wait in circle:
        mine, other = standing[identity].either, standing[wait.stack].either
        verb = "reads" if wait.because is Because.READS else "drops"
        known = "published by" if wait.because is Because.READS else "left by"
        steps.append(f"{line(mine, wait.path)} {verb} {wait.path}, {known} {other.id.name}")
    first, wait = circle[0]
    return Failure(
        message=f"{len(circle)} stacks wait for each other: {'; '.join(steps)}",
        remedy="take one of these references out, because none of the stacks can be the first",
        where=line(standing[first].either, wait.path),
    )


def _publishers(stacks: Iterable[Stack]) -> dict[Place, list[Stack]]:
    return _by_place((place, stack) for stack in stacks for place in _published(stack))


def _published(stack: Stack | None) -> set[Place]:
    """What other stacks of the account can read; a stack set publishes in the accounts of its stacks."""
    return {_place(stack, path) for path in stack.publishes} if stack and stack.stack_set is None else set()


def read(stack: Stack | None) -> set[Place]:
    """The parameters that a stack reads."""
    return {_place(stack, path) for path in stack.consumes} if stack else set()


def _place(stack: Stack, path: str) -> Place:
    return Place(stack.id.account, stack.id.region, path)


def _by_place(pairs: Iterable[tuple[Place, Stack]]) -> dict[Place, list[Stack]]:
    """The stacks of each parameter, sorted by identity; sorted by path."""
    found: dict[Place, dict[StackId, Stack]] = {}
    for place, stack in pairs:
        found.setdefault(place, {})[stack.id] = stack
    return {place: [found[place][one] for one in sorted(found[place])] for place in sorted(found)}


def _leaves(node: Json, at: JsonPath = ()) -> Iterator[tuple[JsonPath, Json]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _leaves(value, (*at, key))
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for index, value in enumerate(node):
            yield from _leaves(value, (*at, index))
    else:
        yield at, node
