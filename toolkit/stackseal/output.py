"""What a person sees: stdout is data, stderr is talk, and neither can command the runner that records them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, TextIO

from stackseal.hiding import Hidden
from stackseal.inert import inert

_LEVELS: Final = ("debug", "info", "warning", "error")


@dataclass(kw_only=True)
class Output:
    """Where words go. `level` is the least that is said; `live` allows a table that redraws itself.

    What is `hidden`, and what is a secret by its form, is written nowhere.
    """

    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)
    level: str = "info"
    colour: bool = False
    live: bool = False
    folds: bool = False
    """Whether who records the words folds groups of them, as GitHub does."""
    said: int = 0
    """How many words and results there were."""
    hidden: Hidden = field(default_factory=Hidden)
    heard: Callable[[str], None] | None = None
    """Gets every result and every word besides, for the execution log."""

    def hide(self, patterns: Iterable[str]) -> None:
        """From now on also what these regular expressions match."""
        known = {pattern.pattern for pattern in self.hidden.patterns}
        more = tuple(re.compile(pattern) for pattern in patterns if pattern not in known)
        self.hidden = replace(self.hidden, patterns=(*self.hidden.patterns, *more))

    def data(self, text: str) -> None:
        """A result, on stdout."""
        self.said += 1
        if self.heard is not None:
            self.heard(text)
        self.stdout.write(inert(self.hidden.text(text)) + ("" if text.endswith("\n") else "\n"))
        self.stdout.flush()

    def json(self, value: Any, *, sort_keys: bool = False) -> None:
        """A result as JSON, on stdout: what could command a runner is escaped, so that the value stays the same."""
        text = json.dumps(self.hidden.data(value), indent=2, ensure_ascii=True, sort_keys=sort_keys)
        self.stdout.write(text.replace("##[", "#\\u0023[") + "\n")
        self.stdout.flush()

    def say(self, text: str, level: str = "info") -> None:
        """A word to the person, on stderr; written in one piece, so that words of several threads stay whole."""
        if self.heard is not None and level != "debug":
            self.heard(text)
        if _LEVELS.index(level) >= _LEVELS.index(self.level):
            self.said += 1
            self.stderr.write(inert(self.hidden.text(text)) + "\n")
            self.stderr.flush()

    def command(self, text: str) -> None:
        """Workflow commands of our own, made by the report's encoders: the only text that is not broken."""
        self.stdout.write(self.hidden.text(text) + "\n")
        self.stdout.flush()

    def mask(self, secret: str) -> None:
        """Have the runner hide a text from now on; on stderr, because stdout is data, and a runner reads both.

        Source: GitHub's "Workflow commands", `::add-mask::`. The text is one line.
        """
        self.stderr.write(f"::add-mask::{secret}\n")
        self.stderr.flush()

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Words that belong together, under a title; nothing where information is not said.

        Source: GitHub's "Workflow commands", `::group::`. The title is one line, and no command of anybody else's.
        """
        folds = self.folds and _LEVELS.index(self.level) <= _LEVELS.index("info")
        if not folds:
            self.say(title)
            yield
            return
        line = " ".join(inert(self.hidden.text(title)).split()).replace("%", "%25")
        self.stderr.write(f"::group::{line}\n")
        self.stderr.flush()
        try:
            yield
        finally:
            self.stderr.write("::endgroup::\n")
            self.stderr.flush()

    def redraw(self, text: str, lines: int) -> None:
        """Replace the last `lines` lines of talk on a terminal by this text."""
        self.stderr.write((f"\x1b[{lines}F\x1b[J" if lines else "") + inert(self.hidden.text(text)) + "\n")
        self.stderr.flush()
