"""`delete-product` (spec A37): the stack goes; what holds data stays, by name, unless told otherwise."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from stackseal.commands.base import config_argument, confirmed, emit, mutation_arguments
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.aws.cloudformation import CloudFormation
    from stackseal.change.preparation import Prepared
    from stackseal.model import Deployment, Plan

SUMMARY: Final = "delete the stack of a config; says what stays behind"
HELP: Final = """\
Delete a config's stack. Resources that hold data are retained and named. --delete-data removes them too, also where the
stack is gone or was rolled back and only they are left: buckets with every version of every object, model package
groups with every model package, CodeCommit repositories, log groups; KMS keys are scheduled for deletion in 7 days.
Nothing brings their content back. What will be removed is listed before it begins. Asks first; --force answers yes.

    stackseal delete-product configs/my.yaml --force
    stackseal delete-product configs/my.yaml --delete-data
"""
_DELETE_DATA: Final = (
    "also remove what the stack retains: buckets, model package groups, CodeCommit repositories, log groups; "
    "KMS keys are scheduled for deletion in 7 days"
)
_UNBORN: Final = frozenset({"CREATE_FAILED", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})
"""States of a stack that never came to be: what has its names is an earlier stack's, and no resource of this one."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The config."""
    config_argument(parser)
    mutation_arguments(parser, force=True)
    parser.add_argument("--delete-data", action="store_true", help=_DELETE_DATA)


def run(args: argparse.Namespace, world: World) -> int:
    """Delete the stack, and with --delete-data what stays behind."""
    from stackseal.change import preparation
    from stackseal.commands import operate
    from stackseal.plan import deletion

    prepared = preparation.prepare(world, args.config)
    stack = prepared.stack
    if stack.stack_set is not None:
        return _everywhere(args, world, prepared)
    cfn = world.cloudformation(stack.id)
    state = cfn.stack(stack.id.name)
    plan = deletion.deletion(cfn, stack.id, stateful=stack.product.stateful) if state else None
    known = plan is not None and state is not None and state.status not in _UNBORN
    data = _data(world, prepared, plan if known else None) if args.delete_data else ()
    _something(args, prepared, plan, data)
    for item in plan.consequences if plan else ():
        world.out.say(f"  ! {item.sentence}")
    what = _said(world, prepared, plan, data)
    if args.dry_run:
        _dry(world, prepared, plan, data)
        return 0
    confirmed(args, world, what)
    deployment, removed = _done(world, prepared, cfn, plan, data)
    return operate.finished(world, prepared, deployment, removed=removed)


def _everywhere(args: argparse.Namespace, world: World, prepared: Prepared) -> int:
    """Delete a stack set with all of its stacks."""
    from stackseal.commands import everywhere, operate

    plan = everywhere.planned(world, prepared, deleting=True)
    everywhere.kept(plan, delete_data=args.delete_data)
    for sentence in dict.fromkeys(item.sentence for item in plan.consequences):
        world.out.say(f"  ! {sentence}")
    gone = [change.logical_id for change in plan.changes]
    if args.dry_run:
        emit(world, {"dry_run": True, "stack": plan.stack.name, "removed": gone}, f"would delete {', '.join(gone)}")
        return 0
    confirmed(args, world, f"The stack set {plan.stack.name} is deleted with {len(gone) - 1} stacks")
    return operate.finished(world, prepared, everywhere.done(world, prepared, plan))


def _data(world: World, prepared: Prepared, plan: Plan | None) -> tuple[str, ...]:
    """What --delete-data removes, `Type name`: what a stack retains, or what has its names."""
    from stackseal.aws import retained
    from stackseal.change import preparation

    if plan is not None:
        kept = [change for change in plan.changes if change.logical_id in plan.retained]
        return retained.removable(f"{change.type} {change.physical_id or ''}" for change in kept)
    stack, resources = prepared.stack, prepared.template.resources
    named = [
        f"{row.type} {row.name}"
        for row in preparation.resource_rows(prepared.template)
        if row.name and str(resources[row.logical_id].get("DeletionPolicy", "")).startswith("Retain")
    ]
    return retained.existing(world.aws(stack.id.account, stack.id.region), stack.id.region, named)


def _something(args: argparse.Namespace, prepared: Prepared, plan: Plan | None, data: Sequence[str]) -> None:
    """Nothing, where there is something to delete; else raises UsageError."""
    from stackseal.errors import UsageError

    if plan is not None or data:
        return
    why, remedy = "it is not deployed", "nothing to delete"
    if args.delete_data:
        why += ", and nothing with a name that it would retain exists"
    else:
        command = f"stackseal delete-product {shlex.quote(args.config)} --delete-data"
        remedy += f"; what an earlier one left behind is removed with: {command}"
    raise UsageError(f"There is no stack {prepared.stack.id.name}", why=why, remedy=remedy)


def _said(world: World, prepared: Prepared, plan: Plan | None, data: Sequence[str]) -> str:
    """The question, every resource and every type in it; the same as a list, on lines of its own, before it."""
    from stackseal.aws.retained import WAYS

    name = prepared.stack.id.name
    parts = [f"The stack {name} is deleted" if plan else f"There is no stack {name}"]
    if data:
        texts = [f"{item} ({WAYS[item.partition(' ')[0]].words})" for item in data]
        world.out.say("Removed for good:" if plan is None else "Removed for good after the stack:", "warning")
        for text in texts:
            world.out.say(f"  - {text}", "warning")
        parts.append(f"{len(data)} resources that it {'retains' if plan else 'left behind'} are removed for good: ")
        parts[-1] += ", ".join(texts)
    return ", and ".join(parts)


def _dry(world: World, prepared: Prepared, plan: Plan | None, data: Sequence[str]) -> None:
    stays = plan.retained if plan else ()
    facts = {"dry_run": True, "stack": prepared.stack.id.name, "retained": list(stays), "removed": list(data)}
    text = f"would delete {prepared.stack.id.name}" if plan else "there is no stack to delete"
    text += f"; retained: {', '.join(stays) or 'nothing'}"
    emit(world, facts, text + (f"; would then remove: {', '.join(data)}" if data else ""))


def _done(
    world: World, prepared: Prepared, cfn: CloudFormation, plan: Plan | None, data: Sequence[str]
) -> tuple[Deployment, tuple[str, ...]]:
    """Delete, then remove what was listed, and nothing else; the data stay where the stack's deletion failed."""
    from dataclasses import replace

    from stackseal import deploy
    from stackseal.aws import retained
    from stackseal.deployment import proving

    stack = prepared.stack.id
    role = plan.execution_role if plan else None
    deployment = deploy.delete(stack, cfn, proving.watch(world), role=role)
    if not data or not deployment.outcome.good:
        return deployment, ()
    removed = retained.remove(world.aws(stack.account, stack.region), stack.region, data)
    left = tuple(item for item in deployment.retained if item not in removed)
    return replace(deployment, retained=left), removed
