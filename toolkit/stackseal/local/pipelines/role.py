"""A role that a service works with: asked before every call that is made in its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stackseal.local import ministack
from stackseal.local.messages import Place


class Stopped(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """An action fails; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role, used by the service that it trusts."""

    arn: str
    place: Place
    enforce: bool

    def assumed_by(self, service: str) -> None:
        """Raises Stopped unless the role is there and trusts the service."""
        if self.enforce and not ministack.trusts(self.arn, service, self.place):
            raise Stopped(f"The role {self.arn} cannot be assumed by {service}")

    def may(self, actions: str, resource: str, context: Mapping[str, str] | None = None) -> None:
        """Raises Stopped, in AWS's words, for the first of the actions that the role may not do."""
        principal = ministack.principal({"RoleARN": self.arn}, self.place) if self.enforce else None
        for action in actions.split() if principal else ():
            assert principal is not None  # noqa: S101 - there is none only where nothing is enforced
            keys = {"aws:ResourceAccount": self.place.account, **(context or {})}
            if denial := principal.denies(action, resource, keys):
                raise Stopped(denial)
