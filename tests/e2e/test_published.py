"""`publish` by its command line against a GitHub that checks every request: comment, findings, labels, summary."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from contract.test_workflows import PERMISSIONS
from e2e.harness import STARTER, Bench, Result, example
from e2e.on_github import Job
from fakes.github import GitHubFake, Pull, status
from stackseal.model import Report, StackReport
from stackseal.report import marker
from unit.report import samples
from unit.report.test_markdown import destroying

PUBLISH = PERMISSIONS["review", "publish"]
SCAN = PERMISSIONS["review", "scan"]


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    monkeypatch.chdir(tmp_path)
    with GitHubFake(tmp_path / "github") as github:
        yield Job(folder=tmp_path, github=github, repository=github.repository("acme/infra"))
        assert github.violations == []


@pytest.fixture
def pull(job: Job) -> Pull:
    job.repository.push("feature", {"configs/a.yaml": "a: 1\n"})
    return job.repository.open_pull("feature")


def publish(
    job: Job, pull: Pull, report: Report, *options: str, permissions: Mapping[str, str] = PUBLISH, **env: str
) -> Result:
    """The command in the next run of the pull request's workflow."""
    event = job.github.events.pull_request(job.repository, pull.number)
    merged = event["pull_request"]["merge_commit_sha"]
    job.env = {"GITHUB_REF": f"refs/pull/{pull.number}/merge", "GITHUB_SHA": merged, **env}
    argv = ("publish", job.report(report), *options)
    return job.run(*argv, event=event, name="pull_request", permissions=permissions)


def of(*stacks: StackReport) -> Report:
    return Report(run=samples.RUN, stacks=stacks)


def shown(job: Job, pull: Pull) -> list[Any]:
    return job.repository.comments_of(pull.number)


NOTHING = of(samples.unchanged())
SOMETHING = samples.ready()


def test_mode_update_keeps_one_comment_and_writes_only_what_is_new(job: Job, pull: Pull) -> None:
    for report in (NOTHING, NOTHING, SOMETHING, SOMETHING):
        done = publish(job, pull, report, "--part", "comment")
        assert done.code == 0, done.stderr
        (comment,) = shown(job, pull)
        assert done.stdout.strip().endswith(f"#issuecomment-{comment.id}")
    assert job.operations.count("issues/create-comment") == 1
    assert job.operations.count("issues/update-comment") == 1, "the same body is not written again"
    data = marker.read(comment.body) or {}
    assert (data["key"], data["head"]) == ("review", pull.head_sha), "the event tells the head, not the file"


def test_mode_changes_only_begins_with_a_change_or_a_block(job: Job, pull: Pull) -> None:
    only = ("--part", "comment", "--comment-mode", "changes-only")
    assert publish(job, pull, NOTHING, *only).code == 0
    assert shown(job, pull) == []
    assert samples.unchanged().id.name in job.summary.read_text(), "the summary has it all the same"
    assert publish(job, pull, SOMETHING, *only).code == 0
    assert publish(job, pull, NOTHING, *only).code == 0
    (comment,) = shown(job, pull)
    assert samples.unchanged().id.name in comment.body


def test_a_blocked_review_without_changes_is_worth_a_comment(job: Job, pull: Pull) -> None:
    blocked = dataclasses.replace(NOTHING, failures=(samples.FAILURE,))
    done = publish(job, pull, blocked, "--part", "comment", "--comment-mode", "changes-only")
    assert done.code == 1
    assert len(shown(job, pull)) == 1


def test_mode_new_folds_what_came_before(job: Job, pull: Pull) -> None:
    for report in (NOTHING, SOMETHING, SOMETHING):
        publish(job, pull, report, "--part", "comment", "--comment-mode", "new")
    assert [comment.minimized for comment in shown(job, pull)] == ["outdated", "outdated", None]


def test_mode_off_writes_nothing_to_github_and_still_annotates(job: Job, pull: Pull) -> None:
    done = publish(job, pull, samples.full(), "--part", "comment", "--comment-mode", "off")
    assert done.code == 1
    assert shown(job, pull) == []
    assert job.operations == ["issues/list-labels-on-issue"]
    assert "::error file=" in done.stdout
    assert job.summary.stat().st_size > 1_000


