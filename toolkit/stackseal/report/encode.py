"""One encoder per place where foreign text can land; every one returns `Safe`, and reports print nothing else.

Foreign is what a config, a template, AWS, GitHub or an engine wrote: values, reasons, messages, names, paths. The
Markdown encoders keep the structure of a page and the text itself: measured over the GFM specification's examples and
the Big List of Naughty Strings, code spans and fences that are longer than any run of backticks inside are the two
forms that break nothing and alter nothing; escaping by backslash leaves mentions and bare links alive on GitHub.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from stackseal.inert import bracketless, inert
from stackseal.model import Json

TITLE_LIMIT: Final = 256
"""Characters of an issue's title on GitHub."""

HELP_HOSTS: Final = (
    "https://docs.aws.amazon.com/",
    "https://docs.prismacloud.io/",
    "https://github.com/aws-cloudformation/",
)
"""Where a check's help may lead: a report crosses a trust border and must not carry anybody's links."""

_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_BACKTICKS: Final = re.compile("`+")
_PLAIN: Final = re.compile(
    r"""["(]?[A-Za-z]+[0-9]{0,2}(?:['-][A-Za-z]+)*["')]?[.,;:!?]?|\(?[0-9]{1,6}[,;]?|[\u2013\u2014\u2192]"""
)
_COMMAND: Final = re.compile(r"(?:^|(?<= ))`([^`]+)`(?=[.,;:!?)]*(?: |$))")
_FRAME: Final = re.compile(r"(\(?)(.*?)([.,;:!?)]*)", re.DOTALL)
_COMMIT: Final = re.compile(r"[0-9a-f]{7,}", re.IGNORECASE)
_URL: Final = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/?#=&%+:-]*)?")


class Safe(str):
    """Text that an encoder made harmless for its sink."""

    __slots__ = ()


def visible(text: str, keep: str = "") -> str:
    r"""The text with every control, format, bidirectional and separator character as `\uXXXX`, but those of `keep`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _escaped(char) if char not in keep and unicodedata.category(char) in _INVISIBLE else char for char in text
    )


def _escaped(char: str) -> str:
    point = ord(char)
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


def one_line(text: str) -> str:
    """Visible text on one line; each newline is shown as ⏎."""
    return visible(text.replace("\r\n", "\n").replace("\n", "⏎"))


def block(text: str) -> str:
    """Visible text that keeps its lines and tabs."""
    return visible(text.replace("\r\n", "\n"), keep="\n\t")


# --- Markdown ---------------------------------------------------------------------------------------------------------


def _ticks(text: str, least: int) -> str:
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    return "`" * max(longest + 1, least)


def code(text: str) -> Safe:
    """A code span anywhere but in a table."""
    inner = one_line(text) or " "
    ticks = _ticks(inner, 1)
    edges = inner[0] + inner[-1]
    pad = " " if "`" in edges or (edges == "  " and inner.strip(" ")) else ""
    return Safe(f"{ticks}{pad}{inner}{pad}{ticks}")


def cell(text: str) -> Safe:
    """A code span inside a table cell."""
    return Safe(code(text).replace("|", "\\|"))


def fence(text: str, info: str = "") -> Safe:
    """A fenced block on lines of its own; `info` is one of our own words."""
    inner = block(text)
    ticks = _ticks(inner, 3)
    end = "" if inner.endswith("\n") or not inner else "\n"
    return Safe(f"{ticks}{info}\n{inner}{end}{ticks}")


def prose(text: str) -> Safe:
    """A sentence: plain English words stay as they are, everything else but outer spaces stands in code spans."""
    pieces: list[tuple[str, str, str]] = []
    for word in one_line(text).strip(" ").split(" "):
        if _is_plain(word):
            pieces.append((word, "", ""))
            continue
        lead, core, tail = _frame(word)
        if pieces and core and not lead and not _is_plain(core) and _is_open(pieces[-1]):
            pieces[-1] = (pieces[-1][0], f"{pieces[-1][1]} {core}", tail)
        else:
            pieces.append((lead, core, tail))
    return Safe(" ".join(f"{lead}{_span(core)}{tail}" for lead, core, tail in pieces))


def _frame(word: str) -> tuple[str, str, str]:
    """A word without the bracket before it and the punctuation behind it."""
    found = _FRAME.fullmatch(word)
    return (found[1], found[2], found[3]) if found else ("", word, "")


def _is_open(piece: tuple[str, str, str]) -> bool:
    """Whether a code span goes on: several foreign words in a row are one."""
    return bool(piece[1]) and not piece[2] and not _is_plain(piece[1])


def _span(core: str) -> str:
    # A number with a stop behind it starts a list.
    return core if not core or (_is_plain(core) and not core.isdigit()) else code(core)


def remedy(text: str) -> Safe:
    """A sentence of ours that names commands in backticks: each stays whole in one code span, the rest is `prose`."""
    found = []
    for part, command in _commands(text):
        if command:
            found.append(code(part))
            continue
        lead, tail = (" " if part[:1] == " " else ""), (" " if part[-1:] == " " and part.strip(" ") else "")
        found.append(Safe(f"{lead}{prose(part)}{tail}"))
    return Safe("".join(found))


def _commands(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, and whether each stood in backticks as a word or words of its own."""
    pieces = _COMMAND.split(one_line(text).strip(" "))
    return [(piece, index % 2 == 1) for index, piece in enumerate(pieces) if piece]


