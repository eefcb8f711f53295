"""Who may do what: ministack's policy evaluator, in the name of callers and of stack roles."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from stackseal.local.messages import Place, ServiceError
from stackseal.local.ministack.inside import at, module


def authorize(
    access_key: str,
    place: Place,
    action: str,
    resource: str,
    context: Mapping[str, Any] | None = None,
    *,
    code: str = "AccessDeniedException",
) -> None:
    """Raises AWS's error unless the caller may do an action; the account's own key may do everything."""
    evaluator = module("ministack.core.iam_evaluator")
    with at(place):
        denied = evaluator.enforce(
            access_key, action, action.partition(":")[0], place.region, resource, dict(context or {})
        )
    if denied is None:
        return
    if isinstance(denied, evaluator.AuthError):
        raise ServiceError(denied.code, denied.message, 403)
    raise ServiceError(code, denial(denied.principal_arn, action, resource, denied.decision), 403)


@dataclasses.dataclass(frozen=True)
class Principal:
    """Somebody with policies."""

    arn: str
    kind: str
    place: Place
    policies: list[Any]
    limits: list[Any]
    keys: Mapping[str, Any]

    def denies(self, action: str, resource: str, context: Mapping[str, Any]) -> str:
        """AWS's sentence when the principal may not; empty when it may."""
        evaluator = module("ministack.core.iam_evaluator")
        asked = evaluator.EvalContext(
            principal_arn=self.arn,
            principal_type=self.kind,
            principal_account=self.place.account,
            action=action,
            resource_arn=resource,
            region=self.place.region,
            service_context={key.lower(): value for key, value in context.items()},
            principal_keys=dict(self.keys),
        )
        result = evaluator.evaluate(asked, self.policies, *self.limits)
        if result.decision == "Allow":
            return ""
        by_boundary = result.decision != "Deny" and evaluator.evaluate(asked, self.policies).decision == "Allow"
        return denial(self.arn, action, resource, "Boundary" if by_boundary else result.decision)


def principal(record: Mapping[str, Any], place: Place) -> Principal | None:
    """In whose name CloudFormation works on a stack: its role, else its caller; None for the account's own key.

    The stack of a stack set is made with the set's execution role, which is the caller and no role of the stack.
    """
    evaluator, iam = module("ministack.core.iam_evaluator"), module("ministack.services.iam")
    role_arn = str(record.get("_worker") or record.get("RoleARN") or "")
    with at(place):
        if role_arn:
            name = role_arn.rpartition("/")[2]
            return Principal(
                arn=f"arn:{place.partition}:sts::{place.account}:assumed-role/{name}/AWSCloudFormation",
                kind="AssumedRole",
                place=place,
                policies=evaluator._gather_role_policies(name, place.account),
                limits=evaluator._permissions_boundary(iam._roles, name, place.account),
                keys={},
            )
        caller = str(record.get("_caller") or "")
        if not caller or evaluator.is_root_access_key(caller):
            return None
        found = evaluator.resolve_principal(caller, place.account)
    if isinstance(found, evaluator.AuthError):
        raise ServiceError(found.code, found.message, 403)
    if found.policies is None:
        return None
    return Principal(found.arn, found.type, place, found.policies, found.limits, found.keys)


def role_arn(name: str, place: Place) -> str:
    """ARN of a role by name; what it would be where there is none."""
    role = module("ministack.services.iam")._roles.get_scoped(place.account, None, name)
    return str(role["Arn"]) if role else f"arn:{place.partition}:iam::{place.account}:role/{name}"


def roles(place: Place) -> dict[str, str]:
    """The account's roles by ARN, each with a text that changes with who may take it and with what it may do."""
    evaluator, iam = module("ministack.core.iam_evaluator"), module("ministack.services.iam")
    with at(place):
        return {
            str(role["Arn"]): repr(
                (role["RoleId"], role["AssumeRolePolicyDocument"], evaluator._gather_role_policies(name, place.account))
            )
            for name, role in iam._roles.items()
        }


def trusts(role_arn: str, service: str, place: Place) -> bool:
    """Whether a role exists in the account and lets a service assume it."""
    return service in _trusted(role_arn, "Service", place)


def trusts_principal(role_arn: str, by: str, place: Place) -> bool:
    """Whether a role exists in the account and lets another role, by ARN, assume it; conditions are not judged."""
    parts = by.split(":")
    account = {parts[4], f"arn:{parts[1]}:iam::{parts[4]}:root"}
    return bool({by, *account} & _trusted(role_arn, "AWS", place))


def _trusted(role_arn: str, kind: str, place: Place) -> set[str]:
    """Whom a role's trust policy allows to assume it, of one kind of principals."""
    role = module("ministack.services.iam")._roles.get_scoped(place.account, None, role_arn.rpartition("/")[2])
    if role is None or role.get("Arn") != role_arn:
        return set()
    trust = role.get("AssumeRolePolicyDocument") or {}
    document = json.loads(trust) if isinstance(trust, str) else trust
    statements = document.get("Statement", [])
    found: set[str] = set()
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        named = principal.get(kind, []) if isinstance(principal, dict) else []
        if statement.get("Effect") == "Allow":
            found |= {named} if isinstance(named, str) else set(named)
    return found


def denial(principal: str, action: str, resource: str, decision: str) -> str:
    """AWS's sentence for a denied request."""
    because = {
        "Boundary": f"because no permissions boundary allows the {action} action",
        "Deny": "with an explicit deny in an identity-based policy",
    }.get(decision, f"because no identity-based policy allows the {action} action")
    return f"User: {principal} is not authorized to perform: {action} on resource: {resource} {because}"
