"""Who may import whom. The table is the architecture; a new module needs its line here."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import Final

import pytest

from contract.support import PACKAGE, Import, imports

VALUES: Final = {"model", "errors"}
"""Everybody may import them."""

ALLOWED: Final[dict[str, set[str]]] = {
    # values
    "model": set(),
    "errors": set(),
    "__init__": set(),
    # tools that know nothing of stages
    "assets": set(),
    "artifacts": set(),
    "inert": set(),
    "lifecycle": set(),
    "naming": set(),
    "hiding": set(),
    "output": {"hiding", "inert"},
    "progress": {"output"},
    "yamltext": set(),
    "facts": set(),
    "sandbox": set(),
    "settings": {"naming", "yamltext"},
    "change.waves": set(),
    "workers": set(),
    "deployment.rollout": set(),
    # stages: values and tools, never each other
    "config": {"yamltext"},
    "catalogue": {"assets", "naming", "sandbox", "yamltext"},
    "render": {"__init__", "assets", "sandbox", "yamltext"},
    "checked": {"__init__", "lifecycle"},
    "checks": {"assets", "checked", "facts", "lifecycle", "workers", "yamltext"},
    "policy": {"facts", "naming"},
    "plan": {"artifacts", "aws", "facts", "naming"},
    "report": {"__init__", "assets", "hiding", "inert"},
    "deploy": {"aws"},
    "drift": set(),
    "graph": set(),
    "outputs": {"aws"},
    # the outside
    "aws": set(),
    "hosts": {"artifacts"},
    "local": {"facts"},
    "world": {"aws", "hosts", "output", "sandbox", "workers"},
    # wiring: these join stages, and each says what in its first line
    "review.bundle": set(),
    "review.shards": {"review.bundle"},
    "acting": {"aws", "hosts", "settings", "world"},
    "change.offered": {"catalogue", "hosts", "yamltext"},
    "change.preparation": {
        "artifacts",
        "catalogue",
        "checked",
        "checks",
        "config",
        "hosts",
        "change.offered",
        "progress",
        "render",
        "settings",
        "workers",
        "world",
    },
    "review.publication": {"artifacts", "hosts", "report", "world"},
    "journal": {"__init__", "artifacts", "config", "world"},
    "deployment.progress": {"output"},
    "review.secrecy": {"facts", "hiding", "review.planning", "report", "settings"},
    "change.subjects": {
        "catalogue",
        "config",
        "hosts",
        "naming",
        "change.offered",
        "sandbox",
        "settings",
        "change.version",
        "change.waves",
    },
    "change.version": {"hosts"},
    "upkeep.stack_set_drift": {"aws", "deploy", "plan", "review.planning", "review.stack_sets", "world"},
    "upkeep.filing": {"drift", "hosts", "report", "world"},
    "upkeep.watching": {"naming", "review.granting", "settings", "world"},
    "review.awaiting": {"aws", "naming", "plan", "change.preflight", "world"},
    "change.concerned": {"plan", "change.preparation", "change.subjects", "change.waves"},
    "review.granting": {
        "catalogue",
        "checks",
        "change.concerned",
        "naming",
        "policy",
        "change.preparation",
        "render",
        "settings",
        "change.subjects",
        "change.waves",
        "yamltext",
    },
    "deployment.spreading": {"aws"},
    "deployment.contracting": {
        "aws",
        "deploy",
        "naming",
        "plan",
        "review.planning",
        "deployment.proving",
        "deployment.sealed",
    },
    "review.examining": {"review.granting", "graph", "policy", "change.preparation", "settings", "change.subjects"},
    "change.newer": {"catalogue", "hosts", "naming", "sandbox", "change.subjects", "change.waves"},
    "review.planning": {
        "review.awaiting",
        "aws",
        "checks",
        "upkeep.cleanup",
        "change.preflight",
        "plan",
        "review.stack_sets",
        "settings",
        "world",
    },
    "review.stack_sets": {"aws", "plan", "settings"},
    "deployment.stack_sets": {
        "aws",
        "deploy",
        "plan",
        "review.planning",
        "review.stack_sets",
        "settings",
        "world",
    },
    "deployment.sealed": {"review.awaiting", "aws", "naming", "plan", "review.planning", "settings", "world"},
    "change.preflight": {"aws", "checks", "plan", "world"},
    "upkeep.repository_check": {"hosts", "settings", "yamltext"},
    "upkeep.role_proof": {"aws", "hosts", "policy", "change.preparation", "settings", "world"},
    "review.queued": {"hosts", "plan", "review.planning", "settings"},
    "review.gating": {"hosts", "world"},
    "deployment.proving": {
        "aws",
        "upkeep.cleanup",
        "plan",
        "deploy",
        "review.gating",
        "hosts",
        "review.planning",
        "change.preparation",
        "deployment.progress",
        "deployment.rollout",
        "deployment.sealed",
        "deployment.spreading",
        "naming",
        "deployment.stack_sets",
        "review.stack_sets",
        "settings",
        "change.subjects",
        "world",
    },
    "upkeep.cleanup": {"aws", "hosts", "naming"},
    "upkeep.verify": {
        "aws",
        "catalogue",
        "config",
        "hosts",
        "change.offered",
        "plan",
        "review.planning",
        "change.preparation",
        "settings",
        "world",
    },
}
_BELOW: Final = set(ALLOWED)
ALLOWED["pipeline"] = _BELOW - {"aws", "local"}
ALLOWED["commands"] = _BELOW | {"pipeline", "demo"}
ALLOWED["demo"] = _BELOW - {"local"} | {"pipeline"}
ALLOWED["cli"] = {"__init__", "assets", "checks", "commands", "hiding", "hosts", "journal", "local", "output"} | {
    "report",
    "sandbox",
    "workers",
    "world",
}
ALLOWED["start"] = {"assets", "checked", "cli", "hiding", "output"}

EXCEPTIONS: Final[dict[tuple[str, str], str]] = {}
"""Edges that the table forbids and that stand for now, with their reason. The list must shrink."""

AWS_VALUES: Final = {"errors", "shapes", "states"}
"""Modules of `aws` that are values without boto3. Stages get the rest of it as a parameter: typed, never imported."""

LIBRARIES: Final[dict[str, tuple[str, ...]]] = {
    "boto3": ("aws/session.py",),
    "botocore": ("aws/", "local/"),
    "ministack": ("local/ministack.py",),
    "moto": ("local/moto.py",),
    "cfnlint": ("checks/engines/cfn_lint.py",),
    "checkov": ("checks/checkov_worker.py",),
    "markdown": ("report/",),
    "jinja2": ("report/words.py", "sandbox/child.py"),
    "yaml": ("yamltext/", "report/"),
    "pydantic": ("review/bundle.py", "settings.py", "catalogue/product.py", "hosts/event.py", "report/json.py"),
    "jsonschema": ("catalogue/organisation.py", "catalogue/schema.py", "plan/record.py"),
}
"""Each library and the only files (or folders) that import it. checkov has an environment of its own: only its
worker does, which runs there."""

HEAVY: Final = {"boto3", "ministack", "moto", "cfnlint", "checkov", "markdown"}
"""Imported inside functions, so that `--help` is quick. Modules under `local/` may do it at the top."""

JOINS: Final = ("change", "review", "deployment", "upkeep")
"""Packages whose modules join stages, each with a line of its own in the table."""

FILES: Final = sorted(PACKAGE.rglob("*.py"))


def unit(path: str) -> str:
    """`plan/seal.py` → `plan`; what joins stages counts file by file: `review/planning.py` → `review.planning`."""
    first, _, rest = path.removesuffix(".py").partition("/")
    return first if first not in JOINS else "__init__" if rest == "__init__" else f"{first}.{rest}"


@cache
def ours() -> list[tuple[str, Import]]:
    return [
        (path.relative_to(PACKAGE).as_posix(), item)
        for path in FILES
        for item in imports(path)
        if item.module.partition(".")[0] == "stackseal"
    ]


def target(item: Import) -> str:
    """`stackseal.aws.session.Aws` → `aws`; the package's own names → `__init__`."""
    name, *more = item.module.split(".")[1:]
    if name in JOINS:
        return f"{name}.{more[0]}"
    return name if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file() else "__init__"


