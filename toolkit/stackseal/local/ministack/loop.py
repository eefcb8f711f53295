"""ministack's application on an event loop of its own, called from any thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from stackseal.local.messages import Request, Response
from stackseal.local.ministack.inside import import_guard, module, silence, without_docker


class Loop:
    """ministack's event loop on a thread of its own; `call` is safe from any other thread."""

    def __init__(self, *, enforce: bool) -> None:
        self._app = module("ministack.app")
        self._app.AUTH = enforce
        self._loop = asyncio.new_event_loop()
        self._pool = concurrent.futures.ThreadPoolExecutor(max_workers=8, thread_name_prefix="embedded-aws")
        self._loop.set_default_executor(self._pool)
        self._thread = threading.Thread(target=self._run, name="embedded-aws-loop")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Cancels what is still running and joins the thread."""
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._pool.shutdown(wait=True)
        self._loop.close()

    async def _drain(self) -> None:
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if running:
            await asyncio.wait(running, timeout=10)
        await self._cancel_all()

    async def _cancel_all(self) -> None:
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def call(self, request: Request) -> Response:
        """ministack's answer to a request, as it would give it over HTTP."""
        return asyncio.run_coroutine_threadsafe(self._answer(request), self._loop).result(timeout=120)

    def reset(self) -> None:
        """Waits for what is running, then empties every service that was used."""
        asyncio.run_coroutine_threadsafe(self._drain(), self._loop).result(timeout=30)
        with import_guard, without_docker():
            self._app._reset_all_state()
        silence()

    async def _answer(self, request: Request) -> Response:
        head: dict[str, Any] = {}
        body = bytearray()
        sent = False

        async def receive() -> dict[str, Any]:
            nonlocal sent
            if sent:
                return {"type": "http.disconnect"}
            sent = True
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: Mapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                head.update(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))

        await self._app.app(_scope(request), receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.get("headers", [])}
        return Response(status=int(head.get("status", 500)), headers=headers, body=bytes(body))


def _scope(request: Request) -> dict[str, Any]:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": request.method,
        "path": unquote(request.raw_path),
        "raw_path": request.raw_path.encode("latin-1"),
        "query_string": request.query.encode("latin-1"),
        "headers": headers,
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
    }
