"""AWS::SageMaker::ModelPackageGroup. `Ref` is the ARN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources.kind import Attributes, Context, Kind, Props, document, tag_list, untagged


def _arn(context: Context, name: str) -> str:
    return context.arn("sagemaker", f"model-package-group/{name}")


def _attributes(context: Context, arn: str) -> Attributes:
    found = context.client("sagemaker").describe_model_package_group(ModelPackageGroupName=arn.rpartition("/")[2])
    return {
        "ModelPackageGroupArn": arn,
        "CreationTime": found["CreationTime"].isoformat(),
        "ModelPackageGroupStatus": found["ModelPackageGroupStatus"],
    }


def _create(context: Context, props: Props) -> tuple[str, Attributes]:
    client, name = context.client("sagemaker"), context.name(props.get("ModelPackageGroupName"), limit=63)
    description = props.get("ModelPackageGroupDescription")
    given = {"ModelPackageGroupDescription": description} if description else {}
    arn = client.create_model_package_group(ModelPackageGroupName=name, Tags=tag_list(props.get("Tags")), **given)
    if props.get("ModelPackageGroupPolicy"):
        client.put_model_package_group_policy(
            ModelPackageGroupName=name, ResourcePolicy=document(props["ModelPackageGroupPolicy"])
        )
    return arn["ModelPackageGroupArn"], _attributes(context, arn["ModelPackageGroupArn"])


def _update(context: Context, physical_id: str, old: Props, new: Props) -> Attributes:
    client, name = context.client("sagemaker"), physical_id.rpartition("/")[2]
    if gone := untagged(old.get("Tags"), new.get("Tags")):
        client.delete_tags(ResourceArn=physical_id, TagKeys=gone)
    client.add_tags(ResourceArn=physical_id, Tags=tag_list(new.get("Tags")))
    if new.get("ModelPackageGroupPolicy"):
        client.put_model_package_group_policy(
            ModelPackageGroupName=name, ResourcePolicy=document(new["ModelPackageGroupPolicy"])
        )
    elif old.get("ModelPackageGroupPolicy"):
        client.delete_model_package_group_policy(ModelPackageGroupName=name)
    return _attributes(context, physical_id)


def _delete(context: Context, physical_id: str, props: Props) -> None:
    if _read(context, physical_id, props) is not None:
        context.client("sagemaker").delete_model_package_group(ModelPackageGroupName=physical_id.rpartition("/")[2])


def _read(context: Context, physical_id: str, props: Props) -> Props | None:
    client, name = context.client("sagemaker"), physical_id.rpartition("/")[2]
    try:
        found: dict[str, Any] = dict(client.describe_model_package_group(ModelPackageGroupName=name))
    except ClientError:
        return None
    found["Tags"] = client.list_tags(ResourceArn=physical_id)["Tags"]
    if "ModelPackageGroupPolicy" in props:
        try:
            found["ModelPackageGroupPolicy"] = client.get_model_package_group_policy(ModelPackageGroupName=name)[
                "ResourcePolicy"
            ]
        except ClientError:
            found["ModelPackageGroupPolicy"] = None
    return found


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::SageMaker::ModelPackageGroup": Kind(
        create=_create,
        update=_update,
        delete=_delete,
        read=_read,
        physical=lambda context, props: _arn(context, str(props.get("ModelPackageGroupName") or "")),
        name="ModelPackageGroupName",
        name_limit=63,
        tags="Tags",
    )
}
