"""Inputs that others wrote, in every place of a report that can hold text: nothing changes but the text itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from stackseal.model import Deployment, Drift, DriftStatus, Report
from stackseal.report import annotations, done, encode, html, issue, junit, markdown, sarif, terminal
from trust import slots
from trust.corpora import sample, texts
from trust.figures import Count
from trust.pages import DIGESTS, NEUTRAL, altered, everywhere, numbered
from unit.report.hostile import COMMANDS, Page, gfm, live_commands

HUGE: Final = 10**9
CHUNKS: Final = 8
LIVE: Final = re.compile(r"@\w|https?:|www\.|#\d|\bGH-\d|\$|:\w+:|\b[0-9a-f]{7,40}\b")
"""What GitHub makes a mention, a link, a reference, mathematics, an emoji or a commit of, outside code."""


@dataclass(frozen=True)
class Sink:
    """One place where reports go: its text, its structure, its words."""

    render: Callable[[slots.Fill, int], str]
    structure: Callable[[str], list[str]]
    words: Callable[[str], str]
    links: Callable[[str], list[str]] = lambda _: []
    prose: Callable[[str], str] = lambda _: ""
    """The part of the words that a forge looks at for mentions and links."""
    edges: bool = False
    """Whether it matters what a text begins and ends with, as it does in Markdown and at the start of a line."""


@cache
def page(text: str) -> Page:
    return Page(text)


@cache
def rendered(text: str) -> Page:
    return Page(gfm(text))


def report(fill: slots.Fill, turn: int) -> Report:
    return slots.report(fill, turn)


def drift(fill: slots.Fill, turn: int) -> Drift:
    """A drift whose resources are in turn changed, gone and not compared; the first of a status is AWS's own word."""
    statuses = iter(("MODIFIED", "DELETED", "NOT_CHECKED", "MODIFIED") * 9)

    def known(slot: str) -> str:
        return next(statuses) if slot == "ResourceDrift.status" else fill(slot)

    found: Drift = slots.build(Drift, known, turn)
    return Drift(
        stack=found.stack,
        status=list(DriftStatus)[turn % 3],
        resources=found.resources * 2,
        reason=found.reason,
        role_of=found.role_of if turn % 2 else "",
    )


def since(fill: slots.Fill, turn: int) -> tuple[Report, Report]:
    """Two reports that differ in everything that reports of one stack can differ in."""
    before, after = slots.report(fill, turn), slots.report(fill, turn + 1)
    return before, Report(run=after.run, stacks=after.stacks[:1] + before.stacks[1:], failures=after.failures)


def deployed(fill: slots.Fill, turn: int) -> str:
    """The summary of a deployment: stacks that ended, one that was not begun, one that was left."""
    ends = [slots.build(Deployment, fill, turn + n) for n in range(2)]
    return done.deployed(ends, waiting=[fill("waiting")], left=[fill("left")])


def _markdown(render: Callable[[slots.Fill, int], str]) -> Sink:
    return Sink(
        render=render,
        structure=lambda text: [tag for tag in rendered(text).tags if tag not in {"a", "/a"}],
        words=lambda text: plain(rendered(text).text),
        links=lambda text: rendered(text).links,
        prose=lambda text: rendered(text).outside,
        edges=True,
    )


def _html(render: Callable[[slots.Fill, int], str]) -> Sink:
    def shown(text: str) -> str:
        # A name's length is counted, and a name in a picture is cut: its whole is in the title of its box.
        text = re.sub(r'(<td data-label="Length"[^>]*>)\d+ of', r"\1N of", text)
        return re.sub(r"(<text [^>]*>).*?</text>", r"\1</text>", text)

    return Sink(
        render=render,
        structure=lambda text: page(text).tags,
        words=lambda text: plain(page(shown(text)).text),
        links=lambda text: page(text).links,
    )


def plain(words: str) -> str:
    """Without the digests that are made of the texts."""
    return re.sub(r"seal [0-9a-f]{12}", "seal", words)


