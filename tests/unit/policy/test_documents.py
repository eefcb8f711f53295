"""Statements, documents, findings and trust."""

import json

import pytest

from stackseal import policy
from stackseal.errors import UsageError
from stackseal.model import Level, Location, Policy, Reason, Risk, Role, Statement
from stackseal.policy import trust
from stackseal.policy.fit import LIMIT, size
from stackseal.policy.grants import Grant, conditions, highest, risk
from stackseal.policy.pack import statements
from stackseal.policy.validate import statement_findings, template_findings
from unit.policy import samples
from unit.policy.samples import ACCOUNT, REGION, STACK, arn, role_arn

WHERE = Location(path="c.yaml", line=3)
WHY = Reason(resource="Thing", operation="create", where=WHERE)


def grant(action: str, resource: str, because: Reason = WHY, **limits: str) -> Grant:
    entries = [("StringEquals", key, (value,)) for key, value in limits.items()]
    return Grant(action=action, resource=resource, reason=because, conditions=conditions(*entries))


def made(*grants: Grant) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return [(s.sid, s.actions, s.resources) for s in statements(grants)]


def statement(action: str, *resources: str, **conditions_: dict[str, tuple[str, ...]]) -> Statement:
    return Statement(sid="One", actions=(action,), resources=resources, conditions=conditions_, because=(WHY,))


def checks(found: Statement, role: Role = Role.EXECUTION) -> list[str]:
    return [finding.check for finding in statement_findings([Policy(role=role, statements=(found,))])]


# --- statements -------------------------------------------------------------------------------------------------------


def test_equal_resources_or_equal_actions_share_a_statement_whichever_is_shorter() -> None:
    verbs = ("CreateBucket", "DeleteBucket", "GetBucketAcl", "ListBucket")
    for length, first in ((5, [("a" * 5,), ("a" * 5, "b" * 5)]), (900, [("a" * 900,), ("b" * 900,)])):
        both = ("a" * length, "b" * length)
        odd = grant("s3:GetBucketCORS", both[0])
        found = made(odd, *(grant(f"s3:{verb}", name) for verb in verbs for name in both))
        assert sorted(resources for _, _, resources in found) == first


def test_conditions_and_services_are_never_merged() -> None:
    found = made(grant("s3:GetObject", "a"), grant("s3:GetObject", "a", key="v"), grant("sns:Publish", "a"))
    assert [sid for sid, _, _ in found] == ["S3Read", "S3Read2", "SnsWrite"]


def test_reasons_are_collected_and_risk_is_the_highest() -> None:
    other = Reason(resource="Other", operation="read", where=WHERE)
    (found,) = statements([grant("iam:GetRole", "a", other), grant("iam:CreateRole", "a")])
    assert found.because == (other, WHY)
    assert (found.risk, found.sid) == (Risk.WRITE, "IamWrite")


def test_order_of_grants_does_not_matter() -> None:
    grants = [grant(f"s3:{verb}", name) for verb in ("CreateBucket", "DeleteBucket", "ListBucket") for name in "cab"]
    assert statements(grants) == statements(list(reversed(grants)))


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("iam:PassRole", Risk.PERMISSIONS),
        ("iam:AttachRolePolicy", Risk.PERMISSIONS),
        ("s3:CreateBucket", Risk.WRITE),
        ("s3:TagResource", Risk.TAG),
        ("s3:ListBucket", Risk.READ),
        ("nobody:Knows", Risk.WRITE),
    ],
)
def test_risks(action: str, expected: Risk) -> None:
    assert risk(action) is expected


def test_the_highest_risk() -> None:
    assert highest(frozenset({Risk.READ, Risk.TAG})) is Risk.TAG
    assert highest(frozenset(Risk)) is Risk.PERMISSIONS


# --- documents --------------------------------------------------------------------------------------------------------


def test_a_long_policy_becomes_several_valid_documents() -> None:
    many = tuple(
        Statement(sid=f"S{n}", actions=("s3:GetObject",), resources=(f"arn:aws:s3:::{'x' * 900}{n}/*",))
        for n in range(30)
    )
    found = policy.documents(Policy(role=Role.PLAN, statements=many))
    assert len(found) == 5
    assert all(size(document) <= LIMIT and document["Version"] == "2012-10-17" for document in found)
    assert sorted(s["Sid"] for document in found for s in document["Statement"]) == sorted(s.sid for s in many)


def test_a_statement_too_long_by_itself_is_halved() -> None:
    resources = tuple(f"arn:aws:s3:::{'y' * 500}{n}" for n in range(40))
    whole = Statement(sid="Big", actions=("s3:GetObject", "s3:PutObject"), resources=resources)
    found = policy.documents(Policy(role=Role.PLAN, statements=(whole,)))
    parts = [s for document in found for s in document["Statement"]]
    assert sorted(resource for part in parts for resource in part["Resource"]) == sorted(resources)
    assert len({part["Sid"] for part in parts}) == len(parts)
    assert all(size(document) <= LIMIT for document in found)


def test_many_actions_are_halved_too() -> None:
    whole = Statement(sid="Big", actions=tuple(f"s3:{'Z' * 90}{n}" for n in range(100)), resources=("*",))
    found = policy.documents(Policy(role=Role.PLAN, statements=(whole,)))
    assert sum(len(s["Action"]) for document in found for s in document["Statement"]) == 100


def test_a_document_is_json_for_iam() -> None:
    bound = statement("s3:GetObject", "*", Bool={"aws:SecureTransport": ("true",)})
    (document,) = policy.documents(Policy(role=Role.PLAN, statements=(bound,)))
    assert json.loads(json.dumps(document))["Statement"][0] == {
        "Sid": "One",
        "Effect": "Allow",
        "Action": ["s3:GetObject"],
        "Resource": ["*"],
        "Condition": {"Bool": {"aws:SecureTransport": ["true"]}},
    }


