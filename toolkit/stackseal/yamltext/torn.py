"""Whether a printed value is still one value of the YAML text around it."""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence
from typing import Any, Final

import yaml

from stackseal.yamltext.reader import LOADER

_PROPERTIES: Final = re.compile(r"[!&]\S*\s+")


def torn(text: str, values: Sequence[tuple[int, int]]) -> int | None:
    """The line of the first of the JSON values printed at these places that is not one whole value of the text.

    A value may stand where a value stands, after a tag, in a comment, and inside a block scalar: there, JSON on one
    line cannot end what it stands in. The text is one that `parse` accepts.
    """
    nodes = [event for event in yaml.parse(text, Loader=LOADER) if isinstance(event, yaml.NodeEvent)]
    starts = [_index(event.start_mark) for event in nodes]
    for start, end in values:
        place = bisect.bisect_right(starts, start) - 1
        if place >= 0 and not _whole(nodes[place], text, start, end):
            return text.count("\n", 0, start) + 1
    return None


def _whole(node: yaml.NodeEvent, text: str, start: int, end: int) -> bool:
    first, last = _index(node.start_mark), _index(node.end_mark)
    if not text[first:start].strip() or _PROPERTIES.fullmatch(text, first, start):
        return last == end if isinstance(node, yaml.ScalarEvent) else True
    return last <= start or (isinstance(node, yaml.ScalarEvent) and node.style in {"|", ">"})


def _index(mark: Any) -> int:
    return int(mark.index)
