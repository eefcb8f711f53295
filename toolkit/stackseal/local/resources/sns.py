"""AWS::SNS::Topic and ::Subscription (`Ref` is the ARN) and ::TopicPolicy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources.kind import Attributes, Context, Kind, Props, document, missing, tag_list, untagged

_ATTRIBUTES: Final = (
    "ArchivePolicy",
    "ContentBasedDeduplication",
    "DataProtectionPolicy",
    "DisplayName",
    "FifoThroughputScope",
    "FifoTopic",
    "KmsMasterKeyId",
    "SignatureVersion",
    "TracingConfig",
)


def _given(props: Props) -> dict[str, str]:
    return {key: _text(props[key]) for key in _ATTRIBUTES if props.get(key) is not None}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else document(value) if isinstance(value, dict) else str(value)


def _attributes(arn: str) -> Attributes:
    return {"TopicArn": arn, "TopicName": arn.rpartition(":")[2]}


def _create(context: Context, props: Props) -> tuple[str, Attributes]:
    client = context.client("sns")
    arn = client.create_topic(
        Name=context.name(props.get("TopicName"), limit=256), Attributes=_given(props), Tags=tag_list(props.get("Tags"))
    )["TopicArn"]
    for key, value in _given(props).items():
        if key != "FifoTopic":
            client.set_topic_attributes(TopicArn=arn, AttributeName=key, AttributeValue=value)
    _subscribe(context, arn, {}, props)
    return arn, _attributes(arn)


def _subscribe(context: Context, arn: str, old: Props, new: Props) -> None:
    client = context.client("sns")
    before, after = _subscriptions(old), _subscriptions(new)
    for row in client.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]:
        if (row["Protocol"], row["Endpoint"]) in before - after:
            client.unsubscribe(SubscriptionArn=row["SubscriptionArn"])
    for protocol, endpoint in sorted(after - before):
        client.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=endpoint)


def _subscriptions(props: Props) -> set[tuple[str, str]]:
    return {(str(row["Protocol"]), str(row["Endpoint"])) for row in props.get("Subscription") or []}


def _update(context: Context, physical_id: str, old: Props, new: Props) -> Attributes:
    client = context.client("sns")
    before, after = _given(old), _given(new)
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            client.set_topic_attributes(TopicArn=physical_id, AttributeName=key, AttributeValue=after.get(key, ""))
    _subscribe(context, physical_id, old, new)
    if gone := untagged(old.get("Tags"), new.get("Tags")):
        client.untag_resource(ResourceArn=physical_id, TagKeys=gone)
    client.tag_resource(ResourceArn=physical_id, Tags=tag_list(new.get("Tags")))
    return _attributes(physical_id)


def _delete(context: Context, physical_id: str, _props: Props) -> None:
    try:
        context.client("sns").delete_topic(TopicArn=physical_id)
    except ClientError as error:
        if not missing(error, "NotFound", "NotFoundException"):
            raise


def _read(context: Context, physical_id: str, props: Props) -> Props | None:
    client = context.client("sns")
    try:
        found: dict[str, Any] = dict(client.get_topic_attributes(TopicArn=physical_id)["Attributes"])
    except ClientError as error:
        if missing(error, "NotFound", "NotFoundException"):
            return None
        raise
    found["TopicName"] = physical_id.rpartition(":")[2]
    found["Tags"] = client.list_tags_for_resource(ResourceArn=physical_id)["Tags"]
    if "Subscription" in props:
        rows = client.list_subscriptions_by_topic(TopicArn=physical_id)["Subscriptions"]
        own = {row["PhysicalResourceId"] for row in context.siblings_of("AWS::SNS::Subscription")}
        found["Subscription"] = [
            {"Protocol": row["Protocol"], "Endpoint": row["Endpoint"]}
            for row in rows
            if row["SubscriptionArn"] not in own
        ]
    return found


def _read_subscription(context: Context, physical_id: str, props: Props) -> Props | None:
    client = context.client("sns")
    try:
        found: dict[str, Any] = dict(client.get_subscription_attributes(SubscriptionArn=physical_id)["Attributes"])
        rows = client.list_subscriptions_by_topic(TopicArn=physical_id.rpartition(":")[0])["Subscriptions"]
    except ClientError as error:
        if missing(error, "NotFound", "NotFoundException"):
            return None
        raise
    for row in rows:
        if row["SubscriptionArn"] == physical_id:
            found.update({key: row[key] for key in ("TopicArn", "Protocol", "Endpoint")})
    if "Region" in props:
        found["Region"] = physical_id.split(":")[3]
    return found


def _read_policy(context: Context, _physical_id: str, props: Props) -> Props | None:
    client, policies, topics = context.client("sns"), [], []
    for arn in props.get("Topics") or []:
        try:
            attributes = client.get_topic_attributes(TopicArn=arn)["Attributes"]
        except ClientError:
            continue
        if attributes.get("Policy"):
            topics.append(arn)
            policies.append(attributes["Policy"])
    return {"Topics": topics, "PolicyDocument": policies[0]} if policies else None


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::SNS::Subscription": Kind(read=_read_subscription),
    "AWS::SNS::Topic": Kind(
        create=_create,
        update=_update,
        delete=_delete,
        read=_read,
        physical=lambda context, props: context.arn("sns", str(props.get("TopicName") or "")),
        name="TopicName",
        tags="Tags",
    ),
    "AWS::SNS::TopicPolicy": Kind(read=_read_policy),
}
