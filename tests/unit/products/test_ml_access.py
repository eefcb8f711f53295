"""Who may do what in the ML product: trust, least privilege, the ceiling."""

from typing import Any

import pytest

from stackseal import facts
from unit.products.cases import CASES, CONNECTION, ENTERPRISE, KINDS, Case, filled, of_type, properties
from unit.products.iam import ROLES, grants, many, permits, statements

ACCOUNT_WIDE = {
    "cloudwatch:PutMetricData",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
}
"""What IAM cannot limit to a resource; the Service Authorization Reference says so, and a test asks it."""
SERVICES = {"CodeBuildRole": "codebuild", "CodePipelineRole": "codepipeline", "SageMakerExecutionRole": "sagemaker"}
PREFIX = "acme-prod-a001-churn"
NAME = "acme-prod-a001-us-west-2-churn-ml"
HERE = "us-west-2:333344445555"
STANDALONE = Case(tier="enterprise", source="codecommit", mode="standalone", vpc="ssm")


@pytest.mark.spec("A46")
@pytest.mark.parametrize("case", KINDS, ids=str)
def test_each_role_trusts_its_service_for_this_account_only(case: Case) -> None:
    assert set(of_type(case, "AWS::IAM::Role")) == set(ROLES)
    for role, service in SERVICES.items():
        first, *more = properties(case, role)["AssumeRolePolicyDocument"]["Statement"]
        assert first["Principal"] == {"Service": f"{service}.amazonaws.com"}
        assert first["Condition"] == {"StringEquals": {"aws:SourceAccount": "333344445555"}}
        assert len(more) == (1 if role == "CodePipelineRole" and case.professional else 0)


@pytest.mark.spec("A46", "A48")
@pytest.mark.parametrize("case", [case for case in KINDS if case.professional], ids=str)
def test_events_may_use_the_pipeline_role_for_the_one_rule_only(case: Case) -> None:
    _, events = properties(case, "CodePipelineRole")["AssumeRolePolicyDocument"]["Statement"]
    rule = properties(case, "PipelineTriggerRule")["Name"]
    assert events["Principal"] == {"Service": "events.amazonaws.com"}
    assert events["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "333344445555"},
        "ArnEquals": {"aws:SourceArn": f"arn:aws:events:{HERE}:rule/{rule}"},
    }
    assert permits(
        statements(case, "CodePipelineRole"),
        "codepipeline:StartPipelineExecution",
        f"arn:aws:codepipeline:{HERE}:{NAME}-deploy-pipeline",
    )


@pytest.mark.spec("A46")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_role_has_a_wildcard_action_or_a_policy_of_aws(case: Case) -> None:
    for role in ROLES:
        for action, resource in grants(statements(case, role)):
            assert "*" not in action, (role, action)
            assert resource != "*" or action in ACCOUNT_WIDE, (role, action)
    assert "arn:aws:iam::aws:policy" not in str(filled(case))


@pytest.mark.spec("A46")
@pytest.mark.parametrize("action", sorted(ACCOUNT_WIDE))
def test_what_is_granted_on_everything_has_no_resource_level(action: str) -> None:
    known = facts.action(action)
    assert known is not None
    assert not known.required


@pytest.mark.parametrize("case", KINDS, ids=str)
def test_every_action_exists(case: Case) -> None:
    policies = [*ROLES, *of_type(case, "AWS::IAM::ManagedPolicy")]
    named = {action for policy in policies for action, _ in grants(statements(case, policy))}
    assert len(named) > 40
    assert [action for action in sorted(named) if facts.action(action) is None] == []


@pytest.mark.spec("A46")
@pytest.mark.parametrize("case", KINDS, ids=str)
def test_every_resource_is_the_products_own(case: Case) -> None:
    shared = ("arn:aws:ecr:us-west-2:*:repository/", f"arn:aws:logs:{HERE}:log-group:/aws/sagemaker/")
    inside = tuple(f"arn:aws:ec2:{HERE}:{kind}/*" for kind in ("network-interface", "security-group", "subnet"))
    own = (NAME, PREFIX, "<", "acme-a001-ml-source", CONNECTION)
    for role in ROLES:
        for action, resource in grants(statements(case, role)):
            known = resource == "*" or resource in inside or resource.startswith(shared)
            assert known or any(name in resource for name in own), (role, action, resource)


@pytest.mark.spec("A46")
@pytest.mark.parametrize("case", KINDS, ids=str)
def test_roles_are_passed_to_sagemaker_only(case: Case) -> None:
    for role in ROLES:
        passing = [item for item in statements(case, role) if "iam:PassRole" in many(item["Action"])]
        assert bool(passing) is (role != "CodePipelineRole")
        for statement in passing:
            assert statement["Resource"] == f"arn:aws:iam::333344445555:role/{PREFIX}-sagemaker-execution-role"
            assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


@pytest.mark.spec("A50")
@pytest.mark.parametrize("case", KINDS, ids=str)
def test_starter_has_inline_policies_and_the_others_managed_ones(case: Case) -> None:
    role = properties(case, "CodeBuildRole")
    if case.professional:
        assert role["ManagedPolicyArns"] == ["<BuildManagedPolicy>", "<DeployManagedPolicy>"]
        assert "Policies" not in role
    else:
        assert [policy["PolicyName"] for policy in role["Policies"]] == ["build", "deploy"]
        assert "ManagedPolicyArns" not in role


