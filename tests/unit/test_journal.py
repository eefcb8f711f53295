"""The execution log of an action: what it holds, what it never holds, and what happens where there can be none."""

from __future__ import annotations

import io
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from e2e.harness import bench
from stackseal import __version__, cli, journal
from stackseal.commands import ACTIONS
from stackseal.errors import ConfigError, ConfigErrors, Failed, UsageError
from stackseal.hiding import of_environment
from stackseal.local import EmbeddedAws
from stackseal.model import Location
from stackseal.output import Output
from stackseal.world import Clock, World
from unit.render.samples import EXAMPLES

STARTER = next(path for path in EXAMPLES if path.stem.endswith("customer-churn-ml-s3"))
NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
OFFLINE = ("list-products", "show-product", "validate-config", "create-policy", "create-prov-template")
OFFLINE_AFTER = ("validate-prov-template", "create-review-report")
"""Offline, too, and after create-prov-template."""


@pytest.fixture
def world(tmp_path: Path, aws: EmbeddedAws) -> Iterator[World]:
    """A world at noon with one config and a secret in its environment."""
    (tmp_path / "ml" / "configs").mkdir(parents=True)
    (tmp_path / "ml" / "configs" / STARTER.name).write_bytes(STARTER.read_bytes())
    with bench(tmp_path, aws) as made:
        out = Output(stdout=io.StringIO(), stderr=io.StringIO(), hidden=of_environment({"A_SECRET_KEY": SECRET}))
        yield replace(made.world, out=out, clock=Clock(now=lambda: NOON))


def logs(world: World) -> list[Path]:
    return sorted((world.root / "reports").glob("*.log"))


def said(world: World) -> str:
    assert isinstance(world.out.stderr, io.StringIO)
    return world.out.stderr.getvalue()


def ends(code: int, *sentences: str) -> Callable[[World], int]:
    def do(world: World) -> int:
        for sentence in sentences:
            world.out.say(sentence)
        return code

    return do


@pytest.mark.spec("A69")
def test_a_log_says_what_was_asked_of_which_config_and_how_it_ended(world: World) -> None:
    def do(world: World) -> int:
        world.out.say("Looking")
        world.out.say("Not said, and kept", "info")
        world.out.data("two lines\nof a result")
        return 0

    world.out.level = "error"
    assert journal.kept("create-policy", [STARTER.name], world, do) == 0
    (log,) = logs(world)
    assert log.name == f"{STARTER.stem}-create-policy-20261120T120000Z.log"
    head = cli.COMMANDS["create-prov-template"]
    digest = re.search(r"# config sha256:([0-9a-f]{64})", template(world, head))
    assert digest
    assert log.read_text(encoding="utf-8").splitlines() == [
        f"stackseal {__version__}",
        f"licence: {journal.LICENCE}",
        "action: create-policy",
        f"config: {STARTER.name}",
        f"config sha256: {digest[1]}",
        "began: 2026-11-20T12:00:00Z",
        "2026-11-20T12:00:00Z: Looking",
        "2026-11-20T12:00:00Z: Not said, and kept",
        "2026-11-20T12:00:00Z: two lines",
        "    of a result",
        "ended: 2026-11-20T12:00:00Z",
        "exit code: 0",
        "result: done",
    ]


def template(world: World, command: Any) -> str:
    """What create-prov-template writes for the config."""
    arguments = cli.parse(["create-prov-template", STARTER.name], {})
    assert command.run(arguments, world) == 0
    (path,) = (world.root / "templates").iterdir()
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "result"),
    [(1, "blocked or drifted"), (2, "usage or invalid config"), (4, "refused"), (5, "unknown outcome"), (9, "failed")],
)
def test_every_end_has_its_word(code: int, result: str, world: World) -> None:
    assert journal.kept("check-drift", [STARTER.name], world, ends(code)) == code
    assert logs(world)[0].read_text(encoding="utf-8").endswith(f"exit code: {code}\nresult: {result}\n")


@pytest.mark.parametrize(
    ("error", "lines", "result"),
    [
        (Failed("It broke", why="a\nresult: done"), ["It broke: a", "    result: done"], "failed"),
        (
            ConfigErrors([ConfigError("one", where=Location(path="c.yaml", line=3)), ConfigError("two")]),
            ["c.yaml:3:1: one", "two"],
            "usage or invalid config",
        ),
        (KeyboardInterrupt(), [], "interrupted"),
        (ValueError("odd"), ["stackseal itself failed: ValueError: odd"], "failed"),
    ],
)
def test_what_goes_wrong_is_in_the_log_and_still_goes_wrong(
    error: BaseException, lines: Sequence[str], result: str, world: World
) -> None:
    def do(_: World) -> int:
        raise error

    with pytest.raises(type(error)):
        journal.kept("show-changes", [STARTER.name], world, do)
    text = logs(world)[0].read_text(encoding="utf-8")
    for line in lines:
        assert line in text
    assert [line for line in text.splitlines() if line.startswith("result: ")] == [f"result: {result}"]
    assert world.out.heard is None


