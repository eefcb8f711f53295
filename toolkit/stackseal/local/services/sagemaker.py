"""SageMaker's model registry: package groups and versioned packages. Everything else of SageMaker goes to moto.

moto can neither delete nor update a group, so the registry is ours as a whole.
Shapes and error codes: the service's API model in botocore.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from stackseal.local.messages import Place, ServiceError
from stackseal.local.services.store import Operation, Record, State, now, page

GROUPS: Final = "sagemaker-groups"
PACKAGES: Final = "sagemaker-packages"


def _arn(place: Place, kind: str, name: str) -> str:
    return f"arn:{place.partition}:sagemaker:{place.region}:{place.account}:{kind}/{name}"


def group_arn(place: Place, name: str) -> str:
    return _arn(place, "model-package-group", name)


def resource(place: Place, operation: str, parameters: Mapping[str, Any]) -> str:
    if "ResourceArn" in parameters:
        return str(parameters["ResourceArn"])
    if operation.startswith("List"):
        return "*"
    package = str(parameters.get("ModelPackageName") or parameters.get("ModelPackageArn") or "")
    if package:
        return package if package.startswith("arn:") else _arn(place, "model-package", package)
    name = str(parameters.get("ModelPackageGroupName") or "*").rpartition("/")[2]
    if operation == "CreateModelPackage":
        return _arn(place, "model-package", f"{name}/*")
    return group_arn(place, name)


def _missing_group(place: Place, name: str) -> ServiceError:
    return ServiceError("ValidationException", f"Model Package Group {group_arn(place, name)} does not exist.")


def _group(state: State, place: Place, parameters: Mapping[str, Any]) -> Record:
    name = str(parameters["ModelPackageGroupName"]).rpartition("/")[2]
    return state.table(GROUPS, place).get(name, _missing_group(place, name))


def _create_group(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["ModelPackageGroupName"])
    record: Record = {
        "ModelPackageGroupName": name,
        "ModelPackageGroupArn": group_arn(place, name),
        "CreationTime": now(),
        "CreatedBy": {},
        "ModelPackageGroupStatus": "Completed",
        "tags": list(parameters.get("Tags") or []),
    }
    if parameters.get("ModelPackageGroupDescription"):
        record["ModelPackageGroupDescription"] = parameters["ModelPackageGroupDescription"]
    taken = ServiceError("ValidationException", f"Model Package Group already exists: {record['ModelPackageGroupArn']}")
    state.table(GROUPS, place).add(name, record, taken)
    return {"ModelPackageGroupArn": record["ModelPackageGroupArn"]}


def _public(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in {"tags", "policy"}}


def _describe_group(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return _public(_group(state, place, parameters))


def _delete_group(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    record = _group(state, place, parameters)
    name = record["ModelPackageGroupName"]
    if any(package["ModelPackageGroupName"] == name for package in state.table(PACKAGES, place).records.values()):
        raise ServiceError(
            "ConflictException",
            f"Model Package Group {record['ModelPackageGroupArn']} has model packages and cannot be deleted.",
        )
    del state.table(GROUPS, place).records[name]
    return {}


def _list_groups(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    kept = (
        "ModelPackageGroupName",
        "ModelPackageGroupArn",
        "ModelPackageGroupDescription",
        "CreationTime",
        "ModelPackageGroupStatus",
    )
    rows = [
        {key: record[key] for key in kept if key in record}
        for _, record in sorted(state.table(GROUPS, place).records.items())
        if str(parameters.get("NameContains") or "") in record["ModelPackageGroupName"]
    ]
    found, token = page(rows, parameters, cursor="NextToken", limit="MaxResults")
    return {"ModelPackageGroupSummaryList": found, **({"NextToken": token} if token else {})}


def _put_policy(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    record = _group(state, place, parameters)
    record["policy"] = parameters["ResourcePolicy"]
    return {"ModelPackageGroupArn": record["ModelPackageGroupArn"]}


def _get_policy(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    record = _group(state, place, parameters)
    if "policy" not in record:
        raise ServiceError("ValidationException", f"Cannot find resource policy for: {record['ModelPackageGroupArn']}")
    return {"ResourcePolicy": record["policy"]}


def _delete_policy(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    _group(state, place, parameters).pop("policy", None)
    return {}


def _create_package(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    if not parameters.get("ModelPackageGroupName"):
        raise ServiceError(
            "ValidationException", "Only versioned model packages are supported here: name a ModelPackageGroupName."
        )
    group = _group(state, place, parameters)
    name = group["ModelPackageGroupName"]
    table = state.table(PACKAGES, place)
    versions = [row["ModelPackageVersion"] for row in table.records.values() if row["ModelPackageGroupName"] == name]
    version = max(versions, default=0) + 1
    arn = _arn(place, "model-package", f"{name}/{version}")
    record: Record = {
        "ModelApprovalStatus": "PendingManualApproval",
        **copy.deepcopy({key: value for key, value in parameters.items() if key not in {"Tags", "ClientToken"}}),
        "ModelPackageGroupName": name,
        "ModelPackageVersion": version,
        "ModelPackageArn": arn,
        "CreationTime": now(),
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "tags": list(parameters.get("Tags") or []),
    }
    table.add(arn, record, ServiceError("ConflictException", f"{arn} already exists"))
    return {"ModelPackageArn": arn}


def _package(state: State, place: Place, parameters: Mapping[str, Any]) -> Record:
    name = str(parameters.get("ModelPackageName") or parameters.get("ModelPackageArn"))
    arn = name if name.startswith("arn:") else _arn(place, "model-package", name)
    return state.table(PACKAGES, place).get(
        arn, ServiceError("ValidationException", f"ModelPackage {arn} does not exist")
    )


def _describe_package(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return _public(_package(state, place, parameters))


def _update_package(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    record = _package(state, place, parameters)
    kept = ("ModelApprovalStatus", "ApprovalDescription", "CustomerMetadataProperties", "SourceUri", "ModelLifeCycle")
    record.update({key: parameters[key] for key in kept if key in parameters}, LastModifiedTime=now())
    return {"ModelPackageArn": record["ModelPackageArn"]}


def _delete_package(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    del state.table(PACKAGES, place).records[_package(state, place, parameters)["ModelPackageArn"]]
    return {}


def _list_packages(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    group = str(parameters.get("ModelPackageGroupName") or "").rpartition("/")[2]
    approval = parameters.get("ModelApprovalStatus")
    kept = (
        "ModelPackageGroupName",
        "ModelPackageVersion",
        "ModelPackageArn",
        "ModelPackageDescription",
        "CreationTime",
        "ModelPackageStatus",
        "ModelApprovalStatus",
    )
    rows = [
        {key: record[key] for key in kept if key in record}
        for record in state.table(PACKAGES, place).records.values()
        if (not group or record["ModelPackageGroupName"] == group)
        and (not approval or record["ModelApprovalStatus"] == approval)
    ]
    rows.sort(key=lambda row: row["ModelPackageVersion"], reverse=parameters.get("SortOrder") != "Ascending")
    found, token = page(rows, parameters, cursor="NextToken", limit="MaxResults")
    return {"ModelPackageSummaryList": found, **({"NextToken": token} if token else {})}


def ours(operation: str, parameters: Mapping[str, Any]) -> bool:
    """Whether a call is about the registry; the tag calls are shared with the rest of SageMaker."""
    if operation in {"AddTags", "ListTags", "DeleteTags"}:
        return ":model-package" in str(parameters.get("ResourceArn"))
    return operation in OPERATIONS


def _tagged(state: State, place: Place, parameters: Mapping[str, Any]) -> Record:
    arn = str(parameters["ResourceArn"])
    if ":model-package-group/" in arn:
        name = arn.rpartition("/")[2]
        return state.table(GROUPS, place).get(name, _missing_group(place, name))
    return _package(state, place, {"ModelPackageArn": arn})


def _tags(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"Tags": _tagged(state, place, parameters)["tags"]}


def _tag(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    record = _tagged(state, place, parameters)
    given = {tag["Key"] for tag in parameters["Tags"]}
    record["tags"] = [tag for tag in record["tags"] if tag["Key"] not in given] + list(parameters["Tags"])
    return {"Tags": record["tags"]}


def _untag(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    record = _tagged(state, place, parameters)
    record["tags"] = [tag for tag in record["tags"] if tag["Key"] not in parameters["TagKeys"]]
    return {}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "AddTags": _tag,
    "CreateModelPackage": _create_package,
    "CreateModelPackageGroup": _create_group,
    "DeleteModelPackage": _delete_package,
    "DeleteModelPackageGroup": _delete_group,
    "DeleteModelPackageGroupPolicy": _delete_policy,
    "DeleteTags": _untag,
    "DescribeModelPackage": _describe_package,
    "DescribeModelPackageGroup": _describe_group,
    "GetModelPackageGroupPolicy": _get_policy,
    "ListModelPackageGroups": _list_groups,
    "ListModelPackages": _list_packages,
    "ListTags": _tags,
    "PutModelPackageGroupPolicy": _put_policy,
    "UpdateModelPackage": _update_package,
}