def test_a_review_for_several_comments_is_one_group_that_shrinks_and_grows(job: Job, pull: Pull) -> None:
    long = of(*(destroying(120, "x" * 400, f"stack-{n}") for n in range(3)))
    for _ in range(2):
        assert publish(job, pull, long, "--part", "comment").code == 0
    parts = shown(job, pull)
    assert len(parts) > 1
    marks = [marker.read(part.body) or {} for part in parts]
    assert [(mark["key"], mark["part"], mark["parts"]) for mark in marks] == [
        ("review", number, len(parts)) for number in range(1, len(parts) + 1)
    ]
    assert all(len(part.body) <= 65_000 for part in parts)
    assert job.operations.count("issues/create-comment") == len(parts)
    assert "issues/update-comment" not in job.operations
    assert publish(job, pull, SOMETHING, "--part", "comment").code == 0
    (left,) = shown(job, pull)
    assert left.id == parts[0].id


def test_findings_go_to_the_merge_commit_and_the_verdict_stays_out_of_it(job: Job, pull: Pull) -> None:
    done = publish(job, pull, samples.full(), "--part", "findings", "--id", "infra", "--format=json", permissions=SCAN)
    assert (done.code, done.stderr) == (0, "")
    assert done.facts["code_scanning"] == "accepted"
    (sent,) = job.repository.sarifs.values()
    event = job.github.events.pull_request(job.repository, pull.number)
    assert (sent.ref, sent.commit) == (f"refs/pull/{pull.number}/merge", event["pull_request"]["merge_commit_sha"])
    (run,) = sent.document["runs"]
    assert run["automationDetails"]["id"] == "stackseal/infra/"
    assert {result["ruleId"] for result in run["results"]} >= {"invalid-config"}
    assert job.operations == ["code-scanning/upload-sarif"]
    assert not job.summary.exists()


def test_without_code_scanning_nobody_hears_of_it(job: Job, pull: Pull) -> None:
    job.repository.code_scanning = False
    quiet = publish(job, pull, SOMETHING, "--part", "findings", permissions=SCAN)
    assert (quiet.code, quiet.stderr) == (0, "")
    loud = publish(job, pull, SOMETHING, "--part", "findings", "--log-level", "debug", permissions=SCAN)
    assert loud.code == 0
    assert loud.stderr.count("\n") == 1
    assert "code scanning" in loud.stderr
    assert job.repository.sarifs == {}


def test_a_token_without_the_permission_is_told_what_it_lacks(job: Job, pull: Pull) -> None:
    findings = publish(job, pull, SOMETHING, permissions=PUBLISH)
    assert findings.code == 0
    assert "lacks the permission security-events: write" in findings.stderr
    assert len(shown(job, pull)) == 1
    comment = publish(job, pull, of(samples.updated()), "--part", "comment", permissions=SCAN)
    assert comment.code == 3
    assert "lacks the permission issues: read or pull-requests: read" in comment.stderr
    assert "add it to the job's permissions" in comment.stderr


def test_labels_follow_the_verdict_and_other_people_s_stay(job: Job, pull: Pull) -> None:
    issue = job.repository.issues[pull.number]
    issue.labels.append(job.repository.label("bug").name)
    wanted = [
        (samples.full(), ["stackseal: blocked", "stackseal: destructive"]),
        (samples.human(), ["stackseal: destructive", "stackseal: needs a human"]),
        (SOMETHING, ["stackseal: ready"]),
    ]
    for report, names in wanted:
        publish(job, pull, report, "--part", "comment", "--labels")
        assert sorted(issue.labels) == ["bug", *names]
    publish(job, pull, samples.full(), "--part", "comment")
    assert sorted(issue.labels) == ["bug", "stackseal: ready"], "without --labels they are left alone"


def test_a_new_plan_is_not_stale(job: Job, pull: Pull) -> None:
    issue = job.repository.issues[pull.number]
    issue.labels += [job.repository.label(name).name for name in ("stackseal: ready", "stackseal: stale plan")]
    publish(job, pull, SOMETHING, "--part", "comment")
    assert issue.labels == ["stackseal: ready"]


def test_labels_that_cannot_be_set_stop_nothing(job: Job, pull: Pull) -> None:
    job.github.faults.next(
        status(403, "Resource not accessible by integration"), operation="issues/list-labels-on-issue"
    )
    done = publish(job, pull, SOMETHING, "--part", "comment", "--labels")
    assert (done.code, done.stderr) == (0, "")
    assert len(shown(job, pull)) == 1


