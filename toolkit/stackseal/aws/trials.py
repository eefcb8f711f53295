"""Calls that are tried to see whether they are allowed: each names what does not exist, so that it does nothing.

AWS asks IAM before it looks: AccessDenied means forbidden, and every other answer, a success among them, means allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from stackseal.aws.errors import AwsFailed, translated
from stackseal.aws.session import Aws

_EMPTY: Final = '{"Resources":{"Nothing":{"Type":"AWS::CloudFormation::WaitConditionHandle"}}}'
_CHANGE_SET: Final = "seal-prove-nothing"

CALLS: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    "DescribeStacks": lambda cfn, stack: cfn.describe_stacks(StackName=stack),
    # An update of a stack that is not there makes nothing.
    "CreateChangeSet": lambda cfn, stack: cfn.create_change_set(
        StackName=stack, ChangeSetName=_CHANGE_SET, ChangeSetType="UPDATE", TemplateBody=_EMPTY
    ),
    "ExecuteChangeSet": lambda cfn, stack: cfn.execute_change_set(StackName=stack, ChangeSetName=_CHANGE_SET),
    "UpdateStack": lambda cfn, stack: cfn.update_stack(StackName=stack, TemplateBody=_EMPTY),
    "DeleteStack": lambda cfn, stack: cfn.delete_stack(StackName=stack),
}
"""Operation of CloudFormation → how it is tried on a stack that does not exist."""


def allowed(aws: Aws, region: str, operation: str, stack: str) -> bool:
    """Whether the operation is allowed on a stack of this name, which must not exist.

    Raises AwsFailed where AWS answers neither yes nor no: throttled, not reached, bad credentials.
    """
    try:
        with translated(f"could not try {operation} on {stack}"):
            CALLS[operation](aws.client("cloudformation", region), stack)
    except AwsFailed as error:
        if error.code in {"AccessDenied", "AccessDeniedException"}:
            return False
        if error.code in _ANSWERS:
            return True
        raise
    return True


_ANSWERS: Final = frozenset({"ValidationError", "ChangeSetNotFound", "ChangeSetNotFoundException"})
"""What CloudFormation says of a stack or a change set that is not there, to somebody who may ask."""
