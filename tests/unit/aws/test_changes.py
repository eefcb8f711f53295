"""What DescribeChangeSet says, in the shapes that AWS was recorded to answer with."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stackseal.aws.changes import changes, nested
from stackseal.model import KNOWN_AFTER_APPLY, Action, Certainty, Change, Replacement


def resource(logical_id: str, action: str = "Modify", **more: Any) -> dict[str, Any]:
    for key in ("BeforeContext", "AfterContext"):
        if key in more:
            more[key] = json.dumps({"Properties": more[key]})
    return {"LogicalResourceId": logical_id, "ResourceType": "AWS::SNS::Topic", "Action": action, **more}


def detail(
    name: str, source: str = "DirectModification", evaluation: str = "Static", recreation: str = "Never", **more: Any
) -> dict[str, Any]:
    cause = {"CausingEntity": more.pop("cause")} if "cause" in more else {}
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation, **more}
    return {"ChangeSource": source, "Evaluation": evaluation, "Target": target, **cause}


def one(detailed: dict[str, Any] | None, plain: dict[str, Any] | None) -> Change:
    (found,) = changes([detailed] if detailed else [], [plain] if plain else [])
    return found


def test_a_direct_edit_with_values() -> None:
    told = detail("DisplayName", Path="/Properties/DisplayName", BeforeValue="a", AfterValue="b")
    found = one(
        resource(
            "T",
            Replacement="False",
            PhysicalResourceId="arn",
            BeforeContext={"DisplayName": "a"},
            AfterContext={"DisplayName": "b"},
            Details=[told],
        ),
        resource("T", Replacement="False", Details=[detail("DisplayName")]),
    )
    (item,) = found.properties
    assert (item.path, item.before, item.after, item.certainty) == ("DisplayName", '"a"', '"b"', Certainty.CERTAIN)
    assert (found.replacement, found.physical_id, found.type) == (Replacement.NEVER, "arn", "AWS::SNS::Topic")


def test_additions_are_not_replacements_whatever_aws_writes() -> None:
    found = one(resource("T", "Add", Replacement="True", AfterContext={"TopicName": "t"}), resource("T", "Add"))
    assert (found.action, found.replacement, found.properties) == (Action.ADD, Replacement.NEVER, ())


def test_a_change_that_the_view_with_values_leaves_out_is_kept() -> None:
    """Recorded: Topic2 takes Topic1's DisplayName; only the plain view has it, and the update does change it."""
    follows = detail("DisplayName", "ResourceAttribute", "Dynamic", cause="Topic1.DisplayName")
    first = resource("Topic1", Replacement="False", Details=[detail("DisplayName")])
    second = resource("Topic2", Replacement="False", Details=[follows])
    found = changes([first], [first, second])
    assert [change.logical_id for change in found] == ["Topic1", "Topic2"]
    assert found[1].certainty is Certainty.CASCADE
    assert found[1].properties[0].cause == "Topic1.DisplayName"


def test_a_detail_that_the_view_with_values_leaves_out_is_kept() -> None:
    full = resource("T", Replacement="True", Details=[detail("A"), detail("B", recreation="Always")])
    found = one(resource("T", Replacement="False", Details=[detail("A")]), full)
    assert [item.path for item in found.properties] == ["A", "B"]
    assert found.replacement is Replacement.ALWAYS


def test_a_reference_to_a_replaced_resource_is_a_cascade() -> None:
    """Recorded: with values AWS adds a Dynamic DirectModification beside the Static ResourceReference."""
    values = {"Path": "/Properties/DisplayName", "BeforeValue": "arn:one", "AfterValue": KNOWN_AFTER_APPLY}
    found = one(
        resource(
            "T",
            Replacement="False",
            BeforeContext={"DisplayName": "arn:one"},
            AfterContext={"DisplayName": KNOWN_AFTER_APPLY},
            Details=[
                detail("DisplayName", evaluation="Dynamic", **values),
                detail("DisplayName", "ResourceReference", cause="Topic1", **values),
            ],
        ),
        resource("T", Replacement="False", Details=[detail("DisplayName", "ResourceReference", cause="Topic1")]),
    )
    (item,) = found.properties
    assert (item.certainty, item.cause, item.after) == (Certainty.CASCADE, "Topic1", KNOWN_AFTER_APPLY)


