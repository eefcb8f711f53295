"""Programs that load for a second and then answer quickly: they start early, and every answer is one line of JSON.

A worker gets nothing of ours but its questions: an environment of a few fixed words, an empty home, an empty working
directory, a session of its own. Where it can fork itself once it is loaded, one load serves several seats. Whoever
makes `Workers` closes them; what is then still at work is killed, and a worker whose asker died finds its line closed.
"""

from __future__ import annotations

import json
import os
import queue
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

LOADING: Final = 120.0
"""Seconds that a worker may take until it is ready; it takes about one."""
_ENVIRONMENT: Final = {
    "LANG": "C.UTF-8",
    "LOG_LEVEL": "ERROR",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
}


class Gone(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """A worker has ended, hangs, or says what nobody understands; the text says which."""


@dataclass(kw_only=True)
class Shared:
    """What became of questions that several seats shared; those in neither were not asked."""

    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    """The questions on which a seat was lost, and why."""
    why: str = ""
    """Why a seat was lost, if one was."""


@dataclass(kw_only=True)
class Watch:
    """Who is told, by the name of the team, that a question was asked and that it is over."""

    asked: Callable[[str], None] = lambda _: None
    answered: Callable[[str], None] = lambda _: None


class Seat:
    """One process that answers; its first line says who it is."""

    def __init__(self, asking: int, answering: int, name: str = "", watch: Watch | None = None) -> None:
        self._asking, self._answering = asking, answering
        self._name, self._watch = name, watch or Watch()
        self._ready: dict[str, Any] | None = None

    def ready(self) -> Mapping[str, Any]:
        """What it said of itself when it was loaded. Raises `Gone` where it never is."""
        if self._ready is None:
            self._ready = self._line(LOADING)
        return self._ready

    def ask(self, question: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """The answer. Raises `Gone` where none comes in this time."""
        self.ready()
        self._watch.asked(self._name)
        try:
            _write(self._asking, json.dumps(question).encode() + b"\n")
            return self._line(seconds)
        except OSError as error:
            raise Gone("it has ended") from error
        finally:
            self._watch.answered(self._name)

    def close(self) -> None:
        for descriptor in (self._asking, self._answering):
            with suppress(OSError):
                os.close(descriptor)

    def _line(self, seconds: float) -> dict[str, Any]:
        deadline, line = time.monotonic() + seconds, bytearray()
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self._answering], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise Gone(f"it did not answer within {seconds:g} seconds")
            piece = os.read(self._answering, 1 << 20)
            if not piece:
                raise Gone("it has ended")
            line += piece
        try:
            found = json.loads(line)
        except ValueError as error:
            raise Gone("its answer is no JSON") from error
        if not isinstance(found, dict):
            raise Gone("its answer is of an unknown shape")
        return found


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


class Team:
    """One program with its seats; it is told their pipes as `in:out`, one word each."""

    def __init__(self, words: Sequence[str], seats: int, name: str = "", watch: Watch | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="stackseal-worker-"))
        for part in ("home", "cwd", "tmp"):
            (self._folder / part).mkdir()
        pipes = [(os.pipe(), os.pipe()) for _ in range(seats)]
        theirs = [(question[0], answer[1]) for question, answer in pipes]
        self.seats = tuple(Seat(question[1], answer[0], name, watch) for question, answer in pipes)
        try:
            self._process = self._start(words, theirs)
        except OSError:
            self._tidy()
            raise
        finally:
            for descriptor in (each for pair in theirs for each in pair):
                os.close(descriptor)

    def _start(self, words: Sequence[str], pipes: Sequence[tuple[int, int]]) -> subprocess.Popen[bytes]:
        with (self._folder / "stderr").open("wb") as errors:
            return subprocess.Popen(  # noqa: S603 - a program of ours; the interpreter is ours or the user's own choice
                [*words, *(f"{question}:{answer}" for question, answer in pipes)],
                cwd=self._folder / "cwd",
                env={**_ENVIRONMENT, "HOME": str(self._folder / "home"), "TMPDIR": str(self._folder / "tmp")},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=[each for pair in pipes for each in pair],
                start_new_session=True,
            )

    def share(self, questions: Mapping[str, Mapping[str, Any]], seconds: float) -> Shared:
        """The questions, each asked of the seat that is free first; a seat that is lost gets no other."""
        todo: queue.SimpleQueue[tuple[str, Mapping[str, Any]]] = queue.SimpleQueue()
        for item in questions.items():
            todo.put(item)
        found = Shared()
        seats = self.seats[: max(len(questions), 1)]
        with ThreadPoolExecutor(len(seats)) as pool:
            list(pool.map(lambda seat: self._drain(seat, todo, seconds, found), seats))
        return found

    def _drain(
        self, seat: Seat, todo: queue.SimpleQueue[tuple[str, Mapping[str, Any]]], seconds: float, found: Shared
    ) -> None:
        key = None
        try:
            seat.ready()
            while True:
                key, question = todo.get_nowait()
                found.answers[key] = seat.ask(question, seconds)
                key = None
        except queue.Empty:
            return
        except Gone as error:
            found.why = self.why(error)
            if key is not None:
                found.lost[key] = found.why

    def why(self, error: Gone) -> str:
        """What happened, with the last words of the program."""
        with suppress(OSError):
            lines = (self._folder / "stderr").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            if lines:
                return f"{error}: {lines[-1][:300]}"
        return str(error)

    def close(self) -> None:
        """Nothing of it runs afterwards, and nothing of it lies about."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._tidy()

    def _tidy(self) -> None:
        for seat in self.seats:
            seat.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class Workers:
    """A context manager: the teams that run, by name."""

    def __init__(self) -> None:
        self.watch = Watch()
        self._teams: dict[str, Team] = {}
        self._over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def watched(self, watch: Watch) -> Iterator[None]:
        """Whoever this is hears what is asked inside."""
        before = (self.watch.asked, self.watch.answered)
        self.watch.asked, self.watch.answered = watch.asked, watch.answered
        try:
            yield
        finally:
            self.watch.asked, self.watch.answered = before

    def start(self, name: str, words: Sequence[str], *, seats: int = 1) -> Team:
        """The team of that name, started if it does not run. Raises `Gone` where it cannot be."""
        if self._over:
            raise Gone("everything is being closed")
        if name not in self._teams:
            try:
                self._teams[name] = Team(words, seats, name, self.watch)
            except OSError as error:
                raise Gone(f"{words[0]} cannot be started ({error.strerror})") from error
        return self._teams[name]

    def running(self, name: str) -> Team | None:
        """The team of that name, if it was started."""
        return self._teams.get(name)

    @property
    def over(self) -> bool:
        """Whether they were closed; nothing starts any more."""
        return self._over

    def end(self, names: Iterable[str]) -> None:
        """These teams are killed; a later start makes new ones."""
        for name in names:
            if (team := self._teams.pop(name, None)) is not None:
                team.close()

    def close(self) -> None:
        """All are killed."""
        self._over = True
        self.end(list(self._teams))
