"""moto, for the services that ministack lacks; imported when the first request for one arrives."""

from __future__ import annotations

import io
import threading
import warnings
from typing import Any, Final

from stackseal.local.messages import Request, Response

SERVICES: Final = frozenset(
    {
        "access-analyzer",
        "application-autoscaling",
        "codedeploy",
        "guardduty",
        "kafka",
        "sagemaker",
        "securityhub",
        "service-quotas",
        "servicecatalog",
        "servicequotas",
        "shield",
    }
)
"""SigV4 names of the services that go to moto."""


class Moto:
    """moto's WSGI application, called on the thread of the request."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._application: Any = None

    def _loaded(self) -> Any:
        with self._guard:
            if self._application is None:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
                self._application = DomainDispatcherApplication(create_backend_app)
            return self._application

    def call(self, request: Request, account: str) -> Response:
        """moto's answer, in the name of an account."""
        status: list[str] = []
        headers: dict[str, str] = {}

        def start_response(line: str, given: list[tuple[str, str]], *_: Any) -> None:
            status.append(line)
            headers.update(given)

        environ = _environ(request, account)
        body = b"".join(self._loaded()(environ, start_response))
        return Response(status=int(status[-1].split()[0]), headers=headers, body=body)

    def reset(self) -> None:
        """Empties moto, if it was used at all."""
        if self._application is not None:
            from moto.core.base_backend import BackendDict

            for backends in list(BackendDict._instances):
                for regions in list(backends.values()):
                    for backend in list(regions.values()):
                        backend.reset()


def _environ(request: Request, account: str) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in {**request.headers, "x-moto-account-id": account}.items():
        key = name.upper().replace("-", "_")
        environ["CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return environ
