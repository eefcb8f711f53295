"""Stage 5 and all else that is known of a stack without a plan: its policies, its differences, what to tell about it.

Joins the templates of both sides, the policies, the findings and the settings.
"""

from __future__ import annotations

from collections.abc import Sequence

from stackseal import graph, policy
from stackseal.change import preparation
from stackseal.change.preparation import Prepared
from stackseal.change.subjects import Subject
from stackseal.model import Finding, Stack, StackReport
from stackseal.review.granting import Granted
from stackseal.settings import Settings


def roles_of(stack: Stack, ours: Settings) -> policy.Roles:
    """The role and the bucket that the settings name for the stack's account, or those that bootstrap makes."""
    usual, account = policy.Roles.default(stack.id), ours.account(stack.id.account)
    return policy.Roles(
        execution=account.role_for(stack) or usual.execution, bucket=account.artifact_bucket or usual.bucket
    )


def examined(
    subject: Subject,
    base: Prepared | None,
    head: Prepared | None,
    findings: Sequence[Finding],
    ours: Settings,
    granted: Granted | None = None,
) -> StackReport:
    """Stage 5, and everything about a stack that is known without a plan.

    Of a stack of roles the policies are those of its role, which `granted` knows.
    """
    shown = head or base
    assert shown is not None  # noqa: S101 - a subject has at least one side
    mine = tuple(finding for finding in findings if finding.stack in {str(subject.id), subject.id.name})
    roles = roles_of(shown.stack, ours)
    if granted is not None:
        before, after = granted.old, granted.new
    else:
        before = policy.generate(base.template, roles=roles) if base else ()
        after = policy.generate(head.template, roles=roles) if head else ()
        mine += policy.check(head.template, after) if head else ()
    deltas = policy.delta(before, after)
    own_role = granted is not None or (
        shown.stack.stack_set is None and ours.account(subject.id.account).has_own_role(subject.id)
    )
    first = None if own_role else policy.grant_first(deltas, everywhere=shown.stack.stack_set is not None)
    return StackReport(
        id=subject.id,
        product=shown.stack.product.name,
        variant=shown.stack.variant,
        env=shown.stack.env,
        config=subject.path,
        template_sha256=shown.template.sha256,
        resources=preparation.resource_rows(shown.template),
        findings=mine,
        policies=after,
        policy_deltas=deltas,
        edges=graph.edges(shown.template),
        names=tuple(shown.stack.names.values()),
        notes=(
            *subject.either.warnings,
            *([first] if first else []),
            *(f"After the deployment {text}" for text in shown.stack.afterwards),
        ),
        config_values=dict(preparation.values(shown.stack)),
    )
