"""Engines at work: templates become jobs, every distinct text is read once, results become findings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from stackseal import yamltext
from stackseal.checks import cache, shape
from stackseal.checks.base import Engine, Engines, Job, Raw, stack_of
from stackseal.checks.shape import Shape
from stackseal.model import Finding, Location, Template, Waiver, canonical_json, nearest, sha256

IN_TEMPLATE = "the template's own Metadata"
"""The owner of a suppression that a foreign template carries itself."""

LONGEST: Final = 500
"""Characters of an engine's message."""


_HEADER: Final = re.compile(r"\A# Rendered by stackseal .*\n# config sha256:[0-9a-f]{64}\n")
"""Our two comments: without them the templates of many configs are one text, with the same lines."""


def scan(
    templates: Sequence[Template], engines: Sequence[Engine], *, region: str, world: Engines
) -> list[list[Finding]]:
    """For each template what all engines say. The engines run at the same time; `region` is for foreign templates."""
    keyed = [(template, _job(template, region)) for template in templates]
    jobs = {_key(job): job for _, job in keyed}
    with ThreadPoolExecutor(max(len(engines), 1)) as pool:
        try:
            results = list(pool.map(lambda engine: cache.scanned(engine, jobs, world), engines))
        except BaseException:  # Ctrl-C, too: the threads wait for workers, and the pool waits for its threads
            if world.hands:
                world.hands.close()
            raise
    return [
        [
            _finding(raw, engine.ID, template)
            for engine, result in zip(engines, results, strict=True)
            for raw in result[_key(job)]
        ]
        for template, job in keyed
    ]


def _job(template: Template, region: str) -> Job:
    entries: Mapping[str, Any] = template.resources
    count = sum(isinstance(body, Mapping) and "Type" in body for body in entries.values())
    text = plain(template.text)
    region = template.stack.id.region if template.stack else region
    return Job(text=text, region=region, resources=count, shape=_shape(template, text, region))


def plain(text: str) -> str:
    """A template's text with our two comments empty: the same lines."""
    return _HEADER.sub("#\\n#\\n", text, count=1)


def canonical(template: Template) -> bool:
    """Whether the text is what we would write."""
    return yamltext.dump(template.body) == plain(template.text).removeprefix("#\n#\n")


def _shape(template: Template, text: str, region: str) -> Shape | None:
    """What the text shares with others of the region. A foreign one has a shape only where we would write the same."""
    found = shape.of(text)
    if found is None or (template.stack is None and not canonical(template)):
        return None
    return shape.Shape(key=sha256(canonical_json([region, found.key])), lengths=found.lengths)


def _key(job: Job) -> str:
    return sha256(canonical_json([job.region, job.text]))


def _finding(raw: Raw, engine: str, template: Template) -> Finding:
    rendered = Location(path=template.source.path, line=raw.line, column=raw.column) if raw.line else None
    return Finding(
        check=raw.check,
        engine=engine,
        level=raw.level,
        message=_short(raw.message),
        where=_where(raw, template, rendered),
        rendered=rendered or nearest(template.source.rendered, raw.path),
        resource=raw.resource,
        stack=stack_of(template),
        help_url=raw.help_url,
        waiver=suppressed(raw.check, raw.resource, raw.suppressed) if template.stack is None else None,
    )


def _short(message: str) -> str:
    """cfn-lint lists every permission of a service where one is unknown: 5 kB that hide what is wrong."""
    return message if len(message) <= LONGEST else f"{message[: LONGEST - 1]}…"


def _where(raw: Raw, template: Template, rendered: Location | None) -> Location:
    """The config line that caused it; in a foreign template the node itself, else the line that the engine names."""
    if template.stack is None:
        node = nearest(template.source.rendered, raw.path) if raw.path else None
        return node or rendered or template.source.blame(raw.path)
    return template.source.blame(raw.path or template.source.node_at(raw.line))


def suppressed(check: str, resource: str | None, reason: str | None) -> Waiver | None:
    """A foreign template may excuse itself, as its author's tools let it. Ours may not: waivers have owners."""
    if reason is None:
        return None
    return Waiver(check=check, reason=reason or "no reason given", owner=IN_TEMPLATE, resource=resource or "*")


def order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The one order of findings: by stack, file, line, check and resource."""
    return tuple(sorted(findings, key=_rank))


def _rank(finding: Finding) -> tuple[str, Location, str, str, str]:
    return (finding.stack or "", finding.where, finding.check, finding.resource or "", finding.message)


__all__ = ["order", "scan", "suppressed"]