# --- findings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "check"),
    [
        (statement("s3:Nothing", "*"), "policy-unknown-action"),
        (statement("s3:CreateBucket", "arn:aws:sns:::x"), "policy-resource"),
        (statement("s3:CreateBucket", "*"), "policy-unscoped-write"),
        (statement("sns:Publish", arn("sns", "t"), StringEquals={"iam:PolicyARN": ("x",)}), "policy-condition-key"),
        (statement("iam:PassRole", role_arn("r")), "policy-escalation"),
        (statement("iam:PutRolePolicy", role_arn("*")), "policy-escalation"),
        (statement("lambda:UpdateFunctionCode", arn("lambda", "function:*")), "policy-escalation"),
    ],
)
def test_statements_that_iam_would_not_honour(found: Statement, check: str) -> None:
    assert check in checks(found)


@pytest.mark.parametrize(
    "found",
    [
        statement("s3:CreateBucket", "arn:aws:s3:::b"),
        statement("kms:CreateKey", "*", StringEquals={"aws:RequestedRegion": (REGION,)}),
        statement("iam:PassRole", role_arn("r"), StringEquals={"iam:PassedToService": ("ec2.amazonaws.com",)}),
        statement("iam:AttachRolePolicy", role_arn("*"), ArnEquals={"iam:PolicyARN": ("arn:aws:iam::1:policy/p",)}),
    ],
)
def test_statements_without_fault(found: Statement) -> None:
    assert checks(found) == []


def test_a_ceiling_is_not_compared() -> None:
    assert checks(statement("s3:*", "*"), Role.BOUNDARY) == []


def test_a_statement_nothing_can_split_is_told() -> None:
    assert "policy-size" in checks(statement("s3:CreateBucket", "arn:aws:s3:::" + "x" * 7000))


def test_findings_point_at_the_config_line() -> None:
    (finding,) = statement_findings([Policy(role=Role.PLAN, statements=(statement("s3:Nothing", "*"),))])
    assert (finding.where, finding.level, finding.engine) == (WHERE, Level.ERROR, "stackseal")
    assert finding.message == "plan policy, One: IAM has no action s3:Nothing"


def test_resources_without_an_exact_policy() -> None:
    scene = samples.scene(
        {
            "Sam": {"Type": "AWS::Serverless::Function"},
            "Fn::ForEach::Loop": ["x"],  # not a resource before it is expanded
            "Model": {"Type": "AWS::SageMaker::Model", "Properties": {"ExecutionRoleArn": {"Ref": "Missing"}}},
            "Nested": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://x"}},
            "Custom": {"Type": "Custom::X", "Properties": {"ServiceToken": {"Fn::ImportValue": "x"}}},
            "Included": {"Type": "AWS::SNS::Topic", "Properties": {"Fn::Transform": {"Name": "AWS::Include"}}},
            "Fine": {"Type": "AWS::SNS::Topic"},
        }
    )
    found = {finding.resource: (finding.check, finding.level) for finding in template_findings(scene)}
    assert found == {
        "Fn::ForEach::Loop": ("policy-no-source", Level.ERROR),
        "Included": ("policy-no-source", Level.ERROR),
        "Sam": ("policy-no-source", Level.ERROR),
        "Model": ("policy-unknown-role", Level.ERROR),
        "Nested": ("policy-nested-stack", Level.WARNING),
        "Custom": ("policy-unknown-token", Level.ERROR),
    }


# --- trust ------------------------------------------------------------------------------------------------------------

REPOSITORY = trust.Repository(owner="acme", name="infra", owner_id="11", id="22", workflows="acme/stackseal")
ISSUER = "token.actions.githubusercontent.com"


def test_cloudformation_assumes_the_execution_role_for_this_stack() -> None:
    (found,) = trust.execution(STACK)["Statement"]
    assert found["Principal"] == {"Service": "cloudformation.amazonaws.com"}
    assert found["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": arn("cloudformation", f"stack/{STACK.name}/*")},
    }


@pytest.mark.parametrize(
    ("role", "environment", "claims", "workflow"),
    [
        (Role.PLAN, None, ["pull_request", "ref:refs/heads/main"], "review"),
        (Role.DRIFT, None, ["ref:refs/heads/main"], "drift"),
        (Role.DEPLOY, "prod", ["environment:prod"], "deploy"),
    ],
)
def test_workflows_assume_their_role(role: Role, environment: str | None, claims: list[str], workflow: str) -> None:
    (found,) = trust.github(role, ACCOUNT, REPOSITORY, environment=environment)["Statement"]
    equals = found["Condition"]["StringEquals"]
    assert equals[f"{ISSUER}:sub"] == [
        *(f"repo:acme/infra:{claim}" for claim in claims),
        *(f"repo:acme@11/infra@22:{claim}" for claim in claims),
    ]
    assert equals[f"{ISSUER}:repository_id"] == "22"
    assert equals[f"{ISSUER}:aud"] == "sts.amazonaws.com"
    assert found["Condition"]["StringLike"] == {
        f"{ISSUER}:job_workflow_ref": f"acme/stackseal/.github/workflows/{workflow}.yml@*"
    }
    assert found["Principal"] == {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"}


@pytest.mark.parametrize("role", [Role.DEPLOY, Role.EXECUTION, Role.OPERATOR, Role.BOUNDARY])
def test_no_workflow_assumes_the_others(role: Role) -> None:
    with pytest.raises(UsageError, match="no workflow can assume"):
        trust.github(role, ACCOUNT, REPOSITORY)
