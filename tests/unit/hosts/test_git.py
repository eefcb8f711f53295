"""What a repository holds at its commits, whatever names and entries it has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stackseal.errors import Failed, UsageError
from stackseal.hosts.git import Changed, Repository
from unit.hosts.repositories import Scratch


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "repo")


def test_added_changed_removed_and_renamed(scratch: Scratch) -> None:
    base = scratch.commit({"a": "1", "b": "1", "c": "1"})
    head = scratch.commit({"a": "2", "b": None, "c": None, "d": "1", "e": "new"})
    repository = Repository(scratch.folder)
    assert repository.changed(base, head) == (
        Changed(old="a", new="a"),
        Changed(old="b", new=None),
        Changed(old="c", new=None),
        Changed(old=None, new="d"),
        Changed(old=None, new="e"),
    )
    assert repository.changed(base, base) == ()
    assert repository.contents(base, "a") == {}
    assert (repository.read(base, "a"), repository.read(head, "a"), repository.read(head, "b")) == (b"1", b"2", None)


NAMES = (
    "configs/with space.yaml",
    "configs/new\nline.yaml",
    "configs/tab\t.yaml",
    'configs/"quoted".yaml',
    "configs/-n.yaml",
    "configs/--help.yaml",
    "configs/$(id).yaml",
    "configs/`id`.yaml",
    "configs/é漢😀.yaml",
    "configs/*.yaml",
    "configs/[a].yaml",
    "configs/:(top)x.yaml",
    "configs/a:b.yaml",
    "configs/back\\slash.yaml",
    "configs/::error::x.yaml",
)


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_hostile_names_are_only_names(name: str, scratch: Scratch) -> None:
    base = scratch.commit({"configs/other.yaml": "other"})
    head = scratch.commit({name: "mine"})
    repository = Repository(scratch.folder)
    assert repository.files(head, "configs") == tuple(sorted([name, "configs/other.yaml"]))
    assert repository.read(head, name) == b"mine"
    assert repository.changed(base, head) == (Changed(old=None, new=name),)


def test_a_name_that_is_not_utf8_is_listed_and_cannot_be_read(scratch: Scratch) -> None:
    base = scratch.commit({"configs/other.yaml": "other"})
    raw = os.fsencode(scratch.folder) + b"/configs/\xff\xfe.yaml"
    with open(raw, "wb") as file:  # noqa: PTH123 - a path of bytes
        file.write(b"mine")
    head = scratch.commit({})
    repository = Repository(scratch.folder)
    shown = "configs/\ufffd\ufffd.yaml"
    assert repository.files(head, "configs") == ("configs/other.yaml", shown)
    assert repository.changed(base, head) == (Changed(old=None, new=shown),)
    assert repository.read(head, shown) is None
    assert repository.contents(head, "configs") == {"configs/other.yaml": b"other", shown: b""}


def test_the_contents_of_a_folder_are_what_its_files_hold(scratch: Scratch) -> None:
    files = {f"configs/{number}/a b{number}.yaml": f"{number}\n" * number for number in range(5)}
    head = scratch.commit({**files, "configs/same.yaml": "1\n", "configs/no newline": "x", "other": "1"})
    repository = Repository(scratch.folder)
    found = repository.contents(head, "configs")
    assert list(found) == list(repository.files(head, "configs"))
    assert found == {name: repository.read(head, name) for name in found}
    assert repository.contents(head, "none") == {}


def test_links_and_submodules_are_no_files(scratch: Scratch) -> None:
    scratch.commit({"configs/real.yaml": "real", "outside": "secret"})
    (scratch.folder / "configs/link.yaml").symlink_to("../outside")
    (scratch.folder / "stackseal.yaml").symlink_to("/etc/passwd")
    head = scratch.commit({})
    scratch.git("update-index", "--add", "--cacheinfo", f"160000,{head},configs/module.yaml")
    head = scratch.seal()
    repository = Repository(scratch.folder)
    assert repository.files(head, "configs") == ("configs/real.yaml",)
    for name in ("configs/link.yaml", "configs/module.yaml", "stackseal.yaml", "configs", "absent"):
        assert repository.read(head, name) is None


@pytest.mark.parametrize(
    "revision", ["", "-n", "--help", "--upload-pack=id", "a b", "a\nb", "$(id)", ":configs", "x" * 300, "é"]
)
def test_a_revision_that_could_be_an_option_is_refused(revision: str, scratch: Scratch) -> None:
    scratch.commit({"a": "1"})
    with pytest.raises(UsageError, match="cannot be used"):
        Repository(scratch.folder).commit(revision)


@pytest.mark.parametrize("revision", ["absent", "main~9", "0" * 40, "HEAD^{tree}", "main:a"])
def test_a_revision_that_is_no_commit_is_not_found(revision: str, scratch: Scratch) -> None:
    scratch.commit({"a": "1"})
    with pytest.raises(UsageError):
        Repository(scratch.folder).commit(revision)


def test_revisions_that_are_commits(scratch: Scratch) -> None:
    first = scratch.commit({"a": "1"})
    second = scratch.commit({"a": "2"})
    scratch.git("tag", "v1", first)
    repository = Repository(scratch.folder)
    found = [repository.commit(name) for name in ("main", "HEAD", "main~1", "v1", second[:10], "HEAD^")]
    assert found == [second, second, first, first, second, first]


def test_a_folder_that_is_no_repository_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="was not found"):
        Repository(tmp_path).commit("main")
    with pytest.raises(Failed, match="git ls-tree failed"):
        Repository(tmp_path).files("0" * 40, "configs")
    with pytest.raises(Failed, match="Git could not be run"):
        Repository(tmp_path / "absent").commit("main")


def test_the_repositorys_own_configuration_runs_nothing(scratch: Scratch) -> None:
    base = scratch.commit({"configs/a.yaml": "1", ".gitattributes": "* diff=evil filter=evil\n"})
    trap = scratch.folder.parent / "trap"
    for key in ("diff.evil.textconv", "diff.evil.command", "filter.evil.smudge", "core.pager", "diff.external"):
        scratch.git("config", key, f"touch {trap};:")
    head = scratch.commit({"configs/a.yaml": "2"})
    trap.unlink(missing_ok=True)
    repository = Repository(scratch.folder)
    assert repository.changed(base, head) == (Changed(old="configs/a.yaml", new="configs/a.yaml"),)
    assert repository.read(head, "configs/a.yaml") == b"2"
    assert not trap.exists()


def test_a_folder_of_a_repository_is_a_repository_of_its_own(scratch: Scratch) -> None:
    base = scratch.commit({"infra/ml/stackseal.yaml": "ours", "stackseal.yaml": "theirs", "configs/x.yaml": "1"})
    head = scratch.commit({"infra/ml/configs/a.yaml": "1", "configs/x.yaml": "2"})
    repository = Repository(scratch.folder / "infra" / "ml")
    assert (repository.prefix, Repository(scratch.folder).prefix) == ("infra/ml", "")
    assert repository.changed(base, head) == (Changed(old=None, new="configs/a.yaml"),)
    assert repository.files(head, "configs") == ("configs/a.yaml",)
    assert repository.read(head, "stackseal.yaml") == b"ours"
    assert repository.read(head, "configs/x.yaml") is None


def test_what_a_branch_contains_and_which_commit_touched_a_file_last(scratch: Scratch) -> None:
    first = scratch.commit({"configs/a.yaml": "1", "configs/[a].yaml": "1"})
    second = scratch.commit({"configs/a.yaml": "2"})
    third = scratch.commit({"configs/[a].yaml": "2"})
    repository = Repository(scratch.folder)
    assert [repository.contains(third, item) for item in (first, second, third)] == [True, True, True]
    assert not repository.contains(first, second)
    assert repository.last(first, third, "configs/a.yaml") == second
    assert repository.last(first, third, "configs/[a].yaml") == third
    assert repository.last(second, third, "configs/a.yaml") is None
    assert (repository.found("HEAD"), repository.found("absent"), repository.found("-n")) == (third, None, None)


def test_links_and_submodules_on_the_way_to_a_folder_and_below_it_are_named(scratch: Scratch) -> None:
    head = scratch.commit({"a/b/c/file": "1"})
    (scratch.folder / "a/b/c/link").symlink_to("/etc/passwd")
    (scratch.folder / "way").symlink_to("a")
    scratch.git("update-index", "--add", "--cacheinfo", f"160000,{head},a/b/module")
    scratch.git("add", "a/b/c/link", "way")
    head = scratch.seal()
    repository = Repository(scratch.folder)
    assert repository.links(head, "a/b") == ("a/b/c/link", "a/b/module")
    assert repository.links(head, "way/b") == ("way",)
    assert repository.links(head, "absent") == ()
