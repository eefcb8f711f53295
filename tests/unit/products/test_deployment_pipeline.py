"""The deployment pipeline: source, change set, approval, execution, and three roles that stay apart."""

from pathlib import Path
from typing import Any

import pytest

from stackseal import policy
from stackseal.errors import ConfigError
from stackseal.model import Role
from unit.products import family
from unit.products.cases import TEST_SUFFIX, example, rendered, resolved
from unit.products.iam import grants, permits

TOPIC = "arn:aws:sns:us-west-2:333344445555:approvals"
KEYS = {"repository": "hosting", "stack": "churn-hosting", "approval_topic_arn": TOPIC}
RESOURCES = {
    "CodePipelineArtifactStoreBucket": "AWS::S3::Bucket",
    "ArtifactsBucketPolicy": "AWS::S3::BucketPolicy",
    "AccessLogsBucket": "AWS::S3::Bucket",
    "AccessLogsBucketPolicy": "AWS::S3::BucketPolicy",
    "Pipeline": "AWS::CodePipeline::Pipeline",
    "CFNRole": "AWS::IAM::Role",
    "CodePipelineServiceRole": "AWS::IAM::Role",
    "AmazonCloudWatchEventRole": "AWS::IAM::Role",
    "AmazonCloudWatchEventRule": "AWS::Events::Rule",
}
STACK = f"arn:aws:cloudformation:{family.HERE}:stack/churn-hosting/*"


def data(**changes: Any) -> dict[str, Any]:
    return family.config("deployment_pipeline", {**KEYS, **changes})


def stages() -> list[Any]:
    found: list[Any] = family.filled(family.template(data()))["Pipeline"]["Properties"]["Stages"]
    return found


@pytest.mark.spec("C08")
def test_it_has_exactly_these_resources() -> None:
    found = family.template(data())
    assert family.types(found) == RESOURCES
    assert found.stack is not None
    assert found.stack.expected_resources == len(RESOURCES)
    assert set(found.body["Outputs"]) == {"PipelineUrl", "ArtifactBucket"}


@pytest.mark.spec("C08")
def test_the_eight_parameters_have_the_names_of_the_original_and_are_all_used() -> None:
    found = family.template(data(branch="release", template="a/host.yaml", configuration="a/prod.json"))
    assert {
        "BranchName": "release",
        "RepositoryName": "hosting",
        "ProjectName": "churn",
        "CodePipelineSNSTopic": TOPIC,
        "ProdStackConfig": "a/prod.json",
        "ProdStackName": "churn-hosting",
        "TemplateFileName": "a/host.yaml",
        "ChangeSetName": "acme-prod-a001-us-west-2-churn-deployment-change-set",
    }.items() <= found.parameters.items()


@pytest.mark.spec("C08", "C09")
def test_a_change_set_is_made_approved_and_executed_in_this_order() -> None:
    source, deploy = stages()
    assert source["Name"] == "TemplateSource"
    assert deploy["Name"] == "DeployStage"
    create, approve, execute = sorted(deploy["Actions"], key=lambda action: action["RunOrder"])
    assert create["Configuration"]["ActionMode"] == "CHANGE_SET_REPLACE"
    assert approve["ActionTypeId"] == {"Category": "Approval", "Owner": "AWS", "Provider": "Manual", "Version": "1"}
    assert approve["Configuration"]["NotificationArn"] == TOPIC
    assert "the churn-hosting stack" in approve["Configuration"]["CustomData"]
    assert execute["Configuration"]["ActionMode"] == "CHANGE_SET_EXECUTE"
    assert [action["RunOrder"] for action in (create, approve, execute)] == [1, 2, 3]
    same = ("StackName", "ChangeSetName", "RoleArn")
    assert [create["Configuration"][key] for key in same] == [execute["Configuration"][key] for key in same]
    assert "Capabilities" not in create["Configuration"]


