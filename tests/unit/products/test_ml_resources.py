"""What the ML product's resources are for: source, pipelines, storage, encryption, network, alarms."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from unit.products.cases import (
    CASES,
    ENTERPRISE,
    KINDS,
    REGION,
    Case,
    of_type,
    properties,
    rendered,
    resolved,
)

NAME = "acme-prod-a001-us-west-2-churn-ml"
CODECOMMIT = Case(tier="professional", source="codecommit")
S3 = Case(tier="professional", source="s3")
STANDALONE = Case(tier="enterprise", source="codecommit", mode="standalone", vpc="direct", routed=True)
PROVIDERS = {"codecommit": "CodeCommit", "s3": "S3", "github": "CodeStarSourceConnection"}
SGPROV = Case(tier="enterprise", source="codecommit", mode="sgprov", vpc="ssm")


@pytest.mark.spec("A41")
@pytest.mark.parametrize("case", KINDS, ids=str)
def test_the_model_registry_has_its_documented_name(case: Case) -> None:
    assert properties(case, "ModelPackageGroup")["ModelPackageGroupName"] == f"{NAME}-models"


@pytest.mark.spec("A42")
def test_codecommit_has_two_repositories_and_publishes_the_clone_url() -> None:
    names = {body["RepositoryName"] for body in of_type(CODECOMMIT, "AWS::CodeCommit::Repository").values()}
    assert names == {f"{NAME}-model-build", f"{NAME}-model-deploy"}
    assert properties(CODECOMMIT, "SsmRepositoryUrl")["Value"] == "<ModelBuildRepository.CloneUrlHttp>"


@pytest.mark.spec("A43")
@pytest.mark.parametrize(
    ("prefix", "bucket", "keys"),
    [
        ("acme-source/ml/churn", "acme-source", {"ml/churn/model-build.zip", "ml/churn/model-deploy.zip"}),
        ("acme-source", "acme-source", {"model-build.zip", "model-deploy.zip"}),
    ],
)
def test_s3_source_is_read_below_its_prefix(prefix: str, bucket: str, keys: set[str]) -> None:
    case = Case(tier="starter", source="s3", changes={"s3_prefix": prefix})
    found = rendered(resolved(case.data()))
    assert found.parameters["SourceBucketName"] == bucket
    assert {found.parameters["BuildSourceKey"], found.parameters["DeploySourceKey"]} == keys
    assert not [body for body in found.resources.values() if body["Type"].startswith("AWS::CodeCommit::")]


@pytest.mark.spec("A44")
@pytest.mark.parametrize("case", KINDS, ids=str)
@pytest.mark.parametrize("stage", ["Build", "Deploy"])
def test_both_projects_run_the_repositorys_buildspec(case: Case, stage: str) -> None:
    project = properties(case, f"{stage}Project")
    assert project["Source"] == {"Type": "CODEPIPELINE", "BuildSpec": "buildspec.yml"}
    assert project["Environment"]["Image"] == "aws/codebuild/amazonlinux-x86_64-standard:5.0"
    assert project["Environment"]["PrivilegedMode"] is False
    given = {item["Name"]: item["Value"] for item in project["Environment"]["EnvironmentVariables"]}
    assert given["MODEL_PACKAGE_GROUP"] == f"{NAME}-models"
    assert given["ARTIFACTS_BUCKET"] == "<ArtifactsBucket>"
    assert given["SAGEMAKER_ROLE_ARN"] == "<SageMakerExecutionRole.Arn>"
    assert given["REGION"] == REGION
    assert given.get("KMS_KEY_ARN") == ("<KmsKey.Arn>" if case.enterprise else None)
    logs = project["LogsConfig"]["CloudWatchLogs"]
    own = f"/aws/codebuild/{NAME}-{stage.lower()}"
    assert logs["Status"] == "ENABLED"
    assert logs["GroupName"] == ("<ComplianceLogGroup>" if case.enterprise else own)


@pytest.mark.spec("A45")
@pytest.mark.parametrize("case", KINDS, ids=str)
def test_the_pipelines_have_their_stages(case: Case) -> None:
    build, deploy = properties(case, "BuildPipeline"), properties(case, "DeployPipeline")
    assert [stage["Name"] for stage in build["Stages"]] == ["Source", "Build"]
    assert [stage["Name"] for stage in deploy["Stages"]] == ["Source", "Approval", "Deploy"]
    for pipeline, project in ((build, "<BuildProject>"), (deploy, "<DeployProject>")):
        assert (pipeline["PipelineType"], pipeline["ExecutionMode"]) == ("V2", "QUEUED")
        last = pipeline["Stages"][-1]["Actions"][0]
        assert last["ActionTypeId"]["Provider"] == "CodeBuild"
        assert last["Configuration"]["ProjectName"] == project
        source = pipeline["Stages"][0]["Actions"][0]
        assert source["ActionTypeId"]["Provider"] == PROVIDERS[case.source]
        assert source["Configuration"].get("PollForSourceChanges") is (None if case.source == "github" else True)
        assert [item["Name"] for item in source["OutputArtifacts"]] == [item["Name"] for item in last["InputArtifacts"]]
    assert deploy["Stages"][1]["Actions"][0]["ActionTypeId"]["Category"] == "Approval"


@pytest.mark.spec("A47")
@pytest.mark.parametrize("case", KINDS, ids=str)
def test_the_bucket_is_private_versioned_and_encrypted(case: Case) -> None:
    bucket = properties(case, "ArtifactsBucket")
    assert bucket["BucketName"] == f"{NAME}-artifacts"
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)
    assert any("NoncurrentVersionExpiration" in rule for rule in rules)
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    if case.enterprise:
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "<KmsKey.Arn>"}
        assert encryption == {"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": default}
    else:
        assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """EventBridge's rule for patterns of exact values."""
    return all(
        matches(wanted, event.get(key, {})) if isinstance(wanted, Mapping) else event.get(key) in wanted
        for key, wanted in pattern.items()
    )


