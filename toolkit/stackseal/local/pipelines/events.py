"""Events of our own services that start pipelines: a push to CodeCommit, a decision about a model package."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from stackseal.local.messages import Place

_TIME: Final = "2026-01-01T00:00:00Z"
"""No rule looks at it, and the same calls give the same events."""


def of_call(
    service: str, operation: str, place: Place, given: Mapping[str, Any], answer: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The event that AWS sends after a call, for the calls whose events rules of the products wait for."""
    match service, operation:
        case "codecommit", "CreateCommit":
            name = str(given["repositoryName"])
            detail = {
                "event": "referenceUpdated" if given.get("parentCommitId") else "referenceCreated",
                "referenceType": "branch",
                "referenceName": given["branchName"],
                "referenceFullName": f"refs/heads/{given['branchName']}",
                "repositoryName": name,
                "commitId": answer["commitId"],
            }
            arn = f"arn:{place.partition}:codecommit:{place.region}:{place.account}:{name}"
            return _event(place, "aws.codecommit", "CodeCommit Repository State Change", [arn], detail)
        case "sagemaker", "UpdateModelPackage" if given.get("ModelApprovalStatus"):
            arn = str(given["ModelPackageArn"])
            detail = {
                "ModelPackageGroupName": arn.split("/")[-2],
                "ModelPackageArn": arn,
                "ModelApprovalStatus": given["ModelApprovalStatus"],
            }
            return _event(place, "aws.sagemaker", "SageMaker Model Package State Change", [arn], detail)
    return None


def _event(
    place: Place, source: str, detail_type: str, resources: list[str], detail: Mapping[str, Any]
) -> dict[str, Any]:
    head = {"version": "0", "id": "embedded", "time": _TIME, "account": place.account, "region": place.region}
    return {**head, "source": source, "detail-type": detail_type, "resources": resources, "detail": detail}


def targets(client: Any, event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """ARN and role of every pipeline that an enabled rule of the default bus starts with this event."""
    for rule in client.list_rules()["Rules"]:
        if rule.get("State") != "ENABLED" or not rule.get("EventPattern"):
            continue
        if client.test_event_pattern(EventPattern=rule["EventPattern"], Event=json.dumps(event))["Result"]:
            for target in client.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                if ":codepipeline:" in target["Arn"]:
                    yield target["Arn"], target.get("RoleArn", "")
