"""`recover STACK`: what to do with a stack that does not rest, and the end of an operation that nobody saw."""

from __future__ import annotations

import argparse
from typing import Final

from stackseal.commands.base import emit, mutation_arguments
from stackseal.world import World

SUMMARY: Final = "follow a stack's running operation to its end, or say what to do with its state"
HELP: Final = """\
Look at a stack. Where an operation runs, follow it to its end, as deploy would have done before the connection was
lost; of a stack set say what became of every account. Where the stack rests, say which state it is in and what can be
done. --continue-rollback goes on with a rollback that failed (UPDATE_ROLLBACK_FAILED).

    stackseal recover my-stack --region us-west-2
    stackseal recover my-stack --region us-west-2 --continue-rollback --force
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The stack."""
    parser.add_argument("stack", metavar="STACK", help="the stack's name")
    parser.add_argument("--region", required=True, metavar="R", help="its region")
    parser.add_argument("--continue-rollback", action="store_true", help="go on with a failed rollback")
    mutation_arguments(parser, force=True)


def run(args: argparse.Namespace, world: World) -> int:
    """Follow, or say what can be done."""
    from stackseal import acting, deploy, settings
    from stackseal.aws import states
    from stackseal.aws.cloudformation import CloudFormation
    from stackseal.commands import everywhere, operate
    from stackseal.commands.base import confirmed
    from stackseal.deployment import progress, proving
    from stackseal.errors import UsageError
    from stackseal.model import StackId

    world = acting.acting(world, "deploy", settings.load(world.here))
    cfn = CloudFormation(world.aws("", args.region), args.region)
    stack = StackId(account=cfn.account, region=args.region, name=args.stack)
    state = cfn.stack(args.stack)
    if state is None and (found := everywhere.recovered(world, stack)) is not None:
        emit(world, operate.facts(found), progress.sentence(found))
        return operate.code(found)
    if state is None:
        raise UsageError(
            f"There is no stack {args.stack}", why=f"the account {stack.account} has none in {args.region}"
        )
    if args.continue_rollback and not args.dry_run:
        confirmed(args, world, f"The rollback of {args.stack} goes on")
        cfn.continue_rollback(args.stack, role=state.role_arn)
    elif (row := states.row(state.status)).deploy is not states.Do.WAIT:
        shell = "nothing was deployed; deploy what was reviewed" if state.empty else ""
        remedy = row.remedy or shell or "nothing has to be done"
        facts = {"stack": args.stack, "status": state.status, "reason": state.reason, "remedy": remedy}
        emit(world, facts, f"{args.stack}: {state.status}; {remedy}")
        ended = deploy.OUTCOMES.get(state.status)
        return 0 if ended is not None and ended.good else 3
    deployment = deploy.follow(stack, cfn, proving.watch(world), arn=state.arn)
    emit(world, operate.facts(deployment), progress.sentence(deployment))
    return operate.code(deployment)
