"""`bootstrap`: the roles and the bucket of an account, shown before they are made."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from stackseal.commands.base import config_argument, confirmed, emit, mutation_arguments
from stackseal.errors import Refused, UsageError
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.change.preparation import Prepared
    from stackseal.model import Plan

SUMMARY: Final = "make the roles and the bucket that an account needs, once"
HELP: Final = """\
Deploy the stack of a config of the product `bootstrap`: GitHub's OIDC provider, the roles plan, deploy, drift, cleanup
and execution with their trust and their limits, and the bucket of the records. The plan is shown first; --force answers
yes. A second run changes what the config changed and nothing else. Then it prints what belongs into stackseal.yaml and
into the environments on GitHub. Takes an administrator's credentials of the config's account, and of no other.

    stackseal bootstrap configs/stackseal-111122223333-us-west-2-bootstrap.yaml
    stackseal bootstrap configs/stackseal-111122223333-us-west-2-bootstrap.yaml --force
"""
PRODUCT: Final = "bootstrap"
ISSUER: Final = "token.actions.githubusercontent.com"
SETTINGS: Final[Mapping[str, str]] = {
    "execution_role": "ExecutionRole",
    "execution_roles": "ExecutionRoles",
    "artifact_bucket": "ArtifactBucket",
}
"""Key of an account in stackseal.yaml → the output of the stack that belongs there, where it has one."""
ROLES: Final[Mapping[str, str]] = {
    "plan": "PlanRole",
    "deploy": "DeployRole",
    "drift": "DriftRole",
    "cleanup": "CleanupRole",
}
"""Key below the account's `roles` → the output that belongs there."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The config."""
    config_argument(parser)
    mutation_arguments(parser, force=True)


def run(args: argparse.Namespace, world: World) -> int:
    """Plan, ask, deploy, tell what comes next."""
    from stackseal.commands import operate

    prepared = prepare(world, args.config)
    stack = prepared.stack
    refuse_second_provider(world, prepared)
    if args.dry_run:
        plan = predicted(world, prepared)
        facts = {"dry_run": True, "stack": stack.id.name, "changes": operate.change_rows(plan)}
        emit(world, facts, _shown(plan) or f"{stack.id.name}: nothing would change")
        return 0
    outputs, code = _deployed(args, world, prepared)
    if outputs:
        emit(world, {**_settings(prepared, outputs), "outputs": outputs}, next_steps(prepared, outputs))
    return code


def prepare(world: World, name: str) -> Prepared:
    """The template of a bootstrap config.

    Raises UsageError for a config of another product, Refused for credentials of another account.
    """
    from stackseal.change import preparation

    prepared = checked(preparation.prepare(world, name))
    world.cloudformation(prepared.stack.id)  # the account is compared before anything is asked of it
    return prepared


def checked(prepared: Prepared) -> Prepared:
    """The same, if it is a bootstrap config's. Raises UsageError for one of another product."""
    if prepared.stack.product.name != PRODUCT:
        raise UsageError(
            f"{prepared.stack.config.path} cannot bootstrap an account",
            why=f"it chooses the product {prepared.stack.product.name}",
            remedy="write a config with the section bootstrap; list-products shows examples",
        )
    return prepared


def predicted(world: World, prepared: Prepared) -> Plan:
    """What would change, from the live template, without making a change set."""
    import json

    from stackseal.model import SourceMap, Template
    from stackseal.plan import predicted

    cfn, stack = world.cloudformation(prepared.stack.id), prepared.stack.id
    state = cfn.stack(stack.name)
    if state is None or state.empty:
        return predicted.predict(None, prepared.template)
    body = cfn.template(stack=stack.name)
    nowhere = SourceMap(path=stack.name, lines=(), rendered={}, template={}, config={})
    live = Template(text=body, body=json.loads(body), parameters=state.parameters, source=nowhere)
    return predicted.predict(live, prepared.template)


def refuse_second_provider(world: World, prepared: Prepared) -> None:
    """Nothing, unless the template makes a provider that the account has from elsewhere.

    Raises Refused with the key to set: IAM allows one provider for an issuer.
    """
    from stackseal.aws import look

    stack = prepared.stack.id
    if "GitHubProvider" not in prepared.template.resources:
        return
    provider = look.oidc_provider(world.aws(stack.account, stack.region), stack.region, ISSUER)
    cfn = world.cloudformation(stack)
    mine = cfn.resources(stack.name) if cfn.stack(stack.name) else ()
    if provider is None or provider.arn in {resource.physical_id for resource in mine}:
        return
    raise Refused(
        f"The account {stack.account} has GitHub's OIDC provider already",
        why="IAM allows one for an issuer",
        remedy=f"set bootstrap.oidc_provider_arn: {provider.arn}",
    )


def _deployed(args: argparse.Namespace, world: World, prepared: Prepared) -> tuple[Mapping[str, str], int]:
    """Make the change set, show it, ask, execute it. What was refused leaves nothing behind."""
    from stackseal import deploy
    from stackseal.commands import operate
    from stackseal.deployment import progress, proving
    from stackseal.model import PlanOperation
    from stackseal.plan import change_set, seal
    from stackseal.review import planning
    from stackseal.upkeep import cleanup

    stack = prepared.stack.id
    cfn = world.cloudformation(stack)
    inputs = seal.inputs(prepared.template)
    name = f"bootstrap-{inputs.digest[:12]}"
    plan = change_set.create(inputs, cfn, name=name, patience=planning.patience(world))
    if plan.operation is PlanOperation.NONE:
        world.out.say(f"{stack.name}: nothing changes")
        return deploy.unchanged(stack, cfn).outputs, 0
    world.out.say(_shown(plan))
    try:
        confirmed(args, world, f"The account {stack.account} is set up in {stack.region}")
    except Refused:
        cleanup.tidy(cfn, stack, lambda refs: tuple(ref for ref in refs if ref.name == name))
        raise
    done = deploy.execute(plan, prepared.template, cfn, proving.watch(world))
    world.out.say(progress.sentence(done))
    if not done.outcome.good:
        emit(world, operate.facts(done), progress.sentence(done))
        return {}, operate.code(done)
    return done.outputs, 0


def _shown(plan: Plan) -> str:
    rows = [f"  {change.action.value.lower()} {change.logical_id} ({change.type})" for change in plan.changes]
    return "\n".join([f"{plan.stack.name}: {len(rows)} changes", *rows]) if rows else ""


def _settings(prepared: Prepared, outputs: Mapping[str, str]) -> dict[str, Any]:
    entry = {key: outputs[output] for key, output in SETTINGS.items() if output in outputs}
    roles = {verb: outputs[output] for verb, output in ROLES.items()}
    return {"accounts": {prepared.stack.id.account: {**entry, "roles": roles}}}


def next_steps(prepared: Prepared, outputs: Mapping[str, str]) -> str:
    """What a person does now, ready to be copied."""
    account, section = prepared.stack.id.account, prepared.stack.context
    environments: Any = section["environments"]
    repositories: Any = section["bootstrap"]
    branches = sorted({item.get("branch", "main") for item in repositories["repositories"]})
    lines = [
        "# stackseal.yaml",
        "accounts:",
        f'  "{account}":',
        *(f"    {key}: {outputs[output]}" for key, output in SETTINGS.items() if output in outputs),
        "    roles:",
        *(f"      {verb}: {outputs[output]}" for verb, output in ROLES.items()),
        "",
        "# GitHub, Settings → Environments",
        *(f"{name}: deployment branches {', '.join(branches)}; required reviewers" for name in environments),
    ]
    return "\n".join(lines)
