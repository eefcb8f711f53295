"""Each run deploys what its push changed, and leaves to a newer commit what that changes again."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from e2e.harness import STARTER, Bench, Result, example
from stackseal.hosts.codebuild import CodeBuildRunner

pytestmark = pytest.mark.e2e
NAME = STARTER.removesuffix("-s3")
STACK = f"{NAME}-stack"
OTHER = f"{NAME.removesuffix('-ml')}-batch-ml-stack"
BATCH = example().replace("use_case: customer-churn", "use_case: customer-churn\n  workload: batch")


def owned(text: str, owner: str) -> str:
    return re.sub(r"owner: .*", f"owner: {owner}", text)


def merged(bench: Bench, number: int, **files: str) -> str:
    """A pull request, reviewed and merged; the merge."""
    bench.git("switch", "--quiet", "--create", f"pr-{number}", "main")
    for name, text in files.items():
        bench.write(text, f"{name}.yaml")
    bench.commit(f"Pull request {number}")
    assert not bench.review(number).failures
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--no-ff", f"pr-{number}", "--message", f"Merge {number}")
    return bench.git("rev-parse", "HEAD")


def run(bench: Bench, number: int, commit: str, *more: str) -> Result:
    """The run of a push; later pushes may be there already."""
    arguments = ("--base", f"{commit}~1", "--head", commit, "--pull-request", str(number), "--force", *more)
    return bench.run("deploy", *arguments, "--format", "json")


def in_ci(bench: Bench) -> None:
    """From now on runs are those of the branch main, whose tip was fetched when the job began."""
    push = {"CODEBUILD_BUILD_ID": "deploy:1", "CODEBUILD_WEBHOOK_EVENT": "PUSH"}
    runner = CodeBuildRunner({**push, "CODEBUILD_WEBHOOK_HEAD_REF": "refs/heads/main"})
    bench.world = replace(bench.world, runner=runner)
    bench.git("update-ref", "refs/remotes/origin/main", "main")


def owner(bench: Bench, name: str = STACK) -> str:
    tags = bench.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["Tags"]
    return next(str(tag["Value"]) for tag in tags if tag["Key"].lower() == "owner")


def standing(bench: Bench) -> None:
    """Both products are deployed."""
    assert run(bench, 1, merged(bench, 1, first=example(), second=BATCH)).code == 0


def outcomes(done: Result) -> dict[str, str]:
    return {row["stack"]: row["outcome"] for row in done.facts["deployments"]}


def test_what_a_newer_commit_changes_again_is_left_to_it(bench: Bench) -> None:
    standing(bench)
    older = merged(bench, 2, first=owned(example(), "a-team"), second=owned(BATCH, "a-team"))
    newer = merged(bench, 3, first=owned(example(), "b-team"))
    in_ci(bench)
    done = run(bench, 2, older)
    assert done.code == 0, done.stdout + done.stderr
    assert outcomes(done) == {OTHER: "updated"}
    assert done.facts["superseded"] == {STACK: newer}
    assert (owner(bench), owner(bench, OTHER)) == ("ml-platform-team", "a-team")
    done = run(bench, 3, newer)
    assert outcomes(done) == {STACK: "updated"}
    assert owner(bench) == "b-team"


def test_a_run_that_is_started_again_does_not_bring_the_older_state_back(bench: Bench) -> None:
    standing(bench)
    older = merged(bench, 2, first=owned(example(), "a-team"))
    in_ci(bench)
    assert outcomes(run(bench, 2, older)) == {STACK: "updated"}
    newer = merged(bench, 3, first=owned(example(), "b-team"))
    in_ci(bench)
    assert outcomes(run(bench, 3, newer)) == {STACK: "updated"}
    again = run(bench, 2, older)
    assert (again.code, outcomes(again)) == (0, {})
    assert again.facts["superseded"] == {STACK: newer}
    assert owner(bench) == "b-team"


def test_it_is_said_in_a_sentence_and_in_the_summary(bench: Bench) -> None:
    standing(bench)
    older = merged(bench, 2, first=owned(example(), "a-team"))
    newer = merged(bench, 3, first=owned(example(), "b-team"))
    arguments = ("--base", f"{older}~1", "--head", older, "--pull-request", "2", "--tip", "main")
    done = bench.run("deploy", *arguments)  # nobody is asked: there is nothing to confirm
    assert done.code == 0, done.stderr
    assert f"{STACK}: superseded by {newer[:12]}, whose own run deploys it" in done.stdout


@pytest.mark.parametrize("what", ["another stack", "nothing", "a branch that was rewritten", "a branch not fetched"])
def test_everything_else_is_deployed_in_its_turn(bench: Bench, what: str) -> None:
    standing(bench)
    commit = merged(bench, 2, first=owned(example(), "a-team"))
    match what:
        case "another stack":
            merged(bench, 3, second=owned(BATCH, "b-team"))
        case "a branch that was rewritten":
            bench.git("switch", "--quiet", "--detach", commit)
            bench.git("branch", "--quiet", "--force", "main", f"{commit}~1")
            bench.git("switch", "--quiet", "main")
            bench.write(owned(example(), "c-team"), "first.yaml")
            bench.commit("Another history")
    in_ci(bench)
    if what == "a branch not fetched":
        bench.git("update-ref", "-d", "refs/remotes/origin/main")
    done = run(bench, 2, commit)
    assert (done.code, outcomes(done), done.facts["superseded"]) == (0, {STACK: "updated"}, {})


def test_a_tip_that_is_not_there_is_a_mistake(bench: Bench) -> None:
    commit = merged(bench, 1, first=example())
    done = run(bench, 1, commit, "--tip", "absent")
    assert done.code == 2
    assert "was not found" in done.stderr
