"""Stage 7, all of it → Report."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from stackseal.model.base import Location
from stackseal.model.finding import Finding
from stackseal.model.plan import GateCheck, Plan, PlanOperation, Standing
from stackseal.model.policy import Policy, Role, Statement
from stackseal.model.stack import Name, StackId, Wait


class Verdict(enum.Enum):
    """The first word of a review."""

    BLOCKED = "blocked"
    HUMAN = "needs a human"
    READY = "ready"


@dataclass(frozen=True, kw_only=True)
class Run:
    """The CI run that we are part of, as its host describes it."""

    host: str
    repository: str
    commit: str
    base: str | None = None
    pull_request: int | None = None
    actor: str = ""
    url: str = ""
    unsealed: bool = False
    """It plans what was pushed without a review, for a person who may let it into an environment."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A config that never became a template: the sentence and where it points."""

    message: str
    remedy: str
    where: Location


@dataclass(frozen=True, kw_only=True)
class Edge:
    """One resource needs another, or a stack needs what another publishes."""

    source: str
    target: str


@dataclass(frozen=True, kw_only=True)
class PolicyDelta:
    """Permissions of one policy that base and head do not share, action by action."""

    role: Role
    added: tuple[Statement, ...]
    removed: tuple[Statement, ...]


@dataclass(frozen=True, kw_only=True)
class ResourceRow:
    """One resource of a template, as the report lists it."""

    logical_id: str
    type: str
    name: str
    where: Location


@dataclass(frozen=True, kw_only=True)
class StackReport:
    """All that a reviewer needs to know about one stack."""

    id: StackId
    product: str
    variant: str
    env: str
    config: str
    """Path of the config file; for a planned deletion the path it had."""
    template_sha256: str
    resources: tuple[ResourceRow, ...]
    findings: tuple[Finding, ...]
    policies: tuple[Policy, ...] = ()
    policy_deltas: tuple[PolicyDelta, ...] = ()
    plan: Plan | None = None
    edges: tuple[Edge, ...] = ()
    wave: int = 1
    """When it goes, counted from 1; the stacks of one wave go at the same time."""
    waits: tuple[Wait, ...] = ()
    """What it waits for in this change."""
    names: tuple[Name, ...] = ()
    notes: tuple[str, ...] = ()
    config_values: Mapping[str, str] = field(default_factory=dict)
    """The config with its defaults: dotted key → value as JSON text."""
    gates: tuple[GateCheck, ...] = ()
    """Those that concern the plan."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything a review has to say. It crosses jobs as JSON and holds data only."""

    run: Run
    stacks: tuple[StackReport, ...]
    failures: tuple[Failure, ...] = ()
    proposed: tuple[str, ...] = ()
    """Rules that the pull request changes, in sentences: those of the base count until it is merged."""
    ungated: tuple[str, ...] = ()
    """Stacks in which something goes away and that no gate concerns."""
    version: int = 1

    @property
    def verdict(self) -> Verdict:
        findings = [finding for stack in self.stacks for finding in stack.findings]
        gates = [check for stack in self.stacks for check in stack.gates]
        if self.failures or any(found.blocks for found in findings) or any(check.blocks for check in gates):
            return Verdict.BLOCKED
        plans = [stack.plan for stack in self.stacks if stack.plan is not None]
        grows = any(delta.added for stack in self.stacks for delta in stack.policy_deltas)
        closed = any(check.standing is not Standing.SATISFIED for check in gates)
        if grows or closed or self.proposed:
            return Verdict.HUMAN
        if any(plan.destructive or plan.operation is PlanOperation.DELETE for plan in plans):
            return Verdict.HUMAN
        return Verdict.READY
