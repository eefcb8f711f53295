"""May this plan go on? Decided from the plans and the state of the review, both as plain values.

A decision only: whoever calls it takes the rules from the base branch, and asks the forge. What cannot be decided is
not allowed, except by the gate that nobody wrote (docs/how-to/gates.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final

from stackseal.hosts.base import ReviewState
from stackseal.model import Gate, GateCheck, GateNeeds, GateOn, Plan, PlanOperation, Standing

NO_PULL_REQUEST: Final = ReviewState(
    approved=None, code_owner=None, undecided="there is no pull request that could have one", silent=True
)
NOBODY_ASKED: Final = ReviewState(
    approved=None, code_owner=None, undecided="this run has no forge that it can ask for approvals", silent=True
)
LET_THROUGH: Final = ReviewState(
    approved=True,
    code_owner=None,
    why="it was pushed without a review, and who lets it into its environment need not be a code owner",
)
_DOES: Final = {
    GateOn.DATA_LOSS: "loses data",
    GateOn.DESTRUCTIVE: "removes or replaces something",
    GateOn.ANY: "changes",
}
_WHO: Final = {GateNeeds.CODE_OWNER: "a code owner's approval", GateNeeds.APPROVAL: "an approval"}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a gate looks at in one stack's plan."""

    stack: str
    envs: frozenset[str]
    """The stage before and after the change: whoever moves a stack between stages passes the gates of both."""
    destructive: bool
    data_loss: bool
    changes: bool

    @classmethod
    def of(cls, plan: Plan, envs: Iterable[str]) -> Facts:
        data_loss = any(consequence.data_loss for consequence in plan.consequences)
        return cls(
            stack=plan.stack.name,
            envs=frozenset(envs),
            destructive=data_loss or plan.destructive or plan.operation is PlanOperation.DELETE,
            data_loss=data_loss,
            changes=plan.operation is not PlanOperation.NONE,
        )

    @property
    def worst(self) -> GateOn:
        if self.data_loss:
            return GateOn.DATA_LOSS
        return GateOn.DESTRUCTIVE if self.destructive else GateOn.ANY


def concerning(gates: Iterable[Gate], facts: Facts) -> tuple[GateCheck, ...]:
    """The gates that concern a plan, each once, before anybody was asked."""
    hits = {gate: None for gate in gates if _concerns(gate, facts)}
    return tuple(GateCheck(gate=gate, because=facts.worst) for gate in hits)


def judged(check: GateCheck, review: ReviewState, *, since: datetime | None = None, head: str = "") -> GateCheck:
    """The check with its standing.

    Args:
        review: what the forge says now.
        since: when the plan was sealed as it is; an approval given earlier is not about all of it.
        head: the commit whose plan was sealed; another one's approval is not about it.
    """
    asks_owner = check.gate.needs is GateNeeds.CODE_OWNER
    state = review.code_owner if asks_owner else review.approved
    if review.silent:
        standing, reason = Standing.OPEN, review.undecided
    elif head and review.head and head != review.head:
        reason = f"the plan was sealed for {head[:12]}, and the pull request's commit is {review.head[:12]}"
        standing = Standing.MISSING
    elif state is None:
        standing, reason = Standing.UNDECIDABLE, (asks_owner and review.why) or review.undecided
    elif not state:
        standing, reason = Standing.MISSING, "nobody has given it"
    elif early := [approval.by for approval in review.approvals if since and approval.at < since]:
        standing, reason = Standing.MISSING, f"{early[0]} gave it before the plan was what it is now"
    else:
        standing, reason = Standing.SATISFIED, ""
    return replace(check, standing=standing, reason=reason)


def sentence(check: GateCheck, stack: str) -> str:
    """What a gate that is not satisfied says of a stack."""
    needed = f"{stack} {_DOES[check.because]} and needs {_WHO[check.gate.needs]}"
    match check.standing:
        case Standing.MISSING:
            return f"{needed}, which is missing: {check.reason}"
        case Standing.UNDECIDABLE:
            return f"{needed}, which cannot be decided: {check.reason}"
        case Standing.OPEN:
            return f"{needed}, and nobody says that there is one: {check.reason or NOBODY_ASKED.undecided}"
    return f"{needed}, which is there"


def _concerns(gate: Gate, facts: Facts) -> bool:
    hit = {
        GateOn.DESTRUCTIVE: facts.destructive,
        GateOn.DATA_LOSS: facts.data_loss,
        GateOn.ANY: facts.changes,
    }[gate.on]
    return hit and fnmatchcase(facts.stack, gate.stack) and any(fnmatchcase(env, gate.env) for env in facts.envs)
