"""The turns of a deployment in waves: what is independent goes at the same time, what follows waits.

A turn that does not end well stops every later wave and whoever of its own wave has not begun; who is under way ends,
and is told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeVar

from stackseal.errors import StacksealError
from stackseal.model import Deployment, StackId

AT_ONCE: Final = 8
"""Stacks that go at the same time: AWS throttles what asks more often, and repeats cost more than waiting."""
T = TypeVar("T")
R = TypeVar("R")


class Turn(Protocol):
    """One stack's part of a deployment."""

    def take(self) -> Deployment:
        """Do it; what goes wrong is the outcome."""
        ...


def run(
    waves: Sequence[Sequence[StackId]],
    turns: Mapping[StackId, Turn],
    say: Callable[[str], None],
    *,
    at_once: int = AT_ONCE,
) -> tuple[Deployment, ...]:
    """Every turn that was begun, wave by wave, in the order of the waves."""
    done: list[Deployment] = []
    for number, wave in enumerate(waves, start=1):
        if len(waves) > 1:
            say(f"Wave {number} of {len(waves)}: {', '.join(stack.name for stack in wave)}")
        done += _wave([turns[stack] for stack in wave], at_once)
        if not all(deployment.outcome.good for deployment in done):
            break
    return tuple(done)


def attempted(work: Callable[[T], R], items: Sequence[T], *, at_once: int = AT_ONCE) -> list[R | StacksealError]:
    """What became of each item, in their order: the result, or the error of ours that it ended with."""

    def attempt(item: T) -> R | StacksealError:
        try:
            return work(item)
        except StacksealError as error:
            return error

    with ThreadPoolExecutor(max_workers=at_once) as pool:
        return list(pool.map(attempt, items))


def _wave(turns: Sequence[Turn], at_once: int) -> list[Deployment]:
    """The turns of one wave; after the first that does not end well nobody begins."""
    stopped = threading.Event()

    def take(turn: Turn) -> Deployment | None:
        if stopped.is_set():
            return None
        done = turn.take()
        if not done.outcome.good:
            stopped.set()
        return done

    with ThreadPoolExecutor(max_workers=at_once) as pool:
        return [done for done in pool.map(take, turns) if done is not None]
