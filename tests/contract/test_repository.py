"""The repository itself: paths in its texts, its locks, its Makefile, its tests, the sizes of its modules."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from contract.support import PACKAGE, ROOT, committed, tree

LOCKS: Final = ("runtime", "local", "dev", "checkov", "build", "uv")
TEXTS: Final = tuple(path for path in committed() if path.suffix == ".md")
LONG: Final[dict[str, int]] = {}
"""Modules over 350 lines and the most that each may have. The list must shrink: split, or say why not."""


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@cache
def lock(name: str) -> dict[str, tuple[Version, int]]:
    """Package to its version and the number of its hashes."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line.partition("--hash")[0])
            (pin,) = requirement.specifier
            assert pin.operator == "==", line
            found[canonicalize_name(requirement.name)] = (Version(pin.version), line.count("--hash=sha256:"))
    return found


# --- locks


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_has_hashes(name: str) -> None:
    assert lock(name)
    assert not [package for package, (_, hashes) in lock(name).items() if not hashes]


@pytest.mark.parametrize(("small", "large"), [("runtime", "local"), ("local", "dev")])
def test_locks_agree(small: str, large: str) -> None:
    """What is tested is what is shipped, version by version; there is one boto3."""
    assert {package: version for package, (version, _) in lock(small).items()}.items() <= {
        package: version for package, (version, _) in lock(large).items()
    }.items()
    assert lock(small)["boto3"] == lock(large)["boto3"]


def test_every_lock_is_one_of_these() -> None:
    assert {path.stem for path in (ROOT / "requirements").glob("*.txt")} == set(LOCKS)


def groups() -> list[tuple[str, str]]:
    data = project()
    pairs = [("runtime", item) for item in data["project"]["dependencies"]]
    pairs += [("local", item) for item in data["project"]["optional-dependencies"]["local"]]
    pairs += [(group, item) for group, items in data["dependency-groups"].items() for item in items]
    return pairs + [("build", item) for item in data["build-system"]["requires"]]


@pytest.mark.parametrize(("name", "requirement"), groups())
def test_the_locks_hold_what_the_project_asks_for(name: str, requirement: str) -> None:
    wanted = Requirement(requirement)
    version, _ = lock(name)[canonicalize_name(wanted.name)]
    assert wanted.specifier.contains(version)


# --- texts

_PATH: Final = re.compile(r"`((?:toolkit|templates|tests|docs|scripts|requirements|\.github|\.ci)/[A-Za-z0-9_./-]*)`")
_LINK: Final = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_that_a_text_names_exists(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    named = [ROOT / name for name in _PATH.findall(text)] + [page.parent / name for name in _LINK.findall(text)]
    assert not [path.as_posix() for path in named if not path.exists()]


def test_contributing_names_a_folder_and_a_model_for_each_recipe() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for recipe, folder in (
        ("product", "templates/products/"),
        ("check", "toolkit/stackseal/checks/own/"),
        ("host", "toolkit/stackseal/hosts/"),
        ("command", "toolkit/stackseal/commands/"),
    ):
        section = re.search(rf"^## Add a {recipe}\n(.*?)(?=^## )", text, flags=re.MULTILINE | re.DOTALL)
        assert section, recipe
        assert f"`{folder}" in section[1]
        assert "Copy" in section[1]


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    decisions = sorted(path for path in folder.glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        assert f"({path.name})" in index
        text = path.read_text(encoding="utf-8")
        assert [line for line in text.splitlines() if line.startswith("## ")] == [
            "## Context",
            "## Decision",
            "## Consequences",
        ]


def _binary(path: Path) -> bool:
    return path.suffix in {".gz", ".png", ".zip"}


_MACHINE: Final = re.compile(r"(?<![\w.~-])/(?:work|root|mnt)/\w|(?<![\w.~-])/(?:home|Users)/(?!somebody|mluser)\w")
_INDEX: Final = re.compile(
    r"\b(?:pypi\.org|pypi\.python\.org|pythonhosted\.org|registry\.npmjs\.org|artifactory\.|nexus\.)|"
    r"--(?:extra-)?index-url|--find-links|/simple/"
)


def test_no_file_names_a_machine_or_a_package_index() -> None:
    wrong = []
    for path in committed():
        if _binary(path) or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if _MACHINE.search(line) or _INDEX.search(line):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert not wrong, "\n".join(wrong)


def test_nothing_that_tools_leave_behind_is_committed() -> None:
    left = re.compile(
        r"(^|/)(__pycache__|\.venv|_assets|\.pytest_cache|\.DS_Store)(/|$)|\.(pyc|egg-info|orig|rej)$|uv\.lock$"
    )
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not [name for name in done.stdout.split("\0") if left.search(name)]


# --- Makefile and CI


def targets() -> dict[str, str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9]+):[^#\n]*## (.+)$", text, flags=re.MULTILINE))


def test_every_target_says_what_it_does_and_is_documented() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", text, flags=re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == set(targets())
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert not [target for target in targets() if f"make {target}" not in contributing]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"make ([a-z0-9]+)", readme + contributing))
    assert named - {"it"} <= set(targets())


def test_what_make_test_leaves_out_is_what_make_trust_runs() -> None:
    """The marker stands in one folder only, so that no proof can fall between the two."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^test:.*\n.* -m \"not trust\" \$\(PYTEST_ARGS\)$", text, flags=re.MULTILINE)
    assert re.search(r"^trust:.*\n.* -m trust .* tests/trust \$\(PYTEST_ARGS\)$", text, flags=re.MULTILINE)
    marked = [
        path
        for path in (ROOT / "tests").rglob("*.py")
        if path != Path(__file__) and re.search(r"\bmark\.trust\b", path.read_text(encoding="utf-8"))
    ]
    assert not [path for path in marked if path.parent != ROOT / "tests" / "trust"]


def test_ci_calls_only_make() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line.strip() and not line.startswith("#")]
    assert commands[:2] == ["set -euo pipefail", 'cd "$(dirname "$0")/.."']
    assert all(re.fullmatch(r"make [a-z]+", line) and line[5:] in targets() for line in commands[2:])


def test_the_workflow_calls_what_ci_calls() -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert re.findall(r"^\s*(?:- )?run: (.*)$", text, flags=re.MULTILINE) == [".ci/run"]
    for used in re.findall(r"uses: (.*)$", text, flags=re.MULTILINE):
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v[0-9.]+", used), used


# --- code


def test_no_test_replaces_what_it_tests() -> None:
    forbidden = re.compile(r"\bmock\.patch|\bunittest\.mock|\bmonkeypatch\.(?:setattr|setitem|delattr)|\bmocker\b")
    mine = Path(__file__)
    files = [path for path in (ROOT / "tests").rglob("*.py") if path != mine]
    assert files
    assert not [path for path in files if forbidden.search(path.read_text(encoding="utf-8"))]


def test_modules_stay_small() -> None:
    lengths = {
        path.relative_to(PACKAGE).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert not {name: length for name, length in lengths.items() if length > LONG.get(name, 350)}
    assert not {name for name in LONG if lengths.get(name, 0) <= 350}, "an exception is over: take it out"


def test_functions_stay_short() -> None:
    """40 lines are a smell, 50 are refused."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 50
    ]
    assert not wrong, wrong


def test_every_ignored_finding_says_why() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*PACKAGE.rglob("*.py"), *(ROOT / "scripts").glob("*.py")]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(r"# type: ignore(?!\[[\w-]+\]  ?# \w)", line)
    ]
    assert not wrong, wrong
