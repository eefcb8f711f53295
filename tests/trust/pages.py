"""What a reader sees of a rendered page, compared with the same page about harmless texts.

A page is rendered twice: once with `NEUTRAL` words and once with somebody's text in their place. Its structure has to
be the same, and its words, too, but for the places of the neutral words, where the text has to stand whole in one of
the forms that `stackseal.report.encode` documents.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import Final
from urllib.parse import unquote

from stackseal.hiding import is_secret_key
from stackseal.report import encode, sarif
from trust.slots import Fill

NEUTRAL: Final = "qxyq"
COMMIT: Final = "4f2a9c1d7be03586aa17c4e9d20b6f8853914c7e"
_NUMBER: Final = re.compile(NEUTRAL + r"(\.\d{4})")
_IN_BACKTICKS: Final = re.compile(r"(?:^|(?<= ))`([^`]+)`(?=[.,;:!?)]*(?: |$))")
"""A remedy names commands in backticks; they become the frame of a code span."""
DIGESTS: Final = frozenset(
    {"Run.commit", "Run.base", "StackReport.template_sha256", "Plan.template_sha256", "Plan.seal"}
)
"""Shown as their first hexadecimal digits, so no text can be told from them."""
JSON_TEXTS: Final = frozenset(
    {
        "PropertyChange.before",
        "PropertyChange.after",
        "StackReport.config_values",
        "Difference.expected",
        "Difference.actual",
    }
)
"""Hold JSON by their contract; as anything else they are tried by `everywhere`."""


def everywhere(text: str) -> Fill:
    """The same text in every slot: nothing stands before it and nothing behind it."""
    return lambda _: text


def numbered(text: str) -> Fill:
    """The text with a number of its own in every slot, so that each can be found again and their order is the same."""
    numbers = itertools.count()

    def fill(slot: str) -> str:
        if slot in DIGESTS:
            return COMMIT
        found = f"{text}.{next(numbers):04}"
        if slot == "Run.repository":
            return f"o/{found}"
        return json.dumps(found) if slot in JSON_TEXTS else found

    return fill


def altered(neutral: str, words: str, text: str) -> str:
    """Where a page's words are not those of the neutral page with the text in place; empty where they are."""
    pieces = _NUMBER.split(neutral)
    if not words.startswith(pieces[0]):
        return f"begins with {words[:60]!r}"
    place = len(pieces[0])
    for number, after in zip(pieces[1::2], pieces[2::2], strict=True):
        form = next((one for one in _forms(text + number) if words.startswith(one + after, place)), None)
        if form is None:
            form = _hidden(words[place:]) if _secret(text) else None
        if form is None and words.endswith("…"):
            form = next((one for one in _forms(text + number) if (one + after).startswith(words[place:-1])), None)
            return "" if form else f"number {number}: cut, and not what it was"
        if form is None:
            return f"number {number}: {words[place : place + 60]!r} before {after[:20]!r}"
        place += len(form + after)
    return "" if place == len(words) else f"ends with {words[place : place + 60]!r}"


def _forms(text: str) -> list[str]:
    """The text as readers see it, longest first."""
    kind = text.removeprefix("AWS::").replace("::", " ")
    found = {
        text,
        encode.one_line(text),
        encode.one_line(text).strip(" "),
        encode.block(text),
        encode.word(text),
        encode.one_line(text).strip(),
        _IN_BACKTICKS.sub(r"\1", encode.one_line(text).strip(" ")),
        encode.block(text).replace("##[", "## ["),
        encode.one_line(text).replace("##[", "## ["),
        encode.label(text),
        encode.label(kind).replace("_", " "),
        json.dumps(text)[1:-1],
        unquote(sarif.uri(text)),
    }
    return sorted(found, key=len, reverse=True)


def _secret(text: str) -> bool:
    return is_secret_key(text)


def _hidden(words: str) -> str | None:
    found = re.match(r"\(hidden [0-9a-f]{4}\)", words)
    return found[0] if found else None
