"""Execution logs (spec A69): what an action was asked, of which configs, what it said, and how it ended.

Joins `config`, `artifacts` and `world`. A log is the one output that holds times, so its name does too, and no run
writes over another's. It holds what the person saw, hidden as it was hidden there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Final

from stackseal import __version__, artifacts, config
from stackseal.errors import ConfigErrors, StacksealError, UsageError
from stackseal.world import World

LOOKING: Final = frozenset({"list-products", "show-product", "validate-config"})
"""Actions that make no folder: without a working root they leave no log either."""
CHANGING: Final = frozenset({"test-deploy", "deploy-product", "delete-product"})
"""Actions that change something in AWS: they do nothing that they cannot write down."""
LICENCE: Final = "Apache-2.0; no subscription is asked for or checked; stackseal --license shows the text"
_RESULTS: Final = {
    0: "done",
    1: "blocked or drifted",
    2: "usage or invalid config",
    3: "failed",
    4: "refused",
    5: "unknown outcome",
    130: "interrupted",
}


@dataclass(kw_only=True)
class _Log:
    """A file of its own, reserved before anything is done."""

    path: Path
    world: World
    lines: list[str] = field(default_factory=list)

    def add(self, key: str, text: str) -> None:
        """A line; further lines of the text are indented, so that none can pass for one of ours."""
        clean = self.world.out.hidden.text(text).replace("\r", "␍").rstrip("\n")
        self.lines.append(f"{key}: {clean}".replace("\n", "\n    "))

    def said(self, text: str) -> None:
        self.add(_now(self.world), text)

    def write(self, result: str) -> None:
        artifacts.write(self.path, "\n".join([*self.lines, f"result: {result}"]) + "\n")


def kept(action: str, names: Sequence[str], world: World, do: Callable[[World], int], *, dry_run: bool = False) -> int:
    """The exit code of an action, after writing its log to `reports/` of the working root.

    Raises what the action raises, and UsageError where a log that has to be there cannot be written; of an action that
    changes nothing it is said, and the action goes on.
    """
    log = _begun(action, names, world, changes=action in CHANGING and not dry_run)
    if log is None:
        return do(world)
    if dry_run:
        log.add("dry run", "nothing is changed")
    log.write("unknown: the run did not end")
    world.out.heard = log.said
    code = 3
    try:
        code = do(world)
    except StacksealError as error:
        code = error.exit_code
        for each in error.errors if isinstance(error, ConfigErrors) else (error,):
            log.said(f"{each.where}: {each}" if each.where else str(each))
        raise
    except KeyboardInterrupt:
        code = 130
        raise
    except Exception as error:
        log.said(f"stackseal itself failed: {type(error).__name__}: {error}")
        raise
    finally:
        world.out.heard = None
        _ended(log, code)
    return code


def _begun(action: str, names: Sequence[str], world: World, *, changes: bool) -> _Log | None:
    """The reserved log with its head; None where there is none."""
    if action in LOOKING and not world.root.is_dir():
        return None
    stem = f"{Path(names[0]).stem}-{action}" if len(names) == 1 else action
    time = world.clock.now().astimezone(UTC)
    try:
        path = artifacts.reserve(world.root / "reports", f"{stem}-{time:%Y%m%dT%H%M%SZ}", "log")
    except UsageError as error:
        if changes:
            raise UsageError(
                f"{action}: not done",
                why=f"its execution log cannot be written ({error.what}: {error.why})",
                remedy="give a --root whose reports/ can be written",
            ) from error
        world.out.say(f"No execution log is kept: {error.what}: {error.why}", "warning")
        return None
    log = _Log(path=path, world=world)
    log.lines += [f"stackseal {__version__}", f"licence: {LICENCE}"]
    log.add("action", action)
    for name in names:
        log.add("config", name)
        log.add("config sha256", _digest(name, world))
    log.add("began", _now(world))
    return log


def _ended(log: _Log, code: int) -> None:
    log.add("ended", _now(log.world))
    log.add("exit code", str(code))
    try:
        log.write(_RESULTS.get(code, "failed"))
    except UsageError as error:
        log.world.out.say(f"The execution log is not complete: {error.what}: {error.why}", "warning")


def _digest(name: str, world: World) -> str:
    """The digest that the template's head names, too."""
    with suppress(StacksealError):
        return config.read(config.find(name, world.here, world.root), world.here).digest
    return "none, the config cannot be read"


def _now(world: World) -> str:
    return world.clock.now().astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
