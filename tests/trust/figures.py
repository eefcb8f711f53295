"""What a trust test counts, and the one seed of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

SEED: Final = 20261120
"""Every random choice below this folder starts here, so that two runs try the same inputs."""
KEY: Final = "figure"
"""Under this name pytest carries a figure from a worker to the table."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table."""

    what: str
    inputs: int
    """How many inputs were tried."""
    breaks: int
    """How many of them did what must not happen."""
    detail: str = ""


class Count(Protocol):
    """Hands one line over; the test asserts on its own afterwards."""

    def __call__(self, what: str, *, inputs: int, breaks: int, detail: str = "") -> None: ...
