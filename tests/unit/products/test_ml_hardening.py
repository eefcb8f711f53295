"""What `hardening` adds to the documented resources."""

from dataclasses import replace

import pytest

from unit.products.cases import GITHUB, KINDS, PLAIN, TEST_SUFFIX, Case, filled, properties, template
from unit.products.iam import permits, statements

NAME = "acme-prod-a001-us-west-2-churn-ml"
ADDED = {
    "ArtifactsBucketPolicy": "AWS::S3::BucketPolicy",
    "AccessLogsBucket": "AWS::S3::Bucket",
    "AccessLogsBucketPolicy": "AWS::S3::BucketPolicy",
}
HARDENED = tuple(replace(case, hardening=True) for case in KINDS)
ENTERPRISE = replace(PLAIN[-1], hardening=True)


@pytest.mark.parametrize("case", HARDENED, ids=str)
@pytest.mark.parametrize("suffix", ["", TEST_SUFFIX], ids=["stack", "test"])
def test_hardening_adds_three_to_five_resources(case: Case, suffix: str) -> None:
    plain = filled(replace(case, hardening=False), suffix)
    added = {key: body["Type"] for key, body in filled(case, suffix).items() if key not in plain}
    topic = {"SecurityAlertsTopicPolicy": "AWS::SNS::TopicPolicy"} if case.enterprise else {}
    rules = case.codecommit and not case.enterprise
    pushes = dict.fromkeys(("BuildPushRule", "DeployPushRule"), "AWS::Events::Rule") if rules else {}
    assert added == {**ADDED, **topic, **pushes}
    stack = template(case, suffix).stack
    assert stack is not None
    assert stack.expected_resources == len(plain) + len(added)


@pytest.mark.parametrize("name", ["ArtifactsBucket", "AccessLogsBucket"])
def test_buckets_refuse_what_is_not_encrypted_on_its_way(name: str) -> None:
    policy = properties(ENTERPRISE, f"{name}Policy")
    bucket = properties(ENTERPRISE, name)["BucketName"]
    (denial,) = [item for item in policy["PolicyDocument"]["Statement"] if item["Effect"] == "Deny"]
    assert policy["Bucket"] == f"<{name}>"
    assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert denial["Resource"] == [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    assert (denial["Principal"], denial["Action"]) == ("*", "s3:*")


@pytest.mark.parametrize("case", HARDENED, ids=str)
def test_access_to_the_artifacts_is_logged(case: Case) -> None:
    logging = properties(case, "ArtifactsBucket")["LoggingConfiguration"]
    assert logging == {"DestinationBucketName": "<AccessLogsBucket>", "LogFilePrefix": "artifacts/"}
    delivery, _ = properties(case, "AccessLogsBucketPolicy")["PolicyDocument"]["Statement"]
    assert delivery["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert delivery["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "333344445555"},
        "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{NAME}-artifacts"},
    }


def test_only_the_two_alarms_may_publish() -> None:
    publish, denial = properties(ENTERPRISE, "SecurityAlertsTopicPolicy")["PolicyDocument"]["Statement"]
    assert publish["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert len(publish["Condition"]["ArnEquals"]["aws:SourceArn"]) == 2
    assert denial["Effect"] == "Deny"


@pytest.mark.parametrize("hardening", [False, True])
def test_the_waiver_of_the_access_log_is_about_the_bucket_that_has_none(hardening: bool) -> None:
    stack = template(replace(PLAIN[0], hardening=hardening)).stack
    assert stack is not None
    assert [waiver.resource for waiver in stack.product.waivers] == [
        "AccessLogsBucket" if hardening else "ArtifactsBucket"
    ]


@pytest.mark.parametrize("case", [case for case in HARDENED if case.codecommit and not case.enterprise], ids=str)
def test_a_push_to_main_starts_its_pipeline_in_the_place_of_polling(case: Case) -> None:
    for stage in ("Build", "Deploy"):
        rule = properties(case, f"{stage}PushRule")
        assert rule["EventPattern"]["resources"] == [f"<Model{stage}Repository.Arn>"]
        assert rule["EventPattern"]["detail"]["referenceName"] == ["main"]
        (target,) = rule["Targets"]
        assert target["Arn"].endswith(f":<{stage}Pipeline>")
        assert target["RoleArn"] == "<CodePipelineRole.Arn>"
        source = properties(case, f"{stage}Pipeline")["Stages"][0]["Actions"][0]
        assert source["Configuration"]["PollForSourceChanges"] is False
    events = properties(case, "CodePipelineRole")["AssumeRolePolicyDocument"]["Statement"][1]
    rules = events["Condition"]["ArnEquals"]["aws:SourceArn"]
    names = ["build-push", "deploy-push", *(["trigger"] if case.professional else [])]
    assert sorted(arn.rpartition(f"{NAME}-")[2] for arn in rules) == names
    assert events["Condition"]["StringEquals"] == {"aws:SourceAccount": "333344445555"}
    allowed = statements(case, "CodePipelineRole")
    here = "arn:aws:codepipeline:us-west-2:333344445555"
    assert permits(allowed, "codepipeline:StartPipelineExecution", f"{here}:{NAME}-build-pipeline")
    assert not permits(allowed, "codepipeline:StartPipelineExecution", f"{here}:another")


@pytest.mark.parametrize("source", ["s3", "github"])
def test_what_has_no_event_of_codecommit_keeps_its_trigger(source: str) -> None:
    found = next(
        case for case in (*HARDENED, *(replace(each, hardening=True) for each in GITHUB)) if case.source == source
    )
    assert "BuildPushRule" not in template(found).resources
