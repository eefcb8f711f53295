"""Parts of a review: every stack is in exactly one, parts are alike, and there are never too many."""

from __future__ import annotations

import pytest

from stackseal.errors import UsageError
from stackseal.review.shards import LIMIT, Cut, cuts


@pytest.mark.parametrize("of", [1, 2, 7, LIMIT])
@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 1000])
def test_every_stack_is_in_one_part(of: int, count: int) -> None:
    stacks = list(range(count))
    parts = [Cut(part=part, of=of).own(stacks) for part in range(1, of + 1)]
    assert sorted(stack for part in parts for stack in part) == stacks
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(
    ("stacks", "each", "count"), [(0, 5, 1), (5, 5, 1), (6, 5, 2), (1000, 100, 10), (100_000, 100, LIMIT), (3, 1, 3)]
)
def test_there_are_as_many_parts_as_needed_and_no_more_than_a_matrix_takes(stacks: int, each: int, count: int) -> None:
    found = cuts(stacks, each)
    assert [cut.part for cut in found] == list(range(1, count + 1))
    assert {cut.of for cut in found} == {count}


def test_a_part_is_written_as_a_fraction() -> None:
    assert Cut.parse("2/8") == Cut(part=2, of=8)
    for text in (
        "",
        "1",
        "0/1",
        "1/0",
        "2/1",
        "1/257",
        "-1/2",
        "1/2/3",
        "\N{FULLWIDTH DIGIT ONE}/2",
        "1 /2",
        "01/2",
        "1/2\n",
    ):
        with pytest.raises(UsageError, match="no part"):
            Cut.parse(text)
