"""Completes what ministack's services tell, and what its check of direct calls asks of IAM."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from stackseal.local.ministack.inside import here, module
from stackseal.local.ministack.records import change_sets, stack

_CFN_KEYS: Final = (("RoleARN", "RoleArn"), ("TemplateURL", "TemplateUrl"))
_NAMED_SETS: Final = frozenset({"CreateChangeSet", "DeleteChangeSet", "ExecuteChangeSet"})
_BOUND: Final = frozenset(
    {
        "AttachRolePolicy",
        "CreateRole",
        "DeleteRolePolicy",
        "DetachRolePolicy",
        "PutRolePermissionsBoundary",
        "PutRolePolicy",
    }
)


def complete_authorization() -> None:
    """Lets ministack's check of direct calls know what it asks of CloudFormation and IAM calls on AWS.

    Keys and resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html
    and list_awsidentityandaccessmanagementiam.html. Of Organizations only lists are of a unit or root.
    """
    actions = module("ministack.core.iam_actions")
    if hasattr(actions, "_stackseal_resource"):
        return
    actions._stackseal_resource, actions._stackseal_context = actions.extract_resource_arn, actions.request_tag_context

    def resource(service: str, method: str, path: str, headers: Any, body: bytes, params: Any, *where: Any) -> str:
        if service == "cloudformation":
            return stack_arn(_form(body, params))
        if service == "organizations":
            return _unit_arn(body)
        return str(actions._stackseal_resource(service, method, path, headers, body, params, *where))

    def context(service: str, action: str, body: bytes, params: Any) -> dict[str, Any]:
        found: dict[str, Any] = actions._stackseal_context(service, action, body, params)
        if service == "cloudformation":
            found.update(_stack_context(action, _form(body, params)))
        if service == "iam":
            found.update(_iam_context(action, _form(body, params)))
        return found

    actions.extract_resource_arn, actions.request_tag_context = resource, context


def complete_conditions() -> None:
    """Gives two global condition keys AWS's values: the principal of a session is its role, and loopback counts as TLS.

    Source: IAM User Guide, "AWS global condition context keys", aws:PrincipalArn.
    """
    evaluator = module("ministack.core.iam_evaluator")
    if hasattr(evaluator, "_stackseal_key"):
        return
    evaluator._stackseal_key = evaluator._resolve_condition_key

    def resolve(key: str, context: Any) -> Any:
        match key.lower():
            case "aws:principalarn":
                return _role_of(str(context.principal_arn))
            case "aws:securetransport":
                return "true"
        return evaluator._stackseal_key(key, context)

    evaluator._resolve_condition_key = resolve


def _role_of(principal: str) -> str:
    """The role of a session, with its path; every other principal as it is."""
    head, assumed, rest = principal.partition(":assumed-role/")
    if not assumed:
        return principal
    account, name = head.rpartition(":")[2], rest.partition("/")[0]
    role = module("ministack.services.iam")._roles.get_scoped(account, None, name)
    return str(role["Arn"]) if role else f"{head.replace(':sts:', ':iam:')}:role/{name}"


def _form(body: bytes, params: Any) -> dict[str, str]:
    given = {**dict(params or {}), **parse_qs(body.decode(errors="replace"), keep_blank_values=True)}
    return {key: value[0] if isinstance(value, list) and value else str(value) for key, value in given.items()}


def stack_arn(form: Mapping[str, str]) -> str:
    """The stack that a call is about; `*` for a call about none."""
    change_set = change_sets().get(form.get("ChangeSetName", ""))
    if change_set is not None:
        return str(change_set["StackId"])
    name = form.get("StackName", "")
    if not name or name.startswith("arn:"):
        return name or "*"
    record, place = stack(name), here()
    fallback = f"arn:{place.partition}:cloudformation:{place.region}:{place.account}:stack/{name}/*"
    return str(record["StackId"]) if record else fallback


def _unit_arn(body: bytes) -> str:
    """The organizational unit or the root whose content a call lists; `*` for any other call.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
    """
    given = json.loads(body or b"{}")
    parent = str(given.get("ParentId", "")) if isinstance(given, dict) else ""
    kind, place = "root" if parent.startswith("r-") else "ou", here()
    return f"arn:{place.partition}:organizations::{place.account}:{kind}/o-embedded/{parent}" if parent else "*"


def _stack_context(action: str, form: Mapping[str, str]) -> dict[str, str]:
    found = {f"cloudformation:{key}": form[name] for name, key in _CFN_KEYS if form.get(name)}
    if action.partition(":")[2] in _NAMED_SETS and form.get("ChangeSetName"):
        name = form["ChangeSetName"]
        found["cloudformation:ChangeSetName"] = name.split("/")[1] if name.startswith("arn:") else name
    return found


def _iam_context(action: str, form: Mapping[str, str]) -> dict[str, str]:
    found = {"iam:PolicyARN": form["PolicyArn"]} if form.get("PolicyArn") else {}
    role = module("ministack.services.iam")._roles.get(form.get("RoleName", "")) or {}
    boundary = form.get("PermissionsBoundary") or role.get("PermissionsBoundary")
    if boundary and action.partition(":")[2] in _BOUND:
        found["iam:PermissionsBoundary"] = str(boundary)
    return found


def complete_endpoints() -> None:
    """Lets DescribeVpcEndpoints tell, and ModifyVpcEndpoint change, what ministack keeps but does not show."""
    ec2 = module("ministack.services.ec2")
    if hasattr(ec2, "_stackseal_endpoint"):
        return
    ec2._stackseal_endpoint, modify = ec2._vpce_fields_xml, ec2._modify_vpc_endpoint

    def fields(endpoint: Mapping[str, Any], tag: str = "item") -> str:
        policy = endpoint.get("PolicyDocument") or ""
        groups = "".join(f"<item><groupId>{escape(g)}</groupId></item>" for g in endpoint.get("SecurityGroupIds", []))
        more = (
            f"<groupSet>{groups}</groupSet>"
            f"<privateDnsEnabled>{str(endpoint.get('PrivateDnsEnabled', False)).lower()}</privateDnsEnabled>"
            f"<policyDocument>{escape(policy if isinstance(policy, str) else json.dumps(policy))}</policyDocument>"
        )
        return str(ec2._stackseal_endpoint(endpoint, tag)).strip().removesuffix(f"</{tag}>") + more + f"</{tag}>"

    def change(params: Mapping[str, Any]) -> Any:
        answer, endpoint = modify(params), ec2._vpc_endpoints.get((params.get("VpcEndpointId") or [""])[0])
        if endpoint is not None:
            gone = set(ec2._parse_member_list(params, "RemoveSecurityGroupId"))
            groups = [group for group in endpoint.get("SecurityGroupIds", []) if group not in gone]
            endpoint["SecurityGroupIds"] = groups + ec2._parse_member_list(params, "AddSecurityGroupId")
            if "PrivateDnsEnabled" in params:
                endpoint["PrivateDnsEnabled"] = params["PrivateDnsEnabled"][0] == "true"
        return answer

    ec2._vpce_fields_xml = fields
    ec2._ACTION_MAP["ModifyVpcEndpoint"] = change
