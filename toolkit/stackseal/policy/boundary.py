"""A ceiling for the execution role: the services that the stack uses, in its region, and no way around the ceiling.

It is coarse on purpose: a boundary grants nothing, it only stops a policy that grew too far. IAM stays exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from stackseal.model import Policy, Reason, Risk, Role, Statement
from stackseal.policy.grants import Grant
from stackseal.policy.scene import Scene
from stackseal.policy.tables import GLOBAL_SERVICES

_ESCAPES: Final = (
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreatePolicyVersion",
    "iam:CreateUser",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
    "iam:PutUserPermissionsBoundary",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateLoginProfile",
    "organizations:*",
    "account:*",
)
"""Ways to more than the role has (pathfinding.cloud, Rhino Security Labs: privilege escalation in AWS)."""


def policy(grants: Iterable[Grant], scene: Scene) -> Policy:
    """Allow the services that the grants use, IAM on exactly their resources; deny the escapes that they do not use."""
    found = list(grants)
    used = {grant.action for grant in found}
    because = (Reason(resource="stack", operation="template", where=scene.source.blame(())),)
    services = {action.partition(":")[0] for action in used} - {"iam"}
    regional = tuple(f"{name}:*" for name in sorted(services - GLOBAL_SERVICES))
    everywhere = tuple(f"{name}:*" for name in sorted(services & GLOBAL_SERVICES))
    iam = [grant for grant in found if grant.action.startswith("iam:")]
    region = {"StringEquals": {"aws:RequestedRegion": (scene.stack.region,)}}
    candidates = [
        Statement(sid="AllowServices", actions=regional, resources=("*",), conditions=region, risk=Risk.WRITE),
        Statement(sid="AllowGlobalServices", actions=everywhere, resources=("*",), risk=Risk.WRITE),
        Statement(
            sid="AllowIam",
            actions=tuple(sorted({grant.action for grant in iam})),
            resources=tuple(sorted({grant.resource for grant in iam})),
            risk=Risk.PERMISSIONS,
        ),
        Statement(
            sid="DenyEscapes",
            effect="Deny",
            actions=tuple(action for action in _ESCAPES if action not in used),
            resources=("*",),
            risk=Risk.PERMISSIONS,
        ),
    ]
    return Policy(
        role=Role.BOUNDARY,
        statements=tuple(replace(statement, because=because) for statement in candidates if statement.actions),
    )
