"""How a repository is set up on its forge, as values; what could not be read is `Unseen`, never absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """The token may not read it, or it could not be read; `why` says which."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the branch asks of a pull request before it is merged."""

    checks: frozenset[str] = frozenset()
    """Names of required checks."""
    owners: bool = False
    """A code owner has to approve."""
    hidden: str = ""
    """Why some of the rules could not be read: there may be more than this. Empty where these are all."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A deployment environment."""

    name: str
    branches: tuple[str, ...] | None
    """Patterns of branches and tags that may deploy; None where all may."""
    reviewers: bool
    """Somebody has to approve before a job enters."""


PROTECTED = "protected branches"
"""What stands in `Environment.branches` where every protected branch may deploy."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The form of `sub` in the tokens of the repository's jobs."""

    default: bool
    claims: tuple[str, ...] = ()
    """What it is made of where it is not GitHub's own form."""


@dataclass(frozen=True, kw_only=True)
class RepositorySetup:
    """Everything of a repository that stackseal's promises rest on."""

    name: str
    """owner/name"""
    branch: str
    """The default branch."""
    rules: Rules | Unseen
    environments: Mapping[str, Environment] | Unseen
    granted: str | Unseen
    """What a workflow's token may do that asks for nothing: `read` or `write`."""
    subject: Subject | Unseen
    files: Mapping[str, str] | Unseen
    """Texts on the default branch, by path: workflows, CODEOWNERS, Dependabot's and stackseal's settings."""
