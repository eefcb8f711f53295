"""A stand-in for GitHub, and a clock that waits for nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.github import GitHubFake


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubFake]:
    with GitHubFake(tmp_path / "github") as fake:
        yield fake
        assert fake.violations == []
