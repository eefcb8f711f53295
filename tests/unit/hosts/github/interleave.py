"""Several writers, one request at a time, in an order that a seed chooses.

Each writer is a thread that runs only while it holds the baton; it hands the baton back before each request and when
it sleeps, and the seed says who goes on. The same seed gives the same order.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from stackseal.hosts.github_http import Reply, Transport
from unit.hosts.github.hub import Time

LATENCY = 0.2


class Writer:
    """A transport and a clock for one of the writers."""

    def __init__(self, inner: Transport, time: Time) -> None:
        self._inner, self._time = inner, time
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self.wake = 0.0
        self.done: Future[Any] | None = None

    def send(self, method: str, path: str, query: Mapping[str, str | int], body: Any) -> Reply:
        self._pause()
        self._time.seconds += LATENCY
        return self._inner.send(method, path, query, body)

    def close(self) -> None:
        self._inner.close()

    def sleep(self, seconds: float) -> None:
        self.wake = self._time.seconds + seconds
        self._pause()

    def start(self, pool: ThreadPoolExecutor, work: Callable[[Writer], object]) -> None:
        self.done = pool.submit(self._run, work)

    def step(self) -> None:
        """Let it go on until its next request, its next sleep or its end."""
        self._go.release()
        self._stopped.acquire()

    def _run(self, work: Callable[[Writer], object]) -> object:
        self._go.acquire()
        try:
            return work(self)
        finally:
            self.finished = True
            self._stopped.release()

    finished = False

    def _pause(self) -> None:
        self._stopped.release()
        self._go.acquire()


def run(
    seed: int, pool: ThreadPoolExecutor, time: Time, inner: Transport, works: Sequence[Callable[[Writer], object]]
) -> list[Any]:
    """The results of all works; they began at moments that the seed chose as well."""
    chance = random.Random(seed)  # noqa: S311 - an order, not a secret
    bursts = (1,) if seed % 2 else (1, 1, 2, 8)
    writers = [Writer(inner, time) for _ in works]
    for writer, work in zip(writers, works, strict=True):
        writer.start(pool, work)
    alive = list(writers)
    while alive:
        awake = [writer for writer in alive if writer.wake <= time.seconds]
        if not awake:
            time.seconds = min(writer.wake for writer in alive)
            continue
        writer = chance.choice(awake)
        for _ in range(chance.choice(bursts)):
            writer.step()
            if writer.finished:
                alive.remove(writer)
                break
    return [writer.done.result() for writer in writers if writer.done is not None]
