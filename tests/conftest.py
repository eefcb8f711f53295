"""Guards for every test: no network but loopback, no credentials, no home directory of a person's.

Importing this module cleans the environment, before a test module can read it; so it holds for the processes that tests
start, too. The network guard is an audit hook (PEP 578): it sees every connection of this process at the level of C, a
library cannot have taken a reference past it, and nothing can remove it. It does not see child processes.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from stackseal.local import EmbeddedAws

_KEPT: Final = {"STACKSEAL_GOLDEN", "STACKSEAL_CHECKOV"}
_FOREIGN: Final = ("AWS_", "CODEBUILD_", "GITHUB_", "RUNNER_", "STACKSEAL_", "XDG_")
_SINGLE: Final = {"CI", "PYTHONDONTWRITEBYTECODE", "NO_COLOR", "FORCE_COLOR", "COLUMNS"}
_HOME: Final = tempfile.mkdtemp(prefix="stackseal-home-")
_ATTEMPTS: Final[list[str]] = []


class NetworkForbidden(RuntimeError):  # noqa: N818 - reads as a sentence where it is raised
    """A test tried to leave this machine."""


def _clean(environ: dict[str, str] | os._Environ[str]) -> None:
    """Take out of the environment what belongs to the person or the CI that runs the tests."""
    for key in list(environ):
        if (key.startswith(_FOREIGN) and key not in _KEPT) or key in _SINGLE:
            del environ[key]
    environ |= {"HOME": _HOME, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse an address or a name that is not this machine's."""
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # AF_UNIX has a path, AF_NETLINK numbers
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    if isinstance(host, str) and not _local(host):
        _ATTEMPTS.append(f"{event} {host}")
        raise NetworkForbidden(f"a test may not leave this machine: {event} {host}; pass the outside in")


def _local(host: str) -> bool:
    if host in {"", "localhost"}:
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


_clean(os.environ)
sys.addaudithook(_guard)


@pytest.fixture(autouse=True)
def only_this_machine() -> Iterator[None]:
    """Fails a test that tried to reach the network, even where the code swallowed the refusal."""
    before = len(_ATTEMPTS)
    yield
    tried, _ATTEMPTS[before:] = _ATTEMPTS[before:], []
    if tried:
        pytest.fail(f"the test tried to leave this machine: {', '.join(tried)}")


@pytest.fixture(scope="session")
def embedded_aws() -> Iterator[EmbeddedAws]:
    """The embedded AWS, started once in each worker; its state is whatever the last test left. Prefer `aws`."""
    from stackseal.local import EmbeddedAws  # costs a second; most tests do without

    with EmbeddedAws() as running:
        yield running


@pytest.fixture
def aws(embedded_aws: EmbeddedAws) -> EmbeddedAws:
    """An empty embedded AWS. One AWS serves a process: a second `EmbeddedAws()` is another door to this one."""
    embedded_aws.reset()
    return embedded_aws


def pytest_unconfigure() -> None:
    """The scratch home goes with the session."""
    shutil.rmtree(_HOME, ignore_errors=True)
