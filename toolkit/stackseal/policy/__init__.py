"""Template → policies: exactly what each role needs for a stack, with the reason of every statement.

The steps, a file each: `resolve` computes the template, `atoms` lists the calls of each operation, `scope` and `limits`
narrow them to ARNs and conditions, `needs` adds what base and template as a whole ask for, `roles` chooses per role,
`pack` makes statements, `fit` documents, `diff` compares, `validate` doubts. Facts come from `stackseal.facts` only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from stackseal import facts
from stackseal.errors import UsageError
from stackseal.model import Finding, Operation, Policy, Reason, Role, SourceMap, StackId, Statement, Template
from stackseal.policy import organisation, validate
from stackseal.policy.ceiling import boundary_of
from stackseal.policy.ceiling import findings as beyond
from stackseal.policy.diff import delta, grant_first
from stackseal.policy.fit import documents
from stackseal.policy.role_stack import body as role_template
from stackseal.policy.roles import BUILDERS, Request
from stackseal.policy.scene import Scene
from stackseal.policy.stack_calls import Roles

__all__ = [
    "Roles",
    "beyond",
    "boundary_of",
    "check",
    "delta",
    "documents",
    "execution",
    "foreign",
    "generate",
    "grant_first",
    "role_template",
    "why",
]

_NOWHERE: Final = SourceMap(path="template", lines=(), rendered={}, template={}, config={})


def generate(template: Template, *, base: Template | None = None, roles: Roles | None = None) -> tuple[Policy, ...]:
    """One policy per role for a template of ours, in the order of `Role`.

    With `base` (the deployed or merged version) whatever the change removes can be read and deleted too, and
    conditions allow the old values beside the new ones. Raises UsageError for a template without its stack.
    """
    if template.stack is None:
        raise UsageError(
            "cannot write the policies of a template alone",
            why="the account, the region and the stack's name are part of every ARN",
            remedy="use `stackseal policy PATH --account ACCOUNT --region REGION --stack-name STACK`",
        )
    stack = template.stack.id
    request = Request(
        head=Scene.of(template, stack),
        base=Scene.of(base, stack) if base else None,
        roles=roles or Roles.default(stack),
        stack=template.stack,
    )
    if template.stack.stack_set is not None:
        return organisation.policies(request, template.stack)
    return tuple(build(request) for build in BUILDERS.values())


def execution(template: Template, *, base: Template | None = None) -> Policy:
    """The policy of the execution role alone, as `generate` makes it."""
    stack = template.stack
    assert stack is not None  # noqa: S101 - only templates of configs have a role of their own
    head = Scene.of(template, stack.id)
    before = Scene.of(base, stack.id) if base else None
    return BUILDERS[Role.EXECUTION](Request(head=head, base=before, roles=Roles.default(stack.id), stack=stack))


def foreign(
    body: Mapping[str, Any],
    stack_name: str,
    account: str,
    region: str,
    role: Role,
    *,
    parameters: Mapping[str, str] | None = None,
    source: SourceMap | None = None,
    tagged: bool = False,
) -> Policy:
    """The policy of one role for anybody's CloudFormation template (intrinsic functions in their long form).

    `tagged` says that the stack itself is deployed with tags, which CloudFormation hands on to every resource.
    """
    stack = StackId(account=account, region=region, name=stack_name)
    scene = Scene(body, parameters or {}, stack, source or _NOWHERE, tagged=tagged)
    return BUILDERS[role](Request(head=scene, base=None, roles=Roles.default(stack)))


def check(template: Template, policies: Sequence[Policy], *, stack: StackId | None = None) -> tuple[Finding, ...]:
    """What stops these policies from being exact: types without a source, unknown roles, statements IAM ignores.

    `stack` is needed for a template that does not carry its own.
    """
    identity = template.stack.id if template.stack else stack
    if identity is None:
        raise UsageError("cannot check policies without a stack", remedy="pass the account, region and name")
    return validate.all_findings(Scene.of(template, identity), policies)


def why(policies: Sequence[Policy], action: str) -> list[tuple[Statement, Reason]]:
    """Every statement that allows an action, with each resource and operation that needs it.

    A statement joins actions, so its reasons are narrowed by what the action does: deleting is not why something is
    created. Reads are needed by any operation.
    """
    found = []
    for policy in policies:
        for statement in policy.statements:
            if action.lower() in {name.lower() for name in statement.actions}:
                likely = tuple(reason for reason in statement.because if _explains(reason, action))
                found += [(statement, reason) for reason in likely or statement.because]
    return found


_NOT_FOR: Final = {
    r"(Create|Put|Run|Register|Attach|Authorize|Pass|Enable|Subscribe)": {Operation.READ, Operation.DELETE},
    r"(Delete|Remove|Detach|Deregister|Schedule|Untag|Unsubscribe|Revoke)": {Operation.READ, Operation.CREATE},
    r"(Update|Modify|Set|Tag|Add)": {Operation.READ, Operation.DELETE},
}
"""Beginning of an action's name → operations that do not call it."""


def _explains(reason: Reason, action: str) -> bool:
    known = facts.action(action)
    if known is None or known.reads:
        return True
    verb = action.partition(":")[2]
    excluded = next((kinds for names, kinds in _NOT_FOR.items() if re.match(names, verb, re.IGNORECASE)), set())
    return reason.operation not in {operation.value for operation in excluded or {Operation.READ}}
