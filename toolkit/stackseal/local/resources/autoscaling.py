"""AWS::ApplicationAutoScaling::ScalableTarget and ::ScalingPolicy, served by moto.

`Ref` is `{resource id}|{dimension}|{namespace}` for a target and the ARN for a policy, as on AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stackseal.local.resources.kind import Attributes, Context, Kind, Props, tag_map

_OF_TARGET: Final = ("ServiceNamespace", "ResourceId", "ScalableDimension")


def _target(context: Context, props: Props) -> None:
    capacities = {key: int(props[key]) for key in ("MinCapacity", "MaxCapacity")}
    role = {"RoleARN": props["RoleARN"]} if props.get("RoleARN") else {}
    context.client("application-autoscaling").register_scalable_target(
        **{key: props[key] for key in _OF_TARGET}, **capacities, **role, Tags=tag_map(props.get("Tags"))
    )


def _target_id(props: Props) -> str:
    return "|".join(str(props[key]) for key in ("ResourceId", "ScalableDimension", "ServiceNamespace"))


def _create_target(context: Context, props: Props) -> tuple[str, Attributes]:
    _target(context, props)
    return _target_id(props), {"Id": _target_id(props)}


def _update_target(context: Context, physical_id: str, _old: Props, new: Props) -> Attributes:
    _target(context, new)
    return {"Id": physical_id}


def _delete_target(context: Context, physical_id: str, props: Props) -> None:
    if _read_target(context, physical_id, props) is not None:
        client = context.client("application-autoscaling")
        client.deregister_scalable_target(**dict(zip(_OF_TARGET, _parts(physical_id), strict=True)))


def _parts(target: str) -> tuple[str, str, str]:
    resource, dimension, namespace = target.split("|")
    return namespace, resource, dimension


def _read_target(context: Context, physical_id: str, _props: Props) -> Props | None:
    namespace, resource, dimension = _parts(physical_id)
    found = context.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace=namespace, ResourceIds=[resource], ScalableDimension=dimension
    )["ScalableTargets"]
    return dict(found[0]) if found else None


def _policy(context: Context, props: Props) -> str:
    tracking = props["TargetTrackingScalingPolicyConfiguration"]
    numbers = {key: int(tracking[key]) for key in ("ScaleInCooldown", "ScaleOutCooldown") if key in tracking}
    made = context.client("application-autoscaling").put_scaling_policy(
        PolicyName=props["PolicyName"],
        PolicyType=props["PolicyType"],
        TargetTrackingScalingPolicyConfiguration={
            **tracking,
            **numbers,
            "TargetValue": float(tracking["TargetValue"]),
        },
        **_of_policy(props),
    )
    return str(made["PolicyARN"])


def _of_policy(props: Props) -> dict[str, Any]:
    return dict(zip(_OF_TARGET, _parts(str(props["ScalingTargetId"])), strict=True))


def _create_policy(context: Context, props: Props) -> tuple[str, Attributes]:
    arn = _policy(context, props)
    return arn, {"Arn": arn}


def _update_policy(context: Context, physical_id: str, _old: Props, new: Props) -> Attributes:
    _policy(context, new)
    return {"Arn": physical_id}


def _delete_policy(context: Context, physical_id: str, props: Props) -> None:
    if _read_policy(context, physical_id, props) is not None:
        client = context.client("application-autoscaling")
        client.delete_scaling_policy(PolicyName=props["PolicyName"], **_of_policy(props))


def _read_policy(context: Context, physical_id: str, props: Props) -> Props | None:
    given = _of_policy(props)
    rows = context.client("application-autoscaling").describe_scaling_policies(**given)["ScalingPolicies"]
    found = next((row for row in rows if row["PolicyARN"] == physical_id), None)
    return {**found, "ScalingTargetId": props["ScalingTargetId"]} if found else None


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": Kind(
        create=_create_target,
        update=_update_target,
        delete=_delete_target,
        read=_read_target,
        unread=frozenset({"Tags", "RoleARN"}),
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": Kind(
        create=_create_policy, update=_update_policy, delete=_delete_policy, read=_read_policy
    ),
}
