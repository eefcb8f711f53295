"""cfn-lint and checkov as a run of the program has them: workers that load once, here once for all products.

That they say what the command lines say is proven in unit/checks.
"""

from __future__ import annotations

import atexit
import os
from functools import cache
from pathlib import Path

from stackseal.checks import checkov_env
from stackseal.checks.base import Engines
from stackseal.workers import Workers


def engines(work: Path, *names: str, informational: bool = False) -> Engines:
    """These engines, with the checkov that `make setup` has installed."""
    tool = checkov_env.find(os.environ)
    assert tool is not None, "checkov is not installed: run `make setup`, or name it in STACKSEAL_CHECKOV"
    return Engines(
        checkov=tool, work=work, names=names, informational=informational, env=dict(os.environ), hands=_hands()
    )


def _hands() -> Workers:
    """Those that run; new ones after a scan that was broken off, which closes them."""
    if _workers().over:
        _workers.cache_clear()
    return _workers()


@cache
def _workers() -> Workers:
    found = Workers()
    atexit.register(found.close)
    return found
