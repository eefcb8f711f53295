"""`create-policy` (spec A22): the policies that a config's stack needs, and why it needs each permission."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from stackseal.commands.base import config_argument, emit
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.model import Policy

SUMMARY: Final = "write the least-privilege policies of a config; --why explains a permission"
HELP: Final = """\
Generate the IAM policies of a config from its rendered template and write them below ROOT/policies:

    …-iam-policy.json         the caller's own credentials, test stacks included
    …-execution-policy.json   the role that CloudFormation uses for the stack
    …-plan.json, …-deploy.json, …-drift.json   the roles of the pipelines
    …-boundary.json           a permission boundary

A policy over IAM's 6,144 characters is split into -2, -3. With --inline the first document of a role has up to 10,240:
put it into the role as its one inline policy, and attach the others as managed ones. `--why ACTION` prints which
resources and operations need an action, with the line of the config that caused them.

    stackseal create-policy configs/my.yaml
    stackseal create-policy configs/my.yaml --why iam:PassRole
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The config, and an action to explain."""
    config_argument(parser)
    parser.add_argument(
        "--inline", action="store_true", help="make the first document of each role one for its inline policy"
    )
    parser.add_argument("--why", metavar="ACTION", help="explain one action, e.g. s3:CreateBucket; writes nothing")


def run(args: argparse.Namespace, world: World) -> int:
    """Write the policies and print their paths, or explain an action."""

    from stackseal import artifacts, policy, settings
    from stackseal.change import preparation
    from stackseal.review import examining

    prepared = preparation.prepare(world, args.config)
    roles = examining.roles_of(prepared.stack, settings.load(world.here))
    policies = policy.generate(prepared.template, roles=roles)
    if args.why:
        return explain(world, policies, args.why)
    files = {
        artifacts.policy(world.root, prepared.stack, item.role, part): document
        for item in policies
        for part, document in enumerate(policy.documents(item, inline=args.inline), start=1)
    }
    for path, document in files.items():
        artifacts.write(path, json.dumps(document, indent=2) + "\n")
    facts = {
        "policies": [
            {"file": path.as_posix(), "statements": len(document["Statement"])} for path, document in files.items()
        ]
    }
    emit(world, facts, "\n".join(path.as_posix() for path in files))
    return 0


def explain(world: World, policies: Sequence[Policy], action: str) -> int:
    """Print every statement that allows an action and what made it necessary."""
    from stackseal import policy

    found = policy.why(policies, action)
    rows = [
        {
            "action": action,
            "resources": list(statement.resources),
            "resource": reason.resource,
            "operation": reason.operation,
            "where": str(reason.where),
        }
        for statement, reason in found
    ]
    lines = [
        f"{row['where']}: {row['resource']} ({row['operation']}) needs {action} on {', '.join(row['resources'])}"
        for row in rows
    ]
    emit(world, {"why": rows}, "\n".join(lines) or f"No policy of this config allows {action}.")
    return 0 if rows else 1
