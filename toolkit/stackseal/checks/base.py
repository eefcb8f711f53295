"""What a check and an engine are, and the small values between them and `run`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from stackseal.checks.values import UNKNOWN
from stackseal.model import Finding, JsonPath, Level, Template, nearest

if TYPE_CHECKING:
    from stackseal.checks.cache import Cache
    from stackseal.checks.shape import Shape
    from stackseal.workers import Workers


@dataclass(frozen=True, kw_only=True)
class Engines:
    """The outside world of this stage."""

    checkov: Path | None
    """checkov's executable; None where it is not looked for yet, or not installed and `install` is None, too."""
    work: Path
    """An existing directory for scratch files; every run makes its own empty one below it."""
    names: tuple[str, ...] = ("cfn-lint", "checkov")
    """The engines that run besides our own checks, keys of `checks.ENGINES`."""
    env: Mapping[str, str] = field(default_factory=dict)
    """The environment of the process; a child process gets PATH and nothing else of it."""
    workers: int = 1
    """How many processes of one engine may run at the same time."""
    informational: bool = False
    """Whether cfn-lint's informational rules are asked too."""
    timeout: float = 600.0
    """Seconds that one call of an engine may take."""
    install: Callable[[], Path] | None = None
    """checkov's executable, installed if need be: called when a text must be scanned, not before."""
    hands: Workers | None = None
    """Where engines run as workers; without it cfn-lint runs in this process and checkov by its command line."""
    cache: Cache | None = None
    """Results of earlier runs; None where every text is read anew."""
    say: Callable[[str], None] = lambda _: None
    """A word to the person."""
    begun: Callable[[str, int, int], None] = lambda _engine, _texts, _known: None
    """Hears how many texts an engine has to judge, and how many are known from earlier runs."""
    over: Callable[[str], None] = lambda _engine: None
    """Hears that an engine has judged them all."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A text that an engine is to read, once, for a region."""

    text: str
    region: str
    resources: int
    """How many resources the text holds, so that an engine that read nothing is noticed."""
    shape: Shape | None = None
    """What it shares with others of its region, where that is known."""


@dataclass(frozen=True, kw_only=True)
class Raw:
    """What an engine says about a text, before anybody knows whose text it is."""

    check: str
    level: Level
    message: str
    path: JsonPath = ()
    line: int = 0
    """Counts from 1; 0 where the engine names none."""
    column: int = 1
    help_url: str = ""
    suppressed: str | None = None
    """The reason that the text itself gives for not minding; None where it does not suppress this."""

    @property
    def resource(self) -> str | None:
        return str(self.path[1]) if len(self.path) > 1 and self.path[0] == "Resources" else None


class Engine(Protocol):
    """A module that reads many texts in one go. Raises `Failed` where it could not."""

    @property
    def ID(self) -> str: ...  # noqa: N802 - a constant of the module

    def identity(self, world: Engines) -> str | None:
        """Everything that its results depend on besides the job, as one text; None where that is not known."""
        ...

    def settled(self, raws: Sequence[Raw]) -> bool:
        """Whether these results say something about the text, not about the engine's bad day."""
        ...

    def spreads(self, raws: Sequence[Raw]) -> bool:
        """Whether these results of a text hold for every one of its shape whose names are no longer."""
        ...

    def scan(self, jobs: Mapping[str, Job], world: Engines) -> Mapping[str, Sequence[Raw]]:
        """The results of every job under its key."""
        ...


class Described(Protocol):
    """A module that says what it is about. `self` does not count when a module satisfies a Protocol (PEP 544)."""

    @property
    def ID(self) -> str: ...  # noqa: N802 - constants of the module

    @property
    def LEVEL(self) -> Level: ...  # noqa: N802

    @property
    def TITLE(self) -> str: ...  # noqa: N802

    @property
    def HELP(self) -> str:  # noqa: N802
        """Markdown: why it matters and what to do."""
        ...


class Check(Described, Protocol):
    """A module that looks at one template."""

    def check(self, template: Template) -> Iterator[Finding]:
        """What is wrong, in any order."""
        ...


def finding(template: Template, path: JsonPath, message: str, *, check: str, level: Level) -> Finding:
    """A finding of one of our own checks about a node of the template."""
    return Finding(
        check=check,
        engine="stackseal",
        level=level,
        message=message.replace(UNKNOWN, "…"),
        where=template.source.blame(path),
        rendered=nearest(template.source.rendered, path),
        resource=str(path[1]) if len(path) > 1 and path[0] == "Resources" else None,
        stack=stack_of(template),
    )


def stack_of(template: Template) -> str | None:
    """The stack as findings name it: `account/region/name`."""
    return str(template.stack.id) if template.stack else None