@pytest.mark.spec("C07")
def test_the_parameters_of_the_stack_come_from_a_file_of_the_repository() -> None:
    create = stages()[1]["Actions"][0]
    assert create["Configuration"]["TemplatePath"] == "TemplateSource::mldeployment.yaml"
    assert create["Configuration"]["TemplateConfiguration"] == "TemplateSource::mldeployment.json"
    assert create["InputArtifacts"] == [{"Name": "TemplateSource"}]


@pytest.mark.spec("C11")
def test_a_commit_on_the_branch_starts_it_and_polling_does_not() -> None:
    found = family.filled(family.template(data(branch="release")))
    pattern = found["AmazonCloudWatchEventRule"]["Properties"]["EventPattern"]
    assert pattern["resources"] == [f"arn:aws:codecommit:{family.HERE}:hosting"]
    assert pattern["detail"]["referenceName"] == ["release"]
    assert pattern["detail"]["event"] == ["referenceCreated", "referenceUpdated"]
    source = found["Pipeline"]["Properties"]["Stages"][0]["Actions"][0]["Configuration"]
    assert source == {"RepositoryName": "hosting", "BranchName": "release", "PollForSourceChanges": False}
    (target,) = found["AmazonCloudWatchEventRule"]["Properties"]["Targets"]
    assert target["RoleArn"] == "<AmazonCloudWatchEventRole.Arn>"


@pytest.mark.spec("C10")
def test_each_role_is_for_one_service_and_passes_only_the_role_of_cloudformation() -> None:
    found = family.template(data())
    services = {"CFNRole": "cloudformation", "CodePipelineServiceRole": "codepipeline"}
    services["AmazonCloudWatchEventRole"] = "events"
    for role, service in services.items():
        (trust,) = family.filled(found)[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": f"{service}.amazonaws.com"}
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "333344445555"}
        allowed = set(grants(family.statements(found, role)))
        assert not [action for action, _ in allowed if "*" in action]
        passed = {resource for action, resource in allowed if action == "iam:PassRole"}
        assert passed == ({"<CFNRole.Arn>"} if role == "CodePipelineServiceRole" else set())
    pipeline = family.statements(found, "CodePipelineServiceRole")
    (passing,) = [each for each in pipeline if each["Action"] == "iam:PassRole"]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}}


@pytest.mark.spec("C10")
def test_the_role_of_cloudformation_deploys_endpoints_and_nothing_else() -> None:
    allowed = family.statements(family.template(data()), "CFNRole")
    here = f"arn:aws:sagemaker:{family.HERE}"
    assert permits(allowed, "sagemaker:CreateEndpointConfig", f"{here}:endpoint-config/c")
    assert permits(allowed, "sagemaker:UpdateEndpoint", f"{here}:endpoint/e")
    assert not permits(allowed, "sagemaker:UpdateEndpoint", "arn:aws:sagemaker:us-west-2:444455556666:endpoint/e")
    assert not permits(allowed, "sagemaker:CreateTrainingJob", f"{here}:training-job/t")
    assert not permits(allowed, "iam:PassRole", "arn:aws:iam::333344445555:role/admin")
    everywhere = {action for action, resource in grants(allowed) if resource == "*"}
    names = ("DescribeScalableTargets", "DescribeScalingPolicies")
    assert everywhere == {f"application-autoscaling:{name}" for name in names}


