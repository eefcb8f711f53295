"""The short forms of CloudFormation's intrinsic functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from stackseal.yamltext.reader import Tags


def _get_att(value: Any) -> Any:
    return {"Fn::GetAtt": value.split(".", 1) if isinstance(value, str) else value}


def _intrinsic(name: str) -> Callable[[Any], Any]:
    return lambda value: {name: value}


CLOUDFORMATION_TAGS: Final[Tags] = {
    "Ref": _intrinsic("Ref"),
    "Condition": _intrinsic("Condition"),
    "GetAtt": _get_att,
    **{
        name: _intrinsic(f"Fn::{name}")
        for name in (
            *("And", "Base64", "Cidr", "Equals", "FindInMap", "ForEach", "GetAZs", "If", "ImportValue", "Join"),
            *("Length", "Not", "Or", "Select", "Split", "Sub", "ToJsonString", "Transform"),
        )
    },
}
"""The short forms of CloudFormation's intrinsic functions, to their long ones."""
