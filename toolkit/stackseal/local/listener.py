"""A small HTTP/1.1 server on the loopback address: a thread per connection, closed without a trace."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from stackseal.local.messages import Request, Response

LOOPBACK: Final = "127.0.0.1"
Handler = Callable[[Request], Response]


class Server(ThreadingHTTPServer):
    """Answers every request with `handler`; remembers its connections so that it can end them."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__((LOOPBACK, 0), _Connection)
        self._thread = threading.Thread(target=self._serve, name="embedded-aws-http")

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_address[1]}"

    def _serve(self) -> None:
        self.serve_forever(poll_interval=0.05)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends open connections, joins every thread and frees the port."""
        self.shutdown()
        with self._guard:
            waiting = list(self._open)
        for connection in waiting:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error of ours."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def _answer(self) -> None:
        body = self._chunked() if "chunked" in self.headers.get("Transfer-Encoding", "") else self._sized()
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        request = Request(method=self.command, target=self.path, headers=headers, body=body)
        self._send(self.server.handler(request))

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _answer  # noqa: N815 - http.server's names

    def _sized(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunked(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _send(self, response: Response) -> None:
        skipped = {"connection", "transfer-encoding", "date", "server"}
        headers = {name: value for name, value in response.headers.items() if name.lower() not in skipped}
        if not any(name.lower() == "content-length" for name in headers) and response.status != 204:
            headers["Content-Length"] = str(len(response.body))
        lines = [f"HTTP/1.1 {response.status} -"] + [f"{name}: {value}" for name, value in headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self.wfile.write(head + (b"" if self.command == "HEAD" else response.body))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Quiet: the toolkit's own output is the only one."""
