"""Which actions an operation calls, and the tables behind that."""

from typing import Any

import pytest

from stackseal import facts
from stackseal.model import Operation
from stackseal.policy import stack_calls, tables
from stackseal.policy.atoms import calls, canonical, needed, own_service, sourced
from stackseal.policy.legacy import LEGACY
from stackseal.policy.operator import _MANAGE, _REMOVAL
from stackseal.policy.validate import ESCALATIONS
from unit.policy import samples


def names(kind: str, operation: Operation, properties: dict[str, Any] | None = None) -> set[str]:
    scene = samples.one({"Type": kind, "Properties": properties or {}})
    return {call.action.name for call in calls(scene.resources["Thing"], operation)}


def test_every_action_of_the_tables_exists() -> None:
    listed = {
        *(name for operations in LEGACY.values() for actions in operations.values() for name in actions),
        *(name for owners in tables.OWNERS.values() for name in owners if not name.endswith("*")),
        *(n for extra in tables.EXTRAS.values() for ops in extra.values() for names_ in ops.values() for n in names_),
        *tables.ALIASES.values(),
        *tables.NEVER,
        *tables.ALWAYS,
        *ESCALATIONS,
        *(name for entries in _REMOVAL.values() for name, _ in entries),
        *(f"cloudformation:{verb}" for verb in (*_MANAGE, *stack_calls.READS, *stack_calls.DRIFT)),
    }
    assert {name for name in listed if facts.action(name) is None} == set()


def test_every_type_and_property_of_the_tables_exists() -> None:
    assert {kind for table in (LEGACY, tables.OWNERS, tables.EXTRAS) for kind in table} <= facts.types()
    for kind, owners in tables.OWNERS.items():
        known = facts.of_type(kind)
        assert known is not None
        assert {name for properties in owners.values() for name in properties} <= known.words, kind


def test_no_type_of_the_legacy_table_has_handlers() -> None:
    assert [kind for kind in LEGACY if (known := facts.of_type(kind)) and known.handlers is not None] == []


@pytest.mark.parametrize("alias", sorted(tables.ALIASES))
def test_aliases_replace_only_names_that_iam_lacks(alias: str) -> None:
    assert facts.action(alias) is None


def test_names_become_actions_of_iam() -> None:
    assert [a.name for a in canonical("S3:putbucketpolicy")] == ["s3:PutBucketPolicy"]
    assert [a.name for a in canonical("s3:DeleteBucketEncryption")] == ["s3:PutEncryptionConfiguration"]
    assert canonical("s3:REST.PUT.OBJECT") == ()
    assert canonical("efs:Nothing") == ()
    wild = canonical("lambda:*")
    assert len(wild) > 5
    assert all(action.reads for action in wild)


def test_reading_never_writes() -> None:
    for kind in ("AWS::Events::Rule", "AWS::Lambda::Function", "AWS::S3::Bucket", "AWS::CodeBuild::Project"):
        found = [facts.action(name) for name in names(kind, Operation.READ)]
        assert found
        assert all(action and action.reads for action in found)


def test_what_no_property_asks_for_is_not_called() -> None:
    plain = names("AWS::S3::Bucket", Operation.CREATE)
    assert "s3:CreateBucket" in plain
    assert {"s3:PutBucketVersioning", "s3:PutEncryptionConfiguration"}.isdisjoint(plain)
    more = names("AWS::S3::Bucket", Operation.CREATE, {"VersioningConfiguration": {"Status": "Enabled"}})
    assert more - plain == {"s3:PutBucketVersioning"}


def test_what_an_update_takes_away_is_called_too() -> None:
    now = samples.one({"Type": "AWS::S3::Bucket", "Properties": {}}).resources["Thing"]
    then = samples.one({"Type": "AWS::S3::Bucket", "Properties": {"LifecycleConfiguration": {}}}).resources["Thing"]
    found = {call.action.name for call in calls(now, Operation.UPDATE, then)}
    assert "s3:PutLifecycleConfiguration" in found
    assert "s3:PutLifecycleConfiguration" not in {call.action.name for call in calls(now, Operation.UPDATE)}


