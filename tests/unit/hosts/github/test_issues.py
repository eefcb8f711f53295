"""One open issue per stack, however often it is checked and whatever happens to the issue meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stackseal.errors import Failed
from stackseal.hosts.base import Issue
from stackseal.hosts.github_http import Reply
from stackseal.hosts.github_issues import LABEL, read, surplus
from stackseal.model import StackId
from stackseal.report import marker
from unit.hosts.github import drift_run
from unit.hosts.github.drift_run import STACKS, forge, is_open
from unit.hosts.github.hub import BOT, Hub

KEY = str(STACKS[0])
AT = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


def body(key: str = KEY, text: str = "It drifted.") -> str:
    return drift_run.body(key, text)


def check(hub: Hub, drifted: set[StackId], text: str) -> None:
    drift_run.check(forge(hub), drifted, text)


def test_two_hundred_runs_leave_one_open_issue_per_drifted_stack() -> None:
    """`make trust` does it with more seeds (tests/trust/test_races.py)."""
    wrong, issues = drift_run.life(seed=7, runs=200)
    assert wrong == []
    assert issues < 30, "an issue is reopened, not opened again"


def test_an_issue_is_opened_edited_closed_and_reopened() -> None:
    hub = Hub()
    github = forge(hub)
    opened = github.open_issue(KEY, "Drift in stack-0", body())
    assert opened == Issue(number=opened.number, key=KEY, title="Drift in stack-0", body=body(), open=True)
    assert hub.issues[opened.number]["labels"] == [{"name": LABEL}]
    github.update_issue(opened.number, title="More", body=body(text="More."), is_open=True)
    assert hub.issues[opened.number]["body"] == body(text="More.")
    github.update_issue(opened.number, title="Gone", body=body(text="Gone."), is_open=False)
    assert (hub.issues[opened.number]["state"], hub.issues[opened.number]["state_reason"]) == ("closed", "completed")
    github.update_issue(opened.number, title="Back", body=body(), is_open=True)
    assert [issue.open for issue in github.issues()] == [True]


@pytest.mark.parametrize("lost", [False, True])
def test_an_issue_is_retired_with_one_comment_also_where_its_answer_is_lost(lost: bool) -> None:
    hub = Hub()
    github = forge(hub)
    number = github.open_issue(KEY, "Drift", body()).number

    def lose(method: str, path: str) -> Reply | None:
        if lost and method == "POST" and path.endswith("/comments"):
            hub.say(BOT, number, "why")
            return Reply(status=502)
        return None

    hub.before = lose
    github.retire_issue(number, "why")
    assert hub.bodies() == ["why"]
    assert (hub.issues[number]["state"], hub.issues[number]["state_reason"]) == ("closed", "not_planned")
    assert hub.issues[number]["body"] == body()


def test_an_issue_on_which_nobody_may_comment_stays_open() -> None:
    hub = Hub()
    number = forge(hub).open_issue(KEY, "Drift", body()).number
    hub.before = lambda _, path: Reply(status=403, data={"message": "locked"}) if "comments" in path else None
    with pytest.raises(Failed, match="say why an issue is closed"):
        forge(hub).retire_issue(number, "why")
    assert hub.issues[number]["state"] == "open"


def test_an_issue_whose_label_was_dropped_is_found_by_its_author_and_labelled_when_possible() -> None:
    hub = Hub(drop_labels=True)
    number = forge(hub).open_issue(KEY, "Drift", body()).number
    assert hub.issues[number]["labels"] == []
    assert [issue.number for issue in forge(hub).issues()] == [number]
    hub.drop_labels = False
    forge(hub).update_issue(number, title="Drift", body=body(), is_open=True)
    assert hub.issues[number]["labels"] == [{"name": LABEL}]


def test_an_issue_of_an_earlier_token_is_found_by_its_label() -> None:
    hub = Hub(login="somebody")
    number = forge(hub).open_issue(KEY, "Drift", body()).number
    hub.login = BOT
    assert [issue.number for issue in forge(hub).issues()] == [number]


def test_a_marker_in_a_stranger_s_issue_is_not_ours() -> None:
    hub = Hub(login="mallory", drop_labels=True)
    hub.send("POST", "/repos/acme/infra/issues", {}, {"title": "Drift", "body": body()})
    hub.login = BOT
    assert forge(hub).issues() == ()
    assert read(hub.issues.values(), "drift", BOT, marker) == ()
    assert len(read(hub.issues.values(), "drift", "mallory", marker)) == 1


def test_pull_requests_are_no_issues() -> None:
    hub = Hub()
    number = forge(hub).open_issue(KEY, "Drift", body()).number
    hub.issues[number]["pull_request"] = {}
    assert forge(hub).issues() == ()


def test_an_issue_that_was_transferred_or_deleted_is_opened_again() -> None:
    hub = Hub()
    check(hub, {STACKS[0]}, "one")
    hub.issues.clear()
    check(hub, {STACKS[0]}, "two")
    assert is_open(hub) == [KEY]


def test_two_open_issues_of_a_stack_become_one() -> None:
    hub = Hub()
    for _ in range(3):
        hub.send("POST", "/repos/acme/infra/issues", {}, {"title": "Drift", "body": body(), "labels": [LABEL]})
    first = min(hub.issues)
    assert [issue.number for issue in forge(hub).issues()] == [first]
    assert [item["state_reason"] for _, item in sorted(hub.issues.items())] == [None, "duplicate", "duplicate"]


def test_a_server_that_does_not_know_duplicates_closes_as_not_planned() -> None:
    hub = Hub()
    for _ in range(2):
        hub.send("POST", "/repos/acme/infra/issues", {}, {"title": "Drift", "body": body(), "labels": [LABEL]})
    refused: list[str] = []

    def once(method: str, path: str) -> Reply | None:
        if method == "PATCH" and not refused:
            refused.append(path)
            return Reply(status=422, data={"message": "Validation Failed"})
        return None

    hub.before = once
    assert len(forge(hub).issues()) == 1
    assert hub.issues[max(hub.issues)]["state_reason"] == "not_planned"


def test_surplus_is_every_open_issue_but_the_first_of_its_key() -> None:
    def issue(number: int, key: str, *, is_open: bool) -> Issue:
        return Issue(number=number, key=key, title="", body="", open=is_open)

    issues = [issue(4, "a", is_open=True), issue(2, "a", is_open=False), issue(3, "b", is_open=True)]
    assert [found.number for found in surplus(issues)] == [4]


def test_a_body_that_github_silently_does_not_keep_is_a_failure() -> None:
    hub = Hub()
    number = forge(hub).open_issue(KEY, "Drift", body()).number
    kept = dict(hub.issues[number])
    hub.before = lambda method, _path: Reply(status=200, data=kept) if method == "PATCH" else None
    with pytest.raises(Failed, match="is not what was sent"):
        forge(hub).update_issue(number, title="Drift", body=body(text="new"), is_open=True)


def test_an_issue_whose_answer_is_lost_is_not_opened_twice() -> None:
    hub = Hub()
    lost: list[int] = []

    def lose_the_answer(method: str, path: str) -> Reply | None:
        if method == "POST" and path.endswith("/issues") and not lost:
            lost.append(1)
            hub.send(method, path, {}, {"title": "Drift", "body": body(), "labels": [LABEL]})
            return Reply(status=502)
        return None

    hub.before = lose_the_answer
    assert forge(hub).open_issue(KEY, "Drift", body()).open
    assert len(hub.issues) == 1


def test_disabled_issues_are_a_sentence() -> None:
    hub = Hub(before=lambda _method, path: Reply(status=410, data={"message": "Gone"}) if "/issues" in path else None)
    with pytest.raises(Failed, match="issues are disabled"):
        forge(hub).issues()


def test_the_heartbeat_is_one_closed_issue_with_the_time_of_the_last_check() -> None:
    hub = Hub()
    assert forge(hub).last_heartbeat() is None
    for hour in (6, 7):
        forge(hub).heartbeat(AT.replace(hour=hour), "42 of 42 stacks were compared.")
    assert [item["state"] for item in hub.issues.values()] == ["closed"]
    assert forge(hub).last_heartbeat() == AT.replace(hour=7)
    assert forge(hub).issues() == (), "it is no drift"


def test_long_titles_and_bodies_are_cut_before_they_are_sent() -> None:
    hub = Hub()
    number = forge(hub).open_issue(KEY, "Drift\n" + "x" * 300, body(text="y" * 70_000)).number
    assert len(hub.issues[number]["title"]) == 256
    assert "\n" not in hub.issues[number]["title"]
    assert len(hub.issues[number]["body"]) == 65_000
