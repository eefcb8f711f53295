"""A folder means "add one more here": every module of it is in the registry, and every entry is whole."""

from __future__ import annotations

from pathlib import Path

from contract.support import PACKAGE, ROOT
from stackseal import hosts
from stackseal.checks import CHECKS, ENGINES
from stackseal.cli import parser
from stackseal.commands import ACTIONS, COMMANDS
from stackseal.report import FORMATS

HELPERS = {
    "commands": {"base", "everywhere", "operate", "written"},
    "hosts": {"base", "event", "gates", "git", "trust"},
    "report": {
        "compare",
        "diff",
        "done",
        "encode",
        "graph",
        "issue",
        "marker",
        "place",
        "redact",
        "svg",
        "terminal",
        "view",
        "words",
    },
}
"""Modules of a registry's folder that are no entries themselves."""

PENDING: set[str] = set()
"""Hosts that are written and not yet registered. This set must shrink to nothing."""


def modules(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.py")} - {"__init__"}


def test_every_command_is_registered_under_its_name() -> None:
    names = {name.replace("-", "_") for name in COMMANDS}
    assert names == modules(PACKAGE / "commands") - HELPERS["commands"]
    for name, command in COMMANDS.items():
        assert command.__name__.rpartition(".")[2] == name.replace("-", "_")  # type: ignore[attr-defined]  # a module has a name
        assert command.SUMMARY
        assert f"stackseal {name}" in command.HELP, "its help shows an example"


def test_the_parser_knows_every_command() -> None:
    choices = next(action.choices for action in parser()._actions if action.dest == "command")
    assert choices is not None
    assert list(choices) == list(COMMANDS)
    assert len(ACTIONS) == 12


def test_every_check_is_registered_under_its_id() -> None:
    assert {name.replace("-", "_") for name in CHECKS} == modules(PACKAGE / "checks" / "own")
    for name, check in CHECKS.items():
        assert name == check.ID
        assert check.TITLE
        assert check.HELP.strip()
        fixtures = ROOT / "tests" / "unit" / "checks" / "fixtures" / name
        assert {path.name for path in fixtures.iterdir()} >= {"good.yaml", "bad.yaml"}


def test_every_engine_is_registered_under_its_id() -> None:
    assert {name.replace("-", "_") for name in ENGINES} == modules(PACKAGE / "checks" / "engines")
    assert all(name == engine.ID for name, engine in ENGINES.items())


def test_every_format_is_registered() -> None:
    assert set(FORMATS) == modules(PACKAGE / "report") - HELPERS["report"]


def test_every_host_is_registered() -> None:
    registered = set(hosts.RUNNERS) | set(hosts.FORGES)
    entries = {name for name in modules(PACKAGE / "hosts") if "_" not in name}  # `github_api` is a part of `github`
    assert registered == entries - HELPERS["hosts"] - PENDING
    assert not registered & PENDING, "registered now: take it out"
    assert list(hosts.RUNNERS)[-1] == "local", "the local runner recognises every environment, so it comes last"


def test_registries_are_sorted_where_order_means_nothing() -> None:
    for registry in (CHECKS, ENGINES, FORMATS):
        assert list(registry) == sorted(registry)
