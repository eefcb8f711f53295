"""Pull requests: what they change comes from Git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from github import GithubException
from github.Repository import Repository as Client

from fakes.github import GitHubFake, Repository
from fakes.github.git import GitError
from unit.fakes.conftest import Connect


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.com"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, check=True, text=True)
    return done.stdout.strip()


def test_files_patches_and_commits_are_git_s(repository: Repository, job: Client) -> None:
    repository.push("main", {"a.txt": "1\n2\n3\n4\n5\n", "b.txt": "old\n", "c.bin": b"\0"})
    first = repository.push("feature", {"a.txt": "1\n2\nthree\n4\n5\n", "b.txt": None}, author="somebody")
    second = repository.push("feature", {"d/e.yaml": "new: 1\n", "c.bin": b"\0\1"})
    pull = job.get_pull(repository.open_pull("feature", title="Change", author="somebody").number)
    assert (pull.head.sha, pull.base.ref, pull.user.login, pull.changed_files) == (second, "main", "somebody", 4)
    assert [commit.sha for commit in pull.get_commits()] == [first, second]
    files = {file.filename: file for file in pull.get_files()}
    assert [(name, file.status) for name, file in files.items()] == [
        ("a.txt", "modified"),
        ("b.txt", "removed"),
        ("c.bin", "modified"),
        ("d/e.yaml", "added"),
    ]
    assert files["a.txt"].patch == "@@ -1,5 +1,5 @@\n 1\n 2\n-3\n+three\n 4\n 5"
    assert files["c.bin"].patch is None
    assert (files["a.txt"].additions, files["a.txt"].deletions, files["a.txt"].changes) == (1, 1, 2)


def test_a_renamed_file(repository: Repository, job: Client) -> None:
    text = "".join(f"line {index}\n" for index in range(20))
    repository.push("main", {"old.txt": text})
    repository.push("feature", {"old.txt": None, "new.txt": text})
    (file,) = job.get_pull(repository.open_pull("feature").number).get_files()
    assert (file.filename, file.previous_filename, file.status) == ("new.txt", "old.txt", "renamed")
    assert file.changes == 0


def test_odd_names_of_files(repository: Repository, job: Client) -> None:
    names = ['"quoted".txt', "back\\slash.txt", "line\nbreak.txt", "space and é.txt", "tab\there.txt", "-flag", "*.txt"]
    repository.push("feature", dict.fromkeys(names, "1\n"))
    files = list(job.get_pull(repository.open_pull("feature").number).get_files())
    assert sorted(file.filename for file in files) == sorted(names)
    assert {file.patch for file in files} == {"@@ -0,0 +1 @@\n+1"}
    repository.push("feature", dict.fromkeys(names))
    assert [entry[2] for entry in repository.git.tree("feature")] == ["README.md"]


def test_a_push_moves_the_head_and_the_test_merge(repository: Repository, job: Client) -> None:
    repository.push("feature", {"a.txt": "1\n"})
    number = repository.open_pull("feature").number
    before = job.get_pull(number)
    head = repository.push("feature", {"a.txt": "2\n"})
    base = repository.push("main", {"b.txt": "1\n"})
    after = job.get_pull(number)
    assert after.head.sha == head != before.head.sha
    assert after.merge_commit_sha == repository.git.resolve(f"refs/pull/{number}/merge")
    assert repository.git.commit(after.merge_commit_sha or "").parents == (base, head)
    assert [file.filename for file in after.get_files()] == ["a.txt"]


def test_the_trial_merge_takes_its_time(repository: Repository, job: Client) -> None:
    repository.push("main", {"a": "1"})
    repository.push("feature", {"b": "2"})
    number = repository.open_pull("feature").number
    repository.merging = 1
    first, second = job.get_pull(number), job.get_pull(number)
    assert (first.mergeable, first.merge_commit_sha) == (None, None)
    assert second.mergeable
    assert second.merge_commit_sha


def test_plain_git_may_push(fake: GitHubFake, repository: Repository, job: Client, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(repository.git.folder), "work")
    work = tmp_path / "work"
    git(work, "checkout", "-q", "-b", "feature")
    (work / "a.txt").write_text("1\n", encoding="utf-8")
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "One")
    git(work, "push", "-q", "origin", "feature")
    pull = job.create_pull(base="main", head="feature", title="By API")
    git(work, "commit", "-q", "--allow-empty", "-m", "Two")
    git(work, "push", "-q", "origin", "feature")
    assert job.get_pull(pull.number).head.sha == git(work, "rev-parse", "HEAD")
    git(work, "fetch", "-q", "origin", f"refs/pull/{pull.number}/merge")
    assert git(work, "log", "-1", "--format=%s", "FETCH_HEAD").startswith("Merge ")


@pytest.mark.parametrize(("method", "added"), [("merge", 3), ("squash", 1), ("rebase", 2)])
def test_merging(repository: Repository, job: Client, method: str, added: int) -> None:
    one = repository.push("feature", {"a.txt": "1\n"})
    two = repository.push("feature", {"b.txt": "2\n"})
    before = repository.push("main", {"c.txt": "3\n"})
    number = repository.open_pull("feature").number
    merged = job.get_pull(number).merge(merge_method=method)
    tip = repository.git.resolve("main")
    assert merged.merged
    assert merged.sha == tip
    assert len(repository.git.between(before, tip or "")) == added
    assert {entry[2] for entry in repository.git.tree("main")} == {"README.md", "a.txt", "b.txt", "c.txt"}
    pull = job.get_pull(number)
    assert (pull.merged, pull.state, pull.merge_commit_sha) == (True, "closed", tip)
    for sha in (*repository.git.between(before, tip or ""), one, two):
        assert [found.number for found in job.get_commit(sha).get_pulls()] == [number], sha
    assert list(job.get_commit(before).get_pulls()) == []
    assert pull.is_merged()


def test_a_conflict(repository: Repository, job: Client) -> None:
    repository.push("feature", {"README.md": "mine\n"})
    repository.push("main", {"README.md": "yours\n"})
    number = repository.open_pull("feature").number
    pull = job.get_pull(number)
    assert (pull.mergeable, pull.mergeable_state) == (False, "dirty")
    assert repository.git.resolve(f"refs/pull/{number}/merge") is None
    for method in ("merge", "squash", "rebase"):
        with pytest.raises(GithubException) as refused:
            pull.merge(merge_method=method)
        assert refused.value.status == 405
    with pytest.raises(GitError, match="conflicts"):
        repository.merge(number)
    assert repository.pulls[number].merged is None
    assert not list(repository.git.folder.parent.glob("*.replay"))


def test_merging_only_the_head_that_was_seen(repository: Repository, job: Client) -> None:
    seen = repository.push("feature", {"a.txt": "1\n"})
    number = repository.open_pull("feature").number
    repository.push("feature", {"a.txt": "2\n"})
    with pytest.raises(GithubException) as refused:
        job.get_pull(number).merge(sha=seen)
    assert refused.value.status == 409


def test_nobody_approves_his_own(repository: Repository, job: Client, connect: Connect) -> None:
    repository.push("feature", {"a.txt": "1\n"})
    number = repository.open_pull("feature", author="author").number
    repository.collaborators |= {"author": "write", "reviewer": "write"}
    with pytest.raises(GithubException) as refused:
        connect("author").get_repo("acme/infra").get_pull(number).create_review(event="APPROVE")
    assert refused.value.status == 422
    assert "approve your own" in refused.value.data["errors"][0]
    review = connect("reviewer").get_repo("acme/infra").get_pull(number).create_review(event="APPROVE", body="fine")
    assert [(found.user.login, found.state) for found in job.get_pull(number).get_reviews()] == [
        ("reviewer", "APPROVED")
    ]
    job.get_pull(number).get_reviews()[0].dismiss("the plan grew")
    assert repository.pulls[number].reviews[0].state == "DISMISSED"
    assert review.commit_id == repository.pulls[number].head_sha


def test_a_push_may_dismiss_approvals(repository: Repository) -> None:
    repository.push("feature", {"a.txt": "1\n"})
    pull = repository.open_pull("feature")
    repository.dismiss_stale_reviews = True
    repository.review(pull.number, "APPROVED", author="acme")
    repository.review(pull.number, "COMMENTED", author="acme")
    repository.push("feature", {"a.txt": "2\n"})
    assert [review.state for review in pull.reviews] == ["DISMISSED", "COMMENTED"]


def test_a_fork_s_pull_request(fake: GitHubFake, repository: Repository, job: Client) -> None:
    fork = repository.fork("stranger")
    head = fork.push("feature", {"a.txt": "1\n"})
    number = repository.open_pull("feature", source=fork, author="stranger").number
    pull = job.get_pull(number)
    assert (pull.head.repo.full_name, pull.head.repo.fork, pull.head.sha) == ("stranger/infra", True, head)
    assert [file.filename for file in pull.get_files()] == ["a.txt"]
    newer = fork.push("feature", {"b.txt": "1\n"})
    assert job.get_pull(number).head.sha == newer
    assert [found.number for found in job.get_pulls(head="stranger:feature")] == [number]
    assert repository.git.resolve(f"refs/pull/{number}/head") == newer


def test_closing_and_reopening(repository: Repository, job: Client) -> None:
    old = repository.push("feature", {"a.txt": "1\n"})
    number = repository.open_pull("feature").number
    repository.close_issue(number, by="acme")
    assert (job.get_pull(number).state, job.get_pull(number).merged) == ("closed", False)
    new = repository.push("feature", {"a.txt": "2\n"})
    assert job.get_pull(number).head.sha == old  # nobody follows a closed one
    job.get_issue(number).edit(state="open")
    assert job.get_pull(number).head.sha == new
    repository.force("feature", old)
    assert job.get_pull(number).head.sha == old
    repository.merge(number)
    with pytest.raises(GithubException) as refused:
        job.get_pull(number).edit(state="open")
    assert refused.value.status == 422
    with pytest.raises(GithubException) as merged:
        job.get_pull(number).merge()
    assert merged.value.status == 405


def test_creating_by_the_api(repository: Repository, job: Client) -> None:
    repository.push("feature", {"a.txt": "1\n"})
    pull = job.create_pull(base="main", head="feature", title="New", body="text", draft=True)
    assert (pull.number, pull.draft) == (1, True)
    for base, head in (("main", "feature"), ("main", "absent"), ("feature", "main")):
        with pytest.raises(GithubException) as error:
            job.create_pull(title="x", base=base, head=head)
        assert error.value.status == 422
    pull.edit(title="Newer", state="closed")
    assert [(found.number, found.title) for found in job.get_pulls(state="closed")] == [(1, "Newer")]
    assert list(job.get_pulls()) == []
