"""The identity that GitHub gives a job: a token for STS, asked for when it is needed, because it lives for minutes.

Source: GitHub's "OpenID Connect reference": ACTIONS_ID_TOKEN_REQUEST_URL, ACTIONS_ID_TOKEN_REQUEST_TOKEN, `audience`.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Final
from urllib.parse import urlsplit

from stackseal.errors import Failed
from stackseal.hosts.base import Badge

AUDIENCE: Final = "sts.amazonaws.com"
ATTEMPTS: Final = 5
_SECONDS: Final = 30
_LIMIT: Final = 65_536
_WHAT: Final = "GitHub gave this job no identity"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class _Repeatable(Exception):  # noqa: N818 - never leaves this module
    """The next try may succeed."""


def badge(env: Mapping[str, str], sleep: Callable[[float], None]) -> Badge | None:
    """The job's identity; None where it has none (no `id-token: write`, or not on GitHub).

    Raises Failed for an address over which the job's secret would travel in the clear.
    """
    url, secret = env.get("ACTIONS_ID_TOKEN_REQUEST_URL"), env.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not url or not secret:
        return None
    found = urlsplit(url)
    if found.scheme != "https" and not (found.scheme == "http" and found.hostname in _LOOPBACK):
        raise Failed(_WHAT, why="the address in ACTIONS_ID_TOKEN_REQUEST_URL is not HTTPS", remedy="check the runner")
    whole = f"{url}{'&' if '?' in url else '?'}audience={AUDIENCE}"
    run = "-".join(env[key] for key in ("GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT") if env.get(key))
    return Badge(token=lambda: _token(whole, secret, sleep), run=run)


def _token(url: str, secret: str, sleep: Callable[[float], None]) -> str:
    """A new token; what may have been an accident is tried again after 1, 2, 4 and 8 seconds.

    Raises Failed with GitHub's reason, and never with the secret or the token in it.
    """
    why = ""
    for turn in range(ATTEMPTS):
        try:
            return _fetched(url, secret)
        except _Repeatable as error:
            why = str(error)
        if turn + 1 < ATTEMPTS:
            sleep(float(2**turn))
    raise Failed(_WHAT, why=f"{why}, after {ATTEMPTS} tries", remedy="run the job again in some minutes")


def _fetched(url: str, secret: str) -> str:
    headers = {"Authorization": f"Bearer {secret}", "Accept": "application/json; api-version=2.0"}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - `badge` has looked at the scheme
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - the same
            text = answer.read(_LIMIT)
    except urllib.error.HTTPError as error:
        error.close()  # it holds the connection
        if error.code >= 500 or error.code in {408, 429}:
            raise _Repeatable(f"it answered {error.code}") from error
        remedy = "run the job again; its `permissions:` need `id-token: write`, and so do its caller's"
        raise Failed(_WHAT, why=f"it answered {error.code}", remedy=remedy) from error
    except (OSError, HTTPException, ValueError) as error:
        raise _Repeatable(f"it could not be reached ({type(error).__name__})") from error
    return _value(text)


def _value(text: bytes) -> str:
    """The token of an answer; only what looks like one, because it is written into a workflow command to mask it."""
    try:
        value = json.loads(text)["value"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Failed(_WHAT, why="its answer holds no token", remedy="run the job again") from error
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise Failed(_WHAT, why="its answer holds no token", remedy="run the job again")
    return value
