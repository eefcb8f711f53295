"""Stage 6, Template → Plan: changes, their consequences, where a plan comes from."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from stackseal.model.base import Location, sha256
from stackseal.model.stack import StackId, Wait


class Action(enum.Enum):
    """What happens to a resource; the values are CloudFormation's."""

    ADD = "Add"
    MODIFY = "Modify"
    REMOVE = "Remove"
    IMPORT = "Import"
    DYNAMIC = "Dynamic"
    SYNC = "SyncWithActual"


class Replacement(enum.Enum):
    """Whether a modified resource is replaced; the values are CloudFormation's."""

    NEVER = "False"
    CONDITIONAL = "Conditional"
    ALWAYS = "True"


class Certainty(enum.Enum):
    """How sure we are that a change really happens."""

    CERTAIN = "certain"
    POSSIBLE = "possible"
    CASCADE = "cascade-only"
    """It follows only from another resource's change."""


KNOWN_AFTER_APPLY: Final = "{{changeSet:KNOWN_AFTER_APPLY}}"
"""CloudFormation's word for a value that only the deployment will tell; a wildcard wherever plans are compared."""


@dataclass(frozen=True, kw_only=True)
class PropertyChange:
    """One property, before and after, as JSON text; None where there was or will be none."""

    path: str
    before: str | None
    after: str | None
    replacement: Replacement = Replacement.NEVER
    certainty: Certainty = Certainty.CERTAIN
    cause: str = ""
    """Who changed it, e.g. `KmsKey.Arn`; empty for a direct change."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happens to one resource."""

    action: Action
    logical_id: str
    type: str
    physical_id: str | None = None
    replacement: Replacement = Replacement.NEVER
    certainty: Certainty = Certainty.CERTAIN
    policy_action: str | None = None
    """CloudFormation's word for what becomes of the old resource: Delete, Retain, Snapshot, ReplaceAndDelete, …"""
    properties: tuple[PropertyChange, ...] = ()
    where: Location | None = None
    nested: tuple[str, ...] = ()
    """Logical ids of the nested stacks from the root to this change."""

    @property
    def destructive(self) -> bool:
        """Something that exists goes away, or may."""
        return self.action in {Action.REMOVE, Action.DYNAMIC} or (
            self.action is Action.MODIFY and self.replacement is not Replacement.NEVER
        )


class PlanKind(enum.Enum):
    """Where a plan comes from."""

    PREDICTED = "predicted"
    """From the base's and the head's templates, without credentials."""
    CHANGE_SET = "change set"
    """From CloudFormation, against the real stack."""
    DEFERRED = "deferred"
    """Predicted against the real stack and sealed: its change set can only be made after other stacks' deployment."""
    STACK_SET = "stack set"
    """Of a stack set, which has no change sets: predicted against the live set and its stacks, and sealed."""


class PlanOperation(enum.Enum):
    """What executing the plan does with the stack."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    NONE = "no changes"


@dataclass(frozen=True, kw_only=True)
class Consequence:
    """What a destructive change means, in a sentence that is never truncated."""

    logical_id: str
    type: str
    sentence: str
    data_loss: bool


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How the plan sealed at `head` stands to those that earlier reviews of the pull request have sealed."""

    since: str
    """ISO 8601 time of the review since which the plan has not grown: an earlier approval is not about all of it."""
    grown: bool = False
    """An earlier review of the pull request has sealed less than this one, or the ones since."""
    lines: tuple[str, ...] = ()
    """What this review has added to the last plan, one sentence each."""
    head: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What would happen to one stack."""

    stack: StackId
    kind: PlanKind
    operation: PlanOperation
    changes: tuple[Change, ...]
    template_sha256: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    execution_role: str | None = None
    change_set: str | None = None
    """ARN of the change set; None for a predicted plan and where there are no changes."""
    change_set_name: str | None = None
    consequences: tuple[Consequence, ...] = ()
    retained: tuple[str, ...] = ()
    """Logical ids of resources that stay behind when the stack or they go."""
    notes: tuple[str, ...] = ()
    """Sentences about what this plan cannot know."""
    seal: str | None = None
    awaits: tuple[Wait, ...] = ()
    """Of a deferred plan: the parameters whose values only the deployment of other stacks tells."""
    inputs: str | None = None
    """The digest of what a sealed plan was made from; None for a deletion."""
    growth: Growth | None = None
    """None for a plan that no review has sealed."""

    @property
    def destructive(self) -> bool:
        return any(change.destructive for change in self.changes)

    @property
    def word(self) -> str:
        """A short word for the stack and the inputs that were sealed; empty where nothing was."""
        return word(self.stack, self.inputs) if self.seal else ""


def word(stack: StackId, inputs: str | None) -> str:
    """Sixteen hexadecimal digits for a stack and the digest of its inputs, None for its deletion: for displays only."""
    return sha256(f"{stack} {inputs or 'deletion'}")[:16]


class GateOn(enum.Enum):
    """What a plan must do for a gate to concern it; the values are those of the settings."""

    DESTRUCTIVE = "destructive"
    DATA_LOSS = "data-loss"
    ANY = "any"


class GateNeeds(enum.Enum):
    """Whose approval a gate asks for; the values are those of the settings."""

    CODE_OWNER = "code-owner"
    APPROVAL = "approval"


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A rule of the base branch: plans of these stacks that do this need that approval."""

    stack: str = "*"
    env: str = "*"
    on: GateOn = GateOn.DESTRUCTIVE
    needs: GateNeeds = GateNeeds.CODE_OWNER
    assumed: bool = False
    """Nobody wrote it: it stops where an approval is known to be missing, not where nobody can tell."""


class Standing(enum.Enum):
    """How a gate stands; where nobody could be asked yet, it is open."""

    SATISFIED = "satisfied"
    MISSING = "missing"
    UNDECIDABLE = "undecidable"
    OPEN = "not asked"


@dataclass(frozen=True, kw_only=True)
class GateCheck:
    """A gate that concerns a plan, and how it stands."""

    gate: Gate
    because: GateOn
    """The worst that the plan does: `ANY` where it only changes something."""
    standing: Standing = Standing.OPEN
    reason: str = ""
    """Why it is missing or cannot be decided, in a part of a sentence."""

    @property
    def stops(self) -> bool:
        """Whether a deployment must not go on."""
        unsure = self.standing in {Standing.UNDECIDABLE, Standing.OPEN}
        return self.standing is Standing.MISSING or (unsure and not self.gate.assumed)

    @property
    def blocks(self) -> bool:
        """Whether a review is blocked: an approval that is missing can still be given."""
        return self.standing is Standing.UNDECIDABLE and not self.gate.assumed
