"""Which resource needs which, in every way in which CloudFormation can say so."""

from __future__ import annotations

from typing import Any

import pytest

from stackseal import graph
from stackseal.model import SourceMap, Template


def edges(**resources: Any) -> list[tuple[str, str]]:
    source = SourceMap(path="t.yaml", lines=(), rendered={}, template={}, config={})
    found = graph.edges(Template(text="", body={"Resources": resources}, parameters={}, source=source))
    return [(edge.source, edge.target) for edge in found]


B = {"Type": "T"}


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "B"},
        {"Fn::GetAtt": ["B", "Arn"]},
        {"Fn::GetAtt": "B.Arn"},
        {"Fn::Sub": "x-${B}-y"},
        {"Fn::Sub": "x-${B.Arn}"},
        {"Fn::Sub": ["${B}-${Own}", {"Own": 1}]},
        {"Fn::Sub": ["${Own}", {"Own": {"Ref": "B"}}]},
        {"Fn::Join": ["", ["x", {"Ref": "B"}]]},
        {"Fn::If": ["C", {"Ref": "B"}, {"Ref": "AWS::NoValue"}]},
        [{"deep": [{"er": {"Ref": "B"}}]}],
    ],
)
def test_a_reference_is_an_edge(value: Any) -> None:
    assert edges(A={"Type": "T", "Properties": {"P": value}}, B=B) == [("A", "B")]


@pytest.mark.parametrize("value", ["B", ["B"], ["B", "B", "Missing"]])
def test_depends_on_is_an_edge(value: Any) -> None:
    assert edges(A={"Type": "T", "DependsOn": value}, B=B) == [("A", "B")]


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Parameter"},
        {"Ref": "A"},
        {"Ref": "AWS::Region"},
        {"Ref": ["B"]},
        {"Fn::Sub": "${!B}"},
        {"Fn::Sub": ["${B}", {"B": "its own"}]},
        {"Fn::Sub": []},
        {"Fn::Sub": {}},
        {"Fn::Sub": [1]},
        {"Fn::GetAtt": []},
        {"Fn::GetAtt": {}},
        "B",
        None,
    ],
)
def test_what_is_no_reference_to_another_resource_is_no_edge(value: Any) -> None:
    assert edges(A={"Type": "T", "Properties": {"P": value}}, B=B) == []


@pytest.mark.parametrize("resource", [None, [], "text", {"DependsOn": {"B": 1}}, {"DependsOn": [{"Ref": "C"}]}])
def test_a_broken_resource_is_no_crash(resource: Any) -> None:
    assert edges(A=resource, B=B) == []


def test_edges_are_sorted_and_each_is_there_once() -> None:
    refers = {"Type": "T", "DependsOn": ["A", "B"], "Properties": {"P": [{"Ref": "B"}, {"Ref": "A"}, {"Ref": "B"}]}}
    assert edges(Z=refers, C=refers, B=B, A=B) == [("C", "A"), ("C", "B"), ("Z", "A"), ("Z", "B")]
