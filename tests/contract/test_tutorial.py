"""The tutorial is true: its commands are run as they stand, in one shell, against the embedded AWS."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from contract.support import ROOT
from stackseal import settings

TUTORIAL = ROOT / "docs" / "tutorial.md"
STACK = "acme-dev-t001-us-west-2-churn-ml-stack"


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.e2e
def test_the_tutorial_runs(tmp_path: Path) -> None:
    """A trap ends the embedded AWS of the tutorial where a command before its last step fails."""
    script = "\n".join(
        ["trap 'jobs -p | xargs -r kill 2>/dev/null' EXIT", "set -euo pipefail", *blocks(TUTORIAL, "sh")]
    )
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert f"stack {STACK}" in done.stdout
    assert "## 🟡 Needs a human" in done.stdout
    assert f"{STACK}: created (CREATE_COMPLETE); 13 resources" in done.stdout
    assert f"{STACK}: IN_SYNC, 13 of 13 resources checked" in done.stdout
    assert 'is "by-hand"' in done.stdout
    issue = json.loads((tmp_path / "churn" / "ml" / "forge" / "issues" / "1.json").read_text())
    assert issue["open"]
    assert f"{STACK}: deleted" in done.stdout


def quoted(page: Path) -> list[str]:
    """The paragraphs of a page's block quote, each on one line."""
    lines = [line[1:].strip() for line in page.read_text(encoding="utf-8").splitlines() if line.startswith(">")]
    return [
        " ".join(paragraph.split())
        for paragraph in re.split(r"\n(?=\n|\|)", "\n".join(lines))
        if paragraph.strip() and not paragraph.strip().startswith(("*folded", "|-"))
    ]


@pytest.mark.e2e
def test_the_readme_shows_what_the_demo_prints(tmp_path: Path) -> None:
    """Sentence by sentence; numbers and digests may differ, and `…` stands for what was left out."""
    command = [str(Path(sys.executable).with_name("stackseal")), "demo", "--keep", "kept"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    comment = " ".join((tmp_path / "kept/ml/forge/pull-requests/2/review.md").read_text(encoding="utf-8").split())
    paragraphs = quoted(ROOT / "README.md")
    assert len(paragraphs) >= 6
    for paragraph in paragraphs:
        pattern = re.sub(r"`[0-9a-f]{12}`|[0-9]+", "@", paragraph)
        pattern = re.escape(pattern).replace("@", "(?:`[0-9a-f]{12}`|[0-9]+)").replace("…", ".*?")
        assert re.search(pattern, comment), paragraph


def test_the_mistake_in_the_tutorial_is_answered_as_it_says(tmp_path: Path) -> None:
    (heredoc,) = re.findall(r"<<'YAML'\n(.*?)^YAML$", TUTORIAL.read_text(), flags=re.MULTILINE | re.DOTALL)
    name = "ml/configs/acme-dev-t001-us-west-2-churn-ml-codecommit.yaml"
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(heredoc.replace("tier: starter", "tier: strater"))
    command = [str(Path(sys.executable).with_name("stackseal")), "validate-config", name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (said,) = blocks(TUTORIAL, "text")
    assert done.stderr == said


def test_the_readme_s_config_is_valid(tmp_path: Path) -> None:
    (text,) = (block for block in blocks(ROOT / "README.md", "yaml") if "ml_product" in block)
    assert len(text.splitlines()) <= 20
    path = tmp_path / "techcorp-prod-a001-us-west-2-customer-churn-ml-codecommit.yaml"
    path.write_text(text)
    command = [str(Path(sys.executable).with_name("stackseal")), "show-product", str(path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ": 19 resources in" in done.stdout


def test_the_settings_in_the_how_tos_are_valid() -> None:
    texts = [block for page in (ROOT / "docs").rglob("*.md") for block in blocks(page, "yaml") if "waivers:" in block]
    assert len(texts) >= 2
    for text in texts:
        assert settings.parse(text.encode()).waivers


def test_the_hooks_call_commands_that_exist() -> None:
    from stackseal.commands import COMMANDS

    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert {hook["entry"].split()[1] for hook in hooks} <= set(COMMANDS)
    assert all(hook["language"] == "python" and re.compile(hook["files"]) for hook in hooks)
