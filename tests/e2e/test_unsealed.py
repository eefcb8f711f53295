"""What was pushed without a review: refused, or left, planned apart and executed after a person has let it through."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from e2e.harness import ACCOUNT, REGION, STARTER, STARTER_GIT, Bench, example
from stackseal.hosts.codebuild import CodeBuildRunner
from stackseal.hosts.github import GitHubRunner
from stackseal.hosts.local import LocalForge
from stackseal.model import StackId
from stackseal.upkeep import cleanup

pytestmark = pytest.mark.e2e
STACK = f"{STARTER.removesuffix('-s3')}-stack"
IDENTITY = StackId(account=ACCOUNT, region=REGION, name=STACK)
OTHER = STACK.replace("churn", "value")
"""The stack of the second product."""


def second() -> str:
    return example(STARTER_GIT).replace("customer-churn", "customer-value")


def pushed(bench: Bench, text: str | None = None) -> None:
    """Straight to main."""
    bench.write(text or example())
    bench.commit("Straight to main")


def planned(bench: Bench, *more: str) -> str:
    done = bench.run("--format", "json", "review", "--base", "HEAD~1", "--plan", "sealed", "--unsealed", *more)
    assert done.code == 0, done.stderr
    return str(done.facts["plan_digest"])


def sets(bench: Bench, name: str = STACK) -> list[str]:
    found = bench.client("cloudformation").list_change_sets(StackName=name)["Summaries"]
    return [item["ChangeSetName"] for item in found]


def owned(team: str) -> str:
    return example().replace("owner: ml-platform-team", f"owner: {team}")


def owner(bench: Bench) -> str:
    tags = bench.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]["Tags"]
    return next(str(tag["Value"]) for tag in tags if tag["Key"].lower() == "owner")


def standing(bench: Bench) -> dict[str, str]:
    found = bench.client("cloudformation").describe_stacks()["Stacks"]
    return {stack["StackName"]: stack["StackStatus"] for stack in found}


def test_it_is_refused_unless_somebody_says_otherwise(bench: Bench) -> None:
    pushed(bench)
    done = bench.run("deploy", "--force")
    assert done.code == 4
    assert "no review has sealed exactly this" in done.stderr
    assert standing(bench) == {}


def test_a_person_lets_exactly_the_shown_plan_through(bench: Bench) -> None:
    pushed(bench)
    digest = planned(bench)
    (name,) = sets(bench)
    head = bench.git("rev-parse", "HEAD")
    assert name.startswith(f"deploy-{head[:7]}-")
    (record,) = bench.records.of(IDENTITY, None, unsealed=True)
    assert (record.head, record.unsealed, record.pull_request) == (head, True, None)
    # It is no review's record: a deployment without the person's word finds none.
    assert bench.records.of(IDENTITY, None) == ()
    assert bench.run("deploy", "--force").code == 4
    assert bench.run("deploy", "--force", "--pull-request", "1").code == 4
    wrong = bench.run("deploy", "--force", "--approved", "0" * 64)
    assert wrong.code == 4
    assert "are not the ones that somebody approved" in wrong.stderr
    assert standing(bench) == {STACK: "REVIEW_IN_PROGRESS"}
    assert "--force" in bench.run("deploy", "--approved", digest).stderr
    done = bench.run("deploy", "--approved", digest, "--force")
    assert done.code == 0, done.stderr
    assert standing(bench) == {STACK: "CREATE_COMPLETE"}


def test_a_plan_that_has_grown_since_is_refused(bench: Bench) -> None:
    pushed(bench)
    assert bench.run("deploy", "--approved", planned(bench), "--force").code == 0
    pushed(bench, example().replace("owner: ml-platform-team", "owner: another-team"))
    digest = planned(bench)
    cfn = bench.world.cloudformation(IDENTITY)
    for ref in cfn.list_change_sets(STACK):
        if cleanup.removable(ref):
            cfn.delete_change_set(ref.arn)
    path = f"/ml/{STARTER.removesuffix('-s3')}/ModelPackageGroupArn"
    bench.client("ssm").put_parameter(Name=path, Value="by-hand", Type="String", Overwrite=True)
    done = bench.run("deploy", "--approved", digest, "--force")
    assert done.code == 4
    assert "was changed outside CloudFormation" in done.stderr


@pytest.mark.parametrize("known_by", ["the branch of CI", "--tip", "what is checked out"])
@pytest.mark.parametrize("deployed", [False, True])
def test_what_a_newer_commit_changes_again_is_not_let_through(bench: Bench, known_by: str, deployed: bool) -> None:
    """Executing the older plan would put the older state over the newer one, deployed already or not."""
    pushed(bench)
    assert bench.run("deploy", "--approved", planned(bench), "--force").code == 0
    pushed(bench, owned("a-team"))
    older = bench.git("rev-parse", "HEAD")
    digest = planned(bench)
    pushed(bench, owned("b-team"))
    newer = bench.git("rev-parse", "HEAD")
    if deployed:
        assert bench.run("deploy", "--approved", planned(bench), "--force").code == 0
    before = owner(bench)
    assert before == ("b-team" if deployed else "ml-platform-team")

    commits: tuple[str, ...] = ("--base", f"{older}~1", "--head", older)
    if known_by == "the branch of CI":
        bench.git("update-ref", "refs/remotes/origin/main", "main")
        bench.git("switch", "--quiet", "--detach", older)
        push = {"CODEBUILD_BUILD_ID": "deploy:1", "CODEBUILD_WEBHOOK_EVENT": "PUSH"}
        runner = CodeBuildRunner({**push, "CODEBUILD_WEBHOOK_HEAD_REF": "refs/heads/main"})
        forge: Any = Guarded(guarded=frozenset({"production-unsealed"}))
        forge._root = bench.world.root / "forge"
        bench.world = replace(bench.world, runner=runner, forge=forge)
        commits += ("--environment", "production-unsealed")
    elif known_by == "--tip":
        bench.git("switch", "--quiet", "--detach", older)
        commits += ("--tip", "main")
    done = bench.run("deploy", *commits, "--approved", digest, "--force")
    assert done.code == 4
    assert f"since these plans were approved, {newer[:12]} changes the stack {STACK} again" in done.stderr
    assert owner(bench) == before


def test_a_newer_commit_that_changes_something_else_stands_in_nobodys_way(bench: Bench) -> None:
    pushed(bench)
    commit, digest = bench.git("rev-parse", "HEAD"), planned(bench)
    bench.write(second(), f"{STARTER_GIT.replace('churn', 'value')}.yaml")
    bench.commit("Another product")
    done = bench.run("deploy", "--base", f"{commit}~1", "--head", commit, "--approved", digest, "--force")
    assert done.code == 0, done.stderr
    assert standing(bench)[STACK] == "CREATE_COMPLETE"


def test_of_several_plans_none_is_let_through_where_one_is_superseded(bench: Bench) -> None:
    bench.write(second(), f"{STARTER_GIT.replace('churn', 'value')}.yaml")
    pushed(bench)
    older, digest = bench.git("rev-parse", "HEAD"), planned(bench)
    pushed(bench, owned("b-team"))
    done = bench.run("deploy", "--base", f"{older}~1", "--head", older, "--approved", digest, "--force")
    assert (done.code, f"changes the stack {STACK} again" in done.stderr) == (4, True)
    assert set(standing(bench).values()) == {"REVIEW_IN_PROGRESS"}


def test_what_a_review_sealed_goes_first_and_the_rest_is_named(bench: Bench) -> None:
    bench.git("switch", "--quiet", "--create", "pr-1")
    bench.write(example())
    bench.commit("Reviewed")
    bench.review(1)
    bench.write(second(), f"{STARTER_GIT.replace('churn', 'value')}.yaml")
    bench.commit("Not reviewed")
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", "pr-1")
    common = ("--base", "HEAD~2", "--pull-request", "1", "--force")
    assert bench.run("deploy", *common).code == 4
    assert standing(bench) == {STACK: "REVIEW_IN_PROGRESS"}
    done = bench.run("--format", "json", "deploy", *common, "--leave-unsealed")
    assert done.code == 0, done.stderr
    assert done.facts["unsealed"] == [OTHER]
    assert standing(bench) == {STACK: "CREATE_COMPLETE"}
    digest = planned(bench, "--base=HEAD~2", "--stacks", OTHER)
    assert [ref.split("-")[0] for ref in sets(bench, OTHER)] == ["deploy"]
    done = bench.run("deploy", "--base", "HEAD~2", "--stacks", OTHER, "--approved", digest, "--force")
    assert done.code == 0, done.stderr
    assert standing(bench) == {STACK: "CREATE_COMPLETE", OTHER: "CREATE_COMPLETE"}
    unknown = bench.run("deploy", "--stacks", "nobody", "--force")
    assert (unknown.code, "The stack nobody is not in this change" in unknown.stderr) == (2, True)


def test_a_blocked_plan_is_executed_by_nobody(bench: Bench) -> None:
    pushed(bench)
    digest = planned(bench)
    (record,) = bench.records.of(IDENTITY, None, unsealed=True)
    bench.records.put(replace(record, blocked=True))
    done = bench.run("deploy", "--approved", digest, "--force")
    assert done.code == 4
    assert "was blocked" in done.stderr


@dataclass(kw_only=True)
class Guarded(LocalForge):
    """A forge that knows environments."""

    guarded: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    def pull_request_of(self, commit: str, branch: str) -> int | None:
        raise AssertionError(f"the job may not ask for the pull request of {commit} on {branch}")

    def reviewers(self, environment: str) -> bool:
        self.asked.append(environment)
        return environment in self.guarded


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "No environment is given"),
        (("--environment", "open-unsealed"), 4, "the environment open-unsealed has no required reviewers"),
        (("--environment", "production-unsealed"), 0, ""),
    ],
)
def test_the_environment_must_ask_somebody(bench: Bench, arguments: tuple[str, ...], code: int, words: str) -> None:
    pushed(bench)
    digest = planned(bench)
    forge: Any = Guarded(guarded=frozenset({"production-unsealed"}))
    forge._root = bench.world.root / "forge"
    bench.world = replace(bench.world, forge=forge)
    done = bench.run("deploy", "--approved", digest, "--force", *arguments)
    assert (done.code, words in done.stderr) == (code, True), done.stderr
    assert standing(bench)[STACK] == ("CREATE_COMPLETE" if code == 0 else "REVIEW_IN_PROGRESS")


def test_where_nobody_can_tell_nothing_is_done(bench: Bench, tmp_path: Any) -> None:
    """A job of GitHub without a token publishes to files, which know no environments."""
    pushed(bench)
    digest = planned(bench)
    event = tmp_path / "event.json"
    event.write_text("{}")
    runner = GitHubRunner({"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(event)})
    bench.world = replace(bench.world, runner=runner)
    done = bench.run("deploy", "--approved", digest, "--force", "--environment", "production-unsealed")
    assert done.code == 4
    assert "nobody can say here (github)" in done.stderr
