"""What a person sees: stdout is data, stderr is talk, and neither can command the runner that records them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
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

    def redraw(self, text: str, lines: int) -> None:
        """Replace the last `lines` lines of talk on a terminal by this text."""
        self.stderr.write((f"\x1b[{lines}F\x1b[J" if lines else "") + inert(self.hidden.text(text)) + "\n")
        self.stderr.flush()
