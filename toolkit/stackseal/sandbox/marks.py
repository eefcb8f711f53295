"""The marks that a template's text carries while it is rendered, and what they say when they are taken out again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

# Private-use characters cannot come from a config (yamltext refuses them) nor from `tojson` (it escapes them).
LINE, ORIGIN, BLOCK, END, HINT, VALUE = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004", "\ue005"
MARKER: Final = re.compile(f"([{LINE}{ORIGIN}{BLOCK}{HINT}{VALUE}])([^{END}]*){END}|(\n)")
_SHARED: Final = frozenset({"client", "environment", "tags"})
"""Sections of every config; a product's own section says more about what is printed."""


def decisive(chains: list[str], context: Mapping[str, Any], known: Mapping[str, list[Any]]) -> list[Any]:
    """The config node that an expression depends on most: the product's own before shared ones, then the deepest."""
    found = [path for chain in chains if (path := _resolve(chain, context, known))]
    return max(found, key=lambda path: (path[0] not in _SHARED, len(path)), default=[])


def _resolve(chain: str, context: Mapping[str, Any], known: Mapping[str, list[Any]]) -> list[Any]:
    """The config node of a dotted name: a variable stands for the node that it came from; methods are no nodes."""
    first, *rest = chain.split(".")
    value = context.get(first)
    path = list(known.get(first, [first] if isinstance(value, dict) and rest and first != "names" else []))
    for step in rest if path else ():
        if not isinstance(value, dict) or step not in value:
            break
        value = value[step]
        path.append(step)
    return path


def unmark(text: str, context: Mapping[str, Any], known: Mapping[str, list[Any]]) -> dict[str, Any]:
    """The text without its markers, for every line [template, line, config path or null], and the printed values."""
    pieces: list[str] = []
    values: list[list[int]] = []
    length = 0
    lines: list[list[Any]] = []
    blocks: list[list[Any]] = []
    place: list[Any] = ["", 1]
    origin: list[Any] | None = None
    fresh, position = True, 0

    def finish() -> None:
        enclosing = next((block for block in reversed(blocks) if block), None)
        lines.append([*place, origin if origin is not None else enclosing])

    for match in MARKER.finditer(text):
        piece = text[position : match.start()]
        pieces.append(piece)
        fresh = fresh and not piece.strip()
        length += len(piece)
        position = match.end()
        kind, content, newline = match.groups(default="")
        if newline:
            finish()
            pieces.append("\n")
            length += 1
            fresh, origin = True, None
        elif kind == LINE and fresh:
            name, _, number = content.rpartition(":")
            place = [name, int(number)]  # until the line has text: what it begins with may be a macro's
        elif kind == VALUE:
            values.append([length, length + int(content)])
        elif kind == ORIGIN and origin is None:
            origin = json.loads(content)
        elif kind == HINT and origin is None:
            origin = decisive(content.split(), context, known) or None
        elif kind == BLOCK and content.startswith("+"):
            blocks.append(decisive(content[1:].split(), context, known))
        elif kind == BLOCK:
            blocks.pop()
    pieces.append(text[position:])
    finish()
    return {"text": "".join(pieces), "lines": lines, "values": values}
