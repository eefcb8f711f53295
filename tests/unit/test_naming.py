"""Physical names fit, stay what they are, and stay apart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackseal.model import sha256
from stackseal.naming import TEST_SUFFIX, shorten, suffixed

STEADY = settings(derandomize=True, deadline=None)
NAMES = st.text(alphabet="abcxyz0123456789-", min_size=1, max_size=200)
SUFFIX = "-test-ab12cd"


@pytest.mark.spec("A21")
def test_a_name_that_fits_is_left_alone() -> None:
    assert shorten("techcorp-models", 63) == "techcorp-models"
    assert shorten("x" * 63, 63) == "x" * 63


@pytest.mark.spec("A21")
def test_a_long_name_keeps_its_beginning_and_gets_a_hash() -> None:
    name = "globalbank-prod-c001-us-west-2-demand-forecasting-realtime-ml-models"
    found = shorten(name, 63)
    assert found == f"{name[:56].rstrip('-')}-{sha256(name)[:6]}"
    assert len(found) <= 63
    assert shorten("a" * 20 + "-" * 40 + "b" * 9, 32) == "a" * 20 + "-" + sha256("a" * 20 + "-" * 40 + "b" * 9)[:6]


@pytest.mark.spec("A21")
@given(NAMES, st.integers(21, 255))
@STEADY
def test_every_name_fits_and_is_always_the_same(name: str, limit: int) -> None:
    found = shorten(name, limit)
    assert len(found) <= limit
    assert found == shorten(name, limit)
    assert shorten(found, limit) == found
    assert "--" not in found or "--" in name


@pytest.mark.spec("A21", "A30")
@given(NAMES, st.integers(21, 255))
@STEADY
def test_a_test_stacks_name_keeps_its_suffix_and_fits(name: str, limit: int) -> None:
    found = suffixed(name, SUFFIX, limit)
    assert found.endswith(SUFFIX)
    assert len(found) <= limit
    assert len(SUFFIX) == TEST_SUFFIX
    assert suffixed(name, "", limit) == shorten(name, limit)


@pytest.mark.spec("A21")
def test_long_names_with_one_beginning_stay_apart() -> None:
    names = [f"{'a' * 70}{number}" for number in range(500)]
    assert len({shorten(name, 63) for name in names}) == len(names)
