"""AWS::CodePipeline::Pipeline, V1 and V2. `Ref` is the pipeline's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources.kind import Attributes, Context, Kind, Props, camel, pascal, tag_list, untagged

_VERBATIM: Final = ("Configuration",)
_API_VERBATIM: Final = ("configuration",)
_OUTSIDE: Final = ("Tags", "DisableInboundStageTransitions", "RestartExecutionOnUpdate", "ArtifactStores")


def _definition(props: Props, name: str) -> dict[str, Any]:
    given = {key: value for key, value in props.items() if key not in _OUTSIDE}
    definition: dict[str, Any] = camel({**given, "Name": name}, _VERBATIM)
    if props.get("ArtifactStores"):
        definition["artifactStores"] = {row["Region"]: camel(row["ArtifactStore"]) for row in props["ArtifactStores"]}
    for stage in definition.get("stages", []):
        for action in stage.get("actions", []):
            action["configuration"] = {key: _text(value) for key, value in action.get("configuration", {}).items()}
            action.setdefault("runOrder", 1)
            action["runOrder"] = int(action["runOrder"])
            action.setdefault("inputArtifacts", [])
            action.setdefault("outputArtifacts", [])
    return definition


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _attributes(context: Context, name: str) -> Attributes:
    found = context.client("codepipeline").get_pipeline(name=name)
    return {"Arn": found["metadata"]["pipelineArn"], "Version": str(found["pipeline"]["version"])}


def _create(context: Context, props: Props) -> tuple[str, Attributes]:
    name = context.name(props.get("Name"), limit=100)
    context.client("codepipeline").create_pipeline(
        pipeline=_definition(props, name), tags=tag_list(props.get("Tags"), "key", "value")
    )
    _transitions(context, name, {}, props)
    return name, _attributes(context, name)


def _update(context: Context, physical_id: str, old: Props, new: Props) -> Attributes:
    client = context.client("codepipeline")
    without = [{key: value for key, value in props.items() if key not in _OUTSIDE[:3]} for props in (old, new)]
    if without[0] != without[1]:
        client.update_pipeline(pipeline=_definition(new, physical_id))
    arn = context.arn("codepipeline", physical_id)
    if gone := untagged(old.get("Tags"), new.get("Tags")):
        client.untag_resource(resourceArn=arn, tagKeys=gone)
    client.tag_resource(resourceArn=arn, tags=tag_list(new.get("Tags"), "key", "value"))
    _transitions(context, physical_id, old, new)
    return _attributes(context, physical_id)


def _transitions(context: Context, name: str, old: Props, new: Props) -> None:
    client = context.client("codepipeline")
    wanted = {row["StageName"]: row["Reason"] for row in new.get("DisableInboundStageTransitions") or []}
    before = {row["StageName"] for row in old.get("DisableInboundStageTransitions") or []}
    for stage in sorted(before - wanted.keys()):
        client.enable_stage_transition(pipelineName=name, stageName=stage, transitionType="Inbound")
    for stage, reason in wanted.items():
        client.disable_stage_transition(pipelineName=name, stageName=stage, transitionType="Inbound", reason=reason)


def _delete(context: Context, physical_id: str, _props: Props) -> None:
    context.client("codepipeline").delete_pipeline(name=physical_id)


def _read(context: Context, physical_id: str, props: Props) -> Props | None:
    client = context.client("codepipeline")
    try:
        definition = client.get_pipeline(name=physical_id)["pipeline"]
    except ClientError:
        return None
    found: dict[str, Any] = pascal({key: value for key, value in definition.items() if key != "version"}, _API_VERBATIM)
    stores = found.pop("ArtifactStores", None)
    if stores:
        found["ArtifactStores"] = [
            {"Region": region[:1].lower() + region[1:], "ArtifactStore": store} for region, store in stores.items()
        ]
    _forget_defaults(found, props)
    found["Tags"] = client.list_tags_for_resource(resourceArn=context.arn("codepipeline", physical_id))["tags"]
    if "DisableInboundStageTransitions" in props:
        found["DisableInboundStageTransitions"] = _disabled(context, physical_id)
    if "RestartExecutionOnUpdate" in props:
        found["RestartExecutionOnUpdate"] = props["RestartExecutionOnUpdate"]  # write-only
    return found


def _disabled(context: Context, name: str) -> list[dict[str, str]]:
    stages = context.client("codepipeline").get_pipeline_state(name=name)["stageStates"]
    return [
        {"StageName": stage["stageName"], "Reason": stage["inboundTransitionState"]["disabledReason"]}
        for stage in stages
        if not stage["inboundTransitionState"]["enabled"]
    ]


def _forget_defaults(found: dict[str, Any], props: Props) -> None:
    """The service fills in what an action leaves out; CloudFormation compares what the template wrote."""
    defaults: Mapping[str, Any] = {"RunOrder": 1, "InputArtifacts": [], "OutputArtifacts": [], "Configuration": {}}
    written = {
        (stage.get("Name"), action.get("Name")): action
        for stage in props.get("Stages") or []
        for action in stage.get("Actions") or []
    }
    for stage in found.get("Stages", []):
        for action in stage.get("Actions", []):
            template = written.get((stage["Name"], action["Name"]), {})
            for key, value in defaults.items():
                if key not in template and action.get(key) == value:
                    action.pop(key, None)


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::CodePipeline::Pipeline": Kind(
        create=_create,
        update=_update,
        delete=_delete,
        read=_read,
        physical=lambda _context, props: str(props.get("Name") or ""),
        name="Name",
        name_limit=100,
        tags="Tags",
    )
}