def prose_cell(text: str) -> Safe:
    """A sentence inside a table cell."""
    return Safe(prose(text).replace("|", "\\|"))


def _is_plain(word: str) -> bool:
    # GitHub links anything that looks like a commit, so hexadecimal words are no words.
    return _PLAIN.fullmatch(word) is not None and _COMMIT.match(word) is None


def is_url(text: str) -> bool:
    """Whether a text is an https address of plain characters, without user, brackets or quotes."""
    return _URL.fullmatch(text) is not None


def link(label: Safe, url: str) -> Safe:
    """A Markdown link where the address is a plain https one, else the label alone."""
    return Safe(f"[{label}]({url})") if is_url(url) else label


def blob_url(repository_url: str, commit: str, path: str, line: int) -> str:
    """Where the forge shows a line of a file; empty where one of the parts is not what it should be."""
    parts = path.split("/")
    sound = re.fullmatch(r"[0-9a-f]{7,64}", commit) and not path.startswith("/") and not {"..", ".", ""} & set(parts)
    if not sound or not is_url(repository_url):
        return ""
    return f"{repository_url}/blob/{commit}/{quote(path.encode('utf-8', 'replace'), safe='/')}#L{line}"


def comment(data: Mapping[str, Json]) -> Safe:
    """An HTML comment on a line of its own that carries JSON, for `marker.py`."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True)
    for found, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("--", "-\\u002d")):
        text = text.replace(found, escaped)
    return Safe(f"<!-- stackseal {text} -->")


def label(text: str) -> Safe:
    """A node's or an edge's name in a Mermaid graph: letters, digits and `_.:/-`; others become `_`."""
    return Safe(re.sub(r"[^A-Za-z0-9_.:/-]", "_", text))


# --- HTML -------------------------------------------------------------------------------------------------------------


def html_inline(text: str) -> Safe:
    """Text or an attribute's value in HTML, on one line."""
    return Safe(html.escape(one_line(text), quote=True))


def html_remedy(text: str) -> Safe:
    """What `remedy` is in Markdown."""
    return Safe("".join(html_code(part) if command else html_inline(part) for part, command in _commands(text)))


def html_block(text: str) -> Safe:
    """Text inside `<pre>`."""
    return Safe(html.escape(block(text), quote=True))


def html_code(text: str) -> Safe:
    """A `<code>` element; also inside `<summary>` of a Markdown page, where Markdown does not reach."""
    return Safe(f"<code>{html_inline(text)}</code>")


# --- plain text and runner commands -----------------------------------------------------------------------------------


def title(text: str) -> Safe:
    """The title of an issue: one line of at most 256 characters."""
    line = one_line(text).strip()
    return Safe(line if len(line) <= TITLE_LIMIT else f"{line[: TITLE_LIMIT - 1]}…")


def word(text: str) -> Safe:
    """One line of a log or a terminal, or a part of one, in which the GitHub runner finds no command.

    Write foreign text behind something else on the line as well.
    """
    return Safe(inert(one_line(text)))


def command_data(text: str) -> Safe:
    """The message of a workflow command; lines are kept in the runner's own escape form."""
    return Safe(bracketless(block(text)).replace("%", "%25").replace("\n", "%0A"))


def command_property(text: str) -> Safe:
    """The value of a property of a workflow command."""
    return Safe(command_data(one_line(text)).replace(":", "%3A").replace(",", "%2C"))
