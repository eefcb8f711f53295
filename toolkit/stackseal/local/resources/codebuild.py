"""AWS::CodeBuild::Project. `Ref` is the project's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stackseal.local.resources.kind import Attributes, Context, Kind, Props, camel, pascal, tag_list

_SAME: Final = ("Tags", "Visibility", "Triggers", "ResourceAccessRole")
_NUMBERS: Final = ("timeoutInMinutes", "queuedTimeoutInMinutes", "concurrentBuildLimit", "autoRetryLimit")


def _project(props: Props, name: str) -> dict[str, Any]:
    project: dict[str, Any] = camel({key: value for key, value in props.items() if key not in _SAME})
    project.update(name=name, tags=tag_list(props.get("Tags"), "key", "value"))
    for source in (project.get("source"), *project.get("secondarySources", [])):
        if source and "buildSpec" in source:
            source["buildspec"] = source.pop("buildSpec")
    for key in _NUMBERS:
        if key in project:
            project[key] = int(project[key])
    return project


def _show(context: Context, arn: str, props: Props) -> None:
    if "Visibility" in props:
        context.client("codebuild").update_project_visibility(projectArn=arn, projectVisibility=props["Visibility"])


def _create(context: Context, props: Props) -> tuple[str, Attributes]:
    name = context.name(props.get("Name"), limit=255)
    made = context.client("codebuild").create_project(**_project(props, name))["project"]
    _show(context, made["arn"], props)
    return name, {"Arn": made["arn"], "Id": name}


def _update(context: Context, physical_id: str, old: Props, new: Props) -> Attributes:
    before, after = _project(old, physical_id), _project(new, physical_id)
    # UpdateProject keeps what it is not given: what the template dropped is given empty.
    gone = {key: type(value)() for key, value in before.items() if key not in after}
    made = context.client("codebuild").update_project(**gone, **after)["project"]
    if old.get("Visibility") != new.get("Visibility"):
        _show(context, made["arn"], {"Visibility": new.get("Visibility") or "PRIVATE"})
    return {"Arn": made["arn"], "Id": physical_id}


def _delete(context: Context, physical_id: str, _props: Props) -> None:
    context.client("codebuild").delete_project(name=physical_id)


def _read(context: Context, physical_id: str, props: Props) -> Props | None:
    projects = context.client("codebuild").batch_get_projects(names=[physical_id])["projects"]
    if not projects:
        return None
    found: dict[str, Any] = pascal(projects[0])
    for source in (found.get("Source"), *found.get("SecondarySources", [])):
        if source and "Buildspec" in source:
            source["BuildSpec"] = source.pop("Buildspec")
    found["Visibility"] = found.get("ProjectVisibility")
    for key in ("Triggers", "ResourceAccessRole"):
        if key in props:
            found[key] = props[key]
    return found


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::CodeBuild::Project": Kind(
        create=_create,
        update=_update,
        delete=_delete,
        read=_read,
        physical=lambda _context, props: str(props.get("Name") or ""),
        name="Name",
        name_limit=255,
        tags="Tags",
    )
}
