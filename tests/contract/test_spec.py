"""Every row of the feature table that this version promises has a test that names it."""

from __future__ import annotations

from contract.support import script

FEATURES = script("features")


def numbered(*ranges: tuple[int, int]) -> set[str]:
    return {f"A{number:02d}" for first, last in ranges for number in range(first, last + 1)}


PIPELINES = {f"C{number:02d}" for number in range(1, 12)}
MODERN = {"D01", "D02", "D06", "D07", "D08", "D12", "D13"}
PROMISED = numbered((1, 69)) | PIPELINES | MODERN
"""Every row of the ML product and of the pipelines, and some that go beyond them."""

UNPROVEN: set[str] = set()
"""Promised rows without a test. This set must shrink to nothing."""


def test_every_promised_row_is_proven() -> None:
    missing = PROMISED - set(FEATURES.marks())
    assert missing <= UNPROVEN, f"no test names {', '.join(sorted(missing - UNPROVEN))}"
    assert missing >= UNPROVEN, f"proven now, take out: {', '.join(sorted(UNPROVEN - missing))}"


def test_every_mark_is_a_row() -> None:
    assert set(FEATURES.marks()) <= set(FEATURES.rows())


def test_the_table_is_whole() -> None:
    assert set(FEATURES.rows()) == numbered((1, 69)) | PIPELINES | MODERN
    assert all(set(row) == {"feature", "does", "proof"} and all(row.values()) for row in FEATURES.rows().values())
