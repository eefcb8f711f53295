"""Every failure that a user can see: one sentence *what happened: why; what to do*, and one exit code each.

Each class has its own meaning and exit code (design: 1 blocked, 2 usage or invalid config, 3 failed, 4 refused,
5 unknown outcome), so that a script can act on the number alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from stackseal.model import Location


class StacksealError(Exception):
    """Base of all: never raised itself. `str()` is the whole sentence, without the place."""

    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, why: str = "", remedy: str = "", where: Location | None = None) -> None:
        self.what, self.why, self.remedy, self.where = what, why, remedy, where
        sentence = f"{what}: {why}" if why else what
        super().__init__(f"{sentence}; {remedy}" if remedy else sentence)


class Blocked(StacksealError):  # noqa: N818 - reads as a sentence where it is raised
    """The review found what must not be deployed."""

    exit_code = 1


class UsageError(StacksealError):
    """The command line, or a file that it names, is not what the command needs."""

    exit_code = 2


class ConfigError(StacksealError):
    """A config, a product or the settings are invalid."""

    exit_code = 2


class ConfigErrors(StacksealError):  # noqa: N818
    """Several of them at once: a person mends a file in one go."""

    exit_code = 2

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        self.errors = tuple(errors)
        count = len(self.errors)
        super().__init__(f"{count} problem{'s' if count != 1 else ''} in the configs")


class Failed(StacksealError):  # noqa: N818
    """It was tried and did not work; AWS or GitHub says why."""

    exit_code = 3


class Refused(StacksealError):  # noqa: N818
    """It is not what was reviewed, or nobody confirmed it; nothing was changed."""

    exit_code = 4


class Unknown(StacksealError):  # noqa: N818
    """Nobody knows how it ended: never a success. The remedy is the command that resumes."""

    exit_code = 5
