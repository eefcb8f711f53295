"""The one comment: whose it is, when it is written, and that what stands there is what was sent."""

from __future__ import annotations

import pytest

from stackseal.errors import Failed
from stackseal.hosts.base import CommentMode
from stackseal.hosts.github_api import Client
from stackseal.hosts.github_comments import CUT, LIMIT, ROOM, Comments, stamp
from stackseal.hosts.github_forge import GitHubForge, Options
from stackseal.hosts.github_http import Reply
from stackseal.hosts.github_identity import Identity
from stackseal.hosts.github_revision import Revision, of_env
from stackseal.report import marker
from unit.hosts.github.hub import BOT, Hub

ONE, TWO = Revision(run=1, attempt=1), Revision(run=2, attempt=1)


def part(text: str = "All is well.", number: int = 1) -> str:
    return f"{marker.write('review', id='', head='a' * 40, part=number)}\n{text}\n"


def forge(hub: Hub, revision: Revision = ONE) -> GitHubForge:
    client = Client(hub, sleep=hub.time.sleep, now=hub.time.now)
    return GitHubForge(client, "acme/infra", marker, Options(revision=revision, actions=True))


def test_the_first_run_writes_and_the_next_one_edits_the_same_comment() -> None:
    hub = Hub()
    first = forge(hub).upsert_comment(7, "review", [part("one")])
    second = forge(hub, TWO).upsert_comment(7, "review", [part("two")])
    assert first == second
    assert [body.partition("\n")[2] for body in hub.bodies()] == ["two\n"]
    assert marker.read(hub.bodies()[0]) == {
        "v": 1,
        "kind": "review",
        "id": "",
        "head": "a" * 40,
        "part": 1,
        "key": "review",
        "rev": [2, 1, ""],
    }
    assert hub.reactions == {}


def test_the_same_text_is_not_written_again() -> None:
    hub = Hub()
    forge(hub).upsert_comment(7, "review", [part()])
    hub.calls.clear()
    forge(hub, TWO).upsert_comment(7, "review", [part()])
    assert hub.writes() == []
    assert len(hub.calls) == 2, "the owner and the list"


def test_an_older_run_changes_nothing() -> None:
    hub = Hub()
    address = forge(hub, TWO).upsert_comment(7, "review", [part("two")])
    hub.calls.clear()
    assert forge(hub).upsert_comment(7, "review", [part("one")]) == address
    assert hub.writes() == []
    assert "two" in hub.bodies()[0]


def test_a_revision_from_the_future_does_not_freeze_the_comment_of_another_commit() -> None:
    """Whoever may write to the repository can edit our comment, and nothing in it proves anything."""
    hub = Hub(head="a" * 40)
    forged = f"{marker.write('review', key='review', rev=[10**15, 1, ''], head='b' * 40)}\nAll is well.\n"
    hub.say(BOT, 7, forged)
    forge(hub).upsert_comment(7, "review", [part("blocked")])
    assert [body.partition("\n")[2] for body in hub.bodies()] == ["blocked\n"]


def test_a_newer_review_of_the_same_commit_stays() -> None:
    hub = Hub(head="a" * 40)
    forge(hub, TWO).upsert_comment(7, "review", [part("two")])
    forge(hub, ONE).upsert_comment(7, "review", [part("one")])
    assert [body.partition("\n")[2] for body in hub.bodies()] == ["two\n"]


def test_comments_of_other_people_and_of_other_keys_are_left_alone() -> None:
    hub = Hub()
    forged = stamp([part("forged")], "review", Revision(run=99), marker)[0]
    hub.say("mallory", 7, forged)
    hub.say("github-actions", 7, forged)
    hub.say(BOT, 7, "Coverage is 93 %.")
    hub.say(BOT, 7, stamp([part("network")], "network", ONE, marker)[0])
    before = hub.bodies()
    forge(hub).upsert_comment(7, "review", [part("mine")])
    assert hub.bodies()[:4] == before
    assert len(hub.bodies()) == 5
    assert "mine" in hub.bodies()[4]


