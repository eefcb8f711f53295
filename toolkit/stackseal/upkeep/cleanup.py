"""After pull requests: their change sets go, and stacks that never came to be. It joins AWS, the forge and the clock.

A review leaves a change set, and for a new stack an empty shell (REVIEW_IN_PROGRESS). The next review of the same pull
request removes the older ones; what the last one left is removed when the pull request was closed without a merge; a
deployment removes its own. Nothing is touched whose name and description a review did not write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from stackseal import naming
from stackseal.aws.errors import AwsFailed
from stackseal.hosts.base import KnowsPulls, Pull
from stackseal.model import StackId

if TYPE_CHECKING:
    from stackseal.aws.cloudformation import CloudFormation
    from stackseal.aws.shapes import ChangeSetRef, StackState

KEPT_DAYS: Final = 35
"""How long the sweep leaves what a closed pull request left; a reopened one finds its plan."""
_NAME: Final = re.compile(rf"{naming.SEALED}pr([1-9][0-9]*)-[0-9a-f]{{7}}-([0-9a-f]{{12}})")
_PUSHED: Final = re.compile(rf"{naming.REPLANNED}[0-9a-f]{{7}}-([0-9a-f]{{12}})")
_DESCRIPTION: Final = re.compile(r"stackseal ([0-9a-f]{64})")
_RUNNING: Final = frozenset({"CREATE_PENDING", "CREATE_IN_PROGRESS", "DELETE_PENDING", "DELETE_IN_PROGRESS"})


@dataclass(frozen=True, kw_only=True)
class Given:
    """Where the forge cannot be asked: a list of what is open. Of the others the day of the close is not known."""

    open: Collection[int]

    def pull(self, number: int) -> Pull | None:
        return Pull(number=number, open=number in self.open)


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What was removed of one stack, or with a dry run would be."""

    stack: StackId
    change_sets: tuple[str, ...] = ()
    whole: bool = False
    """The stack itself went: it was empty and had never been deployed."""
    note: str = ""
    """Why something stays that one might expect to go."""

    @property
    def nothing(self) -> bool:
        return not self.change_sets and not self.whole and not self.note


def number_of(ref: ChangeSetRef) -> int | None:
    """The pull request whose review made a change set; None for one that no review made."""
    name, description = _NAME.fullmatch(ref.name), _DESCRIPTION.fullmatch(ref.description)
    if name is None or description is None or not description[1].startswith(name[2]):
        return None
    return int(name[1])


def unsealed(ref: ChangeSetRef) -> bool:
    """Whether a change set plans what was pushed without a review, or what a deployment planned again."""
    name, description = _PUSHED.fullmatch(ref.name), _DESCRIPTION.fullmatch(ref.description)
    return name is not None and description is not None and description[1].startswith(name[1])


def others(refs: Iterable[ChangeSetRef], number: int | None) -> tuple[int, ...]:
    """The other pull requests that have change sets among these which could be executed."""
    found = {number_of(ref) for ref in refs if ref.execution_status == "AVAILABLE"}
    return tuple(sorted(each for each in found if each is not None and each != number))


def removable(ref: ChangeSetRef) -> bool:
    """Whether a change set is at rest and was never executed: what was executed is history, not rubbish."""
    return ref.status not in _RUNNING and not ref.execution_status.startswith("EXECUTE_")


def of_pull(number: int, *, superseded: bool = False) -> Callable[[Iterable[ChangeSetRef]], tuple[ChangeSetRef, ...]]:
    """Chooses a pull request's change sets of a stack: all, or with `superseded` all but the newest."""

    def choose(refs: Iterable[ChangeSetRef]) -> tuple[ChangeSetRef, ...]:
        mine = sorted((ref for ref in refs if number_of(ref) == number), key=lambda ref: (ref.created, ref.name))
        return tuple(ref for ref in (mine[:-1] if superseded else mine) if removable(ref))

    return choose


