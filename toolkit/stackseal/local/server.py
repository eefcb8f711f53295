"""The embedded AWS as a context manager: one loopback endpoint in front of ministack, moto and our own services."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import ClassVar, Final

from stackseal.errors import UsageError
from stackseal.local import ministack
from stackseal.local.clients import Clients
from stackseal.local.cloudformation.front import Front
from stackseal.local.cloudformation.hooks import Hooks
from stackseal.local.listener import Server
from stackseal.local.messages import Place
from stackseal.local.moto import Moto
from stackseal.local.router import Router
from stackseal.local.services.store import State

SECRET: Final = "embedded"  # noqa: S105 - the embedded AWS checks signatures of sessions only
_NO_CREDENTIALS_FILE: Final = "/dev/null"


class EmbeddedAws:
    """An AWS in this process that real boto3 talks to, bound to 127.0.0.1 and gone when the block ends.

    `account` is the account of `environ()`, whose caller may do everything; other accounts are reached by their
    12-digit id as access key or by assuming a role in them. With `enforce`, roles can do what their policies say and
    no more, also the role of a stack. Raises `UsageError` when this process already runs one: its state is global.
    """

    _running: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, *, account: str = "123456789012", region: str = "us-west-2", enforce: bool = True) -> None:
        self._home = Place(account=account, region=region)
        self._enforce = enforce

    def __enter__(self) -> EmbeddedAws:
        if not self._running.acquire(blocking=False):
            raise UsageError(
                "the embedded AWS cannot start",
                why="this process already runs one",
                remedy="use the running one's endpoint, or end it first",
            )
        try:
            self._start()
        except BaseException:
            self._running.release()
            raise
        return self

    def _start(self) -> None:
        self._state, self._moto = State(), Moto()
        self._loop = ministack.Loop(enforce=self._enforce)
        self._clients = Clients(lambda request: self._router.handle(request))
        self._hooks = Hooks(self._clients, enforce=self._enforce)
        front = Front(self._loop.call, self._hooks, enforce=self._enforce)
        self._router = Router(
            loop=self._loop, moto=self._moto, state=self._state, front=front, home=self._home, enforce=self._enforce
        )
        self._server = Server(self._router.handle)
        ministack.install(self._hooks)
        self._loop.start()
        self._loop.reset()
        self._server.start()

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        try:
            self._server.stop()
            self._loop.reset()
            self._moto.reset()
            self._loop.stop()
        finally:
            self._running.release()

    @property
    def endpoint_url(self) -> str:
        """`http://127.0.0.1:PORT`, for every service."""
        return self._server.url

    def environ(self) -> dict[str, str]:
        """The environment in which boto3, and anything that uses it, talks to this AWS and to nothing else."""
        return {
            "AWS_ACCESS_KEY_ID": self._home.account,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_CONFIG_FILE": _NO_CREDENTIALS_FILE,
            "AWS_DEFAULT_REGION": self._home.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self._home.region,
            "AWS_SHARED_CREDENTIALS_FILE": _NO_CREDENTIALS_FILE,
        }

    def reset(self) -> None:
        """Empties every service of every account; running stack operations are abandoned."""
        self._loop.reset()
        self._moto.reset()
        self._state.tables.clear()