@pytest.mark.parametrize("page", [1, 4, 40])
def test_it_is_found_on_every_page(page: int) -> None:
    hub = Hub()
    for _ in range((page - 1) * 100 + 50):
        hub.say("somebody", 7, "hello")
    forge(hub).upsert_comment(7, "review", [part("one")])
    for _ in range(10):
        hub.say("somebody", 7, "hello")
    count = len(hub.comments)
    forge(hub, TWO).upsert_comment(7, "review", [part("two")])
    assert len(hub.comments) == count


def test_second_comments_of_ours_go_and_the_lowest_stays() -> None:
    hub = Hub()
    ids = [hub.say(BOT, 7, stamp([part(f"old {n}")], "review", ONE, marker)[0]) for n in range(3)]
    forge(hub, TWO).upsert_comment(7, "review", [part("new")])
    assert list(hub.comments) == ids[:1]
    assert "new" in hub.bodies()[0]


def test_parts_are_added_and_surplus_parts_removed() -> None:
    hub = Hub()
    for run, count in enumerate((1, 3, 2, 1), start=1):
        parts = [part(f"run {run} part {number}", number) for number in range(1, count + 1)]
        forge(hub, Revision(run=run)).upsert_comment(7, "review", parts)
        assert [body.partition("\n")[2] for body in hub.bodies()] == [
            f"run {run} part {number}\n" for number in range(1, count + 1)
        ]


def test_nothing_over_the_limit_is_ever_sent() -> None:
    hub = Hub()
    forge(hub).upsert_comment(7, "review", [part("line 🎈\n" * 20_000)])
    assert len(hub.bodies()[0]) <= LIMIT
    assert hub.bodies()[0].endswith(CUT)


def test_the_room_for_the_marker_is_enough() -> None:
    longest = Revision(run=10**12, attempt=999, at="2026-11-20T07:00:00+00:00")
    text = part()
    text += "x" * (ROOM - len(text))
    stamped = stamp([text], "a-working/directory-of-a-monorepo/" * 4, longest, marker)[0]
    assert not stamped.endswith(CUT)
    assert len(stamped) <= LIMIT


def test_a_text_that_github_does_not_keep_is_a_failure() -> None:
    hub = Hub()
    forge(hub).upsert_comment(7, "review", [part("old")])

    def keep_the_old(method: str, path: str) -> Reply | None:
        return Reply(status=200, data={}) if method == "PATCH" else None

    hub.before = keep_the_old
    with pytest.raises(Failed, match="is not what was sent"):
        forge(hub, TWO).upsert_comment(7, "review", [part("new")])
    assert hub.reactions == {}, "the lock is given back"


def test_a_creation_whose_answer_is_lost_is_looked_for_and_not_repeated() -> None:
    hub = Hub()
    lost = []

    def lose_the_answer(method: str, path: str) -> Reply | None:
        if method == "POST" and path.endswith("/7/comments") and not lost:
            lost.append(hub.say(BOT, 7, stamp([part("one")], "review", ONE, marker)[0]))
            return Reply(status=502)
        return None

    hub.before = lose_the_answer
    forge(hub).upsert_comment(7, "review", [part("one")])
    assert list(hub.comments) == lost


@pytest.mark.parametrize("lag", [1.0, 3.0, 5.0])
def test_a_list_that_lags_makes_no_second_comment(lag: float) -> None:
    hub = Hub(lag=lag)
    forge(hub).upsert_comment(7, "review", [part("one")])
    assert len(hub.comments) == 1
    assert len(hub.writes()) == 1, "nothing had to be tidied away"


def test_a_lock_whose_run_was_cancelled_is_broken_after_two_minutes() -> None:
    hub = Hub()
    forge(hub).upsert_comment(7, "review", [part("one")])
    hub.reactions[next(iter(hub.comments))] = {"id": 99, "created_at": hub.stamp()}
    begun = hub.time.seconds
    forge(hub, TWO).upsert_comment(7, "review", [part("two")])
    assert "two" in hub.bodies()[0]
    assert hub.reactions == {}
    assert 120 < hub.time.seconds - begun < 240


