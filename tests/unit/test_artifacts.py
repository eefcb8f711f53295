"""Files below the working root: in the originals' folders, whole or not at all."""

from __future__ import annotations

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


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("keep")
    link = tmp_path / "file.txt"
    link.symlink_to(target)
    artifacts.write(link, "new")
    assert (target.read_text(), link.read_text(), link.is_symlink()) == ("keep", "new", False)


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
