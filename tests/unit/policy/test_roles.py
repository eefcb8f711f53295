"""Who may do what: operator, plan, deploy, drift and the boundary."""

import re

import pytest

from stackseal import facts, policy
from stackseal.model import Policy, Role
from stackseal.policy.operator import suffixer
from unit.policy import samples
from unit.policy.samples import ACCOUNT, IAM, REGION, SLUG, STACK, allows, arn, pairs, role_arn
from unit.products import cases

HEAD = samples.template(samples.enterprise())
ROLES = policy.Roles(execution=role_arn("deployer"), bucket="records")
FOUND = {item.role: item for item in policy.generate(HEAD, roles=ROLES)}
STACK_ARN = arn("cloudformation", f"stack/{STACK.name}/1234")
SEALS = f"arn:aws:s3:::records/seals/{ACCOUNT}/{REGION}/{STACK.name}"


def writes(found: Policy) -> set[str]:
    actions = [facts.action(name) for statement in found.statements for name in statement.actions]
    return {action.name for action in actions if action and not action.reads}


# --- operator ---------------------------------------------------------------------------------------------------------


@pytest.mark.spec("A22")
def test_statements_are_named_after_their_area() -> None:
    areas = {re.sub(r"\d+$", "", statement.sid) for statement in FOUND[Role.OPERATOR].statements}
    assert areas == {
        "Alarms",
        "CloudFormationManagement",
        "CodeBuild",
        "CodeCommitRepositories",
        "CodePipeline",
        "Dashboard",
        "DataRemoval",
        "Ec2Endpoints",
        "EventBridge",
        "IamPolicies",
        "IamRoles",
        "Kms",
        "Logs",
        "S3Artifacts",
        "SageMakerModelRegistry",
        "Sns",
        "SsmInputs",
        "SsmOutputs",
    }


@pytest.mark.spec("A22")
@pytest.mark.parametrize("name", [STACK.name, f"{SLUG}-test-a1b2c3-stack"])
def test_the_operator_manages_the_stack_and_its_test_stacks(name: str) -> None:
    for verb in ("CreateStack", "ExecuteChangeSet", "DeleteStack", "DetectStackDrift", "UpdateTerminationProtection"):
        assert allows(FOUND[Role.OPERATOR], f"cloudformation:{verb}", arn("cloudformation", f"stack/{name}/1"))
    assert not allows(FOUND[Role.OPERATOR], "cloudformation:DeleteStack", arn("cloudformation", "stack/other-stack/1"))
    assert allows(FOUND[Role.OPERATOR], "cloudformation:ValidateTemplate", "*")


@pytest.mark.spec("A22")
def test_names_of_test_stacks_are_covered_by_the_operator_only() -> None:
    test = suffixer(samples.stack(samples.enterprise()))
    bucket = test(f"arn:aws:s3:::{SLUG}-artifacts").replace("*", "a1b2c3")
    assert bucket.endswith("-test-a1b2c3")
    assert allows(FOUND[Role.OPERATOR], "s3:CreateBucket", bucket)
    assert not allows(FOUND[Role.EXECUTION], "s3:CreateBucket", bucket)
    path = arn("ssm", f"parameter/ml/{SLUG}-test-a1b2c3/BucketName")
    assert allows(FOUND[Role.OPERATOR], "ssm:PutParameter", path)
    for role in set(Role) - {Role.OPERATOR, Role.BOUNDARY}:
        assert not [pair for pair in pairs(FOUND[role]) if "-test-" in pair[1]]


def test_names_of_several_things_of_a_test_stack_are_one_pattern_but_what_is_handed_on_is_exact() -> None:
    template = cases.template(cases.CASES[0])
    assert template.stack
    found, slug = policy.generate(template)[0], template.stack.slug
    tests = {(action, resource) for action, resource in pairs(found) if "-test-" in resource}
    projects = [resource for action, resource in tests if action == "codebuild:CreateProject"]
    assert [project.partition(":project/")[2] for project in projects] == [f"{slug}-*-test-*"]
    assert not [resource for action, resource in tests if action == "iam:PassRole" and "-*-test-" in resource]
    build = projects[0].replace("*-test-*", "build")
    assert allows(found, "codebuild:CreateProject", build)
    assert allows(found, "codebuild:CreateProject", f"{build}-test-a1b2c3")
    assert not allows(found, "codebuild:CreateProject", f"{build}-2")
    assert not allows(found, "codebuild:CreateProject", f"{build}-test-a1b2c3".replace(slug, f"{slug}x"))