@pytest.mark.spec("A48")
@pytest.mark.parametrize("case", [CODECOMMIT, S3, STANDALONE], ids=str)
@pytest.mark.parametrize(
    ("group", "status", "starts"),
    [
        (f"{NAME}-models", "Approved", True),
        (f"{NAME}-models", "PendingManualApproval", False),
        (f"{NAME}-models", "Rejected", False),
        ("another-group", "Approved", False),
    ],
)
def test_only_an_approved_model_of_this_group_starts_a_deployment(
    case: Case, group: str, status: str, starts: bool
) -> None:
    rule = properties(case, "PipelineTriggerRule")
    event = {
        "source": "aws.sagemaker",
        "detail-type": "SageMaker Model Package State Change",
        "detail": {"ModelPackageGroupName": group, "ModelApprovalStatus": status},
    }
    assert rule["State"] == "ENABLED"
    assert matches(rule["EventPattern"], event) is starts
    (target,) = rule["Targets"]
    assert target["Arn"] == f"arn:aws:codepipeline:{REGION}:333344445555:<DeployPipeline>"
    assert target["RoleArn"] == "<CodePipelineRole.Arn>"


@pytest.mark.spec("A49", "A51")
@pytest.mark.parametrize("case", [CODECOMMIT, S3, STANDALONE, SGPROV], ids=str)
def test_the_dashboard_shows_both_projects_and_both_pipelines(case: Case) -> None:
    dashboard = properties(case, "Dashboard")
    assert dashboard["DashboardName"] == f"{NAME}-dashboard"
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    metrics = [metric for widget in widgets for metric in widget["properties"].get("metrics", [])]
    shown = {(namespace, value) for namespace, _, _, value in metrics}
    assert {("AWS/CodeBuild", f"{NAME}-{stage}") for stage in ("build", "deploy")} <= shown
    assert {("AWS/CodePipeline", f"{NAME}-{stage}-pipeline") for stage in ("build", "deploy")} <= shown
    assert {widget["properties"]["region"] for widget in widgets if widget["type"] == "metric"} == {REGION}
    assert "ml-alerts@example.com" in json.dumps(widgets)
    places = [(widget["x"], widget["y"]) for widget in widgets]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("address", ["o'hara+ml@example.com", "a{b}|c`d$e@example.com", "${AWS::Region}@example.com"])
def test_no_address_breaks_the_dashboard(address: str) -> None:
    case = Case(tier="professional", source="s3", changes={"alerts_email": address})
    if ":" in address:  # the schema refuses it before a template sees it
        with pytest.raises(Exception, match="this is not an e-mail address"):
            resolved(case.data())
        return
    body = rendered(resolved(case.data())).resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    text = re.sub(r"\$\{AlertsEmail\}", lambda _: address, body)
    assert address in json.loads(text)["widgets"][0]["properties"]["markdown"]


@pytest.mark.spec("A51")
def test_alarms_reach_the_address_of_the_config() -> None:
    subscription = properties(SGPROV, "SecurityAlertsSubscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ml-alerts@example.com")
    assert subscription["TopicArn"] == "<SecurityAlertsTopic>"
    assert not of_type(CODECOMMIT, "AWS::SNS::Topic")


