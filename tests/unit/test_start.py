"""`check` of files that are all known is answered at once, by the standard library, in the same words."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stackseal import checked, cli, start

TEXT = """\
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
        - {Effect: Allow, Action: sts:AssumeRole, Principal: {Service: ec2.amazonaws.com}}
      Policies:
      - PolicyName: all
        PolicyDocument:
          Statement:
          - {Effect: Allow, Action: "*", Resource: "*"}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with two templates of which one is known already."""
    made = tmp_path / "templates"
    made.mkdir()
    (made / "a.yaml").write_text(TEXT, encoding="utf-8")
    (made / "b.json").write_text('{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}', encoding="utf-8")
    (made / "notes.yaml").write_text("a: 1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return made


def words(*more: str) -> list[str]:
    return ["check", "templates", "--engines", "", "--cache-dir", "cache", *more]


def said(argv: list[str], capsys: pytest.CaptureFixture[str], env: dict[str, str] | None = None) -> tuple[int, str]:
    """What the whole command line does."""
    code = cli.main(argv, env or {})
    return code, capsys.readouterr().out


def at_once(argv: list[str], capsys: pytest.CaptureFixture[str], env: dict[str, str] | None = None) -> tuple[int, str]:
    code = start.answered(argv, env or {})
    assert code is not None
    return code, capsys.readouterr().out


@pytest.mark.parametrize("more", [(), ("--format", "json"), ("--format=json",)])
@pytest.mark.usefixtures("folder")
def test_the_second_time_the_same_is_said_at_once(more: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert start.answered(words(*more), {}) is None
    first = said(words(*more), capsys)
    assert first[0] == 1
    assert "wildcard-action" in first[1]
    assert at_once(words(*more), capsys) == first
    assert said(words(*more), capsys) == first, "the whole command line says it, too"


def test_another_place_is_no_other_content(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(words(), capsys)
    folder.rename(folder.with_name("moved"))
    code, text = at_once(["check", "moved", *words()[2:]], capsys)
    assert (code, "moved/a.yaml:" in text, "templates/" in text) == (1, True, False)


def test_an_answer_loads_no_library(folder: Path) -> None:
    """Nor most of ours."""
    script = (
        "import sys; from stackseal import start; code = start.answered(sys.argv[1:], {});"
        "print(code, sorted(name for name in sys.modules if name.partition('.')[0] in"
        " {'yaml', 'pydantic', 'jinja2', 'jsonschema', 'cfnlint', 'boto3', 'argparse'} or name == 'stackseal.model'))"
    )
    for _ in range(2):
        command = [sys.executable, "-c", script, *words()]
        done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=True)
        if _ == 0:
            assert done.stdout == "None []\n"
            assert cli.main(words(), {}) == 1
    assert done.stdout.endswith("\n1 []\n")


@pytest.mark.parametrize(
    "argv",
    [
        words("--verify-cache"),
        words("--no-cache"),
        words("--ignore-suppressions"),
        words("--region", "eu-west-1"),
        words("--region"),
        words("--root", "other"),
        words("--format", "yaml"),
        ["check", "templates", "none.yaml", *words()[2:]],
        ["check", "templates", "--cache-dir", "cache"],
        ["check", *words()[2:]],
        ["check", "templates/notes.yaml", *words()[2:]],
        ["--log-level", "error", *words()],
        ["policy", *words()[1:]],
        [],
    ],
)
@pytest.mark.usefixtures("folder")
def test_everything_else_is_the_command_lines(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    said(words(), capsys)
    assert start.answered(argv, {}) is None


@pytest.mark.parametrize("name", ["STACKSEAL_ACTION", "STACKSEAL_CHECKOV", "STACKSEAL_EDITION", "STACKSEAL_FACTS"])
@pytest.mark.usefixtures("folder")
def test_more_than_printing_is_the_command_lines(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    said(words(), capsys)
    assert start.answered(words(), {name: "1"}) is None


def pack(folder: Path) -> Path:
    (path,) = (folder.parent / "cache" / "findings").glob("checked-*.json")
    return path


def planted(folder: Path, rows: object = ()) -> None:
    """Every file is said to have these rows, and the checksum is right."""
    content = json.loads(pack(folder).read_text(encoding="utf-8").partition("\n")[2])
    text = json.dumps({**content, "files": dict.fromkeys(content["files"], rows)})
    pack(folder).write_text(hashlib.sha256(text.encode()).hexdigest() + "\n" + text, encoding="utf-8")


def test_what_changed_is_read_anew(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(words(), capsys)
    (folder / "b.json").write_text(TEXT, encoding="utf-8")
    (folder / "c.yaml").write_text(TEXT.replace('"*"', '"s3:Get*"'), encoding="utf-8")
    assert start.answered(words(), {}) is None
    second = said(words(), capsys)
    assert "templates/b.json:" in second[1]
    assert at_once(words(), capsys) == second
    assert second == said(words("--no-cache"), capsys)


@pytest.mark.parametrize("damage", [b"", b"no checksum", b"0\n{}", b"\xff"])
def test_a_damaged_file_is_as_good_as_none(damage: bytes, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = said(words(), capsys)
    pack(folder).write_bytes(damage)
    assert start.answered(words(), {}) is None
    assert said(words(), capsys) == first


ROW = {
    "check": "c",
    "engine": "e",
    "level": "error",
    "file": "",
    "line": 1,
    "column": 1,
    "resource": None,
    "message": "m",
    "waived": None,
    "owner": None,
    "blocks": True,
}


@pytest.mark.parametrize(
    "rows",
    [
        3,
        [3],
        [{}],
        [{**ROW, "more": 1}],
        [{**ROW, "line": "1"}],
        [{**ROW, "column": True}],
        [{**ROW, "message": None}],
        [{**ROW, "resource": 3}],
        [{**ROW, "owner": ["a"]}],
        [{**ROW, "blocks": 0}],
    ],
)
def test_rows_of_another_shape_are_as_good_as_none(
    rows: object, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = said(words(), capsys)
    planted(folder, rows)
    assert start.answered(words(), {}) is None
    assert said(words(), capsys) == first
    planted(folder, [ROW])
    assert "[c]" in at_once(words(), capsys)[1], "the shape is right"


def test_verifying_finds_what_was_planted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(words("--verify-cache"), capsys)[0] == 1, "nothing is known yet"
    said(words(), capsys)
    assert said(words("--verify-cache"), capsys)[0] == 1
    planted(folder)
    assert at_once(words(), capsys)[0] == 0, "whoever may write to the folder may hide a finding"
    assert cli.main(words("--verify-cache"), {}) == 3
    assert "The cache of findings is wrong" in capsys.readouterr().err
    assert said(words("--no-cache"), capsys)[0] == 1


def test_a_pull_request_reads_and_does_not_write(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    env = {"CI": "true"}
    said(words(), capsys, env)
    assert not (folder.parent / "cache").exists()
    said(words(), capsys)
    before = pack(folder).read_bytes()
    (folder / "c.yaml").write_text(TEXT.replace("all", "more"), encoding="utf-8")
    said(words(), capsys, env)
    assert pack(folder).read_bytes() == before


def test_what_could_not_be_read_is_not_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.yaml").write_text("Resources: [AWS::\n", encoding="utf-8")
    assert "unreadable" in said(words(), capsys)[1]
    assert start.answered(words(), {}) is None


def test_secrets_of_the_environment_are_hidden_and_commands_broken(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.yaml").write_text(
        TEXT.replace("Role:\n    Type", '"::warning::hunter2hunter2":\n    Type'), encoding="utf-8"
    )
    env = {"API_TOKEN": "hunter2hunter2"}
    first = said(words(), capsys, env)
    assert at_once(words(), capsys, env) == first
    assert "hunter2hunter2" not in first[1]


def test_more_is_kept_than_the_last_run_needed(tmp_path: Path) -> None:
    known = checked.Known(folder=tmp_path, salt="s" * 64)
    known.keep({"a": []})
    known.keep({"b": [{**ROW, "file": "x"}]})
    assert known.rows() == {"a": [], "b": [ROW]}
    assert checked.Known(folder=tmp_path, salt="s" * 32 + "t" * 32).rows() == {}, "another question with a like name"


def test_the_console_script_hands_over(folder: Path) -> None:
    script = Path(sys.executable).parent / "stackseal"

    def run() -> tuple[int, str]:
        env = {"PATH": os.environ["PATH"]}
        command = [script, *words()]
        done = subprocess.run(command, cwd=folder.parent, env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    first = run()
    assert first[0] == 1
    assert run() == first
