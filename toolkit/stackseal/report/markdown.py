"""The review as Markdown: one pull-request comment, in parts only where even its sentences do not fit into one.

GitHub refuses bodies over 65,536 characters on some calls and silently on others, so a part has at most 65,000 code
points; a step summary over 1 MiB is dropped whole, so it has at most 1,000,000 bytes. What is too long loses detail in
the order of `STEPS`. The verdict and every sentence about something that goes away are always there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from stackseal.model import Location, Report, Run
from stackseal.report import encode, graph, marker
from stackseal.report.compare import compare
from stackseal.report.encode import Safe
from stackseal.report.view import StackView, View, view
from stackseal.report.view.dangers import Danger, shown
from stackseal.report.words import fill

LIMIT: Final = 65_000
"""Code points of one comment."""
OPEN: Final = 8
"""Dangers without data loss that stand open; more are folded, all of them where something else stands open."""
SUMMARY_LIMIT: Final = 1_000_000
"""Bytes of a step summary."""
MANY: Final = 1_000_000
WORDS: Final = 150
"""Words that a marker takes; its line has 4,000 characters at most."""


@dataclass(frozen=True, kw_only=True)
class Detail:
    """How much is shown."""

    unchanged: bool = True
    """Folded sections of stacks with nothing to look at."""
    properties: bool = True
    """Property values, graphs and statements inside the sections."""
    changes: int = MANY
    """Changes, cost rows and permissions per stack."""
    long: int = 4
    """Resources and reasons of one statement."""
    statements: int = 25
    """Statements per stack; the table of risks always counts all of them."""
    findings: int = MANY
    """Findings per stack, and configs that failed."""
    rows: int = MANY
    """Rows of the table of stacks, and sections."""
    gates: int = 10
    """Rows of approvals, names and lines in each."""
    dangers: bool = True


STEPS: Final = (
    Detail(),
    Detail(unchanged=False),
    Detail(unchanged=False, properties=False),
    Detail(unchanged=False, properties=False, changes=50, findings=50),
    Detail(unchanged=False, properties=False, changes=20, findings=10),
    Detail(unchanged=False, properties=False, changes=5, findings=3),
    Detail(unchanged=False, properties=False, changes=0, findings=0),
    Detail(unchanged=False, properties=False, changes=0, findings=0, rows=100),
    Detail(unchanged=False, properties=False, changes=0, findings=0, rows=20),
    Detail(unchanged=False, properties=False, changes=0, findings=0, rows=0, gates=2),
)
"""From everything to the verdict and the dangers."""


def render(report: Report, previous: Report | None = None) -> str:
    """The whole review in full detail, without a limit: the `.md` beside the HTML report.

    With the last report of the same stacks it also says what is different since.
    """
    since = compare(previous, report) if previous is not None else None
    return _fill("summary.md.j2", view(report), Detail(statements=MANY, long=MANY), since=since)


def render_summary(report: Report, *, limit: int = SUMMARY_LIMIT) -> str:
    """The review for a job's summary page, within `limit` bytes of UTF-8."""
    found = view(report)
    for step in STEPS:
        text = _fill("summary.md.j2", found, step)
        if len(text.encode()) <= limit:
            return text
    return cut(text, limit)


