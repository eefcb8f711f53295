"""Stage 4, Template → Finding."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from stackseal.model.base import Location
from stackseal.model.stack import Waiver


class Level(enum.Enum):
    """How bad a finding is; an unwaived error blocks."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a reviewer should look at."""

    check: str
    """Identifier, e.g. `resource-count`, `E3012`, `CKV_AWS_18`."""
    engine: str
    """`stackseal`, `cfn-lint` or `checkov`."""
    level: Level
    message: str
    where: Location
    """The line that the person wrote."""
    rendered: Location | None = None
    """The line of the rendered template, where the engine itself would point."""
    resource: str | None = None
    stack: str | None = None
    help_url: str = ""
    waiver: Waiver | None = None

    @property
    def blocks(self) -> bool:
        waived = self.waiver is not None and not self.waiver.proposed
        return self.level is Level.ERROR and not waived
