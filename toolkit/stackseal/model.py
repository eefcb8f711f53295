"""Every value that crosses a stage, in the order of the stages: frozen, keyword-only, importing nothing of ours.

A *config* is a user's file, a *product* the folder of the catalogue that it chooses, a *stack* what must exist because
of it, a *template* that stack as CloudFormation. *Findings*, *policies* and a *plan* describe the template; a *report*
carries them to a reviewer; a *deployment* and a *drift* say what became of it.
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

Json: TypeAlias = str | int | float | bool | Sequence["Json"] | Mapping[str, "Json"] | None
JsonPath: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from the root of a document to one of its nodes; `()` is the root."""


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, non-ASCII escaped."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def sha256(text: str) -> str:
    """The hexadecimal SHA-256 of a text's UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, order=True)
class Location:
    """A place in a file that a person can open; lines and columns count from 1."""

    path: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


# --- 1 config ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Config:
    """One file of a user, as plain data that remembers where each node was written."""

    path: str
    """The file as messages name it: relative to the working directory where that is shorter, with `/`."""
    data: Mapping[str, Json]
    marks: Mapping[JsonPath, Location]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content; comments, layout and key order do not change it."""
        return sha256(canonical_json(self.data))

    def at(self, *path: str | int) -> Location:
        """Where a node stands, or its nearest ancestor that stands anywhere."""
        return nearest(self.marks, path) or Location(path=self.path)


def nearest(places: Mapping[JsonPath, Location], path: JsonPath) -> Location | None:
    """The place of a path, or of the nearest of its ancestors that has one."""
    for length in range(len(path), -1, -1):
        if (found := places.get(path[:length])) is not None:
            return found
    return None


# --- 2 catalogue ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """A finding that somebody answers for: who, why, until when."""

    check: str
    reason: str
    owner: str
    until: str | None = None
    """ISO date, the last day on which it counts; only a product's own may have none: it ends with its release."""
    stack: str = "*"
    resource: str = "*"
    proposed: bool = False
    """Written in the pull request only: shown, but it does not count."""


@dataclass(frozen=True, kw_only=True)
class Product:
    """A folder of the catalogue, as far as later stages need it."""

    name: str
    title: str
    section: str
    """The config's key that chooses this product."""
    root: Path
    template: str
    """File name of the template inside `root`."""
    stateful: frozenset[str] = frozenset()
    """Resource types whose loss is data loss."""
    waivers: tuple[Waiver, ...] = ()
    folder: str = ""
    """The folder as messages name it; empty for `products/` and the root's name."""
    sources: Mapping[str, str] | None = None
    """The template files of an organisation's product by name; None for a shipped one, whose files lie below `root`."""
    digest: str = ""
    """SHA-256 of an organisation's product and its templates; a shipped one changes with the toolkit only."""


@dataclass(frozen=True, kw_only=True)
class Name:
    """A physical name: what it wanted to be, what AWS allows, what it is."""

    key: str
    value: str
    wanted: str
    limit: int

    @property
    def shortened(self) -> bool:
        return self.value != self.wanted


@dataclass(frozen=True, kw_only=True, order=True)
class StackId:
    """What makes two configs the same stack."""

    account: str
    region: str
    name: str

    def __str__(self) -> str:
        return f"{self.account}/{self.region}/{self.name}"


def partition_of(region: str) -> str:
    """The AWS partition of a region."""
    for prefix, partition in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")):
        if region.startswith(prefix):
            return partition
    return "aws"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What must exist because of a config."""

    id: StackId
    product: Product
    config: Config
    env: str
    slug: str
    """The stem of every artefact's file name, e.g. `{ml_name}`."""
    scenario: str
    """What tells the configs of one slug apart, e.g. `codecommit-standalone-ssm`."""
    variant: str
    """The kind of product in words a person uses, e.g. `enterprise`."""
    names: Mapping[str, Name]
    context: Mapping[str, Json]
    """What the template sees: the config's sections with their defaults, and the product's variables."""
    tags: Mapping[str, str]
    expected_resources: int | None = None
    publishes: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()
    """SSM parameter paths; another stack may publish what this one consumes."""
    afterwards: tuple[str, ...] = ()
    """What somebody has to do once the stack is deployed, in sentences."""
    test: bool = False
    """An isolated copy: suffixed names, nothing retained."""
    protected: bool = False
    """Termination protection; production only."""

    @property
    def partition(self) -> str:
        """The AWS partition of the region."""
        return partition_of(self.id.region)


