"""The phases of one build. Source: CodeBuild's "Build phase transitions" and "Build specification reference"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from fakes.codebuild.shell import Shell

PHASES: Final = ("install", "pre_build", "build", "post_build")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How the phases of a build ended."""

    succeeded: bool
    phases: Mapping[str, str] = field(default_factory=dict)
    """SUCCEEDED or FAILED of each phase that ran."""
    exported: Mapping[str, str] = field(default_factory=dict)
    log: str = ""


def environment(spec: Mapping[str, Any], *layers: Mapping[str, str]) -> dict[str, str]:
    """The build specification's variables, then the project's, then those of the start: the last one counts."""
    found = {key: str(value) for key, value in (spec.get("env", {}).get("variables") or {}).items()}
    for layer in layers:
        found |= layer
    return found


def load(text: str) -> dict[str, Any]:
    """A build specification; version 0.2 only."""
    found: dict[str, Any] = yaml.safe_load(text)
    assert str(found["version"]) == "0.2", "YAML_FILE_ERROR: unknown version"
    return found


def run(spec: Mapping[str, Any], env: Mapping[str, str], folder: Path, scratch: Path) -> Outcome:
    """Run the phases in a folder. A failed install or pre_build skips what follows, a failed build only its rest."""
    kind = spec.get("env", {}).get("shell", "/bin/sh")
    done: dict[str, str] = {}
    succeeding = True
    with Shell(kind, {**env, "CODEBUILD_BUILD_SUCCEEDING": "1"}, folder, scratch) as shell:
        for name in PHASES:
            if (phase := spec["phases"].get(name)) is None:
                continue
            shell.run(f"export CODEBUILD_BUILD_SUCCEEDING={int(succeeding)}")
            fine = _phase(shell, phase)
            done[name] = "SUCCEEDED" if fine else "FAILED"
            wish = phase.get("on-failure", "")
            if not fine and wish != "CONTINUE":
                succeeding = False
                if wish == "ABORT" or name in PHASES[:2]:
                    break
        names = [name for name in spec.get("env", {}).get("exported-variables", ()) if not name.startswith("AWS_")]
        exported = {name: shell.value(name) for name in names}
        return Outcome(succeeded=succeeding, phases=done, exported=exported, log=shell.log.read_text("utf-8"))


def _phase(shell: Shell, phase: Mapping[str, Any]) -> bool:
    """The first command that fails ends a phase; `finally` runs all the same."""
    fine = all(shell.run(command) == 0 for command in phase.get("commands", ()))
    last = [shell.run(command) for command in phase.get("finally", ())]
    return fine and not any(last)
