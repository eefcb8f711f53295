"""Judges a web identity token as AWS's STS does: its provider, its audience, its age, and the role's trust policy.

ministack hands `aud`, `sub` and `amr` to the trust policy and looks at nothing else, so that the policies of real
roles, which also compare the repository's id and the called workflow, would refuse every token. Nobody checks the
signature: that needs the issuer's keys, and they are on the Internet.

Sources: STS API Reference, AssumeRoleWithWebIdentity (errors); IAM User Guide, "IAM and AWS STS condition context
keys", keys of AWS OIDC federation for GitHub (the claims below, since January 2026).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from stackseal.local.ministack.clock import CLOCK
from stackseal.local.ministack.inside import module

CLAIMS: Final[Mapping[str, frozenset[str]]] = {
    "token.actions.githubusercontent.com": frozenset(
        {
            "actor",
            "actor_id",
            "enterprise_id",
            "environment",
            "job_workflow_ref",
            "ref",
            "repository",
            "repository_id",
            "workflow",
        }
    )
}
"""Issuer → the claims that IAM offers as condition keys, besides `aud`, `sub` and `amr`, which it offers for all."""
_COMMON: Final = frozenset({"aud", "sub", "amr"})
_ACTION: Final = "sts:AssumeRoleWithWebIdentity"


def complete_web_identity() -> None:
    """Puts our judgement of web identity tokens in the place of ministack's."""
    module("ministack.services.sts")._web_identity_trust_denied = denied


def denied(role_arn: str, params: Mapping[str, Any], use_json: bool) -> Any:
    """STS's error for a token that may not take the role, in ministack's form of an answer; None where it may."""
    del use_json  # boto3 speaks the Query protocol with STS
    given = params.get("WebIdentityToken") or [""]
    found = refusal(role_arn, given if isinstance(given, str) else str(given[0]))
    if found is None:
        return None
    status, code, message = found
    return module("ministack.services.iam")._error(status, code, message, ns="sts")


def refusal(role_arn: str, token: str) -> tuple[int, str, str] | None:
    """Status, code and message of what is wrong; None where nothing is."""
    claims = decoded(token)
    issuer = str(claims.get("iss", "")) if claims else ""
    if not claims or not issuer.startswith("https://") or not isinstance(claims.get("exp"), int | float):
        return 400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT."
    if claims["exp"] <= CLOCK.time():
        return 400, "ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time"
    account, host = role_arn.split(":")[4], issuer.removeprefix("https://").rstrip("/")
    arn = f"arn:aws:iam::{account}:oidc-provider/{host}"
    provider = module("ministack.services.iam")._oidc_providers.get_scoped(account, None, arn)
    if provider is None:
        return 400, "InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {issuer}"
    if claims.get("aud") not in provider.get("ClientIDList", ()):
        return 400, "InvalidIdentityToken", "Incorrect token audience"
    if not _trusted(role_arn, arn, context(host, claims)):
        return 403, "AccessDenied", f"Not authorized to perform {_ACTION}"
    return None


def context(host: str, claims: Mapping[str, Any]) -> dict[str, str]:
    """The condition keys that a token of an issuer fills, in lower case."""
    names = _COMMON | CLAIMS.get(host, frozenset())
    return {f"{host}:{name}".lower(): str(claims[name]) for name in sorted(names) if claims.get(name) is not None}


def decoded(token: str) -> Mapping[str, Any] | None:
    """The claims of a JSON web token; None for a text that is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _trusted(role_arn: str, provider: str, keys: Mapping[str, str]) -> bool:
    evaluator = module("ministack.core.iam_evaluator")
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    role = module("ministack.services.iam")._roles.get_scoped(account, None, name)
    if role is None or role.get("Arn") != role_arn:
        return False
    asked = evaluator.EvalContext(
        principal_arn=provider,
        principal_type="WebIdentityUser",
        principal_account=account,
        action=_ACTION,
        resource_arn=role_arn,
        region="",
        service_context=dict(keys),
    )
    return bool(evaluator.evaluate_trust_policy(role.get("AssumeRolePolicyDocument", "{}"), provider, asked))
