"""Several writers, one request at a time, in an order that a seed chooses.

Each writer is a thread that runs only while it holds the baton. Before each request, and when it sleeps, it gives the
baton to the one that the seed names. The same seed gives the same order.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from stackseal.hosts.github_http import Reply, Transport
from unit.hosts.github.hub import Time

LATENCY = 0.2


class Race:
    """Who runs, and who comes next; every second race lets a writer go on for several requests."""

    def __init__(self, seed: int, time: Time) -> None:
        self.time = time
        self.alive: list[Writer] = []
        self.over = threading.Semaphore(0)
        self._chance = random.Random(seed)  # noqa: S311 - an order, not a secret
        self._bursts = (1,) if seed % 2 else (1, 1, 2, 8)
        self._left = 0

    def next(self, now: Writer | None) -> Writer:
        """The writer that goes on; when all sleep, time passes."""
        if self._left and now is not None and now.wake <= self.time.seconds:
            self._left -= 1
            return now
        self._left = self._chance.choice(self._bursts) - 1
        while not (awake := [writer for writer in self.alive if writer.wake <= self.time.seconds]):
            self.time.seconds = min(writer.wake for writer in self.alive)
        return self._chance.choice(awake)


class Writer:
    """A transport and a clock for one of the writers."""

    def __init__(self, inner: Transport, race: Race) -> None:
        self._inner, self._race, self._go = inner, race, threading.Semaphore(0)
        self.wake = 0.0

    def send(self, method: str, path: str, query: Mapping[str, str | int], body: Any) -> Reply:
        self._pause()
        self._race.time.seconds += LATENCY
        return self._inner.send(method, path, query, body)

    def sleep(self, seconds: float) -> None:
        self.wake = self._race.time.seconds + seconds
        self._pause()

    def close(self) -> None:
        self._inner.close()

    def begin(self) -> None:
        self._go.release()

    def run(self, work: Callable[[Writer], object]) -> object:
        """The whole life of the thread."""
        self._go.acquire()
        try:
            return work(self)
        finally:
            self._race.alive.remove(self)
            if self._race.alive:
                self._race.next(None).begin()
            else:
                self._race.over.release()

    def _pause(self) -> None:
        chosen = self._race.next(self)
        if chosen is not self:
            chosen.begin()
            self._go.acquire()


def run(
    seed: int, pool: ThreadPoolExecutor, time: Time, inner: Transport, works: Sequence[Callable[[Writer], object]]
) -> list[Any]:
    """The results of all works; they begin at moments that the seed chooses as well."""
    race = Race(seed, time)
    race.alive = [Writer(inner, race) for _ in works]
    ends = [pool.submit(writer.run, work) for writer, work in zip(list(race.alive), works, strict=True)]
    race.next(None).begin()
    race.over.acquire()
    return [end.result() for end in ends]
