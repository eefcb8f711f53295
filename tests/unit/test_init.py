"""`init` leaves a repository in which the next command works."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stackseal import cli

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*argv: str) -> tuple[int, str]:
        code = cli.main(argv, {})
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


@pytest.mark.spec("A05")
def test_examples_lie_beside_the_configs_and_each_is_valid_after_copying(run: Run, tmp_path: Path) -> None:
    code, said = run("init", "--examples", "ml")
    assert code == 0
    assert list((tmp_path / "ml/configs").iterdir()) == []
    assert "Next: copy one of ml/examples/configs/ into ml/configs/ and run: stackseal validate-config" in said
    examples = sorted((tmp_path / "ml/examples/configs").glob("*.yaml"))
    assert len(examples) >= 20
    for example in examples[:3]:
        assert run("validate-config", example.name)[0] == 2
        copy = tmp_path / "ml/configs" / example.name
        copy.write_bytes(example.read_bytes())
        code, said = run("-con", example.name, "-act", "validate-config")
        assert code == 0, said
        copy.unlink()


@pytest.mark.parametrize("root", ["ml", "infra/ml"])
def test_the_next_command_works_as_it_is_said(root: str, run: Run, tmp_path: Path) -> None:
    code, said = run("--root", root, "init", "--examples", "ml")
    assert code == 0
    example = sorted((tmp_path / root / "examples/configs").glob("*.yaml"))[0]
    (tmp_path / root / "configs" / example.name).write_bytes(example.read_bytes())
    words = shlex.split(said.rpartition("run: ")[2])
    paths = sorted(tmp_path.glob(words.pop()))
    assert [path.name for path in paths] == [example.name]
    assert run("--root", root, *words[1:], *(path.relative_to(tmp_path).as_posix() for path in paths))[0] == 0


def test_output_is_ignored_and_the_rest_is_not(run: Run, tmp_path: Path) -> None:
    assert run("init")[0] == 0
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    folders = ("templates", "policies", "reports", "seals", "forge", "configs", "examples", "docs")
    paths = [f"ml/{folder}/file" for folder in folders]
    done = subprocess.run(["git", "check-ignore", *paths], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == paths[:5]


def test_a_gitignore_that_exists_is_kept_and_an_outside_root_needs_none(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("/mine/\n")
    assert "kept .gitignore" in run("init")[1]
    assert (tmp_path / ".gitignore").read_text() == "/mine/\n"
    (tmp_path / ".gitignore").unlink()
    assert run("--root", "../elsewhere", "init", "--dry-run")[0] == 0
    assert ".gitignore" not in run("--root", "../elsewhere", "init", "--dry-run")[1]


def test_init_writes_through_no_link(run: Run, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / ".stackseal").symlink_to(tmp_path / "outside")
    code, said = run("init")
    assert code == 2
    assert ".stackseal is a symbolic link" in said
    assert list((tmp_path / "outside").iterdir()) == []
