"""Plans from two templates: causes, cascades, conditions, policies, deletions, and what cannot be known."""

from __future__ import annotations

from typing import Any

import pytest

from stackseal.model import (
    KNOWN_AFTER_APPLY,
    Action,
    Certainty,
    Change,
    Location,
    Plan,
    PlanKind,
    PlanOperation,
    Replacement,
    Template,
)
from stackseal.plan.notes import dynamic
from stackseal.plan.predicted import predict
from unit.plan.templates import STACK, template

BUCKET: dict[str, Any] = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "Name"}}}
READER: dict[str, Any] = {
    "Type": "AWS::SSM::Parameter",
    "Properties": {"Name": "/ml/bucket", "Type": "String", "Value": {"Ref": "Bucket"}},
}


def by_id(plan: Plan) -> dict[str, Change]:
    return {change.logical_id: change for change in plan.changes}


def test_a_new_stack_is_a_creation_of_all_its_resources() -> None:
    plan = predict(None, template({"Bucket": BUCKET, "Reader": READER}, parameters={"Name": "a"}))

    assert (plan.kind, plan.operation, plan.stack) == (PlanKind.PREDICTED, PlanOperation.CREATE, STACK)
    assert [(change.action, change.logical_id) for change in plan.changes] == [
        (Action.ADD, "Bucket"),
        (Action.ADD, "Reader"),
    ]
    assert not plan.destructive
    assert plan.change_set is None


def test_the_same_template_changes_nothing_however_it_is_written() -> None:
    base = template({"A": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Period": 300, "Threshold": 1}}})
    head = template({"A": {"Properties": {"Threshold": "1", "Period": "300"}, "Type": "AWS::CloudWatch::Alarm"}})
    assert predict(base, head).operation is PlanOperation.NONE
    assert predict(base, head).changes == ()


def test_a_parameter_shows_on_every_property_that_uses_it() -> None:
    path = ("Resources", "Bucket", "Properties", "BucketName")
    base = template({"Bucket": BUCKET}, parameters={"Name": "old"})
    head = template({"Bucket": BUCKET}, parameters={"Name": "new"}, lines={path: 12})

    (change,) = predict(base, head).changes

    (item,) = change.properties
    assert (item.path, item.before, item.after, item.cause) == ("BucketName", '"old"', '"new"', "Name")
    assert item.certainty is Certainty.CERTAIN
    assert change.replacement is Replacement.ALWAYS
    assert change.where == Location(path="configs/churn.yaml", line=12)
    assert change.physical_id == "old"


def test_what_refers_to_a_replaced_resource_follows() -> None:
    resources = {
        "Bucket": BUCKET,
        "Reader": READER,
        "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Bucket"}}},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "unconcerned"}},
    }
    plan = predict(template(resources, parameters={"Name": "a"}), template(resources, parameters={"Name": "b"}))

    found = by_id(plan)
    assert set(found) == {"Bucket", "Policy", "Reader"}
    assert found["Reader"].certainty is Certainty.CASCADE
    assert found["Reader"].replacement is Replacement.NEVER
    assert found["Reader"].properties[0].after == KNOWN_AFTER_APPLY
    assert found["Reader"].properties[0].cause == "Bucket"
    assert found["Policy"].replacement is Replacement.ALWAYS


def test_cascades_go_on_until_nothing_follows() -> None:
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Ref": "Name"}}},
        "Model": {"Type": "AWS::SageMaker::Model", "Properties": {"ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}},
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {"ProductionVariants": [{"ModelName": {"Fn::GetAtt": ["Model", "ModelName"]}}]},
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {"EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
        },
    }
    found = by_id(predict(template(resources, parameters={"Name": "a"}), template(resources, parameters={"Name": "b"})))

    assert {name: change.replacement for name, change in found.items()} == {
        "Role": Replacement.ALWAYS,
        "Model": Replacement.ALWAYS,
        "Config": Replacement.ALWAYS,
        "Endpoint": Replacement.NEVER,
    }
    assert found["Endpoint"].certainty is Certainty.CASCADE


def test_what_may_be_replaced_may_replace_others() -> None:
    def resources(tenancy: str) -> dict[str, Any]:
        return {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"InstanceTenancy": tenancy}},
            "Net": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}}},
        }

    found = by_id(predict(template(resources("default")), template(resources("dedicated"))))
    assert found["Vpc"].replacement is Replacement.CONDITIONAL
    assert found["Net"].replacement is Replacement.CONDITIONAL
    assert found["Net"].certainty is Certainty.CASCADE


