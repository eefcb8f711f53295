"""One embedded AWS for a worker process, emptied for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e import harness
from stackseal.local import EmbeddedAws


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(account=harness.ACCOUNT, region=harness.REGION) as aws:
        yield aws


@pytest.fixture
def bench(tmp_path: Path, embedded: EmbeddedAws) -> Iterator[harness.Bench]:
    embedded.reset()
    with harness.bench(tmp_path, embedded) as made:
        yield made
