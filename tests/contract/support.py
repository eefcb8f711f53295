"""What several contract tests read: the repository's files, its imports, its scripts."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "toolkit" / "stackseal"
BIN: Final = ROOT / ".venv" / "bin"


@cache
def committed() -> tuple[Path, ...]:
    """Every file that Git knows of, and the new ones that it would take; byte code has a test of its own."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in done.stdout.split("\0") if name and not name.endswith(".pyc")]
    return tuple(sorted(path for name in names if (path := ROOT / name).is_file()))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@dataclass(frozen=True, kw_only=True)
class Import:
    """One import statement's target."""

    path: Path
    line: int
    module: str
    """Dotted, with the imported name: `stackseal.aws.session.Aws`."""
    top: bool
    """At the top of the module, so that importing it costs at once."""
    typing: bool
    """For type checkers only."""

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line} imports {self.module}"


@cache
def imports(path: Path) -> tuple[Import, ...]:
    """Every import of a file, `import_module("…")` included."""
    module = tree(path)
    typing = {
        inner
        for node in ast.walk(module)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    return tuple(
        Import(path=path, line=getattr(node, "lineno", 0), module=name, top=node in module.body, typing=node in typing)
        for node in ast.walk(module)
        for name in _targets(node)
    )


def _targets(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            yield from (f"{module}.{alias.name}" for alias in names)
        case ast.Call(
            func=ast.Name(id="import_module") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            yield name


def script(name: str) -> ModuleType:
    """A module of scripts/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"scripts_{name}", ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
