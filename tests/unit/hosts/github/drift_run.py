"""What runs of the pipeline's drift do with issues: list, decide, do; and what people and GitHub do meanwhile."""

from __future__ import annotations

import random
from collections.abc import Set as AbstractSet
from typing import Final

from stackseal.drift import Move, decide
from stackseal.hosts.github_api import Client
from stackseal.hosts.github_forge import GitHubForge, Options
from stackseal.model import Drift, DriftStatus, StackId
from stackseal.report import marker
from unit.hosts.github.hub import Hub

STACKS: Final = [StackId(account="123456789012", region="eu-west-1", name=f"stack-{n}") for n in range(3)]


def body(key: str, text: str = "It drifted.") -> str:
    return f"{marker.write('drift', id=key)}\n{text}\n"


def forge(hub: Hub, **options: int) -> GitHubForge:
    client = Client(hub, sleep=hub.time.sleep, now=hub.time.now)
    return GitHubForge(client, "acme/infra", marker, Options(actions=True, **options))


def is_open(hub: Hub) -> list[str]:
    """The stacks that have an open issue, once for each."""
    found = [item for item in hub.issues.values() if item["state"] == "open"]
    return sorted(str((marker.read(item["body"]) or {})["id"]) for item in found)


def life(*, seed: int, runs: int) -> tuple[list[str], int]:
    """So many runs, and after which of them not every drifted stack had exactly one open issue; the issues there are.

    GitHub lags, labels are dropped, people close issues and tidy the label away, and some runs happen twice at once.
    """
    chance = random.Random(seed)  # noqa: S311 - an order, not a secret
    hub = Hub()
    wrong: list[str] = []
    for run in range(runs):
        hub.lag = chance.choice((0.0, 0.0, 5.0, 90.0))
        hub.drop_labels = chance.random() < 0.3
        if hub.issues and chance.random() < 0.5:
            meddle(hub, chance)
        drifted = {stack for stack in STACKS if chance.random() < 0.6}
        check(forge(hub), drifted, f"text {chance.randrange(3)}")
        if chance.random() < 0.2:
            check(forge(hub), drifted, f"text {run}")  # at the same time: the lag hides the first one's issues
        hub.time.seconds += 3_600
        hub.lag = 0.0
        check(forge(hub), drifted, "settled")
        if is_open(hub) != sorted(str(stack) for stack in drifted):
            wrong.append(f"seed {seed}, run {run}: {is_open(hub)}")
    return wrong, len(hub.issues)


def meddle(hub: Hub, chance: random.Random) -> None:
    """Somebody closes or opens an issue, or takes its label away."""
    found = hub.issues[chance.choice(list(hub.issues))]
    change = chance.choice(("close", "unlabel", "open"))
    found["state"] = {"close": "closed", "open": "open"}.get(change, found["state"])
    found["labels"] = [] if change == "unlabel" else found["labels"]


def check(github: GitHubForge, drifted: AbstractSet[StackId], text: str) -> None:
    """Every stack is in sync but those that drifted."""
    issues = github.issues()
    for stack in STACKS:
        status = DriftStatus.DRIFTED if stack in drifted else DriftStatus.IN_SYNC
        title, content = f"Drift in {stack.name}", body(str(stack), text)
        step = decide(Drift(stack=stack, status=status, resources=()), str(stack), title, content, issues)
        if step.move is Move.OPEN:
            github.open_issue(str(stack), title, content)
        elif step.number is not None and step.move in {Move.REOPEN, Move.EDIT, Move.CLOSE}:
            github.update_issue(step.number, title=title, body=content, is_open=step.move is not Move.CLOSE)
