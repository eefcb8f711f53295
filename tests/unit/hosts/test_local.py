"""The laptop as runner and a folder as forge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stackseal import hosts
from stackseal.errors import Failed, UsageError
from stackseal.hosts.base import CommentMode, KnowsReviews
from stackseal.hosts.local import LocalForge, LocalRunner


def test_an_environment_that_is_nobodys_is_local() -> None:
    runner = hosts.runner({"USER": "somebody"})
    assert isinstance(runner, LocalRunner)
    assert (runner.run().host, runner.run().actor, runner.annotates) == ("local", "somebody", False)


def test_a_comment_replaces_its_parts_and_nobody_elses(tmp_path: Path) -> None:
    forge = LocalForge(tmp_path)
    folder = tmp_path / "forge/pull-requests/7"
    assert forge.upsert_comment(7, "review", ["one", "two", "three"]) == (folder / "review.md").as_posix()
    forge.upsert_comment(7, "reviewer", ["theirs"])
    forge.upsert_comment(7, "review", ["new"])
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"review.md": "new", "reviewer.md": "theirs"}
    assert forge.upsert_comment(7, "review", []) == ""
    assert [path.name for path in folder.iterdir()] == ["reviewer.md"]


def test_the_modes_of_a_comment(tmp_path: Path) -> None:
    forge = LocalForge(tmp_path)
    file = tmp_path / "forge/pull-requests/7/review.md"
    assert forge.upsert_comment(7, "review", ["one"], mode=CommentMode.OFF) == ""
    assert forge.upsert_comment(7, "review", ["one"], mode=CommentMode.CHANGES_ONLY, worth=False) == ""
    assert not file.exists()
    assert forge.upsert_comment(7, "review", ["two"], mode=CommentMode.CHANGES_ONLY) == file.as_posix()
    assert forge.upsert_comment(7, "review", ["three"], mode=CommentMode.CHANGES_ONLY, worth=False) == file.as_posix()
    assert file.read_text() == "three"
    forge.upsert_comment(7, "review", ["four"], mode=CommentMode.NEW)
    assert [path.read_text() for path in file.parent.iterdir()] == ["four"]


def test_the_last_check_for_drift_is_kept(tmp_path: Path) -> None:
    forge = LocalForge(tmp_path)
    assert forge.last_heartbeat() is None
    for hour in (5, 6):
        forge.heartbeat(datetime(2026, 11, 20, hour, tzinfo=UTC), "2 stacks")
    assert LocalForge(tmp_path).last_heartbeat() == datetime(2026, 11, 20, 6, tzinfo=UTC)
    assert forge.issues() == ()
    (tmp_path / "forge/drift-heartbeat.json").write_text("{}")
    assert forge.last_heartbeat() is None


def test_a_key_stays_in_its_folder(tmp_path: Path) -> None:
    where = LocalForge(tmp_path).upsert_comment(1, "../../../a/b*", ["x"])
    assert Path(where).parent == tmp_path / "forge/pull-requests/1"


def test_issues_are_opened_edited_closed_and_read_back(tmp_path: Path) -> None:
    forge = LocalForge(tmp_path)
    assert forge.issues() == ()
    opened = [forge.open_issue(f"stack-{number}", "Drift", "text") for number in range(11)]
    assert [issue.number for issue in opened] == list(range(1, 12))
    closed = forge.update_issue(2, title="Gone", body="no drift", is_open=False)
    assert (closed.key, closed.open) == ("stack-1", False)
    assert [issue.number for issue in LocalForge(tmp_path).issues()] == list(range(1, 12))
    assert LocalForge(tmp_path).issues()[1] == closed
    assert "State: closed" in (tmp_path / "forge/issues/2.md").read_text()


def test_an_issue_that_is_nobodys_business_is_closed_and_the_reason_stands_beside_it(tmp_path: Path) -> None:
    forge = LocalForge(tmp_path)
    forge.open_issue("key", "title", "body")
    forge.retire_issue(1, "Nobody makes it.")
    (found,) = forge.issues()
    assert (found.open, found.title, found.body) == (False, "title", "body")
    assert (tmp_path / "forge" / "issues" / "1-closed.md").read_text() == "Nobody makes it."
    with pytest.raises(Failed, match="The issue 2 cannot be closed: it does not exist"):
        forge.retire_issue(2, "why")


def test_an_issue_that_is_missing_or_broken_is_a_sentence(tmp_path: Path) -> None:
    forge = LocalForge(tmp_path)
    with pytest.raises(Failed, match="The issue 9 cannot be changed: it does not exist"):
        forge.update_issue(9, title="", body="", is_open=True)
    forge.open_issue("k", "t", "b")
    (tmp_path / "forge/issues/notes.json").write_text("not ours")
    assert len(forge.issues()) == 1
    (tmp_path / "forge/issues/1.json").write_text("{")
    with pytest.raises(Failed, match=r"The issue in .*1\.json cannot be read"):
        forge.issues()


@pytest.mark.parametrize("linked", ["forge", "forge/issues", "forge/issues/1.md", "forge/pull-requests/7"])
def test_nothing_is_written_through_a_link(linked: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / linked).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / linked).symlink_to(outside)
    forge = LocalForge(tmp_path)
    with pytest.raises(UsageError, match="is a symbolic link"):  # noqa: PT012 - one of the two meets the link
        forge.open_issue("k", "t", "b")
        forge.upsert_comment(7, "review", ["text"])
    assert list(outside.iterdir()) == []


def test_a_person_says_who_has_approved(tmp_path: Path) -> None:
    forge, path = LocalForge(tmp_path), tmp_path / "forge/pull-requests/7/approvals"
    assert isinstance(forge, KnowsReviews)
    silent = forge.review(7, base="")
    assert silent.silent
    assert (silent.approved, silent.code_owner) == (None, None)
    assert path.as_posix() in silent.undecided
    path.parent.mkdir(parents=True)
    for text, approved, owner, names in (
        ("approval bob\n", True, False, ["bob"]),
        ("approval bob\n\ncode-owner @acme/ml\n", True, True, ["bob", "@acme/ml"]),
        ("", False, False, []),
    ):
        path.write_text(text)
        found = forge.review(7, base="")
        assert (found.approved, found.code_owner, found.silent) == (approved, owner, False)
        assert [approval.by for approval in found.approvals] == names
    assert forge.review(8, base="").silent


@pytest.mark.parametrize("line", ["alice", "owner alice", "code-owner", "code-owner  "])
def test_an_approval_that_is_none_is_a_sentence(tmp_path: Path, line: str) -> None:
    path = tmp_path / "forge/pull-requests/7/approvals"
    path.parent.mkdir(parents=True)
    path.write_text(f"{line}\n")
    with pytest.raises(Failed, match=r"The approvals in .*approvals cannot be read: '.*' is none; write lines like"):
        LocalForge(tmp_path).review(7, base="")


def test_approvals_are_taken_back_when_they_are_too_early(tmp_path: Path) -> None:
    forge, path = LocalForge(tmp_path), tmp_path / "forge/pull-requests/7/approvals"
    now = datetime.now(UTC)
    assert forge.dismiss(7, "It has grown.", before=now + timedelta(1)) == ()
    assert not path.exists()
    path.parent.mkdir(parents=True)
    path.write_text("code-owner alice\n")
    assert forge.dismiss(7, "It has grown.", before=now - timedelta(1)) == ()
    assert forge.review(7, base="").code_owner
    assert forge.dismiss(7, "It has grown.", before=now + timedelta(1)) == ("alice",)
    assert forge.review(7, base="").code_owner is False
    assert path.with_name("dismissed.md").read_text() == "It has grown."
