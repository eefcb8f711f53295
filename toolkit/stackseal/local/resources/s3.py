"""AWS::S3::Bucket and AWS::S3::BucketPolicy. `Ref` of both is the bucket's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources.kind import Attributes, Context, Kind, Props, document, missing, tag_list
from stackseal.local.resources.s3_shapes import (
    cors_in,
    cors_out,
    encryption_in,
    encryption_out,
    lifecycle_in,
    logging_in,
    logging_out,
    notification_in,
    notification_out,
    rule_out,
)


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One configuration of a bucket: its property and the calls that put, get and delete it."""

    key: str
    put: Callable[[Any, str, Any], Any]
    get: Callable[[Any, str], Any]
    delete: Callable[[Any, str], Any]


_PARTS: Final = (
    _Part(
        key="PublicAccessBlockConfiguration",
        put=lambda client, bucket, value: client.put_public_access_block(
            Bucket=bucket,
            PublicAccessBlockConfiguration={key: str(flag).lower() == "true" for key, flag in value.items()},
        ),
        get=lambda client, bucket: client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
        delete=lambda client, bucket: client.delete_public_access_block(Bucket=bucket),
    ),
    _Part(
        key="OwnershipControls",
        put=lambda client, bucket, value: client.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=value),
        get=lambda client, bucket: client.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"],
        delete=lambda client, bucket: client.delete_bucket_ownership_controls(Bucket=bucket),
    ),
    _Part(
        key="VersioningConfiguration",
        put=lambda client, bucket, value: client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=value),
        get=lambda client, bucket: {"Status": client.get_bucket_versioning(Bucket=bucket)["Status"]},
        delete=lambda client, bucket: client.put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}
        ),
    ),
    _Part(
        key="BucketEncryption",
        put=lambda client, bucket, value: client.put_bucket_encryption(
            Bucket=bucket, ServerSideEncryptionConfiguration=encryption_out(value)
        ),
        get=lambda client, bucket: encryption_in(
            client.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
        ),
        delete=lambda client, bucket: client.delete_bucket_encryption(Bucket=bucket),
    ),
    _Part(
        key="LifecycleConfiguration",
        put=lambda client, bucket, value: client.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": [rule_out(rule) for rule in value["Rules"]]}
        ),
        get=lambda client, bucket: client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
        delete=lambda client, bucket: client.delete_bucket_lifecycle(Bucket=bucket),
    ),
    _Part(
        key="LoggingConfiguration",
        put=lambda client, bucket, value: client.put_bucket_logging(
            Bucket=bucket, BucketLoggingStatus=logging_out(value, bucket)
        ),
        get=lambda client, bucket: logging_in(client.get_bucket_logging(Bucket=bucket).get("LoggingEnabled")),
        delete=lambda client, bucket: client.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={}),
    ),
    _Part(
        key="CorsConfiguration",
        put=lambda client, bucket, value: client.put_bucket_cors(Bucket=bucket, CORSConfiguration=cors_out(value)),
        get=lambda client, bucket: cors_in(client.get_bucket_cors(Bucket=bucket)["CORSRules"]),
        delete=lambda client, bucket: client.delete_bucket_cors(Bucket=bucket),
    ),
    _Part(
        key="NotificationConfiguration",
        put=lambda client, bucket, value: client.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration=notification_out(value)
        ),
        get=lambda client, bucket: notification_in(client.get_bucket_notification_configuration(Bucket=bucket)),
        delete=lambda client, bucket: client.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={}
        ),
    ),
)


# --- bucket -----------------------------------------------------------------------------------------------------------


def _attributes(context: Context, name: str) -> Attributes:
    region = context.place.region
    return {
        "Arn": f"arn:{context.place.partition}:s3:::{name}",
        "DomainName": f"{name}.s3.amazonaws.com",
        "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
        "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
        "WebsiteURL": f"http://{name}.s3-website-{region}.amazonaws.com",
    }


def _create(context: Context, props: Props) -> tuple[str, Attributes]:
    client, name = context.client("s3"), context.name(props.get("BucketName"), limit=63, lowercase=True)
    region = context.place.region
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    client.create_bucket(Bucket=name, **where)
    try:
        _configure(context, name, {}, props)
    except ClientError:
        client.delete_bucket(Bucket=name)
        raise
    return name, _attributes(context, name)


