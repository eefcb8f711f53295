"""One shell for all commands of a build, as version 0.2 of the build specification has it: folder, variables, functions
and options of one command are there for the next.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

PROGRAMS: Final = {"bash": "/bin/bash", "/bin/sh": "/bin/sh"}


class Shell:
    """A shell that is fed one command after the other; what they say goes into `log`.

    A command that ends the shell (`exit`) ends with its status, and the next one gets a new shell with the environment
    of the build only.
    """

    def __init__(self, kind: str, env: Mapping[str, str], folder: Path, scratch: Path) -> None:
        self._program, self._env, self._folder, self._scratch = PROGRAMS[kind], dict(env), folder, scratch
        self.log = scratch / "log"
        self._number = 0
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def run(self, command: str) -> int:
        """The exit status of a command."""
        self._number += 1
        path = self._scratch / f"command-{self._number}"
        path.write_text(f"{command}\n", encoding="utf-8")
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"[Container] Running command {command.strip()}\n")
        assert self._process.stdin
        self._process.stdin.write(f". {shlex.quote(str(path))} </dev/null\necho $? >&{self._out}\n".encode())
        self._process.stdin.flush()
        if line := self._answers.readline():
            return int(line)
        status = self._process.wait()
        self._stop()
        self._start()
        return status

    def value(self, name: str) -> str:
        """A variable of the shell; empty where it has none."""
        path = self._scratch / "value"
        self.run(f"printf '%s' \"${{{name}-}}\" >{shlex.quote(str(path))}")
        return path.read_text(encoding="utf-8")

    def _start(self) -> None:
        answers, self._out = os.pipe()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program],
                env=self._env,
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(self._out,),
            )
        os.close(self._out)
        self._answers = os.fdopen(answers)

    def _stop(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()
        self._answers.close()
