"""CodeCommit repositories, as far as stacks, their readers and pipelines need them; commits by API, no Git.

Shapes and error codes: the service's API model in botocore.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from stackseal.local.messages import Place, ServiceError
from stackseal.local.services.store import Operation, Record, State, identifier, now, page

KIND: Final = "codecommit"


def arn(place: Place, name: str) -> str:
    return f"arn:{place.partition}:codecommit:{place.region}:{place.account}:{name}"


def resource(place: Place, operation: str, parameters: Mapping[str, Any]) -> str:
    if operation == "ListRepositories":
        return "*"
    if "resourceArn" in parameters:
        return str(parameters["resourceArn"])
    return arn(place, str(parameters.get("repositoryName") or parameters.get("oldName") or "*"))


def _missing(name: str) -> ServiceError:
    return ServiceError("RepositoryDoesNotExistException", f"{name} does not exist")


def _taken(name: str) -> ServiceError:
    return ServiceError("RepositoryNameExistsException", f"Repository named {name} already exists")


def _create(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    table, name = state.table(KIND, place), str(parameters["repositoryName"])
    host = f"git-codecommit.{place.region}.amazonaws.com/v1/repos/{name}"
    record: Record = {
        "accountId": place.account,
        "repositoryId": identifier(KIND, place.account, place.region, name, str(table.created)),
        "repositoryName": name,
        "lastModifiedDate": now(),
        "creationDate": now(),
        "cloneUrlHttp": f"https://{host}",
        "cloneUrlSsh": f"ssh://{host}",
        "Arn": arn(place, name),
        "kmsKeyId": parameters.get("kmsKeyId")
        or f"arn:{place.partition}:kms:{place.region}:{place.account}:alias/aws/codecommit",
    }
    if parameters.get("repositoryDescription"):
        record["repositoryDescription"] = parameters["repositoryDescription"]
    held: Record = {"metadata": record, "tags": dict(parameters.get("tags") or {}), "triggers": [], "branches": {}}
    table.add(name, held, _taken(name))
    return {"repositoryMetadata": record}


def _get(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["repositoryName"])
    return {"repositoryMetadata": state.table(KIND, place).get(name, _missing(name))["metadata"]}


def _delete(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    record = state.table(KIND, place).records.pop(str(parameters["repositoryName"]), None)
    return {"repositoryId": record["metadata"]["repositoryId"]} if record else {}


def _list(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    records = state.table(KIND, place).records
    rows = [
        {"repositoryName": name, "repositoryId": records[name]["metadata"]["repositoryId"]} for name in sorted(records)
    ]
    found, token = page(rows, parameters, cursor="nextToken", limit="maxResults", size=1000)
    return {"repositories": found, **({"nextToken": token} if token else {})}


def _batch_get(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    records = state.table(KIND, place).records
    names = [str(name) for name in parameters["repositoryNames"]]
    return {
        "repositories": [records[name]["metadata"] for name in names if name in records],
        "repositoriesNotFound": [name for name in names if name not in records],
    }


def _describe(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["repositoryName"])
    metadata = state.table(KIND, place).get(name, _missing(name))["metadata"]
    metadata["repositoryDescription"] = parameters.get("repositoryDescription", "")
    return {}


def _rename(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    table, old, new = state.table(KIND, place), str(parameters["oldName"]), str(parameters["newName"])
    record = table.get(old, _missing(old))
    if new in table.records:
        raise _taken(new)
    table.records[new] = table.records.pop(old)
    record["metadata"].update(repositoryName=new, Arn=arn(place, new))
    for key in ("cloneUrlHttp", "cloneUrlSsh"):
        record["metadata"][key] = record["metadata"][key].removesuffix(old) + new
    return {}


def _rekey(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["repositoryName"])
    metadata = state.table(KIND, place).get(name, _missing(name))["metadata"]
    before, metadata["kmsKeyId"] = metadata["kmsKeyId"], parameters["kmsKeyId"]
    return {"repositoryId": metadata["repositoryId"], "kmsKeyId": metadata["kmsKeyId"], "originalKmsKeyId": before}


def _by_arn(state: State, place: Place, parameters: Mapping[str, Any]) -> Record:
    name = str(parameters["resourceArn"]).rpartition(":")[2]
    return state.table(KIND, place).get(name, _missing(name))


def _tags(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"tags": _by_arn(state, place, parameters)["tags"]}


def _tag(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    _by_arn(state, place, parameters)["tags"].update(parameters["tags"])
    return {}


def _untag(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    tags = _by_arn(state, place, parameters)["tags"]
    for key in parameters["tagKeys"]:
        tags.pop(key, None)
    return {}


def _triggers(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["repositoryName"])
    return {"triggers": state.table(KIND, place).get(name, _missing(name))["triggers"]}


def _put_triggers(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["repositoryName"])
    state.table(KIND, place).get(name, _missing(name))["triggers"] = list(parameters["triggers"])
    return {"configurationId": identifier(KIND, "triggers", name)}


def _branches(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["repositoryName"])
    return {"branches": sorted(state.table(KIND, place).get(name, _missing(name))["branches"])}


def content(state: State, place: Place, name: str, branch: str) -> Mapping[str, bytes] | None:
    """Path → content at the tip of a branch; None where the repository or the branch is not there."""
    found = state.table(KIND, place).records.get(name, {"branches": {}})["branches"].get(branch)
    return found["files"] if found else None


def _commit(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A commit on a branch, which the first one makes."""
    name, branch = str(parameters["repositoryName"]), str(parameters["branchName"])
    branches = state.table(KIND, place).get(name, _missing(name))["branches"]
    tip = branches.get(branch, {"commitId": None, "files": {}})
    if parameters.get("parentCommitId") != tip["commitId"]:
        code = (
            "ParentCommitIdOutdatedException" if parameters.get("parentCommitId") else "ParentCommitIdRequiredException"
        )
        raise ServiceError(code, f"The tip of {branch} is {tip['commitId']}")
    put = {entry["filePath"]: base64.b64decode(entry["fileContent"]) for entry in parameters.get("putFiles") or []}
    gone = {entry["filePath"] for entry in parameters.get("deleteFiles") or []}
    files = {path: text for path, text in {**tip["files"], **put}.items() if path not in gone}
    parts = [f"{path}\0{text.hex()}" for path, text in sorted(files.items())]
    commit = hashlib.sha1("\0".join([str(tip["commitId"]), *parts]).encode(), usedforsecurity=False).hexdigest()
    branches[branch] = {"commitId": commit, "files": files}
    return {"commitId": commit, "treeId": commit}


def _branch(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name, branch = str(parameters["repositoryName"]), str(parameters["branchName"])
    found = state.table(KIND, place).get(name, _missing(name))["branches"].get(branch)
    if found is None:
        raise ServiceError("BranchDoesNotExistException", f"{branch} does not exist")
    return {"branch": {"branchName": branch, "commitId": found["commitId"]}}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "BatchGetRepositories": _batch_get,
    "CreateCommit": _commit,
    "CreateRepository": _create,
    "DeleteRepository": _delete,
    "GetBranch": _branch,
    "GetRepository": _get,
    "GetRepositoryTriggers": _triggers,
    "ListBranches": _branches,
    "ListRepositories": _list,
    "ListTagsForResource": _tags,
    "PutRepositoryTriggers": _put_triggers,
    "TagResource": _tag,
    "UntagResource": _untag,
    "UpdateRepositoryDescription": _describe,
    "UpdateRepositoryEncryptionKey": _rekey,
    "UpdateRepositoryName": _rename,
}