def test_stack_tags_need_tagging_without_a_property_for_it() -> None:
    assert "sagemaker:AddTags" in names("AWS::SageMaker::Model", Operation.CREATE)
    create = names("AWS::SNS::Topic", Operation.CREATE)
    assert "sns:TagResource" in create
    assert "sns:UntagResource" not in create
    assert "sns:UntagResource" in names("AWS::SNS::Topic", Operation.UPDATE)


def test_lifting_a_boundary_is_never_called() -> None:
    known = facts.of_type("AWS::IAM::Role")
    assert known is not None
    assert known.handlers is not None
    assert "iam:DeleteRolePermissionsBoundary" in known.handlers["update"]
    found = names("AWS::IAM::Role", Operation.UPDATE, {"PermissionsBoundary": "arn:aws:iam::1:policy/b"})
    assert "iam:PutRolePermissionsBoundary" in found
    assert "iam:DeleteRolePermissionsBoundary" not in found


@pytest.mark.parametrize(
    ("kind", "action", "without", "needs"),
    [
        ("AWS::CloudWatch::Alarm", "cloudwatch:PutMetricAlarm", True, ""),
        ("AWS::EC2::EIP", "ec2:AllocateAddress", True, ""),
        ("AWS::RDS::DBInstance", "rds:CreateDBSnapshot", True, ""),
        ("AWS::KMS::Key", "kms:PutKeyPolicy", False, "KeyPolicy"),
        ("AWS::SQS::Queue", "sqs:CreateQueue", True, ""),
        ("AWS::SageMaker::Domain", "sagemaker:CreateDomain", True, ""),
        ("AWS::Lambda::Function", "lambda:PutFunctionConcurrency", False, "ReservedConcurrentExecutions"),
        ("AWS::Lambda::Function", "kms:CreateGrant", False, "KmsKeyArn"),
        ("AWS::Route53::HostedZone", "route53:CreateQueryLoggingConfig", False, "QueryLoggingConfig"),
    ],
)
def test_needed(kind: str, action: str, without: bool, needs: str) -> None:
    assert needed(kind, action, frozenset()) is without
    assert needed(kind, action, frozenset({needs})) is True or without


def test_no_published_type_loses_all_that_makes_it() -> None:
    """With nothing but its required properties a type keeps a write of its own service, or needs another property."""
    lost = set()
    for kind in facts.types():
        known = facts.of_type(kind)
        if known is None or not known.handlers:
            continue
        own = [
            action
            for name in known.handlers.get("create", ())
            for action in canonical(name)
            if not action.reads and "t" not in action.levels and action.name.startswith(f"{own_service(kind)}:")
        ]
        if own and not any(needed(kind, action.name, frozenset(known.required)) for action in own):
            lost.add(kind)
    assert lost == {"AWS::EC2::VPCGatewayAttachment", "AWS::IAM::Policy", "AWS::SSMContacts::Plan"}


def test_types_with_a_source() -> None:
    assert sourced("AWS::S3::Bucket")
    assert sourced("AWS::CodeBuild::Project")
    assert sourced("Custom::Anything")
    assert not sourced("AWS::Serverless::Function")
    assert not sourced("AWS::Evidently::Feature")  # retired: IAM has none of its actions any more
    assert not sourced("Vendor::A::B")


@pytest.mark.parametrize(
    ("kind", "service"),
    [
        ("AWS::S3::Bucket", "s3"),
        ("AWS::Cognito::UserPoolClient", "cognito-idp"),
        ("AWS::CloudFormation::Stack", "cloudformation"),
        ("AWS::StepFunctions::StateMachine", "states"),
        ("Custom::X", "x"),
    ],
)
def test_own_service(kind: str, service: str) -> None:
    assert own_service(kind) == service
