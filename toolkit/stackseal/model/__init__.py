"""Every value that crosses a stage, in the order of the stages: frozen, keyword-only, importing nothing of ours.

A *config* is a user's file, a *product* the folder of the catalogue that it chooses, a *stack* what must exist because
of it, a *template* that stack as CloudFormation. *Findings*, *policies* and a *plan* describe the template; a *report*
carries them to a reviewer; a *deployment* and a *drift* say what became of it.
"""

from stackseal.model.base import Json, JsonPath, Location, canonical_json, sha256
from stackseal.model.config import Config, nearest
from stackseal.model.deployment import Deployment, Outcome, ResourceEvent
from stackseal.model.drift import Difference, Drift, DriftStatus, ResourceDrift
from stackseal.model.finding import Finding, Level
from stackseal.model.plan import (
    KNOWN_AFTER_APPLY,
    Action,
    Certainty,
    Change,
    Consequence,
    Gate,
    GateCheck,
    GateNeeds,
    GateOn,
    Growth,
    Plan,
    PlanKind,
    PlanOperation,
    PropertyChange,
    Replacement,
    Standing,
    word,
)
from stackseal.model.policy import Operation, Policy, Reason, Risk, Role, Statement
from stackseal.model.report import Edge, Failure, PolicyDelta, Report, ResourceRow, Run, StackReport, Verdict
from stackseal.model.stack import Because, Name, Product, Stack, StackId, Wait, Waiver, partition_of
from stackseal.model.template import SourceMap, Template

__all__ = [
    "KNOWN_AFTER_APPLY",
    "Action",
    "Because",
    "Certainty",
    "Change",
    "Config",
    "Consequence",
    "Deployment",
    "Difference",
    "Drift",
    "DriftStatus",
    "Edge",
    "Failure",
    "Finding",
    "Gate",
    "GateCheck",
    "GateNeeds",
    "GateOn",
    "Growth",
    "Json",
    "JsonPath",
    "Level",
    "Location",
    "Name",
    "Operation",
    "Outcome",
    "Plan",
    "PlanKind",
    "PlanOperation",
    "Policy",
    "PolicyDelta",
    "Product",
    "PropertyChange",
    "Reason",
    "Replacement",
    "Report",
    "ResourceDrift",
    "ResourceEvent",
    "ResourceRow",
    "Risk",
    "Role",
    "Run",
    "SourceMap",
    "Stack",
    "StackId",
    "StackReport",
    "Standing",
    "Statement",
    "Template",
    "Verdict",
    "Wait",
    "Waiver",
    "canonical_json",
    "nearest",
    "partition_of",
    "sha256",
    "word",
]
