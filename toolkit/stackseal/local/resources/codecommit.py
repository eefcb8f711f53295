"""AWS::CodeCommit::Repository. `Ref` is the repository's id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources.kind import Attributes, Context, Kind, Props, camel, pascal, tag_map, untagged


def _attributes(metadata: Mapping[str, Any]) -> Attributes:
    return {
        "Arn": metadata["Arn"],
        "Name": metadata["repositoryName"],
        "CloneUrlHttp": metadata["cloneUrlHttp"],
        "CloneUrlSsh": metadata["cloneUrlSsh"],
        "RepositoryId": metadata["repositoryId"],
    }


def _find(context: Context, physical_id: str) -> dict[str, Any] | None:
    client = context.client("codecommit")
    for row in client.list_repositories()["repositories"]:
        if row["repositoryId"] == physical_id:
            found: dict[str, Any] = client.get_repository(repositoryName=row["repositoryName"])["repositoryMetadata"]
            return found
    return None


def _required(context: Context, physical_id: str) -> dict[str, Any]:
    found = _find(context, physical_id)
    if found is None:
        raise ValueError(f"Repository {physical_id} does not exist (Service: AWSCodeCommit; Status Code: 400)")
    return found


def _create(context: Context, props: Props) -> tuple[str, Attributes]:
    client, name = context.client("codecommit"), context.name(props.get("RepositoryName"), limit=100)
    optional = {
        key: props[source]
        for key, source in (("repositoryDescription", "RepositoryDescription"), ("kmsKeyId", "KmsKeyId"))
        if props.get(source)
    }
    made = client.create_repository(repositoryName=name, tags=tag_map(props.get("Tags")), **optional)
    if props.get("Triggers"):
        client.put_repository_triggers(repositoryName=name, triggers=camel(props["Triggers"]))
    metadata = made["repositoryMetadata"]
    return metadata["repositoryId"], _attributes(metadata)


def _update(context: Context, physical_id: str, old: Props, new: Props) -> Attributes:
    client, metadata = context.client("codecommit"), _required(context, physical_id)
    name, wanted = metadata["repositoryName"], context.name(new.get("RepositoryName"), limit=100)
    if new.get("RepositoryName") and wanted != name:
        client.update_repository_name(oldName=name, newName=wanted)
        name = wanted
    if old.get("RepositoryDescription") != new.get("RepositoryDescription"):
        client.update_repository_description(
            repositoryName=name, repositoryDescription=new.get("RepositoryDescription") or ""
        )
    if new.get("KmsKeyId") and old.get("KmsKeyId") != new["KmsKeyId"]:
        client.update_repository_encryption_key(repositoryName=name, kmsKeyId=new["KmsKeyId"])
    if old.get("Triggers") != new.get("Triggers"):
        client.put_repository_triggers(repositoryName=name, triggers=camel(new.get("Triggers") or []))
    arn = _required(context, physical_id)["Arn"]
    if gone := untagged(old.get("Tags"), new.get("Tags")):
        client.untag_resource(resourceArn=arn, tagKeys=gone)
    client.tag_resource(resourceArn=arn, tags=tag_map(new.get("Tags")))
    return _attributes(_required(context, physical_id))


def _delete(context: Context, physical_id: str, _props: Props) -> None:
    found = _find(context, physical_id)
    if found is not None:
        context.client("codecommit").delete_repository(repositoryName=found["repositoryName"])


def _read(context: Context, physical_id: str, props: Props) -> Props | None:
    metadata = _find(context, physical_id)
    if metadata is None:
        return None
    client = context.client("codecommit")
    found = {
        "RepositoryName": metadata["repositoryName"],
        "RepositoryDescription": metadata.get("repositoryDescription"),
        "KmsKeyId": metadata.get("kmsKeyId"),
        "Tags": client.list_tags_for_resource(resourceArn=metadata["Arn"])["tags"],
    }
    if "Triggers" in props:
        triggers = client.get_repository_triggers(repositoryName=metadata["repositoryName"])["triggers"]
        found["Triggers"] = pascal(triggers)
    if "Code" in props:
        found["Code"] = props["Code"]  # write-only: CloudFormation cannot read it back either
    return found


def _taken(context: Context, props: Props) -> str:
    try:
        found = context.client("codecommit").get_repository(repositoryName=props["RepositoryName"])
    except (ClientError, KeyError):
        return ""
    return str(found["repositoryMetadata"]["repositoryId"])


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::CodeCommit::Repository": Kind(
        create=_create,
        update=_update,
        delete=_delete,
        read=_read,
        physical=_taken,
        name="RepositoryName",
        name_limit=100,
        tags="Tags",
    )
}
