"""Twenty publishers at once: one comment, and it is the newest run's, in whatever order their requests arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from stackseal.hosts.github_api import Client
from stackseal.hosts.github_comments import Comments
from stackseal.hosts.github_identity import Identity
from stackseal.hosts.github_revision import Revision
from stackseal.report import marker
from unit.hosts.github import interleave
from unit.hosts.github.hub import BOT, Hub
from unit.hosts.github.interleave import Writer

PUBLISHERS, SEEDS = 20, 500


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(PUBLISHERS) as found:
        yield found


def part(run: int, number: int = 1) -> str:
    return f"{marker.write('review', id='', head=f'{run:040x}', part=number)}\nThe review of run {run}.\n"


def publisher(hub: Hub, run: int, parts: int = 1) -> Callable[[Writer], str]:
    def work(writer: Writer) -> str:
        client = Client(writer, sleep=writer.sleep, now=hub.time.now)
        identity = Identity(client, actions=True)
        identity.learn({"user": {"login": BOT}})
        comments = Comments(client, "acme/infra", identity, marker)
        bodies = [part(run, number) for number in range(1, parts + 1)]
        return comments.publish(7, "review", bodies, Revision(run=run, attempt=1))

    return work


def shown(hub: Hub) -> list[tuple[object, str]]:
    return [((marker.read(body) or {}).get("rev"), body.partition("\n")[2]) for body in hub.bodies()]


def raced(pool: ThreadPoolExecutor, seed: int) -> tuple[str, int]:
    """Twenty publishers in the order of a seed: what is wrong afterwards, and how many requests they made."""
    hub = Hub(head=f"{PUBLISHERS:040x}")
    works = [publisher(hub, run) for run in range(1, PUBLISHERS + 1)]
    addresses = interleave.run(seed, pool, hub.time, hub, works)
    wrong = ""
    if shown(hub) != [([PUBLISHERS, 1, ""], f"The review of run {PUBLISHERS}.\n")]:
        wrong = f"seed {seed}: {shown(hub)}"
    elif hub.reactions:
        wrong = f"seed {seed}: a lock stayed"
    elif not addresses[-1].endswith(f"-{next(iter(hub.comments))}"):
        wrong = f"seed {seed}: the newest run was told another address"
    return wrong, len(hub.calls)


def test_twenty_publishers_leave_one_comment_of_the_newest_run(pool: ThreadPoolExecutor) -> None:
    """`make trust` does it with more seeds (tests/trust/test_races.py)."""
    found = [raced(pool, seed) for seed in range(SEEDS)]
    assert [wrong for wrong, _ in found if wrong] == []
    assert sum(requests for _, requests in found) > SEEDS * PUBLISHERS * 2, "they really met"


def test_a_comment_that_is_there_keeps_its_place(pool: ThreadPoolExecutor) -> None:
    for seed in range(50):
        hub = Hub()
        interleave.run(seed, pool, hub.time, hub, [publisher(hub, 1)])
        first = list(hub.comments)
        interleave.run(seed, pool, hub.time, hub, [publisher(hub, run) for run in range(2, 12)])
        assert list(hub.comments) == first, f"seed {seed}"
        assert shown(hub)[0][0] == [11, 1, ""], f"seed {seed}"


def test_reports_of_several_parts_do_not_mix(pool: ThreadPoolExecutor) -> None:
    for seed in range(50):
        hub = Hub()
        works = [publisher(hub, run, parts=1 + run % 3) for run in range(1, 9)]
        interleave.run(seed, pool, hub.time, hub, works)
        assert [rev for rev, _ in shown(hub)] == [[8, 1, ""]] * 3, f"seed {seed}"
        assert [(marker.read(body) or {})["part"] for body in hub.bodies()] == [1, 2, 3], f"seed {seed}"


def test_without_reactions_there_is_still_one_comment(pool: ThreadPoolExecutor) -> None:
    newest = 0
    for seed in range(100):
        hub = Hub(locks=False)
        interleave.run(seed, pool, hub.time, hub, [publisher(hub, run) for run in range(1, 11)])
        assert len(hub.comments) == 1, f"seed {seed}"
        newest += shown(hub)[0][0] == [10, 1, ""]
    assert newest > 50, "the lock is what makes it always the newest"
