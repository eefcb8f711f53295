"""What a template's author must acknowledge: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/
API_CreateChangeSet.html, parameter Capabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stackseal.plan.body import resources

_IAM: Final[Mapping[str, str]] = {
    "AWS::IAM::AccessKey": "",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": "",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": "",
}
"""IAM type → the property that gives it a name of the author's choice."""


def needed(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The capabilities that CloudFormation will ask for, sorted.

    Nested stacks are taken to hold named IAM resources.
    """
    found: set[str] = set()
    for resource in resources(body).values():
        type_ = resource.get("Type", "")
        if type_ == "AWS::CloudFormation::Stack":
            found |= {"CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"}
        elif type_ in _IAM:
            named = _IAM[type_] and _IAM[type_] in (resource.get("Properties") or {})
            found.add("CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM")
    if body.get("Transform"):
        found.add("CAPABILITY_AUTO_EXPAND")
    if "CAPABILITY_NAMED_IAM" in found:
        found.discard("CAPABILITY_IAM")  # the stronger word includes the weaker
    return tuple(sorted(found))
