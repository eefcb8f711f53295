"""Planning again: what a pull request is the forge says, marks are set and taken away, the queue reads a display."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest

from fakes.github import BOT, GitHubFake, Repository
from stackseal.commands.replan import NOTE
from stackseal.errors import Failed, Refused
from stackseal.hosts.base import KnowsEnvironments, Replans, Shown
from stackseal.hosts.github_comments import noted
from stackseal.hosts.github_errors import Rejected
from stackseal.hosts.github_forge import GitHubForge, Options, connect
from stackseal.hosts.github_http import PyGithubTransport
from stackseal.hosts.github_replan import trusted
from stackseal.hosts.github_revision import Revision
from stackseal.report import marker
from unit.hosts.github.hub import Time

FIND = {"contents": "read", "pull-requests": "read"}
REPLAN = {"actions": "write", "pull-requests": "write"}
WORKFLOW = "on:\n  workflow_dispatch:\n    inputs:\n      pull-request:\n        required: true\n"


class Connected(Protocol):
    def __call__(self, permissions: dict[str, str], *, run: int = 1) -> GitHubForge: ...


@pytest.fixture
def repository(github: GitHubFake) -> Repository:
    found = github.repository("acme/infra")
    found.push("main", {".github/workflows/stackseal-review.yml": WORKFLOW, "a": "1\n"})
    return found


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def connected(github: GitHubFake, repository: Repository, time: Time) -> Iterator[Connected]:
    transports = []

    def make(permissions: dict[str, str], *, run: int = 1) -> GitHubForge:
        transport = PyGithubTransport(github.token(BOT, permissions), agent="stackseal/1.0 (x)", url=github.url)
        transports.append(transport)
        env, options = {"GITHUB_REPOSITORY": "acme/infra"}, Options(actions=True, revision=Revision(run=run))
        return connect(
            env, agent="", marks=marker, now=time.now, sleep=time.sleep, options=options, transport=transport
        )

    yield make
    for transport in transports:
        transport.close()


def opened(repository: Repository, branch: str = "feature", **more: object) -> int:
    (more.get("source") or repository).push(branch, {branch: "2\n"})  # type: ignore[attr-defined]
    return repository.open_pull(branch, **more).number  # type: ignore[arg-type]


def test_a_proposal_is_the_trial_merge_of_the_last_commit(
    repository: Repository, connected: Connected, time: Time
) -> None:
    number = opened(repository)
    forge = connected(FIND)
    assert isinstance(forge, Replans)
    assert isinstance(forge, KnowsEnvironments)
    repository.push("main", {"b": "3\n"})
    repository.merging = 2
    found = forge.proposal(number)
    git = repository.git
    assert git.commit(found.merge).parents == (git.resolve("refs/heads/main"), git.resolve("refs/heads/feature"))
    assert (found.base, found.head) == git.commit(found.merge).parents
    assert (found.number, found.trusted) == (number, True)
    assert time.slept == [3.0, 3.0]


def test_a_merge_that_never_comes_is_no_success(repository: Repository, connected: Connected) -> None:
    number = opened(repository)
    repository.merging = 1_000
    with pytest.raises(Failed, match="has not merged its last commit on trial"):
        connected(FIND).proposal(number)


@pytest.mark.parametrize(
    ("kind", "believed"), [("branch", True), ("fork", False), ("draft", False), ("dependabot", False)]
)
def test_who_may_be_planned_with_credentials(
    repository: Repository, connected: Connected, kind: str, believed: bool
) -> None:
    match kind:
        case "fork":
            number = opened(repository, source=repository.fork("mallory"))
        case "draft":
            number = opened(repository, draft=True)
        case "dependabot":
            number = opened(repository, author="dependabot[bot]")
        case _:
            number = opened(repository)
    assert connected(FIND).proposal(number).trusted is believed


def test_a_fork_that_is_gone_is_still_a_fork() -> None:
    assert not trusted({"head": {"repo": None}, "base": {"repo": {"id": 1}}, "user": {"login": "somebody"}})


def test_what_cannot_be_planned_is_refused(repository: Repository, connected: Connected) -> None:
    closed, conflicting = opened(repository, "one"), opened(repository, "two")
    repository.close_issue(closed)
    repository.push("main", {"two": "other\n"})
    forge = connected(FIND)
    for number, why in ((closed, "it is closed"), (conflicting, "it conflicts"), (999, "none with this number")):
        with pytest.raises(Refused, match=why):
            forge.proposal(number)


def review(repository: Repository, number: int, **data: object) -> tuple[str, ...]:
    head = repository.pulls[number].head_sha
    return (f"{marker.write('review', head=head, **data)}\n\n## Ready\n",)  # type: ignore[arg-type]


def test_a_stale_plan_is_marked_and_planned_again(repository: Repository, connected: Connected) -> None:
    number = opened(repository)
    publisher = connected({"pull-requests": "write"})
    for key in ("infra", "other"):
        publisher.upsert_comment(number, key, review(repository, number))
    repository.comment(number, f"{marker.write('review', key='infra')}\nforged", author="mallory")
    forge = connected(REPLAN)
    for _ in range(2):
        assert forge.replan(number, workflow="stackseal-review.yml", branch="main", note=NOTE)
    bodies = [comment.body for comment in repository.comments_of(number)]
    assert [body.count(NOTE) for body in bodies] == [1, 1, 0]
    assert all(body.split("\n")[1] == NOTE for body in bodies[:2])
    assert repository.issues[number].labels == ["stackseal: stale plan"]
    assert [(item.workflow, item.ref, item.inputs) for item in repository.dispatches] == [
        ("stackseal-review.yml", "main", {"pull-request": str(number)})
    ] * 2
    # The next review takes the line away, whatever it says.
    connected({"pull-requests": "write"}, run=2).upsert_comment(number, "infra", review(repository, number))
    first, second, _ = repository.comments_of(number)
    assert NOTE not in first.body
    assert NOTE in second.body


def test_what_is_closed_or_unknown_is_left_alone(repository: Repository, connected: Connected) -> None:
    number = opened(repository)
    repository.close_issue(number)
    forge = connected(REPLAN)
    assert not forge.replan(number, workflow="stackseal-review.yml", branch="main", note=NOTE)
    assert not forge.replan(999, workflow="stackseal-review.yml", branch="main", note=NOTE)
    assert repository.dispatches == []
    assert repository.issues[number].labels == []


def test_only_a_token_with_actions_write_starts_workflows(repository: Repository, connected: Connected) -> None:
    number = opened(repository)
    with pytest.raises(Rejected, match="actions"):
        connected({"pull-requests": "write", "contents": "read"}).replan(
            number, workflow="stackseal-review.yml", branch="main", note=NOTE
        )


def test_what_a_comment_says_that_was_sealed(repository: Repository, connected: Connected) -> None:
    number = opened(repository)
    reader, writer = connected({"pull-requests": "read"}), connected({"pull-requests": "write"})
    assert reader.shown(number, "infra") is None
    writer.upsert_comment(number, "infra", review(repository, number, inputs=["aa", "bb"]))
    repository.comment(number, f"{marker.write('review', key='infra', inputs=['cc'])}\nforged", author="mallory")
    head = repository.pulls[number].head_sha
    assert reader.shown(number, "infra") == Shown(commit=head, head=head, words=frozenset({"aa", "bb"}))
    assert reader.shown(number, "other") is None
    repository.push("feature", {"feature": "3\n"})
    writer.upsert_comment(number, "other", (f"{marker.write('review', head=head)}\n\n## Ready\n",))
    found = reader.shown(number, "other")
    assert found == Shown(commit=head, head=repository.pulls[number].head_sha, words=None)
    assert found.commit != found.head


def test_the_environment_is_read_with_actions_read(repository: Repository, connected: Connected) -> None:
    repository.environment("open-unsealed")
    repository.environment("production-unsealed", reviewers=("colleague",))
    forge = connected({"actions": "read"})
    names = ("production-unsealed", "open-unsealed", "never-made-unsealed")
    assert [forge.reviewers(name) for name in names] == [True, False, False]


def test_a_note_stands_below_the_marker() -> None:
    assert noted("<!-- m -->\n\n## Ready\n", "> line") == "<!-- m -->\n> line\n\n## Ready\n"