WORK = [
    ("CodeBuildRole", "sagemaker:StartPipelineExecution", f"arn:aws:sagemaker:{HERE}:pipeline/{PREFIX}-train"),
    ("CodeBuildRole", "sagemaker:CreateModelPackage", f"arn:aws:sagemaker:{HERE}:model-package/{NAME}-models/1"),
    ("CodeBuildRole", "sagemaker:CreateEndpoint", f"arn:aws:sagemaker:{HERE}:endpoint/{PREFIX}-live"),
    ("CodeBuildRole", "s3:PutObject", f"arn:aws:s3:::{NAME}-artifacts/model.tar.gz"),
    ("CodeBuildRole", "ssm:GetParametersByPath", f"arn:aws:ssm:{HERE}:parameter/ml/{NAME}"),
    ("CodePipelineRole", "codebuild:StartBuild", "<BuildProject.Arn>"),
    ("CodePipelineRole", "s3:GetBucketVersioning", f"arn:aws:s3:::{NAME}-artifacts"),
    ("SageMakerExecutionRole", "s3:GetObject", f"arn:aws:s3:::{NAME}-artifacts/train.csv"),
    ("SageMakerExecutionRole", "ecr:BatchGetImage", "arn:aws:ecr:us-west-2:246618743249:repository/sagemaker-xgboost"),
    (
        "SageMakerExecutionRole",
        "logs:PutLogEvents",
        f"arn:aws:logs:{HERE}:log-group:/aws/sagemaker/TrainingJobs:log-stream:{PREFIX}-1/algo-1",
    ),
]


@pytest.mark.parametrize("case", KINDS, ids=str)
@pytest.mark.parametrize(("role", "action", "resource"), WORK)
def test_the_roles_can_do_their_work(case: Case, role: str, action: str, resource: str) -> None:
    assert permits(statements(case, role), action, resource)


STRANGE = [
    ("s3:GetObject", "arn:aws:s3:::another-bucket/key"),
    ("s3:DeleteObject", f"arn:aws:s3:::{NAME}-artifacts/model.tar.gz"),
    ("sagemaker:CreateTrainingJob", f"arn:aws:sagemaker:{HERE}:training-job/somebody-elses"),
    ("sagemaker:UpdateModelPackage", f"arn:aws:sagemaker:{HERE}:model-package/{NAME}-models/1"),
    ("iam:PassRole", "arn:aws:iam::333344445555:role/Admin"),
    ("iam:CreateRole", "arn:aws:iam::333344445555:role/new"),
    ("sts:AssumeRole", "arn:aws:iam::333344445555:role/Admin"),
    ("kms:Decrypt", f"arn:aws:kms:{HERE}:key/other"),
]


@pytest.mark.parametrize("case", KINDS, ids=str)
@pytest.mark.parametrize(("action", "resource"), STRANGE)
def test_the_roles_can_do_nothing_else(case: Case, action: str, resource: str) -> None:
    assert not [role for role in ROLES if permits(statements(case, role), action, resource)]


@pytest.mark.spec("A59")
@pytest.mark.parametrize("case", ENTERPRISE, ids=str)
def test_the_boundary_is_on_all_roles_and_covers_what_they_are_granted(case: Case) -> None:
    boundary = statements(case, "PermissionBoundary")
    for role in ROLES:
        assert properties(case, role)["PermissionsBoundary"] == "<PermissionBoundary>"
        for action, resource in grants(statements(case, role)):
            named = _named(case, resource)
            assert permits(boundary, action, named), (role, action, named)


def _named(case: Case, resource: str) -> str:
    """A project's ARN where the role has a reference: the boundary is made before the project."""
    project = resource.removeprefix("<").removesuffix(".Arn>")
    if not project.endswith("Project"):
        return resource
    return f"arn:aws:codebuild:{HERE}:project/{properties(case, project)['Name']}"


OUTSIDE: list[tuple[str, str]] = [
    *STRANGE,
    ("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:any"),
    ("dynamodb:GetItem", f"arn:aws:dynamodb:{HERE}:table/any"),
    ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{HERE}:secret:any"),
    ("kms:ScheduleKeyDeletion", "<KmsKey.Arn>"),
    ("kms:PutKeyPolicy", "<KmsKey.Arn>"),
    ("logs:DeleteLogGroup", f"arn:aws:logs:{HERE}:log-group:/ml/{NAME}/compliance:*"),
    ("s3:PutBucketPolicy", f"arn:aws:s3:::{NAME}-artifacts"),
]


@pytest.mark.spec("A59")
@pytest.mark.parametrize(("action", "resource"), OUTSIDE)
def test_outside_the_boundary_nothing_helps(action: str, resource: str) -> None:
    anything: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    boundary = statements(STANDALONE, "PermissionBoundary")
    assert permits([anything], action, resource)
    assert not permits(boundary, action, resource)


@pytest.mark.spec("A59")
def test_the_boundary_denies_every_change_of_permissions() -> None:
    denials = [item for item in statements(STANDALONE, "PermissionBoundary") if item["Effect"] == "Deny"]
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam = facts.service("iam")
    assert iam is not None
    changing = [action.name for action in iam.actions.values() if not action.reads and action.name != "iam:PassRole"]
    assert len(changing) > 80
    assert [action for action in changing if permits([everything, *denials], action, "arn:aws:iam::1:role/x")] == []
    assert permits([everything, *denials], "iam:PassRole", "arn:aws:iam::1:role/x")
