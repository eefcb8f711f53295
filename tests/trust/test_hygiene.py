"""Eleven hundred reviews of one stack: few change sets are kept, and no empty stack is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e import crowd, harness
from e2e.crowd import STACK, Crowd
from e2e.harness import Bench
from stackseal.local import EmbeddedAws
from trust.figures import SEED, Count

pytestmark = pytest.mark.trust
REVIEWS = 1_100
LIMIT = 5


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(account=harness.ACCOUNT, region=harness.REGION) as aws:
        yield aws


@pytest.fixture
def bench(tmp_path: Path, embedded: EmbeddedAws) -> Iterator[Bench]:
    embedded.reset()
    with harness.bench(tmp_path, embedded) as made:
        yield made


def test_of_a_stack_that_none_of_them_brings_to_life_nothing_is_left(bench: Bench, count: Count) -> None:
    found = Crowd(bench=bench)
    found.run(REVIEWS, SEED)
    left = found.cfn.stack(STACK.name)
    breaks = len(found.wrong) + (found.most > LIMIT) + (left is not None)
    count("reviews of one stack that never came to be", inputs=found.reviews, breaks=breaks, detail=_told(found))
    assert found.wrong == []
    assert found.most <= LIMIT
    assert left is None


def test_of_a_deployed_stack_only_what_is_nobodys_is_left(bench: Bench, count: Count) -> None:
    crowd.deployed(bench)
    found = Crowd(bench=bench, foreign={"by-hand"})
    found.run(REVIEWS, SEED)
    breaks = len(found.wrong) + (found.most > LIMIT) + (found.kept() != ["by-hand"])
    count("reviews of one stack that stands", inputs=found.reviews, breaks=breaks, detail=_told(found))
    assert found.wrong == []
    assert found.most <= LIMIT
    assert found.kept() == ["by-hand"]


def _told(found: Crowd) -> str:
    return f"{-(-found.reviews // crowd.HEADS)} pull requests, {found.most} change sets kept at most"
