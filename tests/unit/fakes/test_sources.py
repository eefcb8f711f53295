"""Commits, files, refs, rules, workflows, and the two API versions."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from github import GithubException
from github.Repository import Repository as Client

from fakes.github import GitHubFake, Repository
from unit.fakes.conftest import EVERYTHING, Connect

WORKFLOW = """\
on:
  workflow_dispatch:
    inputs:
      pull-request: {required: true}
      reason: {}
jobs: {}
"""


def test_a_commit_and_its_files(repository: Repository, job: Client) -> None:
    sha = repository.push("main", {"a.txt": "1\n", "b.txt": "2\n"}, message="Two files\n\nAnd why", author="somebody")
    commit = job.get_commit(sha[:10])
    assert (commit.sha, commit.commit.message, commit.author.login) == (sha, "Two files\n\nAnd why", "somebody")
    assert [file.filename for file in commit.files] == ["a.txt", "b.txt"]
    assert commit.stats.additions == 2
    root = job.get_commit(commit.parents[0].sha)
    assert [file.filename for file in root.files] == ["README.md"]
    with pytest.raises(GithubException) as refused:
        job.get_commit("f" * 40)
    assert refused.value.status == 422


def test_comparing(repository: Repository, job: Client) -> None:
    start = repository.git.resolve("main") or ""
    first = repository.push("feature", {"a.txt": "1\n"})
    second = repository.push("feature", {"a.txt": "2\n"})
    repository.push("main", {"b.txt": "1\n"})
    found = job.compare("main", "feature")
    assert (found.status, found.ahead_by, found.behind_by) == ("diverged", 2, 1)
    assert [commit.sha for commit in found.commits] == [first, second]
    assert [file.filename for file in found.files] == ["a.txt"]
    assert found.merge_base_commit.sha == start
    assert job.compare(second, second).status == "identical"
    assert job.compare(second, start).status == "behind"
    assert job.compare(start, second).status == "ahead"


def test_files_and_folders(repository: Repository, job: Client) -> None:
    repository.push("main", {"configs/a.yaml": "a: é\n", "configs/sub/b.yaml": "b: 1\n"})
    file = job.get_contents("configs/a.yaml")
    assert not isinstance(file, list)
    assert file.decoded_content.decode() == "a: é\n"
    folder = job.get_contents("configs", ref="main")
    assert isinstance(folder, list)
    assert [(entry.name, entry.type, entry.path) for entry in folder] == [
        ("a.yaml", "file", "configs/a.yaml"),
        ("sub", "dir", "configs/sub"),
    ]
    root = job.get_contents("")
    assert isinstance(root, list)
    assert [entry.name for entry in root] == ["README.md", "configs"]
    _, raw = job.requester.requestJsonAndCheck(
        "GET", "/repos/acme/infra/contents/configs/a.yaml", headers={"Accept": "application/vnd.github.raw+json"}
    )
    assert raw["data"] == "a: é\n"
    for path, ref in (("absent.yaml", "main"), ("configs/a.yaml", "absent")):
        with pytest.raises(GithubException) as missing:
            job.get_contents(path, ref=ref)
        assert missing.value.status == 404


def test_a_large_file_has_no_content(repository: Repository, job: Client) -> None:
    repository.push("main", {"large.txt": "x" * 1_048_577})
    file = job.get_contents("large.txt")
    assert not isinstance(file, list)
    assert (file.size, file.encoding, file.content) == (1_048_577, "none", "")


def test_refs(repository: Repository, job: Client) -> None:
    sha = repository.git.resolve("main") or ""
    next_ = repository.push("other", {"a.txt": "1\n"})
    made = job.create_git_ref("refs/heads/new/branch", sha)
    assert job.get_git_ref("heads/new/branch").object.sha == sha
    assert [ref.ref for ref in job.get_git_matching_refs("heads/new")] == ["refs/heads/new/branch"]
    made.edit(next_)
    with pytest.raises(GithubException, match="not a fast forward"):
        made.edit(sha)
    made.edit(sha, force=True)
    assert job.get_branch("new/branch").commit.sha == sha
    with pytest.raises(GithubException, match="already exists"):
        job.create_git_ref("refs/heads/new/branch", sha)
    with pytest.raises(GithubException, match="at least two slashes"):
        job.create_git_ref("heads/x", sha)
    with pytest.raises(GithubException, match="does not exist"):
        job.create_git_ref("refs/heads/x", "f" * 40)
    with pytest.raises(GithubException, match="not a valid ref name"):
        job.create_git_ref("refs/heads/a..b", sha)
    made.delete()
    with pytest.raises(GithubException) as gone:
        job.get_git_ref("heads/new/branch")
    assert gone.value.status == 404


def test_rules_of_a_branch(repository: Repository, job: Client) -> None:
    _, none = job.requester.requestJsonAndCheck("GET", "/repos/acme/infra/rules/branches/main")
    assert none == []
    parameters = {
        "required_approving_review_count": 1,
        "dismiss_stale_reviews_on_push": True,
        "require_code_owner_review": True,
        "require_last_push_approval": False,
        "required_review_thread_resolution": False,
    }
    checks = {"required_status_checks": [{"context": "verdict"}], "strict_required_status_checks_policy": False}
    repository.rules += [
        {"type": "pull_request", "parameters": parameters},
        {"type": "required_status_checks", "parameters": checks},
    ]
    _, rules = job.requester.requestJsonAndCheck("GET", "/repos/acme/infra/rules/branches/main")
    assert [rule["type"] for rule in rules] == ["pull_request", "required_status_checks"]
    assert rules[0]["parameters"]["require_code_owner_review"] is True
    assert rules[0]["ruleset_source"] == "acme/infra"
    assert rules[1]["parameters"]["required_status_checks"] == [{"context": "verdict"}]


def test_starting_a_workflow(repository: Repository, job: Client) -> None:
    repository.push("main", {".github/workflows/review.yml": WORKFLOW, ".github/workflows/push.yml": "on: push\n"})
    workflow = job.get_workflow("review.yml")
    assert workflow.create_dispatch("main", {"pull-request": "7"}, throw=True)
    (started,) = repository.dispatches
    assert (started.workflow, started.ref, started.inputs) == ("review.yml", "main", {"pull-request": "7"})
    (run,) = workflow.get_runs()
    assert (run.event, run.status, run.head_sha) == ("workflow_dispatch", "queued", repository.git.resolve("main"))
    assert job.get_workflow_run(run.id).actor.login == "github-actions[bot]"
    wrong = [
        ("review.yml", {"ref": "main", "inputs": {}}, "Required input 'pull-request' not provided"),
        ("review.yml", {"ref": "main", "inputs": {"pull-request": "1", "x": "1"}}, "Unexpected inputs"),
        ("review.yml", {"ref": "absent"}, "No ref found"),
        ("push.yml", {"ref": "main"}, "does not have 'workflow_dispatch' trigger"),
        ("absent.yml", {"ref": "main"}, "Not Found"),
    ]
    for name, body, message in wrong:
        path = f"/repos/acme/infra/actions/workflows/{name}/dispatches"
        with pytest.raises(GithubException, match=message):
            job.requester.requestJsonAndCheck("POST", path, input=body)
    assert len(repository.dispatches) == 1


def test_artifacts_are_what_the_test_says(repository: Repository, job: Client) -> None:
    repository.artifacts += [{"id": 1, "name": "report", "workflow_run": {"id": 5}}, {"id": 2, "name": "bundle"}]
    _, all_ = job.requester.requestJsonAndCheck("GET", "/repos/acme/infra/actions/artifacts")
    assert [entry["name"] for entry in all_["artifacts"]] == ["report", "bundle"]
    _, one = job.requester.requestJsonAndCheck("GET", "/repos/acme/infra/actions/runs/5/artifacts")
    assert [entry["name"] for entry in one["artifacts"]] == ["report"]


def test_the_newer_version_answers_a_dispatch_with_the_run(
    fake: GitHubFake, repository: Repository, connect: Connect
) -> None:
    repository.push("main", {".github/workflows/plain.yml": "on: [workflow_dispatch]\n"})
    path = "/repos/acme/infra/actions/workflows/plain.yml/dispatches"
    old, new = connect().requester, connect(version="2026-03-10").requester
    headers, nothing = old.requestJsonAndCheck("POST", path, input={"ref": "main"})
    assert (headers["x-github-api-version-selected"], nothing) == ("2022-11-28", None)
    headers, answer = new.requestJsonAndCheck("POST", path, input={"ref": "main"})
    assert headers["x-github-api-version-selected"] == "2026-03-10"
    assert answer["workflow_run_id"] in repository.runs
    _, details = old.requestJsonAndCheck("POST", path, input={"ref": "main", "return_run_details": True})
    assert details["workflow_run_id"] in repository.runs
    assert [call.status for call in fake.calls] == [204, 200, 200]


def test_the_newer_version_drops_fields(fake: GitHubFake, repository: Repository, connect: Connect) -> None:
    repository.push("feature", {"a.txt": "1\n"})
    number = repository.open_pull("feature").number
    old, new = connect().requester, connect(version="2026-03-10").requester
    path = f"/repos/acme/infra/pulls/{number}"
    assert old.requestJsonAndCheck("GET", path)[1]["merge_commit_sha"]
    assert "merge_commit_sha" not in new.requestJsonAndCheck("GET", path)[1]
    assert "rate" in old.requestJsonAndCheck("GET", "/rate_limit")[1]
    assert "rate" not in new.requestJsonAndCheck("GET", "/rate_limit")[1]
    body = {"title": "x", "assignee": "acme"}
    assert old.requestJsonAndCheck("POST", "/repos/acme/infra/issues", input=body)[1]["number"] == 2
    with pytest.raises(GithubException) as refused:
        new.requestJsonAndCheck("POST", "/repos/acme/infra/issues", input=body)
    assert refused.value.status == 422
    with pytest.raises(GithubException) as unknown:
        connect(version="2020-01-01").get_repo("acme/infra")
    assert unknown.value.status == 400


def test_a_submodule_in_a_folder(fake: GitHubFake, repository: Repository, tmp_path: Path) -> None:
    work = tmp_path / "work"
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")

    def git(*arguments: str) -> None:
        subprocess.run(["git", *who, *arguments], cwd=work, check=True, capture_output=True)

    subprocess.run(["git", "clone", "-q", str(repository.git.folder), str(work)], check=True, capture_output=True)
    git("update-index", "--add", "--cacheinfo", f"160000,{repository.git.resolve('main')},vendor")
    git("commit", "-q", "-m", "Vendor")
    git("push", "-q", "origin", "main")
    kinds = {}
    for version in ("2022-11-28", "2026-03-10"):
        client = fake.client(fake.token(permissions=EVERYTHING), version=version)
        _, entries = client.requester.requestJsonAndCheck("GET", "/repos/acme/infra/contents/")
        kinds[version] = {entry["name"]: entry["type"] for entry in entries}["vendor"]
    assert kinds == {"2022-11-28": "file", "2026-03-10": "submodule"}


def test_the_same_calls_make_the_same_hashes(tmp_path: Path) -> None:
    hashes = []
    for name in ("one", "two"):
        with GitHubFake(tmp_path / name) as fake:
            repository = fake.repository("acme/infra")
            repository.push("feature", {"a.txt": "1\n"})
            hashes.append([repository.merge(repository.open_pull("feature").number, "squash"), fake.clock.text])
    assert hashes[0] == hashes[1]
