"""Every way in which a config can be wrong, through the console entry: one line per error, nothing written."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from invalid.table import CASES, FOLDER, Case
from stackseal import assets, cli, config
from stackseal.errors import ConfigError, ConfigErrors

STARTER = assets.PRODUCTS / "ml/examples/techcorp-prod-a001-us-west-2-customer-churn-ml-codecommit.yaml"
ENTERPRISE = assets.PRODUCTS / "ml/examples/globalbank-prod-c001-us-west-2-demand-forecasting-ml-s3-standalone-ssm.yaml"
CONSOLE = Path(sys.executable).with_name("stackseal")
ENV = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
WRITERS = ("create-prov-template", "show-product", "create-policy")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(here: Path, name: str, content: bytes | str) -> Path:
    path = here / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def tree(folder: Path) -> Mapping[str, bytes | None]:
    """Every path below a folder with its content, to see that nothing was touched."""
    return {path.as_posix(): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> list[str]:
    """The lines on stderr of a command line that ends with 2 and prints nothing."""
    assert cli.main([*argv], ENV) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    return said.err.splitlines()


def test_the_table_and_the_folder_have_the_same_files() -> None:
    assert sorted(case.file for case in CASES) == sorted(path.name for path in FOLDER.glob("*.yaml"))
    assert len(CASES) >= 90


@pytest.mark.spec("A14", "A16", "A17", "A18")
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_an_invalid_config_is_refused_at_its_line(case: Case, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(FOLDER / case.file, here)
    before = tree(here)
    lines = refused(capsys, "validate-config", case.file)
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"{case.file}:{case.place}: error: "), lines[0]
    for text in case.says:
        assert text in lines[0]
    assert "; " in lines[0], "the sentence has no remedy"
    assert tree(here) == before


@pytest.mark.spec("A14")
@pytest.mark.parametrize("command", WRITERS)
def test_no_command_works_with_an_invalid_config(command: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(FOLDER, here / "configs", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    before = tree(here)
    for case in CASES:
        lines = refused(capsys, command, f"configs/{case.file}")
        assert [line.split(" error: ")[0] for line in lines] == [f"configs/{case.file}:{case.place}:"]
    after = tree(here)
    assert {path: after[path] for path in before} == before
    logs = here / "ml" / "reports"  # every action leaves its log, one that was refused too
    assert {path for path in after if path not in before and not path.endswith(".log")} <= {
        logs.as_posix(),
        logs.parent.as_posix(),
    }


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name in {"account-id-not-quoted", "deep", "tag-python"}]
)
def test_the_installed_command_refuses_it_too(case: Case, tmp_path: Path) -> None:
    shutil.copy(FOLDER / case.file, tmp_path)
    done = subprocess.run(
        [CONSOLE, "validate-config", case.file], cwd=tmp_path, env=ENV, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{case.file}:{case.place}: error: ")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == [case.file]


def test_refusing_opens_no_socket(here: Path) -> None:
    """An audit hook sees every socket of the process; the network would be one."""
    shutil.copy(FOLDER / "tier-unknown.yaml", here)
    program = (
        "import sys; from stackseal.cli import main\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, args: seen.append(event) if event.startswith('socket.') else None)\n"
        "code = main(['validate-config', 'tier-unknown.yaml'], {})\n"
        "print(code, seen)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=here)
    assert done.stdout == "2 []\n"


def test_every_error_of_a_file_has_its_own_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = STARTER.read_text().replace("env: prod", "env: live").replace("a001", "A1").replace("starter", "basic")
    put(here, "many.yaml", text)
    lines = refused(capsys, "validate-config", "many.yaml")
    assert [line.split(": ")[0] for line in lines] == ["many.yaml:5:14", "many.yaml:7:8", "many.yaml:10:9"]


def test_the_errors_of_several_files_come_together(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("env-unknown.yaml", "deep.yaml", "tier-unknown.yaml"):
        shutil.copy(FOLDER / name, here)
    lines = refused(capsys, "validate-config", "env-unknown.yaml", "tier-unknown.yaml")
    assert [line.split(":")[0] for line in lines] == ["env-unknown.yaml", "tier-unknown.yaml"]


# --- files that are no files, or hold what no file may hold ----------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "place", "says"),
    [
        (b"client: \x00\n", "1:9", "U+0000"),
        ("client:\n  a: b\n".encode("utf-16"), "1:1", "byte 1 is not UTF-8; save it as UTF-8"),
        ("client: a\n".encode("utf-16-le"), "1:2", "U+0000"),
        ("client: a\n".encode("utf-32"), "1:1", "is not UTF-8"),
        (b"client: caf\xe9\n", "1:1", "byte 12 is not UTF-8"),
        (b"client: \xed\xa0\x80\n", "1:1", "is not UTF-8"),
        (b"client: \xc0\xaf\n", "1:1", "is not UTF-8"),
        (b"[" * 50_000, "1:33", "nested too deeply"),
        (b"- " * 30_000, "1:65", "nested too deeply"),
        (b"{a: " * 12_000, "1:129", "nested too deeply"),
        (b"a" * 10_485_760, "1:1", "The file is too large: it has more than 65,536 bytes"),
        (b"- x\n" * 16_000, "10000:3", "more than 10,000 values"),
        (b"a: 'b\n", "2:1", "The file is not valid YAML"),
        (b"a: [b\nc: d\n", "2:2", "The file is not valid YAML"),
        (b"a: b: c\n", "1:5", "The file is not valid YAML"),
        (b"a: @b\n", "1:4", "The file is not valid YAML"),
        (b"%YAML 3.0\n---\na: b\n", "1:1", "The file is not valid YAML"),
        (b"a: \xc2\x85b\n", "1:4", "U+0085"),
        (b"a: \xe2\x80\xa8b\n", "1:4", "U+2028"),
        (b"a: \xee\x80\x80\n", "1:4", "U+E000"),
        (b"a: \xf3\xa0\x81\x81\n", "1:4", "U+E0041"),
        (b"a: \x7f\n", "1:4", "U+007F"),
        (b"a: x\xef\xbb\xbf\n", "1:5", "U+FEFF"),
    ],
    ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else "",
)
def test_bytes_that_are_no_config(
    content: bytes, place: str, says: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(here, "raw.yaml", content)
    (line,) = refused(capsys, "validate-config", "raw.yaml")
    assert line.startswith(f"raw.yaml:{place}: error: ")
    assert says in line


def test_a_byte_order_mark_and_windows_line_ends_are_allowed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = STARTER.read_bytes().replace(b"\n", b"\r\n")
    put(here, STARTER.name, b"\xef\xbb\xbf" + text)
    assert cli.main(["validate-config", STARTER.name, "--format", "json"], ENV) == 0
    assert json.loads(capsys.readouterr().out)["configs"][0]["warnings"] == []


def test_a_folder_a_link_a_pipe_and_a_socket_are_no_config(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "folder.yaml").mkdir()
    shutil.copy(STARTER, here / "real.yaml")
    (here / "link.yaml").symlink_to("real.yaml")
    (here / "dangling.yaml").symlink_to("nowhere.yaml")
    (here / "linked").symlink_to(here, target_is_directory=True)
    os.mkfifo(here / "pipe.yaml")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.yaml")
        expected = {
            "folder.yaml": "The config is not a file",
            "link.yaml": "The config is a symbolic link",
            "dangling.yaml": "The config is a symbolic link",
            "linked/real.yaml": "The config is a symbolic link",
            "pipe.yaml": "The config is not a file",
            "socket.yaml": "The config cannot be read",
            "/dev/zero": "The config is not a file",
            "/dev/stdin": "The config is",
            "/proc/self/fd": "The config is not a file",
        }
        for name, says in expected.items():
            (line,) = refused(capsys, "validate-config", name)
            assert line.startswith(f"{name}:1:1: error: {says}"), line


@pytest.mark.spec("A11")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("absent.yaml", "The config 'absent.yaml' was not found: there is no absent.yaml or ml/configs/absent.yaml"),
        ("real.yaml/inside.yaml", "was not found"),
        ("x" * 300 + ".yaml", "was not found"),
        ("sub/../../outside.yaml", "lies outside the working directory: its path climbs out with '..'"),
        ("../outside.yaml", "lies outside the working directory"),
        ("", "The config has no usable name"),
        ("  ", "The config has no usable name"),
        ("a\0b", "The config has no usable name"),
    ],
)
def test_names_that_mean_no_file_here(
    name: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "outside.yaml", STARTER.read_bytes())
    put(tmp_path, "work/real.yaml", STARTER.read_bytes())
    put(tmp_path, "work/sub/x", "")
    monkeypatch.chdir(tmp_path / "work")
    (line,) = refused(capsys, "validate-config", name)
    assert says in line


def test_a_file_that_may_not_be_read_says_so(here: Path) -> None:
    path = put(here, "secret.yaml", "a: b")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ConfigError, match="The config cannot be read: Permission denied"):
        config.read(Path("secret.yaml"))


@pytest.mark.spec("A11")
def test_a_bare_name_is_looked_up_in_the_roots_configs(here: Path) -> None:
    put(here, f"ml/configs/{STARTER.name}", STARTER.read_bytes())
    for name in (STARTER.name, STARTER.stem):
        (found,) = config.load([name], here=here, root=Path("ml"))
        assert found.path == f"ml/configs/{STARTER.name}"


def test_a_name_here_wins_over_the_one_in_configs(here: Path) -> None:
    put(here, "ml/configs/a.yaml", "a: b")
    put(here, "a.yaml", "a: c")
    (found,) = config.load(["a.yaml"], here=here, root=Path("ml"))
    assert found.data == {"a": "c"}


def test_several_unreadable_files_are_reported_together(here: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        config.load(["one.yaml", "two.yaml"], here=here, root=Path("ml"))
    assert [str(error.where) for error in caught.value.errors] == ["one.yaml:1:1", "two.yaml:1:1"]


def test_discover_finds_configs_and_nothing_hidden(here: Path) -> None:
    for name in ("b.yaml", "a.yml", "sub/c.yaml", ".git/d.yaml", "sub/.hidden/e.yaml", "readme.md"):
        put(here, f"configs/{name}", "")
    (here / "configs/linked").symlink_to(here / "configs/sub", target_is_directory=True)
    found = config.discover(here / "configs")
    assert [path.relative_to(here / "configs").as_posix() for path in found] == ["a.yml", "b.yaml", "sub/c.yaml"]


def test_the_digest_knows_content_only() -> None:
    first = config.parse(b"a: 1\nb: [x, y]\n", "one.yaml")
    second = config.parse(b"# why\n\nb:\n  - x\n  - 'y'\na:   1\n", "two.yaml")
    assert first.digest == second.digest
    assert first.digest != config.parse(b"a: '1'\nb: [x, y]\n", "one.yaml").digest


# --- several configs, editions ---------------------------------------------------------------------------------------


def test_two_configs_of_one_stack_are_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(here, "one.yaml", STARTER.read_bytes())
    put(here, "two.yaml", b"# a copy\n" + STARTER.read_bytes())
    (line,) = refused(capsys, "validate-config", "one.yaml", "two.yaml")
    identity = "111122223333/us-west-2/techcorp-prod-a001-us-west-2-customer-churn-ml-stack"
    assert line.startswith("two.yaml:2:1: error: Two configs describe one stack: one.yaml and two.yaml both are ")
    assert identity in line


@pytest.mark.spec("A15", "A66")
@pytest.mark.parametrize("edition", ["starter", "professional"])
def test_an_edition_serves_its_own_tier_only(edition: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(here, ENTERPRISE.name, ENTERPRISE.read_bytes())
    for command in ("validate-config", *WRITERS):
        assert cli.main([command, ENTERPRISE.name], {**ENV, "STACKSEAL_EDITION": edition}) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"{ENTERPRISE.name}:10:9: error: The config asks for the tier 'enterprise'")
        assert "Verify tier in config matches your purchased image tag" in line
    assert cli.main(["validate-config", "--edition", "enterprise", ENTERPRISE.name], ENV) == 0


def test_an_unknown_edition_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = refused(capsys, "list-products", "--edition", "gold")
    assert line == "error: There is no edition 'gold': they are starter, professional, enterprise"
