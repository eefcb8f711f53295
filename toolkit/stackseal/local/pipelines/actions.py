"""What the actions of a pipeline do, each with what it asks of the pipeline's role (CodePipeline Guide, "Action
structure reference" and "Manage the CodePipeline service role").

An action that is started answers `InProgress`, `Succeeded` or `Failed`; one that waits is asked again later. A kind
that is not here stays `InProgress`, as on an AWS where nobody builds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.clients import Clients
from stackseal.local.messages import Place
from stackseal.local.pipelines.role import Role, Stopped
from stackseal.local.services import codecommit
from stackseal.local.services.store import Record, State, identifier

WAITS: Final = "InProgress"
DONE: Final = "Succeeded"


@dataclass(frozen=True, kw_only=True)
class Doing:
    """One action of one execution of a pipeline."""

    clients: Clients
    state: State
    place: Place
    role: Role
    pipeline: Mapping[str, Any]
    stage: str
    action: Mapping[str, Any]
    execution: Record
    record: Record
    """What is known of the action: status, token, externalExecutionId."""

    @property
    def given(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.action.get("configuration") or {}
        return found

    def client(self, service: str) -> Any:
        return self.clients.get(service, self.place)

    def file(self, reference: str) -> str:
        """`Artifact::path`, or a path in the only input artefact."""
        name, _, path = reference.rpartition("::")
        name = name or self.action["inputArtifacts"][0]["name"]
        files: Mapping[str, bytes] = self.execution["_artifacts"].get(name, {})
        self._store("s3:GetObject")
        if path not in files:
            raise Stopped(f"File [{path}] does not exist in artifact [{name}]")
        return files[path].decode("utf-8")

    def keep(self, files: Mapping[str, bytes]) -> None:
        """The output artefact; it is kept with the execution, not in the bucket."""
        self._store("s3:PutObject")
        for output in self.action["outputArtifacts"]:
            self.execution["_artifacts"][output["name"]] = dict(files)

    def _store(self, action: str) -> None:
        bucket = self.pipeline["artifactStore"]["location"]
        self.role.may(action, f"arn:{self.place.partition}:s3:::{bucket}/{self.pipeline['name']}/artefact")


def _commit(doing: Doing) -> str:
    name, branch = doing.given["RepositoryName"], doing.given["BranchName"]
    reads = "codecommit:GetBranch codecommit:GetCommit codecommit:UploadArchive codecommit:GetUploadArchiveStatus"
    doing.role.may(reads, codecommit.arn(doing.place, name))
    files = codecommit.content(doing.state, doing.place, name, branch)
    if files is None:
        raise Stopped(f"The branch {branch} of the repository {name} does not exist")
    doing.keep(files)
    return DONE


def _workflow(doing: Doing) -> str:
    client, machine = doing.client("stepfunctions"), doing.given["StateMachineArn"]
    if started := doing.record.get("externalExecutionId"):
        doing.role.may("states:DescribeExecution", started)
        found = client.describe_execution(executionArn=started)
        if found["status"] not in {"RUNNING", "SUCCEEDED"}:
            raise Stopped(f"The execution {started} is {found['status']}: {found.get('error', '')}")
        return WAITS if found["status"] == "RUNNING" else DONE
    text = doing.given.get("Input", "{}")
    text = doing.file(text) if doing.given.get("InputType") == "FilePath" else text
    doing.role.may("states:DescribeStateMachine states:StartExecution", machine)
    name = f"{doing.given['ExecutionNamePrefix']}-{identifier(doing.execution['pipelineExecutionId'], machine)}"
    made = client.start_execution(stateMachineArn=machine, name=name[:80], input=text)
    doing.record["externalExecutionId"] = made["executionArn"]
    return WAITS


def _approval(doing: Doing) -> str:
    if "token" in doing.record:
        return WAITS
    doing.record["token"] = identifier("approval", doing.execution["pipelineExecutionId"], doing.action["name"])
    if topic := doing.given.get("NotificationArn"):
        doing.role.may("sns:Publish", topic)
        approval = {
            "pipelineName": doing.pipeline["name"],
            "stageName": doing.stage,
            "actionName": doing.action["name"],
            "token": doing.record["token"],
            "customData": doing.given.get("CustomData", ""),
        }
        message = json.dumps({"region": doing.place.region, "approval": approval})
        doing.client("sns").publish(TopicArn=topic, Subject="APPROVAL NEEDED", Message=message)
    return WAITS


def _stack(doing: Doing) -> str:
    mode = doing.given["ActionMode"]
    steps = {"CHANGE_SET_REPLACE": _replaced, "CHANGE_SET_EXECUTE": _executed}
    if mode not in steps:
        return WAITS
    return steps[mode](doing)


def _replaced(doing: Doing) -> str:
    client, given = doing.client("cloudformation"), doing.given
    name, change_set = given["StackName"], given["ChangeSetName"]
    template = doing.file(given["TemplatePath"])
    settings = json.loads(doing.file(given["TemplateConfiguration"])) if given.get("TemplateConfiguration") else {}
    _asked(doing, "CreateChangeSet DeleteChangeSet DescribeChangeSet")
    doing.role.may("iam:PassRole", given["RoleArn"], {"iam:PassedToService": "cloudformation.amazonaws.com"})
    new = _status(client, name) in {None, "REVIEW_IN_PROGRESS"}
    if not new or _status(client, name):
        client.delete_change_set(StackName=name, ChangeSetName=change_set)
    made = client.create_change_set(
        StackName=name,
        ChangeSetName=change_set,
        ChangeSetType="CREATE" if new else "UPDATE",
        TemplateBody=template,
        RoleARN=given["RoleArn"],
        Capabilities=[word for word in given.get("Capabilities", "").split(",") if word],
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in settings.get("Parameters", {}).items()
        ],
        Tags=[{"Key": key, "Value": value} for key, value in settings.get("Tags", {}).items()],
    )
    found = client.describe_change_set(ChangeSetName=made["Id"])
    if found["Status"] != "CREATE_COMPLETE":
        raise Stopped(found.get("StatusReason", found["Status"]))
    return DONE


def _executed(doing: Doing) -> str:
    client, name = doing.client("cloudformation"), doing.given["StackName"]
    if "externalExecutionId" not in doing.record:
        _asked(doing, "DescribeChangeSet ExecuteChangeSet")
        client.execute_change_set(StackName=name, ChangeSetName=doing.given["ChangeSetName"])
        doing.record["externalExecutionId"] = name
    doing.role.may("cloudformation:DescribeStacks", _arn(doing))
    status = _status(client, name) or ""
    if status.endswith("_IN_PROGRESS"):
        return WAITS
    if "ROLLBACK" in status or "FAILED" in status:
        raise Stopped(f"The stack {name} is {status}")
    return DONE


def _asked(doing: Doing, verbs: str) -> None:
    actions = " ".join(f"cloudformation:{verb}" for verb in verbs.split())
    doing.role.may(actions, _arn(doing), {"cloudformation:ChangeSetName": doing.given["ChangeSetName"]})


def _arn(doing: Doing) -> str:
    place = doing.place
    return f"arn:{place.partition}:cloudformation:{place.region}:{place.account}:stack/{doing.given['StackName']}/*"


def _status(client: Any, name: str) -> str | None:
    try:
        return str(client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
    except ClientError:
        return None


DOES: Final[Mapping[str, Callable[[Doing], str]]] = {
    "Approval/Manual": _approval,
    "Deploy/CloudFormation": _stack,
    "Invoke/StepFunctions": _workflow,
    "Source/CodeCommit": _commit,
}
"""Category/provider -> what is done."""


def do(doing: Doing) -> None:
    """Start an action, or ask again how it stands; its record has the status then."""
    kind = doing.action["actionTypeId"]
    work = DOES.get(f"{kind['category']}/{kind['provider']}")
    if work is None:
        return
    try:
        doing.role.assumed_by("codepipeline.amazonaws.com")
        doing.record["status"] = work(doing)
    except (Stopped, ClientError, ValueError) as error:
        doing.record.update(status="Failed", errorDetails={"code": "JobFailed", "message": str(error)})
