"""Which stacks a change concerns: the configs of two commits, paired by what they are and not by what they are called.

A renamed file with the same content is no change. An edited identity (tenant, stage, region, use case, account) is a
stack that goes and one that comes. Settings are the base's; waivers that only the head has are proposals.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from stackseal import catalogue, config, naming, settings
from stackseal.catalogue import Catalogue, Resolved
from stackseal.change import offered, version, waves
from stackseal.errors import ConfigError, ConfigErrors, UsageError
from stackseal.hosts.git import Repository
from stackseal.model import Failure, Location, StackId, Waiver
from stackseal.sandbox import Sandbox
from stackseal.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A stack before and after a change; not both can be None."""

    id: StackId
    base: Resolved | None
    head: Resolved | None

    @property
    def either(self) -> Resolved:
        """The head, or for a removed config the base."""
        found = self.head or self.base
        assert found is not None  # noqa: S101 - see the class's contract
        return found

    @property
    def path(self) -> str:
        """The config file's path, for a removed one the path it had."""
        return self.either.stack.config.path

    @property
    def member(self) -> waves.Member:
        """Its part in the order of the change."""
        return waves.Member(base=self.base.stack if self.base else None, head=self.head.stack if self.head else None)


@dataclass(frozen=True, kw_only=True)
class Change:
    """Everything that differs between two commits, as far as stacks are concerned."""

    base: str
    head: str
    settings: Settings
    """The base's; the defaults where it has none."""
    waivers: tuple[Waiver, ...]
    subjects: tuple[Subject, ...]
    failures: tuple[Failure, ...]
    after: tuple[Resolved, ...] = ()
    """Every config of the head, also those that the change does not concern."""
    proposed: tuple[str, ...] = ()
    """Rules that only the head has, in sentences: they do not count."""
    everyone: str = ""
    """Why every stack takes part, in a sentence, where that is not its own doing; empty otherwise."""


def only(change: Change, names: Collection[str]) -> Change:
    """The change as far as it concerns the stacks of these names.

    Another stack of the repository may be named, too: it can take part because of what it reads.

    Raises UsageError for a name that it cannot concern.
    """
    names = {name for name in names if not name.startswith(naming.ROLES)}  # they come along with their stacks
    there = {pair.id.name for pair in change.subjects}
    if unknown := sorted(set(names) - there - {item.stack.id.name for item in change.after}):
        raise UsageError(
            f"The stack {unknown[0]} is not in this change",
            why=f"it concerns {', '.join(sorted(there)) or 'no stack'}",
            remedy="name stacks of the change, or leave --stacks out",
        )
    more = [
        Subject(id=item.stack.id, base=item, head=item)
        for item in change.after
        if item.stack.id.name in names and item.stack.id.name not in there
    ]
    mine = [*(pair for pair in change.subjects if pair.id.name in names), *more]
    return replace(change, subjects=tuple(sorted(mine, key=lambda pair: pair.id)))


def settings_at(repository: Repository, commit: str) -> Settings:
    """The settings of a commit; the defaults where it has none. Raises ConfigError for invalid ones."""
    raw = repository.read(commit, settings.FILE)
    return settings.parse(raw) if raw is not None else Settings()


def between(repository: Repository, base: str, head: str, products: Catalogue, sandbox: Sandbox) -> Change:
    """The stacks that a change from one commit to another concerns, sorted by identity.

    `products` are the shipped ones. Those of the organisation are each commit's own; where they lie says the base.
    Configs of the head that are invalid are failures, and their stacks are no removals: nobody wants them gone.
    Invalid ones of the base count as absent. A change that no order can deploy is a failure, too.
    """
    before, after = repository.commit(base), repository.commit(head)
    ours = settings_at(repository, before)
    changed = {path for item in repository.changed(before, after) for path in (item.old, item.new) if path}
    everyone = version.moved(repository, before, after)
    everything = bool(everyone) or settings.FILE in changed
    had, have, faults = _offered(repository, (before, after), ours, products)
    seen: dict[tuple[str, bytes], Resolved] = {}
    old, _ = _resolved(repository, before, ours.configs, had, sandbox, seen)
    if had.products.keys() != have.products.keys():
        seen.clear()  # a config may choose another product now
    new, failures = _resolved(repository, after, ours.configs, have, sandbox, seen)
    failures = (*_failures(faults), *failures)
    try:
        catalogue.unique(list(new))
    except ConfigErrors as error:
        failures = (*failures, *_failures(error.errors))
    broken = {failure.where.path for failure in failures}
    pairs = [pair for pair in _paired(old, new) if pair.head is not None or pair.path not in broken]
    proposed, wrong = _proposed(repository, after, ours)
    concerned = tuple(pair for pair in pairs if everything or _differs(pair, changed))
    disorder = waves.problems([pair.member for pair in concerned], [item.stack for item in new])
    return Change(
        base=before,
        head=after,
        settings=ours,
        waivers=(*ours.waived(), *proposed),
        subjects=concerned,
        failures=(*failures, *wrong, *disorder),
        after=new,
        proposed=_rules(repository, after, ours),
        everyone=everyone,
    )


