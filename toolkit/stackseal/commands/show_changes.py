"""`show-changes` (spec A35): what CloudFormation would change, shown and thrown away."""

from __future__ import annotations

import argparse
from typing import Final

from stackseal.commands.base import config_argument, emit
from stackseal.world import World

SUMMARY: Final = "what deploying the config would change; the change set is deleted again"
HELP: Final = """\
Make a change set for a config's stack, list its changes with values before and after, and delete it. The stack stays
as it is. With --dry-run nothing is made: the plan is predicted as a creation. Exit 0 also when nothing would change;
with --fail-on-changes exit 1 when something would.

    stackseal show-changes configs/my.yaml
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The config."""
    config_argument(parser)
    parser.add_argument("--dry-run", action="store_true", help="make no change set: predict")
    parser.add_argument("--fail-on-changes", action="store_true", help="exit 1 when something would change")


def run(args: argparse.Namespace, world: World) -> int:
    """Print the changes."""

    from stackseal import settings
    from stackseal.change import preparation
    from stackseal.commands import everywhere, operate
    from stackseal.model import PlanOperation
    from stackseal.plan import change_set, predicted, seal
    from stackseal.review import planning

    prepared = preparation.prepare(world, args.config)
    stack = prepared.stack
    if args.dry_run:
        plan = predicted.predict(None, prepared.template)
    elif stack.stack_set is not None:
        plan = everywhere.planned(world, prepared)
    else:
        cfn = world.cloudformation(stack.id)
        fresh = cfn.stack(stack.id.name) is None
        role = settings.load(world.here).account(stack.id.account).role_of(stack.id)
        inputs = seal.inputs(prepared.template, execution_role=role)
        name = f"show-changes-{inputs.digest[:12]}"
        plan = change_set.create(inputs, cfn, name=name, patience=planning.patience(world))
        if plan.change_set:
            cfn.delete_change_set(plan.change_set)
        state = cfn.stack(stack.id.name)
        if fresh and state is not None and state.empty:
            cfn.delete_stack(stack.id.name)  # the empty shell that our own change set has left
    rows = operate.change_rows(plan)
    facts = {"stack": stack.id.name, "operation": plan.operation.value, "kind": plan.kind.value, "changes": rows}
    emit(world, facts, _text(stack.id.name, plan.operation.value, rows, [item.sentence for item in plan.consequences]))
    return 1 if args.fail_on_changes and plan.operation is not PlanOperation.NONE else 0


def _text(name: str, operation: str, rows: list[dict[str, object]], sentences: list[str]) -> str:
    lines = [f"{name}: {operation}, {len(rows)} changes", *(f"  ! {sentence}" for sentence in sentences)]
    for row in rows:
        replaced = f" (replacement: {row['replacement']})" if row["replacement"] != "False" else ""
        lines.append(f"  {row['action']} {row['resource']} {row['type']}{replaced}")
        properties = row["properties"]
        if isinstance(properties, list) and row["action"] != "Add":
            lines += [f"      {item['path']}: {item['before']} → {item['after']}" for item in properties]
    return "\n".join(lines)
