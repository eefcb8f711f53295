"""One comment of the newest run, one open issue per drifted stack: in every order and whatever happens meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from trust.figures import SEED, Count
from unit.hosts.github import drift_run
from unit.hosts.github.test_comment_races import PUBLISHERS, raced

pytestmark = pytest.mark.trust
INTERLEAVINGS = 3_000
LIVES, RUNS = 25, 200


def test_publishers_leave_one_comment_of_the_newest_run(count: Count) -> None:
    with ThreadPoolExecutor(PUBLISHERS) as pool:
        found = [raced(pool, SEED + seed) for seed in range(INTERLEAVINGS)]
    wrong = [text for text, _ in found if text]
    requests = sum(requests for _, requests in found)
    detail = f"{PUBLISHERS} publishers each, {requests:,} requests"
    count("interleavings of publishers of one comment", inputs=len(found), breaks=len(wrong), detail=detail)
    assert wrong == []


def test_drift_runs_leave_one_open_issue_per_drifted_stack(count: Count) -> None:
    found = [drift_run.life(seed=SEED + seed, runs=RUNS) for seed in range(LIVES)]
    wrong = [text for texts, _ in found for text in texts]
    detail = f"{LIVES} repositories, at most {max(issues for _, issues in found)} issues in one"
    count("drift runs with lag, dropped labels, closed issues", inputs=LIVES * RUNS, breaks=len(wrong), detail=detail)
    assert wrong == []
