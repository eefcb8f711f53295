"""One policy per role, all from the same grants: who does what with a stack.

ADD A ROLE HERE: a function from two scenes to a policy, and its line in `BUILDERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from stackseal import naming
from stackseal.model import Operation, Policy, Role, Stack
from stackseal.policy import boundary, operator
from stackseal.policy.grants import Grant
from stackseal.policy.needs import reads_only, resource_grants, template_grants
from stackseal.policy.pack import policy
from stackseal.policy.scene import Scene
from stackseal.policy.stack_calls import DRIFT, READS, WATCH, Roles, StackCalls


@dataclass(frozen=True, kw_only=True)
class Request:
    """What every builder gets."""

    head: Scene
    base: Scene | None
    roles: Roles
    stack: Stack | None = None

    @property
    def calls(self) -> StackCalls:
        """Calls on exactly this stack."""
        return StackCalls(self.head, [self.head.stack.name])

    @cached_property
    def resources(self) -> tuple[Grant, ...]:
        """What the resources need over their whole life; every role takes its part of it."""
        return resource_grants(self.head, self.base)

    @cached_property
    def reads(self) -> tuple[Grant, ...]:
        """What reading the resources needs, as drift detection does it."""
        return reads_only(grant for grant in self.resources if grant.reason.operation == Operation.READ.value)


def operator_policy(request: Request) -> Policy:
    """The caller's own credentials: everything, for the stack and its test stacks."""
    return policy(Role.OPERATOR, operator_grants(request), operator.area)


def operator_grants(request: Request) -> tuple[Grant, ...]:
    """The grants of the caller, unpacked."""
    found = [*template_grants(request.head, caller=True), *request.resources]
    if request.stack is not None:
        found += [
            *operator.role_lives(request.head),
            *operator.outputs(request.head, request.stack),
            *operator.data_removal(request.head),
            *operator.outside_sources(request.head),
            *operator.connections(request.head),
        ]
    management = [*operator.management(request.head, request.stack)]
    if request.stack is not None:  # not needed, but allowed: where the settings name the role, it is handed on
        management.append(request.calls.pass_execution(request.roles.execution))
    named = operator.with_tests(found, request.head, request.stack)
    return (*management, *named)


def execution_policy(request: Request) -> Policy:
    """CloudFormation's role for the stack: what its resources need, and nothing of the stack itself."""
    return policy(Role.EXECUTION, execution_grants(request))


def execution_grants(request: Request) -> tuple[Grant, ...]:
    """The grants of the execution role, unpacked."""
    return (*template_grants(request.head, caller=False), *request.resources)


def plan_policy(request: Request) -> Policy:
    """A review: change sets named `seal-…`, the record, reads; it can neither execute nor update nor delete.

    What was pushed without a review is planned under the names that a deployment gives, `deploy-…`.
    """
    calls, roles = request.calls, request.roles
    found = [
        *calls.on_stack((*READS, *DRIFT)),
        *calls.change_sets([naming.SEALED, naming.REPLANNED], roles.execution),
        calls.pass_execution(roles.execution),
        *calls.records(roles.bucket, write=True),
        *template_grants(request.head, caller=True),
        *operator.connections(request.head),
        *request.reads,
    ]
    return policy(Role.PLAN, found)


def deploy_policy(request: Request) -> Policy:
    """A deployment: executes what was sealed, makes it again where it must, deletes what was sealed for deletion."""
    calls, roles = request.calls, request.roles
    with_role = ("ArnEquals", "cloudformation:RoleArn", (roles.execution,))
    found = [
        *calls.on_stack((*READS, *DRIFT)),
        *calls.change_sets([naming.SEALED, naming.REPLANNED], roles.execution),
        *calls.execute([naming.SEALED, naming.REPLANNED]),
        *calls.on_stack(["ContinueUpdateRollback", "DeleteStack", "RollbackStack"], with_role),
        *calls.on_stack(["TagResource", "UntagResource", "UpdateTerminationProtection"]),
        calls.pass_execution(roles.execution),
        *calls.records(roles.bucket, write=False),
        *template_grants(request.head, caller=True),
        *request.reads,
    ]
    return policy(Role.DEPLOY, found)


def drift_policy(request: Request) -> Policy:
    """Drift detection, which reads every resource with the caller's credentials; no write at all."""
    return policy(Role.DRIFT, [*request.calls.on_stack((*WATCH, *DRIFT)), *request.reads])


def boundary_policy(request: Request) -> Policy:
    """The most that the execution role may ever be given."""
    return boundary.policy(execution_grants(request), request.head)


BUILDERS: Final[Mapping[Role, Callable[[Request], Policy]]] = {
    Role.OPERATOR: operator_policy,
    Role.EXECUTION: execution_policy,
    Role.PLAN: plan_policy,
    Role.DEPLOY: deploy_policy,
    Role.DRIFT: drift_policy,
    Role.BOUNDARY: boundary_policy,
}
