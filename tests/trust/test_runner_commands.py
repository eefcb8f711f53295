"""Nothing that we print or write for the runner is a command of somebody else's."""

from __future__ import annotations

import dataclasses
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from stackseal import cli
from stackseal.deployment import progress
from stackseal.errors import ConfigError, ConfigErrors, Failed, Refused, StacksealError, Unknown
from stackseal.hosts import github_action
from stackseal.model import Deployment, Location, ResourceEvent
from stackseal.output import Output
from stackseal.report import annotations, markdown, terminal
from trust import slots
from trust.figures import SEED, Count
from trust.pages import everywhere
from trust.runner import Command, commands, mutations, pairs

COUNT: Final = 2500
ERRORS: Final[tuple[type[StacksealError], ...]] = (ConfigError, Failed, Refused, Unknown)


class Exploding(Mapping[str, str]):
    """An environment that fails inside the command line with a message that somebody else wrote."""

    def __init__(self, message: str, **values: str) -> None:
        self.message, self.values_ = message, values

    def __getitem__(self, key: str) -> str:
        if key == "XDG_CACHE_HOME":
            raise RuntimeError(self.message)
        return self.values_[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


def printer(text: str, out: Output) -> None:
    out.data(text)
    out.data(f"{text}\n")
    out.say(text)
    out.redraw(text, 0)
    out.json({text: [text], "a": text})


def events(text: str, out: Output) -> None:
    failed = ResourceEvent(logical_id=text, type=text, status="CREATE_FAILED", reason=text, timestamp=text * 30)
    for each in (failed, slots.build(ResourceEvent, everywhere(text))):
        for shown in (progress.Lines(out=out), progress.Table(out=out)):
            shown.event(each)


def ends(text: str, out: Output) -> None:
    for turn in range(slots.TURNS):
        deployment: Deployment = slots.build(Deployment, everywhere(text), turn)
        out.say(progress.sentence(deployment))
        out.data(progress.sentence(dataclasses.replace(deployment, resume=text)))


def errors(text: str, out: Output) -> None:
    where = Location(path=text, line=3)
    found = [kind(text, why=text, remedy=text, where=where) for kind in ERRORS]
    for error in (*found, ConfigErrors([error for error in found if isinstance(error, ConfigError)])):
        cli.report(error, out, as_json=True)
        cli.report(error, out, as_json=False)


def screen(text: str, out: Output) -> None:
    out.data(terminal.render(slots.report(everywhere(text), 1), colour=True))


def markdown_page(text: str, out: Output) -> None:
    """`review` prints the comment where there is no forge."""
    out.data(markdown.render_parts(slots.report(everywhere(text), 2), limit=10**9)[0])


def libraries(text: str, out: Output) -> None:
    """What an engine logs or warns of, with a text that it repeats."""
    with cli.heard(out):
        logging.getLogger("cfnlint.template").error("cannot read %s", text)
        warnings.warn(text, UserWarning, stacklevel=1)


PRINTERS: Final[tuple[Callable[[str, Output], None], ...]] = (
    printer,
    events,
    ends,
    errors,
    screen,
    markdown_page,
    libraries,
)


def printed(one: Callable[[str, Output], None], text: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        one(text, Output(stdout=out, stderr=err, level="debug"))
    return f"{out.getvalue()}\n{err.getvalue()}"


def forged(text: str) -> list[str]:
    """The printers that let a text through."""
    return [f"{one.__name__}: {text!r}" for one in PRINTERS if commands(printed(one, text))]


def forged_annotations(text: str) -> list[str]:
    """Our own commands are there, and nothing else: as many as without the text, of our three kinds."""
    turn = len(text) % slots.TURNS
    out = Output(stdout=(written := io.StringIO()), stderr=io.StringIO())
    out.command(annotations.render(slots.report(everywhere(text), turn)))
    known = commands(annotations.render(slots.report(everywhere("x"), turn)))
    found = commands(written.getvalue())
    whole = len(found) == len(written.getvalue().splitlines()) - 1  # `command` ends the last line once more
    return [] if whole and [_kind(one) for one in found] == [_kind(one) for one in known] else [text]


def _kind(command: Command) -> tuple[str, tuple[str, ...]]:
    return command.name, tuple(sorted(command.properties))


def forged_outputs(text: str, folder: Path) -> list[str]:
    """GITHUB_OUTPUT holds the outputs that were meant, whole, and no other."""
    path = folder / "output"
    path.unlink(missing_ok=True)
    facts = {"verdict": text, "comment": text, "stacks": [text], "changes": 1, "changed": True, "change_sets": [text]}
    meant = github_action.outputs(1, facts, f"<!-- stackseal {text}")
    github_action.write(path, meant)
    return [] if pairs(path.read_bytes().decode()) == meant else [text]


def through_main(text: str, capsys: pytest.CaptureFixture[str], folder: Path) -> list[str]:
    """The command line itself: an argument, a file's name, an exception that nobody foresaw."""
    home = {"HOME": folder.as_posix()}
    clean = text.replace("\0", "")
    codes = [
        cli.main([clean], home),
        cli.main(["--format", "json", "list-products", f"--edition={clean}"], home),
        cli.main(["list-products"], Exploding(text)),
        cli.main(["list-products"], Exploding(text, STACKSEAL_TRACEBACK="1")),
    ]
    found = capsys.readouterr()
    assert all(codes), codes
    return [text] if commands(f"{found.out}\n{found.err}") else []


def test_the_judge_knows_the_runners_rules() -> None:
    assert [command.name for command in commands("a ##[Set-Output name=v]x\n \u3000::ERROR file=a::b")] == [
        "set-output",
        "error",
    ]
    assert commands("x ::error::y") == commands("\u200b::error::y") == commands("## [error]x") == []
    assert commands("::error title=a%2Cb::c%0Ad") == [Command("error", {"title": "a,b"}, "c\nd")]
    assert pairs("a=1\nb<<E\nx=2\nE\n") == {"a": "1", "b": "x=2"}
    tries = mutations(COUNT, SEED)
    assert len(set(tries)) == COUNT
    assert sum(bool(commands(text)) for text in tries) > COUNT // 2


@pytest.mark.parametrize("text", mutations(40, SEED), ids=repr)
def test_a_sample_of_forged_commands(text: str, tmp_path: Path) -> None:
    assert forged(text) + forged_annotations(text) + forged_outputs(text, tmp_path) == []


def test_a_sample_through_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert [broken for text in mutations(5, SEED) for broken in through_main(text, capsys, tmp_path)] == []


@pytest.mark.trust
def test_no_forged_command_is_live(count: Count, tmp_path: Path) -> None:
    tries = mutations(COUNT, SEED)
    live = sum(bool(commands(text)) for text in tries)
    found = [broken for text in tries for broken in forged(text)]
    count(
        "runner commands, printed",
        inputs=COUNT,
        breaks=len(found),
        detail=f"{live} of them live as they are; {len(PRINTERS)} ways to print",
    )
    assert found == []


@pytest.mark.trust
def test_no_forged_command_is_live_in_annotations_and_outputs(count: Count, tmp_path: Path) -> None:
    tries = mutations(COUNT, SEED)
    found = [broken for text in tries for broken in (*forged_annotations(text), *forged_outputs(text, tmp_path))]
    count("runner commands, in annotations and GITHUB_OUTPUT", inputs=COUNT, breaks=len(found))
    assert found == []


@pytest.mark.trust
def test_no_forged_command_is_live_on_the_command_line(
    count: Count, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tries = mutations(400, SEED)
    found = [broken for text in tries for broken in through_main(text, capsys, tmp_path)]
    count("runner commands, as arguments and exceptions", inputs=len(tries), breaks=len(found))
    assert found == []
