"""What a linter says may change overnight: cfn-lint judges the runtimes of Lambda functions by the day it runs on.

Needs the standard library only, because what was said of known files is looked up without loading anything (`checked`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

_DAYS: Final = "data/AdditionalSpecs/LmbdRuntimeLifecycle.json"
"""cfn-lint's table of runtimes, which its rules W2531, E2531 and E2533 compare with today; no other rule has a day."""


def stage(today: date | None = None) -> int:
    """How many days of cfn-lint's table are over: findings of an earlier stage may be wrong in a later one.

    `today` is the machine's own day, by which cfn-lint judges, unless it is given.
    """
    day = (today or datetime.now().astimezone().date()).isoformat()
    return sum(over <= day for over in _days(_table()))


def _table() -> Mapping[str, Mapping[str, Any]]:
    spec = find_spec("cfnlint")
    if spec is None or spec.origin is None:
        return {}
    found: Mapping[str, Mapping[str, Any]] = json.loads((Path(spec.origin).parent / _DAYS).read_bytes())
    return found


def _days(table: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Every day of the table; what holds no day is null or the name of a successor."""
    keys = ("deprecated", "create-block", "update-block")
    return [day for runtime in table.values() for key in keys if isinstance(day := runtime.get(key), str)]