def before(number: int, change_set: str | None) -> Callable[[Iterable[ChangeSetRef]], tuple[ChangeSetRef, ...]]:
    """Chooses what a review of a pull request supersedes: its change sets that are older than the one just made.

    All of them where the review made none, because nothing is left to change.
    """

    def choose(refs: Iterable[ChangeSetRef]) -> tuple[ChangeSetRef, ...]:
        mine = sorted((ref for ref in refs if number_of(ref) == number), key=lambda ref: (ref.created, ref.name))
        place = next((index for index, ref in enumerate(mine) if ref.arn == change_set), 0 if change_set else len(mine))
        return tuple(ref for ref in mine[:place] if removable(ref))

    return choose


def drop(
    cfn: CloudFormation, stack: str, choose: Callable[[Iterable[ChangeSetRef]], tuple[ChangeSetRef, ...]]
) -> tuple[str, ...]:
    """Remove the chosen change sets of a stack and return their names; the stack itself is never touched."""
    chosen = choose(cfn.list_change_sets(stack))
    for ref in chosen:
        cfn.delete_change_set(ref.arn)
    return tuple(ref.name for ref in chosen)


def long_closed(pulls: KnowsPulls, today: date) -> Callable[[Iterable[ChangeSetRef]], tuple[ChangeSetRef, ...]]:
    """Chooses the change sets of pull requests that were closed over 35 days ago, and as old ones of pushes.

    Where the day of the close is not known, the change set's own age counts. One whose pull request the forge does not
    know stays: it may be another repository's.
    """
    known: dict[int, Pull | None] = {}

    def choose(refs: Iterable[ChangeSetRef]) -> tuple[ChangeSetRef, ...]:
        return tuple(ref for ref in refs if removable(ref) and gone(ref))

    def gone(ref: ChangeSetRef) -> bool:
        if unsealed(ref):  # an approval that nobody gave ends after 30 days
            return old(day(ref.created), today)
        if (number := number_of(ref)) is None:
            return False
        if number not in known:
            known[number] = pulls.pull(number)
        pull = known[number]
        if pull is None or pull.open:
            return False
        return old(pull.closed or day(ref.created), today)

    return choose


def old(day: date | None, today: date) -> bool:
    """Whether a day is over 35 days ago; an unknown one is not."""
    return day is not None and today - day > timedelta(days=KEPT_DAYS)


def tidy(
    cfn: CloudFormation,
    stack: StackId,
    choose: Callable[[Iterable[ChangeSetRef]], tuple[ChangeSetRef, ...]],
    *,
    dry_run: bool = False,
    shells: Callable[[StackState], bool] = lambda _: True,
) -> Removal:
    """Remove the chosen change sets of one stack, and then the stack if it is an empty shell that nobody plans on.

    `shells` may keep a shell that never had one of the chosen sets. An empty shell is read again, whole, right before
    it is deleted, and deleted by its ARN.
    """
    state = cfn.stack(stack.name)
    if state is None:
        return Removal(stack=stack)
    listed = cfn.list_change_sets(state.arn)
    chosen = choose(listed)
    names = tuple(ref.name for ref in chosen)
    idle = state.empty and len(chosen) == len(listed) and (bool(chosen) or shells(state))
    if dry_run:
        return Removal(stack=stack, change_sets=names, whole=idle and not cfn.resources(state.arn))
    for ref in chosen:
        cfn.delete_change_set(ref.arn)
    if not (idle and _empty(cfn, state)):
        return Removal(stack=stack, change_sets=names)
    return _removed(cfn, stack, state, names)


def _removed(cfn: CloudFormation, stack: StackId, state: StackState, names: tuple[str, ...]) -> Removal:
    try:
        cfn.delete_stack(state.arn)
    except AwsFailed as error:
        if not error.code.startswith("AccessDenied"):
            raise
        # The role of a closed pull request may remove change sets only; the scheduled one may remove stacks.
        return Removal(stack=stack, change_sets=names, note="the empty stack stays until the sweep: access denied")
    return Removal(stack=stack, change_sets=names, whole=True)


def _empty(cfn: CloudFormation, before: StackState) -> bool:
    """Whether the very same stack is still a shell, without resources and without change sets."""
    state = cfn.stack(before.arn)
    if state is None or state.arn != before.arn or not state.empty:
        return False
    return not cfn.resources(state.arn) and not cfn.list_change_sets(state.arn)


def day(moment: str) -> date | None:
    """The day of an ISO 8601 time; None for an empty one."""
    return datetime.fromisoformat(moment).date() if moment else None
