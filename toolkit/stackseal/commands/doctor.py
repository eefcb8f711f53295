"""`doctor`: what is there, what is missing: here, in an account, in the embedded AWS."""

from __future__ import annotations

import argparse
import platform
import shutil
from pathlib import Path
from typing import Final

from stackseal import __version__
from stackseal.commands.base import emit, table
from stackseal.errors import ConfigError, ConfigErrors, StacksealError, UsageError
from stackseal.world import World

_LATE: Final = 7
"""Days after which a check is old; the workflow that `init` writes checks every day."""

SUMMARY: Final = "say what is installed, what an account lacks, and what the embedded AWS cannot do"
HELP: Final = """\
Look at the installation: versions, the locked checkov, git, the catalogue. With a config of the product `bootstrap`
also look whether its account has what the config describes, and whether stackseal.yaml names it. In a job of GitHub
also say when drift was last checked. With --aws local also list what the embedded AWS does differently from AWS.
Changes nothing. Exit 1 when something is missing.

With --repository also look how a repository on GitHub is set up (GITHUB_REPOSITORY where no name is given): workflows,
required check, code owners, environments, permissions, the form of the jobs' identity. It takes GITHUB_TOKEN; what the
token may not read is unknown, and exit 5 says that something is. An administrator's token reads everything.

With --prove the account's roles are tried with what they must not do. An administrator runs it: each role gets a twin
with the same policies for a moment, which must be refused; the twin is removed, nothing else is touched. A job on
GitHub with `id-token: write` in a workflow of one's own runs it, too: there every role must refuse the job itself. Exit
1 when a role is too wide or a proof could not be made.

    stackseal doctor
    stackseal doctor configs/stackseal-111122223333-us-west-2-bootstrap.yaml
    stackseal doctor --repository my-org/infra
    stackseal doctor --prove configs/stackseal-111122223333-us-west-2-bootstrap.yaml
    stackseal doctor --aws local --format json
"""
_BAD: Final = ("missing", "wrong", "not proven")
"""How a status begins that somebody has to see to."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The bootstrap config of the account to look at, and whether its roles are tried."""
    parser.add_argument(
        "--repository", nargs="?", const="", metavar="OWNER/NAME", help="also look at a repository on GitHub"
    )
    parser.add_argument(
        "--prove", action="store_true", help="try what the account's roles must not do, with twins that go again"
    )
    parser.add_argument("config", nargs="?", metavar="CONFIG", help="the bootstrap config of an account to look at")


def run(args: argparse.Namespace, world: World) -> int:
    """Print the findings; exit 1 when something is missing that stackseal needs."""
    from stackseal import facts
    from stackseal.checks import checkov_env

    checkov = checkov_env.find(world.env)
    git = shutil.which("git", path=world.env.get("PATH"))
    rows = [
        ("stackseal", __version__, "ok"),
        ("python", platform.python_version(), "ok"),
        ("checkov", str(checkov or "-"), "ok" if checkov else "installed when it is first needed"),
        ("git", str(git or "-"), "ok" if git else "missing: install git"),
        ("facts", facts.published().isoformat(), facts.stale(world.clock.today) or "ok"),
        products(world),
        last_check(world),
    ]
    if args.repository is not None:
        rows += repository(world, args.repository)
    if args.prove:
        rows += proofs(world, args.config)
    elif args.config:
        rows += account(world, args.config)
    found = {"checks": [{"what": what, "found": value, "status": status} for what, value, status in rows]}
    text = table(rows, ("WHAT", "FOUND", "STATUS"))
    if args.aws == "local":
        from stackseal.local import GAPS

        gaps = [(gap.area, gap.what, gap.consequence, gap.where) for gap in GAPS]
        found["gaps"] = [dict(zip(("area", "what", "consequence", "where"), gap, strict=True)) for gap in gaps]
        text += "\n\nWhat the embedded AWS does differently from AWS:\n" + "\n".join(
            f"- {area}: {what}; {consequence} ({where})" for area, what, consequence, where in gaps
        )
    emit(world, found, text)
    statuses = [status for _, _, status in rows]
    if any(status.startswith(_BAD) for status in statuses):
        return 1
    return 5 if any(status.startswith("unknown") for status in statuses) else 0


def products(world: World) -> tuple[str, str, str]:
    """The products that configs can choose, the organisation's own among them: what, found, status."""
    from stackseal.change.preparation import catalogue_of

    try:
        found = catalogue_of(world).products.values()
    except ConfigErrors as several:
        return ("products", "-", f"wrong: {several.errors[0].where}: {several.errors[0]}, and more")
    except ConfigError as error:
        return ("products", "-", f"wrong: {error.where}: {error}")
    own = sum(product.sources is not None for product in found)
    return ("products", ", ".join(product.name for product in found), f"ok, {own} of them your own" if own else "ok")


