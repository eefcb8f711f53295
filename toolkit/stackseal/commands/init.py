"""`init`: the folders and files of a consumer's repository (spec A03, A05)."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Final

from stackseal.commands.base import emit
from stackseal.world import World

SUMMARY: Final = "set up a repository: folders, settings, examples, editor schema"
HELP: Final = """\
Write what a repository needs: the folders configs, templates, policies, reports and docs below the root, a
stackseal.yaml to fill in, the editor schema, and a .gitignore for what is output. With --examples also the product's
example configs, in the root's examples/configs/ where no review looks: copy one into the root's configs/. With --forge
github also the workflows that review, deploy and watch, and Dependabot's entry; they call the workflows of the
toolkit's repository at one commit, which --toolkit names. With --runner codebuild the builds of CodeBuild do that work
instead: written are their specifications, to read and to compare, because projects hold them themselves, and a config
of the product ci_codebuild, which makes the projects. Files that exist are left as they are.

    stackseal init --forge local
    stackseal init --forge local --examples ml
    stackseal init --forge github --toolkit my-org/stackseal@0123456789abcdef0123456789abcdef01234567
    stackseal init --forge github --runner codebuild --toolkit my-org/stackseal@0123456789abcdef0123456789abcdef01234567
"""
_EXAMPLES: Final = "examples/configs"
"""Beside the configs and not among them: many examples are one stack in several forms."""
_OUTPUT: Final = ("templates", "policies", "reports", "seals", "forge")
"""The folders of the root that hold what stackseal writes anew."""
_TOOLKIT: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100})@([0-9a-f]{40})")
_PLACEHOLDER: Final = re.compile(r"stackseal/stackseal(/\.github/workflows/[a-z]+\.yml)@0{40} # v0\.0\.0")
"""What the callers of `workflows/` say where a repository, its commit and its version belong."""
_BUILDS: Final = "techcorp-prod-stackseal-us-west-2-builds.yaml"
"""The example of the product ci_codebuild; in a consumer's repository it lies where no review looks."""
_SETTINGS: Final = """\
# Settings of stackseal. Pipelines read this file from the base branch only; see docs/reference/settings.md.
version: 1
configs: {configs}
# catalogue: products # the folder with products of your own
# accounts:
#   "123456789012":
#     execution_role: arn:aws:iam::123456789012:role/stackseal-execution
#     artifact_bucket: stackseal-artifacts-123456789012
#     roles: # what the jobs on GitHub take; `stackseal bootstrap CONFIG` prints all of this
#       plan: arn:aws:iam::123456789012:role/stackseal-plan
#       deploy: arn:aws:iam::123456789012:role/stackseal-deploy
#       drift: arn:aws:iam::123456789012:role/stackseal-drift
#       cleanup: arn:aws:iam::123456789012:role/stackseal-cleanup
# gates:
#   - on: destructive
#     needs: code-owner
# waivers:
#   - check: CKV_AWS_18
#     resource: ArtifactsBucket
#     reason: Access logs of this bucket are collected by the organisation's trail.
#     owner: platform-team
#     until: "2027-06-30"
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The forge and the examples."""
    parser.add_argument("--forge", choices=("local", "github"), default="local", help="where pull requests live")
    parser.add_argument(
        "--runner",
        choices=("github", "codebuild"),
        default="github",
        help="what runs the pipelines, for --forge github (default: github)",
    )
    parser.add_argument("--toolkit", metavar="REPO@SHA", help="owner/name@commit of the toolkit, for --forge github")
    parser.add_argument("--examples", metavar="PRODUCT", help="copy this product's examples to examples/configs/")
    parser.add_argument("--dry-run", action="store_true", help="say what would be written and write nothing")


