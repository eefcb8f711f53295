"""Alone with a comment, although GitHub has no conditional write: a reaction is the lock.

Setting a reaction answers 201 to the one who sets it and 200 to everybody else, with the time at which it was set
(GitHub's "Create reaction for an issue comment"); it notifies nobody and needs what commenting needs. A run that is
cancelled leaves its lock behind, so one that is older than `STALE` is taken away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from stackseal.errors import StacksealError
from stackseal.hosts.github_api import Client, Rejected, Unsure, server_time
from stackseal.hosts.github_http import Reply

REACTION: Final = "eyes"
STALE: Final = 120.0
"""Seconds: longer than a publication takes, its own waits for the rate limit apart."""
_POLLS: Final = 24
"""More than `STALE` in all."""


@contextmanager
def locked(client: Client, comment: str) -> Iterator[None]:
    """Nobody else who asks is in here for the same comment (its API path).

    Where reactions are refused, the comment is gone or the lock is not to be had in time, the block runs without it.
    """
    path = f"{comment}/reactions"
    try:
        lock = _take(client, path)
    except Rejected:
        lock = None
    try:
        yield
    finally:
        if lock is not None:
            _give_back(client, f"{path}/{lock}")


def _take(client: Client, path: str) -> int | None:
    for turn in range(_POLLS):
        try:
            reply = client.send("POST", path, doing="mark the comment", body={"content": REACTION})
        except Unsure:
            reply = None  # it may be set now, by us or by others: whoever it was, it is stale in two minutes
        if reply is not None and reply.status == 201:
            return int(reply.data["id"])
        if reply is not None and _age(reply, client.now()) > STALE:
            _give_back(client, f"{path}/{int(reply.data['id'])}")  # by its id: a lock that was set since stays
            continue
        client.sleep(min(2.0 * (turn + 1), 10.0))
    return None


def _give_back(client: Client, path: str) -> None:
    """Where this fails the lock becomes stale."""
    try:
        client.write("DELETE", path, doing="unmark the comment")
    except StacksealError:
        return


def _age(reply: Reply, now: datetime) -> float:
    """Seconds since the reaction was set, by GitHub's clock."""
    try:
        made = datetime.fromisoformat(str(reply.data["created_at"]).replace("Z", "+00:00"))
    except (KeyError, TypeError, ValueError):
        return 0.0
    return (server_time(reply, now) - made).total_seconds()
