"""Whether two patterns of ARNs can mean the same ARN: `*` stands for any text, `?` for one character."""

from __future__ import annotations

from functools import cache
from typing import Final

FIELD, NAME = "\x00", "\x01"
"""Any text without `:`, and any without `/`: variables of an ARN template that end where the next part begins."""
_NEVER: Final = {"*": "", FIELD: ":", NAME: "/"}


@cache
def overlap(one: str, other: str) -> bool:
    """Whether some text is matched by both. Patterns are walked side by side; a star takes nothing or one character."""
    seen, todo = {(0, 0)}, [(0, 0)]
    while todo:
        here = todo.pop()
        if here == (len(one), len(other)):
            return True
        for step in _steps(one[here[0] : here[0] + 1], other[here[1] : here[1] + 1]):
            following = here[0] + step[0], here[1] + step[1]
            if following not in seen:
                seen.add(following)
                todo.append(following)
    return False


def _steps(mine: str, theirs: str) -> list[tuple[int, int]]:
    """How far each side may go from these two characters; an empty one is the end of its pattern."""
    found = []
    if mine in _NEVER:
        found.append((1, 0))
        if theirs and theirs != _NEVER[mine]:
            found.append((0, 1))
    if theirs in _NEVER:
        found.append((0, 1))
        if mine and mine != _NEVER[theirs]:
            found.append((1, 0))
    if mine and theirs and (mine == theirs or "?" in mine + theirs):
        found.append((1, 1))
    return found


def covers(pattern: str, other: str) -> bool:
    """Whether everything that `other` matches is matched by a pattern that is open at its end."""
    return pattern.endswith("*") and pattern != other and other.startswith(pattern[:-1])
