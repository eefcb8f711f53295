"""Calls on the stack itself, by CloudFormation's own API: the part of every policy that no resource asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from stackseal import facts, naming
from stackseal.model import Operation, Reason, StackId
from stackseal.policy.grants import Conditions, Grant, conditions
from stackseal.policy.needs import pass_role
from stackseal.policy.physical import partition
from stackseal.policy.scene import Scene

READS: Final = (
    "DescribeChangeSet",
    "DescribeEvents",
    "DescribeStackEvents",
    "DescribeStackResources",
    "DescribeStacks",
    "GetTemplate",
    "GetTemplateSummary",
    "ListChangeSets",
    "ListStackResources",
    "ListStacks",
    "ValidateTemplate",
)
DRIFT: Final = (
    # Before it compares, CloudFormation asks how the account has configured the types (its guide names the permission).
    "BatchDescribeTypeConfigurations",
    "DescribeStackDriftDetectionStatus",
    "DescribeStackResourceDrifts",
    "DetectStackDrift",
    "DetectStackResourceDrift",
)
WATCH: Final = ("DescribeStacks", "ListStackResources")
"""What drift detection looks at besides."""
_WITHOUT_STACK: Final = {"GetTemplateSummary"}
"""Called with a template, before there is a stack to name."""


@dataclass(frozen=True, kw_only=True)
class Roles:
    """What the pipelines of one stack use in its account: the role of CloudFormation and the bucket of the records."""

    execution: str
    """ARN of the role that CloudFormation assumes for the stack."""
    bucket: str
    """Bucket of the seal records and of templates too large to be sent."""

    @classmethod
    def default(cls, stack: StackId) -> Roles:
        """The names that `stackseal bootstrap` uses."""
        name = naming.shorten(f"stackseal-execution-{stack.name}", 64)
        return cls(
            execution=f"arn:{partition(stack.region)}:iam::{stack.account}:role/{name}",
            bucket=naming.shorten(f"stackseal-{stack.account}-{stack.region}", 63),
        )


class StackCalls:
    """Grants for one stack, or for several that a pattern names."""

    def __init__(self, scene: Scene, names: Iterable[str]) -> None:
        self._scene = scene
        self._stacks = tuple(scene.resolver.arn(f"cloudformation:{_place(scene)}:stack/{name}/*") for name in names)
        self.reason = Reason(resource="stack", operation=Operation.TEMPLATE.value, where=scene.source.blame(()))

    def on_stack(self, verbs: Iterable[str], *limits: tuple[str, str, tuple[str, ...]]) -> Iterator[Grant]:
        """CloudFormation actions on the stack; those without a resource on `*` in the stack's region."""
        for verb in verbs:
            name = f"cloudformation:{verb}"
            action = facts.action(name)
            scoped = action is not None and bool(action.resources) and verb not in _WITHOUT_STACK
            region = ("StringEquals", "aws:RequestedRegion", (self._scene.stack.region,))
            limit = conditions(*limits) if scoped else conditions(*limits, region)
            for arn in self._stacks if scoped else ("*",):
                yield self.grant(name, arn, limit)

    def grant(self, action: str, resource: str, limit: Conditions = ()) -> Grant:
        """Any action, for the sake of the stack as a whole."""
        return Grant(action=action, resource=resource, conditions=limit, reason=self.reason)

    def change_sets(self, prefixes: Iterable[str], role: str) -> Iterator[Grant]:
        """Creating and deleting change sets whose names begin so, always with the execution role."""
        named = self._named(prefixes)
        yield from self.on_stack(["CreateChangeSet"], named, ("ArnEquals", "cloudformation:RoleArn", (role,)))
        yield from self.on_stack(["DeleteChangeSet"], named)

    def execute(self, prefixes: Iterable[str]) -> Iterator[Grant]:
        """Executing change sets whose names begin so."""
        yield from self.on_stack(["ExecuteChangeSet"], self._named(prefixes))

    def pass_execution(self, role: str) -> Grant:
        """Handing CloudFormation its role."""
        return pass_role(role, ("cloudformation.amazonaws.com",), self.reason)

    def records(self, bucket: str, *, write: bool) -> Iterator[Grant]:
        """The stack's seal records, which only a review writes, and templates that are too large to be sent.

        Listing belongs to it: without it S3 answers 403 for a record that is not there. Templates are stored under
        their digest, so nobody can put another one in a template's place.
        """
        stack, arn = self._scene.stack, self._scene.resolver.arn(f"s3:::{bucket}")
        key = f"seals/{stack.account}/{stack.region}/{stack.name}/*"
        yield self.grant("s3:ListBucket", arn, conditions(("StringLike", "s3:prefix", (key,))))
        for verb in ("GetObject", "GetObjectVersion", *(["PutObject"] if write else [])):
            yield self.grant(f"s3:{verb}", f"{arn}/{key}")
        for verb in ("GetObject", "PutObject"):
            yield self.grant(f"s3:{verb}", f"{arn}/templates/*")

    def _named(self, prefixes: Iterable[str]) -> tuple[str, str, tuple[str, ...]]:
        """By name, and by ARN: the key carries what the caller sent."""
        names = [f"{prefix}*" for prefix in prefixes]
        arns = [self._scene.resolver.arn(f"cloudformation:{_place(self._scene)}:changeSet/{name}/*") for name in names]
        return ("StringLike", "cloudformation:ChangeSetName", (*names, *arns))


def _place(scene: Scene) -> str:
    return f"{scene.stack.region}:{scene.stack.account}"
