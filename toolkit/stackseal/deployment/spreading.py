"""A role that this run has just made or changed: CloudFormation may not be able to take it yet, so it is asked again.

IAM is eventually consistent: a change is done before every service has heard of it, mostly seconds, rarely a minute.
The call is refused with `ValidationError`, "Role … is invalid or cannot be assumed", and nothing has begun. A role that
this run has not touched is refused for another reason, which waiting does not mend.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from stackseal.aws.errors import AwsFailed
from stackseal.model import Deployment, Outcome, StackId

PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Seconds between two attempts: two minutes in all."""
_REFUSED: Final = "is invalid or cannot be assumed"
T = TypeVar("T")


class Fresh:
    """The stacks of roles that this run has changed; its turns share one, and go at the same time."""

    def __init__(self) -> None:
        self._stacks: set[StackId] = set()
        self._guard = threading.Lock()

    def note(self, done: Deployment) -> Deployment:
        """The same deployment, remembered if it changed something."""
        if done.outcome in {Outcome.CREATED, Outcome.UPDATED}:
            with self._guard:
                self._stacks.add(done.stack)
        return done

    def __contains__(self, stack: StackId) -> bool:
        with self._guard:
            return stack in self._stacks


def patiently(
    work: Callable[[], T],
    stack: StackId,
    *,
    say: Callable[[str], None],
    sleep: Callable[[float], None],
    pauses: Sequence[float] = PAUSES,
) -> T:
    """The work on a stack whose role is new, done again while CloudFormation cannot take the role.

    It must be work that can be begun anew where the call was refused. Raises AwsFailed when the role is still refused
    after the last pause, with how long it was waited for.
    """
    for pause in pauses:
        try:
            return work()
        except AwsFailed as error:
            if not _too_early(error):
                raise
        say(
            f"{stack.name}: waiting {pause:g} s until CloudFormation can take the role that this deployment has just "
            "made or changed; IAM tells other services of it with a delay"
        )
        sleep(pause)
    try:
        return work()
    except AwsFailed as error:
        if not _too_early(error):
            raise
        raise AwsFailed(
            error.what,
            why=f"{error.why}, {sum(pauses):g} s after this deployment has made or changed it",
            remedy="run the deployment again in some minutes; if it stays so, look at the role's trust policy",
            code=error.code,
        ) from error


def _too_early(error: AwsFailed) -> bool:
    """Whether CloudFormation refused the call because of the role."""
    return error.code == "ValidationError" and _REFUSED in error.why
