"""How much a file may hold, and which characters."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from stackseal.errors import ConfigError
from stackseal.model import Location

_UNUSUAL: Final = re.compile(r"[^\t\n\r\x20-\x7e]")
"""Everything but printable ASCII, tabs and line ends is looked at."""
_JOINERS: Final = frozenset("\u200c\u200d")
"""Some scripts cannot be written without them."""
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories that a reviewer cannot see: controls, formats (bidirectional, zero width), private use, breaks."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one document may hold; a config needs a hundredth of it."""

    size: int = 65_536
    depth: int = 32
    nodes: int = 10_000
    aliases: bool = False


CONFIG: Final = Limits()
TEMPLATE: Final = Limits(size=1_048_576, depth=64, nodes=200_000, aliases=True)


def decode(raw: bytes, path: str, limits: Limits = CONFIG) -> str:
    """The bytes of a file as text.

    Raises ConfigError for a file over the limit and for anything that is not UTF-8 without control characters.
    """
    where = Location(path=path)
    if len(raw) > limits.size:
        raise ConfigError(
            "The file is too large",
            why=f"it has more than {limits.size:,} bytes",
            remedy="split it, or remove what does not belong in it",
            where=where,
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            "The file cannot be read as text",
            why=f"byte {error.start + 1} is not UTF-8",
            remedy="save it as UTF-8",
            where=where,
        ) from error
    for match in _UNUSUAL.finditer(text):
        if _forbidden(match.group()):
            before = text[: match.start()]
            raise ConfigError(
                "The file holds an invisible character",
                why=f"U+{ord(match.group()):04X} hides what a reviewer would read",
                remedy="delete it",
                where=Location(path=path, line=before.count("\n") + 1, column=len(before) - before.rfind("\n")),
            )
    return text


def _forbidden(character: str) -> bool:
    return character not in _JOINERS and unicodedata.category(character) in _HIDDEN
