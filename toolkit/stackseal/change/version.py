"""Which version of stackseal the workflows of a commit run: another one may render every stack anew."""

from __future__ import annotations

import re
from typing import Final

from stackseal.hosts.git import Repository

WORKFLOWS: Final = ".github/workflows"
_USES: Final = re.compile(
    rb"""^[ \t]*(?:-[ \t]+)?uses:[ \t]*["']?"""
    rb"""[\w.-]+/(?:stackseal|[\w.-]+/\.github/workflows/(?:review|deploy|drift|cleanup)\.ya?ml)@([\w./-]{1,100})""",
    re.MULTILINE,
)
"""A call of our action, or of one of our reusable workflows in whatever repository they lie."""
_SHOWN: Final = 12


def moved(repository: Repository, base: str, head: str) -> str:
    """Why every stack takes part in a change that runs another version, in a sentence; empty where it does not.

    Workflows lie at the top of the Git repository, wherever in it the configs are.
    """
    top = repository.top
    touched = {name for item in top.changed(base, head) for name in (item.old, item.new) if name}
    if not any(name.startswith(f"{WORKFLOWS}/") for name in touched):
        return ""
    old, new = _versions(top, base), _versions(top, head)
    if not old or not new or old == new:
        return ""
    return (
        f"Every stack takes part, because the workflows run another version of stackseal ({_listed(new)} after "
        f"{_listed(old)}). What it makes of a stack that stands, a plan against AWS tells, no prediction."
    )


def _versions(top: Repository, commit: str) -> tuple[str, ...]:
    texts = [top.read(commit, name) or b"" for name in top.files(commit, WORKFLOWS) if name.endswith((".yml", ".yaml"))]
    return tuple(sorted({found.decode() for text in texts for found in _USES.findall(text)}))


def _listed(versions: tuple[str, ...]) -> str:
    return ", ".join(version[:_SHOWN] if len(version) == 40 else version for version in versions)
