"""The first line of everything that we publish: how a later run finds its own comment or issue again.

A marker says what a text *is about*; it proves nothing, because any writer can edit it. Whoever updates a comment
checks its author as well, and whoever deploys reads the seal record, never a marker.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from stackseal.model import Json
from stackseal.report import encode

_FIRST_LINE: Final = re.compile(r"<!-- stackseal (\{.{0,4000}\}) -->")


def write(kind: str, **data: Json) -> encode.Safe:
    """The marker's line, without its newline: `<!-- stackseal {"v":1,"kind":…} -->`."""
    return encode.comment({"v": 1, "kind": kind, **data})


def read(body: str) -> Mapping[str, Json] | None:
    """The data of a marker on the first line of a body, or None where there is none of ours."""
    found = _FIRST_LINE.fullmatch(body.split("\n", 1)[0].rstrip("\r"))
    if found is None:
        return None
    try:
        data = json.loads(found.group(1))
    except (ValueError, RecursionError):
        return None
    return data if data.get("v") == 1 and isinstance(data.get("kind"), str) else None
