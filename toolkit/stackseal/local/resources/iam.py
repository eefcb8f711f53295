"""AWS::IAM::Role (`Ref` is the name); AWS::IAM::ManagedPolicy and AWS::IAM::OIDCProvider (`Ref` is the ARN)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local.resources.kind import (
    Attributes,
    Context,
    Kind,
    Props,
    document,
    missing,
    tag_list,
    untagged,
)

_DEFAULT_SESSION: Final = 3600
_ENTITIES: Final = (("Roles", "role", "RoleName"), ("Users", "user", "UserName"), ("Groups", "group", "GroupName"))
_VERSIONS: Final = 5
"""Versions that IAM keeps of a managed policy."""


# --- role -------------------------------------------------------------------------------------------------------------


def _role_attributes(context: Context, name: str) -> Attributes:
    role = context.client("iam").get_role(RoleName=name)["Role"]
    return {"Arn": role["Arn"], "RoleId": role["RoleId"]}


def _create_role(context: Context, props: Props) -> tuple[str, Attributes]:
    client, name = context.client("iam"), context.name(props.get("RoleName"), limit=64)
    optional = {key: props[key] for key in ("Description", "Path", "PermissionsBoundary") if props.get(key)}
    client.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=document(props["AssumeRolePolicyDocument"]),
        MaxSessionDuration=int(props.get("MaxSessionDuration") or _DEFAULT_SESSION),
        Tags=tag_list(props.get("Tags")),
        **optional,
    )
    try:
        _role_policies(context, name, {}, props)
    except (ClientError, ValueError):
        _delete_role(context, name, props)
        raise
    return name, _role_attributes(context, name)


def _update_role(context: Context, physical_id: str, old: Props, new: Props) -> Attributes:
    client = context.client("iam")
    client.update_assume_role_policy(RoleName=physical_id, PolicyDocument=document(new["AssumeRolePolicyDocument"]))
    client.update_role(
        RoleName=physical_id,
        Description=new.get("Description") or "",
        MaxSessionDuration=int(new.get("MaxSessionDuration") or _DEFAULT_SESSION),
    )
    if new.get("PermissionsBoundary"):
        client.put_role_permissions_boundary(RoleName=physical_id, PermissionsBoundary=new["PermissionsBoundary"])
    elif old.get("PermissionsBoundary"):
        client.delete_role_permissions_boundary(RoleName=physical_id)
    _role_policies(context, physical_id, old, new)
    if gone := untagged(old.get("Tags"), new.get("Tags")):
        client.untag_role(RoleName=physical_id, TagKeys=gone)
    client.tag_role(RoleName=physical_id, Tags=tag_list(new.get("Tags")))
    return _role_attributes(context, physical_id)


def _role_policies(context: Context, name: str, old: Props, new: Props) -> None:
    """Only what templates wrote: policies from elsewhere stay."""
    client = context.client("iam")
    before, after = _inline(old), _inline(new)
    for policy in sorted(before.keys() - after.keys()):
        client.delete_role_policy(RoleName=name, PolicyName=policy)
    for policy, text in sorted(after.items()):
        if before.get(policy) != text:
            client.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=text)
    was, wanted = set(old.get("ManagedPolicyArns") or []), set(new.get("ManagedPolicyArns") or [])
    for arn in sorted(was - wanted):
        client.detach_role_policy(RoleName=name, PolicyArn=arn)
    for arn in sorted(wanted - was):
        _expect_policy(context, arn)
        client.attach_role_policy(RoleName=name, PolicyArn=arn)


def _expect_policy(context: Context, arn: str) -> None:
    """IAM attaches only what exists; ministack attaches anything. AWS's own policies are taken as given."""
    if f":{context.place.account}:" not in arn:
        return
    try:
        context.client("iam").get_policy(PolicyArn=arn)
    except ClientError as error:
        raise ValueError(
            f'Resource handler returned message: "Policy {arn} does not exist or is not attachable. '
            '(Service: Iam, Status Code: 404, Error Code: NoSuchEntity)" (HandlerErrorCode: NotFound)'
        ) from error


def _inline(props: Props) -> dict[str, str]:
    return {str(row["PolicyName"]): document(row["PolicyDocument"]) for row in props.get("Policies") or []}


def _delete_role(context: Context, physical_id: str, props: Props) -> None:
    """Takes the template's own policies off first; one from elsewhere makes IAM refuse, as on AWS."""
    client = context.client("iam")
    for arn in props.get("ManagedPolicyArns") or []:
        _tolerant(client.detach_role_policy, RoleName=physical_id, PolicyArn=arn)
    for policy in _inline(props):
        _tolerant(client.delete_role_policy, RoleName=physical_id, PolicyName=policy)
    _tolerant(client.delete_role, RoleName=physical_id)


