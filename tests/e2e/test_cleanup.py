"""What pull requests leave behind goes, and nothing else does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from e2e.harness import ACCOUNT, REGION, STARTER, Bench, example
from stackseal.hosts.base import Pull
from stackseal.hosts.local import LocalForge
from stackseal.model import StackId, canonical_json
from stackseal.upkeep import cleanup
from stackseal.world import Clock

pytestmark = pytest.mark.e2e
STACK = f"{STARTER.removesuffix('-s3')}-stack"
IDENTITY = StackId(account=ACCOUNT, region=REGION, name=STACK)
CHANGED = example().replace("owner: ml-platform-team", "owner: another-team")


def proposed(bench: Bench, number: int, text: str, *, base: str = "main") -> None:
    """A reviewed pull request that nobody merges."""
    bench.git("switch", "--quiet", "--create", f"pr-{number}", base)
    bench.write(text)
    bench.commit(f"Change {number}")
    assert not bench.review(number).failures
    bench.git("switch", "--quiet", base)


def deployed(bench: Bench) -> None:
    proposed(bench, 1, example())
    bench.git("merge", "--quiet", "--ff-only", "pr-1")
    (done,) = bench.deploy(1)
    assert done.outcome.good, done


def sets(bench: Bench) -> list[str]:
    """Change sets that wait, by the pull request in their name."""
    listed = bench.client("cloudformation").list_change_sets(StackName=STACK)["Summaries"]
    waiting = [item for item in listed if not item["ExecutionStatus"].startswith("EXECUTE_")]
    return sorted(item["ChangeSetName"].split("-")[1] for item in waiting)


def standing(bench: Bench) -> list[str]:
    """Stacks that are there."""
    listed = bench.client("cloudformation").list_stacks()["StackSummaries"]
    return [item["StackName"] for item in listed if item["StackStatus"] != "DELETE_COMPLETE"]


def closed(bench: Bench, number: int, *more: str, state: str = "closed") -> Any:
    return bench.run(
        "cleanup", "--pull-request", str(number), "--state", state, "--head", f"pr-{number}", "--format", "json", *more
    )


def test_a_closed_pull_request_takes_its_plan_and_its_empty_stack_along(bench: Bench) -> None:
    proposed(bench, 7, example())
    assert sets(bench) == ["pr7"]
    dry = closed(bench, 7, "--dry-run")
    (row,) = dry.facts["stacks"]
    assert (len(row["change_sets"]), row["stack_removed"], dry.facts["dry_run"]) == (1, True, True)
    assert sets(bench) == ["pr7"]
    done = closed(bench, 7)
    assert done.code == 0, done.stderr
    assert done.facts["stacks"][0]["stack_removed"] is True
    assert standing(bench) == []
    assert closed(bench, 7).facts["stacks"] == []


def test_an_empty_stack_on_which_another_pull_request_plans_stays(bench: Bench) -> None:
    proposed(bench, 7, example())
    proposed(bench, 8, CHANGED)
    done = closed(bench, 7)
    assert done.facts["stacks"][0]["stack_removed"] is False
    assert sets(bench) == ["pr8"]
    assert closed(bench, 8).facts["stacks"][0]["stack_removed"] is True
    assert standing(bench) == []


@pytest.mark.parametrize("state", ["merged", "open"])
def test_a_merged_or_open_pull_request_is_left_alone(bench: Bench, state: str) -> None:
    proposed(bench, 7, example())
    done = closed(bench, 7, state=state)
    assert done.code == 0
    assert done.facts["stacks"] == []
    assert "nothing is removed" in done.stderr
    assert sets(bench) == ["pr7"]


def test_nobody_guesses_what_became_of_a_pull_request(bench: Bench) -> None:
    done = bench.run("cleanup", "--pull-request", "7")
    assert done.code == 2
    assert "--state closed, merged or open" in done.stderr
    done = bench.run("cleanup", "--sweep")
    assert done.code == 2
    assert "--open 12,14" in done.stderr
    assert bench.run("cleanup", "--sweep", "--open", "x").code == 2


def test_a_deployed_stack_loses_the_change_sets_of_the_pull_request_and_nothing_else(bench: Bench) -> None:
    deployed(bench)
    proposed(bench, 7, CHANGED)
    proposed(bench, 17, CHANGED.replace("another-team", "a-third-team"))
    cfn = bench.client("cloudformation")
    body = cfn.get_template(StackName=STACK)["TemplateBody"]
    for name in ("seal-pr7-mine", "by-hand", "seal-pr7-0000000-000000000000"):
        cfn.create_change_set(
            StackName=STACK, ChangeSetName=name, TemplateBody=canonical_json(body), ChangeSetType="UPDATE",
            Capabilities=["CAPABILITY_NAMED_IAM"], Description="stackseal, somebody says",
        )  # fmt: skip
    before = {item["ChangeSetName"] for item in cfn.list_change_sets(StackName=STACK)["Summaries"]}
    done = closed(bench, 7)
    (row,) = done.facts["stacks"]
    (gone,) = row["change_sets"]
    after = {item["ChangeSetName"] for item in cfn.list_change_sets(StackName=STACK)["Summaries"]}
    assert before - after == {gone}
    assert gone.startswith("seal-pr7-")
    assert row["stack_removed"] is False
    assert standing(bench) == [STACK]


def test_older_plans_of_an_open_pull_request_can_go_without_the_newest(bench: Bench) -> None:
    deployed(bench)
    client = bench.client("cloudformation")

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteChangeSet")

    # The reviews of a role that may not remove what they supersede.
    client.meta.events.register("before-call.cloudformation.DeleteChangeSet", refuse)
    proposed(bench, 7, CHANGED)
    for team in ("b-team", "c-team"):
        bench.git("switch", "--quiet", "pr-7")
        bench.write(CHANGED.replace("another-team", team))
        bench.commit(team)
        bench.review(7)
        bench.git("switch", "--quiet", "main")
    client.meta.events.unregister("before-call.cloudformation.DeleteChangeSet", refuse)
    assert sets(bench) == ["pr7"] * 3
    (newest,) = [item for item in bench.records.of(IDENTITY, 7) if item.head == bench.git("rev-parse", "pr-7")]
    done = closed(bench, 7, "--superseded", state="open")
    assert len(done.facts["stacks"][0]["change_sets"]) == 2
    (left,) = [item.name for item in waiting(bench)]
    assert left == newest.change_set_name


def waiting(bench: Bench) -> list[Any]:
    cfn = bench.world.cloudformation(IDENTITY)
    return [ref for ref in cfn.list_change_sets(STACK) if cleanup.removable(ref) and cleanup.number_of(ref)]


def later(bench: Bench, days: int) -> None:
    """The same world, some days on."""
    bench.world = replace(
        bench.world, clock=Clock(now=lambda: datetime.now(UTC) + timedelta(days=days), sleep=bench.world.clock.sleep)
    )


def test_the_sweep_takes_what_was_closed_over_35_days_ago(bench: Bench) -> None:
    deployed(bench)
    for number in (7, 8):
        proposed(bench, number, CHANGED.replace("another-team", f"team-{number}"))
    assert bench.run("cleanup", "--sweep", "--open", "8").code == 0
    assert sets(bench) == ["pr7", "pr8"]
    later(bench, 36)
    done = bench.run("cleanup", "--sweep", "--open", "8", "--dry-run")
    assert "would remove 1 change sets" in done.stdout
    assert sets(bench) == ["pr7", "pr8"]
    done = bench.run("cleanup", "--sweep", "--open", "8")
    assert "removed 1 change sets" in done.stdout
    assert sets(bench) == ["pr8"]
    assert standing(bench) == [STACK]


def test_the_sweep_finds_stacks_that_no_config_names_only_where_it_is_told_to(bench: Bench) -> None:
    deployed(bench)
    other = example().replace("use_case: customer-churn", "use_case: forecasts")
    bench.git("switch", "--quiet", "--create", "pr-9")
    bench.write(other, "techcorp-prod-a001-us-west-2-forecasts-ml-s3.yaml")
    bench.commit("A product that is never merged")
    assert not bench.review(9).failures
    bench.git("switch", "--quiet", "main")
    assert len(standing(bench)) == 2
    later(bench, 36)
    assert bench.run("cleanup", "--sweep", "--open", "").stdout.startswith("Nothing to remove")
    done = bench.run("cleanup", "--sweep", "--open", "", "--whole-account")
    assert "removed 1 change sets and the empty stack" in done.stdout
    assert standing(bench) == [STACK]


@dataclass(kw_only=True)
class AskedForge(LocalForge):
    """A forge that knows its pull requests."""

    known: dict[int, Pull]

    def __init__(self, bench: Bench, *pulls: Pull) -> None:
        super().__init__(bench.world.root)
        self.known = {pull.number: pull for pull in pulls}

    def pull(self, number: int) -> Pull | None:
        return self.known.get(number)


def test_a_forge_that_knows_is_asked(bench: Bench) -> None:
    deployed(bench)
    for number in (7, 8, 9):
        proposed(bench, number, CHANGED.replace("another-team", f"team-{number}"))
    today = bench.world.clock.today
    pulls = (
        Pull(number=7, open=False, closed=today - timedelta(days=36)),
        Pull(number=8, open=False, closed=today - timedelta(days=34)),
    )
    bench.world = replace(bench.world, forge=AskedForge(bench, *pulls))
    done = bench.run("cleanup", "--sweep")
    assert done.code == 0, done.stderr
    assert sets(bench) == ["pr8", "pr9"]  # 8 was closed lately, 9 is not known: it may be another repository's
    assert bench.run("cleanup", "--pull-request", "8", "--head", "pr-8").code == 0
    assert sets(bench) == ["pr9"]
