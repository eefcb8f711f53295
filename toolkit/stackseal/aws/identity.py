"""The identity that GitHub gives a job: a token for STS, asked for when it is needed, because it lives for minutes.

Source: GitHub's "OpenID Connect reference": ACTIONS_ID_TOKEN_REQUEST_URL, ACTIONS_ID_TOKEN_REQUEST_TOKEN, `audience`.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Final

from stackseal.aws.errors import AwsFailed

AUDIENCE: Final = "sts.amazonaws.com"
_SECONDS: Final = 30
_WHAT: Final = "could not get this job's identity from GitHub"


def github(environ: Mapping[str, str]) -> Callable[[], str] | None:
    """A function that fetches a new token; None where the job has none (no `id-token: write`, or not on GitHub)."""
    url, secret = environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"), environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not url or not secret:
        return None
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise AwsFailed(
            _WHAT, why="the address in ACTIONS_ID_TOKEN_REQUEST_URL is not HTTPS", remedy="check the runner"
        )
    return lambda: _fetch(f"{url}{'&' if '?' in url else '?'}audience={AUDIENCE}", secret)


def _fetch(url: str, secret: str) -> str:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {secret}", "Accept": "application/json"})  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            value = json.load(answer)["value"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it holds the connection
        reason = " ".join(str(error).split()) or type(error).__name__
        raise AwsFailed(_WHAT, why=reason, remedy="run the job again; it needs `id-token: write`") from error
    if not isinstance(value, str) or not value:
        raise AwsFailed(_WHAT, why="the answer holds no token", remedy="run the job again")
    return value
