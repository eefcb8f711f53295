"""How far the engines are: a table that redraws itself on a terminal, a group of plain lines in CI."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from stackseal.output import Output

_STEPS: Final = 10
"""How many lines an engine gets in CI at most, besides its first and its last."""


@dataclass(kw_only=True)
class Row:
    """One engine: of `total` texts some are known from earlier runs, some are being read, some are read."""

    total: int
    cached: int
    running: int = 0
    read: int = 0
    over: bool = False

    @property
    def left(self) -> int:
        """What nobody reads yet. A text that speaks for others may have answered for some of them."""
        return 0 if self.over else max(0, self.total - self.cached - self.read - self.running)

    @property
    def words(self) -> str:
        return f"{self.running} running, {self.cached} cached, {self.read} read, {self.left} left"


@dataclass(kw_only=True)
class Progress:
    """What the engines tell while they work, in several threads."""

    out: Output
    rows: dict[str, Row] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _drawn: int = 0
    _said: int = 0
    """What had been said when the table was drawn: a word after it stays, and the next table stands below."""

    def begin(self, engine: str, total: int, cached: int) -> None:
        """An engine knows what there is to do."""
        with self._lock:
            self.rows[engine] = Row(total=total, cached=cached)
            self._show(engine, worth=total > 0)

    def asked(self, engine: str) -> None:
        """A worker reads a text."""
        with self._lock:
            if row := self.rows.get(engine):
                row.running += 1
                self._show(engine, worth=False)

    def answered(self, engine: str) -> None:
        """A worker has read a text, or was lost over it."""
        with self._lock:
            if row := self.rows.get(engine):
                row.running, row.read = max(0, row.running - 1), row.read + 1
                todo = max(1, row.total - row.cached)
                before, now = ((count * _STEPS) // todo for count in (row.read - 1, row.read))
                self._show(engine, worth=now > before)

    def end(self, engine: str) -> None:
        """An engine has said everything."""
        with self._lock:
            if row := self.rows.get(engine):
                row.running, row.over = 0, True
                self._show(engine, worth=row.total > 0)

    def _show(self, engine: str, *, worth: bool) -> None:
        """The whole table on a terminal; else the engine's line, where it is worth one."""
        if self.out.live:
            width = max(len(name) for name in self.rows)
            lines = [f"  {name.ljust(width)}  {row.words}" for name, row in self.rows.items()]
            self.out.redraw("\n".join(lines), self._drawn if self.out.said == self._said else 0)
            self._drawn, self._said = len(lines), self.out.said
        elif worth:
            self.out.say(f"{engine}: {self.rows[engine].words}")


@contextmanager
def shown(out: Output, texts: int) -> Iterator[Progress]:
    """The progress of what happens inside, under a title; of a single text there is none."""
    if texts < 2:
        yield Progress(out=Output(stdout=io.StringIO(), stderr=io.StringIO()))
        return
    with out.group(f"Checking {texts} templates"):
        yield Progress(out=out)
