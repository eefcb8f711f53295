"""Where templates and expressions of products run: a child process with limits, without files, network or environment.

Jinja's sandbox stops escapes, not resource use (measured: `'a' * 10**9` takes a gigabyte), so the process is limited
as well. One child serves a whole run; a request that takes too long costs the child its life and the next request
starts a new one.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from stackseal.errors import ConfigError
from stackseal.model import Json, JsonPath, Location, canonical_json, sha256

SECONDS: Final = 10.0
"""Wall clock for one request; a render takes about a millisecond."""
_MAX_REPLY: Final = 16 * 1024 * 1024
_CHILD: Final = "from stackseal.sandbox.child import serve; serve()"


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """The files that a template may include, by name; `path` is what messages call each of them."""

    files: Mapping[str, str]
    paths: Mapping[str, str]

    @property
    def digest(self) -> str:
        return sha256(canonical_json(self.files))


@dataclass(frozen=True, kw_only=True)
class Line:
    """Where one rendered line comes from."""

    template: Location
    config: JsonPath | None


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A rendered text, the origin of each of its lines, and where the values stand that were printed into it."""

    text: str
    lines: tuple[Line, ...]
    values: tuple[tuple[int, int], ...]
    """First character and the one after the last of every text, list and mapping; the others cannot do harm."""


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """The values of a product's expressions and the config node that each of them depends on most."""

    values: Mapping[str, Json]
    origins: Mapping[str, JsonPath]


class Sandbox:
    """A context manager; the child starts with the first request."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._loaded: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child; a later request starts another."""
        child, self._child = self._child, None
        self._loaded.clear()
        if child is not None:
            child.kill()
            child.wait()
            for stream in (child.stdin, child.stdout):
                if stream is not None:
                    with suppress(OSError):  # what was not yet written to a child that has gone
                        stream.close()

    def evaluate(
        self,
        expressions: Sequence[tuple[str, str]],
        context: Mapping[str, Json],
        *,
        where: Location,
        places: Mapping[str, Location] | None = None,
    ) -> Evaluated:
        """The value of each (key, expression), in order; a key that is an identifier is visible to those after it.

        Raises ConfigError for an expression that is invalid, undefined, or takes too long: at its place by key, if it
        has one, else at `where`.
        """
        request = {"op": "evaluate", "expressions": list(expressions), "context": context}
        reply = self._ask(request, {}, where, places or {})
        origins = {key: tuple(path) for key, path in reply["origins"].items()}
        return Evaluated(values=reply["values"], origins=origins)

    def search(self, pattern: str, text: str, *, where: Location) -> bool:
        """Whether a regular expression that somebody else wrote is found in a text.

        Raises ConfigError at `where` for one that is invalid or takes too long.
        """
        return bool(self._ask({"op": "search", "pattern": pattern, "text": text}, {}, where)["found"])

    def render(
        self, bundle: Bundle, template: str, context: Mapping[str, Json], origins: Mapping[str, JsonPath]
    ) -> Rendered:
        """The text of a template with the origin of every line.

        Raises ConfigError at the template's line for undefined names, values printed without `tojson`, and limits.
        """
        where = Location(path=bundle.paths[template])
        self._load(bundle, where)
        request = {
            "op": "render",
            "bundle": bundle.digest,
            "template": template,
            "context": context,
            "origins": {key: list(path) for key, path in origins.items()},
        }
        reply = self._ask(request, bundle.paths, where)
        lines = tuple(
            Line(
                template=Location(path=bundle.paths.get(name or template, name), line=number),
                config=tuple(origin) if origin is not None else None,
            )
            for name, number, origin in reply["lines"]
        )
        values = tuple((start, end) for start, end in reply["values"])
        return Rendered(text=reply["text"], lines=lines, values=values)

    def _load(self, bundle: Bundle, where: Location) -> None:
        if self._child is None:
            self._loaded.clear()
        if bundle.digest not in self._loaded:
            self._ask({"op": "load", "bundle": bundle.digest, "files": bundle.files}, bundle.paths, where)
            self._loaded.add(bundle.digest)

    def _ask(
        self,
        request: Mapping[str, Any],
        paths: Mapping[str, str],
        where: Location,
        places: Mapping[str, Location] | None = None,
    ) -> dict[str, Any]:
        child = self._start()
        assert child.stdin is not None  # noqa: S101 - it was opened as a pipe
        try:
            child.stdin.write(json.dumps(request).encode() + b"\n")
            child.stdin.flush()
            reply: dict[str, Any] = json.loads(self._read(child, where))
        except (BrokenPipeError, ValueError) as error:
            self.close()
            raise _limits("its process ended", where) from error
        if "error" in reply:
            key = str(reply["error"].get("key"))
            raise _refused(reply["error"], paths, (places or {}).get(key, where))
        return reply

    def _start(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            self._child = subprocess.Popen(  # noqa: S603 - our own interpreter, isolated, with an empty environment
                [sys.executable, "-I", "-c", _CHILD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"PYTHONHASHSEED": "0"},
                cwd="/",
            )
        return self._child

    def _read(self, child: subprocess.Popen[bytes], where: Location) -> bytes:
        assert child.stdout is not None  # noqa: S101 - it was opened as a pipe
        descriptor, deadline, reply = child.stdout.fileno(), time.monotonic() + self._seconds, bytearray()
        while not reply.endswith(b"\n"):
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                self.close()
                raise _limits(f"it took longer than {self._seconds:g} seconds", where)
            piece = os.read(descriptor, 1 << 16)
            if not piece or len(reply) > _MAX_REPLY:
                self.close()
                raise _limits("its output or its memory has no end", where)
            reply += piece
        return bytes(reply)


def _limits(why: str, where: Location) -> ConfigError:
    return ConfigError(
        "The template was stopped", why=why, remedy="look for a loop or a repetition that grows", where=where
    )


def _refused(error: Mapping[str, Any], paths: Mapping[str, str], where: Location) -> ConfigError:
    name, line = error.get("template"), error.get("line")
    if isinstance(name, str) and isinstance(line, int):
        where = Location(path=paths.get(name, name), line=line)
    return ConfigError(
        f"The template cannot be rendered{' (' + error['key'] + ')' if error.get('key') else ''}",
        why=str(error["why"]),
        remedy="mend the product's template or expression",
        where=where,
    )