def test_a_comment_that_is_deleted_meanwhile_is_written_again() -> None:
    hub = Hub()
    forge(hub).upsert_comment(7, "review", [part("one")])

    def delete_it(method: str, path: str) -> Reply | None:
        if path.endswith("/reactions"):
            hub.comments.clear()
        return None

    hub.before = delete_it
    forge(hub, TWO).upsert_comment(7, "review", [part("two")])
    assert len(hub.bodies()) == 1
    assert "two" in hub.bodies()[0]


def test_mode_off_and_no_pull_request_ask_nothing_of_github() -> None:
    hub = Hub()
    assert forge(hub).upsert_comment(7, "review", [part()], mode=CommentMode.OFF) == ""
    assert forge(hub).upsert_comment(0, "review", [part()]) == ""
    assert hub.calls == []


def test_mode_changes_only_begins_with_a_change_and_then_keeps_up() -> None:
    hub = Hub()
    mode = CommentMode.CHANGES_ONLY
    assert forge(hub).upsert_comment(7, "review", [part("nothing")], mode=mode, worth=False) == ""
    assert hub.comments == {}
    assert forge(hub, TWO).upsert_comment(7, "review", [part("something")], mode=mode, worth=True)
    assert forge(hub, Revision(run=3)).upsert_comment(7, "review", [part("nothing")], mode=mode, worth=False)
    assert [body.partition("\n")[2] for body in hub.bodies()] == ["nothing\n"]


def test_mode_new_writes_one_for_each_run_and_folds_those_before() -> None:
    hub = Hub()
    for revision in (ONE, TWO, TWO):
        forge(hub, revision).upsert_comment(7, "review", [part(f"run {revision.run}")], mode=CommentMode.NEW)
    assert [body.partition("\n")[2] for body in hub.bodies()] == ["run 1\n", "run 2\n"]


def test_the_author_of_what_we_write_corrects_what_we_took_for_it() -> None:
    refusal = Reply(status=403, data={"message": "Resource not accessible by integration"})
    hub = Hub(login="our-app[bot]", before=lambda _method, path: refusal if path in {"graphql", "/user"} else None)
    identity = Identity(Client(hub, sleep=hub.time.sleep, now=hub.time.now), actions=True)
    assert identity.login == BOT
    comments = Comments(Client(hub, sleep=hub.time.sleep, now=hub.time.now), "acme/infra", identity, marker)
    comments.publish(7, "review", [part()], ONE)
    assert len(hub.comments) == 1
    assert identity.login == "our-app[bot]"


@pytest.mark.parametrize(("actions", "login"), [(True, BOT), (False, None)])
def test_a_token_that_github_does_not_name_is_github_token_in_a_job_only(actions: bool, login: str | None) -> None:
    refusal = Reply(status=403, data={"message": "Resource not accessible by integration"})
    hub = Hub(before=lambda _method, path: refusal if path in {"graphql", "/user"} else None)
    identity = Identity(Client(hub, sleep=hub.time.sleep, now=hub.time.now), actions=actions)
    if login is None:
        with pytest.raises(Failed, match="owner of the GitHub token"):
            _ = identity.login
    else:
        assert identity.login == login


def test_runs_have_an_order_and_second_attempts_of_old_runs_stay_old() -> None:
    def run(number: str, attempt: str = "1") -> Revision:
        return of_env({"GITHUB_RUN_ID": number, "GITHUB_RUN_ATTEMPT": attempt})

    assert run("5") < run("5", "2") < run("6") < run("10")
    assert of_env({"CODEBUILD_BUILD_ID": "x", "CODEBUILD_BUILD_NUMBER": "12", "GITHUB_RUN_ID": "99"}).run == 12
    assert of_env({}) == Revision.read(None) == Revision.read(["1", 2, ""]) == Revision()
    assert Revision.read([3, 1, "2026"]) == Revision(run=3, attempt=1, at="2026")
