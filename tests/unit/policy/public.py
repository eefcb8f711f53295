"""Templates that others wrote, through everything that makes a policy: what breaks, as sentences."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from stackseal import checks, facts, policy, render
from stackseal.errors import StacksealError
from stackseal.model import Finding, Policy, Role, StackId, Template
from trust import corpora
from trust.figures import SEED
from unit.policy import proof, strangers

STACK = StackId(account="111122223333", region="us-west-2", name="harbour-stack")
OTHER = {"harbour-stack": "meadow-stack", "Harbour-stack": "Meadow-stack"}


@cache
def templates() -> Mapping[str, str]:
    """Collection and path of every template, and its text."""
    found = corpora.read("templates")
    return {f"{name}/{path}": text for name, texts in sorted(found.items()) for path, text in sorted(texts.items())}


def sample(count: int) -> tuple[str, ...]:
    """The names of as many of them, the same in every run, of all collections alike."""
    chance, chosen = random.Random(SEED), []  # noqa: S311 - a choice of tests, no secret
    groups = [[name for name in templates() if name.startswith(f"{group}/")] for group in corpora.read("templates")]
    for group in groups:
        chosen += chance.sample(group, count // len(groups))
    return tuple(sorted(chosen))


@dataclass(kw_only=True)
class Tried:
    """What was seen of some templates."""

    breaks: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """Of each template: from its text to the execution role's policy and what is doubted about it."""
    documents: list[int] = field(default_factory=list)
    """How many documents each execution role needs."""
    named: Counter[str] = field(default_factory=Counter)
    """Check → templates that it stops or warns of."""
    asked: Counter[str] = field(default_factory=Counter)
    denied: Counter[str] = field(default_factory=Counter)
    """Kind of stranger → requests, and those that are denied."""
    resources: int = 0


def tried(names: Sequence[str]) -> Tried:
    """Everything about these templates; whatever is raised is a break, too."""
    found = Tried()
    for name in names:
        try:
            found.breaks += [f"{name}: {sentence}" for sentence in _one(name, templates()[name], found)]
        except StacksealError as error:
            found.breaks.append(f"{name}: refused: {error}")
        except Exception as error:  # noqa: BLE001 - a traceback is what is looked for
            found.breaks.append(f"{name}: {type(error).__name__}: {error}")
    return found


def _one(name: str, text: str, found: Tried) -> Iterator[str]:
    begin = time.perf_counter()
    template = render.read(text, name)
    execution = _policy(template, Role.EXECUTION)
    findings = policy.check(template, [execution], stack=STACK)
    found.seconds.append(time.perf_counter() - begin)
    found.documents.append(len(policy.documents(execution)))
    found.named.update({finding.check for finding in findings})
    found.resources += len(template.resources)
    for check in checks.CHECKS.values():
        list(check.check(template))
    yield from _unsourced(template, findings)
    for role in proof.GRANTING:
        made = execution if role is Role.EXECUTION else _policy(template, role)
        yield from _wide(made, policy.check(template, [made], stack=STACK))
    yield from _unstable(template, execution)
    _strangers(execution, found)


def _policy(template: Template, role: Role) -> Policy:
    stack = (STACK.name, STACK.account, STACK.region)
    return policy.foreign(template.body, *stack, role, parameters=template.parameters, source=template.source)


def _unsourced(template: Template, findings: Sequence[Finding]) -> Iterator[str]:
    """Types that AWS publishes nothing about and that no finding names."""
    named = {finding.resource for finding in findings}
    for logical_id, node in template.resources.items():
        kind = str(node.get("Type", ""))
        known = facts.of_type(kind)
        silent = known is None and not kind.startswith("Custom::") and kind not in BY_HAND
        if silent and logical_id not in named:
            yield f"{logical_id} of type {kind} has no source and no finding"


BY_HAND = frozenset({"AWS::CDK::Metadata"})
"""Types that AWS does not publish and our table does (`stackseal.policy.legacy`): it makes nothing."""


def _wide(made: Policy, findings: Sequence[Finding]) -> Iterator[str]:
    named = {finding.check for finding in findings}
    escalations = proof.escalations(made.statements)
    if escalations and "policy-escalation" not in named:
        yield f"{made.role.name}: {sorted(escalations)} without a finding"
    for what, wide in {
        "writes on everything": proof.unscoped_writes(made),
        "roles passed to any service": proof.loose_passing(made),
        "unknown actions": proof.unknown_actions(made),
        "unsupported keys": proof.unsupported_keys(made),
    }.items():
        if wide:
            yield f"{made.role.name}: {what}: {sorted(wide, key=str)}"
    allowed = proof.writes(made)
    if made.role is Role.DRIFT and allowed:
        yield f"DRIFT writes {sorted(allowed)}"
    if made.role is Role.PLAN and allowed - PLAN_WRITES:
        yield f"PLAN writes {sorted(allowed - PLAN_WRITES)}"


PLAN_WRITES = frozenset(
    {"cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet", "iam:PassRole", "s3:PutObject"}
)


def _unstable(template: Template, first: Policy) -> Iterator[str]:
    again = _policy(template, Role.EXECUTION)
    if json.dumps(policy.documents(again)) != json.dumps(policy.documents(first)):
        yield "the second time the bytes are others"
    if policy.delta([first], [again]):
        yield "a difference to itself"


def _strangers(execution: Policy, found: Tried) -> None:
    judge = strangers.Judge(execution)
    for asked in strangers.own(execution, STACK.region):
        for kind, request in strangers.strangers(asked, OTHER, STACK.account):
            found.asked[kind] += 1
            found.denied[kind] += not judge.allows(request)
