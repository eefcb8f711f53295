"""The review for a terminal: the verdict, what goes away, a line per stack, what blocks."""

from __future__ import annotations

from typing import Final

from stackseal.model import Report, Verdict
from stackseal.report.encode import Safe
from stackseal.report.view import view
from stackseal.report.words import fill

_COLOURS: Final = {Verdict.BLOCKED: 31, Verdict.HUMAN: 33, Verdict.READY: 32}
"""ANSI foreground colours; the words say the same without them."""


def render(report: Report, *, colour: bool = False) -> str:
    """Plain text; the only control characters are those of the colours, and only when asked for."""

    def paint(verdict: Verdict, text: Safe) -> Safe:
        return Safe(f"\x1b[{_COLOURS[verdict]}m{text}\x1b[0m") if colour else text

    return fill("terminal.txt.j2", view=view(report), paint=paint)