def repository(world: World, name: str) -> list[tuple[str, str, str]]:
    """How a repository on GitHub is set up, by GITHUB_TOKEN; the name is OWNER/NAME, or empty for GITHUB_REPOSITORY."""
    from stackseal.hosts import github_forge
    from stackseal.report import marker
    from stackseal.upkeep import repository_check

    if name and Path(world.here, name).is_file():
        raise UsageError(f"{name} is a file and no repository", remedy="name it OWNER/NAME, or put the config first")
    env = {**world.env, **({"GITHUB_REPOSITORY": name} if name else {})}
    agent, clock = f"stackseal/{__version__} (doctor)", world.clock
    forge = github_forge.connect(env, agent=agent, marks=marker, now=clock.now, sleep=clock.sleep)
    try:
        return list(repository_check.rows(forge.setup()))
    finally:
        forge.close()


def proofs(world: World, name: str | None) -> list[tuple[str, str, str]]:
    """What the roles of an account are refused: as an administrator, or as the job that this is."""
    from stackseal.change import preparation
    from stackseal.commands import bootstrap
    from stackseal.upkeep import role_proof

    if name is None:
        raise UsageError("Nothing can be proven without an account", remedy="name its bootstrap config")
    if world.badge is not None and world.badge.token is not None:
        stack = bootstrap.checked(preparation.prepare(world, name)).stack.id
        return list(role_proof.with_identity(world, world.badge, stack.account, stack.region))
    return list(role_proof.with_credentials(world, bootstrap.prepare(world, name)))


def last_check(world: World) -> tuple[str, str, str]:
    """When drift was last checked with success, as the forge of this place knows it: what, found, status."""
    what = "drift checked"
    try:
        at = world.forge.last_heartbeat()
    except StacksealError as error:
        return (what, "-", f"cannot be told: {error}")
    if at is None:
        return (what, "-", "never, as far as is known here")
    days = (world.clock.now() - at).days
    late = f"{days} days ago: see whether the schedule of the drift workflow still runs" if days > _LATE else "ok"
    return (what, at.isoformat(), late)


def account(world: World, name: str) -> list[tuple[str, str, str]]:
    """What an account has of what its bootstrap config describes: what, found, status.

    Raises as `bootstrap` does for a config of another product and credentials of another account.
    """
    from stackseal import settings
    from stackseal.aws import look
    from stackseal.commands import bootstrap

    prepared = bootstrap.prepare(world, name)
    stack, names = prepared.stack.id, prepared.template.parameters
    aws, state = world.aws(stack.account, stack.region), world.cloudformation(stack).stack(stack.name)
    provider = look.oidc_provider(aws, stack.region, bootstrap.ISSUER)
    audience = provider is not None and "sts.amazonaws.com" in provider.audiences
    rows = [
        ("account", stack.account, "ok"),
        _row("stack", state.status if state else "", f"missing: stackseal bootstrap {name}"),
        _row("OIDC provider", provider.arn if provider and audience else "", "missing: no provider for GitHub"),
    ]
    for key in sorted(key for key in names if key.endswith("RoleName")):
        arn = look.role(aws, stack.region, names[key])
        rows.append(_row(key.removesuffix("Name"), arn or "", f"missing: there is no role {names[key]}"))
    bucket = names["ArtifactBucketName"]
    versioned = look.bucket_versioning(aws, stack.region, bucket) == "Enabled"
    rows.append(_row("bucket", bucket if versioned else "", f"missing: no bucket {bucket} with versions"))
    if state is not None:
        changes = len(bootstrap.predicted(world, prepared).changes)
        fresh = "the template of the config" if not changes else ""
        rows.append(_row("template", fresh, f"missing: {changes} changes of the config are not deployed"))
    ours = settings.load(world.here).account(stack.account)
    outputs = state.outputs if state else {}
    said = {key: getattr(ours, key) for key in bootstrap.SETTINGS}
    said |= {f"roles.{verb}": getattr(ours.roles, verb) for verb in bootstrap.ROLES}
    wanted = {**bootstrap.SETTINGS, **{f"roles.{verb}": output for verb, output in bootstrap.ROLES.items()}}
    for key, output in wanted.items():
        if output not in prepared.template.body["Outputs"]:
            continue
        value = outputs.get(output, "")
        same = value if value and said[key] == value else ""
        rows.append(_row(f"stackseal.yaml {key}", same, f"missing: set it to {value or 'what bootstrap prints'}"))
    return rows


def _row(what: str, found: str, missing: str) -> tuple[str, str, str]:
    return (what, found or "-", "ok" if found else missing)