def test_a_summary_counts_what_the_step_has_written_before(job: Job, pull: Pull) -> None:
    job.summary.write_text("x" * 990_000 + "\n")
    publish(job, pull, samples.full(), "--part", "comment", "--comment-mode", "off")
    assert 990_100 < job.summary.stat().st_size <= 1_000_000
    job.summary.write_text("x" * 1_000_100)
    done = publish(job, pull, samples.full(), "--part", "comment", "--comment-mode", "off")
    assert job.summary.stat().st_size == 1_000_100
    assert "The job's summary is full" in done.stderr


def test_annotations_are_ten_of_each_kind_and_a_count(job: Job, pull: Pull) -> None:
    first, *_ = samples.updated().findings
    many = [
        dataclasses.replace(first, check=f"c-{level.value}-{number}", level=level, waiver=None)
        for level in type(first.level)
        for number in range(40)
    ]
    done = publish(job, pull, of(dataclasses.replace(samples.updated(), findings=tuple(many))), "--comment-mode", "off")
    lines = [line for line in done.stdout.splitlines() if line.startswith("::")]
    kinds = [line[2:].split(" ")[0] for line in lines]
    assert {kind: kinds.count(kind) for kind in kinds} == {"error": 10, "warning": 10, "notice": 10}
    assert len(lines) <= 50, "GitHub shows fifty of a job"
    assert "91 findings have no annotation" in lines[-1]


def test_paths_of_a_folder_are_those_of_the_repository(job: Job, pull: Pull) -> None:
    done = publish(job, pull, samples.full(), "--folder", "infra/ml", permissions={**PUBLISH, **SCAN})
    assert done.code == 1, done.stderr
    files = re.findall(r"^::error file=([^,]+)", done.stdout, re.MULTILINE)
    assert files
    assert all(file.startswith("infra/ml/configs/") for file in files)
    (comment,) = shown(job, pull)
    assert f"/blob/{pull.head_sha}/infra/ml/configs/" in comment.body
    assert f"/blob/{pull.head_sha}/configs/" not in comment.body
    (sent,) = job.repository.sarifs.values()
    places = {item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for item in results(sent.document)}
    assert all(place.startswith("infra/ml/configs/") for place in places)


def results(document: Any) -> list[Any]:
    """What a SARIF document found."""
    return list(document["runs"][0]["results"])


@pytest.mark.parametrize("folder", ["../other", "/etc", "a/../../b"])
def test_a_folder_outside_the_repository_is_refused(job: Job, pull: Pull, folder: str) -> None:
    done = publish(job, pull, SOMETHING, "--folder", folder)
    assert done.code == 2
    assert "not a folder below the repository's top" in done.stderr
    assert job.operations == []


def test_a_review_in_a_folder_names_files_from_the_top(bench: Bench) -> None:
    folder = bench.folder / "infra"
    (folder / "configs").mkdir(parents=True)
    (folder / "stackseal.yaml").write_text("version: 1\nconfigs: configs\n", encoding="utf-8")
    bench.commit("Begin a folder")
    (folder / "configs" / f"{STARTER}.yaml").write_text(example().replace("tier: starter", "tier: golden"))
    bench.commit("Add a config that is wrong")
    bench.world = dataclasses.replace(bench.world, here=folder)
    done = bench.run("review", "--base", "HEAD~1", "--format", "json")
    assert done.code == 1, done.stderr
    (failure,) = done.facts["failures"]
    assert failure.startswith(f"configs/{STARTER}.yaml:"), "here the file is named from here"
    comment = (bench.folder / "ml/reports/review.md").read_text()
    assert f"infra/configs/{STARTER}.yaml:" in comment


def test_every_link_leads_to_the_server_of_the_job(job: Job, pull: Pull) -> None:
    job.server, job.enterprise = "https://github.example.com:8443", True
    done = publish(job, pull, samples.full(), permissions={**PUBLISH, **SCAN})
    assert done.code == 1, done.stderr
    (comment,) = shown(job, pull)
    page = f"{job.server}/acme/infra"
    assert f"({page}/actions/runs/{job.runs})" in comment.body
    assert f"({page}/blob/{pull.head_sha}/configs/" in comment.body
    for text in (comment.body, job.summary.read_text(), Path("ml/reports/review.html").read_text()):
        assert "github.com/acme" not in text.replace(page, "")
    assert len(job.repository.sarifs) == 1
    assert "acme/infra" not in json.dumps(next(iter(job.repository.sarifs.values())).document)
