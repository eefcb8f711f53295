"""May this plan go on? Decided from the plans and the state of the review, both as plain values.

A decision only: the settings have no gates yet, so neither review nor deploy asks for it. Whoever calls it takes the
rules from the base branch. What cannot be decided is not allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from stackseal.model import Plan, PlanOperation


class Gate(Protocol):
    """A rule of the settings. `stack` and `env` are patterns; `on` is `destructive`, `data-loss` or `any`."""

    @property
    def stack(self) -> str: ...
    @property
    def env(self) -> str: ...
    @property
    def on(self) -> str: ...
    @property
    def needs(self) -> str:
        """`code-owner` or `approval`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a gate looks at in one stack's plan."""

    stack: str
    env: str
    destructive: bool
    data_loss: bool
    changes: bool

    @classmethod
    def of(cls, plan: Plan, env: str) -> Facts:
        deletion = plan.operation is PlanOperation.DELETE
        return cls(
            stack=plan.stack.name,
            env=env,
            destructive=deletion or plan.destructive,
            data_loss=any(consequence.data_loss for consequence in plan.consequences),
            changes=plan.operation is not PlanOperation.NONE,
        )


@dataclass(frozen=True, kw_only=True)
class ReviewState:
    """What the forge knows of a pull request's review; None is "cannot be decided"."""

    approved: bool | None
    """The branch's rules are satisfied with approvals; None where they ask for none."""
    code_owner: bool | None
    """A code owner of everything that changed has approved; None where nothing shows that one has to."""
    why: str = ""
    """Why something cannot be decided."""


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """Allowed, or the reasons why not, one sentence each."""

    reasons: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return not self.reasons


def decide(gates: Iterable[Gate], plans: Iterable[Facts], review: ReviewState | None) -> Ruling:
    """Whether every plan may go on. `review` is None where there is no pull request: nothing was approved then."""
    rules = list(gates)
    reasons = [
        reason
        for facts in plans
        for gate in rules
        if _concerns(gate, facts) and (reason := _missing(gate, facts, review))
    ]
    return Ruling(reasons=tuple(dict.fromkeys(reasons)))


def _concerns(gate: Gate, facts: Facts) -> bool:
    hit = {"destructive": facts.destructive, "data-loss": facts.data_loss, "any": facts.changes}.get(gate.on, True)
    return hit and fnmatchcase(facts.stack, gate.stack) and fnmatchcase(facts.env, gate.env)


def _missing(gate: Gate, facts: Facts, review: ReviewState | None) -> str:
    who = "a code owner's approval" if gate.needs != "approval" else "an approval"
    head = f"{facts.stack} {_what(gate, facts)} and needs {who}"
    if review is None:
        return f"{head}, but there is no pull request that could have one"
    state = review.approved if gate.needs == "approval" else review.code_owner
    if state is None:
        return f"{head}, which cannot be decided: {review.why or 'the branch has no rule that asks for it'}"
    return "" if state else f"{head}, which is missing"


def _what(gate: Gate, facts: Facts) -> str:
    if gate.on == "data-loss" or facts.data_loss:
        return "loses data"
    return "removes or replaces something" if facts.destructive else "changes"
