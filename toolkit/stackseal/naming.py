"""Physical names that fit their service's limit: the same name in, the same name out."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from stackseal.model import StackId, partition_of, sha256

_HASH: Final = 6
TEST_SUFFIX: Final = len("-test-xxxxxx")
"""How much longer a test stack's names are (spec §0.1)."""


OURS: Final = "stackseal-"
"""Begins the names of the stacks that are not a config's product: the account's own, which bootstrap and roles make."""
ROLES: Final = f"{OURS}roles-"
"""Begins the names of the stacks that hold execution roles."""
_ROLE_LIMIT: Final = 64
SEALED: Final = "seal-"
"""Begins the names of the change sets that a review makes."""
REPLANNED: Final = "deploy-"
"""Begins the names of those that a deployment makes again, or of what was pushed without a review."""


def shorten(name: str, limit: int) -> str:
    """The name if it fits, else its beginning and six hexadecimal digits of its SHA-256.

    Two long names that share a beginning stay different; the same name is always shortened to the same text.
    """
    if len(name) <= limit:
        return name
    return f"{name[: limit - _HASH - 1].rstrip('-')}-{sha256(name)[:_HASH]}"


def suffixed(name: str, suffix: str, limit: int) -> str:
    """The name of a test stack's copy: the suffix is kept whole, the name before it gives way."""
    return shorten(name, limit - len(suffix)) + suffix


def roles_path(region: str) -> str:
    """The path below which a region's execution roles and their policies live; IAM itself knows no regions."""
    return f"/stackseal/{region}/"


def role(stack: StackId) -> str:
    """The name of a stack's own execution role; an account has one of a name, whatever the path and the region."""
    return f"{stack.name[: _ROLE_LIMIT - _HASH - 1].rstrip('-')}-{sha256(str(stack))[:_HASH]}"


def role_arn(stack: StackId) -> str:
    """The ARN of a stack's own execution role."""
    return _iam(stack, f"role{roles_path(stack.region)}{role(stack)}")


def boundary_arn(stack: StackId) -> str:
    """The ARN of the permissions boundary that bootstrap makes for the execution roles of a region."""
    return _iam(stack, f"policy/stackseal-execution-boundary-{stack.region}")


def roles_role_arn(stack: StackId) -> str:
    """The ARN of the role with which CloudFormation builds the stacks that hold execution roles."""
    return _iam(stack, f"role/stackseal-roles-{stack.region}")


def roles_stack(stack: StackId) -> StackId:
    """The stack that holds a stack's own execution role."""
    return replace(stack, name=f"{ROLES}{role(stack)}")


def _iam(stack: StackId, end: str) -> str:
    return f"arn:{partition_of(stack.region)}:iam::{stack.account}:{end}"
