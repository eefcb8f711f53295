"""AWS::EC2::SecurityGroupIngress and ::SecurityGroupEgress: rules that stand beside their group. ministack has neither.

`Ref` is the rule's id (`sgr-…`). Only the description can change; everything else replaces the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources.kind import Attributes, Context, Kind, Props

_PEERS: Final = (
    ("CidrIp", "IpRanges", "CidrIp", "CidrIpv4"),
    ("CidrIpv6", "Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
    ("SourcePrefixListId", "PrefixListIds", "PrefixListId", "PrefixListId"),
    ("DestinationPrefixListId", "PrefixListIds", "PrefixListId", "PrefixListId"),
    ("SourceSecurityGroupId", "UserIdGroupPairs", "GroupId", "ReferencedGroupInfo"),
    ("DestinationSecurityGroupId", "UserIdGroupPairs", "GroupId", "ReferencedGroupInfo"),
)
"""The other side of a rule in the template -> where a request holds it, by which key, and the name in an answer."""


def _permission(props: Props) -> dict[str, Any]:
    """The rule as AuthorizeSecurityGroup… takes it."""
    found: dict[str, Any] = {"IpProtocol": str(props["IpProtocol"])}
    found.update({port: int(props[port]) for port in ("FromPort", "ToPort") if port in props})
    described = {"Description": props["Description"]} if props.get("Description") else {}
    for name, store, key, _ in _PEERS:
        if props.get(name):
            found[store] = [{key: props[name], **described}]
    return found


def _create(way: str) -> Callable[[Context, Props], tuple[str, Attributes]]:
    def create(context: Context, props: Props) -> tuple[str, Attributes]:
        call = getattr(context.client("ec2"), f"authorize_security_group_{way}")
        answer = call(GroupId=props["GroupId"], IpPermissions=[_permission(props)])
        rule_id = str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])
        return rule_id, {"Id": rule_id}

    return create


def _update(context: Context, physical_id: str, old: Props, new: Props) -> Attributes:
    if old.get("Description") != new.get("Description"):
        rule = {"IpProtocol": str(new["IpProtocol"]), "Description": new.get("Description") or ""}
        change = {"SecurityGroupRuleId": physical_id, "SecurityGroupRule": rule}
        context.client("ec2").modify_security_group_rules(GroupId=new["GroupId"], SecurityGroupRules=[change])
    return {"Id": physical_id}


def _delete(way: str) -> Callable[[Context, str, Props], None]:
    def delete(context: Context, physical_id: str, props: Props) -> None:
        if _found(context, physical_id) is not None:
            call = getattr(context.client("ec2"), f"revoke_security_group_{way}")
            call(GroupId=props["GroupId"], SecurityGroupRuleIds=[physical_id])

    return delete


def _found(context: Context, physical_id: str) -> dict[str, Any] | None:
    try:
        rows = context.client("ec2").describe_security_group_rules(SecurityGroupRuleIds=[physical_id])
    except ClientError:
        return None
    rules: list[dict[str, Any]] = rows["SecurityGroupRules"]
    return rules[0] if rules else None


def _read(context: Context, physical_id: str, _props: Props) -> Props | None:
    row = _found(context, physical_id)
    if row is None:
        return None
    way = "Destination" if row.get("IsEgress") else "Source"
    plain = ("GroupId", "IpProtocol", "FromPort", "ToPort", "Description")
    found: dict[str, Any] = {key: row[key] for key in plain if key in row}
    for name, _, _, answer in _PEERS:
        if answer in row and (name.startswith((way, "Cidr"))):
            peer = row[answer]
            found[name] = peer["GroupId"] if isinstance(peer, Mapping) else peer
    return found


KINDS: Final[Mapping[str, Kind]] = {
    f"AWS::EC2::SecurityGroup{way.title()}": Kind(create=_create(way), update=_update, delete=_delete(way), read=_read)
    for way in ("ingress", "egress")
}
