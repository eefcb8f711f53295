"""ADD A CI OR A FORGE: a runner is where we run, a forge is where pull requests and issues live.

One module may provide both; each is a line in the dict of its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from stackseal.hosts import local
from stackseal.hosts.base import Forge, Runner

RUNNERS: Final[dict[str, type[Runner]]] = {
    "local": local.LocalRunner,
}
FORGES: Final[dict[str, Callable[[Path], Forge]]] = {
    "local": local.LocalForge,
}


def runner(env: Mapping[str, str]) -> Runner:
    """The first runner that recognises its environment; `local` recognises every one."""
    return next(kind(env) for kind in RUNNERS.values() if kind.here(env))


__all__ = ["FORGES", "RUNNERS", "Forge", "Runner", "runner"]
