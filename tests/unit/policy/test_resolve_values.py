"""Intrinsic functions computed before a deployment."""

from typing import Any

import pytest

from stackseal.model import StackId
from stackseal.policy.physical import generated, name_property, partition
from stackseal.policy.resolve import Resolver
from stackseal.policy.values import UNKNOWN, Choice, leaves, strings
from unit.policy import samples
from unit.policy.samples import ACCOUNT, REGION, STACK

BODY: dict[str, Any] = {
    "Parameters": {
        "Env": {"Type": "String", "Default": "prod"},
        "Zones": {"Type": "CommaDelimitedList", "Default": "a, b"},
        "Vpc": {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::VPC::Id>", "Default": "/vpc/id"},
        "Subnets": {"Type": "AWS::SSM::Parameter::Value<List<AWS::EC2::Subnet::Id>>", "Default": "/vpc/subnets"},
        "Open": {"Type": "String"},
    },
    "Conditions": {
        "IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
        "NotProd": {"Fn::Not": [{"Condition": "IsProd"}]},
        "Unknown": {"Fn::Equals": [{"Ref": "Open"}, "x"]},
        "Both": {"Fn::And": [{"Condition": "IsProd"}, {"Condition": "Unknown"}]},
        "Neither": {"Fn::And": [{"Condition": "NotProd"}, {"Condition": "Unknown"}]},
        "Either": {"Fn::Or": [{"Condition": "IsProd"}, {"Condition": "Unknown"}]},
        "Round": {"Condition": "Round"},
    },
    "Mappings": {"Sizes": {"prod": {"count": "3"}}},
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "${Env}-data"}}},
        "Loose": {"Type": "AWS::S3::Bucket"},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alerts"}},
        "Key": {"Type": "AWS::KMS::Key", "Properties": {}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "worker", "Path": "/team/"}},
        "Gone": {"Type": "AWS::SNS::Topic", "Condition": "NotProd"},
        "Maybe": {"Type": "AWS::SNS::Topic", "Condition": "Unknown"},
        "Self": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Self"}}},
    },
}
BUCKET_ARN, TOPIC_ARN = "arn:aws:s3:::prod-data", f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"


