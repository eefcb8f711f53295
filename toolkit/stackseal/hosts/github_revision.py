"""Which of two publications is newer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from stackseal.model import Json


@dataclass(frozen=True, kw_only=True, order=True)
class Revision:
    """The run that publishes. Commits have no order, runs have: GitHub numbers them as they are started.

    A second attempt of an old run stays older than a later run, because it reviews the older commit.
    """

    run: int = 0
    attempt: int = 0
    at: str = ""
    """ISO time in UTC at which the content was valid; decides only where the numbers are equal."""

    @property
    def values(self) -> tuple[int, int, str]:
        return (self.run, self.attempt, self.at)

    @classmethod
    def read(cls, value: Json) -> Revision:
        """The revision of a marker; the oldest of all where it has none."""
        match value:
            case [int(run), int(attempt), str(at)]:
                return cls(run=run, attempt=attempt, at=at)
            case _:
                return cls()


OLDEST: Final = Revision()


def of_env(env: Mapping[str, str], at: str = "") -> Revision:
    """The revision of this run: GITHUB_RUN_ID and GITHUB_RUN_ATTEMPT, or CODEBUILD_BUILD_NUMBER."""
    if "CODEBUILD_BUILD_ID" in env:
        return Revision(run=_number(env.get("CODEBUILD_BUILD_NUMBER")), at=at)
    return Revision(run=_number(env.get("GITHUB_RUN_ID")), attempt=_number(env.get("GITHUB_RUN_ATTEMPT")), at=at)


def _number(text: Any) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else 0
