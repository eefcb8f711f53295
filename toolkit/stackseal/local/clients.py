"""boto3 clients for our own resource handlers: the same calls as over HTTP, without a socket."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from stackseal.local.messages import Place, Request, Response


class _Raw(io.BytesIO):
    """What botocore expects of urllib3's response."""

    def stream(self, *_sizes: Any, **_options: Any) -> Iterator[bytes]:
        yield self.read()


class Clients:
    """One client per service and place, made when first used; answers come from `send`."""

    def __init__(self, send: Callable[[Request], Response]) -> None:
        from botocore.session import Session

        self._send = send
        self._session = Session()
        self._known: dict[tuple[str, Place], Any] = {}
        self._guard = threading.Lock()

    def get(self, service: str, place: Place) -> Any:
        """The client, signed as the account itself."""
        with self._guard:
            if (service, place) not in self._known:
                self._known[service, place] = self._make(service, place)
            return self._known[service, place]

    def _make(self, service: str, place: Place) -> Any:
        from botocore.config import Config

        client = self._session.create_client(
            service,
            region_name=place.region,
            endpoint_url="http://127.0.0.1",
            aws_access_key_id=place.account,
            aws_secret_access_key="embedded",  # noqa: S106 - every account of the embedded AWS has this one
            config=Config(
                retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, parameter_validation=False
            ),
        )
        client.meta.events.register("before-send.*.*", self._before_send)
        return client

    def _before_send(self, request: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        headers = {
            name.lower(): value.decode("latin-1") if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        headers["host"] = "127.0.0.1"
        body = request.body or b""
        if hasattr(body, "read"):
            body = body.read()
        content = body.encode() if isinstance(body, str) else bytes(body)
        target = request.url.removeprefix("http://127.0.0.1") or "/"
        answer = self._send(Request(method=request.method, target=target, headers=headers, body=content))
        return AWSResponse(request.url, answer.status, _headers(answer.headers), _Raw(answer.body))


def _headers(headers: Mapping[str, str]) -> Any:
    from botocore.awsrequest import HeadersDict

    return HeadersDict(headers)