@pytest.mark.spec("A69")
def test_no_run_writes_over_anothers_log(world: World) -> None:
    for number in range(3):
        journal.kept("show-product", [STARTER.name], world, ends(0, f"run {number}"))
    stem = f"{STARTER.stem}-show-product-20261120T120000Z"
    assert [path.name for path in logs(world)] == [f"{stem}-2.log", f"{stem}-3.log", f"{stem}.log"]
    assert [f"run {n}" in path.read_text() for n, path in zip((1, 2, 0), logs(world), strict=True)] == [True] * 3


def test_a_run_that_is_killed_leaves_a_log_that_says_so(world: World) -> None:
    def do(world: World) -> int:
        text = logs(world)[0].read_text(encoding="utf-8")
        assert text.endswith("result: unknown: the run did not end\n")
        return 0

    assert journal.kept("show-product", [STARTER.name], world, do) == 0


@pytest.mark.spec("A69")
def test_no_secret_is_in_a_log(world: World) -> None:
    key = "AKIA" + "IOSFODNN7EXAMPLE"
    journal.kept("show-product", [STARTER.name, SECRET], world, ends(0, f"with {SECRET} and {key}"))
    text = logs(world)[0].read_text(encoding="utf-8")
    assert SECRET not in text
    assert key not in text
    assert text.count("(hidden)") == 3


@pytest.mark.parametrize("name", ["../../x.yaml", "a b\nc.yaml", ".hidden.yaml", "/", "ä" * 400])
def test_the_name_of_a_log_is_a_plain_file_in_reports(name: str, world: World) -> None:
    journal.kept("show-product", [name], world, ends(2))
    (log,) = logs(world)
    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,230}\.log", log.name)
    assert "none, the config cannot be read" in log.read_text(encoding="utf-8")


def unwritable(world: World) -> None:
    """A root whose reports/ can be written by nobody, root included."""
    (world.root / "reports").write_text("")


@pytest.mark.spec("A69")
@pytest.mark.parametrize("action", sorted(journal.CHANGING))
def test_nothing_is_changed_that_cannot_be_written_down(action: str, world: World) -> None:
    unwritable(world)

    def do(_: World) -> int:
        raise AssertionError("it went on")

    with pytest.raises(UsageError, match=r"its execution log cannot be written .* give a --root whose reports/"):
        journal.kept(action, [STARTER.name], world, do)
    assert journal.kept(action, [STARTER.name], world, ends(0), dry_run=True) == 0


@pytest.mark.spec("A69")
@pytest.mark.parametrize("action", sorted(set(ACTIONS) - journal.CHANGING))
def test_what_changes_nothing_goes_on_without_a_log_and_says_so(action: str, world: World) -> None:
    unwritable(world)
    assert journal.kept(action, [STARTER.name], world, ends(0)) == 0
    assert said(world).startswith("No execution log is kept: ")
    assert said(world).count("\n") == 1


def test_a_log_that_cannot_be_ended_is_said_and_the_result_stands(world: World) -> None:
    def do(world: World) -> int:
        reports = world.root / "reports"
        reports.rename(world.root / "gone")
        reports.write_text("")
        return 4

    assert journal.kept("deploy-product", [STARTER.name], world, do) == 4
    assert said(world).startswith("The execution log is not complete: ")


@pytest.mark.parametrize("action", sorted(journal.LOOKING))
def test_a_look_around_makes_no_folder(action: str, world: World) -> None:
    elsewhere = replace(world, root=world.here / "other")
    assert journal.kept(action, [], elsewhere, ends(0)) == 0
    assert not elsewhere.root.exists()
    assert said(world) == ""


def test_a_log_is_written_through_no_link(world: World, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (world.root / "reports").symlink_to(tmp_path / "elsewhere")
    assert journal.kept("show-product", [STARTER.name], world, ends(0)) == 0
    assert "is a symbolic link" in said(world)
    assert list((tmp_path / "elsewhere").iterdir()) == []


# --- no licence server -----------------------------------------------------------------------------------------------

_CONNECTED: list[str] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"}:
        _CONNECTED.append(f"{event} {arguments[1:]}")


@pytest.mark.spec("A68")
def test_no_action_asks_for_a_subscription(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The actions that need no AWS connect to nothing at all, and every log shows the licence."""
    sys.addaudithook(_watch)
    with socket.socket() as probe:
        probe.connect_ex(("127.0.0.1", 9))
    assert _CONNECTED, "the watch sees nothing"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ml").mkdir()
    (tmp_path / STARTER.name).write_bytes(STARTER.read_bytes())
    _CONNECTED.clear()
    for action in (*OFFLINE, *OFFLINE_AFTER):
        argv = [action] if action == "list-products" else [action, STARTER.name]
        assert cli.main(argv, {"PATH": os.environ["PATH"]}) == 0
    assert _CONNECTED == []
    assert "Apache-2.0: no subscription is asked for" in capsys.readouterr().err
    found = list((tmp_path / "ml" / "reports").glob("*.log"))
    assert len(found) == len(OFFLINE) + len(OFFLINE_AFTER)
    assert all(f"licence: {journal.LICENCE}\n" in path.read_text(encoding="utf-8") for path in found)
