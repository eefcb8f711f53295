"""The review as one HTML file that needs nothing else: no script, no request, readable on paper and on a telephone."""

from __future__ import annotations

from typing import Final

from stackseal.model import Report
from stackseal.report import graph, svg
from stackseal.report.compare import compare
from stackseal.report.encode import HELP_HOSTS, Safe, is_url
from stackseal.report.markdown import OPEN, run_url
from stackseal.report.view import StackView, View, view
from stackseal.report.view.dangers import shown
from stackseal.report.words import fill

LIMIT: Final = 80
"""Nodes of a graph in the file, where it can be scrolled."""


def render(report: Report, previous: Report | None = None) -> str:
    """The whole review; with the last report of the same stacks also what is different since."""
    found = view(report)
    since = compare(previous, report) if previous is not None else None
    return fill(
        "report.html.j2",
        view=found,
        run=found.report.run,
        run_url=run_url(found.report.run),
        shown=shown(found.dangers, OPEN),
        since=since,
        draw=_draw,
        draw_order=_draw_order,
        needs=_needs,
        help_link=_help,
    )


def _draw_order(found: View) -> svg.Picture:
    return svg.draw(graph.order(found, LIMIT))


def _draw(stack: StackView) -> svg.Picture:
    return svg.draw(graph.graph(stack, LIMIT))


def _help(url: str) -> Safe:
    """The address of a check's help where it is one that we link to."""
    return Safe(url if url.startswith(HELP_HOSTS) and is_url(url) else "")


def _needs(stack: StackView, name: str) -> tuple[str, ...]:
    """What a resource needs, for the list that says the same as the picture."""
    return tuple(sorted({edge.target for edge in stack.report.edges if edge.source == name}))