def run(args: argparse.Namespace, world: World) -> int:
    """Write what is missing."""
    from stackseal import artifacts, settings

    files = {
        Path(settings.FILE): _SETTINGS.replace("{configs}", (world.root / "configs").as_posix()),
        Path(".stackseal/config.schema.json"): _schema(world),
    }
    files |= _ignored(world)
    files |= _examples(args.examples, world) if args.examples else {}
    if args.forge == "github":
        files |= callers(args.toolkit or "") if args.runner == "github" else builds(args.toolkit or "")
    folders = [world.root / name for name in artifacts.FOLDERS]
    missing = {path: text for path, text in files.items() if not path.exists()}
    if not args.dry_run:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        for path, text in missing.items():
            artifacts.write(path, text)
    facts = {
        "folders": [folder.as_posix() for folder in folders],
        "written": [path.as_posix() for path in missing],
        "kept": [path.as_posix() for path in files if path not in missing],
        "dry_run": args.dry_run,
    }
    verb = "would write" if args.dry_run else "wrote"
    lines = [f"{verb} {path}" for path in missing] + [f"kept {path}" for path in files if path not in missing]
    root = world.root.as_posix()
    put = f"copy one of {root}/{_EXAMPLES}/ into" if args.examples else "put a config into"
    lines.append(f"Next: {put} {root}/configs/ and run: stackseal validate-config {root}/configs/*.yaml")
    emit(world, facts, "\n".join(lines))
    return 0


def callers(toolkit: str) -> dict[Path, str]:
    """The files of `workflows/` at their places in a consumer's repository, for a toolkit `owner/name@commit`.

    Raises UsageError where that is no full commit: a tag or a branch can be moved after it was reviewed.
    """
    from stackseal import __version__, assets

    repository, commit = _pinned(toolkit, "workflows")
    called = rf"{repository}\1@{commit} # v{__version__}"
    files = {}
    for path in sorted(assets.WORKFLOWS.glob("*.yml")):
        text = _PLACEHOLDER.sub(called, path.read_text(encoding="utf-8"))
        place = path.name if path.name == "dependabot.yml" else f"workflows/stackseal-{path.name}"
        files[Path(".github", place)] = text
    return files


def builds(toolkit: str) -> dict[Path, str]:
    """What CodeBuild's projects run, and the config that makes the projects, to fill in.

    Raises UsageError where the toolkit is no full commit.
    """
    from stackseal import assets

    repository, commit = _pinned(toolkit, "build specifications")
    config = (assets.PRODUCTS / "ci_codebuild" / "examples" / _BUILDS).read_text(encoding="utf-8")
    config = config.replace("https://github.com/stackseal/stackseal", f"https://github.com/{repository}")
    files = {Path("buildspecs", path.name): path.read_text("utf-8") for path in sorted(assets.BUILDSPECS.glob("*.yml"))}
    return {**files, Path(".stackseal", _BUILDS): config.replace("0123456789abcdef0123456789abcdef01234567", commit)}


def _pinned(toolkit: str, what: str) -> tuple[str, str]:
    """The repository and the commit of the toolkit."""
    from stackseal.errors import UsageError

    if (found := _TOOLKIT.fullmatch(toolkit)) is None:
        raise UsageError(
            f"The {what} were not written",
            why=f"--toolkit is {toolkit!r}" if toolkit else "--toolkit is missing",
            remedy="name the toolkit's repository and a full commit, like my-org/stackseal@<40 hexadecimal digits>",
        )
    return found[1], found[2]


def _schema(world: World) -> str:
    from stackseal.catalogue import schema
    from stackseal.change.preparation import catalogue_of

    return json.dumps(schema.editor(catalogue_of(world).products.values()), indent=2, sort_keys=True) + "\n"


def _ignored(world: World) -> dict[Path, str]:
    """A .gitignore for the output, where the root lies in the repository."""
    root = world.root.relative_to(world.here) if world.root.is_relative_to(world.here) else world.root
    if root.is_absolute() or ".." in root.parts:
        return {}
    return {Path(".gitignore"): "".join(f"/{(root / folder).as_posix()}/\n" for folder in _OUTPUT)}


def _examples(product: str, world: World) -> dict[Path, str]:
    from stackseal import artifacts
    from stackseal.change.preparation import catalogue_of
    from stackseal.errors import UsageError

    products = {item.name: item for item in catalogue_of(world).products.values()}
    if product not in products:
        raise UsageError(f"There is no product {product!r}", why=f"the catalogue has {', '.join(sorted(products))}")
    root = products[product].root
    folder = (root if products[product].sources is None else world.here / root) / "examples"
    return {
        world.root / _EXAMPLES / path.name: artifacts.read(path)
        for path in sorted(folder.glob("*.yaml"))
        if artifacts.linked(path, below=world.here) is None
    }
