"""Names and ARNs of resources by type: which property holds the name, what a generated one is, how ARNs are filled.

Sources: the facts' identifiers and ARN templates; CloudFormation User Guide, "Name Type"; Service Authorization
Reference for the spelling of variables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from stackseal import facts
from stackseal.policy.values import UNKNOWN, concatenate, strings

# Generated names that begin with the stack's name; others (SageMaker, Secrets Manager, Step Functions) may not.
STACK_NAMED: Final = {
    "AWS::CloudFormation::Stack",
    "AWS::CloudWatch::Alarm",
    "AWS::CodePipeline::Pipeline",
    "AWS::DynamoDB::Table",
    "AWS::Events::Rule",
    "AWS::IAM::Group",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::IAM::User",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
}


def partition(region: str) -> str:
    """The AWS partition of a region."""
    return next(
        (name for prefix, name in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")) if region.startswith(prefix)), "aws"
    )


ARN_NAMED: Final = frozenset({"AWS::SecretsManager::Secret"})
"""Types whose `Ref` is the ARN although their identifier is called otherwise (CloudFormation Template Reference)."""

# Variables of ARN templates that hold the name in another form (Service Authorization Reference).
SPELLED: Final[Mapping[str, Callable[[str], str]]] = {
    "Alias": lambda name: name.removeprefix("alias/"),
    "ParameterNameWithoutLeadingSlash": lambda name: name.lstrip("/"),
    "SecretId": lambda name: f"{name}-*",  # Secrets Manager adds a hyphen and six characters
}
_OTHER_NAMES: Final = frozenset({"GroupFriendlyName", "DbClusterInstanceName"})
"""Variables that hold the plain name under another word."""


@cache
def _pieces(template: str) -> list[str]:
    return re.split(r"\$\{([^}]+)\}", template)


def expand(template: str, variable: Callable[[str], Any]) -> tuple[str, ...]:
    """The texts of an ARN template such as `arn:${Partition}:s3:::${BucketName}`; runs of `*` become one."""
    pieces = _pieces(template)
    found = concatenate([piece if index % 2 == 0 else variable(piece) for index, piece in enumerate(pieces)])
    return tuple(dict.fromkeys(re.sub(r"\*+", "*", option) for option in strings(found)))


@cache
def is_name(variable: str, kind: str) -> bool:
    """Whether a variable of the type's own ARN template is the physical name."""
    key, short = name_property(kind), kind.rpartition("::")[2]
    if variable in _OTHER_NAMES:
        return True
    same = variable.lower() in {key.lower(), f"{short}Name".lower(), f"{short}Identifier".lower()}
    return same or (variable.endswith("Name") and (key == "Name" or key.endswith(variable)))


@cache
def name_property(kind: str) -> str:
    """The property that holds the physical name; empty for a type that is given an opaque id."""
    known = facts.of_type(kind)
    if known is None:
        return ""
    short = kind.rpartition("::")[2]
    settable = [path for path in reversed((*known.reference, *known.primary_identifier)) if path.endswith("Name")]
    wanted = (f"{short}Name", "Name", *settable, f"{short}Identifier")
    return next((name for name in wanted if name in known.properties and name not in known.read_only), "")


def generated(kind: str, logical_id: str, stack: str) -> str:
    """The pattern of the name that CloudFormation gives to a resource without one."""
    known = facts.of_type(kind)
    if known is not None and name_property(kind) in known.required:
        return UNKNOWN
    if kind not in STACK_NAMED:
        return f"*{logical_id}*"
    # Long names are cut to the limit in both halves; 64 is IAM's and EventBridge's, 14 the random end.
    fits = len(stack) + len(logical_id) + 15 <= 63
    name = f"{stack}-{logical_id}-*" if fits else f"{stack[:23]}*"
    return name.lower() if kind == "AWS::S3::Bucket" else name
