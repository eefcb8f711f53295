"""`policy PATH`: the least-privilege policy for any CloudFormation template."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Final

from stackseal.world import World

SUMMARY: Final = "the least-privilege policy for any CloudFormation template"
HELP: Final = """\
Print the IAM policy document that a role needs for a CloudFormation template, ours or anybody's. ARNs are computed from
the template; what only the deployment tells is narrowed as far as it can be. What the policy cannot cover, such as a
type that no source describes, is said on stderr, and the exit code is 1.

    stackseal policy template.yaml --stack-name my-stack --account 123456789012 --region eu-west-1
    stackseal policy template.yaml --stack-name my-stack --account 123456789012 --region eu-west-1 --role drift
"""
_FORMS: Final = (
    ("--account", "account", r"[0-9]{12}", "twelve digits"),
    ("--region", "region", r"[a-z]{2,4}(-[a-z]+){1,3}-[0-9]{1,2}", "a region's code, such as eu-west-1"),
    ("--stack-name", "stack_name", r"[A-Za-z][A-Za-z0-9-]{0,127}", "a letter, then letters, digits and hyphens"),
)
"""What becomes a part of ARNs; the stack's name as CloudFormation's CreateStack documents it."""
_ROLES: Final = ("operator", "execution", "plan", "deploy", "drift", "boundary")


def configure(parser: argparse.ArgumentParser) -> None:
    """The template and where it is deployed."""
    parser.add_argument("path", metavar="PATH", type=Path, help="a CloudFormation template")
    parser.add_argument("--stack-name", required=True, metavar="N", help="the stack's name")
    parser.add_argument("--account", required=True, metavar="A", help="the account, twelve digits")
    parser.add_argument("--region", required=True, metavar="R", help="the region")
    parser.add_argument("--role", choices=_ROLES, default="execution", help="whom it is for (default: execution)")
    tags = "the stack is deployed with tags of its own, which CloudFormation puts on every resource"
    parser.add_argument("--stack-tags", action="store_true", help=tags)


def run(args: argparse.Namespace, world: World) -> int:
    """Print the policy document; a split one as a list of documents."""
    from stackseal import artifacts, policy, render, yamltext
    from stackseal.model import Role, StackId

    for option, text, pattern, form in _FORMS:
        _checked(option, getattr(args, text), pattern, form)
    template = render.read(artifacts.read(args.path, limit=yamltext.TEMPLATE.size), args.path.as_posix())
    found = policy.foreign(
        template.body,
        args.stack_name,
        args.account,
        args.region,
        Role[args.role.upper()],
        parameters=template.parameters,
        source=template.source,
        tagged=args.stack_tags,
    )
    stack = StackId(account=args.account, region=args.region, name=args.stack_name)
    doubts = policy.check(template, [found], stack=stack)
    for finding in doubts:
        world.out.say(f"{finding.where}: {finding.level.value}: {finding.message} [{finding.check}]", "warning")
    documents = policy.documents(found)
    if len(documents) > 1:
        world.out.say(f"The policy is longer than IAM allows and becomes {len(documents)} documents", "warning")
    world.out.json(documents[0] if len(documents) == 1 else list(documents))
    return 1 if any(finding.blocks for finding in doubts) else 0


def _checked(option: str, given: str, pattern: str, form: str) -> None:
    from stackseal.errors import UsageError

    if re.fullmatch(pattern, given, re.ASCII) is None:
        raise UsageError(f"{option} cannot be {given!r}", why=f"it has to be {form}", remedy="correct it")