def test_an_attribute_that_is_a_changed_property_is_known() -> None:
    def resources(name: str) -> dict[str, Any]:
        return {
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}},
            "Reader": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Name": "/t", "Value": {"Fn::GetAtt": ["Topic", "TopicName"]}},
            },
        }

    (item,) = by_id(predict(template(resources("a")), template(resources("b"))))["Reader"].properties
    assert (item.before, item.after, item.certainty) == ('"a"', '"b"', Certainty.CERTAIN)


def test_an_identity_does_not_change_with_an_edit_in_place() -> None:
    def resources(text: str) -> dict[str, Any]:
        return {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"Description": text}},
            "Reader": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Name": "/r", "Value": {"Fn::GetAtt": ["Role", "Arn"]}},
            },
        }

    assert set(by_id(predict(template(resources("a")), template(resources("b"))))) == {"Role"}


def test_a_condition_adds_and_removes() -> None:
    resources = {"Key": {"Type": "AWS::KMS::Key", "Condition": "IsProd", "Properties": {}}}
    conditions = {"IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}}
    dev = template(resources, parameters={"Env": "dev"}, Conditions=conditions)
    prod = template(resources, parameters={"Env": "prod"}, Conditions=conditions)

    assert [change.action for change in predict(dev, prod).changes] == [Action.ADD]
    assert [change.action for change in predict(prod, dev).changes] == [Action.REMOVE]
    assert predict(dev, dev).changes == ()


@pytest.mark.parametrize(
    ("deletion", "expected"),
    [(None, "Delete"), ("Retain", "Retain"), ("RetainExceptOnCreate", "Retain"), ("Snapshot", "Snapshot")],
)
def test_a_removal_says_what_becomes_of_the_resource(deletion: str | None, expected: str) -> None:
    bucket = {**BUCKET, **({"DeletionPolicy": deletion} if deletion else {})}
    (change,) = predict(template({"Bucket": bucket}, parameters={"Name": "a"}), template({})).changes
    assert (change.action, change.policy_action, change.physical_id) == (Action.REMOVE, expected, "a")


def test_a_database_leaves_a_snapshot_by_default() -> None:
    base = template({"Db": {"Type": "AWS::RDS::DBInstance", "Properties": {}}})
    assert predict(base, template({})).changes[0].policy_action == "Snapshot"


@pytest.mark.parametrize(("policy", "expected"), [(None, "ReplaceAndDelete"), ("Retain", "ReplaceAndRetain")])
def test_a_replacement_says_what_becomes_of_the_old_one(policy: str | None, expected: str) -> None:
    bucket = {**BUCKET, **({"UpdateReplacePolicy": policy} if policy else {})}
    plan = predict(
        template({"Bucket": bucket}, parameters={"Name": "a"}), template({"Bucket": bucket}, parameters={"Name": "b"})
    )
    assert plan.changes[0].policy_action == expected
    assert plan.retained == (("Bucket",) if policy else ())


@pytest.mark.spec("A37")
def test_a_removed_config_is_a_planned_deletion_with_what_stays() -> None:
    base = template(
        {"Bucket": {**BUCKET, "DeletionPolicy": "RetainExceptOnCreate"}, "Reader": READER}, parameters={"Name": "a"}
    )
    plan = predict(base, None)

    assert plan.operation is PlanOperation.DELETE
    assert plan.destructive
    assert [change.action for change in plan.changes] == [Action.REMOVE, Action.REMOVE]
    assert plan.retained == ("Bucket",)
    assert any("stays behind as a, no longer managed" in item.sentence for item in plan.consequences)


def test_an_output_alone_is_an_update_without_changes() -> None:
    base = template({"Bucket": BUCKET}, parameters={"Name": "a"})
    head = template({"Bucket": BUCKET}, parameters={"Name": "a"}, Outputs={"Name": {"Value": "x"}})
    plan = predict(base, head)
    assert (plan.operation, plan.changes) == (PlanOperation.UPDATE, ())


def test_a_lost_policy_is_shown_beside_the_properties() -> None:
    kept = {**BUCKET, "DeletionPolicy": "Retain"}
    plan = predict(
        template({"Bucket": kept}, parameters={"Name": "a"}), template({"Bucket": BUCKET}, parameters={"Name": "a"})
    )
    (item,) = plan.changes[0].properties
    assert (item.path, item.before, item.after) == ("/DeletionPolicy", '"Retain"', None)
    assert "loses its DeletionPolicy" in plan.consequences[0].sentence


def test_new_stack_tags_reach_what_takes_tags() -> None:
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}},
        "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "b"}},
    }
    plan = predict(template(resources, tags={"team": "a"}), template(resources, tags={"team": "b"}))
    assert [change.logical_id for change in plan.changes] == ["Bucket"]
    assert plan.changes[0].certainty is Certainty.POSSIBLE


