"""An issuer of job identities for tests: what GitHub serves at ACTIONS_ID_TOKEN_REQUEST_URL, with any claims.

Tokens are JSON web tokens without a signature (`alg: none`), because the embedded AWS checks none. Claims and their
form: GitHub Docs, "OpenID Connect reference".
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

ISSUER: Final = "https://token.actions.githubusercontent.com"
SECRET: Final = "job-secret-0123456789"
LIFE: Final = 300
"""Seconds that a token of GitHub's is good for."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as GitHub describes it in a token."""

    end: str
    """The end of `sub`: `pull_request`, `ref:refs/heads/main`, `environment:prod`."""
    workflow: str
    """The reusable workflow that the job is in: `stackseal/stackseal/.github/workflows/review.yml@refs/tags/v1`."""
    repository: str = "techcorp/ml-infrastructure"
    repository_id: str = "2000001"
    owner_id: str = "1000001"
    immutable: bool = False
    """`sub` names owner and repository with their ids, as those made since July 2026 do."""

    def claims(self) -> dict[str, Any]:
        """What the token says, without audience and times."""
        owner, _, name = self.repository.partition("/")
        plain = f"repo:{self.repository}"
        subject = f"repo:{owner}@{self.owner_id}/{name}@{self.repository_id}" if self.immutable else plain
        found = {
            "iss": ISSUER,
            "sub": f"{subject}:{self.end}",
            "repository": self.repository,
            "repository_id": self.repository_id,
            "repository_owner": owner,
            "repository_owner_id": self.owner_id,
            "job_workflow_ref": self.workflow,
            "event_name": "pull_request" if self.end == "pull_request" else "push",
            "runner_environment": "github-hosted",
        }
        kind, _, value = self.end.partition(":")
        return {**found, **({"environment": value} if kind == "environment" else {})}


def signed_by_nobody(claims: Mapping[str, Any]) -> str:
    """A JSON web token with `alg: none`."""
    parts = ({"typ": "JWT", "alg": "none"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


class Issuer:
    """Serves while it is entered. `job` is whose identity it gives; `faults` are answered first, one for a request."""

    def __init__(self, job: Job, now: Callable[[], float] = time.time) -> None:
        self.job, self.life, self.now = job, LIFE, now
        self.faults: list[tuple[int, bytes]] = []
        self.asked: list[str] = []
        """The audience of every request."""
        self.tokens: list[str] = []
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def environ(self) -> dict[str, str]:
        """What a job with `id-token: write` finds in its environment."""
        assert self._server
        url = f"http://127.0.0.1:{self._server.server_port}/job/token?api-version=2.0"
        return {"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": SECRET}

    def token(self, audience: str) -> str:
        """A new token of the job."""
        now = int(self.now())
        times = {"iat": now, "nbf": now - 5, "exp": now + self.life, "jti": f"{len(self.tokens)}"}
        made = signed_by_nobody({**self.job.claims(), "aud": audience, **times})
        self.tokens.append(made)
        return made


class _Server(ThreadingHTTPServer):
    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        issuer, url = self.server.issuer, urlsplit(self.path)
        query = parse_qs(url.query)
        audience = query.get("audience", [""])[0]
        issuer.asked.append(audience)
        if issuer.faults:
            self._send(*issuer.faults.pop(0))
        elif self.headers["Authorization"] != f"Bearer {SECRET}":
            self._send(401, b'{"message": "unauthorized"}')
        elif query.get("api-version") != ["2.0"] or not audience:
            self._send(400, b'{"message": "bad request"}')
        else:
            value = issuer.token(audience)
            self._send(200, json.dumps({"count": len(value), "value": value}).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Keep quiet."""