class Because(enum.Enum):
    """Why one stack waits for another."""

    READS = "reads"
    """It reads a parameter that the other publishes."""
    RELEASES = "releases"
    """It stops publishing a parameter, and the other has to stop reading it before."""
    GRANTS = "grants"
    """CloudFormation builds it with a role that the other makes, or lets do what it now needs."""
    USES = "uses"
    """It removes a role with which the other is deleted before."""


@dataclass(frozen=True, kw_only=True, order=True)
class Wait:
    """What a stack waits for in a change of several."""

    stack: StackId
    """The other one, which comes first."""
    path: str
    """The SSM parameter between the two; the role's ARN where it is about a role."""
    because: Because = field(default=Because.READS, compare=False)
    changes: bool = field(default=False, compare=False)
    """The change may give the parameter another value, or its first one: only the deployment tells which."""


# --- 3 render ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SourceMap:
    """From the rendered file back to the lines that people wrote."""

    path: str
    """The rendered file as findings name it."""
    lines: tuple[JsonPath, ...]
    """For each line of the rendered text (index 0 is line 1) the path of the node that stands there."""
    rendered: Mapping[JsonPath, Location]
    template: Mapping[JsonPath, Location]
    config: Mapping[JsonPath, Location]

    def node_at(self, line: int) -> JsonPath:
        """The path of the node on a line of the rendered text."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else ()

    def blame(self, path: JsonPath) -> Location:
        """The config line that caused a node; the template's own line where no config value did."""
        found = nearest(self.config, path) or nearest(self.template, path)
        return found or self.rendered.get(path) or Location(path=self.path)


@dataclass(frozen=True, kw_only=True)
class Template:
    """A CloudFormation template: ours with its stack, or anybody's without one."""

    text: str
    """The file as it is written: header comments and YAML with the config's values as Defaults."""
    body: Mapping[str, Any]
    """The same as data, intrinsic functions in their long form."""
    parameters: Mapping[str, str]
    """The value of every CloudFormation parameter; for an SSM type the path."""
    source: SourceMap
    stack: Stack | None = None

    @cached_property
    def canonical(self) -> str:
        """What is sent to CloudFormation and what is sealed: sorted compact JSON."""
        return canonical_json(self.body)

    @cached_property
    def sha256(self) -> str:
        return sha256(self.canonical)

    @property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = self.body.get("Resources") or {}
        return found


# --- 4 checks ---------------------------------------------------------------------------------------------------------


class Level(enum.Enum):
    """How bad a finding is; an unwaived error blocks."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a reviewer should look at."""

    check: str
    """Identifier, e.g. `resource-count`, `E3012`, `CKV_AWS_18`."""
    engine: str
    """`stackseal`, `cfn-lint` or `checkov`."""
    level: Level
    message: str
    where: Location
    """The line that the person wrote."""
    rendered: Location | None = None
    """The line of the rendered template, where the engine itself would point."""
    resource: str | None = None
    stack: str | None = None
    help_url: str = ""
    waiver: Waiver | None = None

    @property
    def blocks(self) -> bool:
        waived = self.waiver is not None and not self.waiver.proposed
        return self.level is Level.ERROR and not waived


# --- 5 policy ---------------------------------------------------------------------------------------------------------


class Role(enum.Enum):
    """Whom a policy is for. The value is the end of its file's name."""

    OPERATOR = "iam-policy"
    """The caller's own credentials, test stacks included; suffices without a service role."""
    EXECUTION = "execution-policy"
    """The role that CloudFormation uses for the stack."""
    PLAN = "plan"
    DEPLOY = "deploy"
    DRIFT = "drift"
    BOUNDARY = "boundary"