def test_a_resources_own_tag_comes_before_the_stacks() -> None:
    tags = [{"Key": "team", "Value": "own"}]
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"Tags": tags}},
        "Reader": {"Type": "AWS::SSM::Parameter", "Properties": {"Tags": {"team": "own"}}},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}},
    }
    plan = predict(template(resources, tags={"team": "a", "x": "1"}), template(resources, tags={"team": "b", "x": "1"}))
    assert [change.logical_id for change in plan.changes] == ["Topic"]
    (item,) = plan.changes[0].properties
    assert (item.path, item.before, item.after, item.cause) == ("/Tags", '{"team":"a"}', '{"team":"b"}', "stack tags")


@pytest.mark.parametrize("stack_too", [False, True])
@pytest.mark.parametrize("own", [False, True])
def test_a_cautious_prediction_tells_tags_in_every_way_that_a_change_set_may(own: bool, stack_too: bool) -> None:
    def side(team: str) -> Template:
        tags = [{"Key": "team", "Value": team if own else "own"}]
        resources = {
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"Tags": tags}},
            "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "b"}},
        }
        return template(resources, tags={"team": team if stack_too else "a"})

    changes = predict(side("a"), side("b"), cautious=True).changes
    assert [change.logical_id for change in changes] == (["Bucket"] if own or stack_too else [])
    paths = {item.path.partition("/")[0] or item.path for change in changes for item in change.properties}
    assert paths == ({"/Tags", "Tags"} if own or stack_too else set())
    assert all(change.replacement is Replacement.NEVER for change in changes)


@pytest.mark.parametrize(
    ("resources", "parameters", "note"),
    [
        ({"T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Vpc"}}}}, {}, "Values read from SSM"),
        (
            {"T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "{{resolve:ssm:/x}}"}}},
            {},
            "dynamic reference without a version",
        ),
        ({"N": {"Type": "AWS::CloudFormation::Stack", "Properties": {}}}, {}, "nested stack N"),
        ({"K": {"Type": "AWS::KMS::Key", "Condition": "C", "Properties": {}}}, {}, "Whether K exists"),
    ],
)
def test_what_cannot_be_known_is_said(resources: dict[str, Any], parameters: dict[str, str], note: str) -> None:
    head = template(
        resources,
        parameters={"Vpc": "/vpc"},
        Parameters={"Vpc": {"Type": "AWS::SSM::Parameter::Value<String>"}},
        Conditions={"C": {"Fn::Equals": [{"Ref": "Vpc"}, "x"]}},
    )
    notes = predict(None, head).notes
    assert notes[0].startswith("Predicted from the templates")
    assert any(note in text for text in notes[1:])


