"""Every call of the adapter through a real boto3 client; botocore validates requests and stubbed answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from stackseal.aws.cloudformation import BODY_LIMIT, URL_LIMIT, CloudFormation
from stackseal.aws.errors import AwsFailed
from stackseal.aws.session import Aws
from stackseal.aws.shapes import NewChangeSet, Store
from stackseal.aws.ssm import Parameters
from stackseal.errors import Failed, Unknown
from stackseal.model import DriftStatus, StackId, sha256

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 20, 13, tzinfo=UTC)
ARN = "arn:aws:cloudformation:us-west-2:123456789012:changeSet/seal/1"
STACK = StackId(account="123456789012", region="us-west-2", name="churn")
STACK_ARN = "arn:aws:cloudformation:us-west-2:123456789012:stack/churn/1"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "AWS_REGION": "us-west-2"}


@pytest.fixture
def aws() -> Iterator[Aws]:
    found = Aws(KEYS, account="123456789012")
    yield found
    found.close()


@pytest.fixture
def cfn(aws: Aws) -> CloudFormation:
    return CloudFormation(aws)


def new(**more: Any) -> NewChangeSet:
    found: dict[str, Any] = {
        "stack": "churn",
        "name": "seal",
        "kind": "UPDATE",
        "body": "{}",
        "parameters": {"b": "2", "a": "1"},
        "tags": {"y": "2", "x": "1"},
    }
    return NewChangeSet(**{**found, **more})


# --- stacks


def test_a_stack_with_everything(stub: Stubber, cfn: CloudFormation) -> None:
    answer = {
        "StackName": "churn",
        "StackId": STACK_ARN,
        "StackStatus": "UPDATE_COMPLETE",
        "StackStatusReason": "fine",
        "CreationTime": NOON,
        "LastUpdatedTime": LATER,
        "Outputs": [{"OutputKey": "Arn", "OutputValue": "arn"}],
        "Parameters": [{"ParameterKey": "Env", "ParameterValue": "prod"}],
        "Tags": [{"Key": "team", "Value": "ml"}],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "RoleARN": "arn:aws:iam::123456789012:role/execution",
        "EnableTerminationProtection": True,
        "DriftInformation": {"StackDriftStatus": "DRIFTED"},
    }
    stub.add_response("describe_stacks", {"Stacks": [answer]}, {"StackName": "churn"})
    found = cfn.stack("churn")
    assert found is not None
    assert (found.status, found.reason, found.arn) == ("UPDATE_COMPLETE", "fine", STACK_ARN)
    assert (found.outputs, found.parameters, found.tags) == ({"Arn": "arn"}, {"Env": "prod"}, {"team": "ml"})
    assert (found.role_arn, found.termination_protection) == ("arn:aws:iam::123456789012:role/execution", True)
    assert found.last_updated == "2026-11-20T13:00:00.000000+00:00"
    assert found.drift is DriftStatus.DRIFTED


def test_a_bare_stack_was_last_updated_when_it_was_created(stub: Stubber, cfn: CloudFormation) -> None:
    answer = {"StackName": "churn", "StackStatus": "REVIEW_IN_PROGRESS", "CreationTime": NOON}
    stub.add_response("describe_stacks", {"Stacks": [answer]}, {"StackName": "churn"})
    found = cfn.stack("churn")
    assert found is not None
    assert found.last_updated == "2026-11-20T12:00:00.000000+00:00"
    assert (found.role_arn, found.termination_protection, found.drift) == (None, False, DriftStatus.UNKNOWN)


def test_no_stack_is_none_and_other_errors_are_errors(stub: Stubber, cfn: CloudFormation) -> None:
    stub.add_client_error("describe_stacks", "ValidationError", "Stack with id churn does not exist")
    assert cfn.stack("churn") is None
    stub.add_client_error("describe_stacks", "ValidationError", "1 validation error detected")
    with pytest.raises(AwsFailed, match="1 validation error"):
        cfn.stack("churn")


def test_resources_are_read_to_the_last_page(stub: Stubber, cfn: CloudFormation) -> None:
    def row(name: str) -> dict[str, Any]:
        return {
            "LogicalResourceId": name,
            "PhysicalResourceId": f"p-{name}",
            "ResourceType": "AWS::S3::Bucket",
            "LastUpdatedTimestamp": NOON,
            "ResourceStatus": "CREATE_COMPLETE",
        }

    stub.add_response(
        "list_stack_resources", {"StackResourceSummaries": [row("B")], "NextToken": "2"}, {"StackName": "churn"}
    )
    stub.add_response(
        "list_stack_resources", {"StackResourceSummaries": [row("A")]}, {"StackName": "churn", "NextToken": "2"}
    )
    assert [(item.logical_id, item.physical_id) for item in cfn.resources("churn")] == [("A", "p-A"), ("B", "p-B")]


def event(number: int, by: str = "t") -> dict[str, Any]:
    return {
        "StackId": STACK_ARN,
        "EventId": str(number),
        "StackName": "churn",
        "LogicalResourceId": f"R{number}",
        "ResourceStatus": "CREATE_COMPLETE",
        "Timestamp": NOON.replace(minute=number),
        "ClientRequestToken": by,
    }


def test_events_come_oldest_first_and_stop_at_the_known_one(stub: Stubber, cfn: CloudFormation) -> None:
    stub.add_response(
        "describe_stack_events",
        {"StackEvents": [event(5), event(4, "other")], "NextToken": "2"},
        {"StackName": "churn"},
    )
    stub.add_response(
        "describe_stack_events",
        {"StackEvents": [event(3), event(2), event(1)], "NextToken": "3"},
        {"StackName": "churn", "NextToken": "2"},
    )
    found = cfn.events("churn", since="2026-11-20T12:02:00.000000+00:00", token="t")
    assert [item.logical_id for item in found] == ["R3", "R5"]
    assert found[0].timestamp == "2026-11-20T12:03:00.000000+00:00"


def test_all_events_of_a_stack(stub: Stubber, cfn: CloudFormation) -> None:
    stub.add_response("describe_stack_events", {"StackEvents": [event(2), event(1)]}, {"StackName": "churn"})
    assert [item.logical_id for item in cfn.events("churn")] == ["R1", "R2"]


def test_changing_calls_send_only_what_is_given(stub: Stubber, cfn: CloudFormation) -> None:
    stub.add_response("delete_stack", {}, {"StackName": "churn"})
    cfn.delete_stack("churn")
    stub.add_response(
        "delete_stack",
        {},
        {"StackName": "churn", "RetainResources": ["B"], "ClientRequestToken": "t", "RoleARN": "arn:aws:iam::1:role/x"},
    )
    cfn.delete_stack("churn", retain=["B"], token="t", role="arn:aws:iam::1:role/x")
    stub.add_response("update_termination_protection", {}, {"StackName": "churn", "EnableTerminationProtection": False})
    cfn.set_termination_protection("churn", on=False)
    stub.add_response("continue_update_rollback", {}, {"StackName": "churn", "ClientRequestToken": "t"})
    cfn.continue_rollback("churn", token="t")
    stub.add_response("execute_change_set", {}, {"ChangeSetName": ARN, "ClientRequestToken": "t"})
    cfn.execute(ARN, token="t")


def test_a_change_whose_answer_is_lost_is_unknown(stub: Stubber, cfn: CloudFormation) -> None:
    stub.add_client_error("execute_change_set", "InternalFailure", "oops", http_status_code=500)
    with pytest.raises(Unknown, match="stackseal recover"):
        cfn.execute(ARN, token="t")
    stub.add_client_error("delete_stack", "ServiceUnavailable", "oops", http_status_code=503)
    with pytest.raises(Unknown):
        cfn.delete_stack("churn")


# --- templates


def test_templates_come_back_canonical(stub: Stubber, cfn: CloudFormation) -> None:
    stub.add_response(
        "get_template",
        {"TemplateBody": '{"b": 1, "a": 2}'},
        {"ChangeSetName": ARN, "TemplateStage": "Original"},
    )
    assert cfn.template(change_set=ARN).replace(" ", "") in {'{"a":2,"b":1}', '{"b":1,"a":2}'}
    stub.add_response("get_template", {"TemplateBody": "a: 1"}, {"StackName": "churn", "TemplateStage": "Original"})
    assert cfn.template(stack="churn") == "a: 1"


def test_validation_is_told_in_our_words(stub: Stubber, cfn: CloudFormation) -> None:
    answer = {"Capabilities": ["CAPABILITY_IAM"], "DeclaredTransforms": [], "Parameters": [{"ParameterKey": "Env"}]}
    stub.add_response("validate_template", answer, {"TemplateBody": "{}"})
    found = cfn.validate("{}")
    assert (found.capabilities, found.transforms, found.parameters) == (("CAPABILITY_IAM",), (), ("Env",))
    stub.add_client_error("validate_template", "ValidationError", "Template format error: x")
    with pytest.raises(AwsFailed, match="does not accept the template: Template format error: x"):
        cfn.validate("{}")


# --- change sets


def test_a_change_set_is_ordered_in_one_order(stub: Stubber, cfn: CloudFormation) -> None:
    stub.add_response(
        "create_change_set",
        {"Id": ARN, "StackId": STACK_ARN},
        {
            "StackName": "churn",
            "ChangeSetName": "seal",
            "ChangeSetType": "UPDATE",
            "TemplateBody": "{}",
            "Parameters": [
                {"ParameterKey": "a", "ParameterValue": "1"},
                {"ParameterKey": "b", "ParameterValue": "2"},
            ],
            "Tags": [{"Key": "x", "Value": "1"}, {"Key": "y", "Value": "2"}],
            "Capabilities": [],
            "IncludeNestedStacks": False,
        },
    )
    assert cfn.create_change_set(new()) == (ARN, STACK_ARN)
    stub.add_response(
        "create_change_set",
        {"Id": ARN, "StackId": STACK_ARN},
        {
            "StackName": "churn",
            "ChangeSetName": "seal",
            "ChangeSetType": "UPDATE",
            "TemplateBody": "{}",
            "Parameters": ANY,
            "Tags": ANY,
            "Capabilities": ["CAPABILITY_AUTO_EXPAND", "CAPABILITY_NAMED_IAM"],
            "IncludeNestedStacks": True,
            "RoleARN": "arn:aws:iam::123456789012:role/x",
            "Description": "d",
            "ClientToken": "t",
        },
    )
    capabilities = ("CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
    role = "arn:aws:iam::123456789012:role/x"
    cfn.create_change_set(new(capabilities=capabilities, role=role, description="d", token="t", nested=True))


@pytest.mark.parametrize("size", [BODY_LIMIT - 1, BODY_LIMIT])
def test_a_small_template_travels_inside_the_request(stub: Stubber, cfn: CloudFormation, size: int) -> None:
    body = "x" * size
    stub.add_response("validate_template", {}, {"TemplateBody": body})
    cfn.validate(body)


@pytest.mark.parametrize("size", [BODY_LIMIT + 1, URL_LIMIT])
def test_a_large_template_goes_to_the_bucket_under_its_own_digest(
    aws: Aws, stub: Stubber, cfn: CloudFormation, size: int
) -> None:
    body = "x" * size
    key = f"stackseal/templates/{sha256(body)}.json"
    with Stubber(aws.client("s3")) as s3:
        s3.add_response(
            "put_object",
            {},
            {
                "Bucket": "artifacts",
                "Key": key,
                "Body": body.encode(),
                "ContentType": "application/json",
                "ChecksumAlgorithm": "SHA256",
            },
        )
        url = f"{aws.client('s3').meta.endpoint_url}/artifacts/{key}"
        stub.add_response("validate_template", {}, {"TemplateURL": url})
        cfn.validate(body, store=Store(bucket="artifacts", prefix="/stackseal/"))
        s3.assert_no_pending_responses()


def test_bytes_count_not_characters(cfn: CloudFormation) -> None:
    with pytest.raises(Failed, match="51,202 bytes"):
        cfn.validate("é" * 25_601)


def test_a_large_template_without_a_bucket_is_a_clear_failure(cfn: CloudFormation) -> None:
    with pytest.raises(Failed, match=r"51,201 bytes.*no bucket is set.*stackseal bootstrap"):
        cfn.create_change_set(new(body="x" * (BODY_LIMIT + 1)))
    with pytest.raises(Failed, match="CloudFormation accepts 1,000,000"):
        cfn.validate("x" * (URL_LIMIT + 1), store=Store(bucket="artifacts"))


def page(changes: list[str], token: str | None = None, **more: Any) -> dict[str, Any]:
    rows = [
        {
            "Type": "Resource",
            "ResourceChange": {"Action": "Add", "LogicalResourceId": name, "ResourceType": "AWS::S3::Bucket"},
        }
        for name in changes
    ]
    return {
        "ChangeSetName": "seal",
        "ChangeSetId": ARN,
        "StackId": STACK_ARN,
        "Status": "CREATE_COMPLETE",
        "ExecutionStatus": "AVAILABLE",
        "Changes": rows,
        **({"NextToken": token} if token else {}),
        **more,
    }


def test_a_change_set_is_read_in_both_views_to_the_last_page(stub: Stubber, cfn: CloudFormation) -> None:
    details = {
        "Parameters": [
            {"ParameterKey": "Env", "ParameterValue": "prod"},
            {"ParameterKey": "Vpc", "ParameterValue": "/vpc", "ResolvedValue": "vpc-1"},
        ],
        "Tags": [{"Key": "team", "Value": "ml"}],
        "Capabilities": ["CAPABILITY_IAM"],
        "Description": "digest",
    }
    stub.add_response("describe_change_set", page(["A"], "2", **details), {"ChangeSetName": ARN})
    stub.add_response("describe_change_set", page(["B", "C"]), {"ChangeSetName": ARN, "NextToken": "2"})
    warning = "[WARN] --include-property-values option can return incomplete ChangeSet data because: C"
    values = {"ChangeSetName": ARN, "IncludePropertyValues": True}
    stub.add_response("describe_change_set", page(["A"], "2", StatusReason=warning), values)
    stub.add_response("describe_change_set", page(["B"]), {**values, "NextToken": "2"})

    found = cfn.change_set(ARN)

    assert [change.logical_id for change in found.changes] == ["A", "B", "C"]
    assert found.parameters == {"Env": "prod", "Vpc": "/vpc"}
    assert found.resolved == {"Vpc": "vpc-1"}
    assert (found.tags, found.capabilities, found.description) == ({"team": "ml"}, ("CAPABILITY_IAM",), "digest")
    assert (found.values, found.incomplete, found.reason) == (True, True, "")


def test_a_service_without_values_still_tells_the_changes(stub: Stubber, cfn: CloudFormation) -> None:
    stub.add_response("describe_change_set", page(["A"]), {"ChangeSetName": ARN})
    stub.add_client_error("describe_change_set", "ValidationError", "IncludePropertyValues is not supported")
    found = cfn.change_set(ARN)
    assert ([change.logical_id for change in found.changes], found.values) == (["A"], False)


def test_other_errors_while_reading_values_are_not_swallowed(stub: Stubber, cfn: CloudFormation) -> None:
    stub.add_response("describe_change_set", page(["A"]), {"ChangeSetName": ARN})
    stub.add_client_error("describe_change_set", "AccessDenied", "no")
    with pytest.raises(AwsFailed, match="may not do this"):
        cfn.change_set(ARN)


def test_the_status_of_a_change_set_is_one_call(stub: Stubber, cfn: CloudFormation) -> None:
    stub.add_response("describe_change_set", page([], StatusReason="why", CreationTime=NOON), {"ChangeSetName": ARN})
    found = cfn.change_set_status(ARN)
    assert (found.status, found.execution_status, found.reason) == ("CREATE_COMPLETE", "AVAILABLE", "why")


def test_change_sets_are_listed_to_the_last_page(stub: Stubber, cfn: CloudFormation) -> None:
    rows = [{"ChangeSetName": name, "ChangeSetId": f"{ARN}{name}", "Status": "FAILED"} for name in ("b", "a")]
    stub.add_response("list_change_sets", {"Summaries": rows[:1], "NextToken": "2"}, {"StackName": "churn"})
    stub.add_response("list_change_sets", {"Summaries": rows[1:]}, {"StackName": "churn", "NextToken": "2"})
    assert [ref.name for ref in cfn.list_change_sets("churn")] == ["a", "b"]


def test_deleting_what_is_gone_is_no_error(stub: Stubber, cfn: CloudFormation) -> None:
    stub.add_response("delete_change_set", {}, {"ChangeSetName": ARN})
    cfn.delete_change_set(ARN)
    stub.add_client_error("delete_change_set", "ChangeSetNotFound", "gone")
    cfn.delete_change_set(ARN)
    stub.add_client_error("delete_change_set", "InvalidChangeSetStatus", "executing")
    with pytest.raises(AwsFailed):
        cfn.delete_change_set(ARN)


# --- drift


def drift_page(*rows: tuple[str, str], token: str | None = None) -> dict[str, Any]:
    found = [
        {
            "StackId": STACK_ARN,
            "LogicalResourceId": name,
            "PhysicalResourceId": f"p-{name}",
            "ResourceType": "AWS::S3::Bucket",
            "StackResourceDriftStatus": status,
            "Timestamp": NOON,
            "PropertyDifferences": [
                {
                    "PropertyPath": "/Tags/0",
                    "ExpectedValue": '{"a":1}',
                    "ActualValue": "null",
                    "DifferenceType": "REMOVE",
                },
                {"PropertyPath": "/Name", "ExpectedValue": "a", "ActualValue": "b", "DifferenceType": "NOT_EQUAL"},
            ]
            if status == "MODIFIED"
            else [],
        }
        for name, status in rows
    ]
    return {"StackResourceDrifts": found, **({"NextToken": token} if token else {})}


def listing(stub: Stubber, *names: str, drift: str | None = None) -> None:
    rows: list[dict[str, Any]] = [
        {
            "LogicalResourceId": name,
            "PhysicalResourceId": f"p-{name}",
            "ResourceType": "AWS::S3::Bucket",
            "LastUpdatedTimestamp": NOON,
            "ResourceStatus": "CREATE_COMPLETE",
            **({"DriftInformation": {"StackResourceDriftStatus": drift}} if drift else {}),
        }
        for name in names
    ]
    stub.add_response("list_stack_resources", {"StackResourceSummaries": rows}, {"StackName": "churn"})


def detection(stub: Stubber, status: str, reason: str | None = None) -> None:
    answer = {
        "StackId": STACK_ARN,
        "StackDriftDetectionId": "id",
        "DetectionStatus": status,
        "Timestamp": NOON,
        **({"DetectionStatusReason": reason} if reason else {}),
    }
    stub.add_response("describe_stack_drift_detection_status", answer, {"StackDriftDetectionId": "id"})


def run(cfn: CloudFormation, **more: Any) -> Any:
    seconds = iter(range(1_000))
    return cfn.detect_drift(STACK, sleep=lambda _: None, clock=lambda: float(next(seconds)), **more)


def test_drift_is_detected_to_the_last_page(stub: Stubber, cfn: CloudFormation) -> None:
    stub.add_response("detect_stack_drift", {"StackDriftDetectionId": "id"}, {"StackName": "churn"})
    detection(stub, "DETECTION_IN_PROGRESS")
    detection(stub, "DETECTION_COMPLETE")
    first = {"StackName": "churn", "MaxResults": 100}
    stub.add_response("describe_stack_resource_drifts", drift_page(("A", "MODIFIED"), token="2"), first)
    stub.add_response("describe_stack_resource_drifts", drift_page(("B", "IN_SYNC")), {**first, "NextToken": "2"})
    listing(stub, "A", "B", "C")

    found = run(cfn)

    assert found.status is DriftStatus.DRIFTED
    assert [(item.logical_id, item.status) for item in found.resources] == [
        ("A", "MODIFIED"),
        ("B", "IN_SYNC"),
        ("C", "NOT_CHECKED"),
    ]
    assert [(item.path, item.expected, item.actual) for item in found.drifted[0].differences] == [
        ("Name", '"a"', '"b"'),
        ("Tags/0", '{"a":1}', None),
    ]
    assert (found.checked, len(found.resources)) == (2, 3)


@pytest.mark.parametrize(
    ("detected", "rows", "expected"),
    [
        ("DETECTION_COMPLETE", [("A", "IN_SYNC"), ("B", "IN_SYNC")], DriftStatus.IN_SYNC),
        ("DETECTION_COMPLETE", [("A", "IN_SYNC"), ("B", "NOT_CHECKED")], DriftStatus.IN_SYNC),
        ("DETECTION_COMPLETE", [("A", "IN_SYNC"), ("B", "UNKNOWN")], DriftStatus.UNKNOWN),
        ("DETECTION_COMPLETE", [("A", "NOT_CHECKED"), ("B", "UNSUPPORTED")], DriftStatus.UNKNOWN),
        ("DETECTION_COMPLETE", [("A", "UNKNOWN"), ("B", "DELETED")], DriftStatus.DRIFTED),
        ("DETECTION_FAILED", [("A", "IN_SYNC"), ("B", "IN_SYNC")], DriftStatus.UNKNOWN),
        ("DETECTION_FAILED", [("A", "MODIFIED"), ("B", "IN_SYNC")], DriftStatus.DRIFTED),
    ],
)
def test_what_was_not_compared_is_not_in_sync(
    stub: Stubber, cfn: CloudFormation, detected: str, rows: list[tuple[str, str]], expected: DriftStatus
) -> None:
    stub.add_response("detect_stack_drift", {"StackDriftDetectionId": "id"}, {"StackName": "churn"})
    detection(stub, detected, "partly" if detected == "DETECTION_FAILED" else None)
    stub.add_response("describe_stack_resource_drifts", drift_page(*rows), {"StackName": "churn", "MaxResults": 100})
    listing(stub, "A", "B")

    found = run(cfn)
    assert found.status is expected
    assert found.reason == ("partly" if detected == "DETECTION_FAILED" else "")


def test_of_some_resources_the_list_says_how_they_stand(stub: Stubber, cfn: CloudFormation) -> None:
    given = {"StackName": "churn", "LogicalResourceIds": ["B"]}
    stub.add_response("detect_stack_drift", {"StackDriftDetectionId": "id"}, given)
    detection(stub, "DETECTION_COMPLETE")
    listing(stub, "A", "B", drift="MODIFIED")
    found = run(cfn, logical_ids=["B"])
    assert [(item.logical_id, item.status, item.differences) for item in found.resources] == [("B", "MODIFIED", ())]
    assert found.status is DriftStatus.DRIFTED


def test_a_resource_of_which_the_list_says_nothing_was_not_checked(stub: Stubber, cfn: CloudFormation) -> None:
    given = {"StackName": "churn", "LogicalResourceIds": ["A"]}
    stub.add_response("detect_stack_drift", {"StackDriftDetectionId": "id"}, given)
    detection(stub, "DETECTION_COMPLETE")
    listing(stub, "A")
    (only,) = run(cfn, logical_ids=["A"]).resources
    assert only.status == "NOT_CHECKED"


def test_a_detection_that_is_running_is_waited_for(stub: Stubber, cfn: CloudFormation) -> None:
    stub.add_client_error("detect_stack_drift", "ValidationError", "Drift detection is already in progress for stack")
    stub.add_response("detect_stack_drift", {"StackDriftDetectionId": "id"}, {"StackName": "churn"})
    detection(stub, "DETECTION_COMPLETE")
    stub.add_response(
        "describe_stack_resource_drifts", drift_page(("A", "IN_SYNC")), {"StackName": "churn", "MaxResults": 100}
    )
    listing(stub, "A")
    assert run(cfn).status is DriftStatus.IN_SYNC


def test_a_detection_without_end_is_unknown(stub: Stubber, cfn: CloudFormation) -> None:
    stub.add_response("detect_stack_drift", {"StackDriftDetectionId": "id"}, {"StackName": "churn"})
    for _ in range(3):
        detection(stub, "DETECTION_IN_PROGRESS")
    with pytest.raises(Unknown, match="did not end in time"):
        run(cfn, limit=3.0)


# --- ssm


def test_parameters_are_read_one_by_one_and_by_path(aws: Aws) -> None:
    found = Parameters(aws)
    with Stubber(aws.client("ssm")) as ssm:
        ssm.add_response("get_parameter", {"Parameter": {"Name": "/a", "Value": "1"}}, {"Name": "/a"})
        assert found.get("/a") == "1"
        ssm.add_client_error("get_parameter", "ParameterNotFound", "gone")
        assert found.get("/a") is None
        ssm.add_client_error("get_parameter", "AccessDeniedException", "no")
        with pytest.raises(AwsFailed, match="could not read the SSM parameter /a"):
            found.get("/a")
        path = {"Path": "/ml/churn", "Recursive": True}
        one, two = {"Name": "/ml/churn/b", "Value": "2"}, {"Name": "/ml/churn/a", "Value": "1"}
        ssm.add_response("get_parameters_by_path", {"Parameters": [one], "NextToken": "2"}, path)
        ssm.add_response("get_parameters_by_path", {"Parameters": [two]}, {**path, "NextToken": "2"})
        assert list(found.below("/ml/churn").items()) == [("/ml/churn/a", "1"), ("/ml/churn/b", "2")]
        ssm.assert_no_pending_responses()
