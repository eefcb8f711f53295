"""What time it is for sessions: STS gives them an end, and whoever answers a request looks whether it is over.

By default it is the time of day. Whoever tries what hours do to a session tells another time instead of waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from stackseal.local.ministack.inside import module

_PLACES: Final = ("ministack.core.iam_evaluator", "ministack.services.iam", "ministack.services.sts")
"""Where ministack gives sessions their end, tells it, and judges it; each has imported the module `time`."""


class Clock:
    """Stands for the module `time`: `time()` is what was told, everything else is Python's."""

    def __init__(self) -> None:
        self.told: Callable[[], float] = time.time

    def time(self) -> float:
        """Seconds since 1970."""
        return self.told()

    def reset(self) -> None:
        """It is the time of day again."""
        self.told = time.time

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


CLOCK: Final = Clock()


def complete_clock() -> None:
    """Puts our clock in the place of Python's."""
    for place in _PLACES:
        module(place).time = CLOCK
