"""What the commands that touch one stack in AWS have in common."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stackseal import artifacts
from stackseal.commands.base import emit
from stackseal.deployment import progress
from stackseal.errors import Refused
from stackseal.model import Deployment, Outcome, Plan, Stack
from stackseal.report import done
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.change.preparation import Prepared

_CODES = {Outcome.REFUSED: 4, Outcome.UNKNOWN: 5}


def deployed(world: World, prepared: Prepared, *, change_set_name: str) -> Deployment:
    """Make the stack's change set, execute it and follow it to its end: for stacks that nobody else uses yet."""

    from stackseal import deploy, settings
    from stackseal.deployment import proving
    from stackseal.plan import change_set, seal
    from stackseal.review import planning

    stack = prepared.stack
    cfn = world.cloudformation(stack.id)
    account = settings.load(world.here).account(stack.id.account)
    role = account.execution_role if stack.test else account.role_of(stack.id)
    inputs = seal.inputs(prepared.template, execution_role=role)
    plan = change_set.create(inputs, cfn, name=change_set_name, patience=planning.patience(world))
    world.out.say(f"{stack.id.name}: {len(plan.changes)} changes")
    return deploy.execute(plan, prepared.template, cfn, proving.watch(world))


def absent(world: World, stack: Stack, *, remedy: str = "") -> None:
    """Nothing, if the stack does not exist yet (spec A34).

    Raises Refused with the three things that a person can do, or with another `remedy`.
    """
    config = shlex.quote(stack.config.path)
    state = world.cloudformation(stack.id).stack(stack.id.name)
    if state is not None and not state.empty and state.status != "DELETE_COMPLETE":
        raise Refused(
            "Stack already exists",
            why=f"{stack.id.name} is {state.status}",
            remedy=remedy
            or f"see what would change with `stackseal show-changes {config}`, update it after a review with "
            f"`stackseal deploy --base BASE --pull-request N`, or remove it with "
            f"`stackseal delete-product {config} --force`",
        )


def finished(world: World, prepared: Prepared, deployment: Deployment, *, removed: Sequence[str] = ()) -> int:
    """Print how it ended, write it beside the reports as JSON and HTML, and return the exit code.

    `removed` are resources, `Type name`, that were removed after the stack.
    """
    found = {**facts(deployment), "removed": list(removed)} if removed else facts(deployment)
    new = deployment.outcome in {Outcome.CREATED, Outcome.UPDATED}
    afterwards = prepared.stack.afterwards if new else ()
    path = artifacts.report(world.root, prepared.stack, "json").with_name(f"{deployment.stack.name}-deployment.json")
    artifacts.write(path, json.dumps(world.out.hidden.data(found), indent=2) + "\n")
    text = world.out.hidden.text(done.page(deployment, removed=removed, afterwards=afterwards))
    artifacts.write(path.with_suffix(".html"), text)
    for sentence in afterwards:
        world.out.say(f"Now {sentence}")
    page = path.with_suffix(".html").as_posix()
    gone = f"; removed: {', '.join(removed)}" if removed else ""
    emit(world, {**found, "report": path.as_posix(), "page": page}, progress.sentence(deployment) + gone)
    return code(deployment)


def code(deployment: Deployment) -> int:
    """The exit code of an outcome."""
    return 0 if deployment.outcome.good else _CODES.get(deployment.outcome, 3)


def facts(deployment: Deployment) -> dict[str, Any]:
    """A deployment as `--format json` gives it."""
    failure = deployment.first_failure
    return {
        "stack": deployment.stack.name,
        "account": deployment.stack.account,
        "region": deployment.stack.region,
        "outcome": deployment.outcome.value,
        "status": deployment.status,
        "resources": deployment.resources,
        "outputs": dict(deployment.outputs),
        "retained": list(deployment.retained),
        "first_failure": {
            "resource": failure.logical_id,
            "type": failure.type,
            "status": failure.status,
            "reason": failure.reason,
        }
        if failure
        else None,
        "resume": deployment.resume or None,
        "message": deployment.message or None,
        "stale": list(deployment.stale),
        "instances": [
            {
                "account": one.target.account,
                "region": one.target.region,
                "outcome": one.outcome.value,
                "status": one.status,
                "reason": one.reason or None,
            }
            for one in deployment.instances
        ],
    }


def change_rows(plan: Plan) -> list[dict[str, Any]]:
    """The changes of a plan as `--format json` gives them."""
    return [
        {
            "action": change.action.value,
            "resource": change.logical_id,
            "type": change.type,
            "replacement": change.replacement.value,
            "certainty": change.certainty.value,
            "properties": [
                {"path": item.path, "before": item.before, "after": item.after} for item in change.properties
            ],
        }
        for change in plan.changes
    ]
