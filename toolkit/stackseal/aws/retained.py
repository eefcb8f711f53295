"""What a deleted stack left behind, removed because a person asked for exactly that (`--delete-data`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from stackseal.aws.errors import translated
from stackseal.aws.session import Aws


def remove(aws: Aws, region: str, retained: Iterable[str]) -> tuple[str, ...]:
    """Remove the resources (`Type physical-id`) that we know how to remove; returns those that are gone."""
    gone: list[str] = []
    for item in retained:
        kind, _, physical_id = item.partition(" ")
        if (way := _WAYS.get(kind)) is not None:
            with translated(f"could not remove {item}"):
                way(aws, region, physical_id)
            gone.append(item)
    return tuple(gone)


def _bucket(aws: Aws, region: str, name: str) -> None:
    client = aws.client("s3", region)
    for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
        found: list[Any] = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
        if objects:
            client.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})  # type: ignore[typeddict-item]  # the stubs want a TypedDict
    client.delete_bucket(Bucket=name)


def _model_package_group(aws: Aws, region: str, arn: str) -> None:
    name = arn.rpartition("/")[2]
    client = aws.client("sagemaker", region)
    for page in client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=name):
        for package in page["ModelPackageSummaryList"]:
            client.delete_model_package(ModelPackageName=package["ModelPackageArn"])
    client.delete_model_package_group(ModelPackageGroupName=name)


def _repository(aws: Aws, region: str, identifier: str) -> None:
    client = aws.client("codecommit", region)
    for page in client.get_paginator("list_repositories").paginate():
        for item in page["repositories"]:
            if identifier in {item["repositoryId"], item["repositoryName"]}:
                client.delete_repository(repositoryName=item["repositoryName"])


def _log_group(aws: Aws, region: str, name: str) -> None:
    aws.client("logs", region).delete_log_group(logGroupName=name)


def _key(aws: Aws, region: str, key: str) -> None:
    aws.client("kms", region).schedule_key_deletion(KeyId=key, PendingWindowInDays=7)


_WAYS: Final[Mapping[str, Callable[[Aws, str, str], None]]] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::SageMaker::ModelPackageGroup": _model_package_group,
    "AWS::CodeCommit::Repository": _repository,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::KMS::Key": _key,
}
