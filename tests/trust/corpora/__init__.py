"""The public collections of this folder as values. `scripts/corpora.py` writes them, `NOTICE` says whose they are."""

from __future__ import annotations

import gzip
import json
import random
from functools import cache
from pathlib import Path
from typing import Any, Final

from trust.figures import SEED

_HERE: Final = Path(__file__).parent


@cache
def read(name: str) -> Any:
    """The collection of one file, `blns` for `blns.json.gz`."""
    return json.loads(gzip.decompress((_HERE / f"{name}.json.gz").read_bytes()))


def texts() -> tuple[str, ...]:
    """Every text for a place where text can stand: naughty strings and the specification of Markdown."""
    return tuple(dict.fromkeys((*read("blns"), *read("commonmark"))))


def sample(count: int) -> tuple[str, ...]:
    """As many of `texts`, the same in every run."""
    return tuple(random.Random(SEED).sample(texts(), count))  # noqa: S311 - a choice of tests, no secret
