"""AWS::StepFunctions::StateMachine. `Ref` is the ARN; made through the API, because ministack's provisioner forgets
where a machine logs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources.kind import Attributes, Context, Kind, Props, camel, missing, pascal, tag_list, untagged

_SETTINGS: Final = {
    "LoggingConfiguration": "loggingConfiguration",
    "TracingConfiguration": "tracingConfiguration",
    "EncryptionConfiguration": "encryptionConfiguration",
}


def _content(props: Props) -> dict[str, Any]:
    """What creation and update take alike."""
    text = json.dumps(props["Definition"]) if "Definition" in props else str(props.get("DefinitionString") or "{}")
    settings = {name: camel(props[key]) for key, name in _SETTINGS.items() if key in props}
    definition = _substituted(text, props.get("DefinitionSubstitutions") or {})
    return {"definition": definition, "roleArn": props["RoleArn"], **settings}


def _create(context: Context, props: Props) -> tuple[str, Attributes]:
    name = context.name(props.get("StateMachineName"), limit=80)
    made = context.client("stepfunctions").create_state_machine(
        name=name,
        type=props.get("StateMachineType", "STANDARD"),
        tags=tag_list(props.get("Tags"), "key", "value"),
        **_content(props),
    )
    return made["stateMachineArn"], {"Arn": made["stateMachineArn"], "Name": name}


def _update(context: Context, physical_id: str, old: Props, new: Props) -> Attributes:
    client = context.client("stepfunctions")
    if _content(old) != _content(new):
        client.update_state_machine(stateMachineArn=physical_id, **_content(new))
    if gone := untagged(old.get("Tags"), new.get("Tags")):
        client.untag_resource(resourceArn=physical_id, tagKeys=gone)
    client.tag_resource(resourceArn=physical_id, tags=tag_list(new.get("Tags"), "key", "value"))
    return {"Arn": physical_id, "Name": physical_id.rpartition(":")[2]}


def _delete(context: Context, physical_id: str, _props: Props) -> None:
    context.client("stepfunctions").delete_state_machine(stateMachineArn=physical_id)


def _read(context: Context, physical_id: str, props: Props) -> Props | None:
    client = context.client("stepfunctions")
    try:
        found = client.describe_state_machine(stateMachineArn=physical_id)
    except ClientError as error:
        if missing(error, "StateMachineDoesNotExist"):
            return None
        raise
    current: dict[str, Any] = {
        "StateMachineName": found["name"],
        "StateMachineType": found["type"],
        "RoleArn": found["roleArn"],
        "Tags": tag_list(client.list_tags_for_resource(resourceArn=physical_id)["tags"]),
        **_definition(found["definition"], props),
    }
    return {**current, **{key: pascal(found[name]) for key, name in _SETTINGS.items() if name in found}}


def _definition(deployed: str, props: Props) -> dict[str, Any]:
    """What the template says, where that is what is deployed once its substitutions are made."""
    substitutions: Mapping[str, Any] = props.get("DefinitionSubstitutions") or {}
    kept = {"DefinitionSubstitutions": substitutions} if substitutions else {}
    current = json.loads(deployed)
    if "Definition" in props:
        same = current == json.loads(_substituted(json.dumps(props["Definition"]), substitutions))
        return {**kept, "Definition": props["Definition"] if same else current}
    text = str(props.get("DefinitionString") or "{}")
    same = current == json.loads(_substituted(text, substitutions))
    return {**kept, "DefinitionString": text if same else deployed}


def _substituted(text: str, values: Mapping[str, Any]) -> str:
    return re.sub(r"\$\{([A-Za-z0-9_]+)\}", lambda match: str(values.get(match[1], match[0])), text)


def _arn(context: Context, props: Props) -> str:
    name = props.get("StateMachineName")
    return context.arn("states", f"stateMachine:{name}") if name else ""


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::StepFunctions::StateMachine": Kind(
        create=_create,
        update=_update,
        delete=_delete,
        read=_read,
        physical=_arn,
        name="StateMachineName",
        name_limit=80,
        tags="Tags",
        unread=frozenset({"TracingConfiguration"}),
    )
}
