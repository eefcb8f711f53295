"""Reports as a review makes them, for the tests of the formats: every kind of stack, and one of each alone."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

from stackseal.model import (
    KNOWN_AFTER_APPLY,
    Action,
    Certainty,
    Change,
    Consequence,
    Difference,
    Drift,
    DriftStatus,
    Edge,
    Failure,
    Finding,
    Gate,
    GateCheck,
    GateOn,
    Growth,
    Level,
    Location,
    Name,
    Plan,
    PlanKind,
    PlanOperation,
    Policy,
    PolicyDelta,
    PropertyChange,
    Reason,
    Replacement,
    Report,
    ResourceDrift,
    ResourceRow,
    Risk,
    Role,
    Run,
    StackId,
    StackReport,
    Standing,
    Statement,
    Waiver,
)

COMMIT = "4f2a9c1d7be03586aa17c4e9d20b6f8853914c7e"
RUN = Run(
    host="github",
    repository="techcorp/ml-infrastructure",
    commit=COMMIT,
    base="9d8c7b6a5f4e3d2c1b0a99887766554433221100",
    pull_request=42,
    actor="octocat",
    url="https://github.com/techcorp/ml-infrastructure/actions/runs/7312",
)
CHURN = "configs/techcorp-prod-a001-us-west-2-customer-churn-ml-codecommit.yaml"
FRAUD = "configs/edge-prod-b001-us-west-2-fraud-detection-ml-codecommit.yaml"
OLD = "configs/techcorp-dev-a001-us-west-2-propensity-ml-s3.yaml"
DEMAND = "configs/globalbank-prod-c001-us-west-2-demand-forecasting-ml-codecommit-standalone-ssm.yaml"


def at(path: str, line: int = 1) -> Location:
    return Location(path=path, line=line, column=3)


def stack_id(name: str, account: str = "123456789012") -> StackId:
    return StackId(account=account, region="us-west-2", name=name)


def prop(path: str, before: str | None, after: str | None, **more: Any) -> PropertyChange:
    return PropertyChange(path=path, before=before, after=after, **more)


def statement(sid: str, actions: str, resource: str, risk: Risk, logical_id: str, where: Location) -> Statement:
    because = (Reason(resource=logical_id, operation="create", where=where),)
    return Statement(
        sid=sid, actions=tuple(actions.split()), resources=(resource, f"{resource}/*"), risk=risk, because=because
    )


STARTER = {
    "ModelPackageGroup": ("AWS::SageMaker::ModelPackageGroup", "customer-churn-ml-models"),
    "ModelBuildRepository": ("AWS::CodeCommit::Repository", "customer-churn-ml-model-build"),
    "ModelDeployRepository": ("AWS::CodeCommit::Repository", "customer-churn-ml-model-deploy"),
    "BuildProject": ("AWS::CodeBuild::Project", "customer-churn-ml-build"),
    "DeployProject": ("AWS::CodeBuild::Project", "customer-churn-ml-deploy"),
    "BuildPipeline": ("AWS::CodePipeline::Pipeline", "customer-churn-ml-build-pipeline"),
    "DeployPipeline": ("AWS::CodePipeline::Pipeline", "customer-churn-ml-deploy-pipeline"),
    "CodeBuildRole": ("AWS::IAM::Role", "customer-churn-codebuild-role"),
    "CodePipelineRole": ("AWS::IAM::Role", "customer-churn-codepipeline-role"),
    "SageMakerExecutionRole": ("AWS::IAM::Role", "customer-churn-sagemaker-execution-role"),
    "ArtifactsBucket": ("AWS::S3::Bucket", "customer-churn-ml-artifacts"),
    "SsmModelPackageGroupArn": ("AWS::SSM::Parameter", "/ml/customer-churn-ml/ModelPackageGroupArn"),
    "SsmRepositoryUrl": ("AWS::SSM::Parameter", "/ml/customer-churn-ml/RepositoryUrl"),
}
NEEDS = {
    "BuildProject": ("CodeBuildRole", "ArtifactsBucket"),
    "DeployProject": ("CodeBuildRole",),
    "BuildPipeline": ("BuildProject", "CodePipelineRole", "ArtifactsBucket", "ModelBuildRepository"),
    "DeployPipeline": ("DeployProject", "CodePipelineRole", "ArtifactsBucket", "ModelDeployRepository"),
    "CodeBuildRole": ("ArtifactsBucket",),
    "SageMakerExecutionRole": ("ArtifactsBucket",),
    "SsmModelPackageGroupArn": ("ModelPackageGroup",),
    "SsmRepositoryUrl": ("ModelBuildRepository",),
}
EDGES = tuple(Edge(source=source, target=target) for source, targets in NEEDS.items() for target in targets)


def resources(prefix: str, path: str) -> tuple[ResourceRow, ...]:
    return tuple(
        ResourceRow(
            logical_id=logical_id,
            type=kind,
            name=name if name.startswith("/") else f"{prefix}-{name}",
            where=at(path, 9 + n),
        )
        for n, (logical_id, (kind, name)) in enumerate(STARTER.items())
    )


BUCKET = "arn:aws:s3:::techcorp-prod-a001-us-west-2-customer-churn-ml-artifacts"
GROUP = (
    "arn:aws:sagemaker:us-west-2:123456789012:model-package-group/techcorp-prod-a001-us-west-2-customer-churn-ml-models"
)
EXECUTION = Policy(
    role=Role.EXECUTION,
    statements=(
        statement(
            "S3Artifacts",
            "s3:CreateBucket s3:DeleteBucket s3:GetBucketLocation s3:PutBucketVersioning s3:PutEncryptionConfiguration",
            BUCKET,
            Risk.WRITE,
            "ArtifactsBucket",
            at(CHURN, 14),
        ),
        statement(
            "SageMakerModelRegistry",
            "sagemaker:CreateModelPackageGroup sagemaker:DescribeModelPackageGroup",
            GROUP,
            Risk.WRITE,
            "ModelPackageGroup",
            at(CHURN, 12),
        ),
        Statement(
            sid="IamRoles",
            actions=("iam:PassRole",),
            resources=("arn:aws:iam::123456789012:role/techcorp-prod-a001-customer-churn-codebuild-role",),
            conditions={
                "StringEquals": {
                    "iam:PassedToService": ("codebuild.amazonaws.com",),
                    "aws:RequestedRegion": ("us-west-2",),
                },
                "ArnLike": {"iam:AssociatedResourceArn": ("arn:aws:codebuild:*", "arn:aws:codepipeline:*")},
            },
            risk=Risk.PERMISSIONS,
            because=(Reason(resource="BuildProject", operation="create", where=at(CHURN, 12)),),
        ),
    ),
)


def created(
    kind: PlanKind = PlanKind.CHANGE_SET, name: str = "techcorp-prod-a001-us-west-2-customer-churn-ml-stack"
) -> StackReport:
    """A new starter stack."""
    return StackReport(
        id=stack_id(name),
        product="ml",
        variant="starter",
        env="prod",
        config=CHURN,
        template_sha256="a3" * 32,
        resources=resources("techcorp-prod-a001-us-west-2", CHURN),
        findings=(),
        policies=(EXECUTION,),
        policy_deltas=(PolicyDelta(role=Role.EXECUTION, added=EXECUTION.statements, removed=()),),
        plan=Plan(
            stack=stack_id(name),
            kind=kind,
            operation=PlanOperation.CREATE,
            template_sha256="a3" * 32,
            changes=tuple(
                Change(action=Action.ADD, logical_id=logical_id, type=type_, where=at(CHURN, 9))
                for logical_id, (type_, _) in STARTER.items()
            ),
            parameters={"MlName": "techcorp-prod-a001-us-west-2-customer-churn-ml"},
            tags={"Environment": "prod", "Owner": "ml-platform-team"},
            capabilities=("CAPABILITY_NAMED_IAM",),
            change_set_name="seal-pr42-4f2a9c1-0c7d5e3f1a2b",
            seal="5ea1" * 16 if kind is PlanKind.CHANGE_SET else None,
        ),
        edges=EDGES,
        names=(
            Name(
                key="models",
                value="techcorp-prod-a001-us-west-2-customer-churn-ml-models",
                wanted="techcorp-prod-a001-us-west-2-customer-churn-ml-models",
                limit=63,
            ),
            Name(
                key="sagemaker_role",
                value="techcorp-prod-a001-customer-churn-sagemaker-executio-9f31c2",
                wanted="techcorp-prod-a001-customer-churn-realtime-sagemaker-execution-role",
                limit=64,
            ),
        ),
        config_values={
            "client.account_id": '"123456789012"',
            "client.company_prefix": '"techcorp"',
            "client.tenant_id": '"a001"',
            "environment.env": '"prod"',
            "environment.region": '"us-west-2"',
            "ml_product.source_control": '"codecommit"',
            "ml_product.tier": '"starter"',
            "ml_product.use_case": '"customer-churn"',
        },
    )


def updated() -> StackReport:
    """Replacement with data loss, a growing policy and findings of every kind."""
    where = at(FRAUD, 21)
    name = "edge-prod-b001-us-west-2-fraud-detection-ml-stack"
    changes = (
        Change(
            action=Action.MODIFY,
            logical_id="ArtifactsBucket",
            type="AWS::S3::Bucket",
            physical_id="edge-prod-b001-us-west-2-fraud-detection-ml-artifacts",
            replacement=Replacement.ALWAYS,
            policy_action="ReplaceAndRetain",
            properties=(
                prop(
                    "/Properties/BucketName",
                    '"edge-prod-b001-us-west-2-fraud-detection-ml-artifacts"',
                    '"edge-prod-b001-us-west-2-fraud-detection-batch-ml-artifacts"',
                    replacement=Replacement.ALWAYS,
                ),
            ),
            where=at(FRAUD, 14),
        ),
        Change(
            action=Action.MODIFY,
            logical_id="BuildProject",
            type="AWS::CodeBuild::Project",
            physical_id="edge-prod-b001-us-west-2-fraud-detection-ml-build",
            properties=(
                prop("/Properties/Environment/ComputeType", '"BUILD_GENERAL1_SMALL"', '"BUILD_GENERAL1_LARGE"'),
                prop(
                    "/Properties/Artifacts/Location",
                    '"edge-prod-b001-us-west-2-fraud-detection-ml-artifacts"',
                    f'"{KNOWN_AFTER_APPLY}"',
                    certainty=Certainty.CASCADE,
                    cause="ArtifactsBucket",
                ),
                prop(
                    "/Properties/Environment/EnvironmentVariables",
                    '[{"Name":"STAGE","Value":"prod"},{"Name":"DB_PASSWORD","Value":"canary-before-81"}]',
                    '[{"Name":"STAGE","Value":"prod"},{"Name":"DB_PASSWORD","Value":"canary-after-82"}]',
                ),
            ),
            where=where,
        ),
        Change(
            action=Action.MODIFY,
            logical_id="BuildPipeline",
            type="AWS::CodePipeline::Pipeline",
            replacement=Replacement.CONDITIONAL,
            certainty=Certainty.CASCADE,
            properties=(
                prop(
                    "/Properties/ArtifactStore/Location",
                    '"edge-prod-b001-us-west-2-fraud-detection-ml-artifacts"',
                    f'"{KNOWN_AFTER_APPLY}"',
                    certainty=Certainty.CASCADE,
                    cause="ArtifactsBucket",
                ),
            ),
            where=where,
        ),
        Change(
            action=Action.REMOVE,
            logical_id="ModelDeployRepository",
            type="AWS::CodeCommit::Repository",
            physical_id="edge-prod-b001-us-west-2-fraud-detection-ml-model-deploy",
            policy_action="Delete",
            where=at(FRAUD, 18),
        ),
        Change(action=Action.ADD, logical_id="Dashboard", type="AWS::CloudWatch::Dashboard", where=at(FRAUD, 25)),
    )
    consequences = (
        Consequence(
            logical_id="ArtifactsBucket",
            type="AWS::S3::Bucket",
            sentence="A new empty bucket is used from now on; the old one stays behind as "
            "edge-prod-b001-us-west-2-fraud-detection-ml-artifacts, no longer managed.",
            data_loss=False,
        ),
        Consequence(
            logical_id="ModelDeployRepository",
            type="AWS::CodeCommit::Repository",
            sentence="Removing the repository deletes its whole history; clones are the only copies left.",
            data_loss=True,
        ),
        Consequence(
            logical_id="BuildPipeline",
            type="AWS::CodePipeline::Pipeline",
            sentence="Replacing the pipeline stops running executions and forgets their history.",
            data_loss=False,
        ),
    )
    added = statement(
        "BuildMore",
        "sagemaker:CreateTrainingJob sagemaker:DescribeTrainingJob",
        "arn:aws:sagemaker:us-west-2:210987654321:training-job/edge-prod-b001-*",
        Risk.WRITE,
        "BuildProject",
        where,
    )
    gone = statement(
        "Repository",
        "codecommit:GitPull",
        "arn:aws:codecommit:us-west-2:210987654321:edge-prod-b001-us-west-2-fraud-detection-ml-model-deploy",
        Risk.READ,
        "ModelDeployRepository",
        at(FRAUD, 18),
    )
    return StackReport(
        id=stack_id(name, "210987654321"),
        product="ml",
        variant="professional",
        env="prod",
        config=FRAUD,
        template_sha256="b7" * 32,
        resources=resources("edge-prod-b001-us-west-2", FRAUD),
        findings=findings(name),
        policies=(Policy(role=Role.EXECUTION, statements=(*EXECUTION.statements, added)),),
        policy_deltas=(PolicyDelta(role=Role.EXECUTION, added=(added,), removed=(gone,)),),
        plan=Plan(
            stack=stack_id(name, "210987654321"),
            kind=PlanKind.CHANGE_SET,
            operation=PlanOperation.UPDATE,
            template_sha256="b7" * 32,
            changes=changes,
            consequences=consequences,
            retained=("ArtifactsBucket",),
            notes=("A secret that is referenced without a version may change without being seen here.",),
            seal="c0de" * 16,
        ),
        edges=(*EDGES, Edge(source="edge-prod-b001-us-west-2-scoring-stack", target="SsmModelPackageGroupArn")),
        notes=("The stack edge-prod-b001-us-west-2-scoring-stack reads what this one publishes.",),
        config_values={"ml_product.tier": '"professional"', "ml_product.webhook_token": '"canary-config-83"'},
    )


def findings(stack: str) -> tuple[Finding, ...]:
    lines = "templates/edge-prod-b001-us-west-2-fraud-detection-ml-codecommit-template.yaml"
    return (
        Finding(
            check="CKV_AWS_21",
            engine="checkov",
            level=Level.ERROR,
            message="Ensure the S3 bucket has versioning enabled",
            where=at(FRAUD, 14),
            rendered=at(lines, 88),
            resource="ArtifactsBucket",
            stack=stack,
            help_url="https://docs.prismacloud.io/en/enterprise-edition/policy-reference/s3-policies/s3-16-enable-versioning",
        ),
        Finding(
            check="W3037",
            engine="cfn-lint",
            level=Level.WARNING,
            message="'s3:GetObjects' is not one of the actions of 's3', the password is canary-after-82",
            where=at(FRAUD, 21),
            rendered=at(lines, 132),
            resource="CodeBuildRole",
            stack=stack,
            help_url="https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/rules.md#W3037",
        ),
        Finding(
            check="CKV_AWS_18",
            engine="checkov",
            level=Level.ERROR,
            message="Ensure the S3 bucket has access logging enabled",
            where=at(FRAUD, 14),
            resource="ArtifactsBucket",
            stack=stack,
            waiver=Waiver(check="CKV_AWS_18", reason="CloudTrail data events", owner="ml-platform", until="2027-03-31"),
        ),
        Finding(
            check="dynamic-reference",
            engine="stackseal",
            level=Level.NOTE,
            message="{{resolve:secretsmanager:db}} has no version: a change of it is not seen by change sets",
            where=at(FRAUD, 23),
            resource="BuildProject",
            stack=stack,
            waiver=Waiver(check="dynamic-reference", reason="rotated weekly", owner="ml-platform", proposed=True),
        ),
    )


def deleted() -> StackReport:
    """The config was removed."""
    name = "techcorp-dev-a001-us-west-2-propensity-ml-stack"
    return StackReport(
        id=stack_id(name),
        product="ml",
        variant="starter",
        env="dev",
        config=OLD,
        template_sha256="d1" * 32,
        resources=resources("techcorp-dev-a001-us-west-2", OLD),
        findings=(),
        plan=Plan(
            stack=stack_id(name),
            kind=PlanKind.PREDICTED,
            operation=PlanOperation.DELETE,
            template_sha256="d1" * 32,
            changes=tuple(
                Change(
                    action=Action.REMOVE,
                    logical_id=logical_id,
                    type=type_,
                    policy_action="Retain" if type_ == "AWS::S3::Bucket" else "Delete",
                )
                for logical_id, (type_, _) in STARTER.items()
            ),
            consequences=tuple(
                Consequence(
                    logical_id=logical_id,
                    type=type_,
                    sentence=f"Removing it deletes {lost}.",
                    data_loss=data_loss,
                )
                for logical_id, (type_, _) in STARTER.items()
                for lost, data_loss in [
                    ("every registered model version", True)
                    if type_ == "AWS::SageMaker::ModelPackageGroup"
                    else ("the source history", True)
                    if type_ == "AWS::CodeCommit::Repository"
                    else ("its configuration", False)
                ]
                if type_ != "AWS::S3::Bucket"
            ),
            retained=("ArtifactsBucket",),
        ),
        edges=EDGES,
    )


def unchanged() -> StackReport:
    name = "globalbank-prod-c001-us-west-2-demand-forecasting-ml-stack"
    return StackReport(
        id=stack_id(name, "345678901234"),
        product="ml",
        variant="enterprise",
        env="prod",
        config=DEMAND,
        template_sha256="e5" * 32,
        resources=resources("globalbank-prod-c001-us-west-2", DEMAND),
        findings=(),
        plan=Plan(
            stack=stack_id(name, "345678901234"),
            kind=PlanKind.CHANGE_SET,
            operation=PlanOperation.NONE,
            changes=(),
            template_sha256="e5" * 32,
            seal="0ff1" * 16,
        ),
        edges=EDGES,
    )


FAILURE = Failure(
    message="ml_product.tier is 'profesional', which is no tier",
    remedy="use one of starter, professional, enterprise.",
    where=at("configs/techcorp-prod-a001-us-west-2-typo-ml-s3.yaml", 11),
)


def full() -> Report:
    """A review with everything in it; blocked."""
    return Report(run=RUN, stacks=(created(), updated(), deleted(), unchanged()), failures=(FAILURE,))


def with_help(url: str) -> Report:
    """One finding whose help leads somewhere."""
    finding = dataclasses.replace(findings("s")[0], help_url=url)
    return Report(run=RUN, stacks=(dataclasses.replace(updated(), findings=(finding,)),))


def ready() -> Report:
    quiet = dataclasses.replace(created(), policy_deltas=())
    return Report(run=RUN, stacks=(quiet, unchanged()))


def human() -> Report:
    return Report(run=RUN, stacks=(created(kind=PlanKind.PREDICTED), deleted()))


def gated(standing: Standing, *, assumed: bool = False, reason: str = "", grown: bool = False) -> Report:
    """A removed stack and a gate that stands like this."""
    removed = deleted()
    assert removed.plan
    check = GateCheck(gate=Gate(assumed=assumed), because=GateOn.DATA_LOSS, standing=standing, reason=reason)
    lines = ("Remove ArtifactsBucket (AWS::S3::Bucket)",) if grown else ()
    plan = dataclasses.replace(
        removed.plan, growth=Growth(since="2026-11-20T09:00:00+00:00", grown=grown, lines=lines, head="4f2a9c1d")
    )
    return Report(run=RUN, stacks=(dataclasses.replace(removed, plan=plan, gates=(check,)), unchanged()))


def drift() -> Drift:
    return Drift(
        stack=stack_id("edge-prod-b001-us-west-2-fraud-detection-ml-stack", "210987654321"),
        status=DriftStatus.DRIFTED,
        resources=(
            ResourceDrift(
                logical_id="BuildProject",
                type="AWS::CodeBuild::Project",
                physical_id="edge-prod-b001-us-west-2-fraud-detection-ml-build",
                status="MODIFIED",
                differences=(
                    Difference(path="/TimeoutInMinutes", expected="60", actual="480"),
                    Difference(
                        path="/Environment/EnvironmentVariables",
                        expected='[{"Name":"API_TOKEN","Value":"canary-drift-84"}]',
                        actual=None,
                    ),
                ),
            ),
            ResourceDrift(
                logical_id="SsmRepositoryUrl",
                type="AWS::SSM::Parameter",
                physical_id="/ml/fraud-detection-ml/RepositoryUrl",
                status="DELETED",
            ),
            ResourceDrift(
                logical_id="ArtifactsBucket", type="AWS::S3::Bucket", physical_id="artifacts", status="IN_SYNC"
            ),
            ResourceDrift(
                logical_id="BuildPipeline",
                type="AWS::CodePipeline::Pipeline",
                physical_id="build-pipeline",
                status="NOT_CHECKED",
            ),
        ),
    )


def with_text(text: str) -> Report:
    """The full review with one text in every slot that holds foreign text."""
    return _replace_texts(full(), lambda _: text)


_KEPT = frozenset({"template_sha256", "seal", "commit", "repository", "url", "host", "help_url", "before", "after"})


def _replace_texts(value: Any, new: Callable[[str], str]) -> Any:
    if isinstance(value, tuple):
        return tuple(_replace_texts(item, new) if not isinstance(item, str) else new(item) for item in value)
    if isinstance(value, Location):
        return dataclasses.replace(value, path=new(value.path))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found = {
            field.name: new(item) if isinstance(item, str) else _replace_texts(item, new)
            for field in dataclasses.fields(value)
            if (item := getattr(value, field.name)) and field.name not in _KEPT and field.name != "effect"
        }
        return dataclasses.replace(value, **found)
    if isinstance(value, dict):
        return {
            key: _replace_texts(item, new) if not isinstance(item, str) else new(item) for key, item in value.items()
        }
    return value


def canonical(value: str) -> str:
    return json.dumps(value)
