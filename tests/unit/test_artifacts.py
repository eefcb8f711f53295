"""Files below the working root: in the originals' folders, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stackseal import artifacts, config
from stackseal.catalogue import Catalogue
from stackseal.errors import UsageError
from stackseal.model import Role, Stack
from stackseal.sandbox import Sandbox
from unit.render.samples import ENTERPRISE


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Sandbox() as sandbox:
        yield Catalogue.load().resolve(config.parse(ENTERPRISE.read_bytes(), ENTERPRISE.name), sandbox).stack


STEM = "globalbank-prod-c001-us-west-2-demand-forecasting-ml-codecommit-standalone-direct-rtb"


@pytest.mark.spec("A24")
def test_the_names_are_the_documented_ones(stack: Stack) -> None:
    root = Path("ml")
    assert artifacts.template(root, stack) == root / "templates" / f"{STEM}-template.yaml"
    assert artifacts.policy(root, stack, Role.OPERATOR) == root / "policies" / f"{STEM}-iam-policy.json"
    assert artifacts.policy(root, stack, Role.PLAN, 2) == root / "policies" / f"{STEM}-plan-2.json"
    assert artifacts.report(root, stack, "html") == root / "reports" / f"{STEM}-review.html"


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a/b/file.txt"
    artifacts.write(path, "one")
    assert artifacts.write(path, "zwei é\n") == path
    assert path.read_text(encoding="utf-8") == "zwei é\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert [each.name for each in path.parent.iterdir()] == ["file.txt"]


@pytest.mark.parametrize("linked", ["file.txt", ".", "..", "../.."])
def test_nothing_is_written_through_a_link(linked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file itself, and every folder of a relative path."""
    monkeypatch.chdir(tmp_path)
    path = Path("a/b/c/file.txt")
    link = Path(os.path.normpath(path.parent / linked))
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("mine")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside / "keep" if link == path else outside)
    with pytest.raises(UsageError, match=f"cannot be written: {link} is a symbolic link.*; remove the link"):
        artifacts.write(path, "x")
    assert {each.name: each.read_text() for each in outside.iterdir()} == {"keep": "mine"}


def test_an_absolute_path_is_the_persons_own_but_for_its_end(tmp_path: Path) -> None:
    (tmp_path / "real/reports").mkdir(parents=True)
    (tmp_path / "root").symlink_to(tmp_path / "real")
    path = artifacts.write(tmp_path / "root/reports/file.txt", "x")
    assert path.read_text() == "x"
    with pytest.raises(UsageError, match="symbolic link"):
        artifacts.write(tmp_path / "root/file.txt", "x")
    (tmp_path / "real/seals").symlink_to(tmp_path / "real/reports")
    with pytest.raises(UsageError, match="symbolic link"):
        artifacts.write(tmp_path / "root/seals/a/b/file.txt", "x", below=tmp_path / "root")
    assert not (tmp_path / "real/reports/a").exists()


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes("zwei é\n".encode())
    (tmp_path / "link").symlink_to(path)
    assert artifacts.read(path) == artifacts.read(path, limit=8) == artifacts.read(tmp_path / "link") == "zwei é\n"


def test_what_is_no_file_to_take_whole_is_one_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "latin").write_bytes(b"abc\xe9")
    (tmp_path / "large").write_bytes(b"#" * 11)
    for name, why in {
        "none": "No such file",
        ".": "Is a directory",
        "pipe": "it is a pipe or a device",
        "latin": "it is not UTF-8: byte 3 is 0xe9",
        "large": "it has more than 10 bytes",
        "nul\0": "null byte",
    }.items():
        with pytest.raises(UsageError, match=f"cannot be read: .*{why}.*; give the path"):
            artifacts.read(tmp_path / name, limit=10)
    with pytest.raises(UsageError, match="it is a pipe or a device"):
        artifacts.read(Path("/dev/zero"))


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot be written: .*; give another --root"):
        artifacts.write(tmp_path / "file/below.txt", "x")
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(UsageError, match=r"folder\.txt cannot be written"):
        artifacts.write(tmp_path / "folder.txt", "x")
    with pytest.raises(UsageError, match=r"cannot be written: File name too long"):
        artifacts.write(tmp_path / ("x" * 300), "x")
    with pytest.raises(UnicodeEncodeError):
        artifacts.write(tmp_path / "half.txt", "a\ud800")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.txt"]
