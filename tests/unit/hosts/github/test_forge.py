"""The forge against a GitHub that checks every request: real HTTP, real PyGithub, permissions of a job's token."""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from fakes.github import BOT, GitHubFake, Pull, Repository, page, reset, secondary_limit, slow, status
from stackseal.errors import Failed, UsageError
from stackseal.hosts import github_scanning
from stackseal.hosts.base import (
    CommentMode,
    Forge,
    HasLabels,
    KnowsReviews,
    Mark,
    MarksCommits,
    MarkState,
    ReviewState,
    ShowsFindings,
)
from stackseal.hosts.github_api import Client
from stackseal.hosts.github_errors import Rejected
from stackseal.hosts.github_forge import GitHubForge, Options, connect
from stackseal.hosts.github_http import PyGithubTransport
from stackseal.hosts.github_pulls import NO_DECISION
from stackseal.hosts.github_revision import Revision
from stackseal.model import Run
from stackseal.report import marker
from unit.hosts.github.drift_run import STACKS, check
from unit.hosts.github.hub import Time

PUBLISH = {"pull-requests": "write", "contents": "read"}
DRIFT = {"issues": "write"}
DEPLOY = {"contents": "read", "pull-requests": "read", "actions": "read"}
EVERYTHING = {
    **PUBLISH,
    **DRIFT,
    **DEPLOY,
    "statuses": "write",
    "pull-requests": "write",
    "security-events": "write",
    "actions": "write",
}
AT = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


class Connected(Protocol):
    def __call__(
        self, permissions: dict[str, str] = ..., *, run: int = ..., login: str = ..., **options: Any
    ) -> GitHubForge: ...


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def repository(github: GitHubFake) -> Repository:
    return github.repository("acme/infra")


@pytest.fixture
def pull(repository: Repository) -> Pull:
    repository.push("feature", {"configs/a.yaml": "a: 1\n"})
    return repository.open_pull("feature")


@pytest.fixture
def connected(github: GitHubFake, time: Time) -> Iterator[Connected]:
    transports = []

    def make(
        permissions: dict[str, str] = EVERYTHING,
        *,
        run: int = 1,
        login: str = BOT,
        fork: bool = False,
        enterprise: bool = False,
        ref: str = "",
        sha: str = "",
    ) -> GitHubForge:
        token = github.token(login, permissions, fork=fork)
        url = github.enterprise_url if enterprise else github.url
        transports.append(PyGithubTransport(token, agent="stackseal/1.0 (publish)", url=url))
        options = Options(revision=Revision(run=run, attempt=1), actions=True, ref=ref, sha=sha)
        env = {"GITHUB_REPOSITORY": "acme/infra"}
        return connect(
            env,
            agent="",
            marks=marker,
            now=time.now,
            sleep=time.sleep,
            options=options,
            transport=transports[-1],
        )

    yield make
    for transport in transports:
        transport.close()


def part(text: str, number: int = 1) -> str:
    return f"{marker.write('review', id='', head='a' * 40, part=number)}\n{text}\n"


def texts(repository: Repository, number: int) -> list[str]:
    return [comment.body.partition("\n")[2] for comment in repository.comments_of(number)]


def test_the_forge_is_a_forge(repository: Repository, connected: Connected) -> None:
    forge: Forge = connected()
    assert forge.issues() == ()
    assert isinstance(forge, ShowsFindings)
    assert isinstance(forge, HasLabels)


def test_one_comment_written_once_edited_once(
    github: GitHubFake, repository: Repository, pull: Pull, connected: Connected
) -> None:
    first = connected(PUBLISH).upsert_comment(pull.number, "review", [part("one")])
    second = connected(PUBLISH, run=2).upsert_comment(pull.number, "review", [part("two")])
    third = connected(PUBLISH, run=3).upsert_comment(pull.number, "review", [part("two")])
    late = connected(PUBLISH, run=1).upsert_comment(pull.number, "review", [part("late")])
    assert first == second == third == late
    assert first.endswith(f"/acme/infra/pull/{pull.number}#issuecomment-{repository.comments_of(pull.number)[0].id}")
    assert texts(repository, pull.number) == ["two\n"]
    assert repository.comments_of(pull.number)[0].author == BOT
    operations = [call.operation for call in github.calls]
    assert operations.count("issues/create-comment") == 1
    assert operations.count("issues/update-comment") == 1


