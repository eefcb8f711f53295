"""A review in parts: which stacks belong to a part, and the parts put together to the bundle that one job would make.

A part is drawn by a job that nobody trusts. So what is put together has to add up: every part of one review there once,
each with exactly its own stacks. Anything else is refused, because a part that is missing would look like no change.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from stackseal.errors import Refused, UsageError
from stackseal.model import Report
from stackseal.review.bundle import Bundle, Shard

LIMIT: Final = 256
"""The most parts: GitHub starts no more jobs of a matrix."""
_CUT: Final = re.compile(r"([1-9][0-9]{0,2})/([1-9][0-9]{0,2})")
_SHOWN: Final = 5
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Cut:
    """One part of a review, counted from 1, and how many there are."""

    part: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Cut:
        """The part of `I/N`. Raises UsageError for what is none."""
        found = _CUT.fullmatch(text)
        if found is None or not int(found[1]) <= int(found[2]) <= LIMIT:
            raise UsageError(
                f"There is no part {text!r} of a review",
                why=f"a part is I/N, with I from 1 to N and N of at most {LIMIT}",
                remedy="write --shard 1/4 for the first of four",
            )
        return cls(part=int(found[1]), of=int(found[2]))

    def own(self, everything: Sequence[_T]) -> tuple[_T, ...]:
        """What belongs to this part: of what is sorted every one falls to the next part, so that parts are alike."""
        return tuple(everything[self.part - 1 :: self.of])


def cuts(stacks: int, each: int) -> tuple[Cut, ...]:
    """As many parts as there have to be for at most `each` stacks in a part, but never more than `LIMIT`."""
    count = min(LIMIT, max(1, -(-stacks // each)))
    return tuple(Cut(part=part, of=count) for part in range(1, count + 1))


def merged(bundles: Sequence[Bundle]) -> Bundle:
    """The bundle of the whole review, as one job would have made it; a single bundle that is no part is the whole.

    Raises Refused where the parts do not add up.
    """
    if len(bundles) == 1 and bundles[0].shard is None:
        return bundles[0]
    parts = _complete(bundles)
    first, _ = parts[0]
    for bundle, shard in parts:
        _fits(bundle, shard, first)
    reports = {stack.id: stack for bundle in bundles for stack in bundle.report.stacks}
    pairs = {pair.id: pair for bundle in bundles for pair in bundle.pairs}
    report = replace(first.report, stacks=tuple(reports[stack] for stack in sorted(reports)))
    return replace(first, report=report, pairs=tuple(pairs[stack] for stack in sorted(pairs)), shard=None)


def whole(bundle: Bundle) -> Bundle:
    """The bundle, if it holds a whole review. Raises Refused for a part, which has no verdict."""
    if bundle.shard is None:
        return bundle
    raise Refused(
        "The bundle cannot be planned",
        why=f"it is part {bundle.shard.part} of {bundle.shard.of} of a review, and only the whole has a verdict",
        remedy="put the parts together first: `stackseal report --merge --to-bundle bundle.json PARTS`",
    )


def _complete(bundles: Sequence[Bundle]) -> list[tuple[Bundle, Shard]]:
    """The parts in order, if every one is there once."""
    parts = [(bundle, bundle.shard) for bundle in bundles if bundle.shard is not None]
    if not parts or len(parts) != len(bundles):
        raise _refused("a whole review is among them" if parts else "there is no part")
    parts.sort(key=lambda item: item[1].part)
    there, count = [shard.part for _, shard in parts], parts[0][1].of
    if twice := sorted({part for part in there if there.count(part) > 1}):
        raise _refused(f"part {twice[0]} is there twice")
    if missing := sorted({*range(1, count + 1)} - {*there}):
        raise _refused(f"part {', '.join(str(part) for part in missing[:_SHOWN])} of {count} is missing")
    if len(there) != count:
        raise _refused(f"part {there[-1]} is not one of {count}")
    return parts


def _fits(bundle: Bundle, shard: Shard, first: Bundle) -> None:
    """Nothing, if a part is of the same review as the first one and holds all of its own stacks and no other."""
    assert first.shard is not None  # noqa: S101 - it is a part, see `_complete`
    if (shard.of, shard.stacks) != (first.shard.of, first.shard.stacks) or _common(bundle) != _common(first):
        raise _refused(f"part {shard.part} is of another review: it has another commit, base or order of stacks")
    own = Cut(part=shard.part, of=shard.of).own(shard.stacks)
    reported, paired = (tuple(item.id for item in items) for items in (bundle.report.stacks, bundle.pairs))
    if shard.stacks != tuple(sorted({*shard.stacks})) or reported != own or paired != own:
        raise _refused(f"part {shard.part} of {shard.of} does not hold exactly its own stacks")


def _common(bundle: Bundle) -> Report:
    """What all parts of a review say alike; each job may have a page of its own."""
    return replace(bundle.report, stacks=(), run=replace(bundle.report.run, url=""))


def _refused(why: str) -> Refused:
    return Refused("The review cannot be put together", why=why, remedy="run the whole review again")