@pytest.mark.spec("A52")
@pytest.mark.parametrize("case", ENTERPRISE[::4], ids=str)
def test_one_rotated_key_encrypts_everything(case: Case) -> None:
    assert properties(case, "KmsKey")["EnableKeyRotation"] is True
    alias = properties(case, "KmsKeyAlias")
    assert alias["TargetKeyId"] == "<KmsKey>"
    assert alias["AliasName"].startswith("alias/acme-prod-a001-us-west-2-churn")
    assert properties(case, "ComplianceLogGroup")["KmsKeyId"] == "<KmsKey.Arn>"
    assert properties(case, "SecurityAlertsTopic")["KmsMasterKeyId"] == "<KmsKey.Arn>"
    for stage in ("Build", "Deploy"):
        assert properties(case, f"{stage}Project")["EncryptionKey"] == "<KmsKey.Arn>"
        store = properties(case, f"{stage}Pipeline")["ArtifactStore"]
        assert store["EncryptionKey"] == {"Id": "<KmsKey.Arn>", "Type": "KMS"}


@pytest.mark.spec("A52")
def test_the_key_trusts_the_account_and_two_services_within_the_product() -> None:
    root, logs, alarms = properties(SGPROV, "KmsKey")["KeyPolicy"]["Statement"]
    assert root["Principal"] == {"AWS": "arn:aws:iam::333344445555:root"}
    assert logs["Principal"] == {"Service": "logs.us-west-2.amazonaws.com"}
    group = f"arn:aws:logs:us-west-2:333344445555:log-group:/ml/{NAME}/compliance"
    assert logs["Condition"] == {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": group}}
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    names = {properties(SGPROV, f"{name}Alarm")["AlarmName"] for name in ("UnauthorizedApiCalls", "PipelineFailure")}
    allowed = {arn.rpartition(":")[2] for arn in alarms["Condition"]["ArnEquals"]["aws:SourceArn"]}
    assert allowed == names
    assert not [action for statement in (logs, alarms) for action in statement["Action"] if "*" in action]


def caught(pattern: str, line: str) -> bool:
    """CloudWatch Logs' `?term ?"some terms"`: one of them is in the line."""
    return any(plain or quoted in line for quoted, plain in _terms(pattern) if (plain or quoted) in line)


def _terms(pattern: str) -> list[tuple[str, str]]:
    return re.findall(r'\?(?:"([^"]*)"|(\S+))', pattern)


DENIED = "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied"
NOT_AUTHORIZED = "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: sagemaker:CreateModel"
FAILED = "[Container] 2026/11/20 06:00:00 Phase complete: BUILD State: FAILED"
FINE = "[Container] 2026/11/20 06:00:00 Phase complete: BUILD State: SUCCEEDED"


@pytest.mark.spec("A58")
@pytest.mark.parametrize(
    ("name", "line", "fires"),
    [
        ("UnauthorizedApiCalls", DENIED, True),
        ("UnauthorizedApiCalls", NOT_AUTHORIZED, True),
        ("UnauthorizedApiCalls", "access denied", True),
        ("UnauthorizedApiCalls", FAILED, False),
        ("UnauthorizedApiCalls", FINE, False),
        ("PipelineFailure", FAILED, True),
        ("PipelineFailure", "build failed", True),
        ("PipelineFailure", FINE, False),
        ("PipelineFailure", DENIED, False),
    ],
)
def test_a_line_in_the_compliance_log_raises_its_alarm(name: str, line: str, fires: bool) -> None:
    log_filter, alarm = properties(STANDALONE, f"{name}Filter"), properties(STANDALONE, f"{name}Alarm")
    assert caught(log_filter["FilterPattern"], line) is fires
    (metric,) = log_filter["MetricTransformations"]
    assert (metric["MetricNamespace"], metric["MetricName"]) == (alarm["Namespace"], alarm["MetricName"])
    assert float(metric["MetricValue"]) >= alarm["Threshold"]
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["AlarmActions"] == ["<SecurityAlertsTopic>"]
    assert log_filter["LogGroupName"] == "<ComplianceLogGroup>"


@pytest.mark.spec("A58")
@pytest.mark.parametrize("days", [None, 90, 3653])
def test_the_compliance_log_keeps_its_events(days: int | None) -> None:
    changes = {} if days is None else {"log_retention_days": days}
    case = Case(tier="enterprise", source="s3", mode="sgprov", vpc="ssm", changes=changes)
    group = rendered(resolved(case.data())).resources["ComplianceLogGroup"]["Properties"]
    assert group["RetentionInDays"] == (days or 365)


def test_the_tier_decides_alone() -> None:
    assert {case.tier for case in CASES if of_type(case, "AWS::KMS::Key")} == {"enterprise"}
    assert {case.tier for case in CASES if of_type(case, "AWS::Events::Rule")} == {"professional", "enterprise"}
