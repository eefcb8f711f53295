"""A review split by stage, in a process of its own, so that each stage pays for its imports as it does in CI.

    bench_stages.py FOLDER BASE REPORT [ENGINE…]

FOLDER is a repository whose HEAD changes configs since BASE, REPORT what `review --to-report` wrote of it. Prints JSON:
`stages`, seconds of each stage for all configs, of the checks with these engines only; `warm`, seconds for one stack
where everything is loaded, medians.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stackseal import checks, hosts, policy
from stackseal.change import preparation, subjects
from stackseal.hosts.git import Repository
from stackseal.hosts.local import LocalForge
from stackseal.output import Output
from stackseal.report import FORMATS
from stackseal.report import json as report_json
from stackseal.review import examining, planning
from stackseal.review.planning import Pair
from stackseal.sandbox import Sandbox
from stackseal.world import World, connector

AGAIN = 5
"""How often a warm step is repeated."""


def measured(folder: Path, base: str, text: str, engines: Sequence[str]) -> dict[str, dict[str, float]]:
    """Every stage of `pipeline.review` in its order, with the predicted plan."""
    stages: dict[str, float] = {}
    repository, report = Repository(folder), report_json.loads(text)
    with Sandbox() as sandbox, lapping(stages) as lap:
        world = _world(folder, sandbox)
        change = subjects.between(repository, base, "HEAD", preparation.shipped(), sandbox)
        lap("config and catalogue")
        prepared = [preparation.rendered(world, subject.head, ()) for subject in change.subjects if subject.head]
        lap("render")
        for name, chosen in (("our checks", ()), *((engine, (engine,)) for engine in engines)):
            with preparation.engines(world, chosen) as ready:
                checks.run([item.template for item in prepared], world=ready, today=world.clock.today)
            lap(name)
        roles = [examining.roles_of(item.stack, change.settings) for item in prepared]
        for item, role in zip(prepared, roles, strict=True):
            policy.generate(item.template, roles=role)
        lap("policy")
        pairs = tuple(
            Pair(id=item.stack.id, path=item.stack.config.path, base=None, head=item.template) for item in prepared
        )
        for pair in pairs:
            planning.Predicting().plan(pair, ours=change.settings, run=report.run)
        lap("plan")
        for each in FORMATS.values():
            each.render(report)
        lap("report")
    warm = {
        f"report {name}": _median(lambda each=each: each.render(report), len(report.stacks))
        for name, each in FORMATS.items()
    }
    whole = list(zip(prepared, roles, strict=True))
    warm["policy"] = _median(
        lambda: [policy.generate(item.template, roles=role) for item, role in whole], len(prepared)
    )
    return {"stages": stages, "warm": warm}


@contextmanager
def lapping(stages: dict[str, float]) -> Iterator[Callable[[str], None]]:
    """A function that books the time since its last call under a name."""
    last = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal last
        now = time.perf_counter()
        stages[name], last = now - last, now

    yield lap


def _world(folder: Path, sandbox: Sandbox) -> World:
    silent = io.StringIO()
    return World(
        env=dict(os.environ),
        here=folder,
        root=folder / "ml",
        cache=folder / ".cache",
        out=Output(stdout=silent, stderr=silent),
        sandbox=sandbox,
        aws=connector({}),
        runner=hosts.runner({}),
        forge=LocalForge(folder / "ml"),
    )


def _median(work: Callable[[], object], stacks: int) -> float:
    """Seconds for one stack."""
    found = []
    for _ in range(AGAIN):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return statistics.median(found) / stacks


if __name__ == "__main__":
    given = Path(sys.argv[3]).read_text(encoding="utf-8")
    print(json.dumps(measured(Path(sys.argv[1]), sys.argv[2], given, sys.argv[4:])))
