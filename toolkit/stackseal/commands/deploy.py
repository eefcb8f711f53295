"""`deploy`: what a merge causes; exactly what was reviewed is executed."""

from __future__ import annotations

import argparse
from typing import Final

from stackseal.commands.base import confirmed, emit, mutation_arguments
from stackseal.world import World

SUMMARY: Final = "execute exactly what a review has sealed"
HELP: Final = """\
Render the configs that differ between --base and --head, find the seal record of each stack, prove that its change set
is still the reviewed one, and execute it. Where it is gone, the plan is made again and executed only if it does no more
than what was reviewed: a plan may shrink, never grow. Anything else is refused with exit 4, and says why.

    stackseal deploy --base HEAD~1 --head HEAD --pull-request 7 --force
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The two commits and the pull request whose records count."""
    parser.add_argument("--base", default="HEAD~1", metavar="REV", help="what was deployed before (default: HEAD~1)")
    parser.add_argument("--head", default="HEAD", metavar="REV", help="what is deployed (default: HEAD)")
    parser.add_argument("--pull-request", type=int, metavar="N", help="the number of the pull request")
    mutation_arguments(parser, force=True)


def run(args: argparse.Namespace, world: World) -> int:
    """Deploy."""

    from stackseal import pipeline, preparation, progress, subjects
    from stackseal.commands import operate
    from stackseal.hosts.git import Repository

    repository = Repository(world.here)
    change = subjects.between(repository, args.base, args.head, preparation.catalogue_of(world), world.sandbox)
    names = [subject.id.name for subject in change.subjects]
    if args.dry_run:
        emit(world, {"dry_run": True, "stacks": names}, f"would deploy: {', '.join(names) or 'nothing'}")
        return 0
    branch = world.env.get("GITHUB_REF_NAME", "")
    number = args.pull_request or world.forge.pull_request_of(change.head, branch)
    if names:
        confirmed(args, world, f"{len(names)} stacks are deployed: {', '.join(names)}")
    done = pipeline.deploy(
        world,
        repository,
        base=args.base,
        head=args.head,
        pull_request=number,
    )
    begun = {deployment.stack.name for deployment in done}
    waiting = [name for name in names if name not in begun]
    lines = [*(progress.sentence(deployment) for deployment in done), *(f"{name}: not begun" for name in waiting)]
    facts = {"deployments": [operate.facts(deployment) for deployment in done], "not_begun": waiting}
    emit(world, facts, "\n".join(lines) or "Nothing to deploy")
    return max((operate.code(deployment) for deployment in done), default=0)
