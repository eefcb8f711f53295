"""The template that holds one stack's execution role: made from its policy and from nothing that anybody wrote.

Of a config only names come in here (the stack's, its tags); what the role may do is the generated policy, and above it
stands the boundary that bootstrap made.
"""

from __future__ import annotations

from typing import Any, Final

from stackseal import naming
from stackseal.model import Policy, Stack
from stackseal.policy.fit import documents

_VERSION: Final = "2012-10-17"


def body(stack: Stack, execution: Policy) -> dict[str, Any]:
    """The CloudFormation template of the role of `stack`."""
    policies = {
        f"Policy{number}": _policy(stack, document, number)
        for number, document in enumerate(documents(execution), start=1)
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The role with which CloudFormation builds one stack, and what it may do",
        "Resources": {"Role": _role(stack, list(policies)), **policies},
    }


def _role(stack: Stack, policies: list[str]) -> dict[str, Any]:
    """Only CloudFormation may take it, and only for this stack."""
    stack_arn = f"arn:{stack.partition}:cloudformation:{stack.id.region}:{stack.id.account}:stack/{stack.id.name}/*"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudformation.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": stack.id.account},
            "ArnLike": {"aws:SourceArn": stack_arn},
        },
    }
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": naming.role(stack.id),
            "Path": naming.roles_path(stack.id.region),
            "Description": f"CloudFormation builds the stack {stack.id.name} with it.",
            "AssumeRolePolicyDocument": {"Version": _VERSION, "Statement": [trust]},
            "ManagedPolicyArns": [{"Ref": name} for name in policies],
            "PermissionsBoundary": naming.boundary_arn(stack.id),
            "Tags": [{"Key": key, "Value": value} for key, value in sorted(stack.tags.items())],
        },
    }


def _policy(stack: Stack, document: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "ManagedPolicyName": f"{naming.role(stack.id)}-{number}",
            "Path": naming.roles_path(stack.id.region),
            "Description": "What the resources of one stack need, and nothing else.",
            "PolicyDocument": document,
        },
    }
