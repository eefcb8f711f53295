"""cfn-lint through its Python interface, with our configuration only: in workers (`checks.lint_worker`) or in here.

cfn-lint looks for `.cfnlintrc` in the working directory and in HOME, and such a file may name Python to import. A
configuration file that is given by name replaces that search, so it is given an empty one. What a template's own
Metadata says about cfn-lint is not obeyed but reported as `Raw.suppressed`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from stackseal.checks import digest
from stackseal.checks.base import Engines, Job, Raw
from stackseal.checks.raws import decode
from stackseal.errors import Failed
from stackseal.model import Level
from stackseal.workers import Gone, Shared, Team, Workers

ID: Final = "cfn-lint"
STOPPED: Final = "cfn-lint-stopped"
"""Our own finding: cfn-lint crashed on a template, so it was not checked to its end."""
SEATS: Final = max(1, min(2, os.cpu_count() or 1))
"""Processes of cfn-lint; a third one finds no third core on the usual runners, and checkov needs one, too."""
_START: Final = (sys.executable, "-s", "-P", "-c", "from stackseal.checks.lint_worker import main; main()")
_OURS: Final = ["--config-file", os.devnull]
_SET: Final = re.compile(r"\{('[^'{}]*'(?:, '[^'{}]*')+)\}")
"""A Python set of names in a message: its order changes from process to process."""
_LEVELS: Final = {"error": Level.ERROR, "warning": Level.WARNING, "informational": Level.NOTE}


def scan(jobs: Mapping[str, Job], world: Engines) -> Mapping[str, Sequence[Raw]]:
    """The matches of every text, sorted. Raises `Failed` for a region that cfn-lint does not know."""
    if world.hands is None:
        return {key: lint(job, informational=world.informational) for key, job in jobs.items()}
    return _by_workers(jobs, world, world.hands)


def start(hands: Workers) -> Team:
    """The workers, started if they do not run. Raises `Gone`."""
    return hands.start(ID, _START, seats=SEATS)


def identity(world: Engines) -> str | None:
    """The versions of cfn-lint and what it reads with; its schemas come with it, because a worker has an empty HOME."""
    if world.hands is None:
        return None
    return digest.of_packages(("cfn-lint", "networkx", "pyyaml", "regex", "sympy")) + f" {world.informational}"


def settled(raws: Sequence[Raw]) -> bool:
    """A crash says something about the text, but perhaps not tomorrow."""
    return all(raw.check != STOPPED for raw in raws)


def spreads(raws: Sequence[Raw]) -> bool:
    """Where nothing is wrong with the longest names, nothing is with shorter ones; what is said may be about names."""
    return not raws


def _by_workers(jobs: Mapping[str, Job], world: Engines, hands: Workers) -> dict[str, tuple[Raw, ...]]:
    """A text on which a worker ends is tried once more by a new one; then it is a finding, and the others go on."""
    found: dict[str, tuple[Raw, ...]] = {}
    again: set[str] = set()
    while left := {key: job for key, job in jobs.items() if key not in found}:
        shared = _shared(left, world, hands)
        found |= {key: _answer(answer) for key, answer in shared.answers.items()}
        if not shared.answers and not shared.lost:
            remedy = "run it again; if it stays, install stackseal anew"
            raise Failed("The templates were not linted", why=f"cfn-lint did not start ({shared.why})", remedy=remedy)
        for key, why in shared.lost.items():
            if key in again:
                found[key] = (_stopped(why),)
            world.say(f"cfn-lint's worker was lost ({why}); {'a finding says so' if key in again else 'trying again'}")
        again |= shared.lost.keys()
        if shared.why:
            hands.end([ID])
    return found


def _shared(jobs: Mapping[str, Job], world: Engines, hands: Workers) -> Shared:
    questions = {
        key: {"text": job.text, "region": job.region, "resources": job.resources, "informational": world.informational}
        for key, job in jobs.items()
    }
    try:
        return start(hands).share(questions, world.timeout)
    except Gone as error:
        return Shared(why=str(error))


def _answer(answer: Mapping[str, Any]) -> tuple[Raw, ...]:
    if "failed" in answer:
        what, why, remedy = answer["failed"]
        raise Failed(what, why=why, remedy=remedy)
    return decode(answer["raws"])


@cache
def _rules() -> Any:
    """cfn-lint's own rules, loaded once: sharing them halves the time of a template."""
    from cfnlint.config import ConfigMixIn
    from cfnlint.runner import Runner

    return Runner(ConfigMixIn(_OURS)).rules


def lint(job: Job, *, informational: bool) -> tuple[Raw, ...]:
    """The matches of one text, in this process. Raises `Failed` for a region that cfn-lint does not know."""
    from cfnlint.config import ConfigMixIn
    from cfnlint.decode import decode_str
    from cfnlint.helpers import REGIONS
    from cfnlint.runner import run_template_by_data

    if job.region not in REGIONS:
        why, remedy = "cfn-lint does not know it", "correct the region, or update cfn-lint"
        raise Failed(f"Region {job.region!r} cannot be checked", why=why, remedy=remedy)
    levels = ["E", "W", "I"] if informational else ["E", "W"]
    try:
        template, matches = decode_str(job.text)
        suppressions = _take_suppressions(template)
        if not matches:
            config = ConfigMixIn(_OURS, regions=[job.region], include_checks=levels)
            matches = list(run_template_by_data(template, config, _rules()))
    except Exception as error:  # noqa: BLE001 - whatever a hostile template provokes is about that template only
        return (_stopped(f"{type(error).__name__}: {error}"),)
    found = {_raw(match, suppressions) for match in matches}
    return tuple(sorted(found, key=lambda raw: (raw.line, raw.column, raw.check, raw.message)))


def _stopped(why: str) -> Raw:
    message = f"cfn-lint stopped in the middle of this template ({why}); look at its shape."
    return Raw(check=STOPPED, level=Level.ERROR, message=message)


def _raw(match: Any, suppressions: Mapping[str, Sequence[str]]) -> Raw:
    path = tuple(key if isinstance(key, int) else str(key) for key in getattr(match, "path", None) or ())
    scope = str(path[1]) if len(path) > 1 and path[0] == "Resources" else ""
    everywhere = any(match.rule.id.startswith(prefix) for prefix in suppressions.get("", ()))
    return Raw(
        check=match.rule.id,
        level=_LEVELS[match.rule.severity],
        message=_SET.sub(lambda found: "{" + ", ".join(sorted(found[1].split(", "))) + "}", match.message),
        path=path,
        line=match.linenumber,
        column=match.columnnumber,
        help_url=match.rule.source_url,
        suppressed="" if everywhere or match.rule.id in suppressions.get(scope, ()) else None,
    )


def _take_suppressions(template: Any) -> dict[str, list[str]]:
    """Takes cfn-lint's directives out of a decoded template: rule ids by logical id, or "" for the whole template."""
    found: dict[str, list[str]] = {}
    for scope, owner in _owners(template):
        metadata = owner.get("Metadata")
        directives = metadata.pop("cfn-lint", None) if isinstance(metadata, dict) else None
        config = directives.get("config") if isinstance(directives, dict) else None
        ignored = config.get("ignore_checks") if isinstance(config, dict) else None
        found[scope] = [str(rule) for rule in ignored if rule] if isinstance(ignored, list) else []
    return found


def _owners(template: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The template under "", and every resource that is a mapping under its logical id."""
    if not isinstance(template, dict):
        return
    yield "", template
    resources = template.get("Resources")
    for logical_id, body in resources.items() if isinstance(resources, dict) else ():
        if isinstance(body, dict):
            yield str(logical_id), body
