"""Real HTTP on 127.0.0.1: threaded, silent, gone without a trace when it is stopped."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl

from fakes.github.app import App, Dropped
from fakes.github.exchange import Reply, Request

GHES: Final = "/api/v3"
"""Base path of the REST API on a GitHub Enterprise Server; its GraphQL is at /api/graphql."""


class Server:
    """Serves an app until it is stopped; `url` has the port that the system gave."""

    def __init__(self, app: App) -> None:
        self._app = app
        app.closing.clear()
        self._http = _Http(app)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def stop(self) -> None:
        """Close every connection, wait for every thread."""
        self._app.closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.hang_up()
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, app: App) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.app = app
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the server's own signature
        """A client that went away is none of our business; everything else is a defect of the fake."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):
            self.app.defects.append(f"the server failed: {error!r}")

    def hang_up(self) -> None:
        """End the connections that clients keep open."""
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "github.com", ""
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet for head and body
    server: _Http

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = self._request(self.rfile.read(length))
        try:
            reply = self.server.app.answer(request)
        except Dropped:
            self._reset()
            return
        except Exception as error:  # noqa: BLE001 - whatever breaks in a handler is the fake's defect, and a 500
            self.server.app.defects.append(f"{request.method} {request.path}: {error!r}")
            reply = Reply(status=500, body={"message": repr(error)})
        self._send(reply)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - the names that http.server calls

    def _request(self, raw: bytes) -> Request:
        path, _, query = self.path.partition("?")
        base = f"http://{self.headers.get('Host', '127.0.0.1')}"
        if path.startswith(f"{GHES}/") or path == GHES:
            path, base = path.removeprefix(GHES) or "/", base + GHES
        return Request(
            method=self.command,
            path=path,
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            raw=raw,
            base=base,
        )

    def _send(self, reply: Reply) -> None:
        content = reply.body if isinstance(reply.body, bytes) else b""
        if reply.body is not None and not content:
            content = json.dumps(reply.body).encode()
        self.send_response(reply.status)
        headers = {"Content-Type": "application/json; charset=utf-8", "X-GitHub-Request-Id": "FAKE", **reply.headers}
        if reply.status not in {204, 304}:
            headers["Content-Length"] = str(len(content))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if reply.status not in {204, 304}:
            self.wfile.write(content)
        self.wfile.flush()

    def _reset(self) -> None:
        """Close so that the client's system reports a reset, not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()  # in fact when the handler lets go of its files, a moment later

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002 - http.server's own signature
        """The fake's time: a client that reads the Date header sees the clock that the limits of rate go by."""
        return format_datetime(self.server.app.world.clock.time, usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Silence; `GitHubFake.calls` is the log."""
