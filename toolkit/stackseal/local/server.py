"""The embedded AWS as a context manager: one loopback endpoint in front of ministack, moto and our own services."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
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
from stackseal.local.pipelines.runs import Runs
from stackseal.local.router import Router
from stackseal.local.services import codeconnections
from stackseal.local.services.store import State

SECRET: Final = "embedded"  # noqa: S105 - the embedded AWS checks the signatures of sessions only
_NOTHING: Final = "/dev/null"


class _Running:
    """Everything that runs; there is at most one in a process, because the emulators' state is global."""

    def __init__(self, home: Place, *, enforce: bool) -> None:
        self.enforce, self.users = enforce, 0
        self._state, self._moto = State(), Moto()
        self._loop = ministack.Loop(enforce=enforce)
        self._router = Router(loop=self._loop, moto=self._moto, state=self._state, home=home, enforce=enforce)
        clients = Clients(self._router.handle)
        hooks = Hooks(clients, enforce=enforce)
        self._router.runs = Runs(self._state, clients, enforce=enforce)
        self._front = Front(self._loop.call, hooks, enforce=enforce)
        self._router.front = self._front
        ministack.install(hooks)
        self._loop.start()
        try:
            self.reset()
            self._server = Server(self._router.handle)
            self._server.start()
        except BaseException:
            self._loop.stop()
            raise

    @property
    def url(self) -> str:
        return self._server.url

    def reset(self) -> None:
        self._front.reset()
        self._loop.reset()
        self._moto.reset()
        self._state.tables.clear()
        ministack.CLOCK.reset()

    def confirm(self, connection: str) -> None:
        parts = connection.split(":")
        codeconnections.confirm(self._state, Place(account=parts[4], region=parts[3]), connection)

    def delay_roles(self, times: Mapping[str, int], place: Place) -> None:
        self._front.late.begin(times, place)

    def stop(self) -> None:
        self._server.stop()
        self.reset()
        self._loop.stop()


class EmbeddedAws:
    """An AWS in this process that real boto3 talks to, bound to 127.0.0.1 and gone when the block ends.

    `account` is the account of `environ()`, whose caller may do everything; other accounts are reached by their
    12-digit id as access key, or by assuming a role in them. With `enforce`, roles can do what their policies say and
    no more, also the role of a stack. A second one in the same process is another door to the first one's state;
    it raises `UsageError` when it differs in `enforce`.
    """

    _guard: ClassVar[threading.Lock] = threading.Lock()
    _running: ClassVar[_Running | None] = None

    def __init__(self, *, account: str = "123456789012", region: str = "us-west-2", enforce: bool = True) -> None:
        self._home = Place(account=account, region=region)
        self._enforce = enforce

    def __enter__(self) -> EmbeddedAws:
        with self._guard:
            running = EmbeddedAws._running or _Running(self._home, enforce=self._enforce)
            if running.enforce != self._enforce:
                raise UsageError(
                    "the embedded AWS cannot start",
                    why="this process already runs one with another setting of enforce",
                    remedy="end it first",
                )
            running.users += 1
            EmbeddedAws._running = self._mine = running
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        with self._guard:
            self._mine.users -= 1
            if self._mine.users == 0:
                EmbeddedAws._running = None
                self._mine.stop()

    @property
    def endpoint_url(self) -> str:
        """`http://127.0.0.1:PORT`, for every service."""
        return self._mine.url

    def environ(self) -> dict[str, str]:
        """The environment in which boto3, and anything that uses it, talks to this AWS and to nothing else."""
        return {
            "AWS_ACCESS_KEY_ID": self._home.account,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_CONFIG_FILE": _NOTHING,
            "AWS_DEFAULT_REGION": self._home.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self._home.region,
            "AWS_SHARED_CREDENTIALS_FILE": _NOTHING,
        }

    def confirm_connection(self, arn: str) -> None:
        """What a person does in the console: a connection of CodeConnections becomes AVAILABLE."""
        self._mine.confirm(arn)

    def delay_roles(self, **times: int) -> None:
        """From now on CloudFormation cannot take a role at once that is made or changed, as on AWS now and then.

        Each is refused so many times by each operation: `delay_roles(CreateChangeSet=2, ExecuteChangeSet=1)`; until
        `reset`.
        """
        self._mine.delay_roles(times, self._home)

    def tell_time(self, now: Callable[[], float]) -> None:
        """From now on sessions and identity tokens end by this clock, in seconds since 1970; until `reset`."""
        ministack.CLOCK.told = now

    def reset(self) -> None:
        """Empties every service of every account, after what is still running has ended."""
        self._mine.reset()
