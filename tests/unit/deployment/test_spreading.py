"""What is waited for after a role has changed, how long, and what is never waited for."""

from __future__ import annotations

import pytest

from stackseal.aws.errors import AwsFailed
from stackseal.deployment.spreading import PAUSES, Fresh, patiently
from stackseal.errors import Refused, StacksealError
from stackseal.model import Deployment, Outcome, StackId

STACK = StackId(account="111122223333", region="us-west-2", name="churn-stack")
EARLY = AwsFailed("could not", why="Role arn:x is invalid or cannot be assumed", code="ValidationError")


def attempt(*errors: StacksealError, pauses: tuple[float, ...] = (1.0, 2.0)) -> tuple[int, list[float], list[str]]:
    """Attempts, waits and words of work that fails with these errors first."""
    left, tries, waits, said = list(errors), [0], list[float](), list[str]()

    def work() -> int:
        tries[0] += 1
        if left:
            raise left.pop(0)
        return tries[0]

    return patiently(work, STACK, say=said.append, sleep=waits.append, pauses=pauses), waits, said


def test_what_works_at_once_waits_for_nothing() -> None:
    assert attempt() == (1, [], [])


def test_the_pauses_grow_and_each_is_announced() -> None:
    found, waits, said = attempt(EARLY, EARLY)
    assert (found, waits) == (3, [1.0, 2.0])
    assert [line.split(" until ")[0] for line in said] == ["churn-stack: waiting 1 s", "churn-stack: waiting 2 s"]
    assert sum(PAUSES) == 120
    assert list(PAUSES) == sorted(PAUSES)


@pytest.mark.parametrize(
    "error",
    [
        AwsFailed("could not", why="No updates are to be performed", code="ValidationError"),
        AwsFailed("could not", why="Role arn:x is invalid or cannot be assumed", code="AccessDenied"),
        Refused("is not deployed", why="it is not what was reviewed"),
    ],
)
@pytest.mark.parametrize("before", [0, 1, 2])
def test_every_other_error_ends_it_whenever_it_comes(error: StacksealError, before: int) -> None:
    with pytest.raises(type(error), match=str(error)[:20]) as raised:
        attempt(*[EARLY] * before, error)
    assert raised.value is error


def test_a_role_that_stays_refused_is_told_with_the_time() -> None:
    with pytest.raises(AwsFailed, match=r"cannot be assumed, 3 s after this deployment .*; run the deployment again"):
        attempt(EARLY, EARLY, EARLY)


@pytest.mark.parametrize("outcome", Outcome)
def test_a_role_is_fresh_where_the_deployment_has_changed_it(outcome: Outcome) -> None:
    fresh = Fresh()
    done = Deployment(stack=STACK, outcome=outcome, status="")
    assert fresh.note(done) is done
    assert (STACK in fresh) is (outcome in {Outcome.CREATED, Outcome.UPDATED})