def test_every_module_has_its_place() -> None:
    found = {unit(path.relative_to(PACKAGE).as_posix()) for path in FILES}
    assert found <= set(ALLOWED), "add the new module to ALLOWED, with the little that it may import"


def test_nobody_imports_what_it_may_not() -> None:
    wrong = [
        str(item)
        for path, item in ours()
        if target(item) not in {unit(path), *VALUES, *ALLOWED.get(unit(path), set())}
        and (path, item.module) not in EXCEPTIONS
    ]
    assert not wrong, wrong


def test_values_import_nothing_of_ours() -> None:
    assert {target(item) for path, item in ours() if unit(path) == "model"} <= {"model"}
    assert {target(item) for path, item in ours() if unit(path) == "errors"} <= {"model"}


def test_the_table_allows_nothing_that_is_not_used() -> None:
    """A permission that nobody uses is a door left open."""
    used = {(unit(path), target(item)) for path, item in ours()}
    broad = {"pipeline", "commands", "demo"}  # these may join everything below them
    unused = [(one, two) for one, twos in ALLOWED.items() if one not in broad for two in twos if (one, two) not in used]
    assert not unused, unused
    edges = {(path, item.module) for path, item in ours()}
    assert not [edge for edge in EXCEPTIONS if edge not in edges], "an exception is over: take it out"


def test_aws_is_a_parameter_of_every_stage() -> None:
    wrong = [
        str(item)
        for path, item in ours()
        if unit(path) in {"plan", "deploy", "drift"} and target(item) == "aws" and not item.typing
        if item.module.split(".")[2] not in AWS_VALUES
    ]
    assert not wrong, wrong


def test_relative_imports_are_not_used() -> None:
    """The direction of an import is read from its text."""
    assert not [
        path for path in FILES if "from ." in path.read_text(encoding="utf-8").replace("from . import", "from .")
    ]


@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_a_library_has_one_door(library: str) -> None:
    allowed = LIBRARIES[library]
    found = [
        item for path in FILES for item in imports(path) if item.module.partition(".")[0] == library and not item.typing
    ]
    outside = [
        str(item) for item in found if not item.path.relative_to(PACKAGE).as_posix().startswith(allowed or ("//",))
    ]
    assert not outside, outside
    at_once = [str(item) for item in found if item.top and "local" not in item.path.parts]
    assert library not in HEAVY or not at_once, at_once


def test_the_command_line_starts_without_engines() -> None:
    """What `--help` and every error pay for."""
    code = (
        "import sys; from stackseal import cli; cli.parser(); print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & (HEAVY | {"botocore", "jsonschema", "pydantic", "jinja2"})