def _configure(context: Context, name: str, old: Props, new: Props) -> None:
    client = context.client("s3")
    for part in _PARTS:
        if new.get(part.key):
            if new[part.key] != old.get(part.key):
                part.put(client, name, new[part.key])
        elif old.get(part.key):
            part.delete(client, name)
    # The tags of CloudFormation itself are reserved: S3 refuses them from anybody else.
    mine = [tag for tag in tag_list(new.get("Tags")) if not tag["Key"].startswith("aws:")]
    if mine:
        client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": mine})
    else:
        client.delete_bucket_tagging(Bucket=name)


def _update(context: Context, physical_id: str, old: Props, new: Props) -> Attributes:
    _configure(context, physical_id, old, new)
    return _attributes(context, physical_id)


def _delete(context: Context, physical_id: str, _props: Props) -> None:
    try:
        context.client("s3").delete_bucket(Bucket=physical_id)
    except ClientError as error:
        if not missing(error, "NoSuchBucket"):
            raise


def _read(context: Context, physical_id: str, props: Props) -> Props | None:
    client = context.client("s3")
    try:
        client.head_bucket(Bucket=physical_id)
    except ClientError:
        return None
    found: dict[str, Any] = {"BucketName": physical_id, "Tags": _or_none(_tags, client, physical_id) or []}
    for part in _PARTS:
        if part.key in props:
            found[part.key] = _or_none(part.get, client, physical_id)
    if found.get("LifecycleConfiguration"):
        found["LifecycleConfiguration"] = lifecycle_in(found["LifecycleConfiguration"], props)
    _forget_defaults(found, props)
    return {**{key: value for key, value in props.items() if key not in found}, **found}


def _forget_defaults(found: dict[str, Any], props: Props) -> None:
    """S3 answers flags that the template left out; CloudFormation compares what the template wrote."""
    written = (props.get("BucketEncryption") or {}).get("ServerSideEncryptionConfiguration") or []
    for index, row in enumerate((found.get("BucketEncryption") or {}).get("ServerSideEncryptionConfiguration") or []):
        if index < len(written) and "BucketKeyEnabled" not in written[index] and row.get("BucketKeyEnabled") is False:
            del row["BucketKeyEnabled"]
    flags = props.get("PublicAccessBlockConfiguration") or {}
    current = found.get("PublicAccessBlockConfiguration") or {}
    for key in [key for key, value in current.items() if key not in flags and value is False]:
        del current[key]


def _tags(client: Any, bucket: str) -> Any:
    return client.get_bucket_tagging(Bucket=bucket)["TagSet"]


def _or_none(call: Callable[[Any, str], Any], client: Any, bucket: str) -> Any:
    try:
        return call(client, bucket)
    except (ClientError, KeyError):
        return None


# --- bucket policy ----------------------------------------------------------------------------------------------------


def _put_policy(context: Context, props: Props) -> tuple[str, Attributes]:
    context.client("s3").put_bucket_policy(Bucket=props["Bucket"], Policy=document(props["PolicyDocument"]))
    return str(props["Bucket"]), {}


def _update_policy(context: Context, _physical_id: str, _old: Props, new: Props) -> Attributes:
    return _put_policy(context, new)[1]


def _delete_policy(context: Context, physical_id: str, _props: Props) -> None:
    try:
        context.client("s3").delete_bucket_policy(Bucket=physical_id)
    except ClientError as error:
        if not missing(error, "NoSuchBucket", "NoSuchBucketPolicy"):
            raise


def _read_policy(context: Context, physical_id: str, _props: Props) -> Props | None:
    try:
        found = context.client("s3").get_bucket_policy(Bucket=physical_id)
    except ClientError:
        return None
    return {"Bucket": physical_id, "PolicyDocument": found["Policy"]}


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::S3::Bucket": Kind(
        create=_create,
        update=_update,
        delete=_delete,
        read=_read,
        physical=lambda _context, props: str(props.get("BucketName") or ""),
        name="BucketName",
        name_limit=63,
        lowercase=True,
        tags="Tags",
    ),
    "AWS::S3::BucketPolicy": Kind(
        create=_put_policy,
        update=_update_policy,
        delete=_delete_policy,
        read=_read_policy,
        physical=lambda _context, props: str(props.get("Bucket") or ""),
        name="Bucket",
    ),
}
