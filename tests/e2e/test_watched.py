"""`drift` by its command line, against the embedded AWS and a GitHub that checks every request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from contract.test_workflows import PERMISSIONS
from e2e.harness import STARTER, Bench, Result, example
from e2e.on_github import Job
from fakes.github import GitHubFake, Issue, status
from stackseal.hosts.github_issues import HEARTBEAT, LABEL
from stackseal.report import marker
from stackseal.world import EMBEDDED

pytestmark = pytest.mark.e2e
DRIFT = PERMISSIONS["drift", "drift"]
SECOND = STARTER.replace("customer-churn", "fraud-check")


@pytest.fixture
def job(bench: Bench, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    """The clock's job, in a repository of two stacks that are deployed."""
    texts = {STARTER: example(), SECOND: example().replace("customer-churn", "fraud-check")}
    for name, text in texts.items():
        bench.write(text, f"{name}.yaml")
        for command in ("create-prov-template", "deploy-product"):
            done = bench.run(command, f"configs/{name}.yaml", *(["--force"] if command == "deploy-product" else []))
            assert done.code == 0, done.stderr
    monkeypatch.chdir(bench.folder)
    folder = tmp_path_factory.mktemp("job")
    with GitHubFake(folder / "github") as github:
        made = Job(folder=folder, github=github, repository=github.repository("acme/infra"))
        made.env = {**bench.aws.environ(), EMBEDDED: "1"}
        yield made
        assert github.violations == []


def watch(job: Job, *options: str, permissions: Any = DRIFT, form: str = "json") -> Result:
    event = job.github.events.schedule(job.repository)
    return job.run("drift", *options, f"--format={form}", event=event, name="schedule", permissions=permissions)


def touch(bench: Bench, *names: str, value: str = "by-hand") -> None:
    for name in names:
        path = f"/ml/{name.removesuffix('-s3')}/ModelPackageGroupArn"
        bench.client("ssm").put_parameter(Name=path, Value=value, Type="String", Overwrite=True)


def filed(job: Job) -> list[Issue]:
    """The drift issues."""
    return [issue for issue in job.repository.issues.values() if kind(issue) == "drift"]


def kind(issue: Issue) -> str:
    return str((marker.read(issue.body or "") or {}).get("kind"))


def beats(job: Job) -> list[Issue]:
    return [issue for issue in job.repository.issues.values() if kind(issue) == HEARTBEAT]


def moves(done: Result) -> list[str]:
    return [row["issue"]["move"] for row in done.facts["stacks"]]


def test_one_issue_for_each_stack_from_the_first_drift_to_the_last(bench: Bench, job: Job) -> None:
    path = f"/ml/{STARTER.removesuffix('-s3')}/ModelPackageGroupArn"
    good = bench.client("ssm").get_parameter(Name=path)["Parameter"]["Value"]
    quiet = watch(job)
    assert (quiet.code, moves(quiet)) == (0, ["none", "none"]), quiet.stderr
    assert quiet.facts["last_check"] is None
    (beat,) = beats(job)
    assert (beat.state, beat.labels) == ("closed", [LABEL])

    for value, move, state in (
        ("by-hand", "opened", "open"),
        ("by-hand", "unchanged", "open"),
        ("by-another-hand", "updated", "open"),
        (good, "closed", "closed"),
        ("by-hand", "reopened", "open"),
    ):
        touch(bench, STARTER, value=value)
        written = job.operations.count("issues/update")
        before = datetime.fromisoformat(watch_time(job))
        done = watch(job)
        assert (done.code, moves(done)) == (0, [move, "none"]), done.stderr
        (issue,) = filed(job)
        assert (issue.state, issue.labels) == (state, [LABEL])
        # The issue of the heartbeat is edited each time, the stack's own only when it says something else.
        assert job.operations.count("issues/update") - written == (1 if move in {"opened", "unchanged"} else 2)
        assert done.facts["last_check"] == before.isoformat()
        assert datetime.fromisoformat(done.facts["checked_at"]) >= before
    assert len(beats(job)) == 1
    assert "2 stacks, all of them compared, 1 not as deployed" in (beats(job)[0].body or "")


