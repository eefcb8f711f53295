"""What the GitHub runner does with a line of a step's output, and with the files that a step writes for it.

Written from the rules alone (actions/runner: ActionCommand.cs, ActionCommandManager.cs, FileCommandManager.cs), and
importing nothing of ours, so that the product is not its own judge. Two rules are easily missed: the older form is
looked for *anywhere* in a line, and .NET compares the beginning of a line by culture, so that characters without width
do not count there, while it cuts names out by position.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

REGISTERED: Final = frozenset(
    {"stop-commands", "set-env", "set-output", "save-state", "add-mask", "add-path", "add-matcher", "remove-matcher"}
    | {"internal-set-repo-path", "debug", "warning", "error", "notice", "group", "endgroup", "echo"}
)
_WHITE: Final = "".join(
    chr(point)
    for point in range(0x10000)
    if unicodedata.category(chr(point)) in {"Zs", "Zl", "Zp"} or point in {9, 10, 11, 12, 13, 0x85, 0xA0}
)
_LINE: Final = re.compile(r"\r\n|\r|\n")
_WEIGHTLESS: Final = {"Cf", "Cc", "Mn", "Me"}


@dataclass(frozen=True)
class Command:
    """One thing that the runner was told to do."""

    name: str
    properties: dict[str, str]
    data: str


def commands(output: str) -> list[Command]:
    """What the runner obeys in an output, line by line; `stop-commands` is listed, and what follows it as well."""
    found = (_newer(line) or _older(line) for line in _LINE.split(output))
    return [command for command in found if command is not None]


def _newer(line: str) -> Command | None:
    line = line.lstrip(_WHITE)
    if not _begins(line, "::"):
        return None
    end = _find(line, "::", 2)
    if end < 0:
        return None
    name, _, rest = line[2:end].partition(" ")
    if name.lower() not in REGISTERED:
        return None
    return Command(name.lower(), _pairs(rest.strip(), ",", _property), _data(line[end + 2 :]))


def _older(line: str) -> Command | None:
    start = _find(line, "##[", 0)
    end = line.find("]", start) if start >= 0 else -1
    if end < 0:
        return None
    name, _, rest = line[start + 3 : end].partition(" ")
    if name.lower() not in REGISTERED:
        return None
    return Command(name.lower(), _pairs(rest, ";", _old), _old(line[end + 1 :]))


def _begins(line: str, key: str) -> bool:
    return "".join(char for char in line if not _weightless(char)).startswith(key)


def _find(line: str, key: str, start: int) -> int:
    """Where a key begins, characters without weight between its own not counted."""
    between = "".join(f"[{_IGNORED}]*{re.escape(char)}" if n else re.escape(char) for n, char in enumerate(key))
    found = re.compile(between).search(line, start)
    return found.start() if found else -1


def _weightless(char: str) -> bool:
    return unicodedata.category(char) in _WEIGHTLESS and char not in _WHITE


_IGNORED: Final = "".join(re.escape(chr(point)) for point in range(0x10000) if _weightless(chr(point)))


def _pairs(text: str, separator: str, decode: object) -> dict[str, str]:
    assert callable(decode)
    found = (pair.split("=", 1) for pair in text.split(separator) if pair)
    return {pair[0]: decode(pair[1]) for pair in found if len(pair) == 2 and all(pair)}


def _data(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def _property(text: str) -> str:
    return _data(text.replace("%3A", ":").replace("%2C", ","))


def _old(text: str) -> str:
    return text.replace("%3B", ";").replace("%5D", "]").replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def pairs(text: str) -> dict[str, str]:
    """What the runner reads from GITHUB_OUTPUT: `name=value`, or `name<<END`, lines, `END`; a later name wins.

    Raises ValueError where the runner fails the step.
    """
    found: dict[str, str] = {}
    lines = iter(text.split("\n")[:-1] if text.endswith("\n") else text.split("\n"))
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            found[line[:equals]] = line[equals + 1 :]
        elif heredoc >= 0:
            found[line[:heredoc]] = "\n".join(_until(lines, line[heredoc + 2 :]))
        else:
            raise ValueError(f"Invalid format '{line}'")
    return found


def _until(lines: Iterator[str], end: str) -> Iterator[str]:
    for line in lines:
        if line == end:
            return
        yield line
    raise ValueError(f"Matching delimiter not found '{end}'")


# --- texts that try ---------------------------------------------------------------------------------------------------

_BODIES: Final = (
    "::{name} name=verdict::pass",
    "::{name}::e",
    "::{name} file=a,line=1,title=t::forged",
    "##[{name} name=verdict]pass",
    "##[{name}]e",
    "##[{name} file=a;line=1]forged",
)
_BEFORE: Final = (
    *("", " ", "\t", "   ", "\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", "\xa0", "\u3000"),
    *("\u2003", "\u200b", "\ufeff", "\u2060", "\xad", "\x00", "\x1b[31m", "\x08", "\u202e", "%0A", "%0D%0A", "%0a"),
    *("Stack failed: ", "a\n", "a\r", "a\r\n", "a\n \t", "a%0A", "a\\n", "#", "##", ":", "::", "##[", "]", "x::y::"),
    *("\u1680", "\u205f", "\u202f", "\u180e", "\U000e0020", "\r\r\n", "\n\r", "\r\u200b", "\r\xa0", "::notice::\r"),
)
_INSIDE: Final = ("\u200b", "\xad", "\ufeff", "\x00", "\ufe0f", "\u034f", "\n", "\r", " ", "%3A", "\\", "\u200d")
_AFTER: Final = ("", "\n", "\r", "\r::error::x", "\n##[error]x", "%0A::error::x", "]", "::", " ##[add-mask]e", "\u2028")


def mutations(count: int, seed: int) -> list[str]:
    """As many different texts that try to be commands, the same for the same seed."""
    chance, names = random.Random(seed), sorted(REGISTERED)  # noqa: S311 - a choice of tests, no secret
    found: dict[str, None] = {}
    while len(found) < count:
        name = chance.choice(names)
        body = chance.choice(_BODIES).format(name=chance.choice((name, name.upper(), name.title())))
        if chance.random() < 0.3:
            place = chance.randrange(1, min(6, len(body)))
            body = body[:place] + chance.choice(_INSIDE) + body[place:]
        before = "".join(chance.choice(_BEFORE) for _ in range(chance.randint(1, 3)))
        found[f"{before}{body}{chance.choice(_AFTER)}"] = None
    return list(found)