def _offered(
    repository: Repository, commits: tuple[str, str], ours: Settings, shipped: Catalogue
) -> tuple[Catalogue, Catalogue, tuple[ConfigError, ...]]:
    """The catalogues before and after a change, and what is wrong with the second; what was wrong before is absent."""
    before, _ = offered.at(repository, commits[0], ours.catalogue, shipped)
    after, errors = offered.at(repository, commits[1], ours.catalogue, shipped)
    after = offered.changed(before, after)
    return before, offered.mended(before, after) if errors else after, errors


def _resolved(
    repository: Repository,
    commit: str,
    folder: str,
    products: Catalogue,
    sandbox: Sandbox,
    seen: dict[tuple[str, bytes], Resolved],
) -> tuple[tuple[Resolved, ...], tuple[Failure, ...]]:
    """The configs of a commit. What was `seen` in the other one, of a shipped product, is not resolved again."""
    found: list[Resolved] = []
    failures: list[Failure] = []
    for path, raw in repository.contents(commit, folder).items():
        if not path.endswith(config.SUFFIXES):
            continue
        try:
            known = seen.get((path, raw))
            if known is None or known.stack.product.sources is not None:
                known = seen[path, raw] = products.resolve(config.parse(raw, path), sandbox)
            found.append(known)
        except ConfigErrors as error:
            failures += _failures(error.errors)
        except ConfigError as error:
            failures += _failures([error])
    return tuple(found), tuple(failures)


def _failures(errors: Iterable[ConfigError]) -> list[Failure]:
    return [
        Failure(
            message=f"{error.what}: {error.why}" if error.why else error.what,
            remedy=error.remedy,
            where=error.where or Location(path=settings.FILE),
        )
        for error in errors
    ]


def _proposed(repository: Repository, head: str, base: Settings) -> tuple[tuple[Waiver, ...], Sequence[Failure]]:
    """Waivers that only the pull request has: shown, but they do not count. Invalid settings are a failure."""
    raw = repository.read(head, settings.FILE)
    if raw is None:
        return (), ()
    try:
        ours = settings.parse(raw)
    except ConfigError as error:
        return (), _failures([error])
    return tuple(waiver.model(proposed=True) for waiver in ours.waivers if waiver not in base.waivers), ()


def _rules(repository: Repository, head: str, base: Settings) -> tuple[str, ...]:
    """What the pull request wants to be rule, in sentences; invalid settings are told elsewhere."""
    try:
        theirs = settings_at(repository, head)
    except ConfigError:
        return ()
    found = []
    if theirs.gates != base.gates:
        found.append(
            f"The pull request changes `gates:` in {settings.FILE}: those of the base count until it is merged."
        )
    if theirs.catalogue != base.catalogue:
        found.append(
            f"The pull request changes `catalogue:` in {settings.FILE}: the base's products count until it is merged."
        )
    return tuple(found)


def _paired(old: Sequence[Resolved], new: Sequence[Resolved]) -> tuple[Subject, ...]:
    before: Mapping[StackId, Resolved] = {item.stack.id: item for item in old}
    after: Mapping[StackId, Resolved] = {item.stack.id: item for item in new}
    return tuple(
        Subject(id=identity, base=before.get(identity), head=_still_stateful(before.get(identity), after.get(identity)))
        for identity in sorted({*before, *after})
    )


def _still_stateful(base: Resolved | None, head: Resolved | None) -> Resolved | None:
    """The head, where whatever was stateful before still is: a change does not decide that its own loss is none."""
    if base is None or head is None or base.stack.product.stateful <= head.stack.product.stateful:
        return head
    product = head.stack.product
    product = replace(product, stateful=product.stateful | base.stack.product.stateful)
    return replace(head, stack=replace(head.stack, product=product))


def _differs(pair: Subject, changed: set[str]) -> bool:
    if pair.base is None or pair.head is None:
        return True
    if pair.base.stack.product.digest != pair.head.stack.product.digest:
        return True
    touched = pair.head.stack.config.path in changed
    return touched and pair.base.stack.config.digest != pair.head.stack.config.digest
