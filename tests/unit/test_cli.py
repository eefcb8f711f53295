"""The command line: where options may stand, what help teaches, and what a failure looks like."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from contract.support import ROOT
from stackseal import __version__, cli
from stackseal.commands import ACTIONS, COMMANDS
from stackseal.errors import Blocked, ConfigError, ConfigErrors, Failed, Refused, StacksealError, Unknown, UsageError
from stackseal.model import Location
from stackseal.output import Output
from unit.render.samples import EXAMPLES

STARTER = next(path for path in EXAMPLES if path.stem.endswith("customer-churn-ml-s3"))
OFFLINE = ("show-product", "validate-config", "create-prov-template", "create-policy", "create-review-report")
"""The actions that need a config and nothing else."""
CONSOLE = Path(sys.executable).with_name("stackseal")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with one config, `c.yaml` by its right name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / STARTER.name).write_bytes(STARTER.read_bytes())
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *argv: str, **env: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command line."""
    code = cli.main(argv, env)
    said = capsys.readouterr()
    return code, said.out, said.err


# --- the form of the originals ---------------------------------------------------------------------------------------


@pytest.mark.spec("A11")
@pytest.mark.parametrize(
    "argv",
    [
        ("-con", "{}", "-act", "show-product"),
        ("-act", "show-product", "-con", "{}"),
        ("--config", "{}", "--action", "show-product"),
        ("--config={}", "--action=show-product"),
        ("-con={}", "-act=show-product"),
        ("--root", "out", "-con", "{}", "-act", "show-product"),
        ("-con", "{}", "-act", "show-product", "--root", "out"),
    ],
)
def test_the_originals_form_does_the_same(argv: Sequence[str], here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    modern = run(capsys, "show-product", STARTER.name)
    assert modern[0] == 0
    assert "10 resources" in modern[1]
    assert run(capsys, *(word.format(STARTER.name) for word in argv)) == modern


@pytest.mark.spec("A11", "A12")
def test_list_products_needs_no_config(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    modern = run(capsys, "list-products")
    assert run(capsys, "-act", "list-products") == modern
    assert run(capsys, "-con", "any.yaml", "-act", "list-products") == modern
    assert modern[0] == 0
    rows = {" ".join(line.split()) for line in modern[1].splitlines()}
    for row in ("starter 13 or 10", "professional 19 or 16", "enterprise 41 or 39 or 38 or 36"):
        assert f"ml ml_product {row}" in rows


@pytest.mark.spec("A11")
def test_there_are_the_originals_twelve_actions() -> None:
    assert len(ACTIONS) == 12
    assert set(ACTIONS) >= {"list-products", "show-product", "test-deploy", "deploy-product", "delete-product"}


@pytest.mark.spec("A11")
@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("-con", "c.yaml", "-act", "destroy"), "There is no action 'destroy'; it is one of list-products, show-prod"),
        (("-con", "c.yaml", "-act", "check"), "There is no action 'check'"),
        (("-con", "c.yaml", "-act", ""), "There is no action ''"),
        (("-con", "c.yaml"), "No action is given: -act is missing; it is one of list-products"),
        (("-act", "show-product"), "No config is given: -con is missing; name a file, or one in configs/"),
        (("-act", "show-product", "-con"), "-con has no value; give the config after it"),
        (("-con", "c.yaml", "-act"), "-act has no value; give the action after it"),
        (("show-product", "-con", "c.yaml"), "No action is given"),
        (("-con", "a", "--config", "b", "-act", "show-product"), "--config is given twice: 'a' and 'b'"),
        (("-con", "a", "-act=x", "-act", "y"), "-act is given twice"),
        ((), "No command is given; see stackseal --help"),
        (("--root", "x"), "No command is given"),
        (("destroy",), "invalid choice: 'destroy' (choose from 'list-products', 'show-product'"),
        (("list",), "invalid choice: 'list'"),
        (("show-product",), "the following arguments are required: CONFIG; see stackseal show-product --help"),
        (("show-product", "a", "b"), "unrecognized arguments: b"),
        (("show-product", "a", "--bogus"), "unrecognized arguments: --bogus"),
        (("show-product", "a", "--form", "json"), "unrecognized arguments: --form json"),
        (("--format", "xml", "list-products"), "argument --format: invalid choice: 'xml'"),
        (("list-products", "--log-level", "loud"), "argument --log-level: invalid choice: 'loud'"),
        (("list-products", "--root"), "argument --root: expected one argument"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(
    argv: Sequence[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("error: ")
    assert says in err
    assert list(tmp_path.iterdir()) == []


# --- options before and after the command ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "field", "value"),
    [
        (("--root", "out"), "root", Path("out")),
        (("--format", "json"), "format", "json"),
        (("--log-level", "error"), "log_level", "error"),
        (("--cache-dir", "/c"), "cache_dir", Path("/c")),
        (("--no-cache",), "no_cache", True),
        (("--aws", "local"), "aws", "local"),
        (("--edition", "starter"), "edition", "starter"),
    ],
)
def test_global_options_stand_before_and_after(options: Sequence[str], field: str, value: object) -> None:
    before = cli.parse([*options, "list-products"], {})
    after = cli.parse(["list-products", *options], {})
    assert getattr(before, field) == getattr(after, field) == value
    assert before == after


def test_defaults_come_from_the_environment_that_is_given() -> None:
    env = {"STACKSEAL_CACHE_DIR": "/c", "STACKSEAL_LOG_LEVEL": "debug", "STACKSEAL_EDITION": "enterprise"}
    found = cli.parse(["list-products"], env)
    assert (found.cache_dir, found.log_level, found.edition) == (Path("/c"), "debug", "enterprise")
    bare = cli.parse(["list-products"], {"HOME": "/h", "STACKSEAL_LOG_LEVEL": "loud"})
    assert (bare.cache_dir, bare.log_level, bare.edition) == (Path("/h/.cache/stackseal"), "info", None)
    assert bare.root == Path("ml")
    assert cli.parse(["list-products"], {"XDG_CACHE_HOME": "/x"}).cache_dir == Path("/x/stackseal")


def test_a_cache_that_everybody_may_write_is_not_used() -> None:
    assert cli.parse(["list-products"], {}).no_cache
    assert cli.parse(["list-products", "--cache-dir", "/c"], {}).no_cache is False
    assert cli.parse(["list-products"], {"HOME": "/h"}).no_cache is False


def test_a_root_that_is_a_catalogue_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "ml/products").mkdir(parents=True)
    code, _, err = run(capsys, "show-product", STARTER.name)
    assert code == 2
    assert "The root ml cannot be used: it holds a folder 'products'" in err
    assert run(capsys, "show-product", STARTER.name, "--root", "other")[0] == 0


# --- results as data -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", OFFLINE)
def test_json_is_all_that_stdout_holds(command: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, command, STARTER.name, "--format", "json", PATH=os.environ["PATH"])
    assert code == 0
    assert json.loads(out)


@pytest.mark.parametrize("argv", [("list-products",), ("schema",), ("doctor",)])
def test_json_of_the_commands_without_a_config(
    argv: Sequence[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "--format", "json", *argv, PATH=os.environ["PATH"])
    assert code == 0
    assert json.loads(out)


@pytest.mark.parametrize("form", [("--format", "json"), ("--format=json",)])
def test_a_failure_as_json_names_file_line_and_column(
    form: Sequence[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "bad.yaml").write_text(STARTER.read_text().replace("starter", "basic").replace("env: prod", "env: live"))
    code, out, err = run(capsys, "validate-config", "bad.yaml", *form)
    assert code == 2
    found = json.loads(out)
    assert found["exit_code"] == 2
    assert [(row["file"], row["line"], row["column"]) for row in found["errors"]] == [
        ("bad.yaml", 7, 8),
        ("bad.yaml", 10, 9),
    ]
    assert all(row["what"] and row["why"] and row["remedy"] for row in found["errors"])
    assert err.count("\n") == 2


@pytest.mark.parametrize("argv", [(), ("destroy",), ("show-product",), ("show-product", "absent.yaml")])
def test_every_failure_is_json_if_that_is_wanted(
    argv: Sequence[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "--format", "json", *argv)
    assert code == 2
    (row,) = json.loads(out)["errors"]
    assert row["what"]


def outputs(folder: Path) -> dict[Path, bytes]:
    """Every file but the execution logs, which are where times belong."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".log"}


def test_two_runs_print_the_same(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("show-product", "create-prov-template", "create-policy"):
        first = run(capsys, command, STARTER.name, "--format", "json")
        written = outputs(here)
        assert run(capsys, command, STARTER.name, "--format", "json") == first
        assert outputs(here) == written


# --- help ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_by_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, command, "--help")
    assert (code, err) == (0, "")
    assert f"stackseal {command}" in COMMANDS[command].HELP, "the help has no example"
    assert COMMANDS[command].HELP.strip().splitlines()[0] in out
    assert "\n" not in COMMANDS[command].SUMMARY


def test_the_main_help_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for word in (*COMMANDS, "-con CONFIG -act ACTION", "--root", "Exit codes: 0 done, 1 blocked"):
        assert word in out


def test_the_version_names_the_edition(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, f"stackseal {__version__}\n", "")
    assert run(capsys, "--version", STACKSEAL_EDITION="starter")[1] == f"stackseal starter-{__version__}\n"


@pytest.mark.spec("A68")
@pytest.mark.parametrize("word", ["--license", "--licence"])
def test_the_licences_text_is_shown(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert run(capsys, word) == (0, text, "")


HEAVY = ("boto3", "botocore", "cfnlint", "pydantic", "jsonschema", "checkov", "markdown", "jinja2", "ministack", "moto")


def test_help_loads_no_engine() -> None:
    """One process asks for the help of every command; an audit hook would not see a module that is cached."""
    program = (
        "import sys, io, contextlib\nfrom stackseal import cli\nfrom stackseal.commands import COMMANDS\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    codes = {cli.main([*name, '--help'], {}) for name in [[], *([n] for n in COMMANDS)]}\n"
        f"print(codes, sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "{0} []\n"


# --- the end of a run ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Blocked("b"), 1),
        (UsageError("u"), 2),
        (ConfigError("c"), 2),
        (ConfigErrors([ConfigError("c")]), 2),
        (Failed("f"), 3),
        (Refused("r"), 4),
        (Unknown("x"), 5),
    ],
)
def test_every_kind_of_error_has_its_exit_code(error: StacksealError, code: int) -> None:
    assert error.exit_code == code


def test_an_error_is_one_line_that_a_runner_does_not_obey() -> None:
    out, err = io.StringIO(), io.StringIO()
    where = Location(path="::error::a.yaml", line=3, column=4)
    error = Failed("It\n::stop-commands::x", why="a\r\n##[error]b", remedy="c", where=where)
    cli.report(error, Output(stdout=out, stderr=err), as_json=False)
    assert err.getvalue() == ": :error::a.yaml:3:4: error: It ::stop-commands::x: a ## [error]b; c\n"
    assert out.getvalue() == ""


def test_no_traceback_leaves_the_console(tmp_path: Path) -> None:
    """A cache folder that is a file, a root that is a file: sentences, whatever the command."""
    (tmp_path / "file").write_text("")
    (tmp_path / STARTER.name).write_bytes(STARTER.read_bytes())
    argv = [CONSOLE, "create-prov-template", STARTER.name, "--root", "file", "--format", "json"]
    done = subprocess.run(argv, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[0].startswith("No execution log is kept: file/reports/")
    assert done.stderr.splitlines()[1].startswith("error: file/templates/")
    assert json.loads(done.stdout)["errors"][0]["remedy"] == "give another --root"


def test_a_reader_that_has_gone_is_no_crash(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        done = subprocess.run(
            [CONSOLE, "schema"], cwd=tmp_path, env={}, stdout=gone, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (3, b"")


def test_the_working_directorys_modules_are_never_imported(tmp_path: Path) -> None:
    """A pull request's `json.py` must not run, neither in the command nor in the sandbox's child."""
    trap = "import pathlib; pathlib.Path(__file__).with_suffix('.trap').touch()\n"
    for name in ("json", "yaml", "re", "jinja2", "sitecustomize", "stackseal/__init__", "toolkit/__init__"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.py").write_text(trap)
    (tmp_path / STARTER.name).write_bytes(STARTER.read_bytes())
    argv = [CONSOLE, "create-prov-template", STARTER.name]
    done = subprocess.run(argv, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("*.trap")) == []
