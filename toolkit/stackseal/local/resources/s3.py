"""AWS::S3::Bucket and AWS::S3::BucketPolicy. `Ref` of both is the bucket's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources.kind import Attributes, Context, Kind, Props, document, missing, tag_list


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One configuration of a bucket: its property and the calls that put, get and delete it."""

    key: str
    put: Callable[[Any, str, Any], Any]
    get: Callable[[Any, str], Any]
    delete: Callable[[Any, str], Any]


# --- shapes -----------------------------------------------------------------------------------------------------------


def _encryption_out(value: Any) -> dict[str, Any]:
    rules = []
    for row in value["ServerSideEncryptionConfiguration"]:
        rule = dict(row)
        if "ServerSideEncryptionByDefault" in rule:
            rule["ApplyServerSideEncryptionByDefault"] = rule.pop("ServerSideEncryptionByDefault")
        rules.append(rule)
    return {"Rules": rules}


def _encryption_in(value: Any) -> dict[str, Any]:
    rows = []
    for rule in value["Rules"]:
        row = dict(rule)
        if "ApplyServerSideEncryptionByDefault" in row:
            row["ServerSideEncryptionByDefault"] = row.pop("ApplyServerSideEncryptionByDefault")
        rows.append(row)
    return {"ServerSideEncryptionConfiguration": rows}


_TRANSITIONS: Final = {"TransitionInDays": "Days", "TransitionDate": "Date"}
_NONCURRENT: Final = {"TransitionInDays": "NoncurrentDays"}


