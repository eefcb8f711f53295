"""ADD A CI OR A FORGE: a runner is where we run, a forge is where pull requests and issues live.

A runner is a class, a forge a function that connects to it; each is a line in the dict of its kind. Which forge serves
a run is the runner's to say: what a laptop publishes goes into a folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from stackseal.hosts import codebuild, github, local
from stackseal.hosts.base import Badge, Forge, Link, Runner

RUNNERS: Final[dict[str, type[Runner]]] = {
    "codebuild": codebuild.CodeBuildRunner,
    "github": github.GitHubRunner,
    "local": local.LocalRunner,
}
"""In the order in which they are asked whether an environment is theirs; `local` takes every one."""
FORGES: Final[dict[str, Callable[[Link], Forge]]] = {
    "github": github.forge,
    "local": local.forge,
}


def runner(env: Mapping[str, str]) -> Runner:
    """The first runner that recognises its environment."""
    return next(kind(env) for kind in RUNNERS.values() if kind.here(env))


def forge(link: Link, where: Runner) -> Forge:
    """The forge of a run."""
    return FORGES[where.forge](link)


__all__ = ["FORGES", "RUNNERS", "Badge", "Forge", "Link", "Runner", "forge", "runner"]
