"""What holds for every template and every plan, whatever somebody writes."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stackseal.model import KNOWN_AFTER_APPLY, Action, Change, PlanOperation, PropertyChange, Replacement, Template
from stackseal.plan.consequence import consequences
from stackseal.plan.diff import differences
from stackseal.plan.predicted import predict
from stackseal.plan.seal import normalise, subset
from unit.plan.templates import template

NAMES = st.sampled_from(["A", "B", "C", "Env", "Zones", "AWS::NoValue", "AWS::Region", "Missing"])
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "x", "${A}", "${A.Arn}-${Env}"]))


def functions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Intrinsic functions used well and badly."""
    argument = st.one_of(inner, st.lists(inner, max_size=3), NAMES)
    names = [
        "Ref",
        "Fn::GetAtt",
        "Fn::Sub",
        "Fn::Join",
        "Fn::Select",
        "Fn::Split",
        "Fn::If",
        "Fn::FindInMap",
        "Fn::Cidr",
    ]
    return st.one_of(
        st.builds(lambda name: {"Ref": name}, NAMES),
        st.builds(lambda name: {"Fn::GetAtt": [name, "Arn"]}, NAMES),
        st.builds(lambda name, value: {name: value}, st.sampled_from(names), argument),
    )


VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2), functions(inner)
    ),
    max_leaves=6,
)
PROPERTIES = st.dictionaries(
    st.sampled_from(["BucketName", "TopicName", "DisplayName", "Tags", "Name", "Description"]), VALUES, max_size=3
)
RESOURCES = st.dictionaries(
    st.sampled_from(["A", "B", "C"]),
    st.fixed_dictionaries(
        {
            "Type": st.sampled_from(["AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::IAM::Role", "Custom::Own"]),
            "Properties": PROPERTIES,
        },
        optional={"DeletionPolicy": st.sampled_from(["Retain", "Delete"]), "Condition": st.sampled_from(["Is", "No"])},
    ),
    max_size=3,
)


@st.composite
def templates(draw: st.DrawFn) -> Template:
    return template(
        draw(RESOURCES),
        parameters={"Env": draw(st.sampled_from(["dev", "prod"])), "Zones": "a,b"},
        Parameters={"Zones": {"Type": "CommaDelimitedList"}},
        Conditions={"Is": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}, "No": draw(VALUES)},
        Mappings={"x": {"x": {"x": "y"}}},
    )


def turned(node: Any) -> Any:
    """The same document with the keys of every mapping in the other order."""
    if isinstance(node, dict):
        return {key: turned(node[key]) for key in reversed(node)}
    return [turned(item) for item in node] if isinstance(node, list) else node


@settings(max_examples=150, deadline=None, derandomize=True)
@given(templates(), templates())
def test_any_two_templates_have_a_plan_and_the_order_of_keys_does_not_count(base: Template, head: Template) -> None:
    plan = predict(base, head)
    again = Template(
        text=head.text, body=turned(head.body), parameters=head.parameters, source=head.source, stack=head.stack
    )
    assert predict(base, again) == plan
    assert {change.logical_id for change in plan.changes} <= set(base.resources) | set(head.resources)


@settings(max_examples=75, deadline=None, derandomize=True)
@given(templates())
def test_a_template_does_not_change_itself(one: Template) -> None:
    assert predict(one, one).operation is PlanOperation.NONE
    assert predict(one, one).changes == ()
    deletion = predict(one, None)
    assert {change.action for change in deletion.changes} <= {Action.REMOVE}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(VALUES, VALUES)
def test_differences_are_none_exactly_where_nothing_differs(before: Any, after: Any) -> None:
    assert list(differences(before, before)) == []
    there, back = list(differences(before, after)), list(differences(after, before))
    assert bool(there) is bool(back)


CHANGES = st.lists(
    st.builds(
        Change,
        action=st.sampled_from(Action),
        logical_id=st.sampled_from(["A", "B"]),
        type=st.sampled_from(["AWS::S3::Bucket", "AWS::SNS::Topic"]),
        replacement=st.sampled_from(Replacement),
        policy_action=st.sampled_from([None, "Delete", "Retain", "ReplaceAndDelete", "ReplaceAndRetain"]),
        properties=st.lists(
            st.builds(
                PropertyChange,
                path=st.sampled_from(["Name", "Tags"]),
                before=st.none(),
                after=st.sampled_from([None, '"a"', '"b"', KNOWN_AFTER_APPLY]),
            ),
            max_size=2,
        ).map(tuple),
    ),
    max_size=4,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(CHANGES, CHANGES, CHANGES)
def test_shrinking_is_an_order(one: list[Change], two: list[Change], three: list[Change]) -> None:
    a, b, c = normalise(one), normalise(two), normalise(three)
    assert subset(a, a) == ()
    assert subset((), a) == ()
    assert subset(normalise(reversed(one)), a) == ()
    if not subset(a, b) and not subset(b, c):
        assert subset(a, c) == ()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(CHANGES)
def test_every_destructive_change_has_a_sentence(found: list[Change]) -> None:
    told = consequences(found)
    assert {change.logical_id for change in found if change.destructive} <= {item.logical_id for item in told}
    for item in told:
        assert item.sentence
        assert "\n" not in item.sentence
