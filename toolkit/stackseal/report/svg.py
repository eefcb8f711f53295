"""Where the nodes and edges of a graph are drawn: layers from left to right, what is needed before what needs it.

Whole pixels and sorted names only, so that the same graph is the same picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from stackseal.report.graph import Graph, Node

WIDTH: Final = 224
HEIGHT: Final = 46
GAP_X: Final = 48
GAP_Y: Final = 14
MARGIN: Final = 8
SHOWN: Final = 25
"""Characters of a name that fit into a box; the whole name is in the box's title."""
ALONE: Final = 4
"""Boxes per row for nodes without edges."""
_SWEEPS: Final = 4


@dataclass(frozen=True, kw_only=True)
class Box:
    """A node and the left upper corner of its box."""

    node: Node
    x: int
    y: int
    text: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """From the right side of what is needed to the left side of what needs it, as a path of SVG."""

    x1: int
    y1: int
    bend1: int
    bend2: int
    x2: int
    y2: int


@dataclass(frozen=True, kw_only=True)
class Picture:
    """All of it, with the size in pixels."""

    width: int
    height: int
    box_width: int = WIDTH
    box_height: int = HEIGHT
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def draw(graph: Graph) -> Picture:
    """The picture of a graph; nodes without edges stand in rows below the others."""
    needs = _needs(graph)
    linked = {name for name, targets in needs.items() if targets} | {n for targets in needs.values() for n in targets}
    columns = _ordered(_columns({name: needs[name] for name in sorted(linked)}), needs)
    corners = {
        name: (MARGIN + layer * (WIDTH + GAP_X), MARGIN + row * (HEIGHT + GAP_Y))
        for layer, names in enumerate(columns)
        for row, name in enumerate(names)
    }
    below = max((y for _, y in corners.values()), default=MARGIN - HEIGHT - GAP_Y) + HEIGHT + GAP_Y
    for index, name in enumerate(sorted(needs.keys() - linked)):
        row, column = divmod(index, ALONE)
        corners[name] = (MARGIN + column * (WIDTH + GAP_Y), below + row * (HEIGHT + GAP_Y))
    return Picture(
        width=max((x for x, _ in corners.values()), default=0) + WIDTH + MARGIN,
        height=max((y for _, y in corners.values()), default=0) + HEIGHT + MARGIN,
        boxes=tuple(_box(node, *corners[node.name]) for node in graph.nodes),
        arrows=tuple(_arrow(corners[edge.target], corners[edge.source]) for edge in graph.edges),
    )


def _needs(graph: Graph) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {node.name: [] for node in graph.nodes}
    for edge in graph.edges:
        found[edge.source].append(edge.target)
    return {name: sorted(targets) for name, targets in found.items()}


def _columns(needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Each name one column right of the last thing that it needs; an edge that closes a circle counts for nothing."""
    layers: dict[str, int] = {}

    def layer(name: str, above: frozenset[str]) -> int:
        if name not in layers:
            inner = above | {name}
            layers[name] = 1 + max((layer(one, inner) for one in needs[name] if one not in inner), default=-1)
        return layers[name]

    for name in needs:
        layer(name, frozenset())
    columns: list[list[str]] = [[] for _ in range(max(layers.values(), default=-1) + 1)]
    for name, column in sorted(layers.items()):
        columns[column].append(name)
    return columns


def _ordered(columns: list[list[str]], needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The columns with each name near the middle of its neighbours, so that fewer arrows cross."""
    near: dict[str, set[str]] = {name: set(targets) for name, targets in needs.items()}
    for name, targets in needs.items():
        for target in targets:
            near[target].add(name)
    for _ in range(_SWEEPS):
        rows = {name: 2 * row - len(names) for names in columns for row, name in enumerate(names)}
        columns = [sorted(names, key=lambda name: (_middle(near[name], rows), name)) for names in columns]
    return columns


def _middle(names: set[str], rows: Mapping[str, int]) -> float:
    return sum(rows[name] for name in names) / len(names) if names else 0.0


def _box(node: Node, x: int, y: int) -> Box:
    name = f"{node.sign} {node.name}".strip()
    text = name if len(name) <= SHOWN else f"{name[: SHOWN - 1]}…"
    return Box(node=node, x=x, y=y, text=text, kind=node.type.removeprefix("AWS::").replace("::", " ")[:34])


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> Arrow:
    x1, y1 = start[0] + WIDTH, start[1] + HEIGHT // 2
    x2, y2 = end[0], end[1] + HEIGHT // 2
    return Arrow(x1=x1, y1=y1, bend1=x1 + GAP_X // 2, bend2=x2 - GAP_X // 2, x2=x2, y2=y2)
