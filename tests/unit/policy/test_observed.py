"""Requests that a real account denied until they were granted: the execution policy must allow each of them.

Source of the facts: github.com/abefarris/cfn-least-privilege (Apache-2.0), 44 actions found by denial while a stack of
24 resources was created, rolled back and deleted. The template here is our own; only types and calls are alike. Four
of the source's pairs are PassRole denials that it books under another action; they stand here as what they are.
"""

from __future__ import annotations

from typing import Any

import pytest

from stackseal import facts, policy
from stackseal.model import Policy, Role
from unit.policy.samples import ACCOUNT, REGION, allows, arn, get, role, role_arn

NAME = "orders-dev"
ONLY_UPDATES = ("Update", "Untag", "CreatePolicyV")


def named(kind: str, key: str, suffix: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": {key: f"{NAME}-{suffix}", **properties}}


def function(name: str, owner: str) -> dict[str, Any]:
    code = {"ZipFile": "def handler(event, context): ..."}
    return named("Lambda::Function", "FunctionName", name, Role=get(owner), Code=code, Handler="index.handler")


def logs(name: str) -> dict[str, Any]:
    return named("Logs::LogGroup", "LogGroupName", name, RetentionInDays=14) | {
        "Properties": {"LogGroupName": f"/aws/lambda/{NAME}-{name}", "RetentionInDays": 14}
    }


RESOURCES: dict[str, Any] = {
    "Bucket": named(
        "S3::Bucket",
        "BucketName",
        "data",
        PublicAccessBlockConfiguration={"BlockPublicAcls": True},
        BucketEncryption={"ServerSideEncryptionConfiguration": []},
        LifecycleConfiguration={"Rules": []},
        Tags=[{"Key": "k", "Value": "v"}],
    ),
    "BucketPolicy": {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {}},
    },
    "Table": named("DynamoDB::Table", "TableName", "table", TimeToLiveSpecification={"Enabled": True}),
    "Dead": named("SQS::Queue", "QueueName", "dead"),
    "Queue": named("SQS::Queue", "QueueName", "queue", RedrivePolicy={"deadLetterTargetArn": get("Dead")}),
    "QueuePolicy": {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": {}},
    },
    "Topic": named("SNS::Topic", "TopicName", "topic"),
    "TopicPolicy": {
        "Type": "AWS::SNS::TopicPolicy",
        "Properties": {"Topics": [{"Ref": "Topic"}], "PolicyDocument": {}},
    },
    "Shared": named("IAM::ManagedPolicy", "ManagedPolicyName", "shared", PolicyDocument={}),
    "In": role(
        f"{NAME}-in",
        "lambda.amazonaws.com",
        ManagedPolicyArns=[{"Ref": "Shared"}],
        Policies=[{"PolicyName": "p", "PolicyDocument": {}}],
    ),
    **{
        key: role(f"{NAME}-{key.lower()}", service, Policies=[{"PolicyName": "p", "PolicyDocument": {}}])
        for key, service in (
            ("Work", "lambda.amazonaws.com"),
            ("Out", "lambda.amazonaws.com"),
            ("Flow", "states.us-west-2.amazonaws.com"),
        )
    },
    **{f"{key}Logs": logs(key.lower()) for key in ("In", "Work", "Out")},
    **{f"{key}Function": function(key.lower(), key) for key in ("In", "Work", "Out")},
    "Mapping": {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {"FunctionName": {"Ref": "WorkFunction"}, "EventSourceArn": get("Queue")},
    },
    "Rule": named(
        "Events::Rule",
        "Name",
        "rule",
        ScheduleExpression="rate(1 day)",
        Targets=[{"Id": "out", "Arn": get("OutFunction")}],
    ),
    "Permission": {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "FunctionName": {"Ref": "OutFunction"},
            "Action": "lambda:InvokeFunction",
            "Principal": "events",
        },
    },
    "Machine": named(
        "StepFunctions::StateMachine", "StateMachineName", "machine", RoleArn=get("Flow"), DefinitionString="{}"
    ),
}
BUCKET, TABLE, TOPIC = f"arn:aws:s3:::{NAME}-data", arn("dynamodb", f"table/{NAME}-table"), arn("sns", f"{NAME}-topic")
RULE, MACHINE = arn("events", f"rule/{NAME}-rule"), arn("states", f"stateMachine:{NAME}-machine")
SHARED = arn("iam", f"policy/{NAME}-shared", region="")
ROLES = [role_arn(f"{NAME}-{name}") for name in ("in", "work", "out", "flow")]
FUNCTIONS = [arn("lambda", f"function:{NAME}-{name}") for name in ("in", "work", "out")]
GROUPS = [arn("logs", f"log-group:/aws/lambda/{NAME}-{name}:*") for name in ("in", "work", "out")]
QUEUES = [arn("sqs", f"{NAME}-{name}") for name in ("queue", "dead")]
OBSERVED: list[tuple[str, list[str]]] = [
    ("dynamodb:CreateTable dynamodb:DeleteTable dynamodb:UpdateTimeToLive", [TABLE]),
    ("events:DeleteRule events:PutRule events:PutTargets events:RemoveTargets events:TagResource", [RULE]),
    ("iam:AttachRolePolicy iam:DetachRolePolicy", ROLES[:1]),
    ("iam:CreatePolicy iam:DeletePolicy", [SHARED]),
    ("iam:CreateRole iam:DeleteRole iam:DeleteRolePolicy iam:PutRolePolicy", ROLES),
    ("iam:PassRole", ROLES),
    ("lambda:AddPermission lambda:RemovePermission", FUNCTIONS[2:]),
    ("lambda:CreateEventSourceMapping", [FUNCTIONS[1], arn("lambda", "event-source-mapping:1")]),
    ("lambda:DeleteEventSourceMapping", [arn("lambda", "event-source-mapping:1")]),
    ("lambda:CreateFunction lambda:DeleteFunction", FUNCTIONS),
    ("logs:CreateLogGroup logs:DeleteLogGroup logs:PutRetentionPolicy", GROUPS),
    ("s3:CreateBucket s3:DeleteBucket s3:DeleteBucketPolicy s3:PutBucketPolicy s3:PutBucketTagging", [BUCKET]),
    ("s3:PutBucketPublicAccessBlock s3:PutEncryptionConfiguration s3:PutLifecycleConfiguration", [BUCKET]),
    ("s3:TagResource", [BUCKET]),
    ("sns:CreateTopic sns:DeleteTopic sns:SetTopicAttributes", [TOPIC]),
    ("sqs:CreateQueue sqs:DeleteQueue", QUEUES),
    ("sqs:SetQueueAttributes", QUEUES[:1]),
    ("states:CreateStateMachine states:DeleteStateMachine states:TagResource", [MACHINE]),
]
REQUESTS = [
    (action, resource) for actions, resources in OBSERVED for action in actions.split() for resource in resources
]
POLICY = policy.foreign({"Resources": RESOURCES}, "orders", ACCOUNT, REGION, Role.EXECUTION)


