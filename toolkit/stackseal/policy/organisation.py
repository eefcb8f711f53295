"""The policies of a stack set: who calls StackSets in the administrator's account, and what makes the stacks elsewhere.

The execution role is one of many accounts, so that its ARNs leave account and region open: a role's policies reach no
other account than its own. Sources: Service Authorization Reference for CloudFormation and for Organizations,
CloudFormation User Guide, "Grant self-managed permissions".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from stackseal import facts
from stackseal.model import Policy, Role, Stack, StackId, StackSet, Statement
from stackseal.policy import boundary, operator
from stackseal.policy.grants import Conditions, Grant, conditions
from stackseal.policy.pack import policy
from stackseal.policy.roles import Request, execution_grants, operator_grants
from stackseal.policy.scene import Scene
from stackseal.policy.stack_calls import StackCalls

_READS: Final = (
    "DescribeStackSet",
    "DescribeStackSetOperation",
    "ListStackInstances",
    "ListStackSetOperationResults",
    "ListStackSetOperations",
)
_DRIFT: Final = ("DetectStackSetDrift", "ListStackInstanceResourceDrifts")
_WRITES: Final = (
    "CreateStackInstances",
    "CreateStackSet",
    "DeleteStackInstances",
    "DeleteStackSet",
    "TagResource",
    "UntagResource",
    "UpdateStackSet",
)
_MAKES: Final = (
    "CreateStack",
    "DeleteStack",
    "DescribeStackDriftDetectionStatus",
    "DescribeStackEvents",
    "DescribeStackResourceDrifts",
    "DescribeStackResources",
    "DescribeStacks",
    "DetectStackDrift",
    "DetectStackResourceDrift",
    "GetTemplate",
    "ListStackResources",
    "TagResource",
    "UntagResource",
    "UpdateStack",
    "UpdateTerminationProtection",
)
"""What StackSets calls in an account, in the execution role's name."""


def policies(request: Request, owner: Stack) -> tuple[Policy, ...]:
    """One policy per role, in the order of `Role`; Organizations makes the roles of a service-managed set."""
    described = owner.stack_set
    assert described is not None  # noqa: S101 - the caller has seen it
    calls = Calls(request, described)
    inside = tuple(calls.inside())
    reads = (*calls.on_set(_READS), *calls.units())
    operators = [*operator_grants(request), *reads, *calls.on_set((*_DRIFT, *_WRITES)), *calls.passing()]
    look = request.calls.on_stack(["DescribeStacks"])  # `recover` is given a name, which may be a stack's
    writes = [*reads, *look, *calls.on_set(_WRITES), *calls.passing()]
    found = (
        policy(Role.OPERATOR, operators, operator.area),
        policy(Role.EXECUTION, inside),
        policy(Role.PLAN, [*reads, *request.calls.records(request.roles.bucket, write=True)]),
        policy(Role.DEPLOY, [*writes, *request.calls.records(request.roles.bucket, write=False)]),
        policy(Role.DRIFT, [*calls.on_set((*_READS, *_DRIFT))]),
        _bounded(boundary.policy(inside, calls.anywhere.head), described.regions),
    )
    return tuple(one for one in found if described.self_managed or one.role not in {Role.EXECUTION, Role.BOUNDARY})


def _bounded(found: Policy, regions: tuple[str, ...]) -> Policy:
    """The boundary with the regions of the set where it would have one."""

    def here(statement: Statement) -> Statement:
        if not statement.conditions:
            return statement
        return replace(statement, conditions={"StringEquals": {"aws:RequestedRegion": tuple(sorted(regions))}})

    return replace(found, statements=tuple(here(statement) for statement in found.statements))


def everywhere(request: Request) -> Request:
    """The same template as it is in any account and region."""

    def anywhere(scene: Scene) -> Scene:
        stack = StackId(account="*", region="*", name=f"StackSet-{scene.stack.name}-*")
        return Scene(scene.body, scene.given, stack, scene.source, tagged=scene.tagged)

    return replace(request, head=anywhere(request.head), base=anywhere(request.base) if request.base else None)


class Calls:
    """Grants for one stack set."""

    def __init__(self, request: Request, described: StackSet) -> None:
        self._request, self._described = request, described
        self.anywhere = everywhere(request)

    def on_set(self, verbs: Iterable[str]) -> Iterator[Grant]:
        """Calls on the set; where they also name accounts and types of resources, on these."""
        scene = self._request.head
        name, place = scene.stack.name, f"cloudformation:{scene.stack.region}:{scene.stack.account}"
        kinds = sorted({resource.kind.replace("::", "-") for resource in scene.resources.values()})
        region: Conditions = conditions(("StringEquals", "aws:RequestedRegion", (scene.stack.region,)))
        for verb in verbs:
            action = facts.action(f"cloudformation:{verb}")
            known = action.resources if action else {}
            if "stackset" not in known:
                yield self._grant(f"cloudformation:{verb}", "*", region)
                continue
            yield self._grant(f"cloudformation:{verb}", scene.resolver.arn(f"{place}:stackset/{name}:*"))
            if "stackset-target" in known:
                yield self._grant(f"cloudformation:{verb}", scene.resolver.arn(f"{place}:stackset-target/{name}:*"))
                for kind in kinds:
                    arn = scene.resolver.arn(f"cloudformation:*::type/resource/{kind}")
                    yield self._grant(f"cloudformation:{verb}", arn)

    def passing(self) -> Iterator[Grant]:
        """Handing CloudFormation the administration role."""
        if self._described.self_managed:
            yield self._request.calls.pass_execution(self._request.roles.execution)

    def units(self) -> Iterator[Grant]:
        """Finding out which accounts the organizational units hold."""
        arn = self._request.head.resolver.arn
        for unit in self._described.units:
            root = unit.split("-")[1]
            for resource in (f"organizations::*:ou/o-*/ou-{root}-*", f"organizations::*:root/o-*/r-{root}"):
                for verb in ("ListAccountsForParent", "ListOrganizationalUnitsForParent"):
                    yield self._grant(f"organizations:{verb}", arn(resource))
        if self._described.units and not self._described.self_managed:
            yield self._grant("organizations:DescribeOrganization", "*")

    def inside(self) -> Iterator[Grant]:
        """What the execution role of an account needs: the resources, and the stack itself."""
        for grant in execution_grants(self.anywhere):
            like = tuple((_like(operator, values), key, values) for operator, key, values in grant.conditions)
            yield replace(grant, conditions=tuple(sorted(like)))
        scene = self.anywhere.head
        stack = scene.resolver.arn(f"cloudformation:*:*:stack/{scene.stack.name}/*")
        regions = conditions(("StringEquals", "aws:RequestedRegion", self._described.regions))
        for verb in _MAKES:
            action = facts.action(f"cloudformation:{verb}")
            named = action is not None and bool(action.resources)
            yield self._grant(f"cloudformation:{verb}", stack if named else "*", () if named else regions)

    def _grant(self, action: str, resource: str, limit: Conditions = ()) -> Grant:
        return Grant(
            action=action,
            resource=resource,
            conditions=limit,
            reason=StackCalls(self._request.head, []).reason,
        )


def _like(operator: str, values: Iterable[str]) -> str:
    return operator.replace("Equals", "Like") if any("*" in value for value in values) else operator