def _renamed(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {
        names.get(key, key): int(value) if names.get(key) in {"Days", "NoncurrentDays"} else value
        for key, value in row.items()
    }


def _rule_out(rule: Props) -> dict[str, Any]:
    found: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix") or ""}}
    if rule.get("Id"):
        found["ID"] = rule["Id"]
    expiration = {}
    if "ExpirationInDays" in rule:
        expiration["Days"] = int(rule["ExpirationInDays"])
    if "ExpiredObjectDeleteMarker" in rule:
        expiration["ExpiredObjectDeleteMarker"] = rule["ExpiredObjectDeleteMarker"]
    if expiration:
        found["Expiration"] = expiration
    if "NoncurrentVersionExpirationInDays" in rule:
        found["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(rule["NoncurrentVersionExpirationInDays"])}
    for key in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if key in rule:
            found[key] = {name: int(value) for name, value in rule[key].items()}
    if rule.get("Transitions"):
        found["Transitions"] = [_renamed(row, _TRANSITIONS) for row in rule["Transitions"]]
    if rule.get("NoncurrentVersionTransitions"):
        found["NoncurrentVersionTransitions"] = [
            _renamed(row, _NONCURRENT) for row in rule["NoncurrentVersionTransitions"]
        ]
    return found


def _rule_in(rule: Mapping[str, Any], template: Props) -> dict[str, Any]:
    found: dict[str, Any] = {"Status": rule["Status"]}
    prefix = rule.get("Prefix") or (rule.get("Filter") or {}).get("Prefix")
    if prefix or "Prefix" in template:
        found["Prefix"] = prefix or ""
    if rule.get("ID") and "Id" in template:
        found["Id"] = rule["ID"]
    expiration = rule.get("Expiration") or {}
    if "Days" in expiration:
        found["ExpirationInDays"] = expiration["Days"]
    if "ExpiredObjectDeleteMarker" in expiration:
        found["ExpiredObjectDeleteMarker"] = expiration["ExpiredObjectDeleteMarker"]
    if "NoncurrentVersionExpirationInDays" in template and "NoncurrentVersionExpiration" in rule:
        found["NoncurrentVersionExpirationInDays"] = rule["NoncurrentVersionExpiration"].get("NoncurrentDays")
    elif "NoncurrentVersionExpiration" in rule:
        found["NoncurrentVersionExpiration"] = rule["NoncurrentVersionExpiration"]
    if "AbortIncompleteMultipartUpload" in rule:
        found["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    for key, names in (("Transitions", _TRANSITIONS), ("NoncurrentVersionTransitions", _NONCURRENT)):
        if rule.get(key):
            back = {value: name for name, value in names.items()}
            found[key] = [{back.get(name, name): value for name, value in row.items()} for row in rule[key]]
    return found


def _lifecycle_in(rules: list[dict[str, Any]], props: Props) -> dict[str, Any]:
    written = (props.get("LifecycleConfiguration") or {}).get("Rules") or []
    by_id = {row.get("Id"): row for row in written}
    return {
        "Rules": [
            _rule_in(rule, by_id.get(rule.get("ID")) or (written[index] if index < len(written) else {}))
            for index, rule in enumerate(rules)
        ]
    }


def _logging_out(value: Any, bucket: str) -> dict[str, Any]:
    enabled = {
        "TargetBucket": value.get("DestinationBucketName") or bucket,
        "TargetPrefix": value.get("LogFilePrefix") or "",
    }
    return {"LoggingEnabled": enabled}


def _logging_in(value: Any) -> dict[str, Any] | None:
    if not value:
        return None
    found = {"DestinationBucketName": value["TargetBucket"]}
    return {**found, "LogFilePrefix": value["TargetPrefix"]} if value.get("TargetPrefix") else found


_CORS: Final = (
    ("AllowedHeaders", "AllowedHeaders"),
    ("AllowedMethods", "AllowedMethods"),
    ("AllowedOrigins", "AllowedOrigins"),
    ("ExposedHeaders", "ExposeHeaders"),
    ("MaxAge", "MaxAgeSeconds"),
    ("Id", "ID"),
)
"""A CORS rule's members in a template and in the API."""


def _cors_out(value: Any) -> dict[str, Any]:
    rules = [{api: rule[name] for name, api in _CORS if name in rule} for rule in value["CorsRules"]]
    return {"CORSRules": rules}


def _cors_in(rules: Any) -> dict[str, Any]:
    return {"CorsRules": [{name: rule[api] for name, api in _CORS if rule.get(api)} for rule in rules]}


def _notification_out(value: Any) -> dict[str, Any]:
    wanted = str((value.get("EventBridgeConfiguration") or {}).get("EventBridgeEnabled", False)).lower() == "true"
    return {"EventBridgeConfiguration": {}} if wanted else {}


def _notification_in(value: Any) -> dict[str, Any] | None:
    return {"EventBridgeConfiguration": {"EventBridgeEnabled": True}} if "EventBridgeConfiguration" in value else None


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
            Bucket=bucket, ServerSideEncryptionConfiguration=_encryption_out(value)
        ),
        get=lambda client, bucket: _encryption_in(
            client.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
        ),
        delete=lambda client, bucket: client.delete_bucket_encryption(Bucket=bucket),
    ),
    _Part(
        key="LifecycleConfiguration",
        put=lambda client, bucket, value: client.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": [_rule_out(rule) for rule in value["Rules"]]}
        ),
        get=lambda client, bucket: client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
        delete=lambda client, bucket: client.delete_bucket_lifecycle(Bucket=bucket),
    ),
    _Part(
        key="LoggingConfiguration",
        put=lambda client, bucket, value: client.put_bucket_logging(
            Bucket=bucket, BucketLoggingStatus=_logging_out(value, bucket)
        ),
        get=lambda client, bucket: _logging_in(client.get_bucket_logging(Bucket=bucket).get("LoggingEnabled")),
        delete=lambda client, bucket: client.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={}),
    ),
    _Part(
        key="CorsConfiguration",
        put=lambda client, bucket, value: client.put_bucket_cors(Bucket=bucket, CORSConfiguration=_cors_out(value)),
        get=lambda client, bucket: _cors_in(client.get_bucket_cors(Bucket=bucket)["CORSRules"]),
        delete=lambda client, bucket: client.delete_bucket_cors(Bucket=bucket),
    ),
    _Part(
        key="NotificationConfiguration",
        put=lambda client, bucket, value: client.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration=_notification_out(value)
        ),
        get=lambda client, bucket: _notification_in(client.get_bucket_notification_configuration(Bucket=bucket)),
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
        found["LifecycleConfiguration"] = _lifecycle_in(found["LifecycleConfiguration"], props)
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