def context(action: str, resource: str) -> dict[str, str]:
    """The condition keys that AWS fills for the request."""
    if action == "iam:PassRole":
        states = resource.endswith("-flow")
        return {"iam_PassedToService": "states.amazonaws.com" if states else "lambda.amazonaws.com"}
    if "RolePolicy" in action and action.startswith(("iam:Attach", "iam:Detach")):
        return {"iam_PolicyARN": SHARED}
    return {"lambda_FunctionArn": FUNCTIONS[1]} if "EventSourceMapping" in action else {}


@pytest.mark.spec("A23")
@pytest.mark.parametrize(("action", "resource"), REQUESTS)
def test_what_a_real_account_needed_is_allowed(action: str, resource: str) -> None:
    assert allows(POLICY, action, resource, **context(action, resource))


@pytest.mark.spec("A23")
@pytest.mark.parametrize(("action", "resource"), [pair for pair in REQUESTS if NAME in pair[1]])
def test_the_same_on_a_sibling_or_in_another_account_is_denied(action: str, resource: str) -> None:
    keys = context(action, resource)
    if action == "lambda:CreateEventSourceMapping":  # IAM scopes it by a condition, not by its resource
        assert not allows(POLICY, action, resource, lambda_FunctionArn=FUNCTIONS[0])
        return
    assert not allows(POLICY, action, resource.replace(NAME, "orders-prod"), **keys)
    assert not allows(POLICY, action, resource + "-2", **keys) or resource.endswith(":*")
    other = resource.replace(ACCOUNT, "999999999999").replace(REGION, "eu-west-1")
    assert other == resource or not allows(POLICY, action, other, **keys)


def writes(found: Policy) -> set[str]:
    """The actions of a policy that change something."""
    names = {name for statement in found.statements for name in statement.actions}
    return {name for name in names if (action := facts.action(name)) and not action.reads}


def measured(found: Policy = POLICY) -> tuple[int, int]:
    """How many writes for creating and deleting the real account asked for, of how many that the policy allows.

    The account saw no update, so actions that only updates call count on neither side.
    """
    once = {name for name in writes(found) if not name.partition(":")[2].startswith(ONLY_UPDATES)}
    return len(once & {action for action, _ in REQUESTS}), len(once)


@pytest.mark.spec("A23")
def test_most_of_what_is_written_was_needed() -> None:
    wanted = {action for action, _ in REQUESTS}
    assert len(wanted) == 44
    assert wanted <= writes(POLICY)
    needed, allowed = measured()
    assert needed / allowed >= 0.85


def test_a_stack_with_tags_may_tag_what_carries_none_of_cloudformations_own() -> None:
    tagged = policy.foreign({"Resources": RESOURCES}, "orders", ACCOUNT, REGION, Role.EXECUTION, tagged=True)
    assert writes(tagged) - writes(POLICY) == {
        *("dynamodb:TagResource", "dynamodb:UntagResource", "iam:TagRole", "iam:UntagRole"),
        *("sqs:TagQueue", "sqs:UntagQueue"),
    }
    assert all(allows(tagged, action, resource, **context(action, resource)) for action, resource in REQUESTS)


def test_a_resource_with_tags_may_be_tagged_in_a_stack_without() -> None:
    role_with_tags = role(f"{NAME}-in", "lambda.amazonaws.com", Tags=[{"Key": "k", "Value": "v"}])
    found = policy.foreign({"Resources": {"In": role_with_tags}}, "orders", ACCOUNT, REGION, Role.EXECUTION)
    assert allows(found, "iam:TagRole", ROLES[0])
    assert not allows(POLICY, "iam:TagRole", ROLES[0])