class Operation(enum.Enum):
    """What CloudFormation does with a resource, or the stack as a whole needs."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"
    TEMPLATE = "template"


class Risk(enum.Enum):
    """How much a permission can do, most first."""

    PERMISSIONS = "permissions"
    """Permission management and PassRole."""
    WRITE = "write"
    TAG = "tag"
    READ = "read"


@dataclass(frozen=True, kw_only=True, order=True)
class Reason:
    """Why a statement is there."""

    resource: str
    """Logical id, or `stack` for what the template as a whole needs."""
    operation: str
    where: Location


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One IAM statement and what made it necessary."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    effect: str = "Allow"
    risk: Risk = Risk.READ
    because: tuple[Reason, ...] = ()

    def document(self) -> dict[str, Any]:
        """The statement as IAM writes it."""
        found: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": self.effect,
            "Action": list(self.actions),
            "Resource": list(self.resources),
        }
        if self.conditions:
            found["Condition"] = {
                operator: {key: list(values) for key, values in keys.items()}
                for operator, keys in self.conditions.items()
            }
        return found


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What one role may do; a document over IAM's size limit becomes several."""

    role: Role
    statements: tuple[Statement, ...]

    def document(self) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": [statement.document() for statement in self.statements]}


# --- 6 plan -----------------------------------------------------------------------------------------------------------


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


# --- 7 report ---------------------------------------------------------------------------------------------------------


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


# --- 8 deploy ---------------------------------------------------------------------------------------------------------


class Outcome(enum.Enum):
    """The closed list of ways in which a deployment ends."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    ROLLED_BACK = "rolled back"
    FAILED = "failed"
    REFUSED = "refused"
    UNKNOWN = "unknown"

    @property
    def good(self) -> bool:
        return self in {Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.DELETED}


@dataclass(frozen=True, kw_only=True)
class ResourceEvent:
    """One line of a stack's history."""

    logical_id: str
    type: str
    status: str
    reason: str = ""
    timestamp: str = ""
    physical_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What became of one plan."""

    stack: StackId
    outcome: Outcome
    status: str
    """The stack's status as CloudFormation words it; empty where there is no stack."""
    first_failure: ResourceEvent | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    resources: int = 0
    retained: tuple[str, ...] = ()
    """Resources that stay behind, `Type physical-id`."""
    resume: str = ""
    """The command that goes on where an unknown outcome left off."""
    message: str = ""
    """Why nothing was done or known, where that was no event of the stack's."""
    stale: tuple[int, ...] = ()
    """Pull requests whose change sets of this stack went with it: executing one deletes the others."""


# --- 9 drift ----------------------------------------------------------------------------------------------------------


class DriftStatus(enum.Enum):
    """What is known about one resource or a whole stack. Anything but IN_SYNC and DRIFTED is *unknown*."""

    IN_SYNC = "IN_SYNC"
    DRIFTED = "DRIFTED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One property that is not what the template says; JSON text or None."""

    path: str
    expected: str | None
    actual: str | None


@dataclass(frozen=True, kw_only=True)
class ResourceDrift:
    """What drift detection said of one resource."""

    logical_id: str
    type: str
    physical_id: str
    status: str
    """CloudFormation's word: IN_SYNC, MODIFIED, DELETED, NOT_CHECKED, UNKNOWN, UNSUPPORTED."""
    differences: tuple[Difference, ...] = ()

    @property
    def drifted(self) -> bool:
        return self.status in {"MODIFIED", "DELETED"}


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What is not as it was deployed. `checked` of `len(resources)` could be compared."""

    stack: StackId
    status: DriftStatus
    resources: tuple[ResourceDrift, ...]
    reason: str = ""

    @property
    def checked(self) -> int:
        return sum(resource.status in {"IN_SYNC", "MODIFIED", "DELETED"} for resource in self.resources)

    @property
    def drifted(self) -> tuple[ResourceDrift, ...]:
        return tuple(resource for resource in self.resources if resource.drifted)

    @property
    def fingerprint(self) -> str:
        """The same for the same differences, so that an issue is rewritten only when something moved."""
        rows = [
            [resource.logical_id, resource.status, [[d.path, d.expected, d.actual] for d in resource.differences]]
            for resource in self.drifted
        ]
        return sha256(canonical_json(sorted(rows, key=canonical_json)))[:16]