def _tolerant(call: Any, **arguments: Any) -> None:
    try:
        call(**arguments)
    except ClientError as error:
        if not missing(error, "NoSuchEntity"):
            raise


def _read_role(context: Context, physical_id: str, props: Props) -> Props | None:
    client = context.client("iam")
    try:
        role: dict[str, Any] = dict(client.get_role(RoleName=physical_id)["Role"])
    except ClientError as error:
        if missing(error, "NoSuchEntity"):
            return None
        raise
    role["PermissionsBoundary"] = (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    names = client.list_role_policies(RoleName=physical_id)["PolicyNames"]
    if "Policies" in props:
        role["Policies"] = [
            {
                "PolicyName": name,
                "PolicyDocument": client.get_role_policy(RoleName=physical_id, PolicyName=name)["PolicyDocument"],
            }
            for name in names
            if name not in _embedded(context, physical_id)
        ]
    if "ManagedPolicyArns" in props:
        attached = client.list_attached_role_policies(RoleName=physical_id)["AttachedPolicies"]
        elsewhere = _attached(context, physical_id) - set(props["ManagedPolicyArns"])
        role["ManagedPolicyArns"] = [row["PolicyArn"] for row in attached if row["PolicyArn"] not in elsewhere]
    return role


def _embedded(context: Context, role: str) -> set[str]:
    """Names of the inline policies that the same stack embeds in a role from the policies' side."""
    rows = [row["Properties"] for row in context.siblings_of("AWS::IAM::Policy")]
    return {str(row.get("PolicyName")) for row in rows if role in (row.get("Roles") or [])}


def _attached(context: Context, role: str) -> set[str]:
    """ARNs of the managed policies that the same stack attaches to a role from the policies' side."""
    policies = context.siblings_of("AWS::IAM::ManagedPolicy")
    return {str(row["PhysicalResourceId"]) for row in policies if role in (row["Properties"].get("Roles") or [])}


# --- managed policy ---------------------------------------------------------------------------------------------------


def _policy_arn(context: Context, props: Props) -> str:
    path = props.get("Path") or "/"
    return context.arn("iam", f"policy{path}{props.get('ManagedPolicyName') or ''}", regional=False)


def _policy_attributes(context: Context, arn: str) -> Attributes:
    policy = context.client("iam").get_policy(PolicyArn=arn)["Policy"]
    return {
        "PolicyArn": arn,
        "PolicyId": policy["PolicyId"],
        "AttachmentCount": policy.get("AttachmentCount", 0),
        "PermissionsBoundaryUsageCount": policy.get("PermissionsBoundaryUsageCount", 0),
        "DefaultVersionId": policy["DefaultVersionId"],
        "IsAttachable": policy.get("IsAttachable", True),
        "CreateDate": policy["CreateDate"].isoformat(),
        "UpdateDate": policy["UpdateDate"].isoformat(),
    }


def _create_policy(context: Context, props: Props) -> tuple[str, Attributes]:
    client = context.client("iam")
    optional = {key: props[key] for key in ("Description", "Path") if props.get(key)}
    arn = client.create_policy(
        PolicyName=context.name(props.get("ManagedPolicyName"), limit=128),
        PolicyDocument=document(props["PolicyDocument"]),
        **optional,
    )["Policy"]["Arn"]
    try:
        _attach(context, arn, {}, props)
    except ClientError:
        _delete_policy(context, arn, props)
        raise
    return arn, _policy_attributes(context, arn)


def _attach(context: Context, arn: str, old: Props, new: Props) -> None:
    client = context.client("iam")
    for key, entity, parameter in _ENTITIES:
        before, after = set(old.get(key) or []), set(new.get(key) or [])
        for name in sorted(before - after):
            _tolerant(getattr(client, f"detach_{entity}_policy"), PolicyArn=arn, **{parameter: name})
        for name in sorted(after - before):
            getattr(client, f"attach_{entity}_policy")(PolicyArn=arn, **{parameter: name})


def _update_policy(context: Context, physical_id: str, old: Props, new: Props) -> Attributes:
    client = context.client("iam")
    if document(old["PolicyDocument"]) != document(new["PolicyDocument"]):
        versions = client.list_policy_versions(PolicyArn=physical_id)["Versions"]
        if len(versions) >= _VERSIONS:
            oldest = min((v for v in versions if not v["IsDefaultVersion"]), key=lambda v: int(v["VersionId"][1:]))
            client.delete_policy_version(PolicyArn=physical_id, VersionId=oldest["VersionId"])
        client.create_policy_version(
            PolicyArn=physical_id, PolicyDocument=document(new["PolicyDocument"]), SetAsDefault=True
        )
    _attach(context, physical_id, old, new)
    return _policy_attributes(context, physical_id)


def _delete_policy(context: Context, physical_id: str, props: Props) -> None:
    client = context.client("iam")
    try:
        versions = client.list_policy_versions(PolicyArn=physical_id)["Versions"]
    except ClientError as error:
        if missing(error, "NoSuchEntity"):
            return
        raise
    _attach(context, physical_id, props, {})
    for version in versions:
        if not version["IsDefaultVersion"]:
            client.delete_policy_version(PolicyArn=physical_id, VersionId=version["VersionId"])
    client.delete_policy(PolicyArn=physical_id)


def _read_policy(context: Context, physical_id: str, props: Props) -> Props | None:
    client = context.client("iam")
    try:
        policy = client.get_policy(PolicyArn=physical_id)["Policy"]
    except ClientError as error:
        if missing(error, "NoSuchEntity"):
            return None
        raise
    version = client.get_policy_version(PolicyArn=physical_id, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    entities = client.list_entities_for_policy(PolicyArn=physical_id, PolicyUsageFilter="PermissionsPolicy")
    found = {
        "ManagedPolicyName": policy["PolicyName"],
        "Path": policy["Path"],
        "Description": policy.get("Description"),
        "PolicyDocument": version["Document"],
    }
    for key, _, parameter in _ENTITIES:
        if key in props:
            names = [row[parameter] for row in entities[f"Policy{key}"]]
            found[key] = [name for name in names if name in props[key] or name not in _takers(context, physical_id)]
    return found


def _takers(context: Context, arn: str) -> set[str]:
    """Names of the stack's roles that take a managed policy from their own side."""
    roles = context.siblings_of("AWS::IAM::Role")
    return {
        str(row["PhysicalResourceId"]) for row in roles if arn in (row["Properties"].get("ManagedPolicyArns") or [])
    }


# --- OIDC provider ----------------------------------------------------------------------------------------------------


def _create_provider(context: Context, props: Props) -> tuple[str, Attributes]:
    arn = context.client("iam").create_open_id_connect_provider(
        Url=props["Url"],
        ClientIDList=list(props.get("ClientIdList") or []),
        ThumbprintList=list(props.get("ThumbprintList") or []),
        Tags=tag_list(props.get("Tags")),
    )["OpenIDConnectProviderArn"]
    return arn, {"Arn": arn}


def _update_provider(context: Context, physical_id: str, old: Props, new: Props) -> Attributes:
    """IAM of the emulator cannot change a provider: it is made again under the same ARN, as only the URL decides it."""
    del old
    _delete_provider(context, physical_id, new)
    return _create_provider(context, new)[1]


def _delete_provider(context: Context, physical_id: str, props: Props) -> None:
    del props
    _tolerant(context.client("iam").delete_open_id_connect_provider, OpenIDConnectProviderArn=physical_id)


def _read_provider(context: Context, physical_id: str, props: Props) -> Props | None:
    try:
        found = context.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=physical_id)
    except ClientError as error:
        if missing(error, "NoSuchEntity"):
            return None
        raise
    return {
        "Url": f"https://{str(found['Url']).removeprefix('https://')}",
        "ClientIdList": found["ClientIDList"],
        "Tags": found.get("Tags", []),
        **({"ThumbprintList": found["ThumbprintList"]} if "ThumbprintList" in props else {}),
    }


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::IAM::ManagedPolicy": Kind(
        create=_create_policy,
        update=_update_policy,
        delete=_delete_policy,
        read=_read_policy,
        physical=_policy_arn,
        name="ManagedPolicyName",
    ),
    "AWS::IAM::OIDCProvider": Kind(
        create=_create_provider,
        update=_update_provider,
        delete=_delete_provider,
        read=_read_provider,
        tags="Tags",
    ),
    "AWS::IAM::Role": Kind(
        create=_create_role,
        update=_update_role,
        delete=_delete_role,
        read=_read_role,
        physical=lambda _context, props: str(props.get("RoleName") or ""),
        name="RoleName",
        name_limit=64,
        tags="Tags",
    ),
}
