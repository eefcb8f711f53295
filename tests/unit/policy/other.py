"""A second IAM evaluator, written by others (ministack): what both say counts for more than what one says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ministack.core import iam_evaluator

from unit.policy.samples import ACCOUNT, REGION


def parsed(documents: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Policy documents as the evaluator takes them."""
    return [iam_evaluator.parse_policy_document(dict(document)) for document in documents]


def allows(
    policies: list[Any], action: str, resource: str, context: Mapping[str, Any], *, region: str = REGION
) -> bool:
    """Whether these policies allow one request; keys of the context as IAM writes them."""
    asked = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/test/test",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=action,
        resource_arn=resource,
        region=region,
        source_ip="192.0.2.1",
        secure_transport=True,
        service_context={key.lower(): value for key, value in context.items()},
    )
    return str(iam_evaluator.evaluate(asked, policies).decision) == "Allow"