def test_every_call_names_the_version_and_the_command(github: GitHubFake, pull: Pull, connected: Connected) -> None:
    connected(PUBLISH).upsert_comment(pull.number, "review", [part("one")])
    assert github.calls
    assert {call.user_agent for call in github.calls} == {"stackseal/1.0 (publish)"}


def test_github_enterprise_server(repository: Repository, pull: Pull, connected: Connected) -> None:
    for run in (1, 2):
        connected(PUBLISH, run=run, enterprise=True).upsert_comment(pull.number, "review", [part(f"run {run}")])
    assert texts(repository, pull.number) == ["run 2\n"]


@pytest.mark.parametrize("pages", [1, 4])
def test_our_comment_is_found_behind_those_of_others(
    repository: Repository, pull: Pull, connected: Connected, pages: int
) -> None:
    for _ in range((pages - 1) * 100):
        repository.comment(pull.number, "hello")
    forged = f"{marker.write('review', key='review', rev=[99, 1, ''])}\nforged"
    repository.comment(pull.number, forged, author="mallory")
    for run in (1, 2):
        connected(PUBLISH, run=run).upsert_comment(pull.number, "review", [part(f"run {run}")])
    assert texts(repository, pull.number)[(pages - 1) * 100 :] == ["forged", "run 2\n"]


def test_parts_come_and_go(repository: Repository, pull: Pull, connected: Connected) -> None:
    for run, count in enumerate((3, 1), start=1):
        parts = [part(f"run {run} part {number}", number) for number in range(1, count + 1)]
        connected(PUBLISH, run=run).upsert_comment(pull.number, "review", parts)
        assert len(repository.comments_of(pull.number)) == count
    assert texts(repository, pull.number) == ["run 2 part 1\n"]


def test_a_body_of_every_size_is_accepted(repository: Repository, pull: Pull, connected: Connected) -> None:
    for run, text in enumerate(("🎈" * 64_000, "x" * 200_000), start=1):
        connected(PUBLISH, run=run).upsert_comment(pull.number, "review", [part(text)])
        assert len(repository.comments_of(pull.number)[0].body) <= 65_000


def test_mode_new_folds_what_came_before(repository: Repository, pull: Pull, connected: Connected) -> None:
    for run in (1, 2, 3):
        connected(run=run).upsert_comment(pull.number, "review", [part(f"run {run}")], mode=CommentMode.NEW)
    assert [comment.minimized for comment in repository.comments_of(pull.number)] == ["outdated", "outdated", None]


def test_a_fork_s_token_is_told_what_it_lacks(pull: Pull, connected: Connected) -> None:
    with pytest.raises(Rejected, match=r"lacks the permission .*pull-requests: write") as caught:
        connected(PUBLISH, fork=True).upsert_comment(pull.number, "review", [part("one")])
    assert caught.value.unpermitted


PLACES: dict[str, tuple[Callable[[GitHubForge, int], object], str]] = {
    "comment": (lambda forge, number: forge.upsert_comment(number, "review", [part("one")]), "pull-requests: read"),
    "issues": (lambda forge, _: forge.issues(), "issues: read"),
    "open an issue": (lambda forge, _: forge.open_issue("k", "t", "b"), "issues: write"),
    "edit an issue": (lambda forge, n: forge.update_issue(n, title="t", body="b", is_open=True), "issues: write"),
    "heartbeat": (lambda forge, _: forge.heartbeat(AT, "42 stacks"), "issues: read"),
    "last heartbeat": (lambda forge, _: forge.last_heartbeat(), "issues: read"),
    "pull request": (lambda forge, number: forge.pull(number), "pull-requests: read"),
    "commit": (lambda forge, _: forge.pull_request_of("a" * 40, "main"), "pull-requests: read"),
    "environment": (lambda forge, _: forge.reviewers("prod"), "actions: read"),
    "review": (lambda forge, number: forge.pulls.review(number, "main"), "pull-requests: read"),
    "dismiss": (lambda forge, number: forge.pulls.dismiss(number, "grown", AT), "pull-requests: read"),
    "plan again": (lambda forge, _: forge.pulls.plan_again("w.yml", "main", {}), "actions: write"),
}
"""What the forge is asked, and the permission that is missing when GitHub first refuses."""


@pytest.mark.parametrize("place", PLACES)
def test_a_missing_permission_is_told_in_every_place(
    github: GitHubFake, pull: Pull, connected: Connected, place: str
) -> None:
    ask, needed = PLACES[place]
    github.faults.next(status(403, "Resource not accessible by integration"), times=100)
    with pytest.raises(Failed) as caught:
        ask(connected({}), pull.number)
    assert "not accessible" not in str(caught.value), "GitHub's own sentence helps nobody"
    assert f"lacks the permission {needed}" in str(caught.value)
    assert "add it to the job's permissions and to those of the workflow that calls it" in caught.value.remedy


