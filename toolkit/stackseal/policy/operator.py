"""The caller's own policy: suffices without a service role, test stacks included (spec §0.11, §1.7).

Statements are named after the service area, so that a person can hand out or take away a part of it. Names of test
stacks end with `-test-` and six characters; a name that would grow too long is shortened first (stackseal.naming).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from stackseal import naming
from stackseal.model import Operation, Reason, Risk, Stack
from stackseal.policy.grants import Grant, conditions
from stackseal.policy.limits import equal
from stackseal.policy.passing import boundary_of
from stackseal.policy.scene import Scene
from stackseal.policy.stack_calls import DRIFT, READS, StackCalls
from stackseal.policy.values import strings

_MANAGE: Final = (
    "CancelUpdateStack",
    "ContinueUpdateRollback",
    "CreateChangeSet",
    "CreateStack",
    "DeleteChangeSet",
    "DeleteStack",
    "ExecuteChangeSet",
    "RollbackStack",
    "TagResource",
    "UntagResource",
    "UpdateStack",
    "UpdateTerminationProtection",
)
_CONNECTED: Final = {"AWS::CodePipeline::Pipeline": "ConnectionArn", "AWS::CodeBuild::Project": "Resource"}
"""Type → the property that names a connection."""
_CONNECTION: Final = re.compile(r"arn:aws[a-z-]*:(codeconnections|codestar-connections):[^*]+:connection/[^/*]+")
_AREAS: Final = {
    "cloudformation": "CloudFormationManagement",
    "codebuild": "CodeBuild",
    "codecommit": "CodeCommitRepositories",
    "codepipeline": "CodePipeline",
    "ec2": "Ec2Endpoints",
    "events": "EventBridge",
    "kms": "Kms",
    "logs": "Logs",
    "s3": "S3Artifacts",
    "sns": "Sns",
}


_REMOVAL: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    # What `delete-product --delete-data` does to what a deleted stack leaves behind.
    "AWS::S3::Bucket": (
        ("s3:ListBucketVersions", ""),
        ("s3:DeleteObject", "/*"),
        ("s3:DeleteObjectVersion", "/*"),
    ),
    "AWS::SageMaker::ModelPackageGroup": (
        ("sagemaker:ListModelPackages", "*"),
        ("sagemaker:DeleteModelPackage", "/*"),
    ),
}


def area(actions: Iterable[str], resources: Iterable[str], level: Risk) -> str:
    """The service area of a statement, which begins its Sid."""
    del level
    action, arns = next(iter(actions)), list(resources)
    service = action.partition(":")[0]
    if any(action == name for entries in _REMOVAL.values() for name, _ in entries):
        return "DataRemoval"
    if service == "iam":
        return "IamPolicies" if all(":policy/" in arn for arn in arns) else "IamRoles"
    if service == "cloudwatch":
        return "Dashboard" if all(":dashboard/" in arn for arn in arns) else "Alarms"
    if service == "sagemaker":
        return "SageMakerModelRegistry" if all(":model-package" in arn for arn in arns) else "SageMaker"
    if service == "ssm":
        return "SsmOutputs" if all(arn.endswith("/*") for arn in arns) else "SsmInputs"
    return _AREAS.get(service, "".join(part.capitalize() for part in service.split("-")))


def management(scene: Scene, stack: Stack | None) -> Iterator[Grant]:
    """Everything a person does with the stack and with its test stacks."""
    names = [scene.stack.name]
    if stack is not None and not stack.test:
        names.append(f"{stack.slug}-test-*")
    calls = StackCalls(scene, names)
    yield from calls.on_stack((*_MANAGE, *READS, *DRIFT))
    if stack is None:
        return
    for path in stack.consumes:
        for verb in ("GetParameter", "GetParameters"):
            yield calls.grant(f"ssm:{verb}", _parameter(scene, path))


def outputs(scene: Scene, stack: Stack) -> Iterator[Grant]:
    """Reading what the stack publishes, one by one and as a folder."""
    reason = StackCalls(scene, []).reason
    for folder in sorted({path.rpartition("/")[0] for path in stack.publishes}):
        for verb in ("GetParameter", "GetParameters", "GetParametersByPath"):
            yield Grant(action=f"ssm:{verb}", resource=_parameter(scene, f"{folder}/*"), reason=reason)
        yield Grant(action="ssm:GetParametersByPath", resource=_parameter(scene, folder), reason=reason)


def _parameter(scene: Scene, path: str) -> str:
    return scene.resolver.arn(f"ssm:{scene.stack.region}:{scene.stack.account}:parameter/{path.lstrip('/')}")


def data_removal(scene: Scene) -> Iterator[Grant]:
    """Emptying and removing what a deleted stack retains; a statement of its own, so that it can be left out."""
    for resource in scene.resources.values():
        reason = Reason(resource=resource.logical_id, operation=Operation.DELETE.value, where=resource.where)
        for action, end in _REMOVAL.get(resource.kind, ()):
            for arn in scene.resolver.arns(resource.logical_id):
                whole = arn.replace(":model-package-group/", ":model-package/") + end
                yield Grant(action=action, resource="*" if end == "*" else whole, reason=reason)


def outside_sources(scene: Scene) -> Iterator[Grant]:
    """Looking at the buckets that a pipeline reads from: are they versioned (spec A19)?"""
    mine = {arn for resource in scene.resources.values() for arn in scene.resolver.arns(resource.logical_id)}
    for resource in scene.resources.values():
        for key, name in resource.references:
            arn = scene.resolver.arn(f"s3:::{name}")
            if resource.kind == "AWS::CodePipeline::Pipeline" and key == "S3Bucket" and arn not in mine and name != "*":
                reason = Reason(resource=resource.logical_id, operation=Operation.CREATE.value, where=resource.where)
                yield Grant(action="s3:GetBucketVersioning", resource=arn, reason=reason)


def connections(scene: Scene) -> Iterator[Grant]:
    """Looking at the connections that pipelines and projects read through: are they confirmed (D01)?"""
    for resource in scene.resources.values():
        for key, name in resource.references:
            if _CONNECTED.get(resource.kind) == key and _CONNECTION.fullmatch(name):
                reason = Reason(resource=resource.logical_id, operation=Operation.CREATE.value, where=resource.where)
                yield Grant(action="codeconnections:GetConnection", resource=name, reason=reason)


def role_lives(scene: Scene) -> Iterator[Grant]:
    """Inline policies of every role, so that a change of tier can move them to managed policies and back."""
    for arn, role in scene.roles.items():
        reason = Reason(resource=role.logical_id, operation=Operation.UPDATE.value, where=role.where)
        boundary = strings(boundary_of(role)) if boundary_of(role) is not None else ()
        limit = conditions(equal("String", "iam:PermissionsBoundary", boundary))
        yield Grant(action="iam:PutRolePolicy", resource=arn, reason=reason, conditions=limit)
        yield Grant(action="iam:DeleteRolePolicy", resource=arn, reason=reason)


def with_tests(grants: Iterable[Grant], scene: Scene, stack: Stack | None) -> tuple[Grant, ...]:
    """The grants, the published parameters as one folder, and all again for the names of test stacks."""
    found = list(grants)
    if stack is None:
        return tuple(dict.fromkeys(found))
    folders = {_parameter(scene, path): _parameter(scene, path.rpartition("/")[0] + "/*") for path in stack.publishes}
    found = [replace(grant, resource=folders.get(grant.resource, grant.resource)) for grant in found]
    if not stack.test:
        test = suffixer(stack)
        found += _together([_tested(grant, test) for grant in found], stack.slug)
    return tuple(dict.fromkeys(found))


def _together(grants: Sequence[Grant], slug: str) -> list[Grant]:
    """Several names of test stacks of one kind as one: what begins with the stack's name and ends as a test's does.

    Which role is handed to which service stays exact.
    """
    kinds: dict[tuple[str, str], set[str]] = {}
    for grant in grants:
        if (kind := _kind(grant, slug)) is not None:
            kinds.setdefault(kind, set()).add(grant.resource)
    shared = {kind: f"{kind[0]}{slug}-*-test-*{kind[1]}" for kind, names in kinds.items() if len(names) > 1}
    return [replace(grant, resource=shared.get(_kind(grant, slug) or ("", ""), grant.resource)) for grant in grants]


def _kind(grant: Grant, slug: str) -> tuple[str, str] | None:
    """What stands before and after a test stack's name that begins with the stack's; None for any other."""
    before, _, name = grant.resource.partition(f"{slug}-")
    start, _, after = name.partition("-test-*")
    return (before, after) if start and start != name and grant.action != "iam:PassRole" else None


def _tested(grant: Grant, test: Callable[[str], str]) -> Grant:
    limit = tuple((operator, key, tuple(sorted(map(test, values)))) for operator, key, values in grant.conditions)
    like = tuple((_like(operator, values), key, values) for operator, key, values in limit)
    return replace(grant, resource=test(grant.resource), conditions=like)


def _like(operator: str, values: Sequence[str]) -> str:
    return operator.replace("Equals", "Like") if any("*" in value for value in values) else operator


def suffixer(stack: Stack) -> Callable[[str], str]:
    """A function from an ARN of the stack to the pattern of the same thing in any of its test stacks.

    The longest known name in it is replaced; a name that the product does not list keeps its beginning; what carries
    no name of the stack (a key's id, an AWS managed policy) stays as it is.
    """
    known = {
        name.value: naming.shorten(name.wanted, name.limit - naming.TEST_SUFFIX) + "-test-*"
        for name in stack.names.values()
    }
    known.setdefault(stack.slug, f"{stack.slug}-test-*")
    names = sorted(known, key=lambda name: (-len(name), name))
    whole = re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, names)) + r")(?![\w-])")
    generated = re.compile(rf"(?<![\w-])({re.escape(stack.id.name)}|{re.escape(stack.id.name.lower())})-[^:/]*")
    begun = re.compile(rf"(?<![\w-])({re.escape(stack.slug)}-[\w.-]+)")

    @cache
    def test(text: str) -> str:
        if "-test-*" in text:
            return text
        for pattern, put in (
            (generated, lambda _: f"{stack.slug}-test-*"),
            (whole, lambda match: known[match[1]]),
            (begun, lambda match: f"{match[1]}-test-*"),
        ):
            if pattern.search(text):
                return pattern.sub(put, text, count=1)
        return text

    return test
