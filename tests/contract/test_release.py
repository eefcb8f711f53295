"""A release is refused unless tag, version, changelog and main agree; the workflow asks for little and says why."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from contract.support import ROOT, script
from contract.test_workflows import jobs

RELEASE = script("release")
WORKFLOW: Final = ROOT / ".github" / "workflows" / "release.yml"
PAGE: Final = ROOT / "docs" / "how-to" / "release.md"
PERMISSIONS: Final[dict[str, dict[str, str]]] = {
    "check": {"contents": "read", "actions": "read"},
    "build": {"contents": "read"},
    "attest": {"id-token": "write", "attestations": "write"},
    "publish": {"contents": "write"},
}
"""What each job of the release may do: exactly this."""
CHANGELOG: Final = (
    "# Changelog\n\n## Unreleased\n\n## 1.2.3 - 2026-01-02\n\n### Added\n\n- A thing.\n\n## 1.2.2 - 2026-01-01\n"
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository whose main is on version 1.2.3, tagged so, and whose HEAD is the tag."""
    folder = tmp_path / "repository"
    write(folder, {})
    for words in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "."),
        ("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--message=one"),
        ("tag", "v1.2.3"),
        ("update-ref", "refs/remotes/origin/main", "HEAD"),
    ):
        git(folder, *words)
    return folder


def write(folder: Path, files: Mapping[str, str]) -> None:
    given = {"toolkit/stackseal/__init__.py": '__version__ = "1.2.3"\n', "CHANGELOG.md": CHANGELOG, **files}
    for name, text in given.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True)


def test_a_tag_that_agrees_is_released(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert RELEASE.main(["check", "v1.2.3"], checkout) == 0
    assert capsys.readouterr().out == "version=1.2.3\nprerelease=false\nmoving=v1\n"


@pytest.mark.parametrize(
    ("tag", "files", "says"),
    [
        ("v1.2", {}, "v1.2 is no release"),
        ("v01.2.3", {}, "v01.2.3 is no release"),
        ("1.2.3", {}, "1.2.3 is no release"),
        ("v1.2.3-rc1", {}, "v1.2.3-rc1 is no release"),
        ("v1.2.3\nv9", {}, "is no release"),
        ("v1.2.4", {}, "is not the version of the package, 1.2.3"),
        ("v1.2.3", {"toolkit/stackseal/__init__.py": ""}, "has no __version__"),
        ("v1.2.3", {"CHANGELOG.md": "## Unreleased\n\n- A thing.\n"}, "has no heading '## 1.2.3 - YEAR-MONTH-DAY'"),
        ("v1.2.3", {"CHANGELOG.md": "## 1.2.3\n\n- A thing.\n"}, "has no heading"),
        ("v1.2.3", {"CHANGELOG.md": "## 1.2.3 - 2026-01-02\n\n## 1.2.2 - 2026-01-01\n\n- Old.\n"}, "says nothing"),
        ("v1.2.3", {"CHANGELOG.md": CHANGELOG.replace("## 1", "- New.\n\n## 1", 1)}, "still lists changes"),
    ],
)
def test_any_other_is_refused_with_one_sentence(
    tag: str, files: dict[str, str], says: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(checkout, files)
    assert RELEASE.main(["check", tag], checkout) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert says in said.err


def test_a_tag_off_main_is_refused(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    author = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    git(checkout, *author, "commit", "--quiet", "--allow-empty", "--message=two")
    assert RELEASE.main(["check", "v1.2.3"], checkout) == 1
    assert "v1.2.3 is not the commit that is checked out" in capsys.readouterr().err
    git(checkout, "tag", "--force", "v1.2.3")
    assert RELEASE.main(["check", "v1.2.3"], checkout) == 1
    assert "v1.2.3 is not on main: merge it first" in capsys.readouterr().err
    git(checkout, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(checkout, *author, "tag", "--force", "--annotate", "--message=annotated", "v1.2.3")
    assert RELEASE.main(["check", "v1.2.3"], checkout) == 0
    git(checkout, "tag", "--delete", "v1.2.3")
    assert RELEASE.main(["check", "v1.2.3"], checkout) == 1
    assert "There is no tag v1.2.3 here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("tag", "others", "moved"),
    [
        ("v1.0.0", [], "v1"),
        ("v1.10.0", ["v1.9.0", "v1.2.3"], "v1"),
        ("v1.9.1", ["v1.10.0"], ""),
        ("v1.9.1", ["v2.0.0", "v1.10.0rc1", "v1", "nightly"], "v1"),
        ("v2.0.0rc1", ["v1.0.0"], ""),
        ("v0.2.0", ["v1.0.0"], "v0"),
    ],
)
def test_the_newest_of_a_major_version_moves_its_tag(tag: str, others: list[str], moved: str) -> None:
    assert RELEASE.moving(tag, others) == moved


def test_the_notes_say_what_changed_how_to_pin_and_how_to_verify(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit = "c" * 40
    assert RELEASE.main(["notes", "v1.2.3", "--repository", "o/r", "--commit", commit], checkout) == 0
    text = capsys.readouterr().out
    assert text.startswith("### Added\n\n- A thing.\n\n### Pin")
    assert f"uses: o/r@{commit} # v1.2.3" in text
    assert f"--source-ref refs/tags/v1.2.3 --source-digest {commit}" in text
    assert RELEASE.main(["notes", "v9.9.9", "--repository", "o/r", "--commit", commit], checkout) == 1


def test_our_own_changelog_can_be_read() -> None:
    """The version in the package is either unreleased still, or has its section."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert RELEASE.section(text, "Unreleased") or RELEASE.section(text, RELEASE.version(ROOT))


def test_permissions_are_the_table_and_the_page_shows_it() -> None:
    assert {name: job["permissions"] for name, job in jobs(WORKFLOW).items()} == PERMISSIONS
    page = PAGE.read_text(encoding="utf-8")
    for job, granted in PERMISSIONS.items():
        shown = ", ".join(f"`{name}: {value}`" for name, value in granted.items())
        assert f"| {job} | {shown} |" in page


def test_nothing_is_published_before_all_that_guards_it() -> None:
    """Jobs wait for each other; who may write runs no file of the repository; who signs runs nothing of ours."""
    found = jobs(WORKFLOW)
    assert {name: job.get("needs", []) for name, job in found.items()} == {
        "check": [],
        "build": "check",
        "attest": "build",
        "publish": ["check", "attest"],
    }
    assert found["publish"]["environment"] == "release"
    assert not any("if" in job for job in found.values())
    assert [step["uses"].partition("@")[0] for step in found["attest"]["steps"]] == [
        "actions/download-artifact",
        "actions/attest",
    ]
    scripts = [step.get("run", step.get("uses", "")) for step in found["publish"]["steps"]]
    assert not [text for text in scripts if re.search(r"actions/checkout|scripts/|make |python", text)]
    order = [
        next(index for index, text in enumerate(scripts) if word in text)
        for word in ("--draft ", ".immutable", "force")
    ]
    assert order == sorted(order)
