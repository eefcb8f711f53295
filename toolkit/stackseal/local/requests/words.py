"""The words that the rows are written in, and where their facts come from."""

from __future__ import annotations

from typing import Final

from stackseal.local.needs import Need

SAR: Final = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_"
"""The Service Authorization Reference: what each call is checked against."""
OBSERVED: Final = "https://github.com/abefarris/cfn-least-privilege (denials of real deployments, Apache-2.0)"
TAGS: Final = ("Tags",)


def arn(service: str, resource: str) -> str:
    """An ARN template in the resource's own account and region."""
    return f"arn:{{partition}}:{service}:{{region}}:{{account}}:{resource}"


def of(actions: str, **more: object) -> tuple[Need, ...]:
    """One need per action, all alike."""
    return tuple(Need(action=action, **more) for action in actions.split())  # type: ignore[arg-type]  # fields of Need
