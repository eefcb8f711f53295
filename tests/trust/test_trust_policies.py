"""How many hostile identities try to take each role; `tests/unit/bootstrap/test_trust.py` says what they are."""

from __future__ import annotations

import pytest

from trust.figures import Count
from unit.bootstrap.test_trust import ALLOWED, FORMS, accepted, claims, document, hostile


@pytest.mark.trust
def test_no_hostile_identity_takes_a_role(count: Count) -> None:
    tried, through, least = 0, [], 10**6
    for role, jobs in sorted(ALLOWED.items()):
        own = [claims(*job, form) for job in jobs for form in FORMS]
        policy = document(role)
        for file, end in sorted(jobs):
            for form in FORMS:
                tokens = [(what, token) for what, token in hostile(file, end, form) if token not in own]
                through += [f"{role}: {what}" for what, token in tokens if accepted(policy, token)]
                tried, least = tried + len(tokens), min(least, len(tokens))
        assert all(accepted(policy, token) for token in own)
    detail = f"{len(ALLOWED)} roles, at least {least} for each job and form of `sub`; all legitimate ones accepted"
    count("hostile identities for the roles", inputs=tried, breaks=len(through), detail=detail)
    assert least >= 36
    assert through == []
