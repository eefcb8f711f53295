"""Each request of each publication goes wrong in each way: a sentence or success, and the next run puts it right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from stackseal.errors import StacksealError
from stackseal.hosts.github_api import Client
from stackseal.hosts.github_comments import stamp
from stackseal.hosts.github_forge import GitHubForge, Options
from stackseal.hosts.github_http import Lost, Reply
from stackseal.hosts.github_revision import Revision
from stackseal.report import marker
from unit.hosts.github.hub import BOT, Hub

OLD, NEW = Revision(run=1), Revision(run=2)
TEXT = f"{marker.write('review', id='')}\nThe review.\n"
ISSUE = f"{marker.write('drift', id='k')}\nDrifted.\n"


class Cancelled(BaseException):
    """The job was killed."""


@dataclass
class Faulty:
    """A hub whose n-th request goes wrong; `after` it was carried out or before."""

    hub: Hub
    at: int
    fault: Reply | type[BaseException]
    after: bool = False
    count: int = 0

    def send(self, method: str, path: str, query: Mapping[str, str | int], body: Any) -> Reply:
        self.count += 1
        if self.count != self.at:
            return self.hub.send(method, path, query, body)
        if self.after:
            self.hub.send(method, path, query, body)
        if isinstance(self.fault, Reply):
            return self.fault
        raise self.fault

    def close(self) -> None:
        self.hub.close()


FAULTS: list[tuple[Reply | type[BaseException], bool]] = [
    *[(Reply(status=code, data={"message": "No."}), False) for code in (401, 403, 404, 409, 410, 422, 500, 503)],
    (Reply(status=502), True),
    (Reply(status=429, headers={"retry-after": "3"}), False),
    (Reply(status=403, data={"message": "You have exceeded a secondary rate limit."}), False),
    (Lost, False),
    (Lost, True),
    (Cancelled, False),
    (Cancelled, True),
]


def forge(transport: Any, hub: Hub, revision: Revision = NEW) -> GitHubForge:
    client = Client(transport, sleep=hub.time.sleep, now=hub.time.now)
    return GitHubForge(client, "acme/infra", marker, Options(revision=revision, actions=True))


def first_comment(hub: Hub, github: GitHubForge) -> None:
    github.upsert_comment(7, "review", [TEXT])


def crowded_comment(hub: Hub, github: GitHubForge) -> None:
    """An old comment in three pieces becomes one of two."""
    github.upsert_comment(7, "review", [TEXT, TEXT])


def new_issue(hub: Hub, github: GitHubForge) -> None:
    if not [issue for issue in github.issues() if issue.open]:
        github.open_issue("k", "Drift", ISSUE)


def heartbeat(hub: Hub, github: GitHubForge) -> None:
    github.heartbeat(hub.time.now(), "42 of 42 stacks were compared.")


def prepared(work: Callable[[Hub, GitHubForge], None]) -> Hub:
    hub = Hub()
    if work is crowded_comment:
        for _ in range(3):
            hub.say(BOT, 7, stamp([TEXT + "old"], "review", OLD, marker)[0])
    return hub


def state(hub: Hub) -> tuple[list[str], list[tuple[str, str]]]:
    issues = [(item["title"], item["state"]) for _, item in sorted(hub.issues.items())]
    return hub.bodies(), [row for row in issues if row[1] == "open" or "last check" in row[0]]


@pytest.mark.parametrize("work", [first_comment, crowded_comment, new_issue, heartbeat])
def test_every_request_may_go_wrong(work: Callable[[Hub, GitHubForge], None]) -> None:
    whole = prepared(work)
    counting = Faulty(whole, 0, Lost)
    work(whole, forge(counting, whole))
    for at in range(1, counting.count + 1):
        for fault, after in FAULTS:
            hub = prepared(work)
            try:
                work(hub, forge(Faulty(hub, at, fault, after), hub))
            except StacksealError as error:
                said = str(error)
                assert "GitHub" in said or "not what was sent" in said, f"request {at}, {fault}"
            except Cancelled:
                assert fault is Cancelled
            else:
                if work is not heartbeat:
                    assert state(hub) == state(whole), f"request {at}, {fault}, after {after}"
            hub.time.seconds += 600
            work(hub, forge(hub, hub))
            hub.time.seconds += 600
            if work is heartbeat:
                assert [item["state"] for item in hub.issues.values() if item["state"] == "open"] == []
                assert forge(hub, hub).last_heartbeat() is not None
            else:
                assert state(hub) == state(whole), f"afterwards: request {at}, {fault}, after {after}"
            if hub.comments:
                forge(hub, hub, Revision(run=3)).upsert_comment(7, "review", [TEXT + "more"])
                assert hub.bodies()[0].endswith("more")
                assert hub.reactions == {}, f"a lock stayed: request {at}, {fault}, after {after}"


def test_when_github_is_down_everything_is_a_sentence() -> None:
    for fault in (Reply(status=503), Reply(status=502, data="<html>")):
        for work in (first_comment, crowded_comment, new_issue, heartbeat):
            hub = prepared(work)
            hub.before = lambda _method, _path, fault=fault: fault  # type: ignore[misc]  # bound now
            with pytest.raises(StacksealError, match=r"run it again"):
                work(hub, forge(hub, hub))
            assert sum(hub.time.slept) < 900
