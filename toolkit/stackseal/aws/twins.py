"""A twin of a role for a moment: the same policies and the same limit, trusted by the caller alone.

The roles of the pipelines give themselves to jobs on GitHub only, so that nobody else can try what they may do. Their
twin can be tried, and it is gone afterwards. What a resource's own policy says of the role by name is not the twin's.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from stackseal.aws.errors import AwsFailed, translated
from stackseal.aws.session import Aws

BEGINNING: Final = "stackseal-proof-"
"""Of the names of twins: what is left over after a crash is found by it."""
ATTEMPTS: Final = 20
PAUSE: Final = 3.0
"""A new role takes some seconds to be known everywhere; after a minute something else is wrong."""


@contextmanager
def twin(aws: Aws, region: str, role: str, *, sleep: Callable[[float], None]) -> Iterator[Aws]:
    """The way to AWS as the twin of a role, by its name; the twin is removed at the end.

    Raises AwsFailed where the caller may not do that; where the removal fails, the sentence names what stays.
    """
    name, key = f"{BEGINNING}{secrets.token_hex(6)}", secrets.token_hex(16)
    made: list[Callable[[], Any]] = []
    try:
        with translated(f"could not make a twin of the role {role}"):
            arn = _made(aws, region, role, name, key, made)
        yield _taken(aws, arn, key, sleep)
    finally:
        with translated(f"could not remove the role {name}, a twin of {role}; remove it by hand"):
            for undo in reversed(made):
                undo()


def _made(aws: Aws, region: str, role: str, name: str, key: str, made: list[Callable[[], Any]]) -> str:
    """Make the twin piece by piece; `made` gets how each is taken away. Returns its ARN."""
    iam = aws.client("iam", region)
    found = iam.get_role(RoleName=role)["Role"]
    caller = aws.client("sts", region).get_caller_identity()["Arn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": caller},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": key}},
    }
    limit = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    arn = iam.create_role(
        RoleName=name,
        Description=f"Twin of {role} for stackseal doctor --prove; may be removed",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        **({"PermissionsBoundary": limit} if limit else {}),
    )["Role"]["Arn"]
    made.append(partial(iam.delete_role, RoleName=name))
    for policy in _attached(iam, role):
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        made.append(partial(iam.detach_role_policy, RoleName=name, PolicyArn=policy))
    for policy in _inline(iam, role):
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
        made.append(partial(iam.delete_role_policy, RoleName=name, PolicyName=policy))
    return str(arn)


def _attached(iam: Any, role: str) -> list[str]:
    pages = iam.get_paginator("list_attached_role_policies").paginate(RoleName=role)
    return [item["PolicyArn"] for page in pages for item in page["AttachedPolicies"]]


def _inline(iam: Any, role: str) -> list[str]:
    pages = iam.get_paginator("list_role_policies").paginate(RoleName=role)
    return [name for page in pages for name in page["PolicyNames"]]


def _taken(aws: Aws, arn: str, key: str, sleep: Callable[[float], None]) -> Aws:
    for turn in range(ATTEMPTS):
        try:
            return aws.assumed(arn, session_name="stackseal-prove", external_id=key)
        except AwsFailed as error:
            if error.code != "AccessDenied" or turn + 1 == ATTEMPTS:
                raise
            sleep(PAUSE)
    raise AssertionError  # the last turn returns or raises
