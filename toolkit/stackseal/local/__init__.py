"""An AWS in this process, for the demo, `--aws local` and the tests (extra `local`)."""

from __future__ import annotations

from stackseal.local.gaps import GAPS, Gap, reference
from stackseal.local.server import EmbeddedAws

__all__ = ["GAPS", "EmbeddedAws", "Gap", "reference"]