@pytest.mark.parametrize(
    ("recreation", "evaluation", "expected"),
    [
        ("Never", "Static", Replacement.NEVER),
        ("Always", "Static", Replacement.ALWAYS),
        ("Always", "Dynamic", Replacement.CONDITIONAL),
        ("Conditionally", "Static", Replacement.CONDITIONAL),
        ("Conditionally", "Dynamic", Replacement.CONDITIONAL),
    ],
)
def test_what_recreation_means(recreation: str, evaluation: str, expected: Replacement) -> None:
    found = one(None, resource("T", Details=[detail("A", evaluation=evaluation, recreation=recreation)]))
    assert found.properties[0].replacement is expected


@pytest.mark.parametrize(
    ("source", "evaluation", "expected"),
    [
        ("DirectModification", "Static", Certainty.CERTAIN),
        ("ParameterReference", "Static", Certainty.CERTAIN),
        ("DirectModification", "Dynamic", Certainty.POSSIBLE),
        ("ResourceReference", "Static", Certainty.CASCADE),
        ("ResourceAttribute", "Dynamic", Certainty.CASCADE),
        ("Automatic", "Dynamic", Certainty.CASCADE),
    ],
)
def test_how_sure_a_change_is_without_values(source: str, evaluation: str, expected: Certainty) -> None:
    assert one(None, resource("T", Details=[detail("A", source, evaluation)])).certainty is expected


def test_a_parameter_is_named_as_the_cause() -> None:
    found = one(
        None,
        resource(
            "T",
            Details=[detail("A", evaluation="Dynamic"), detail("A", "ParameterReference", cause="Env")],
        ),
    )
    assert (found.properties[0].cause, found.properties[0].certainty) == ("Env", Certainty.CERTAIN)


def test_values_are_canonical_json_whatever_aws_sends() -> None:
    target = {"Path": "/Properties/Tags/0/Value", "BeforeValue": "old", "AfterValue": "new"}
    whole = {"Path": "/Properties/Policy", "BeforeValue": '{"b": 1, "a": 2}', "AfterValue": "[broken"}
    found = one(
        resource(
            "T",
            BeforeContext={"Tags": [{"Value": 3}]},
            Details=[detail("Tags", **target), detail("Policy", **whole)],
        ),
        None,
    )
    policy, tag = found.properties
    assert (tag.path, tag.before, tag.after) == ("Tags/0/Value", "3", '"new"')
    assert (policy.before, policy.after) == ('{"a":2,"b":1}', '"[broken"')


def test_a_context_that_was_cut_is_not_used() -> None:
    raw = resource("T", Details=[detail("A", Path="/Properties/A", BeforeValue="x", AfterValue="y")])
    raw["BeforeContext"] = '{"Properties": {"A": "x'
    assert one(raw, None).properties[0].before == '"x"'


def test_tags_are_told_once() -> None:
    told = {
        "Target": {"Attribute": "Tags", "Path": "/Tags", "AfterValue": "x", "RequiresRecreation": "Never"},
        "Evaluation": "Static",
        "ChangeSource": "DirectModification",
    }
    bare = {**told, "Target": {"Attribute": "Tags", "RequiresRecreation": "Never"}}
    found = one(resource("T", Details=[told]), resource("T", Details=[bare]))
    assert [(item.path, item.after) for item in found.properties] == [("/Tags", '"x"')]


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ({"Attribute": "Tags"}, "Tags"),
        ({"Attribute": "Metadata"}, "/Metadata"),
        ({"Attribute": "DeletionPolicy", "Path": "/DeletionPolicy"}, "/DeletionPolicy"),
        ({"Attribute": "Properties"}, "/Properties"),
    ],
)
def test_attributes_beside_the_properties_keep_their_slash(target: dict[str, str], path: str) -> None:
    raw = resource("T", Details=[{"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}])
    assert one(None, raw).properties[0].path == path


def test_what_aws_may_say_one_day_counts_as_dangerous() -> None:
    assert one(None, resource("T", "Explode")).destructive
    assert one(None, resource("T", Replacement="Sometimes")).replacement is Replacement.CONDITIONAL
    assert one(None, resource("T", "Dynamic")).certainty is Certainty.POSSIBLE


def test_removals_carry_their_policy() -> None:
    found = one(resource("T", "Remove", PolicyAction="Retain"), resource("T", "Remove", PolicyAction="Retain"))
    assert (found.action, found.policy_action, found.certainty) == (Action.REMOVE, "Retain", Certainty.CERTAIN)


def test_changes_are_sorted_and_nested_sets_are_found() -> None:
    raws = [resource("B", ChangeSetId="arn:b"), resource("A")]
    assert [change.logical_id for change in changes([], raws)] == ["A", "B"]
    assert nested(raws) == {"B": "arn:b"}
