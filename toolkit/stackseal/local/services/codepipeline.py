"""CodePipeline definitions (V1 and V2), their tags and executions; what makes them run is `stackseal.local.pipelines`.

Shapes and error codes: the service's API model in botocore.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from stackseal.local.messages import Place, ServiceError
from stackseal.local.services.store import Operation, Record, State, identifier, now, page

KIND: Final = "codepipeline"


def arn(place: Place, name: str) -> str:
    return f"arn:{place.partition}:codepipeline:{place.region}:{place.account}:{name}"


def resource(place: Place, operation: str, parameters: Mapping[str, Any]) -> str:
    if operation == "ListPipelines":
        return "*"
    if "resourceArn" in parameters:
        return str(parameters["resourceArn"])
    if operation == "PutApprovalResult":
        return arn(place, "{pipelineName}/{stageName}/{actionName}".format_map(parameters))
    pipeline = parameters.get("pipeline") or {}
    return arn(place, str(parameters.get("name") or parameters.get("pipelineName") or pipeline.get("name") or "*"))


def _missing(name: str, place: Place) -> ServiceError:
    message = f"Account '{place.account}' does not have a pipeline with name '{name}'"
    return ServiceError("PipelineNotFoundException", message)


def _create(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    pipeline: Record = copy.deepcopy(dict(parameters["pipeline"]))
    name = str(pipeline["name"])
    _validate(pipeline)
    pipeline.update(version=1, pipelineType=pipeline.get("pipelineType", "V1"))
    pipeline.setdefault("executionMode", "SUPERSEDED")
    tags = list(parameters.get("tags") or [])
    record = {"pipeline": pipeline, "tags": tags, "created": now(), "updated": now(), "disabled": {}, "executions": []}
    taken = ServiceError(
        "PipelineNameInUseException", f"A pipeline with the name '{name}' already exists in account '{place.account}'"
    )
    state.table(KIND, place).add(name, record, taken)
    start(state, place, name, trigger="CreatePipeline")
    return {"pipeline": pipeline, "tags": tags}


def record(state: State, place: Place, name: str) -> Record | None:
    """A pipeline with its executions, newest first."""
    return state.table(KIND, place).records.get(name)


def names(state: State, place: Place) -> tuple[str, ...]:
    """Every pipeline of an account and region."""
    return tuple(sorted(state.table(KIND, place).records))


def start(state: State, place: Place, name: str, *, trigger: str) -> str | None:
    """A new execution; None where there is no such pipeline."""
    found = record(state, place, name)
    if found is None:
        return None
    made = identifier(KIND, place.account, place.region, name, str(len(found["executions"])))
    row = {
        "pipelineExecutionId": made,
        "status": "InProgress",
        "startTime": now(),
        "lastUpdateTime": now(),
        "trigger": {"triggerType": trigger},
        "executionMode": found["pipeline"]["executionMode"],
        "_actions": {},
        "_artifacts": {},
    }
    found["executions"].insert(0, row)
    return made


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if not key.startswith("_")}


def _validate(pipeline: Mapping[str, Any]) -> None:
    if len(pipeline.get("stages") or []) < 2:
        raise ServiceError("InvalidStructureException", "Pipeline has fewer than 2 stages; there should be at least 2")
    if any(action["actionTypeId"]["category"] != "Source" for action in pipeline["stages"][0]["actions"]):
        raise ServiceError(
            "InvalidStructureException", "Pipeline should start with a stage that only contains source actions"
        )
    if "artifactStore" not in pipeline and "artifactStores" not in pipeline:
        raise ServiceError("InvalidStructureException", "Pipeline should have an artifact store")


def _update(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    pipeline: Record = copy.deepcopy(dict(parameters["pipeline"]))
    name = str(pipeline["name"])
    record = state.table(KIND, place).get(name, _missing(name, place))
    _validate(pipeline)
    pipeline.update(version=record["pipeline"]["version"] + 1, pipelineType=pipeline.get("pipelineType", "V1"))
    pipeline.setdefault("executionMode", "SUPERSEDED")
    record.update(pipeline=pipeline, updated=now())
    return {"pipeline": pipeline}


def _get(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["name"])
    record = state.table(KIND, place).get(name, _missing(name, place))
    metadata = {"pipelineArn": arn(place, name), "created": record["created"], "updated": record["updated"]}
    return {"pipeline": record["pipeline"], "metadata": metadata}


def _delete(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    state.table(KIND, place).records.pop(str(parameters["name"]), None)
    return {}


def _list(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    records = state.table(KIND, place).records
    rows = [_summary(records[name]) for name in sorted(records)]
    found, token = page(rows, parameters, cursor="nextToken", limit="maxResults")
    return {"pipelines": found, **({"nextToken": token} if token else {})}


def _summary(record: Mapping[str, Any]) -> dict[str, Any]:
    pipeline = record["pipeline"]
    kept = {key: pipeline[key] for key in ("name", "version", "pipelineType", "executionMode")}
    return {**kept, "created": record["created"], "updated": record["updated"]}


def _state(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["name"])
    record = state.table(KIND, place).get(name, _missing(name, place))
    stages = []
    for stage in record["pipeline"]["stages"]:
        reason = record["disabled"].get(stage["name"])
        transition = {"enabled": reason is None, **({"disabledReason": reason} if reason else {})}
        actions = [_action(record["executions"], stage["name"], action["name"]) for action in stage["actions"]]
        stages.append({"stageName": stage["name"], "inboundTransitionState": transition, "actionStates": actions})
    version = record["pipeline"]["version"]
    return {
        "pipelineName": name,
        "pipelineVersion": version,
        "stageStates": stages,
        "created": record["created"],
        "updated": record["updated"],
    }


def _action(executions: list[Record], stage: str, name: str) -> dict[str, Any]:
    """An action with its newest run."""
    for execution in executions:
        if found := execution["_actions"].get((stage, name)):
            return {"actionName": name, "latestExecution": found}
    return {"actionName": name}


def _decide(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """An approval, given or refused."""
    name, key = str(parameters["pipelineName"]), (parameters["stageName"], parameters["actionName"])
    found = state.table(KIND, place).get(name, _missing(name, place))
    for execution in found["executions"]:
        action = execution["_actions"].get(key, {})
        if action.get("token") == parameters["token"]:
            if action["status"] != "InProgress":
                raise ServiceError("ApprovalAlreadyCompletedException", "The approval action has been completed")
            result = parameters["result"]
            status = "Succeeded" if result["status"] == "Approved" else "Failed"
            action.update(status=status, summary=result["summary"], lastStatusChange=now())
            return {"approvedAt": now()}
    raise ServiceError("InvalidApprovalTokenException", "The approval token is not valid")


def _transition(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["pipelineName"])
    disabled = state.table(KIND, place).get(name, _missing(name, place))["disabled"]
    if "reason" in parameters:
        disabled[parameters["stageName"]] = parameters["reason"]
    else:
        disabled.pop(parameters["stageName"], None)
    return {}


def _start(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["name"])
    state.table(KIND, place).get(name, _missing(name, place))
    return {"pipelineExecutionId": start(state, place, name, trigger="StartPipelineExecution")}


def _execution(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name, wanted = str(parameters["pipelineName"]), parameters["pipelineExecutionId"]
    found = state.table(KIND, place).get(name, _missing(name, place))
    for row in found["executions"]:
        if row["pipelineExecutionId"] == wanted:
            kept = {key: row[key] for key in ("pipelineExecutionId", "status", "trigger", "executionMode")}
            version = found["pipeline"]["version"]
            return {"pipelineExecution": {**kept, "pipelineName": name, "pipelineVersion": version}}
    raise ServiceError("PipelineExecutionNotFoundException", f"{wanted} not found")


def _executions(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["pipelineName"])
    rows = state.table(KIND, place).get(name, _missing(name, place))["executions"]
    found, token = page([_told(row) for row in rows], parameters, cursor="nextToken", limit="maxResults")
    return {"pipelineExecutionSummaries": found, **({"nextToken": token} if token else {})}


def _by_arn(state: State, place: Place, parameters: Mapping[str, Any]) -> Record:
    name = str(parameters["resourceArn"]).rpartition(":")[2]
    return state.table(KIND, place).get(name, ServiceError("ResourceNotFoundException", f"{name} not found"))


def _tags(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"tags": _by_arn(state, place, parameters)["tags"]}


def _tag(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    record = _by_arn(state, place, parameters)
    given = {tag["key"] for tag in parameters["tags"]}
    record["tags"] = [tag for tag in record["tags"] if tag["key"] not in given] + list(parameters["tags"])
    return {}


def _untag(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    record = _by_arn(state, place, parameters)
    record["tags"] = [tag for tag in record["tags"] if tag["key"] not in parameters["tagKeys"]]
    return {}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "CreatePipeline": _create,
    "DeletePipeline": _delete,
    "DisableStageTransition": _transition,
    "EnableStageTransition": _transition,
    "GetPipeline": _get,
    "GetPipelineExecution": _execution,
    "GetPipelineState": _state,
    "ListPipelineExecutions": _executions,
    "ListPipelines": _list,
    "ListTagsForResource": _tags,
    "PutApprovalResult": _decide,
    "StartPipelineExecution": _start,
    "TagResource": _tag,
    "UntagResource": _untag,
    "UpdatePipeline": _update,
}
