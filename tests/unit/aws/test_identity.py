"""The token that GitHub gives a job, from a server that speaks like GitHub's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from stackseal.aws.errors import AwsFailed
from stackseal.aws.identity import github


class GitHub(HTTPServer):
    """Answers every request with `body` and remembers what was asked."""

    body, status = b'{"count": 1, "value": "jwt.jwt.jwt"}', 200

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def environ(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.server_port}/token?api-version=2.0"
        return {"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "job-secret"}


class Handler(BaseHTTPRequestHandler):
    server: GitHub

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers["Authorization"]))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[GitHub]:
    with GitHub() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def test_a_new_token_is_fetched_each_time(server: GitHub) -> None:
    token = github(server.environ)
    assert token is not None
    assert [token(), token()] == ["jwt.jwt.jwt"] * 2
    assert server.seen == [("/token?api-version=2.0&audience=sts.amazonaws.com", "Bearer job-secret")] * 2


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b""), (403, b"no"), (200, b"not json"), (200, b"{}"), (200, b"[]"), (200, b'{"value": ""}'), (200, b"")],
)
def test_no_token_is_a_clear_failure_without_the_secret(server: GitHub, status: int, body: bytes) -> None:
    server.status, server.body = status, body
    token = github(server.environ)
    assert token is not None
    with pytest.raises(AwsFailed, match="identity from GitHub") as raised:
        token()
    assert "job-secret" not in str(raised.value)


def test_a_server_that_is_not_there_is_a_clear_failure() -> None:
    token = github({"ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:1/x", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "s"})
    assert token is not None
    with pytest.raises(AwsFailed, match="id-token: write"):
        token()


def test_without_github_there_is_no_token() -> None:
    assert github({}) is None
    assert github({"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x"}) is None


def test_the_secret_is_sent_over_https_only() -> None:
    for url in ("http://example.com/x", "file:///etc/passwd", "ftp://x"):
        with pytest.raises(AwsFailed, match="not HTTPS"):
            github({"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "s"})
