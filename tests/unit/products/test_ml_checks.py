"""Our own checks, cfn-lint and checkov have nothing to say about any ML template but what the product answers for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from stackseal import checks
from stackseal.model import Finding, Template
from unit.products.cases import CASES, EXAMPLES, GITHUB, KINDS, PLAIN, TEST_SUFFIX, example, rendered, template
from unit.products.engines import engines

TODAY = date(2026, 11, 20)
GUARDED = [path for path in EXAMPLES if "guardrails: true" in path.read_text(encoding="utf-8")]
STACKS = (*(case for case in CASES if not case.workload), *GITHUB)


def sweep() -> list[Template]:
    """Every kind of template, its test stack, each kind hardened, and the example with guardrails.

    A workload changes nothing but names.
    """
    hardened = (replace(case, hardening=True) for case in KINDS)
    tests = (template(case, TEST_SUFFIX) for case in PLAIN)
    return [*map(template, STACKS), *tests, *map(template, hardened), *map(rendered, map(example, GUARDED))]


def told(findings: Sequence[Finding]) -> set[str]:
    """The findings that nobody answers for."""
    return {f"{item.check} {item.resource} {item.message}" for item in findings if item.waiver is None}


@pytest.mark.spec("A24", "A28")
def test_cfn_lint_and_our_checks_find_nothing(tmp_path: Path) -> None:
    world = engines(tmp_path, "cfn-lint", informational=True)
    assert told(checks.run(sweep(), world=world, today=TODAY)) == set()


@pytest.mark.spec("A28")
def test_checkov_finds_only_what_the_product_answers_for(tmp_path: Path) -> None:
    world = engines(tmp_path, "checkov")
    findings = checks.run(sweep(), world=world, today=TODAY)
    assert told(findings) == set()
    waived = Counter((item.check, item.resource) for item in findings)
    assert waived == {
        ("CKV_AWS_18", "ArtifactsBucket"): len(STACKS) + len(PLAIN) + len(GUARDED),
        ("CKV_AWS_18", "AccessLogsBucket"): len(KINDS),
    }