def test_edits_that_aws_refuses_are_announced() -> None:
    def group(text: str) -> dict[str, Any]:
        properties = {"ModelPackageGroupName": "models", "ModelPackageGroupDescription": text}
        return {
            "Group": {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": properties},
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeySpec": text}},
            "Turned": {"Type": "AWS::SNS::Topic" if text == "a" else "AWS::SQS::Queue", "Properties": {}},
            "Own": {"Type": "Custom::Thing", "Properties": {"Value": text}},
        }

    plan = predict(template(group("a")), template(group("b")))
    notes = " ".join(plan.notes)
    assert "Group would be replaced under its old name models" in notes
    assert "AWS refuses to change KeySpec of Key" in notes
    assert "turn Turned from AWS::SNS::Topic into AWS::SQS::Queue" in notes
    assert "no schema for Custom::Thing" in notes
    assert by_id(plan)["Own"].replacement is Replacement.CONDITIONAL


def test_a_template_that_is_no_template_is_planned_as_far_as_it_goes() -> None:
    broken = template({"A": "text", "B": {"Type": "AWS::SNS::Topic", "Condition": ["x"], "Properties": "text"}})
    plan = predict(None, broken)
    assert [change.logical_id for change in plan.changes] == ["B"]
    assert plan.changes[0].certainty is Certainty.POSSIBLE


def test_the_order_of_keys_does_not_matter() -> None:
    resources = {"Bucket": BUCKET, "Reader": READER, "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}}
    turned = dict(reversed(resources.items()))
    one = predict(template(resources, parameters={"Name": "a"}), template(turned, parameters={"Name": "b"}))
    two = predict(template(turned, parameters={"Name": "a"}), template(resources, parameters={"Name": "b"}))
    assert one == two


@pytest.mark.parametrize(
    ("reference", "seen"),
    [
        ("{{resolve:ssm:/a/b}}", False),
        ("{{resolve:ssm:/a/b:3}}", True),
        ("{{resolve:ssm-secure:x}}", False),
        ("{{resolve:ssm-secure:x:1}}", True),
        ("{{resolve:secretsmanager:Db}}", False),
        ("{{resolve:secretsmanager:Db:SecretString:password}}", False),
        ("{{resolve:secretsmanager:Db:SecretString:password:AWSCURRENT}}", False),
        ("{{resolve:secretsmanager:Db:SecretString:password::abc}}", True),
        ("{{resolve:secretsmanager:arn:aws:secretsmanager:us-west-2:1:secret:Db-x:SecretString:p}}", False),
        ("{{resolve:secretsmanager:arn:aws:secretsmanager:us-west-2:1:secret:Db-x:SecretString:p::v}}", True),
        ("{{resolve:ssm:/a:1}} {{resolve:ssm:/b}}", False),
        ("no reference", True),
    ],
)
def test_only_versions_make_dynamic_references_visible(reference: str, seen: bool) -> None:
    head = template({"T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": reference}}})
    assert bool(dynamic(head)) is not seen


def test_an_attribute_inside_a_text_is_not_told_as_the_text() -> None:
    def resources(name: str) -> dict[str, Any]:
        value = {"Fn::Sub": "topic ${Topic.TopicName}"}
        return {
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}},
            "Reader": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/t", "Value": value}},
        }

    (item,) = by_id(predict(template(resources("a")), template(resources("b"))))["Reader"].properties
    assert (item.before, item.after) == ('"topic ${Topic.TopicName}"', KNOWN_AFTER_APPLY)
    assert item.certainty is Certainty.CASCADE


@pytest.mark.parametrize("text", ["${Vpc} ${Role.Arn}", "${Role.Arn} ${Vpc}"])
def test_of_two_causes_the_worse_one_counts(text: str) -> None:
    def resources(name: str, tenancy: str) -> dict[str, Any]:
        return {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"InstanceTenancy": tenancy}},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name}},
            "Model": {"Type": "AWS::SageMaker::Model", "Properties": {"ExecutionRoleArn": {"Fn::Sub": text}}},
        }

    plan = predict(template(resources("a", "default")), template(resources("b", "dedicated")))
    assert by_id(plan)["Model"].replacement is Replacement.ALWAYS


def test_a_direct_edit_is_pointed_at_before_a_consequence() -> None:
    def resources(text: str) -> dict[str, Any]:
        properties = {"DisplayName": {"Ref": "Name"}, "TracingConfig": text}
        return {"Topic": {"Type": "AWS::SNS::Topic", "Properties": properties}}

    lines = {
        ("Resources", "Topic", "Properties", "DisplayName"): 3,
        ("Resources", "Topic", "Properties", "TracingConfig"): 4,
    }
    base = template(resources("Active"), parameters={"Name": "a"})
    head = template(resources("PassThrough"), parameters={"Name": "b"}, lines=lines)
    (change,) = predict(base, head).changes
    assert [item.cause for item in change.properties] == ["Name", ""]
    assert change.where == Location(path="configs/churn.yaml", line=4)


def test_a_reference_to_what_is_new_is_a_direct_edit() -> None:
    reader = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/r", "Value": "none"}}
    told = {**reader, "Properties": {"Name": "/r", "Value": {"Ref": "Bucket"}}}
    plan = predict(template({"Reader": reader}), template({"Reader": told, "Bucket": {"Type": "AWS::S3::Bucket"}}))
    (item,) = by_id(plan)["Reader"].properties
    assert (item.before, item.after, item.cause) == ('"none"', '"${Bucket}"', "")