def resolver() -> Resolver:
    return Resolver(BODY, {}, STACK)


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"Ref": "Env"}, "prod"),
        ({"Ref": "Zones"}, ["a", "b"]),
        ({"Ref": "Vpc"}, UNKNOWN),
        ({"Ref": "Subnets"}, [UNKNOWN]),
        ({"Ref": "Open"}, UNKNOWN),
        ({"Ref": "NoSuch"}, UNKNOWN),
        ({"Ref": "AWS::Region"}, REGION),
        ({"Ref": "AWS::StackId"}, f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK.name}/*"),
        ({"Ref": "Bucket"}, "prod-data"),
        ({"Ref": "Topic"}, TOPIC_ARN),
        ({"Ref": "Key"}, UNKNOWN),
        ({"Ref": "Role"}, "worker"),
        ({"Ref": "Self"}, f"arn:aws:sns:{REGION}:{ACCOUNT}:*"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, BUCKET_ARN),
        ({"Fn::GetAtt": "Bucket.Arn"}, BUCKET_ARN),
        ({"Fn::GetAtt": ["Role", "Arn"]}, f"arn:aws:iam::{ACCOUNT}:role/team/worker"),
        ({"Fn::GetAtt": ["Topic", "TopicName"]}, "alerts"),
        ({"Fn::GetAtt": ["Bucket", "DomainName"]}, UNKNOWN),
        ({"Fn::Sub": "${Bucket.Arn}/${AWS::Region}/${!literal}"}, f"{BUCKET_ARN}/{REGION}/${{literal}}"),
        ({"Fn::Sub": ["${A}-${Env}", {"A": {"Ref": "Bucket"}}]}, "prod-data-prod"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Env"}]]}, "a-prod"),
        ({"Fn::Join": [",", {"Ref": "Zones"}]}, "a,b"),
        ({"Fn::Select": [1, {"Ref": "Zones"}]}, "b"),
        ({"Fn::Select": ["7", {"Ref": "Zones"}]}, UNKNOWN),
        ({"Fn::Select": [0, {"Fn::Split": ["-", {"Ref": "Bucket"}]}]}, "prod"),
        ({"Fn::Split": ["-", {"Ref": "Open"}]}, [UNKNOWN]),
        ({"Fn::If": ["IsProd", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Unknown", "yes", "no"]}, Choice(("yes", "no"))),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Env"}, "count"]}, "3"),
        ({"Fn::FindInMap": ["Sizes", "dev", "count"]}, UNKNOWN),
        ({"Fn::ImportValue": "x"}, UNKNOWN),
        ({"Fn::GetAZs": ""}, [UNKNOWN]),
        ({"Fn::Select": "nonsense"}, UNKNOWN),
        ({"Fn::Sub": 3}, UNKNOWN),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
        (["a", {"Ref": "AWS::NoValue"}], ["a"]),
    ],
)
def test_values(node: Any, value: Any) -> None:
    assert resolver().value(node) == value


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("IsProd", True),
        ("NotProd", False),
        ("Unknown", None),
        ("Both", None),
        ("Neither", False),
        ("Either", True),
        ("Round", None),
        ("NoSuch", None),
    ],
)
def test_conditions(name: str, known: bool | None) -> None:
    assert resolver().condition(name) is known


def test_only_a_false_condition_takes_a_resource_away() -> None:
    found = resolver()
    assert [name for name in BODY["Resources"] if not found.exists(name)] == ["Gone"]


def test_both_branches_of_an_unknown_condition_reach_the_arn() -> None:
    name = {"Fn::Sub": ["${X}-data", {"X": {"Fn::If": ["Unknown", "blue", "green"]}}]}
    body = {**BODY, "Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}}}
    found = Resolver(body, {}, STACK)
    assert found.arns("B") == ("arn:aws:s3:::blue-data", "arn:aws:s3:::green-data")


def test_a_name_that_may_be_left_out_may_be_generated() -> None:
    name = {"Fn::If": ["Unknown", "fixed", {"Ref": "AWS::NoValue"}]}
    body = {**BODY, "Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}}}
    assert strings(Resolver(body, {}, STACK).name("T")) == ("fixed", f"{STACK.name}-T-*")


def test_parameters_that_are_given_win_over_defaults() -> None:
    assert Resolver(BODY, {"Env": "dev"}, STACK).name("Bucket") == "dev-data"


def test_generated_names_begin_with_the_stack() -> None:
    assert generated("AWS::S3::Bucket", "Data", "My-Stack") == "my-stack-data-*"
    assert generated("AWS::SNS::Topic", "Alerts", "shop") == "shop-Alerts-*"
    assert generated("AWS::SageMaker::Model", "Model", "shop") == "*Model*"
    assert generated("AWS::CodeCommit::Repository", "Repo", "shop") == UNKNOWN
    assert generated("AWS::IAM::Role", "R" * 40, "s" * 40) == "s" * 23 + "*"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("AWS::S3::Bucket", "BucketName"),
        ("AWS::CodePipeline::Pipeline", "Name"),
        ("AWS::KMS::Alias", "AliasName"),
        ("AWS::RDS::DBInstance", "DBInstanceIdentifier"),
        ("AWS::Logs::MetricFilter", "FilterName"),
        ("AWS::KMS::Key", ""),
        ("AWS::EC2::VPC", ""),
        ("Vendor::A::B", ""),
    ],
)
def test_the_property_that_holds_the_name(kind: str, name: str) -> None:
    assert name_property(kind) == name


@pytest.mark.parametrize(
    ("kind", "properties", "arn"),
    [
        ("AWS::SSM::Parameter", {"Name": "/a/b"}, f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/a/b"),
        ("AWS::KMS::Alias", {"AliasName": "alias/x"}, f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/x"),
        ("AWS::SecretsManager::Secret", {"Name": "db"}, f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db-*"),
        ("AWS::CodeBuild::Project", {"Name": "b"}, f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/b"),
        ("AWS::RDS::DBInstance", {"DBInstanceIdentifier": "d"}, f"arn:aws:rds:{REGION}:{ACCOUNT}:db:d"),
        ("AWS::EC2::VPC", {}, f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/*"),
        ("AWS::Events::Rule", {"Name": "r"}, f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r"),
    ],
)
def test_arns_of_types(kind: str, properties: dict[str, Any], arn: str) -> None:
    assert samples.one({"Type": kind, "Properties": properties}).resolver.arns("Thing") == (arn,)


def test_partitions() -> None:
    assert [partition(region) for region in ("eu-west-1", "cn-north-1", "us-gov-west-1")] == [
        "aws",
        "aws-cn",
        "aws-us-gov",
    ]
    china = Resolver(BODY, {}, StackId(account=ACCOUNT, region="cn-north-1", name="s"))
    assert china.arns("Bucket") == ("arn:aws-cn:s3:::prod-data",)


def test_leaves_name_their_path_and_skip_what_is_no_call() -> None:
    value = {"A": [{"B": "x"}, Choice(("y", {"B": "z"}))], "Tags": [{"Key": "k"}]}
    found = list(leaves(value, frozenset({"Tags"})))
    assert found == [(("A", "*", "B"), "x"), (("A", "*"), "y"), (("A", "*", "B"), "z")]
