"""A command that a sentence of ours names works as it is typed."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from typing import Final

import pytest

from contract.support import PACKAGE, tree
from stackseal.cli import parse
from stackseal.commands import COMMANDS

SAMPLE: Final = "7"
"""Stands for a value that is filled in, and for a placeholder such as CONFIG or N."""
_COMMAND: Final = re.compile(
    rf"(`?)(?<![\w./-])stackseal (?:{'|'.join(sorted(COMMANDS, key=len, reverse=True))})(?![\w-])"
)
_PROSE: Final = {"HELP", "SUMMARY"}
"""What `--help` shows; `test_docs.py` parses its examples."""


def texts(node: ast.AST) -> Iterator[ast.expr]:
    """The string literals below a node, whole, without docstrings and the help."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield node
        return
    names = {target.id for target in _targets(node) if isinstance(target, ast.Name)}
    for child in ast.iter_child_nodes(node):
        docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if not docstring and not names & _PROSE:
            yield from texts(child)


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.AnnAssign):
        return [node.target]
    return node.targets if isinstance(node, ast.Assign) else []


def text(node: ast.expr) -> str:
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else SAMPLE for part in parts)


def commands(said: str) -> Iterator[str]:
    """Between backticks, or from the command's name to the end of the clause."""
    for found in _COMMAND.finditer(said):
        rest = said[found.start() + len(found[1]) :]
        yield re.split("`" if found[1] else r"[`;,\n]|\. |\.$", rest)[0]


def named() -> list[tuple[str, str]]:
    return sorted(
        {
            (f"{path.relative_to(PACKAGE).as_posix()}:{node.lineno}", command)
            for path in sorted(PACKAGE.rglob("*.py"))
            for node in texts(tree(path))
            for command in commands(text(node))
        }
    )


def test_commands_are_found_in_every_form() -> None:
    said = "run `stackseal recover STACK --region REGION` again; or: stackseal init --forge local. stackseal-x, nothing"
    assert list(commands(said)) == ["stackseal recover STACK --region REGION", "stackseal init --forge local"]
    assert len(named()) > 10


@pytest.mark.parametrize(("where", "command"), named())
def test_a_named_command_works_as_it_is_typed(where: str, command: str) -> None:
    """The parser takes it; nothing is run."""
    words = [SAMPLE if re.fullmatch(r"[A-Z][A-Z-]*", word) else word for word in shlex.split(command)]
    assert parse(words[1:], {"HOME": "/"}).command in COMMANDS, where
