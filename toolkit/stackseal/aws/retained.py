"""What a deleted stack left behind, removed because a person asked for exactly that (`--delete-data`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from stackseal.aws.errors import AwsFailed, translated
from stackseal.aws.session import Aws

_ABSENT: Final = frozenset(
    {"NoSuchBucket", "404", "ResourceNotFound", "ResourceNotFoundException", "RepositoryDoesNotExistException"}
)
"""What the services answer for something that is not there; SageMaker says ValidationException and "does not exist"."""


def removable(resources: Iterable[str]) -> tuple[str, ...]:
    """Those of the resources (`Type name`) that `remove` knows how to remove, sorted."""
    return tuple(sorted({item for item in resources if item.partition(" ")[0] in WAYS and item.partition(" ")[2]}))


def existing(aws: Aws, region: str, resources: Iterable[str]) -> tuple[str, ...]:
    """Those of the resources (`Type name`) that are there; a KMS key has no name to look for. Reads only."""
    found: list[str] = []
    for item in removable(resources):
        kind, _, name = item.partition(" ")
        look = WAYS[kind].look
        if look is not None and _there(f"could not look at {item}", look, aws, region, name):
            found.append(item)
    return tuple(found)


def remove(aws: Aws, region: str, retained: Iterable[str]) -> tuple[str, ...]:
    """Remove the resources (`Type physical-id`) that we know how to remove; returns those that are gone."""
    gone: list[str] = []
    for item in retained:
        kind, _, physical_id = item.partition(" ")
        if (way := WAYS.get(kind)) is not None:
            _there(f"could not remove {item}", way.remove, aws, region, physical_id)
            gone.append(item)
    return tuple(gone)


def _there(what: str, call: Callable[[Aws, str, str], object], aws: Aws, region: str, name: str) -> bool:
    """Make the call; False where AWS says that there is no such thing, or the call itself."""
    try:
        with translated(what):
            return call(aws, region, name) is not False
    except AwsFailed as error:
        if error.code in _ABSENT or (error.code == "ValidationException" and "does not exist" in str(error)):
            return False
        raise


def _bucket_there(aws: Aws, region: str, name: str) -> None:
    # With the owner: another account's bucket of this name is not ours to remove, and AWS answers AccessDenied.
    aws.client("s3", region).list_object_versions(Bucket=name, MaxKeys=1, ExpectedBucketOwner=aws.account(region))


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


def _group_there(aws: Aws, region: str, name: str) -> None:
    aws.client("sagemaker", region).describe_model_package_group(ModelPackageGroupName=name)


def _repository(aws: Aws, region: str, identifier: str) -> None:
    client = aws.client("codecommit", region)
    for page in client.get_paginator("list_repositories").paginate():
        for item in page["repositories"]:
            if identifier in {item["repositoryId"], item["repositoryName"]}:
                client.delete_repository(repositoryName=item["repositoryName"])


def _repository_there(aws: Aws, region: str, name: str) -> None:
    aws.client("codecommit", region).get_repository(repositoryName=name)


def _log_group(aws: Aws, region: str, name: str) -> None:
    aws.client("logs", region).delete_log_group(logGroupName=name)


def _log_group_there(aws: Aws, region: str, name: str) -> bool:
    pages = aws.client("logs", region).get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    return any(group["logGroupName"] == name for page in pages for group in page["logGroups"])


def _key(aws: Aws, region: str, key: str) -> None:
    aws.client("kms", region).schedule_key_deletion(KeyId=key, PendingWindowInDays=7)


class Way(NamedTuple):
    """How a retained resource is removed, and how one finds out that it is there."""

    remove: Callable[[Aws, str, str], None]
    look: Callable[[Aws, str, str], object] | None
    words: str
    """What a person loses, for the question before it."""


WAYS: Final[Mapping[str, Way]] = {
    "AWS::S3::Bucket": Way(_bucket, _bucket_there, "with every version of every object"),
    "AWS::SageMaker::ModelPackageGroup": Way(_model_package_group, _group_there, "with every model package"),
    "AWS::CodeCommit::Repository": Way(_repository, _repository_there, "with its history"),
    "AWS::Logs::LogGroup": Way(_log_group, _log_group_there, "with its logs"),
    "AWS::KMS::Key": Way(_key, None, "scheduled for deletion in 7 days; what it encrypted is then unreadable"),
}
"""The types that `remove` knows; everything else stays behind."""
