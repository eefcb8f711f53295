"""Ways from some permissions to somebody else's, and which of them a policy leaves open.

A way is open where every action that it takes is allowed on all of a kind, with no condition that limits it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from stackseal.model import Statement

WAYS: Final = {
    # Names and actions as DataDog's pathfinding.cloud lists them (github.com/DataDog/pathfinding.cloud, docs/paths.json
    # of 17 December 2025, 65 ways; Apache License 2.0, Copyright 2025-Present Datadog, Inc.); nothing else is taken.
    "apprunner-001": "apprunner:CreateService iam:PassRole",
    "apprunner-002": "apprunner:UpdateService",
    "bedrock-001": "bedrock-agentcore:CreateCodeInterpreter bedrock-agentcore:InvokeCodeInterpreter "
    "bedrock-agentcore:StartCodeInterpreterSession iam:PassRole",
    "bedrock-002": "bedrock-agentcore:InvokeCodeInterpreter bedrock-agentcore:StartCodeInterpreterSession",
    "cloudformation-001": "cloudformation:CreateStack iam:PassRole",
    "cloudformation-002": "cloudformation:UpdateStack",
    "cloudformation-003": "cloudformation:CreateStackInstances cloudformation:CreateStackSet iam:PassRole",
    "cloudformation-004": "cloudformation:UpdateStackSet iam:PassRole",
    "cloudformation-005": "cloudformation:CreateChangeSet cloudformation:ExecuteChangeSet",
    "codebuild-001": "codebuild:CreateProject codebuild:StartBuild iam:PassRole",
    "codebuild-002": "codebuild:StartBuild",
    "codebuild-003": "codebuild:StartBuildBatch",
    "codebuild-004": "codebuild:CreateProject codebuild:StartBuildBatch iam:PassRole",
    "datapipeline-001": "datapipeline:ActivatePipeline datapipeline:CreatePipeline "
    "datapipeline:PutPipelineDefinition iam:PassRole",
    "ec2-001": "ec2:RunInstances iam:PassRole",
    "ec2-002": "ec2:ModifyInstanceAttribute ec2:StartInstances ec2:StopInstances",
    "ec2-003": "ec2:RequestSpotInstances iam:PassRole",
    "ec2-004": "ec2:CreateLaunchTemplateVersion ec2:ModifyLaunchTemplate",
    "ec2instanceconnect-003": "ec2-instance-connect:SendSSHPublicKey ec2:DescribeInstances",
    "ecs-001": "ecs:CreateCluster ecs:CreateService ecs:RegisterTaskDefinition iam:PassRole",
    "ecs-002": "ecs:CreateCluster ecs:RegisterTaskDefinition ecs:RunTask iam:PassRole",
    "ecs-003": "ecs:CreateService ecs:RegisterTaskDefinition iam:PassRole",
    "ecs-004": "ecs:RegisterTaskDefinition ecs:RunTask iam:PassRole",
    "ecs-005": "ecs:RegisterTaskDefinition ecs:StartTask iam:PassRole",
    "glue-001": "glue:CreateDevEndpoint iam:PassRole",
    "glue-002": "glue:UpdateDevEndpoint",
    "glue-003": "glue:CreateJob glue:StartJobRun iam:PassRole",
    "glue-004": "glue:CreateJob glue:CreateTrigger iam:PassRole",
    "glue-005": "glue:StartJobRun glue:UpdateJob iam:PassRole",
    "glue-006": "glue:CreateTrigger glue:UpdateJob iam:PassRole",
    "iam-001": "iam:CreatePolicyVersion",
    "iam-002": "iam:CreateAccessKey",
    "iam-003": "iam:CreateAccessKey iam:DeleteAccessKey",
    "iam-004": "iam:CreateLoginProfile",
    "iam-005": "iam:PutRolePolicy",
    "iam-006": "iam:UpdateLoginProfile",
    "iam-007": "iam:PutUserPolicy",
    "iam-008": "iam:AttachUserPolicy",
    "iam-009": "iam:AttachRolePolicy",
    "iam-010": "iam:AttachGroupPolicy",
    "iam-011": "iam:PutGroupPolicy",
    "iam-012": "iam:UpdateAssumeRolePolicy",
    "iam-013": "iam:AddUserToGroup",
    "iam-014": "iam:AttachRolePolicy sts:AssumeRole",
    "iam-015": "iam:AttachUserPolicy iam:CreateAccessKey",
    "iam-016": "iam:CreatePolicyVersion sts:AssumeRole",
    "iam-017": "iam:PutRolePolicy sts:AssumeRole",
    "iam-018": "iam:CreateAccessKey iam:PutUserPolicy",
    "iam-019": "iam:AttachRolePolicy iam:UpdateAssumeRolePolicy",
    "iam-020": "iam:CreatePolicyVersion iam:UpdateAssumeRolePolicy",
    "iam-021": "iam:PutRolePolicy iam:UpdateAssumeRolePolicy",
    "lambda-001": "iam:PassRole lambda:CreateFunction lambda:InvokeFunction",
    "lambda-002": "iam:PassRole lambda:CreateEventSourceMapping lambda:CreateFunction",
    "lambda-003": "lambda:UpdateFunctionCode",
    "lambda-004": "lambda:InvokeFunction lambda:UpdateFunctionCode",
    "lambda-005": "lambda:AddPermission lambda:UpdateFunctionCode",
    "lambda-006": "iam:PassRole lambda:AddPermission lambda:CreateFunction",
    "sagemaker-001": "iam:PassRole sagemaker:CreateNotebookInstance",
    "sagemaker-002": "iam:PassRole sagemaker:CreateTrainingJob",
    "sagemaker-003": "iam:PassRole sagemaker:CreateProcessingJob",
    "sagemaker-004": "sagemaker:CreatePresignedNotebookInstanceUrl",
    "sagemaker-005": "sagemaker:CreateNotebookInstanceLifecycleConfig sagemaker:StartNotebookInstance "
    "sagemaker:StopNotebookInstance sagemaker:UpdateNotebookInstance",
    "ssm-001": "ssm:StartSession",
    "ssm-002": "ssm:SendCommand",
    "sts-001": "sts:AssumeRole",
}
_OPEN: Final = re.compile(r"^\*$|:\*$|:[^:/]+/\*$|:(role|user|group|policy)/.*/\*$")
"""A resource that ends where its name would begin: after its kind, or after a path of IAM; not after a stack's name."""
_REGION: Final = {"aws:RequestedRegion"}


def is_open(statement: Statement, action: str) -> bool:
    """Whether a statement allows an action on all of a kind. To which service a role is passed does not limit which."""
    keys = {key for entries in statement.conditions.values() for key in entries}
    limits = keys - _REGION - ({"iam:PassedToService"} if action == "iam:PassRole" else set())
    return statement.effect == "Allow" and not limits and any(_OPEN.search(arn) for arn in statement.resources)


def left_open(statements: Iterable[Statement]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Name and actions of every way that these statements leave open together."""
    free = {action for item in statements for action in item.actions if is_open(item, action)}
    for name, listed in WAYS.items():
        needed = tuple(listed.split())
        if free.issuperset(needed):
            yield name, needed
