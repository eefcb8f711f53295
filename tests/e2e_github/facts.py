"""What a run of these tests has measured, for `make e2e`: facts by name in reports/e2e.json, from every worker."""

from __future__ import annotations

import fcntl
import json
from typing import Final

from contract.support import ROOT

PATH: Final = ROOT / "reports" / "e2e.json"


def measured(**facts: str | int | bool) -> None:
    """Write facts down beside those that are there."""
    PATH.parent.mkdir(exist_ok=True)
    with PATH.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        known = json.loads(text) if text else {}
        file.seek(0)
        file.truncate()
        file.write(json.dumps({**known, **facts}, indent=2, sort_keys=True) + "\n")
