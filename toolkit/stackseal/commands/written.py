"""The template that create-prov-template wrote, for the commands that go on from it (spec A31, §0.10)."""

from __future__ import annotations

from pathlib import Path

from stackseal import artifacts
from stackseal.errors import Refused, UsageError
from stackseal.model import Stack, Template
from stackseal.world import World


def written(world: World, stack: Stack) -> tuple[Path, str]:
    """The path and the text of the written template.

    Raises UsageError when there is none, or none that can be read.
    """
    path = artifacts.template(world.root, stack)
    if not path.exists():
        raise UsageError(
            "Template file not found",
            why=f"there is no {path}",
            remedy="Run create-prov-template before deploy-product",
        )
    return path, artifacts.read(path)


def current(world: World, stack: Stack, template: Template) -> Path:
    """The path of a written template that is what the config renders to.

    Raises Refused when it is older than the config, or was edited.
    """
    path, content = written(world, stack)
    if content != template.text:
        raise Refused(
            f"The template {path} is not what the config renders to",
            why="the config changed since, or the file was edited",
            remedy="Run create-prov-template",
        )
    return path
