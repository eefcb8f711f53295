"""Which backend answers a request: CloudFormation's front, a service of our own, moto, or ministack."""

from __future__ import annotations

import logging

from stackseal.local import ministack, services
from stackseal.local.cloudformation.front import Front
from stackseal.local.messages import Place, Request, Response, ServiceError
from stackseal.local.moto import SERVICES as MOTO_SERVICES
from stackseal.local.moto import Moto
from stackseal.local.pipelines.runs import Runs
from stackseal.local.services.store import State

_log = logging.getLogger(__name__)


class Router:
    """Routes by the service name in the SigV4 scope. `front` and `runs` are set before the first request."""

    front: Front
    runs: Runs

    def __init__(self, *, loop: ministack.Loop, moto: Moto, state: State, home: Place, enforce: bool) -> None:
        self._loop, self._moto, self._state, self._home, self._enforce = loop, moto, state, home, enforce

    def handle(self, request: Request) -> Response:
        """The answer to a request; an error of ours is a 500 that says what happened."""
        try:
            return self._route(request)
        except ServiceError as error:
            return services.failure(error)
        except Exception as error:  # noqa: BLE001 - a server answers; the client sees what went wrong
            _log.debug("embedded AWS failed", exc_info=True)
            return services.failure(ServiceError("InternalFailure", f"The embedded AWS failed: {error!r}", 500))

    def _route(self, request: Request) -> Response:
        credential = request.credential
        if credential is None:
            return self._loop.call(request)
        service = credential.service
        place = Place(account=ministack.account_of(credential.access_key, self._home.account), region=credential.region)
        if service == "cloudformation":
            return self.front.handle(request, place, credential.access_key)
        if services.serves(service, request):
            return self._own(service, request, place, credential.access_key)
        if service in MOTO_SERVICES:
            return self._moto.call(request, place.account)
        return self._loop.call(request)

    def _own(self, service: str, request: Request, place: Place, access_key: str) -> Response:
        if self._enforce:
            action = f"{service}:{request.operation}"
            ministack.authorize(access_key, place, action, services.resource(service, place, request))
        self.runs.before(service, request, place)
        answer = services.answer(service, self._state, place, request)
        self.runs.after(service, request, place, answer)
        return answer