def leaves(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Every leaf of plain data with its place."""
    if isinstance(value, dict):
        return [leaf for key in value for leaf in leaves(value[key], f"{path}.{key}")]
    if isinstance(value, list):
        return [leaf for n, item in enumerate(value) for leaf in leaves(item, f"{path}.{n}")]
    return [(path, str(value))]


def sarif_words(text: str) -> str:
    """Every leaf but the fingerprints, which are digests; paths as they were before they became references."""
    found = [leaf for leaf in leaves(json.loads(text)) if not leaf[0].endswith("LineHash")]
    return "\n".join(unquote(value) if path.endswith("uri") else value for path, value in found)


def junit_words(text: str) -> str:
    """Every attribute and every text."""
    found = ElementTree.fromstring(text).iter()  # noqa: S314 - our own
    return "\n".join("\n".join([*element.attrib.values(), element.text or ""]) for element in found)


def decoded(text: str) -> str:
    """Workflow commands as the runner shows them."""
    return "\n".join(
        line.replace("%3A", ":").replace("%2C", ",").replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
        for line in text.splitlines()
    )


SINKS: Final = {
    "comment": _markdown(lambda fill, turn: markdown.render_parts(report(fill, turn), key="ml", limit=HUGE)[0]),
    "summary": _markdown(lambda fill, turn: markdown.render_summary(report(fill, turn), limit=HUGE)),
    "markdown": _markdown(lambda fill, turn: markdown.render(*reversed(since(fill, turn)))),
    "html": _html(lambda fill, turn: html.render(report(fill, turn))),
    "html since": _html(lambda fill, turn: html.render(*reversed(since(fill, turn)))),
    "issue": _markdown(lambda fill, turn: issue.issue(drift(fill, turn), config=fill("config"), limit=HUGE).body),
    "deployed": _markdown(deployed),
    "watched": _markdown(lambda fill, turn: done.watched([(drift(fill, turn), "opened", None)])),
    "retired": _markdown(
        lambda fill, turn: issue.retired(
            fill("stack"),
            config=fill("config") if turn % 4 == 0 else "",
            state=fill("state") if turn % 4 == 1 else "",
            unasked=fill("unasked") if turn % 4 == 2 else "",
        )
    ),
    "issue title": Sink(
        render=lambda fill, turn: issue.issue(drift(fill, turn)).title,
        structure=lambda text: [str(len(text.splitlines())), str(len(text) <= encode.TITLE_LIMIT)],
        words=lambda text: text,
    ),
    "sarif": Sink(
        render=lambda fill, turn: sarif.render(report(fill, turn)),
        structure=lambda text: [path for path, _ in leaves(json.loads(text))],
        words=sarif_words,
    ),
    "junit": Sink(
        render=lambda fill, turn: junit.render(report(fill, turn)),
        structure=lambda text: [element.tag for element in ElementTree.fromstring(text).iter()],  # noqa: S314 - our own
        words=junit_words,
    ),
    "annotations": Sink(
        render=lambda fill, turn: annotations.render(report(fill, turn)),
        structure=lambda text: [line.split(" ", 1)[0] for line in live_commands(text)],
        words=decoded,
    ),
    "terminal": Sink(
        render=lambda fill, turn: terminal.render(report(fill, turn)),
        structure=lambda text: [str(len(text.split("\n"))), *live_commands(text)],
        words=lambda text: text,
        edges=True,
    ),
}


@cache
def neutral(sink: Sink, arrangement: Callable[[str], slots.Fill], turn: int) -> str:
    return sink.render(arrangement(NEUTRAL), turn)


def breaks(name: str, text: str, turn: int, sink: Sink | None = None) -> list[str]:
    """What a text breaks in one sink, filled into every slot of it."""
    sink, found = sink or SINKS[name], []
    for arrangement in (everywhere, numbered) if sink.edges and text else (numbered,):
        known, got = neutral(sink, arrangement, turn), sink.render(arrangement(text), turn)
        if sink.structure(got) != sink.structure(known):
            found.append(f"{name} {turn}: another structure")
        if any(link not in sink.links(known) and link != text for link in sink.links(got)):
            found.append(f"{name} {turn}: a link of somebody's: {sink.links(got)}")
        if live := LIVE.search(sink.prose(got)):
            found.append(f"{name} {turn}: {live[0]!r} is not in code")
        if arrangement is numbered and (where := altered(sink.words(known), sink.words(got), text)):
            found.append(f"{name} {turn}: {where}")
    return found


def try_all(inputs: Iterable[tuple[int, str]]) -> list[str]:
    """What the inputs break, each in the turn of the model's choices that its number says."""
    return [
        f"{text!r}: {broken}"
        for number, text in inputs
        for name in SINKS
        for broken in breaks(name, text, number % slots.TURNS)
    ]


@cache
def places() -> frozenset[tuple[str, str]]:
    """Which slot's text stands in which sink, in any turn."""
    found = set()
    for turn in range(slots.TURNS):
        for name, sink in SINKS.items():
            by_number: dict[str, str] = {}
            text = sink.render(_noted(by_number), turn)
            numbers = set(re.findall(rf"{NEUTRAL}\.\d{{4}}", text)) & by_number.keys()
            found |= {(name, by_number[number]) for number in numbers}
    return frozenset(found)


def _noted(by_number: dict[str, str]) -> slots.Fill:
    inner = numbered(NEUTRAL)

    def fill(slot: str) -> str:
        text = inner(slot)
        by_number[text.strip('"').removeprefix("o/")] = slot
        return text

    return fill


NOT_SHOWN: Final = DIGESTS | {
    "Run.host",
    "Run.url",  # as an address only
    "Finding.help_url",  # as an address only, of a host that we name
    "Finding.stack",  # the finding stands in the stack's section
    "Waiver.check",
    "Waiver.resource",
    "Waiver.stack",
    "Plan.capabilities",
    "Plan.change_set",
    "ResourceDrift.status",  # a closed list of words
    "Plan.inputs",  # a digest
    "Wait.path",
    "Gate.env",
    "Gate.stack",
    "Growth.head",
    "Growth.since",
    "Deployment.outputs",
    "Deployment.outputs key",
    "Deployment.retained",
    "ResourceEvent.physical_id",
    "ResourceEvent.status",
    "ResourceEvent.timestamp",
    "ResourceEvent.type",
}


def test_every_text_of_the_model_is_tried_where_it_is_shown() -> None:
    """A field that is new is either shown, and so tried with every input, or named above."""
    every = {*slots.slots(Report), *slots.slots(Drift), *slots.slots(Deployment)}
    assert every - {slot for _, slot in places()} == NOT_SHOWN
    assert len(places()) > 200


def test_the_judge_sees_what_is_broken() -> None:
    """The same judge over a cell without an encoder, and over one with an encoder that only looks like one."""
    encoders: dict[str, Callable[[str], str]] = {"raw": str, "quoted": "`{}`".format, "ours": encode.cell}
    broken = {}
    for name, encoder in encoders.items():
        sink = _table(encoder)
        broken[name] = sum(bool(breaks(name, text, 0, sink)) for text in texts())
    assert broken["raw"] > 700
    assert broken["quoted"] > 500
    assert broken["ours"] == 0


def _table(encoder: Callable[[str], str]) -> Sink:
    return _markdown(lambda fill, _: f"# x\n\n| a | b |\n|-|-|\n| {encoder(fill('a'))} | {encoder(fill('b'))} |\n\ny\n")


def test_a_sample_of_public_inputs_changes_nothing() -> None:
    assert try_all(enumerate(sample(10))) == []


def test_forged_commands_change_nothing() -> None:
    assert try_all(enumerate(COMMANDS[::2])) == []


@pytest.mark.trust
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_public_inputs_change_nothing(chunk: int, count: Count) -> None:
    inputs = list(enumerate(texts()))[chunk::CHUNKS]
    found = try_all(inputs)
    fields = len({slot for _, slot in places()})
    detail = f"each in {fields} text fields of the model, in {len(places())} places of {len(SINKS)} sinks"
    count("public inputs in every report slot", inputs=len(inputs), breaks=len(found), detail=detail)
    assert found == []