@pytest.mark.spec("C06", "C10")
def test_the_role_of_cloudformation_suffices_for_the_product_that_hosts_by_name() -> None:
    key = f"arn:aws:kms:{family.HERE}:key/0a1b2c3d"
    scaling = {"max_instances": 4, "invocations_per_instance": 100}
    keys = {"model_name": "churn-7", "kms_key_arn": key, "max_latency_ms": 9, "autoscaling": scaling}
    hosted = family.template(family.config("model_hosting", keys))
    assert hosted.stack is not None
    allowed = family.statements(family.template(data(stack=hosted.stack.id.name, kms_key_arn=key)), "CFNRole")
    names = {name: found for name, found in hosted.parameters.items() if name.endswith("AlarmName")}
    assert len(names) == 2
    for name in names.values():
        assert permits(allowed, "cloudwatch:PutMetricAlarm", f"arn:aws:cloudwatch:{family.HERE}:alarm:{name}")
    actions = {action for action, _ in grants(allowed)}
    needed = {
        action
        for found in policy.generate(hosted)
        if found.role is Role.EXECUTION
        for statement in found.statements
        for action in statement.actions
    }
    # Drift detection, which the pipeline never runs, asks for these.
    assert needed - actions <= {"application-autoscaling:DescribeScheduledActions", "cloudwatch:GetMetricData"}


@pytest.mark.spec("C09", "C10")
def test_the_pipeline_touches_one_stack_and_executes_one_change_set() -> None:
    allowed = family.statements(family.template(data()), "CodePipelineServiceRole")
    assert {resource for action, resource in grants(allowed) if action.startswith("cloudformation:")} == {STACK}
    assert ("sns:Publish", TOPIC) in set(grants(allowed))
    (change_set,) = [each for each in allowed if each["Sid"] == "ThisChangeSet"]
    name = "acme-prod-a001-us-west-2-churn-deployment-change-set"
    assert change_set["Condition"] == {"StringEqualsIfExists": {"cloudformation:ChangeSetName": name}}
    actions = {action for action, _ in grants(allowed)}
    assert not actions & {"cloudformation:UpdateStack", "cloudformation:DeleteStack", "cloudformation:CreateStack"}


@pytest.mark.spec("C10")
def test_the_artefacts_are_versioned_encrypted_logged_and_reached_by_tls_only() -> None:
    found = family.filled(family.template(data()))
    bucket = found["CodePipelineArtifactStoreBucket"]
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["Properties"]["LoggingConfiguration"]["DestinationBucketName"] == "<AccessLogsBucket>"
    for name in ("ArtifactsBucketPolicy", "AccessLogsBucketPolicy"):
        deny = found[name]["Properties"]["PolicyDocument"]["Statement"][-1]
        assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_a_test_stack_finds_no_branch_and_knows_another_stack() -> None:
    found = family.template(data(), test=True)
    assert found.parameters["BranchName"] == f"main{TEST_SUFFIX}"
    assert found.parameters["ProdStackName"] == f"churn-hosting{TEST_SUFFIX}"
    assert found.resources["CodePipelineArtifactStoreBucket"]["DeletionPolicy"] == "Delete"


def test_every_resource_carries_the_tags_and_long_names_are_shortened() -> None:
    assert family.untagged(family.template(data()), "deployment-pipeline") == []
    long = resolved({**data(), "deployment_pipeline": {**KEYS, "use_case": "a-use-case-of-thirty-nine-characters-xx"}})
    assert all(len(name.value) <= name.limit for name in long.stack.names.values())
    assert long.stack.names["ArtifactsBucketName"].shortened


def test_three_engines_and_the_policies_have_nothing_to_say(tmp_path: Path) -> None:
    found = [rendered(example(path)) for path in family.examples("deployment_pipeline")]
    assert family.told([*found, family.template(data(), test=True)], tmp_path) == set()
    assert [warning for path in family.examples("deployment_pipeline") for warning in example(path).warnings] == []


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("repository", "https://example.com/repo", "not its ARN or address"),
        ("branch", "refs/heads/main/", "without refs/heads/"),
        ("configuration", "mldeployment.yaml", "ends with .json"),
        ("stack", "9-lives", "begins with a letter"),
        ("approval_topic_arn", "approvals", "the ARN of an SNS topic"),
        ("kms_key_arn", "alias/churn", "not of its alias"),
        ("template", "/absolute.yaml", "without a slash at its beginning"),
    ],
)
def test_a_wrong_value_is_refused_in_words(key: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        resolved(data(**{key: value}))