def cut(text: str, limit: int) -> str:
    """The text, or as many of its lines as `limit` bytes of UTF-8 hold."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    kept = raw[: max(0, limit)].decode(errors="ignore")
    return kept[: kept.rfind("\n") + 1]


def render_parts(report: Report, *, key: str = "", limit: int = LIMIT) -> tuple[str, ...]:
    """The review as comments of at most `limit` code points: almost always one, else continuations of one group.

    Args:
        key: tells the comments of several workflows on one pull request apart (the Action's input `id`).
        limit: of a part; over about 2,000, which the verdict, the footer and one sentence need.
    """
    found = view(report)
    for step in STEPS:
        text = _fill("comment.md.j2", found, step, marker=_mark(found, key, 1, 1))
        if len(text) <= limit:
            return (text,)
    return _parts(found, key, limit)


def _parts(found: View, key: str, limit: int) -> tuple[str, ...]:
    """Verdict and footer with as many dangers as fit, then the other dangers in continuations."""
    frame = len(_fill("comment.md.j2", found, STEPS[-1], marker=_mark(found, key, 1, 10_000), dangers=()))
    chunks = _chunks(found.dangers, limit - frame - 400)
    first, *rest = chunks
    count = len(chunks)
    head = _fill("comment.md.j2", found, STEPS[-1], marker=_mark(found, key, 1, count), dangers=first, parts=count)
    tail = [
        _fill(
            "continuation.md.j2",
            found,
            STEPS[-1],
            marker=_mark(found, key, n, count),
            dangers=chunk,
            part=n,
            parts=count,
        )
        for n, chunk in enumerate(rest, start=2)
    ]
    return (head, *tail)


def _chunks(dangers: Sequence[Danger], room: int) -> list[tuple[Danger, ...]]:
    chunks: list[list[Danger]] = [[]]
    left = room
    for danger in (piece for whole in dangers for piece in _pieces(whole, room)):
        size = _size(danger)
        if size > left and chunks[-1]:
            chunks.append([])
            left = room
        chunks[-1].append(danger)
        left -= size
    return [tuple(chunk) for chunk in chunks]


def _size(danger: Danger) -> int:
    return len(fill("parts/danger.md.j2", danger=danger))


def _pieces(danger: Danger, room: int) -> Sequence[Danger]:
    """A sentence that no part could hold becomes several, each with the name in front."""
    if _size(danger) <= room:
        return (danger,)
    if len(danger.resources) > 1:
        single = [dataclasses.replace(danger, resources=(one,)) for one in danger.resources]
        return [piece for one in single for piece in _pieces(one, room)]
    step = max(1, room // 24)  # an encoder makes at most twelve characters of one
    texts = [danger.sentence[start : start + step] for start in range(0, len(danger.sentence), step)]
    return [dataclasses.replace(danger, sentence=text) for text in texts]


def _mark(found: View, key: str, part: int, parts: int) -> Safe:
    run = found.report.run
    group = {"part": part, "parts": parts} if parts > 1 else {}
    words = _words(found.report) if part == 1 else ()
    sealed = {"inputs": words} if words else {}
    return marker.write("review", id=key, head=run.commit, seal=found.seal, **group, **sealed)


def _words(report: Report) -> tuple[str, ...]:
    """A word for what each stack's seal was made from, for a merge queue; none where a stack is not sealed."""
    words = tuple(stack.plan.word if stack.plan else "" for stack in report.stacks)
    return words if all(words) and len(words) <= WORDS else ()


def _fill(template: str, found: View, detail: Detail, **more: Any) -> str:
    run = found.report.run
    context: dict[str, Any] = {"part": 1, "parts": 1, "run_url": run_url(run), "since": None, **more}
    dangers = context.setdefault("dangers", found.dangers)
    return fill(template, view=found, run=run, detail=detail, shown=shown(dangers, OPEN), **tools(run), **context)


def run_url(run: Run) -> Safe:
    """The page of the run, or nothing where it is no plain https address."""
    return Safe(run.url if encode.is_url(run.url) else "")


def tools(run: Run) -> Mapping[str, Callable[..., Safe]]:
    """What the Markdown templates call: links to lines of files, help, graphs."""
    url = repository_url(run)
    return {
        "at": partial(_at, encode.code, url, run.commit),
        "at_cell": partial(_at, encode.cell, url, run.commit),
        "help": _help,
        "mermaid": _mermaid,
        "order": _order,
    }


def repository_url(run: Run) -> str:
    """The repository's page, taken from the run's own; empty where the run has none below it."""
    head, found, _ = run.url.partition(f"/{run.repository}/")
    return f"{head}/{run.repository}" if found else ""


def _at(encoder: Callable[[str], Safe], url: str, commit: str, where: Location, config: str = "") -> Safe:
    """A link to a line; inside the section of its own config the number says enough."""
    label = Safe(f"line {int(where.line)}") if where.path == config else encoder(f"{where.path}:{where.line}")
    return encode.link(label, encode.blob_url(url, commit, where.path, where.line))


def _help(check: str, url: str) -> Safe:
    known = url.startswith(encode.HELP_HOSTS)
    return encode.link(encode.cell(check), url) if known else encode.cell(check)


def _order(found: View) -> Safe:
    drawn = graph.order(found)
    return graph.mermaid(drawn) if drawn.edges else Safe("")


def _mermaid(stack: StackView) -> Safe:
    found = graph.graph(stack)
    return graph.mermaid(found) if found.edges else Safe("")
