"""CodeBuild projects with every property that they were given; builds stay with ministack.

ministack keeps about half of a project's properties, so a project would drift from its template at once.
Shapes and error codes: the service's API model in botocore.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from stackseal.local.messages import Place, ServiceError
from stackseal.local.services.store import Operation, Record, State, now, page

KIND: Final = "codebuild"


def arn(place: Place, name: str) -> str:
    return f"arn:{place.partition}:codebuild:{place.region}:{place.account}:project/{name}"


def resource(place: Place, operation: str, parameters: Mapping[str, Any]) -> str:
    if operation == "ListProjects":
        return "*"
    if "projectArn" in parameters:
        return str(parameters["projectArn"])
    names = parameters.get("names") or ["*"]
    return arn(place, str(parameters.get("name") or names[0]))


def _create(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["name"])
    record: Record = {
        "timeoutInMinutes": 60,
        "queuedTimeoutInMinutes": 480,
        "encryptionKey": f"arn:{place.partition}:kms:{place.region}:{place.account}:alias/aws/s3",
        "badge": {"badgeEnabled": False},
        "cache": {"type": "NO_CACHE"},
        "projectVisibility": "PRIVATE",
        "tags": [],
        **copy.deepcopy(dict(parameters)),
        "arn": arn(place, name),
        "created": now(),
        "lastModified": now(),
    }
    taken = ServiceError("ResourceAlreadyExistsException", f"Project already exists: {record['arn']}")
    return {"project": state.table(KIND, place).add(name, record, taken)}


def _update(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["name"])
    missing = ServiceError("ResourceNotFoundException", f"Project cannot be found: {arn(place, name)}")
    record = state.table(KIND, place).get(name, missing)
    record.update(copy.deepcopy(dict(parameters)), lastModified=now())
    return {"project": record}


def _show(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["projectArn"]).rpartition("/")[2]
    missing = ServiceError("ResourceNotFoundException", f"Project cannot be found: {arn(place, name)}")
    record = state.table(KIND, place).get(name, missing)
    record["projectVisibility"] = parameters["projectVisibility"]
    return {"projectArn": record["arn"], "projectVisibility": record["projectVisibility"]}


def _delete(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    state.table(KIND, place).records.pop(str(parameters["name"]), None)
    return {}


def _batch_get(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    records = state.table(KIND, place).records
    names = {str(name): str(name).rpartition("/")[2] for name in parameters["names"]}
    return {
        "projects": [records[name] for name in names.values() if name in records],
        "projectsNotFound": [given for given, name in names.items() if name not in records],
    }


def _list(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    names = sorted(state.table(KIND, place).records)
    found, token = page(names, parameters, cursor="nextToken", limit="maxResults")
    return {"projects": found, **({"nextToken": token} if token else {})}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "BatchGetProjects": _batch_get,
    "CreateProject": _create,
    "DeleteProject": _delete,
    "ListProjects": _list,
    "UpdateProject": _update,
    "UpdateProjectVisibility": _show,
}