def watch_time(job: Job) -> str:
    """When the last complete check was, as its issue says."""
    return str((marker.read(beats(job)[0].body or "") or {})["at"])


def comments(job: Job, issue: Issue) -> list[str]:
    return [comment.body for comment in job.repository.comments_of(issue.number)]


def removed(bench: Bench, name: str) -> None:
    """A stack is deleted for good."""
    cfn = bench.client("cloudformation")
    stack = f"{name.removesuffix('-s3')}-stack"
    cfn.update_termination_protection(StackName=stack, EnableTerminationProtection=False)
    cfn.delete_stack(StackName=stack)
    cfn.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 30})


@pytest.mark.parametrize("stands", [True, False])
def test_the_issue_of_a_removed_config_is_closed_and_says_why(bench: Bench, job: Job, stands: bool) -> None:
    touch(bench, STARTER, SECOND)
    watch(job)
    (bench.folder / "configs" / f"{SECOND}.yaml").unlink()
    if not stands:
        removed(bench, SECOND)
    done = watch(job)
    assert done.code == 0, done.stderr
    first, second = sorted(filed(job), key=lambda issue: SECOND.removesuffix("-s3") in (issue.body or ""))
    assert (first.state, second.state, second.reason) == ("open", "closed", "not_planned")
    (row,) = done.facts["retired"]
    assert row["stack"].endswith(f"/{SECOND.removesuffix('-s3')}-stack")
    assert (row["number"], row["stands"], row["failed"]) == (second.number, "CREATE_COMPLETE" if stands else "", False)
    (comment,) = comments(job, second)
    assert (marker.read(comment) or {})["kind"] == "drift-closed"
    assert "**Closed, because nothing here makes the stack any more.**" in comment
    words = (
        "**still stands** (`CREATE_COMPLETE`) and nobody looks after it" if stands else "The stack itself is deleted."
    )
    assert words in comment
    assert f"/{SECOND.removesuffix('-s3')}-stack` #{second.number}" in job.summary.read_text()
    assert comments(job, first) == []
    again = watch(job)
    assert again.facts["retired"] == []
    assert len(comments(job, second)) == 1

    if stands:  # the config comes back
        bench.write(example().replace("customer-churn", "fraud-check"), f"{SECOND}.yaml")
        assert sorted(moves(watch(job))) == ["reopened", "unchanged"]


def test_the_issue_of_a_stack_that_is_gone_is_closed_although_its_config_is_there(bench: Bench, job: Job) -> None:
    touch(bench, SECOND)
    watch(job)
    removed(bench, SECOND)
    done = watch(job)
    assert done.code == 5, "it is not known how a stack is that does not exist"
    assert sorted(moves(done)) == ["none", "retired"]
    (issue,) = filed(job)
    assert (issue.state, issue.reason) == ("closed", "not_planned")
    (comment,) = comments(job, issue)
    assert "**Closed, because the stack is gone.**" in comment
    assert f"although `configs/{SECOND}.yaml` describes it" in comment
    assert sorted(moves(watch(job))) == ["none", "unchanged"]
    assert len(comments(job, issue)) == 1


ELSEWHERE = {
    "another folder": {"origin": "acme/infra:teams/data"},
    "another repository": {"origin": "acme/apps:"},
    "nobody knows where": {},
}


@pytest.mark.parametrize("where", ELSEWHERE)
def test_an_issue_that_another_check_has_opened_stays(job: Job, where: str) -> None:
    key = "111122223333/us-west-2/somebody-elses-stack"
    body = f"{marker.write('drift', id=key, **ELSEWHERE[where])}\nIt drifted."
    theirs = job.repository.open_issue("Drift", body, author="github-actions[bot]")
    done = watch(job)
    assert (done.code, done.facts["retired"], theirs.state) == (0, [], "open")
    assert comments(job, theirs) == []