@pytest.mark.parametrize("fault", [status(502), status(503), page(), reset("before"), reset("after")])
def test_a_comment_survives_a_bad_moment(
    github: GitHubFake, repository: Repository, pull: Pull, connected: Connected, fault: Any
) -> None:
    connected(PUBLISH).upsert_comment(pull.number, "review", [part("one")])
    for operation in ("issues/list-comments", "issues/update-comment"):
        github.faults.next(fault, operation=operation)
    connected(PUBLISH, run=2).upsert_comment(pull.number, "review", [part("two")])
    assert texts(repository, pull.number) == ["two\n"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_creation_that_is_cut_off_leaves_one_comment(
    github: GitHubFake, repository: Repository, pull: Pull, connected: Connected, when: Any
) -> None:
    github.faults.next(reset(when), operation="issues/create-comment")
    connected(PUBLISH).upsert_comment(pull.number, "review", [part("one")])
    assert texts(repository, pull.number) == ["one\n"]


@pytest.mark.parametrize(("after", "code", "slept"), [(17, 403, 17.0), (9, 429, 9.0), (None, 403, 60.0)])
def test_the_secondary_rate_limit_is_obeyed(
    github: GitHubFake,
    repository: Repository,
    pull: Pull,
    connected: Connected,
    time: Time,
    after: int | None,
    code: int,
    slept: float,
) -> None:
    github.faults.next(secondary_limit(after, code), operation="issues/create-comment")
    connected(PUBLISH).upsert_comment(pull.number, "review", [part("one")])
    assert time.slept == [slept]
    assert texts(repository, pull.number) == ["one\n"]


def test_drift_issues_live_their_life(repository: Repository, connected: Connected) -> None:
    key, text = "123456789012/eu-west-1/churn", f"{marker.write('drift', id='123456789012/eu-west-1/churn')}\nDrifted."
    opened = connected(DRIFT).open_issue(key, "Drift in churn", text)
    assert connected(DRIFT).issues() == (opened,)
    connected(DRIFT).update_issue(opened.number, title="Drift in churn", body=f"{text} More.", is_open=True)
    connected(DRIFT).update_issue(opened.number, title="No drift in churn", body=text, is_open=False)
    issue = repository.issues[opened.number]
    assert (issue.state, issue.reason, issue.labels) == ("closed", "completed", ["stackseal-drift"])
    connected(DRIFT).update_issue(opened.number, title="Drift in churn", body=text, is_open=True)
    assert [found.open for found in connected(DRIFT).issues()] == [True]


def test_many_checks_leave_one_open_issue_per_drifted_stack(
    github: GitHubFake, repository: Repository, connected: Connected
) -> None:
    chance = random.Random(3)  # noqa: S311 - an order, not a secret
    forge = connected(DRIFT)
    for run in range(20):
        repository.list_lag = chance.choice((0.0, 0.0, 30.0))
        repository.drop_labels = chance.random() < 0.3
        if repository.issues and chance.random() < 0.5:
            repository.close_issue(chance.choice(list(repository.issues)), by="somebody")
        drifted = {stack for stack in STACKS if chance.random() < 0.6}
        for _ in range(2):  # the second is another run, from which the lag hides what the first has opened
            check(forge, drifted, f"run {run}")
        repository.list_lag = 0.0
        github.clock.advance(3_600)
        check(forge, drifted, "settled")
        found = [issue.title for issue in repository.issues.values() if issue.state == "open"]
        assert sorted(found) == sorted(f"Drift in {stack.name}" for stack in drifted), f"run {run}"


def test_labels_that_github_drops_make_no_second_issue(repository: Repository, connected: Connected) -> None:
    repository.drop_labels = True
    opened = connected(DRIFT).open_issue("k", "Drift", "Drifted.")
    assert repository.issues[opened.number].labels == []
    assert [issue.number for issue in connected(DRIFT).issues()] == [opened.number]


def test_two_issues_of_a_stack_become_one(repository: Repository, connected: Connected) -> None:
    text = f"{marker.write('drift', id='k')}\nDrifted."
    first = repository.open_issue("Drift", text, author=BOT)
    second = repository.open_issue("Drift", text, author=BOT)
    assert [issue.number for issue in connected(DRIFT).issues()] == [first.number]
    assert (second.state, second.reason) == ("closed", "duplicate")


def test_a_text_that_github_does_not_keep_is_noticed(repository: Repository, connected: Connected) -> None:
    repository.silent_body_limit = True
    opened = connected(DRIFT).open_issue("k", "Drift", "Drifted.")
    text = f"{marker.write('drift', id='k')}\n" + "🎈" * 70_000
    connected(DRIFT).update_issue(opened.number, title="Drift", body=text, is_open=True)
    assert len(repository.issues[opened.number].body or "") == 65_000


def test_disabled_issues_are_a_sentence(repository: Repository, connected: Connected) -> None:
    repository.has_issues = False
    with pytest.raises(Failed, match="issues are disabled in this repository"):
        connected(DRIFT).open_issue("k", "Drift", "Drifted.")


def test_the_heartbeat_says_when_drift_was_last_checked(repository: Repository, connected: Connected) -> None:
    for hour in (6, 7):
        connected(DRIFT).heartbeat(AT.replace(hour=hour), "42 of 42 stacks were compared.")
    assert connected(DRIFT).last_heartbeat() == AT.replace(hour=7)
    assert [issue.state for issue in repository.issues.values()] == ["closed"]


def test_the_protection_of_an_environment_is_read(repository: Repository, connected: Connected) -> None:
    repository.environment("prod-unsealed", reviewers=("somebody",))
    repository.environment("dev-unsealed")
    environments = connected(DEPLOY).environments
    assert environments.reviewers("prod-unsealed")
    assert not environments.reviewers("dev-unsealed")
    assert not environments.reviewers("nowhere")


SARIF = '{"version": "2.1.0", "runs": []}'


def the_run(commit: str, pull_request: int | None = None) -> Run:
    return Run(host="github", repository="acme/infra", commit=commit, pull_request=pull_request)


def test_findings_go_to_code_scanning(repository: Repository, connected: Connected) -> None:
    sha = repository.push("main", {"a": "a"})
    job = {"ref": "refs/heads/main", "sha": sha}
    assert connected(**job).upload_sarif(the_run(sha), SARIF).accepted
    assert [(found.commit, found.ref) for found in repository.sarifs.values()] == [(sha, "refs/heads/main")]
    lacking = connected(PUBLISH, **job).upload_sarif(the_run(sha), SARIF)
    assert not lacking.accepted
    assert "security-events: write" in lacking.why
    assert not lacking.off
    repository.code_scanning = False
    off = connected(**job).upload_sarif(the_run(sha), SARIF)
    assert (off.accepted, off.off) == (False, True)
    nowhere = connected().upload_sarif(the_run(sha), SARIF)
    assert (nowhere.accepted, nowhere.off) == (False, True)


@pytest.mark.parametrize(
    ("job", "commit", "place"),
    [
        (("refs/pull/7/merge", "merged"), "head", ("merged", "refs/pull/7/merge")),
        # A plan that is made again: the job is main's, and only who knows the head may say where the findings are.
        (("refs/heads/main", "main"), "head", ("head", "refs/pull/7/head")),
        (("refs/heads/main", "main"), "main", ("main", "")),
        (("refs/pull/8/merge", "other"), "head", ("head", "refs/pull/7/head")),
        (("", ""), "head", ("head", "refs/pull/7/head")),
        (("", ""), "", ("", "")),
    ],
)
def test_findings_belong_to_what_was_rendered(job: tuple[str, str], commit: str, place: tuple[str, str]) -> None:
    assert github_scanning.place(the_run(commit, 7), *job) == place


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_the_pull_request_of_a_merged_commit(
    repository: Repository, pull: Pull, connected: Connected, method: Any
) -> None:
    head = pull.head_sha
    sha = repository.merge(pull.number, method)
    found = connected(DEPLOY).pulls.of_commit(sha, "main")
    assert found is not None
    assert (found.number, found.head, found.base, found.merged) == (pull.number, head, "main", True)


def test_a_direct_push_has_no_pull_request(repository: Repository, pull: Pull, connected: Connected) -> None:
    sha = repository.push("main", {"a": "a"})
    assert connected(DEPLOY).pulls.of_commit(sha, "main") is None


def test_labels_of_ours_are_set_and_others_stay(repository: Repository, pull: Pull, connected: Connected) -> None:
    repository.issues[pull.number].labels.append(repository.label("bug").name)
    pulls = connected(PUBLISH).pulls
    assert pulls.label(pull.number, ["stackseal: blocked", "stackseal: destructive"])
    assert pulls.label(pull.number, ["stackseal: ready"])
    assert pulls.label(pull.number, ["stackseal: ready"])
    assert sorted(repository.issues[pull.number].labels) == ["bug", "stackseal: ready"]
    assert repository.labels["stackseal: ready"].color == "0e8a16"
    assert connected(PUBLISH).label(pull.number, ["stackseal: blocked"])
    assert not connected({"contents": "read"}).label(pull.number, ["stackseal: ready"])
    assert "stackseal: blocked" in repository.issues[pull.number].labels


def test_a_code_owner_s_approval_is_told_from_a_colleague_s(
    repository: Repository, pull: Pull, connected: Connected
) -> None:
    def review(base: str = "main") -> ReviewState:
        return connected(PUBLISH).review(pull.number, base=base)

    def decision() -> tuple[bool | None, bool | None]:
        found = review()
        return found.approved, found.code_owner

    repository.collaborators |= {"owner": "write", "colleague": "write"}
    assert review().code_owner is None
    assert review().undecided == NO_DECISION
    repository.rules.append({"type": "pull_request", "parameters": RULE})
    assert review().why == "there is no CODEOWNERS on main"
    repository.push("main", {".github/CODEOWNERS": "/docs/ @owner\n"})
    before = repository.git.resolve("refs/heads/main")
    assert before
    assert review().why == "CODEOWNERS names nobody for configs/a.yaml"
    repository.push("main", {".github/CODEOWNERS": "* @owner\n"})
    repository.code_owners, pull.requested = ("owner",), ["owner"]
    assert decision() == (False, False)
    repository.review(pull.number, "APPROVED", author="colleague")
    assert decision() == (False, False)
    repository.review(pull.number, "APPROVED", author="owner")
    assert decision() == (True, True)
    found = review()
    assert (found.head, found.merged) == (pull.head_sha, False)
    assert [approval.by for approval in found.approvals] == ["colleague", "owner"]
    # What the branch says today may be the pull request's own words: the commit before it counts.
    assert review(before).why == "CODEOWNERS names nobody for configs/a.yaml"
    repository.merge(pull.number)
    assert review().merged is True


def test_a_file_that_moves_needs_an_owner_under_both_names(repository: Repository, connected: Connected) -> None:
    repository.rules.append({"type": "pull_request", "parameters": RULE})
    text = "".join(f"key{n}: value\n" for n in range(50))
    repository.push("main", {".github/CODEOWNERS": "/configs/dev/ @owner\n", "configs/prod/a.yaml": text})
    repository.push("move", {"configs/prod/a.yaml": None, "configs/dev/a.yaml": text + "last: 1\n"})
    number = repository.open_pull("move").number
    assert connected(PUBLISH).review(number, base="main").why == "CODEOWNERS names nobody for configs/prod/a.yaml"


def test_a_token_that_may_not_ask_is_a_reason_and_no_answer(
    repository: Repository, pull: Pull, connected: Connected
) -> None:
    repository.private = True
    repository.rules.append({"type": "pull_request", "parameters": RULE})
    found = connected({"pull-requests": "write"}).review(pull.number, base="main")
    assert (found.approved, found.code_owner) == (None, None)
    assert "CODEOWNERS" in found.undecided or "CODEOWNERS" in found.why


RULE = {
    "require_code_owner_review": True,
    "required_approving_review_count": 1,
    "dismiss_stale_reviews_on_push": False,
    "require_last_push_approval": False,
    "required_review_thread_resolution": False,
}


def test_approvals_are_taken_back_when_the_plan_has_grown(
    repository: Repository, pull: Pull, connected: Connected
) -> None:
    repository.collaborators |= {"owner": "write", "colleague": "write"}
    for author in ("owner", "colleague"):
        repository.review(pull.number, "APPROVED", author=author)
    forge = connected(PUBLISH)
    assert isinstance(forge, KnowsReviews)
    given = [datetime.fromisoformat(review.submitted) for review in pull.reviews]
    assert forge.dismiss(pull.number, "The plan has grown since.", before=given[0]) == ()
    assert forge.dismiss(pull.number, "The plan has grown since.", before=given[1]) == ("owner",)
    assert [review.state for review in pull.reviews] == ["DISMISSED", "APPROVED"]
    assert forge.dismiss(pull.number, "The plan has grown since.", before=given[1] + timedelta(1)) == ("colleague",)
    assert forge.dismiss(pull.number, "The plan has grown since.", before=given[1] + timedelta(1)) == ()


def test_a_pull_request_is_planned_again(repository: Repository, connected: Connected) -> None:
    repository.push("main", {".github/workflows/stackseal.yml": WORKFLOW})
    connected().pulls.plan_again("stackseal.yml", "main", {"pull-request": "7"})
    assert [(found.ref, found.inputs) for found in repository.dispatches] == [("main", {"pull-request": "7"})]


WORKFLOW = "on:\n  workflow_dispatch:\n    inputs:\n      pull-request: {required: true}\njobs: {}\n"


@pytest.mark.parametrize(
    "env", [{"GITHUB_REPOSITORY": "acme/infra"}, {"GITHUB_REPOSITORY": "acme", "GITHUB_TOKEN": "x"}, {}]
)
def test_what_is_missing_is_said(env: dict[str, str], time: Time) -> None:
    with pytest.raises(UsageError, match=r"GITHUB_TOKEN is not set|is not OWNER/NAME"):
        connect(env, agent="stackseal", marks=marker, now=time.now, sleep=time.sleep)


def test_the_environment_gives_address_revision_and_token(
    github: GitHubFake, repository: Repository, pull: Pull, time: Time
) -> None:
    env = {
        "GITHUB_API_URL": github.url,
        "GITHUB_REPOSITORY": "acme/infra",
        "GITHUB_TOKEN": github.token(BOT, PUBLISH),
        "GITHUB_RUN_ID": "4711",
        "GITHUB_RUN_ATTEMPT": "2",
    }
    forge = connect(env, agent="stackseal/1.0 (publish)", marks=marker, now=time.now, sleep=time.sleep)
    forge.upsert_comment(pull.number, "review", [part("one")])
    forge.close()
    assert (marker.read(repository.comments_of(pull.number)[0].body) or {})["rev"] == [4711, 2, ""]


def test_no_answer_in_time_is_asked_for_again(
    github: GitHubFake, repository: Repository, pull: Pull, time: Time
) -> None:
    repository.comment(pull.number, "hello")
    github.faults.next(slow(1.3), operation="issues/list-comments")
    transport = PyGithubTransport(github.token(BOT, PUBLISH), agent="stackseal", url=github.url, seconds=1)
    listed = Client(transport, sleep=time.sleep, now=time.now).pages(
        f"/repos/acme/infra/issues/{pull.number}/comments", doing="list"
    )
    assert [item["body"] for item in listed] == ["hello"]
    transport.close()
    assert time.slept == [1.0]


def test_a_token_stands_in_no_error(time: Time) -> None:
    canary = "ghs_" + "canary" * 6
    transport = PyGithubTransport(canary, agent="stackseal", url="http://127.0.0.1:9")
    with pytest.raises(Failed, match="the connection was lost") as caught:
        Client(transport, sleep=time.sleep, now=time.now).get("/repos/acme/infra", doing="look")
    transport.close()
    assert canary not in "".join(traceback.format_exception(caught.value))
    assert canary not in repr(vars(caught.value))


MARK = Mark(key="review", state=MarkState.FAILURE, text="blocked: 1 stacks", url="https://example.com/1")


def test_a_commit_is_marked_and_the_newest_mark_counts(
    repository: Repository, pull: Pull, connected: Connected
) -> None:
    forge = connected({"statuses": "write"})
    assert isinstance(forge, MarksCommits)
    forge.mark(pull.head_sha, MARK)
    forge.mark(pull.head_sha, replace(MARK, state=MarkState.SUCCESS, text="é" * 200, url="ml/forge/1.md"))
    first, last = repository.statuses
    assert (first.state, first.context, first.target_url) == ("failure", "stackseal/review", MARK.url)
    assert (last.state, last.target_url, len(last.description or "")) == ("success", None, 140)
    assert str(last.description).endswith("…")


def test_a_mark_that_was_lost_is_set_again(
    github: GitHubFake, repository: Repository, pull: Pull, connected: Connected
) -> None:
    github.faults.next(status(502), operation="repos/create-commit-status")
    connected().mark(pull.head_sha, MARK)
    assert [found.state for found in repository.statuses] == ["failure"]


def test_a_mark_that_may_not_be_set_is_a_failure(pull: Pull, connected: Connected) -> None:
    with pytest.raises(Rejected, match="statuses"):
        connected(PUBLISH).mark(pull.head_sha, MARK)
    with pytest.raises(Rejected):
        connected().mark("f" * 40, MARK)
