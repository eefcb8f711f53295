"""Stages 1 to 3 put together: from the name of a file, or a resolved config, to a template with its waivers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from stackseal import artifacts, catalogue, checked, checks, config, progress, render, settings
from stackseal.catalogue import Catalogue, Resolved
from stackseal.change import offered
from stackseal.checks.cache import Cache
from stackseal.hosts import trust
from stackseal.model import ResourceRow, Stack, Template, Waiver, canonical_json
from stackseal.workers import Watch, Workers
from stackseal.world import World


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A config that has become a template."""

    resolved: Resolved
    template: Template

    @property
    def stack(self) -> Stack:
        return self.resolved.stack


def shipped() -> Catalogue:
    """The products that come with stackseal; pipelines add the organisation's, as the commits have them."""
    return Catalogue.load()


def catalogue_of(world: World) -> Catalogue:
    """The products that configs of the working directory can choose, the organisation's own among them.

    Raises ConfigError or ConfigErrors for settings and products that are invalid.
    """
    return offered.here(world.here, settings.load(world.here).catalogue, shipped())


def resolve(world: World, names: Sequence[str], *, suffix: str = "") -> tuple[Resolved, ...]:
    """Stages 1 and 2: files → configs → stacks.

    Raises ConfigErrors with the line for everything that is wrong with them, two configs of one stack included.
    """
    products = catalogue_of(world)
    configs = config.load(names, here=world.here, root=world.root)
    found = catalogue.resolve_all(configs, products, world.sandbox, suffix=suffix, edition=world.edition)
    catalogue.unique(found)
    return found


def prepare(world: World, name: str, *, suffix: str = "") -> Prepared:
    """Stages 1 to 3 for one config: its template, waivers written into it."""
    (resolved,) = resolve(world, [name], suffix=suffix)
    return rendered(world, resolved, settings.load(world.here).waived())


def rendered(world: World, resolved: Resolved, waivers: Sequence[Waiver]) -> Prepared:
    """Stage 3: stack → template."""
    stack = resolved.stack
    template = render.render(
        stack,
        resolved.origins,
        world.sandbox,
        path=artifacts.template(world.root, stack).as_posix(),
        decorate=partial(_decorated, stack=stack, waivers=waivers),
    )
    return Prepared(resolved=resolved, template=template)


@contextmanager
def engines(
    world: World, chosen: tuple[str, ...] | None = None, *, verify: bool = False, texts: int = 1
) -> Iterator[checks.Engines]:
    """The outside of the checks: workers, what is known from earlier runs, and an empty scratch folder.

    checkov is looked for, and installed if it is missing, when a template must be scanned. With `verify` everything is
    read anew and compared with what is known. How far they are is shown where there are several `texts`.
    """
    from stackseal.checks import checkov_env

    with (
        progress.shown(world.out, texts) as far,
        tempfile.TemporaryDirectory(prefix="stackseal-") as work,
        _hands(world) as hands,
        hands.watched(Watch(asked=far.asked, answered=far.answered)),
    ):
        yield checks.Engines(
            checkov=None,
            install=lambda: checkov_env.install(world.out.say, env=world.env),
            work=Path(work),
            names=world.engines if chosen is None else chosen,
            env=world.env,
            hands=hands,
            cache=_cache(world, verify=verify),
            say=world.out.say,
            begun=far.begin,
            over=far.end,
        )


def known(world: World, chosen: tuple[str, ...], region: str) -> checked.Known | None:
    """What earlier runs of `check` said of files; None where they do not count."""
    from stackseal.checks import checkov_env

    if not world.caching:
        return None
    return checked.known(world.cache, region=region, engines=chosen, env=world.env, lock=checkov_env.LOCK)


def lasting(world: World) -> bool:
    """Whether this run may add to what later runs believe."""
    return trust.lasting(world.env)


def warm(world: World, *, needed: bool = False) -> None:
    """The workers begin to load, for a command that is likely to check soon; what cannot start now is told then.

    Nothing is installed, and unless they are `needed` nothing is started where earlier runs may answer.
    """
    if world.workers is None or (not needed and world.caching and _folder(world).is_dir()):
        return
    checks.warm(world.engines, world.workers, world.env)


@contextmanager
def _hands(world: World) -> Iterator[Workers]:
    """The workers of the whole run, or some for these checks only."""
    if world.workers is not None:
        yield world.workers
        return
    with Workers() as workers:
        yield workers


def _folder(world: World) -> Path:
    return world.cache / "findings"


def _cache(world: World, *, verify: bool) -> Cache | None:
    """What is known of templates. Findings are a security result: what a pull request may run does not write there."""
    if not (world.caching or verify):
        return None
    return Cache(folder=_folder(world), writes=trust.lasting(world.env), verifies=verify)


def resource_rows(template: Template) -> tuple[ResourceRow, ...]:
    """The resources of a template with their physical names, in the template's order."""
    return tuple(
        ResourceRow(
            logical_id=logical_id,
            type=str(resource.get("Type", "")),
            name=_physical_name(resource, template),
            where=template.source.blame(("Resources", logical_id)),
        )
        for logical_id, resource in template.resources.items()
    )


def values(stack: Stack) -> Iterator[tuple[str, str]]:
    """The config with its defaults, leaf by leaf: dotted key and value as JSON text."""
    todo: list[tuple[str, Any]] = [(section, stack.context[section]) for section in sorted(stack.config.data)]
    while todo:
        path, value = todo.pop(0)
        if isinstance(value, Mapping):
            todo += [(f"{path}.{key}", value[key]) for key in value]
        else:
            yield path, canonical_json(value)


def _decorated(body: Mapping[str, Any], *, stack: Stack, waivers: Sequence[Waiver]) -> Mapping[str, Any]:
    return checks.with_metadata(body, (*stack.product.waivers, *waivers), stack=str(stack.id))


def _physical_name(resource: Mapping[str, Any], template: Template) -> str:
    """The value of the property that refers to one of the stack's names."""
    names = template.stack.names if template.stack else {}
    for value in (resource.get("Properties") or {}).values():
        if isinstance(value, Mapping) and (name := names.get(str(value.get("Ref")))):
            return name.value
    return ""
