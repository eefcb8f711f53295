"""A bucket's configurations: how a template writes them (`…_out` to the API, `…_in` from it)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stackseal.local.resources.kind import Props


def encryption_out(value: Any) -> dict[str, Any]:
    rules = []
    for row in value["ServerSideEncryptionConfiguration"]:
        rule = dict(row)
        if "ServerSideEncryptionByDefault" in rule:
            rule["ApplyServerSideEncryptionByDefault"] = rule.pop("ServerSideEncryptionByDefault")
        rules.append(rule)
    return {"Rules": rules}


def encryption_in(value: Any) -> dict[str, Any]:
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


def rule_out(rule: Props) -> dict[str, Any]:
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


def lifecycle_in(rules: list[dict[str, Any]], props: Props) -> dict[str, Any]:
    written = (props.get("LifecycleConfiguration") or {}).get("Rules") or []
    by_id = {row.get("Id"): row for row in written}
    return {
        "Rules": [
            _rule_in(rule, by_id.get(rule.get("ID")) or (written[index] if index < len(written) else {}))
            for index, rule in enumerate(rules)
        ]
    }


def logging_out(value: Any, bucket: str) -> dict[str, Any]:
    enabled = {
        "TargetBucket": value.get("DestinationBucketName") or bucket,
        "TargetPrefix": value.get("LogFilePrefix") or "",
    }
    return {"LoggingEnabled": enabled}


def logging_in(value: Any) -> dict[str, Any] | None:
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


def cors_out(value: Any) -> dict[str, Any]:
    rules = [{api: rule[name] for name, api in _CORS if name in rule} for rule in value["CorsRules"]]
    return {"CORSRules": rules}


def cors_in(rules: Any) -> dict[str, Any]:
    return {"CorsRules": [{name: rule[api] for name, api in _CORS if rule.get(api)} for rule in rules]}


def notification_out(value: Any) -> dict[str, Any]:
    wanted = str((value.get("EventBridgeConfiguration") or {}).get("EventBridgeEnabled", False)).lower() == "true"
    return {"EventBridgeConfiguration": {}} if wanted else {}


def notification_in(value: Any) -> dict[str, Any] | None:
    return {"EventBridgeConfiguration": {"EventBridgeEnabled": True}} if "EventBridgeConfiguration" in value else None
