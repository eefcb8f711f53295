"""Nothing is planned, compared or done on a stack while an operation runs on it: wait until it rests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stackseal.aws import states
from stackseal.aws.shapes import StackState
from stackseal.errors import Failed, UsageError

if TYPE_CHECKING:
    from stackseal.aws.cloudformation import CloudFormation

POLL_SECONDS: Final = 2.0


class Absent(UsageError):  # noqa: N818 - reads as a sentence where it is raised
    """There is no stack, or only the shell that a change set waits in."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How to wait: both come from outside, so that tests do not."""

    sleep: Callable[[float], None]
    clock: Callable[[], float]
    """Counts seconds."""
    limit: float = 900.0


def at_rest(cfn: CloudFormation, name: str, patience: Patience) -> tuple[StackState | None, states.Row]:
    """The stack once no operation runs on it, and the actions for its state (docs/reference/states.md).

    Raises Failed for a stack that is still busy after `patience.limit` seconds.
    """
    end = patience.clock() + patience.limit
    while True:
        state = cfn.stack(name)
        row = states.row(state.status if state else None)
        if row.review is not states.Do.WAIT:
            return state, row
        if patience.clock() >= end:
            raise Failed(f"the stack {name} is busy", why=f"it is {state.status if state else ''}", remedy=row.remedy)
        patience.sleep(POLL_SECONDS)


def comparable(cfn: CloudFormation, name: str, patience: Patience) -> None:
    """Nothing, once the stack rests in a state in which its drift can be detected.

    Raises Absent where there is no stack, UsageError for one that was never whole; Failed where it stays busy.
    """
    state, row = at_rest(cfn, name, patience)
    if row.drift is states.Do.DETECT:
        return
    if state is None:
        raise Absent(f"There is no stack {name}", why="it is not deployed", remedy="deploy it, or remove its config")
    kind = Absent if state.status == "REVIEW_IN_PROGRESS" else UsageError
    remedy = row.remedy or "deploy it, or remove its config"
    raise kind(f"There is nothing to compare the stack {name} with", why=f"it is {state.status}", remedy=remedy)