def test_the_execution_role_can_be_handed_on_to_cloudformation() -> None:
    operator, usual = FOUND[Role.OPERATOR], policy.generate(HEAD)[0]
    service = {"iam_PassedToService": "cloudformation.amazonaws.com"}
    assert allows(operator, "iam:PassRole", ROLES.execution, **service)
    assert allows(usual, "iam:PassRole", policy.Roles.default(STACK).execution, **service)
    assert not allows(operator, "iam:PassRole", ROLES.execution, iam_PassedToService="ec2.amazonaws.com")


def test_a_test_stacks_role_gets_a_test_stacks_policy() -> None:
    test = suffixer(samples.stack(samples.enterprise()))
    mine, plain = (test(role_arn(f"{IAM}-codebuild-role")).replace("*", "x"), role_arn(f"{IAM}-codebuild-role"))
    attached = arn("iam", f"policy/{IAM}-build-policy-test-x", region="")
    boundary = arn("iam", f"policy/{IAM}-boundary-test-x", region="")
    context = {"iam_PolicyARN": attached, "iam_PermissionsBoundary": boundary}
    assert allows(FOUND[Role.OPERATOR], "iam:AttachRolePolicy", mine, **context)
    assert not allows(FOUND[Role.OPERATOR], "iam:AttachRolePolicy", plain, **context)


@pytest.mark.parametrize(
    ("text", "tested"),
    [
        (f"arn:aws:s3:::{SLUG}-artifacts", f"arn:aws:s3:::{SLUG}-artifacts-test-*"),
        (arn("codebuild", f"project/{SLUG}-build"), arn("codebuild", f"project/{SLUG}-build-test-*")),
        (arn("codepipeline", f"{SLUG}-build-pipeline"), arn("codepipeline", f"{SLUG}-build-pipeline-test-*")),
        (arn("ssm", f"parameter/ml/{SLUG}/*"), arn("ssm", f"parameter/ml/{SLUG}-test-*/*")),
        (arn("kms", f"alias/{SLUG}"), arn("kms", f"alias/{SLUG}-test-*")),
        (arn("sns", f"{SLUG}-unlisted"), arn("sns", f"{SLUG}-unlisted-test-*")),
        (arn("sns", f"{STACK.name}-Topic-*"), arn("sns", f"{SLUG}-test-*")),
        (arn("kms", "key/*"), arn("kms", "key/*")),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
    ],
)
def test_the_same_thing_in_a_test_stack(text: str, tested: str) -> None:
    assert suffixer(samples.stack(samples.enterprise()))(text) == tested


@pytest.mark.spec("A21", "A22")
def test_a_name_that_would_grow_too_long_is_shortened_first() -> None:
    stack = samples.stack(samples.enterprise())
    name = stack.names["SageMakerExecutionRoleName"]
    found = suffixer(stack)(role_arn(name.value))
    assert name.limit - 14 <= len(found.rpartition("/")[2].replace("*", "x" * 6)) <= name.limit
    assert re.search(r"-[0-9a-f]{6}-test-\*$", found)


def test_a_test_stack_has_no_test_stacks() -> None:
    found = policy.generate(samples.template(samples.starter(), test=True))
    assert not [pair for pair in pairs(found[0]) if "-test-" in pair[1]]


# --- plan -------------------------------------------------------------------------------------------------------------


def test_planning_writes_change_sets_and_records_and_nothing_else() -> None:
    assert writes(FOUND[Role.PLAN]) == {
        "cloudformation:CreateChangeSet",
        "cloudformation:DeleteChangeSet",
        "iam:PassRole",
        "s3:PutObject",
    }


def test_a_plan_is_made_with_the_execution_role_under_a_sealed_name() -> None:
    plan = FOUND[Role.PLAN]
    context = {"cloudformation_RoleArn": ROLES.execution, "cloudformation_ChangeSetName": "seal-pr1-abc"}
    assert allows(plan, "cloudformation:CreateChangeSet", STACK_ARN, **context)
    for wrong in ({"cloudformation_RoleArn": role_arn("Admin")}, {"cloudformation_ChangeSetName": "other-1"}):
        assert not allows(plan, "cloudformation:CreateChangeSet", STACK_ARN, **{**context, **wrong})
    assert not allows(plan, "cloudformation:CreateChangeSet", STACK_ARN)
    assert allows(plan, "cloudformation:DescribeChangeSet", STACK_ARN)
    assert allows(plan, "iam:PassRole", ROLES.execution, iam_PassedToService="cloudformation.amazonaws.com")
    assert not allows(plan, "iam:PassRole", ROLES.execution, iam_PassedToService="ec2.amazonaws.com")


