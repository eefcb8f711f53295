"""What is wrong with a template's policies: types without a source, and statements that IAM would not honour."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from stackseal import facts
from stackseal.model import Finding, Level, Location, Policy, Role, Statement
from stackseal.policy.atoms import sourced
from stackseal.policy.escalation import is_open, left_open
from stackseal.policy.fit import LIMIT, documents, size
from stackseal.policy.passing import unknown_roles
from stackseal.policy.scene import Scene
from stackseal.policy.scope import describes

_GLOBAL_KEY: Final = re.compile(r"^aws:", re.IGNORECASE)
_MOST_POLICIES: Final = 10
"""Managed policies per role by default (IAM Guide, "IAM and STS quotas")."""

ESCALATIONS: Final = frozenset(
    {
        # Each alone is a way to the rights of another principal, or the last step of one.
        "iam:AddUserToGroup",
        "iam:AttachGroupPolicy",
        "iam:AttachRolePolicy",
        "iam:AttachUserPolicy",
        "iam:CreateAccessKey",
        "iam:CreateLoginProfile",
        "iam:CreatePolicyVersion",
        "iam:PassRole",
        "iam:PutGroupPolicy",
        "iam:PutRolePolicy",
        "iam:PutUserPolicy",
        "iam:SetDefaultPolicyVersion",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateLoginProfile",
        "lambda:UpdateFunctionCode",
        "ssm:SendCommand",
        "ssm:StartSession",
        "sts:AssumeRole",
    }
)
_OTHERS: Final = {
    # The same, but nothing better can be written -> why it is told all the same.
    "ec2:ModifyInstanceAttribute": "ids of instances are known only when they run, so it reaches what others start",
}


def template_findings(scene: Scene) -> Iterator[Finding]:
    """Resources for which no exact policy can be made: their permissions are missing, so the review must stop."""
    for logical_id in scene.malformed:
        yield _about(scene, logical_id, "a loop or a macro makes it or its properties; expand the template first")
    for resource in scene.resources.values():
        if not sourced(resource.kind):
            yield _about(scene, resource.logical_id, _unsourced(resource.kind))
        elif unknown_roles(resource, scene):
            message = "it passes a role whose ARN is known only when it is deployed; write the ARN or give a default"
            yield _about(scene, resource.logical_id, message, "policy-unknown-role")
        elif resource.kind == "AWS::CloudFormation::Stack":
            message = "the resources of a nested stack are not part of this template's policies"
            yield _about(scene, resource.logical_id, message, "policy-nested-stack", Level.WARNING)
        elif _custom(resource.kind) and not _token_known(scene, logical_id=resource.logical_id):
            message = "its ServiceToken is known only when it is deployed, so calling it cannot be granted"
            yield _about(scene, resource.logical_id, message, "policy-unknown-token")


def _unsourced(kind: str) -> str:
    if kind.startswith("AWS::Serverless::"):
        return f"{kind} is expanded by a macro; expand the template first"
    return f"nothing says which permissions {kind or 'it'} needs; write them by hand and waive this finding"


def statement_findings(policies: Iterable[Policy]) -> Iterator[Finding]:
    """Statements that IAM would refuse, never match, or that open more than they name."""
    for policy in policies:
        for statement in policy.statements:
            where = statement.because[0].where if statement.because else Location(path="policy")
            place = f"{policy.role.value} policy, {statement.sid}"
            for check, level, message in _problems(statement, policy.role):
                yield Finding(check=check, engine="stackseal", level=level, message=f"{place}: {message}", where=where)
        if policy.role is not Role.BOUNDARY:
            yield from _ways(policy)
        parts = documents(policy)
        if len(parts) > _MOST_POLICIES or any(size(part) > LIMIT for part in parts):
            message = f"{len(parts)} documents, IAM takes {_MOST_POLICIES} of {LIMIT} characters"
            yield _of_all(policy, "policy-size", message)


def _problems(statement: Statement, role: Role) -> Iterator[tuple[str, Level, str]]:
    if role is Role.BOUNDARY:  # a ceiling of service wildcards: nothing to compare
        return
    keys = [key for entries in statement.conditions.values() for key in entries]
    for name in statement.actions:
        action = facts.action(name)
        if action is None:
            yield "policy-unknown-action", Level.ERROR, f"IAM has no action {name}"
            continue
        for key in keys:
            if not _GLOBAL_KEY.match(key) and not _supported(key, action.keys):
                yield (
                    "policy-condition-key",
                    Level.ERROR,
                    f"{name} does not support {key}, so it would never be allowed",
                )
        if not any(arn == "*" or describes(action, arn) for arn in statement.resources):
            yield "policy-resource", Level.ERROR, f"{name} acts on none of its resources, so it would never be allowed"
        if action.resources and not action.reads and "*" in statement.resources:
            yield "policy-unscoped-write", Level.ERROR, f"{name} could be limited to resources but is allowed on all"
    yield from _escalations(statement)


def _supported(key: str, known: frozenset[str]) -> bool:
    return key.lower() in {name.lower() for name in known}


def _escalations(statement: Statement) -> Iterator[tuple[str, Level, str]]:
    keys = {key for entries in statement.conditions.values() for key in entries}
    if "iam:PassRole" in statement.actions and "iam:PassedToService" not in keys:
        yield "policy-escalation", Level.ERROR, "iam:PassRole does not say to which service"
    for action in sorted(set(statement.actions)):
        if action in ESCALATIONS and is_open(statement, action):
            yield "policy-escalation", Level.ERROR, f"{action} on every resource leads to the rights of others"
        if action in _OTHERS and is_open(statement, action):
            yield "policy-escalation", Level.WARNING, f"{action}: {_OTHERS[action]}"


def _ways(policy: Policy) -> Iterator[Finding]:
    """Ways of several actions, or of one that is no way in itself everywhere, which no statement is blamed for."""
    for name, actions in left_open(policy.statements):
        if not ESCALATIONS.union(_OTHERS).intersection(actions):
            what = (
                f"{' with '.join(actions)} on every resource leads to the rights of others (pathfinding.cloud {name})"
            )
            yield _of_all(policy, "policy-escalation", what)


def _of_all(policy: Policy, check: str, message: str) -> Finding:
    """What is wrong with a policy as a whole."""
    return Finding(
        check=check,
        engine="stackseal",
        level=Level.ERROR,
        message=f"{policy.role.value} policy: {message}",
        where=Location(path="policy"),
    )


def _custom(kind: str) -> bool:
    return kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource"


def _token_known(scene: Scene, logical_id: str) -> bool:
    references = scene.resources[logical_id].references
    return any(scene.arns_of(text) for key, text in references if key == "ServiceToken")


def _about(
    scene: Scene, logical_id: str, message: str, check: str = "policy-no-source", level: Level = Level.ERROR
) -> Finding:
    return Finding(
        check=check,
        engine="stackseal",
        level=level,
        message=f"No exact policy for {logical_id}: {message}",
        where=scene.source.blame(("Resources", logical_id)),
        resource=logical_id,
        stack=scene.stack.name,
    )


def all_findings(scene: Scene, policies: Sequence[Policy]) -> tuple[Finding, ...]:
    """Everything, in a fixed order."""
    return (*template_findings(scene), *statement_findings(policies))
