"""CODEOWNERS, only as far as the question goes whether every changed file has an owner.

Whether an owner has approved GitHub decides itself; but where no line covers a file, GitHub asks nobody and calls the
pull request approved. Syntax: GitHub's "About code owners": patterns as in .gitignore without `!` and `[ ]`, the last
line that matches counts, a line without owners means none. Owners that do not exist or may not write count here and not
for GitHub.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

PLACES: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks, the first one counts."""
_GLOBS: Final = {"**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "**": ".*", "?": "[^/]"}


def unowned(text: str, paths: Iterable[str]) -> tuple[str, ...]:
    """The paths that no line gives an owner."""
    rules = list(_rules(text))
    return tuple(path for path in paths if not _owned(path, rules))


def _rules(text: str) -> Iterable[tuple[re.Pattern[str], bool]]:
    for line in text.splitlines():
        words = re.split(r"(?<!\\)\s+", line.split(" #")[0].strip())
        if words[0] and not words[0].startswith("#"):
            yield _pattern(words[0].replace("\\ ", " ")), any("@" in word for word in words[1:])


def _owned(path: str, rules: Iterable[tuple[re.Pattern[str], bool]]) -> bool:
    found = False
    for pattern, owners in rules:
        if pattern.fullmatch(path):
            found = owners
    return found


def _pattern(text: str) -> re.Pattern[str]:
    """A slash at the beginning or inside binds the pattern to the top; a folder means all below it."""
    core = text.strip("/")
    anchored = text.startswith("/") or "/" in core
    start = "" if anchored else "(?:.*/)?"
    pieces = re.findall(r"\*\*/|/\*\*|\*+|\?|[^*?/]+|/", core)
    middle = "".join(_GLOBS.get(piece) or re.escape(piece) for piece in pieces)
    # `docs/*` are the files of a folder; every other pattern that names a folder also means what is below it.
    below = "/.*" if text.endswith("/") else "" if core.endswith("/*") else "(?:/.*)?"
    return re.compile(start + middle + below)
