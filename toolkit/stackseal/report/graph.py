"""The resources of a stack and the stacks downstream as a graph: which nodes are drawn, and the same as Mermaid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from stackseal.model import Edge, PlanOperation
from stackseal.report.encode import Safe, label
from stackseal.report.view import StackView, View
from stackseal.report.view.effects import Effect

LIMIT: Final = 40
"""Nodes that a reader can still follow; what changes is drawn first."""
_SIGNS: Final = {
    Effect.ADD: "+",
    Effect.IMPORT: "+",
    Effect.MODIFY: "~",
    Effect.SYNC: "~",
    Effect.DYNAMIC: "?",
    Effect.MAY_REPLACE: "±?",
    Effect.REPLACE: "±",
    Effect.REMOVE: "−",  # noqa: RUF001 - as wide as the plus
}
STYLES: Final = {
    "add": ("#1a7f37", "#dafbe1"),
    "change": ("#0969da", "#ddf4ff"),
    "replace": ("#9a6700", "#fff8c5"),
    "remove": ("#cf222e", "#ffebe9"),
    "same": ("#6e7781", "#f6f8fa"),
}
"""Class → (stroke, fill); the sign before each name says the same without colour."""
_CLASSES: Final = {
    Effect.ADD: "add",
    Effect.IMPORT: "add",
    Effect.MODIFY: "change",
    Effect.SYNC: "change",
    Effect.DYNAMIC: "replace",
    Effect.MAY_REPLACE: "replace",
    Effect.REPLACE: "replace",
    Effect.REMOVE: "remove",
}


_OPERATIONS: Final = {
    PlanOperation.CREATE: Effect.ADD,
    PlanOperation.UPDATE: Effect.MODIFY,
    PlanOperation.DELETE: Effect.REMOVE,
}


@dataclass(frozen=True, kw_only=True)
class Node:
    """A resource, or a stack that needs what this one publishes."""

    name: str
    type: str
    effect: Effect | None
    stack: bool = False

    @property
    def style(self) -> str:
        """The class of `STYLES`."""
        return _CLASSES[self.effect] if self.effect else "same"

    @property
    def sign(self) -> str:
        return _SIGNS[self.effect] if self.effect else ""


@dataclass(frozen=True, kw_only=True)
class Graph:
    """What is drawn, sorted; `hidden` nodes were left out. `source` of an edge needs its `target`."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    hidden: int


def graph(stack: StackView, limit: int = LIMIT) -> Graph:
    """The graph of one stack: all that changes, then its neighbours, then the rest while there is room."""
    effects = {row.change.logical_id: row.effect for row in reversed(stack.changes)}
    types = {row.change.logical_id: row.change.type for row in stack.changes}
    types.update({row.logical_id: row.type for row in stack.report.resources})
    edges = sorted({(edge.source, edge.target) for edge in stack.report.edges if edge.source != edge.target})
    names = set(types) | {name for edge in edges for name in edge}
    near = {name for edge in edges for name in edge if effects.keys() & set(edge)}
    order = sorted(names, key=lambda name: (name not in effects, name in types, name not in near, name))
    kept = frozenset(order[:limit])
    nodes = [
        Node(name=name, type=types.get(name, ""), effect=effects.get(name), stack=name not in types)
        for name in sorted(kept)
    ]
    drawn = tuple(Edge(source=source, target=target) for source, target in edges if {source, target} <= kept)
    return Graph(nodes=tuple(nodes), edges=drawn, hidden=len(names) - len(kept))


def order(view: View, limit: int = LIMIT) -> Graph:
    """The stacks of a change and who waits for whom; those with neighbours are drawn first."""
    names = {stack.id: stack.id.name for stack in view.stacks}
    if len(set(names.values())) < len(names):
        names = {identity: str(identity) for identity in names}
    edges = sorted(
        {
            (names[stack.id], names[wait.stack])
            for stack in view.stacks
            for wait in stack.report.waits
            if wait.stack in names
        }
    )
    near = {name for edge in edges for name in edge}
    drawn = sorted(view.ordered, key=lambda stack: names[stack.id] not in near)[:limit]
    nodes = sorted(
        (
            Node(
                name=names[stack.id],
                type=f"wave {stack.report.wave}",
                effect=_OPERATIONS.get(stack.plan.operation) if stack.plan else None,
                stack=True,
            )
            for stack in drawn
        ),
        key=lambda node: node.name,
    )
    kept = {node.name for node in nodes}
    shown = tuple(Edge(source=source, target=target) for source, target in edges if {source, target} <= kept)
    return Graph(nodes=tuple(nodes), edges=shown, hidden=len(names) - len(kept))


def mermaid(found: Graph) -> Safe:
    """The graph in Mermaid's language, without its fence. Arrows point from a thing to what depends on it."""
    ids = {node.name: f"n{index}" for index, node in enumerate(found.nodes)}
    return Safe("\n".join(("flowchart LR", *_nodes(found.nodes, ids), *_edges(found.edges, ids), *_classes(found))))


def _nodes(nodes: Iterable[Node], ids: dict[str, str]) -> list[str]:
    lines = []
    for node in nodes:
        text = f"{node.sign} {label(node.name)}".strip()
        kind = node.type.removeprefix("AWS::").replace("::", " ")
        text += f"<br/>{label(kind).replace('_', ' ')}" if kind else ""
        opening, closing = ("([", "])") if node.stack else ("[", "]")
        lines.append(f'  {ids[node.name]}{opening}"{text}"{closing}:::{node.style}')
    return lines


def _edges(edges: Iterable[Edge], ids: dict[str, str]) -> list[str]:
    return [f"  {ids[edge.target]} --> {ids[edge.source]}" for edge in edges]


def _classes(found: Graph) -> list[str]:
    used = sorted({node.style for node in found.nodes})
    return [f"  classDef {name} fill:{STYLES[name][1]},stroke:{STYLES[name][0]},color:#1f2328" for name in used]
