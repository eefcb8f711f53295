"""What goes wrong on purpose: one scripted fault after another, each for the next call that it concerns."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from fakes.github.exchange import Reply

_SECONDARY: Final = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to "
    "GitHub Support for help, please include the request ID."
)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault.

    `drop` closes the connection with a reset: "before" the call is carried out, or "after" it, so that the client does
    not know; `delay` is in seconds and comes first; `reply` replaces the call.
    """

    reply: Reply | None = None
    delay: float = 0.0
    drop: Literal["before", "after"] | None = None
    operation: str = ""
    """Only this operation (`issues/create-comment`); empty is any."""
    method: str = ""


@dataclass
class Faults:
    """The script. Faults of other operations wait until theirs is called."""

    waiting: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, fault: Fault, *, times: int = 1, operation: str = "", method: str = "") -> None:
        """Let the next call (of an operation or method, if given) meet a fault; `times` calls in a row."""
        with self._lock:
            chosen = replace(fault, operation=operation or fault.operation, method=method or fault.method)
            self.waiting.extend([chosen] * times)

    def take(self, operation: str, method: str) -> Fault | None:
        """The fault for this call, which then is done."""
        with self._lock:
            for index, fault in enumerate(self.waiting):
                if fault.operation in {"", operation} and fault.method in {"", method}:
                    return self.waiting.pop(index)
        return None


def status(code: int, message: str = "", headers: Mapping[str, str] | None = None) -> Fault:
    """An answer of the servers in front of GitHub: 500, 502, 503, …"""
    words = {500: "Internal Server Error", 502: "Server Error", 503: "Service Unavailable", 504: "Gateway Timeout"}
    return Fault(reply=Reply(status=code, body=_body(message or words.get(code, "Error")), headers=headers or {}))


def page(code: int = 502) -> Fault:
    """An error that is an HTML page instead of JSON, as GitHub's unicorn is."""
    return Fault(
        reply=Reply(status=code, body=b"<html><body>Unicorn!</body></html>", headers={"Content-Type": "text/html"})
    )


def secondary_limit(retry_after: int | None = 60, code: int = 403) -> Fault:
    """The secondary rate limit, with or without Retry-After (seconds); 403 and 429 both occur."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Fault(reply=Reply(status=code, body=_body(_SECONDARY), headers=headers))


def slow(seconds: float) -> Fault:
    """An answer that takes its time."""
    return Fault(delay=seconds)


def reset(when: Literal["before", "after"] = "before") -> Fault:
    """A connection that is reset before, or after, the call was carried out."""
    return Fault(drop=when)


def _body(message: str) -> dict[str, Any]:
    return {"message": message, "documentation_url": "https://docs.github.com/rest"}
