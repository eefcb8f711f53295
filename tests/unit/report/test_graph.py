"""Graphs: what is drawn, where, and in which language."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackseal.model import Edge
from stackseal.report import graph, svg
from stackseal.report.graph import Graph, Node
from stackseal.report.view import stack_view
from stackseal.report.view.effects import Effect
from unit.report import samples
from unit.report.hostile import ALL


def of(*edges: tuple[str, str], alone: tuple[str, ...] = ()) -> Graph:
    names = sorted({name for edge in edges for name in edge} | set(alone))
    nodes = tuple(Node(name=name, type="AWS::X::Y", effect=None) for name in names)
    return Graph(nodes=nodes, edges=tuple(Edge(source=a, target=b) for a, b in edges), hidden=0)


def corners(found: svg.Picture) -> dict[str, tuple[int, int]]:
    return {box.node.name: (box.x, box.y) for box in found.boxes}


def test_what_is_needed_stands_left_of_what_needs_it() -> None:
    at = corners(svg.draw(of(("c", "b"), ("b", "a"), ("c", "a"))))
    assert at["a"][0] < at["b"][0] < at["c"][0]


def test_a_circle_is_drawn_all_the_same() -> None:
    found = svg.draw(of(("a", "b"), ("b", "c"), ("c", "a")))
    assert len(found.boxes) == len(found.arrows) == 3


def test_nodes_without_edges_stand_below() -> None:
    at = corners(svg.draw(of(("b", "a"), alone=("x", "y"))))
    assert at["x"][1] == at["y"][1] > at["a"][1]


def test_an_empty_graph_has_a_size() -> None:
    found = svg.draw(Graph(nodes=(), edges=(), hidden=0))
    assert (found.boxes, found.arrows) == ((), ())
    assert found.width > 0


names = st.sampled_from([f"n{n}" for n in range(12)])
graphs = st.lists(st.tuples(names, names).filter(lambda edge: edge[0] != edge[1]), max_size=25).map(
    lambda e: of(*set(e))
)


@given(graphs)
def test_boxes_never_overlap_and_stay_inside(found: Graph) -> None:
    picture = svg.draw(found)
    assert len({(box.x, box.y) for box in picture.boxes}) == len(picture.boxes) == len(found.nodes)
    for box in picture.boxes:
        assert 0 <= box.x <= picture.width - svg.WIDTH
        assert 0 <= box.y <= picture.height - svg.HEIGHT
        assert (box.x - svg.MARGIN) % (svg.WIDTH + svg.GAP_X) == 0


@given(graphs)
def test_the_same_graph_is_the_same_picture(found: Graph) -> None:
    turned = dataclasses.replace(found, edges=tuple(reversed(found.edges)))
    assert corners(svg.draw(found)) == corners(svg.draw(turned))


def test_what_changes_is_drawn_first_and_the_rest_is_counted() -> None:
    found = graph.graph(stack_view(samples.updated()), limit=7)
    assert len(found.nodes) == 7
    assert {node.name for node in found.nodes if node.effect} == {
        "ArtifactsBucket",
        "BuildPipeline",
        "BuildProject",
        "Dashboard",
        "ModelDeployRepository",
    }
    assert any(node.stack for node in found.nodes)
    assert found.hidden == 8


def test_an_edge_to_itself_or_twice_is_one_or_none() -> None:
    stack = dataclasses.replace(samples.created(), edges=(*samples.EDGES, *samples.EDGES, Edge(source="A", target="A")))
    assert len(graph.graph(stack_view(stack)).edges) == len(samples.EDGES)


@pytest.mark.parametrize("effect", list(Effect))
def test_every_effect_has_a_sign_and_a_style(effect: Effect) -> None:
    node = Node(name="x", type="T", effect=effect)
    assert node.sign
    assert node.style in graph.STYLES


@pytest.mark.parametrize("text", ALL)
def test_no_name_speaks_mermaid(text: str) -> None:
    found = graph.mermaid(graph.graph(stack_view(samples.with_text(text).stacks[1])))
    lines = found.split("\n")
    assert lines[0] == "flowchart LR"
    assert all(line.startswith(("  n", "  classDef ")) for line in lines[1:])
    assert "click" not in found.replace(text, "")


def test_names_that_look_alike_in_a_label_stay_two_nodes() -> None:
    stack = dataclasses.replace(samples.unchanged(), edges=(Edge(source="a#b", target="a?b"),), resources=())
    text = graph.mermaid(graph.graph(stack_view(stack)))
    assert text.count('"a_b"') == 2
