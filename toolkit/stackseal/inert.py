"""Text in which a GitHub runner finds no workflow command; all that we write to its log goes through here."""

from __future__ import annotations

import re
from typing import Final

_COMMAND: Final = re.compile(r"^(\s*):(?=:)", re.MULTILINE)


def inert(text: str) -> str:
    """The text without workflow commands.

    A GitHub runner obeys `::command::` at the beginning of a line and, in the older form, `##[command]` anywhere
    (actions/runner, ActionCommand.cs); so both are broken, and a lone carriage return cannot begin a line.
    """
    text = text.replace("\r\n", "\n").replace("\r", "␍").replace("\v", " ").replace("\f", " ")
    return _COMMAND.sub(r"\1: ", bracketless(text))


def bracketless(text: str) -> str:
    """The text without commands of the older form, for what stands behind a command of our own."""
    return text.replace("##[", "## [")
