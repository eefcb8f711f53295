"""What one run of the pipeline's drift does with issues: list, decide, do."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from stackseal.drift import Move, decide
from stackseal.hosts.github_forge import GitHubForge
from stackseal.model import Drift, DriftStatus, StackId
from stackseal.report import marker

STACKS: Final = [StackId(account="123456789012", region="eu-west-1", name=f"stack-{n}") for n in range(3)]


def body(key: str, text: str = "It drifted.") -> str:
    return f"{marker.write('drift', id=key)}\n{text}\n"


def check(github: GitHubForge, drifted: AbstractSet[StackId], text: str) -> None:
    """Every stack is in sync but those that drifted."""
    issues = github.issues()
    for stack in STACKS:
        status = DriftStatus.DRIFTED if stack in drifted else DriftStatus.IN_SYNC
        title, content = f"Drift in {stack.name}", body(str(stack), text)
        step = decide(Drift(stack=stack, status=status, resources=()), str(stack), title, content, issues)
        if step.move is Move.OPEN:
            github.open_issue(str(stack), title, content)
        elif step.number is not None and step.move in {Move.REOPEN, Move.EDIT, Move.CLOSE}:
            github.update_issue(step.number, title=title, body=content, is_open=step.move is not Move.CLOSE)
