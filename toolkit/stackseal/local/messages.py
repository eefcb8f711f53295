"""A request and a response of the embedded AWS as values, and who sent the request from where."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, unquote

_CREDENTIAL: Final = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True, kw_only=True, order=True)
class Place:
    """Where something lives: two places never see each other."""

    account: str
    region: str
    partition: str = "aws"


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What the SigV4 scope of a request says."""

    access_key: str
    region: str
    service: str


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request; header names are lower case, `target` is the raw path with its query."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def raw_path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def path(self) -> str:
        return unquote(self.raw_path)

    @property
    def credential(self) -> Credential | None:
        """Header signatures, then presigned queries; None for an unsigned request."""
        scope = self.headers.get("authorization", "")
        if not scope and "X-Amz-Credential" in self.query:
            scope = "Credential=" + parse_qs(self.query).get("X-Amz-Credential", [""])[0]
        found = _CREDENTIAL.search(scope)
        if found is None:
            return None
        return Credential(access_key=found[1], region=found[2], service=found[3])

    @property
    def operation(self) -> str:
        """The operation of a JSON request: `X-Amz-Target` without its prefix."""
        return self.headers.get("x-amz-target", "").rpartition(".")[2]

    def form(self) -> dict[str, str]:
        """The parameters of a Query request."""
        text = self.body.decode() if self.body else self.query
        return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}

    def json(self) -> dict[str, Any]:
        """The parameters of a JSON request."""
        found: dict[str, Any] = json.loads(self.body or b"{}")
        return found


@dataclass(frozen=True, kw_only=True)
class Response:
    """One HTTP response."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def ok(self) -> bool:
        return self.status < 300


class ServiceError(Exception):
    """An error that an AWS service answers with; becomes an HTTP response, never a traceback."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        self.code, self.message, self.status = code, message, status
        super().__init__(f"{code}: {message}")
