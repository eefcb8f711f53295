"""GitHub's API as we use it: waits where GitHub says so, repeats what may be repeated, turns refusals into sentences.

Sources: GitHub's "Rate limits for the REST API" (Retry-After, else x-ratelimit-reset, else at least a minute and then
exponentially), "Using pagination in the REST API", "Troubleshooting the REST API".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from stackseal.errors import Failed, Unknown
from stackseal.hosts.github_errors import Rejected, rejected
from stackseal.hosts.github_http import GRAPHQL, Lost, Reply, Transport

ATTEMPTS: Final = 6
"""How often one request is sent at most."""
PATIENCE: Final = 900.0
"""Seconds that one request may wait in all: a job of CI that waits for an hour is no use to anybody."""
MINUTE: Final = 60.0
_PAGES: Final = 1_000


class Unsure(Unknown):
    """A write that GitHub may or may not have executed; the caller looks and decides."""


class Client:
    """A repository-independent client. `sleep` takes seconds, `now` is an aware time of day."""

    def __init__(self, transport: Transport, *, sleep: Callable[[float], None], now: Callable[[], datetime]) -> None:
        self.transport, self.sleep, self.now = transport, sleep, now

    def get(self, path: str, *, doing: str, **query: str | int) -> Any:
        """The JSON of a GET request."""
        return self.send("GET", path, doing=doing, query=query).data

    def pages(self, path: str, *, doing: str, **query: str | int) -> Iterator[Mapping[str, Any]]:
        """Every item of a list, a hundred per request."""
        for page in range(1, _PAGES):
            reply = self.send("GET", path, doing=doing, query={**query, "per_page": 100, "page": page})
            if not isinstance(reply.data, list):
                raise Failed(f"GitHub could not {doing}", why="its answer is no list", remedy="check GITHUB_API_URL")
            yield from reply.data
            if 'rel="next"' not in reply.headers.get("link", ""):
                return
        raise Failed(f"GitHub could not {doing}", why=f"the list has more than {_PAGES} pages")

    def write(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, doing: str) -> Any:
        """The JSON of a POST, PUT, PATCH or DELETE request."""
        return self.send(method, path, doing=doing, body=body).data

    def graphql(self, query: str, variables: Mapping[str, Any], *, doing: str) -> Mapping[str, Any]:
        """The `data` of a GraphQL request.

        Raises Rejected for errors, which GraphQL reports with status 200.
        """
        reply = self.send(
            "POST", GRAPHQL, doing=doing, body={"query": query, "variables": dict(variables)}, repeatable=True
        )
        if not isinstance(reply.data, Mapping):
            raise Failed(f"GitHub could not {doing}", why="its answer is no object", remedy="check GITHUB_API_URL")
        if errors := reply.data.get("errors"):
            status = 404 if errors[0].get("type") == "NOT_FOUND" else 403
            answer = Reply(status=status, data={"message": str(errors[0].get("message", ""))}, headers=reply.headers)
            raise rejected("POST", GRAPHQL, answer, doing)
        found: Mapping[str, Any] = reply.data["data"]
        return found

    def send(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Mapping[str, str | int] | None = None,
        body: Any = None,
        repeatable: bool | None = None,
    ) -> Reply:
        """A request until it is answered. `doing` ends the sentence "GitHub refused to …".

        A POST is repeated only where GitHub says that it was not executed, unless `repeatable`. Raises Rejected for
        every other answer than a success, Failed when the rate limit outlasts our patience, Unsure when a
        write was lost.
        """
        again = method != "POST" if repeatable is None else repeatable
        waited, why = 0.0, ""
        for turn in range(ATTEMPTS):
            reply = self._once(method, path, query or {}, body)
            if reply is not None and 200 <= reply.status < 300:
                return reply
            limited = reply is not None and is_limited(reply)
            lost = reply is None or reply.status >= 500
            if reply is not None and not limited and not lost:
                raise rejected(method, path, reply, doing)
            why = "of the rate limit" if limited else _lost_because(reply)
            if lost and not again:
                break
            pause = wait(reply, turn, self.now())
            if turn + 1 == ATTEMPTS or waited + pause > PATIENCE:
                break
            self.sleep(pause)
            waited += pause
        if method == "GET" or repeatable or limited:
            raise Failed(
                f"GitHub could not {doing}", why=f"{why}, after {turn + 1} tries", remedy="run it again in some minutes"
            )
        raise Unsure(f"Nobody knows whether GitHub did {doing}", why=why, remedy="run it again")

    def _once(self, method: str, path: str, query: Mapping[str, str | int], body: Any) -> Reply | None:
        try:
            return self.transport.send(method, path, query, body)
        except Lost:
            return None


def _lost_because(reply: Reply | None) -> str:
    return "the connection was lost" if reply is None else f"GitHub answered {reply.status}"


def is_limited(reply: Reply) -> bool:
    """Whether a refusal is about the rate: then the request was not executed and may be repeated."""
    if reply.status not in {403, 429}:
        return False
    message = str(reply.data.get("message", "")).lower() if isinstance(reply.data, Mapping) else ""
    return (
        reply.status == 429
        or "retry-after" in reply.headers
        or reply.headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in message
    )


def wait(reply: Reply | None, turn: int, now: datetime) -> float:
    """Seconds until the next try, the first of which is turn 0."""
    if reply is None or reply.status >= 500:
        return float(2**turn)
    after = reply.headers.get("retry-after", "")
    if after.isdigit():
        return float(after)
    reset = reply.headers.get("x-ratelimit-reset", "")
    if reply.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(0.0, int(reset) - server_time(reply, now).timestamp()) + 1
    return MINUTE * float(2**turn)


def server_time(reply: Reply, now: datetime) -> datetime:
    """GitHub's own time of day; our clock's where GitHub does not say."""
    try:
        return parsedate_to_datetime(reply.headers["date"])
    except (KeyError, ValueError):
        return now


__all__ = ["Client", "Rejected", "Unsure", "is_limited", "server_time", "wait"]
