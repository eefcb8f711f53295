"""A fixed sample of the templates that others wrote; `make trust` takes them all."""

from __future__ import annotations

import pytest

from trust import corpora
from unit.policy import public

pytestmark = pytest.mark.spec("A23")
SAMPLE = public.sample(36)


def test_the_sample_is_of_every_collection() -> None:
    groups = corpora.read("templates")
    assert len(public.templates()) >= 200
    assert [sum(name.startswith(f"{group}/") for name in SAMPLE) for group in groups] == [12, 12, 12]


@pytest.fixture(scope="module")
def found() -> public.Tried:
    return public.tried(SAMPLE)


def test_nothing_breaks_and_nothing_is_wider_than_it_could_be(found: public.Tried) -> None:
    assert found.breaks == []
    assert len(found.documents) == len(SAMPLE)
    assert found.resources > 300


def test_a_strangers_requests_are_denied(found: public.Tried) -> None:
    assert found.asked.keys() == {"account", "name", "region", "service"}
    for kind, asked in found.asked.items():
        assert found.denied[kind] / asked >= 0.95, kind
