"""Whether two patterns can mean the same text, compared with trying all short texts."""

from __future__ import annotations

import random
import re
from itertools import product

import pytest

from stackseal.policy.globs import FIELD, NAME, covers, overlap
from trust.figures import SEED

MEANING = {"*": ".*", "?": ".", FIELD: "[^:]*", NAME: "[^/]*"}
LETTERS = "a:/"
TEXTS = ["".join(letters) for size in range(7) for letters in product(LETTERS, repeat=size)]


def compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(MEANING.get(letter) or re.escape(letter) for letter in pattern))


def meant(pattern: str) -> set[str]:
    """Every short text that a pattern matches."""
    return {text for text in TEXTS if compiled(pattern).fullmatch(text)}


def test_patterns_overlap_where_a_text_is_matched_by_both() -> None:
    chosen, answers = random.Random(SEED), set()  # noqa: S311 - a choice of tests, no secret
    for _ in range(400):
        one, other = ("".join(chosen.choices([*MEANING, *LETTERS], k=chosen.randrange(5))) for _ in range(2))
        answers.add(overlap(one, other))
        # Three letters each that are no star need no longer text than six.
        assert overlap(one, other) == overlap(other, one) == bool(meant(one) & meant(other)), (one, other)
    assert answers == {True, False}


@pytest.mark.parametrize(
    ("pattern", "other", "does"),
    [
        ("a*", "ab", True),
        ("a*", "ab*", True),
        ("*", "a", True),
        ("a*", "ba", False),
        ("a*", "a*", False),
        ("a", "a", False),
    ],
)
def test_an_open_end_includes_what_begins_so(pattern: str, other: str, does: bool) -> None:
    assert covers(pattern, other) is does
