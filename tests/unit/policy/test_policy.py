"""The policies of a whole template: sufficient, exact, reproducible, explained (spec A22, A23, A46, A50, A59)."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackseal import facts, policy
from stackseal.errors import UsageError
from stackseal.model import Level, Policy, Role, Template, canonical_json
from unit.policy import samples
from unit.policy.samples import ACCOUNT, IAM, SLUG, allows, arn, pairs, role_arn

TIERS = {"starter": samples.starter, "professional": samples.professional, "enterprise": samples.enterprise}
BOUNDARY = arn("iam", f"policy/{IAM}-boundary", region="")


def of(found: tuple[Policy, ...], role: Role) -> Policy:
    return next(item for item in found if item.role is role)


def execution(resources: dict[str, Any], base: dict[str, Any] | None = None) -> Policy:
    found = policy.generate(samples.template(resources), base=samples.template(base) if base else None)
    return of(found, Role.EXECUTION)


@pytest.fixture(params=sorted(TIERS))
def tier(request: pytest.FixtureRequest) -> Template:
    return samples.template(TIERS[request.param]())


@pytest.mark.spec("A22")
def test_every_role_has_its_policy(tier: Template) -> None:
    assert [item.role for item in policy.generate(tier)] == list(Role)


@pytest.mark.spec("A22")
def test_each_tier_allows_all_that_the_smaller_one_does() -> None:
    small, middle, large = (
        pairs(of(policy.generate(samples.template(TIERS[name]())), Role.OPERATOR))
        for name in ("starter", "professional", "enterprise")
    )
    assert small < middle < large


@pytest.mark.spec("A22")
def test_documents_fit_into_managed_policies(tier: Template) -> None:
    for item in policy.generate(tier):
        for document in policy.documents(item):
            assert len("".join(json.dumps(document, separators=(",", ":")).split())) <= 6144
            sids = [statement["Sid"] for statement in document["Statement"]]
            assert len(sids) == len(set(sids))
            assert all(sid.isalnum() for sid in sids)


@pytest.mark.spec("A23")
def test_nothing_allows_every_action_or_writes_everywhere(tier: Template) -> None:
    for item in policy.generate(tier):
        for statement in item.statements:
            assert "*" not in statement.actions
            if "*" in statement.resources and item.role is not Role.BOUNDARY:
                actions = [action for name in statement.actions if (action := facts.action(name))]
                assert len(actions) == len(statement.actions)
                assert all(action.reads or not action.resources for action in actions), statement


@pytest.mark.spec("A23")
def test_our_own_validation_has_no_complaint(tier: Template) -> None:
    assert policy.check(tier, policy.generate(tier)) == ()


@pytest.mark.spec("A23", "A46")
def test_roles_are_passed_to_the_services_that_trust_them() -> None:
    found = execution(samples.enterprise())
    build, run = role_arn(f"{IAM}-codebuild-role"), role_arn(f"{IAM}-codepipeline-role")
    assert allows(found, "iam:PassRole", build, iam_PassedToService="codebuild.amazonaws.com")
    assert allows(found, "iam:PassRole", run, iam_PassedToService="codepipeline.amazonaws.com")
    assert allows(found, "iam:PassRole", run, iam_PassedToService="events.amazonaws.com")
    assert not allows(found, "iam:PassRole", build, iam_PassedToService="ec2.amazonaws.com")
    assert not allows(found, "iam:PassRole", role_arn(f"{IAM}-sagemaker-execution-role"), iam_PassedToService="x")
    assert not allows(found, "iam:PassRole", role_arn("Admin"), iam_PassedToService="codebuild.amazonaws.com")


def test_every_pass_role_names_role_and_service(tier: Template) -> None:
    for item in policy.generate(tier):
        for statement in item.statements:
            if "iam:PassRole" in statement.actions and item.role is not Role.BOUNDARY:
                assert statement.actions == ("iam:PassRole",)
                assert "iam:PassedToService" in {key for keys in statement.conditions.values() for key in keys}
                tests = [r for r in statement.resources if r.endswith("-test-*")]
                assert all("*" not in r for r in statement.resources if r not in tests)
                assert item.role is Role.OPERATOR or not tests


SUFFICIENT = [
    ("s3:CreateBucket", f"arn:aws:s3:::{SLUG}-artifacts"),
    ("s3:PutBucketVersioning", f"arn:aws:s3:::{SLUG}-artifacts"),
    ("s3:DeleteBucket", f"arn:aws:s3:::{SLUG}-artifacts"),
    ("codebuild:CreateProject", arn("codebuild", f"project/{SLUG}-build")),
    ("codebuild:BatchGetProjects", arn("codebuild", f"project/{SLUG}-build")),
    ("codecommit:CreateRepository", arn("codecommit", f"{SLUG}-model-build")),
    ("codepipeline:CreatePipeline", arn("codepipeline", f"{SLUG}-build-pipeline")),
    ("codepipeline:TagResource", arn("codepipeline", f"{SLUG}-build-pipeline")),
    ("sagemaker:CreateModelPackageGroup", arn("sagemaker", f"model-package-group/{SLUG}-models")),
    ("sagemaker:AddTags", arn("sagemaker", f"model-package-group/{SLUG}-models")),
    ("ssm:PutParameter", arn("ssm", f"parameter/ml/{SLUG}/BucketName")),
    ("ssm:DeleteParameter", arn("ssm", f"parameter/ml/{SLUG}/KmsKeyArn")),
    ("events:PutRule", arn("events", f"rule/{SLUG}-trigger")),
    ("events:PutTargets", arn("events", f"rule/{SLUG}-trigger")),
    ("cloudwatch:PutDashboard", arn("cloudwatch", f"dashboard/{SLUG}-dashboard", region="")),
    ("cloudwatch:PutMetricAlarm", arn("cloudwatch", f"alarm:{SLUG}-failure")),
    ("cloudwatch:DescribeAlarms", "*"),
    ("kms:CreateKey", "*"),
    ("kms:EnableKeyRotation", arn("kms", "key/1234")),
    ("kms:CreateAlias", arn("kms", f"alias/{SLUG}")),
    ("kms:CreateAlias", arn("kms", "key/1234")),
    ("ec2:CreateVpcEndpoint", arn("ec2", "vpc/vpc-1")),
    ("ec2:CreateVpcEndpoint", arn("ec2", "subnet/subnet-1")),
    ("ec2:CreateVpcEndpoint", arn("ec2", "security-group/sg-1")),
    ("ec2:CreateVpcEndpoint", arn("ec2", "vpc-endpoint/vpce-1")),
    ("ec2:AuthorizeSecurityGroupIngress", arn("ec2", "security-group/sg-1")),
    ("logs:CreateLogGroup", arn("logs", f"log-group:/ml/{SLUG}/compliance:*")),
    ("logs:TagResource", arn("logs", f"log-group:/ml/{SLUG}/compliance")),
    ("logs:PutRetentionPolicy", arn("logs", f"log-group:/ml/{SLUG}/compliance:*")),
    ("logs:AssociateKmsKey", arn("logs", f"log-group:/ml/{SLUG}/compliance:*")),
    ("logs:PutMetricFilter", arn("logs", f"log-group:/ml/{SLUG}/compliance:*")),
    ("sns:CreateTopic", arn("sns", f"{SLUG}-security-alerts")),
    ("sns:Subscribe", arn("sns", f"{SLUG}-security-alerts")),
    ("sns:Unsubscribe", arn("sns", f"{SLUG}-security-alerts:1234")),
    ("iam:CreatePolicy", arn("iam", f"policy/{IAM}-build-policy", region="")),
    ("iam:DeleteRole", role_arn(f"{IAM}-codebuild-role")),
]


@pytest.mark.spec("A23")
@pytest.mark.parametrize(("action", "resource"), SUFFICIENT)
def test_the_execution_role_can_do_what_the_stack_needs(action: str, resource: str) -> None:
    assert allows(ENTERPRISE, action, resource)


@pytest.mark.spec("A23")
@pytest.mark.parametrize(("action", "resource"), [pair for pair in SUFFICIENT if SLUG in pair[1] or IAM in pair[1]])
def test_the_same_on_anything_else_is_denied(action: str, resource: str) -> None:
    other = resource.replace(SLUG, "acme-prod-b002-us-west-2-fraud-ml").replace(IAM, "acme-prod-b002-fraud")
    assert not allows(ENTERPRISE, action, other)
    assert not allows(ENTERPRISE, action, resource.replace(ACCOUNT, "999999999999")) or ACCOUNT not in resource
    assert (
        not allows(ENTERPRISE, action, resource.replace("us-west-2:1", "eu-west-1:1")) or "us-west-2:1" not in resource
    )


@pytest.mark.spec("A23")
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:PutObject", f"arn:aws:s3:::{SLUG}-artifacts/model.tar.gz"),
        ("s3:PutBucketReplication", f"arn:aws:s3:::{SLUG}-artifacts"),
        ("s3:PutBucketLogging", f"arn:aws:s3:::{SLUG}-artifacts"),
        ("codebuild:StartBuild", arn("codebuild", f"project/{SLUG}-build")),
        ("codecommit:CreateCommit", arn("codecommit", f"{SLUG}-model-build")),
        ("kms:Encrypt", arn("kms", "key/1234")),
        ("iam:DeleteRolePermissionsBoundary", role_arn(f"{IAM}-codebuild-role")),
        ("iam:CreateUser", arn("iam", "user/x", region="")),
        ("sts:AssumeRole", role_arn(f"{IAM}-codebuild-role")),
        ("logs:PutResourcePolicy", "*"),
    ],
)
def test_what_no_property_needs_is_not_there(action: str, resource: str) -> None:
    assert not allows(ENTERPRISE, action, resource)


@pytest.mark.spec("A59")
def test_roles_are_made_only_under_their_boundary() -> None:
    target = role_arn(f"{IAM}-codebuild-role")
    assert allows(ENTERPRISE, "iam:CreateRole", target, iam_PermissionsBoundary=BOUNDARY)
    assert not allows(ENTERPRISE, "iam:CreateRole", target)
    assert not allows(ENTERPRISE, "iam:CreateRole", target, iam_PermissionsBoundary=f"{BOUNDARY}2")
    assert not allows(ENTERPRISE, "iam:PutRolePermissionsBoundary", target)
    assert allows(ENTERPRISE, "iam:GetRole", target)


@pytest.mark.spec("A50")
def test_only_listed_managed_policies_are_attached() -> None:
    found = execution(samples.professional())
    target, mine = role_arn(f"{IAM}-codebuild-role"), arn("iam", f"policy/{IAM}-build-policy", region="")
    assert allows(found, "iam:AttachRolePolicy", target, iam_PolicyARN=mine)
    assert not allows(
        found, "iam:AttachRolePolicy", target, iam_PolicyARN="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    other = role_arn(f"{IAM}-sagemaker-execution-role")
    assert not allows(found, "iam:AttachRolePolicy", other, iam_PolicyARN=mine)
    assert not allows(found, "iam:PutRolePolicy", target)
    assert allows(found, "iam:PutRolePolicy", other)


def test_same_template_same_bytes_whatever_the_order_of_keys() -> None:
    resources = samples.enterprise()
    turned = json.loads(json.dumps(resources), object_pairs_hook=lambda entries: dict(reversed(entries)))
    written = [
        canonical_json([policy.documents(item) for item in policy.generate(samples.template(found))])
        for found in (resources, turned)
    ]
    assert written[0] == written[1]


def test_each_statement_knows_the_line_of_the_config(tier: Template) -> None:
    for item in policy.generate(tier):
        for statement in item.statements:
            assert statement.because
            assert statement.because == tuple(sorted(statement.because))
            for reason in statement.because:
                assert reason.where == tier.source.blame(("Resources", reason.resource)) or reason.resource == "stack"


def test_why_names_the_resource_and_the_operation() -> None:
    found = policy.why([ENTERPRISE], "s3:createbucket")
    assert {(reason.resource, reason.operation) for _, reason in found} >= {("ArtifactsBucket", "create")}
    assert {reason.operation for _, reason in found} == {"create", "update"}
    deleted = policy.why([ENTERPRISE], "s3:DeleteBucket")
    assert {reason.operation for _, reason in deleted} == {"delete", "update"}
    read = policy.why([ENTERPRISE], "s3:GetBucketVersioning")
    assert {reason.operation for _, reason in read} == {"create", "read", "update", "delete"}
    assert all("s3:CreateBucket" in statement.actions for statement, _ in found)
    assert policy.why([ENTERPRISE], "s3:Nothing") == []


def test_a_template_without_its_stack_is_refused() -> None:
    made = samples.template(samples.starter())
    with pytest.raises(UsageError, match="the account, the region"):
        policy.generate(Template(text="", body=made.body, parameters={}, source=made.source))


def test_a_foreign_template_gets_the_policy_that_is_asked_for() -> None:
    body = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders"}}}}
    found = policy.foreign(body, "shop", ACCOUNT, "eu-west-1", Role.EXECUTION)
    assert allows(found, "sqs:CreateQueue", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:orders")
    operator = policy.foreign(body, "shop", ACCOUNT, "eu-west-1", Role.OPERATOR)
    assert allows(operator, "cloudformation:CreateStack", f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/shop/1")


def test_a_type_without_a_source_fails_closed() -> None:
    resources = {"Odd": {"Type": "Vendor::Odd::Thing", "Properties": {}}}
    made = samples.template(resources)
    (finding,) = policy.check(made, policy.generate(made))
    assert (finding.check, finding.level, finding.resource) == ("policy-no-source", Level.ERROR, "Odd")
    assert finding.blocks
    assert finding.where == made.source.blame(("Resources", "Odd"))


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from(sorted(samples.enterprise())), min_size=1))
def test_any_part_of_a_template_has_an_exact_policy(chosen: set[str]) -> None:
    resources = {name: node for name, node in samples.enterprise().items() if name in chosen}
    found = policy.generate(samples.template(resources))
    for item in found:
        for statement in item.statements:
            assert statement.actions
            assert statement.resources
            assert all(resource == "*" or resource.startswith("arn:aws:") for resource in statement.resources)
    assert not [f for f in policy.check(samples.template(resources), found) if f.check == "policy-unscoped-write"]


NONSENSE: list[Any] = [
    None,
    0,
    True,
    "*",
    "arn:",
    [],
    {},
    ["a", None, {"Ref": 3}],
    {"Ref": ["a"]},
    {"Fn::Sub": ["${a}", [1]]},
    {"Fn::Join": ["-", "x"]},
    {"Fn::If": ["a"]},
    {"Fn::GetAtt": [1, 2, 3]},
    {"Fn::Select": [{}, []]},
    {"Fn::FindInMap": ["a"]},
    {"Fn::Transform": {"Name": "x"}},
    {"Condition": ["x"]},
    "{{resolve:ssm:}}",
    "{{resolve:x",
]


def paths(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(found for key, child in children for found in paths(child, (*path, key)))]


BODY: dict[str, Any] = {"Parameters": samples.NETWORK, "Resources": samples.enterprise(), "Transform": ["Mine"]}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(paths(BODY)[1:]), st.sampled_from(NONSENSE), st.sampled_from(list(Role)))
def test_a_malformed_template_has_policies_or_findings_but_no_traceback(
    path: tuple[Any, ...], nonsense: Any, role: Role
) -> None:
    body = json.loads(json.dumps(BODY))
    node = body
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = nonsense
    found = policy.foreign(body, "s", ACCOUNT, "us-east-1", role)
    assert all(len(json.dumps(document)) > 2 for document in policy.documents(found))
    template = Template(text="", body=body, parameters={}, source=samples.source({}))
    assert all(item.message for item in policy.check(template, [found], stack=samples.STACK))


ENTERPRISE = execution(samples.enterprise())
