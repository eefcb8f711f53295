"""Checks, statuses, deployments, environments, code scanning: where reports go."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from github import GithubException
from github.Repository import Repository as Client

from fakes.github import GitHubFake, Repository
from unit.fakes.conftest import Connect


@pytest.fixture
def head(repository: Repository) -> str:
    return repository.push("feature", {"configs/a.yaml": "a: 1\n"})


def annotation(line: int, **more: Any) -> dict[str, Any]:
    place = {"path": "configs/a.yaml", "start_line": line, "end_line": line}
    return {**place, "annotation_level": "warning", "message": f"line {line}", **more}


def test_a_check_run_with_annotations(repository: Repository, job: Client, head: str) -> None:
    output: dict[str, Any] = {"title": "Review", "summary": "ok", "annotations": [annotation(n) for n in range(50)]}
    run = job.create_check_run("stackseal", head, status="in_progress", output=output)
    assert (run.status, run.output.annotations_count) == ("in_progress", 50)
    assert (repository.checks[run.id].conclusion, repository.checks[run.id].completed) == (None, None)
    run.edit(conclusion="failure", output={**output, "annotations": [annotation(50, title="last")]})
    again = job.get_check_run(run.id)
    assert again.completed_at is not None
    assert (again.status, again.conclusion, again.output.annotations_count) == ("completed", "failure", 51)
    found = list(again.get_annotations())
    assert [(entry.start_line, entry.title) for entry in found[-2:]] == [(49, None), (50, "last")]
    job.create_check_run("stackseal", head, conclusion="success")
    assert [entry.conclusion for entry in job.get_commit(head).get_check_runs()] == ["success"]
    assert job.get_commit(head).get_check_runs(filter="all").totalCount == 2


def test_people_write_no_check_runs(repository: Repository, connect: Connect, head: str) -> None:
    with pytest.raises(GithubException) as refused:
        connect("acme").get_repo("acme/infra").create_check_run("x", head)
    assert refused.value.status == 403
    with pytest.raises(GithubException) as unknown:
        connect().get_repo("acme/infra").create_check_run("x", "f" * 40)
    assert unknown.value.status == 422


def test_an_app_changes_only_its_own_check_runs(
    repository: Repository, job: Client, connect: Connect, head: str
) -> None:
    run = job.create_check_run("stackseal", head)
    other = connect("other[bot]", {"checks": "write"}).get_repo("acme/infra")
    with pytest.raises(GithubException, match="only be modified by the GitHub App that created it"):
        other.get_check_run(run.id).edit(conclusion="success")
    assert repository.checks[run.id].conclusion is None


def test_statuses_of_a_commit(job: Client, head: str) -> None:
    commit = job.get_commit(head)
    assert commit.get_combined_status().state == "pending"
    commit.create_status("pending", context="a")
    commit.create_status("success", "https://example.com/1", "done", "a")
    assert commit.get_combined_status().state == "success"
    commit.create_status("failure", context="b")
    combined = commit.get_combined_status()
    assert (combined.state, combined.total_count) == ("failure", 2)
    _, statuses = job.requester.requestJsonAndCheck("GET", f"/repos/acme/infra/commits/{head}/statuses")
    assert [(status["context"], status["state"]) for status in statuses] == [
        ("b", "failure"),
        ("a", "success"),
        ("a", "pending"),
    ]
    with pytest.raises(GithubException) as refused:
        commit.create_status("success", description="x" * 141)
    assert refused.value.status == 422


def test_a_deployment_and_its_statuses(job: Client) -> None:
    first = job.create_deployment("main", environment="dev", auto_merge=False, required_contexts=[])
    first.create_status("in_progress", description="deploying")
    job.requester.requestJsonAndCheck(
        "POST",
        f"{first.url}/statuses",
        input={"state": "success", "log_url": "https://example.com/log", "environment_url": "https://example.com"},
    )
    second = job.create_deployment("main", environment="dev", payload={"seal": "abc"}, required_contexts=[])
    second.create_status("success")
    statuses = [[status.state for status in entry.get_statuses()] for entry in job.get_deployments(environment="dev")]
    assert statuses == [["success"], ["inactive", "success", "in_progress"]]
    assert job.get_deployment(second.id).payload == {"seal": "abc"}
    assert first.get_statuses()[1].raw_data["log_url"] == "https://example.com/log"
    assert list(job.get_deployments(environment="prod")) == []


def test_production_deployments_stay_active(job: Client) -> None:
    first, second = (job.create_deployment("main", required_contexts=[]) for _ in range(2))
    first.create_status("success")
    second.create_status("success")
    assert [status.state for status in first.get_statuses()] == ["success"]


def test_a_deployment_waits_for_its_contexts(job: Client, head: str) -> None:
    job.get_commit(head).create_status("failure", context="review")
    for contexts in ({}, {"required_contexts": ["review"]}, {"required_contexts": ["absent"]}):
        with pytest.raises(GithubException) as refused:
            job.create_deployment("feature", auto_merge=False, **contexts)  # type: ignore[arg-type]  # a table of calls
        assert refused.value.status == 409
        assert refused.value.data["errors"][0]["field"] == "required_contexts"
    job.get_commit(head).create_status("success", context="review")
    assert job.create_deployment("feature", auto_merge=False).sha == head
    with pytest.raises(GithubException) as unknown:
        job.create_deployment("nowhere")
    assert unknown.value.status == 422


def test_auto_merge_is_on_unless_turned_off(repository: Repository, job: Client, head: str) -> None:
    main = repository.push("main", {"b.txt": "1\n"})
    _, answer = job.requester.requestJsonAndCheck("POST", "/repos/acme/infra/deployments", input={"ref": "feature"})
    assert answer == {"message": "Auto-merged main into feature on deployment."}
    tip = repository.git.resolve("feature") or ""
    assert repository.git.commit(tip).parents == (head, main)
    assert repository.deployments == {}


def test_environments_and_their_protection(repository: Repository, job: Client) -> None:
    repository.environment("open")
    repository.environment(
        "prod-unsealed", reviewers=("acme",), wait_minutes=5, prevent_self_review=True, branches=("main",)
    )
    repository.environment("prod", branches="protected")
    assert job.get_environment("open").protection_rules == []
    found = job.get_environment("prod-unsealed")
    assert [rule.type for rule in found.protection_rules] == ["wait_timer", "required_reviewers", "branch_policy"]
    assert found.raw_data["protection_rules"][1]["reviewers"][0]["reviewer"]["login"] == "acme"
    assert found.raw_data["protection_rules"][1]["prevent_self_review"] is True
    assert found.deployment_branch_policy.custom_branch_policies
    assert job.get_environment("prod").deployment_branch_policy.protected_branches
    _, policies = job.requester.requestJsonAndCheck("GET", f"{found.url}/deployment-branch-policies")
    assert [entry["name"] for entry in policies["branch_policies"]] == ["main"]
    assert job.get_environments().totalCount == 3
    with pytest.raises(GithubException) as absent:
        job.get_environment("absent")
    assert absent.value.status == 404


def sarif(document: object) -> str:
    return base64.b64encode(gzip.compress(json.dumps(document).encode(), mtime=0)).decode()


def upload(job: Client, head: str, text: str) -> Any:
    body = {"commit_sha": head, "ref": "refs/heads/feature", "sarif": text}
    return job.requester.requestJsonAndCheck("POST", "/repos/acme/infra/code-scanning/sarifs", input=body)[1]


def test_a_sarif_upload(repository: Repository, job: Client, head: str) -> None:
    answer = upload(job, head, sarif({"version": "2.1.0", "runs": []}))
    assert repository.sarifs[answer["id"]].document == {"version": "2.1.0", "runs": []}
    _, state = job.requester.requestJsonAndCheck("GET", answer["url"])
    assert state["processing_status"] == "complete"


@pytest.mark.parametrize(
    "text",
    ["no base64", base64.b64encode(b"no gzip").decode(), sarif({"version": "1.0", "runs": []}), sarif([1])],
)
def test_what_is_no_sarif(repository: Repository, job: Client, head: str, text: str) -> None:
    with pytest.raises(GithubException) as refused:
        upload(job, head, text)
    assert refused.value.status == 400
    assert repository.sarifs == {}


def test_code_scanning_may_be_off(fake: GitHubFake, repository: Repository, job: Client, head: str) -> None:
    repository.code_scanning = False
    with pytest.raises(GithubException) as refused:
        upload(job, head, sarif({"version": "2.1.0", "runs": []}))
    assert refused.value.status == 403
    assert "must be enabled" in refused.value.data["message"]
    assert fake.violations == []
