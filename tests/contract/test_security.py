"""SECURITY.md: every test that it calls a proof is there, and every job of the workflows has its line."""

from __future__ import annotations

import ast
import re
from typing import Final

import pytest

from contract.support import ROOT, tree
from contract.test_workflows import PERMISSIONS

PAGE: Final = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
PROOFS: Final = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


@pytest.mark.parametrize(("path", "name"), PROOFS, ids=lambda part: str(part).rpartition("/")[2])
def test_a_proof_is_a_test_that_is_there(path: str, name: str) -> None:
    found = {node.name for node in ast.walk(tree(ROOT / path)) if isinstance(node, ast.FunctionDef)}
    assert name in found, "name the test that proves it now"


def test_every_line_of_the_tables_has_a_proof() -> None:
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    rows = 0
    for section in sections:
        if "| Proof |" in section:
            (body,) = re.findall(r"^\|[-|]+\|\n((?:\|.*\n)+)", section, flags=re.MULTILINE)
            for line in body.splitlines():
                rows += 1
                assert "::test_" in line.split("|")[-2], line
    assert rows > 30
    assert len(PROOFS) > 30


def test_every_job_has_its_line() -> None:
    section = PAGE.partition("## If a job were taken over")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| ([a-z-]+) \|", section, flags=re.MULTILINE))
    assert {job for _, job in PERMISSIONS} <= named, "say what each new job could do if it were taken over"


def test_the_explanation_leads_here() -> None:
    text = (ROOT / "docs" / "explanation" / "security.md").read_text(encoding="utf-8")
    for anchor in ("what-is-not", "who-may-do-what", "if-a-job-were-taken-over"):
        assert f"SECURITY.md#{anchor}" in text
        assert re.search(rf"^## {anchor.replace('-', ' ')}$", PAGE, flags=re.MULTILINE | re.IGNORECASE)
