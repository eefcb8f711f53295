"""What a template reads from Parameter Store before anything else happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.model import Template

SSM: Final = "AWS::SSM::Parameter::Value<"
"""How the types of such parameters begin."""


def reads(template: Template) -> Mapping[str, str]:
    """Parameters of an SSM type: name → path, sorted by name. CloudFormation reads them to make a change set."""
    declared = template.body.get("Parameters") or {}
    return {
        name: template.parameters.get(name, str(item.get("Default", "")))
        for name, item in sorted(declared.items())
        if str(item.get("Type", "")).startswith(SSM)
    }