def test_issues_stay_while_nobody_can_tell_which_configs_there_are(bench: Bench, job: Job) -> None:
    """Only one config was named, or one of all cannot be read: it may be the one that makes the stack."""
    touch(bench, SECOND)
    watch(job)
    (bench.folder / "configs" / f"{SECOND}.yaml").write_text("ml_product: 7\n")
    assert watch(job).facts["retired"] == []
    (bench.folder / "configs" / f"{SECOND}.yaml").unlink()
    assert watch(job, f"configs/{STARTER}.yaml").facts["retired"] == []
    assert [issue.state for issue in filed(job)] == ["open"]
    assert len(watch(job).facts["retired"]) == 1


def test_two_folders_of_one_repository_close_each_their_own(
    bench: Bench, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(bench, STARTER, SECOND)
    team = bench.folder / "teams" / "ml"
    (team / "configs").mkdir(parents=True)
    (bench.folder / "configs" / f"{SECOND}.yaml").rename(team / "configs" / f"{SECOND}.yaml")
    assert moves(watch(job)) == ["opened"]
    monkeypatch.chdir(team)
    done = watch(job)
    assert (moves(done), done.facts["retired"]) == (["opened"], [])
    first, second = filed(job)
    assert [(marker.read(issue.body or "") or {})["origin"] for issue in (first, second)] == [
        "acme/infra:",
        "acme/infra:teams/ml",
    ]
    (team / "configs" / f"{SECOND}.yaml").unlink()
    monkeypatch.chdir(bench.folder)
    assert watch(job).facts["retired"] == []
    monkeypatch.chdir(team)
    assert [row["number"] for row in watch(job).facts["retired"]] == [second.number]
    assert (first.state, second.state) == ("open", "closed")


@pytest.mark.parametrize(
    "key", ["nonsense", "111122223333/x.example.com#/stack", "111122223333/us-west-2/a/b", "1/us-west-2/stack"]
)
def test_a_marker_that_somebody_edited_sends_nobody_anywhere(bench: Bench, job: Job, key: str) -> None:
    """Who may write can edit an issue, and a region becomes a part of an address."""
    body = f"{marker.write('drift', id=key, origin='acme/infra:')}\nIt drifted."
    forged = job.repository.open_issue("Drift", body, author="github-actions[bot]")
    done = watch(job)
    assert (done.code, forged.state) == (0, "closed")
    (row,) = done.facts["retired"]
    assert row["unasked"] == "that is no stack's identity."


def test_of_a_removed_stack_set_nobody_says_that_it_is_deleted(job: Job) -> None:
    """It is no stack, so that a stack of its name is not there in any case."""
    key = "111122223333/us-west-2/a-set"
    body = f"{marker.write('drift', id=key, origin='acme/infra:', set=True)}\nIt drifted."
    theirs = job.repository.open_issue("Drift", body, author="github-actions[bot]")
    assert watch(job).code == 0
    (comment,) = comments(job, theirs)
    assert "Whether the stack still exists could not be asked: it is a stack set" in comment
    assert "is deleted" not in comment


def test_an_issue_that_cannot_be_closed_is_a_failure_and_is_tried_again(bench: Bench, job: Job) -> None:
    touch(bench, SECOND)
    watch(job)
    (bench.folder / "configs" / f"{SECOND}.yaml").unlink()
    job.github.faults.next(status(403, "Resource not accessible by integration"), operation="issues/create-comment")
    done = watch(job)
    assert done.code == 3
    assert "warning: its issue is as it was" in done.stderr
    (issue,) = filed(job)
    assert issue.state == "open"
    assert watch(job).code == 0
    assert (issue.state, len(comments(job, issue))) == ("closed", 1)


def test_no_more_issues_than_allowed_and_the_rest_is_counted(bench: Bench, job: Job) -> None:
    touch(bench, STARTER, SECOND)
    done = watch(job, "--max-open-issues=1", form="text")
    assert done.code == 0, done.stderr
    assert len(filed(job)) == 1
    assert "1 drifted without an issue, because 1 may be open: " in done.stdout
    page = job.summary.read_text()
    assert page.count("🟡 not as deployed") == 2
    assert page.count("held back: as many are open as may be") == 1
    assert "This one is not complete" in done.stdout
    assert beats(job) == []
    again = watch(job, "--max-open-issues=1")
    assert sorted(moves(again)) == ["held back", "unchanged"]
    assert len(again.facts["held_back"]) == 1
    more = watch(job, "--max-open-issues=2")
    assert sorted(moves(more)) == ["opened", "unchanged"]
    assert (len(filed(job)), len(beats(job))) == (2, 1)


@pytest.mark.parametrize("limit", ["-1", "x", "1.5"])
def test_the_limit_is_a_whole_number(job: Job, limit: str) -> None:
    done = watch(job, f"--max-open-issues={limit}")
    assert done.code == 2
    assert "is no whole number" in done.stderr


def test_a_check_that_is_not_whole_is_not_written_down(bench: Bench, job: Job) -> None:
    assert watch(job, f"configs/{STARTER}.yaml").facts["checked_at"] is None, "only one stack was named"
    bench.write(example().replace("customer-churn", "never-deployed"), "never.yaml")
    unknown = watch(job, form="text")
    assert unknown.code == 5
    assert "not deployed" in unknown.stdout
    (Path("configs") / "never.yaml").write_text("ml_product: 7\n")
    wrong = watch(job)
    assert (wrong.code, wrong.facts["checked_at"]) == (2, None)
    (Path("configs") / "never.yaml").unlink()
    assert beats(job) == []
    assert watch(job).facts["checked_at"]
    assert len(beats(job)) == 1


def test_an_issue_that_cannot_be_written_is_a_failure_and_stops_nobody(bench: Bench, job: Job) -> None:
    touch(bench, STARTER, SECOND)
    job.github.faults.next(status(403, "Resource not accessible by integration"), operation="issues/create")
    done = watch(job)
    assert done.code == 3
    assert sorted(moves(done)) == ["not filed", "opened"]
    assert "lacks the permission issues: write; add it to the job's permissions" in done.stderr
    assert beats(job) == []
    assert sorted(moves(watch(job))) == ["opened", "unchanged"]


def test_a_token_without_issues_says_what_to_do(job: Job) -> None:
    done = watch(job, permissions={"contents": "read"})
    assert done.code == 3
    assert "lacks the permission issues: read" in done.stderr
    assert "add it to the job's permissions" in done.stderr


def test_doctor_says_when_drift_was_last_checked(job: Job) -> None:
    def row() -> dict[str, str]:
        event = job.github.events.schedule(job.repository)
        done = job.run("doctor", "--format=json", event=event, name="schedule", permissions={"issues": "read"})
        (found,) = [row for row in done.facts["checks"] if row["what"] == "drift checked"]
        return dict(found)

    assert row()["status"].startswith("never")
    at = watch(job).facts["checked_at"]
    assert row() == {"what": "drift checked", "found": at, "status": "ok"}
    (beat,) = beats(job)
    beat.body = (beat.body or "").replace(at[:4], "2020")
    assert "days ago: see whether the schedule" in row()["status"]
    job.repository.has_issues = False
    assert "issues are disabled" in row()["status"]


def test_a_github_enterprise_server_is_served_the_same(bench: Bench, job: Job) -> None:
    job.server, job.enterprise = "https://github.example.com", True
    touch(bench, STARTER)
    done = watch(job)
    assert (done.code, moves(done)) == (0, ["opened", "none"]), done.stderr
    assert all("github.com" not in (issue.body or "") for issue in job.repository.issues.values())