@pytest.mark.parametrize("verb", ["ExecuteChangeSet", "UpdateStack", "CreateStack", "DeleteStack"])
def test_planning_cannot_change_the_stack(verb: str) -> None:
    name = {"cloudformation_ChangeSetName": "seal-1", "cloudformation_RoleArn": ROLES.execution}
    assert not allows(FOUND[Role.PLAN], f"cloudformation:{verb}", STACK_ARN, **name)


def test_only_a_review_writes_records() -> None:
    assert allows(FOUND[Role.PLAN], "s3:PutObject", f"{SEALS}/7/abc.json")
    assert not allows(FOUND[Role.PLAN], "s3:PutObject", SEALS.replace(STACK.name, "other") + "/7/abc.json")
    for role in (Role.DEPLOY, Role.DRIFT):
        assert not allows(FOUND[role], "s3:PutObject", f"{SEALS}/7/abc.json")
    assert allows(FOUND[Role.DEPLOY], "s3:GetObject", f"{SEALS}/7/abc.json")
    assert allows(
        FOUND[Role.DEPLOY], "s3:ListBucket", "arn:aws:s3:::records", s3_prefix=SEALS.partition("records/")[2] + "/"
    )


# --- deploy -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["seal-pr1-abc", "deploy-abc", f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:changeSet/seal-1/2"]
)
def test_deploying_executes_what_was_sealed(name: str) -> None:
    assert allows(FOUND[Role.DEPLOY], "cloudformation:ExecuteChangeSet", STACK_ARN, cloudformation_ChangeSetName=name)
    assert not allows(
        FOUND[Role.DRIFT], "cloudformation:ExecuteChangeSet", STACK_ARN, cloudformation_ChangeSetName=name
    )


def test_deploying_executes_and_deletes_nothing_else() -> None:
    deploy = FOUND[Role.DEPLOY]
    assert not allows(deploy, "cloudformation:ExecuteChangeSet", STACK_ARN, cloudformation_ChangeSetName="mine")
    assert not allows(deploy, "cloudformation:ExecuteChangeSet", STACK_ARN)
    assert not allows(deploy, "cloudformation:UpdateStack", STACK_ARN)
    assert not allows(deploy, "cloudformation:DeleteStack", STACK_ARN)
    assert allows(deploy, "cloudformation:DeleteStack", STACK_ARN, cloudformation_RoleArn=ROLES.execution)
    other = STACK_ARN.replace(STACK.name, "other-stack")
    assert not allows(deploy, "cloudformation:DeleteStack", other, cloudformation_RoleArn=ROLES.execution)


def test_deploying_does_not_touch_resources_itself() -> None:
    assert {name.partition(":")[0] for name in writes(FOUND[Role.DEPLOY])} == {"cloudformation", "iam", "s3"}


# --- drift ------------------------------------------------------------------------------------------------------------


def test_drift_detection_only_reads() -> None:
    assert writes(FOUND[Role.DRIFT]) == set()
    assert allows(FOUND[Role.DRIFT], "cloudformation:DetectStackDrift", STACK_ARN)
    assert allows(FOUND[Role.DRIFT], "s3:GetBucketVersioning", f"arn:aws:s3:::{SLUG}-artifacts")
    assert allows(FOUND[Role.DRIFT], "iam:GetRolePolicy", role_arn(f"{IAM}-codepipeline-role"))
    assert not allows(
        FOUND[Role.DRIFT], "iam:PassRole", ROLES.execution, iam_PassedToService="cloudformation.amazonaws.com"
    )


# --- boundary ---------------------------------------------------------------------------------------------------------


@pytest.mark.spec("A59")
def test_the_boundary_holds_the_execution_role_and_no_more() -> None:
    boundary = FOUND[Role.BOUNDARY]
    for action, resource in pairs(FOUND[Role.EXECUTION]):
        assert allows(boundary, action, resource), (action, resource)
    for action in ("iam:CreateUser", "iam:DeleteRolePermissionsBoundary", "organizations:LeaveOrganization"):
        assert not allows(boundary, action, "*")
    assert not allows(boundary, "dynamodb:CreateTable", arn("dynamodb", "table/x"))
    assert not allows(boundary, "iam:PutRolePolicy", role_arn("Admin"))
    assert not allows(boundary, "ec2:CreateVpcEndpoint", arn("ec2", "vpc/v"), aws_RequestedRegion="eu-west-1")


def test_defaults_name_the_role_and_the_bucket_of_the_bootstrap() -> None:
    found = policy.Roles.default(STACK)
    assert found.execution.startswith(role_arn("stackseal-execution-"))
    assert len(found.execution.rpartition("/")[2]) <= 64
    assert found.bucket == f"stackseal-{ACCOUNT}-{REGION}"
