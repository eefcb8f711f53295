"""IAM tells other services of a change late: whoever wants to try that has CloudFormation refuse new roles for a while.

On AWS the same calls answer `ValidationError`, "Role … is invalid or cannot be assumed", for seconds after a role was
made (AWS re:Post, "How do I resolve the Role is invalid or cannot be assumed error"; terraform-provider-aws repeats
CreateStack on exactly this answer for two minutes).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from stackseal.local import ministack
from stackseal.local.messages import Place, ServiceError


def unusable(role: str) -> ServiceError:
    """CloudFormation's answer to a call with a role that it cannot take."""
    return ServiceError("ValidationError", f"Role {role} is invalid or cannot be assumed")


class LateRoles:
    """Off until `begin`; then each role that is made or changed is refused so many times by each operation."""

    def __init__(self) -> None:
        self._times: Mapping[str, int] = {}
        self._known: dict[str, str] = {}
        self._left: dict[tuple[str, str], int] = {}
        self._guard = threading.Lock()

    def begin(self, times: Mapping[str, int], place: Place) -> None:
        """From now on; the roles that the account has already are known everywhere."""
        with self._guard:
            self._times, self._known, self._left = dict(times), ministack.roles(place), {}

    def reset(self) -> None:
        """No role is late any more."""
        with self._guard:
            self._times, self._known, self._left = {}, {}, {}

    def refuse(self, role: str, operation: str, place: Place) -> None:
        """Raises AWS's error where the operation's service has not heard of the role as it is now."""
        with self._guard:
            if not self._times:
                return
            now = ministack.roles(place).get(role, "")
            if self._known.get(role) != now:
                self._known[role] = now
                self._left |= {(role, name): times for name, times in self._times.items()}
            if self._left.get((role, operation), 0) > 0:
                self._left[role, operation] -= 1
                raise unusable(role)
