"""Destructive plans and approvals, by the real commands: a repository, the embedded AWS, and a GitHub that checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract.test_workflows import PERMISSIONS
from e2e.harness import STARTER, Bench, Result, example
from fakes.github import BOT, GitHubFake, Repository
from stackseal.hosts.github_forge import Options, connect
from stackseal.hosts.github_http import PyGithubTransport
from stackseal.report import marker

pytestmark = pytest.mark.e2e
CONFIG = f"configs/{STARTER}.yaml"
STACK = f"{STARTER.removesuffix('-s3')}-stack"
GATES = "gates:\n  - on: destructive\n    needs: code-owner\n"
SETTINGS = "version: 1\nconfigs: configs\n"
RULE = {
    "require_code_owner_review": True,
    "required_approving_review_count": 1,
    "dismiss_stale_reviews_on_push": False,
    "require_last_push_approval": False,
    "required_review_thread_resolution": False,
}


@dataclass(kw_only=True)
class Hub:
    """The bench's repository on the fake, with a deployed stack; `alice` owns everything."""

    bench: Bench
    repository: Repository
    github: GitHubFake

    def settle(self, text: str) -> None:
        (self.bench.folder / "stackseal.yaml").write_text(text, encoding="utf-8")
        self.bench.commit("Settle")
        self.push("main")

    def push(self, branch: str) -> None:
        self.bench.git("push", "--quiet", "--force", str(self.repository.git.folder), f"HEAD:refs/heads/{branch}")
        self.repository.sync()

    def propose(self, text: str | None, branch: str = "change") -> int:
        """A pull request that removes or changes the config."""
        self.bench.git("switch", "--quiet", "--create", branch)
        self.edit(text, branch)
        return self.repository.open_pull(branch, author="bob").number

    def edit(self, text: str | None, branch: str) -> None:
        path = self.bench.folder / CONFIG
        path.unlink() if text is None else path.write_text(text, encoding="utf-8")
        self.bench.commit("Change")
        self.push(branch)

    def review(self, number: int, *, code: int = 0) -> Result:
        """The three jobs; returns what publish said."""
        ml, base = self.bench.folder / "ml", ("--base", "main")
        bundle, report = str(ml / "bundle.json"), str(ml / "report.json")
        for more in (
            ("--to-bundle", bundle),
            ("--from-bundle", bundle, "--to-report", report, "--plan", "sealed", "--pull-request", str(number)),
        ):
            done = self.bench.run("review", *base, *more)
            assert done.code == 0, done.stderr
        published = self.as_job("publish", "publish", report, "--pull-request", str(number), "--part", "comment")
        assert published.code == code, published.stderr
        return published

    def approve(self, number: int, author: str = "alice") -> None:
        self.repository.world.clock.time = datetime.now(UTC)
        self.repository.review(number, "APPROVED", author=author)

    def deploy(self, number: int) -> Result:
        """Merge and deploy, as the job of the push does."""
        before = self.bench.git("rev-parse", "main")
        self.repository.merge(number, "squash")
        self.bench.git("switch", "--quiet", "main")
        self.bench.git("fetch", "--quiet", str(self.repository.git.folder), "main")
        self.bench.git("reset", "--quiet", "--hard", "FETCH_HEAD")
        more = ("--base", before, "--pull-request", str(number), "--force")
        return self.as_job("deploy", "deploy", *more)

    def as_job(self, name: str, *argv: str) -> Result:
        """A command with the token of a job of the workflows."""
        workflow = "review" if name == "publish" else name
        token = self.github.token(BOT, PERMISSIONS[workflow, name])
        transport = PyGithubTransport(token, agent=f"stackseal/1.0 ({name})", url=self.github.url)
        env = {"GITHUB_REPOSITORY": self.repository.full_name}
        forge = connect(
            env,
            agent="",
            marks=marker,
            now=lambda: datetime.now(UTC),
            sleep=lambda _: None,
            options=Options(actions=True),
            transport=transport,
        )
        local = self.bench.world
        self.bench.world = replace(local, forge=forge)
        try:
            return self.bench.run(*argv)
        finally:
            self.bench.world = local
            transport.close()

    @property
    def stands(self) -> bool:
        stacks: list[Any] = self.bench.client("cloudformation").list_stacks()["StackSummaries"]
        return any(item["StackName"] == STACK and item["StackStatus"] == "CREATE_COMPLETE" for item in stacks)

    def comment(self, number: int) -> str:
        (found,) = self.repository.comments_of(number)
        return found.body


@pytest.fixture
def hub(bench: Bench, tmp_path: Path) -> Iterator[Hub]:
    with GitHubFake(tmp_path / "github") as github:
        repository = github.repository("acme/infra")
        made = Hub(bench=bench, repository=repository, github=github)
        repository.world.clock.time = datetime.now(UTC)
        repository.collaborators |= {"alice": "write", "bob": "write", "carol": "write"}
        with (bench.folder / ".gitignore").open("a") as file:
            file.write("/github/\n")
        (bench.folder / ".github").mkdir()
        (bench.folder / ".github" / "CODEOWNERS").write_text("* @alice\n")
        bench.write(example())
        made.settle(SETTINGS)
        repository.code_owners = ("alice",)
        repository.rules.append({"type": "pull_request", "parameters": RULE})
        bench.git("tag", "empty", bench.git("rev-list", "--max-parents=0", "HEAD"))
        bench.review(99, base="empty")
        (deployed,) = bench.deploy(99, base="empty")
        assert deployed.outcome.good, deployed.message
        assert made.stands
        yield made
        assert [line for line in github.violations if "/reactions:" not in line] == []


def test_a_removal_waits_for_a_code_owner(hub: Hub) -> None:
    hub.settle(SETTINGS + GATES)
    number = hub.propose(None)
    hub.review(number)
    assert "**missing**: a code owner's approval" in hub.comment(number)
    hub.approve(number, "carol")
    refused = hub.deploy(number)
    assert refused.code == 1
    assert "Nothing is deployed" in refused.stderr
    assert "needs a code owner's approval, which is missing: nobody has given it." in refused.stderr
    assert hub.stands
    hub.approve(number)
    again = hub.as_job("deploy", "deploy", "--base", "HEAD~1", "--pull-request", str(number), "--force")
    assert again.code == 0, again.stderr
    assert not hub.stands


def test_what_cannot_be_decided_blocks_the_review_and_the_deployment(hub: Hub) -> None:
    hub.repository.rules.clear()
    hub.settle(SETTINGS + GATES)
    number = hub.propose(None)
    hub.review(number, code=1)
    assert "**cannot be decided**" in hub.comment(number)
    assert "no ruleset asks for code owners' reviews on main" in hub.comment(number)
    hub.approve(number)
    refused = hub.deploy(number)
    assert refused.code == 1
    assert "which cannot be decided: no ruleset asks for code owners' reviews on main." in refused.stderr
    assert hub.stands


def test_without_the_key_nobody_is_locked_out_and_it_is_said(hub: Hub) -> None:
    hub.repository.rules.clear()
    number = hub.propose(None)
    hub.review(number)
    assert "**nobody has to approve**" in hub.comment(number)
    assert hub.deploy(number).code == 0
    assert not hub.stands


def test_a_pull_request_cannot_open_its_own_gate(hub: Hub) -> None:
    hub.settle(SETTINGS + GATES)
    hub.bench.git("switch", "--quiet", "--create", "change")
    (hub.bench.folder / "stackseal.yaml").write_text(SETTINGS + "gates: []\n")
    (hub.bench.folder / ".github" / "CODEOWNERS").write_text("* @bob\n")
    hub.edit(None, "change")
    number = hub.repository.open_pull("change", author="bob").number
    hub.review(number)
    assert "**missing**: a code owner's approval" in hub.comment(number)
    assert "those of the base count until it is merged" in hub.comment(number)
    assert hub.deploy(number).code == 1
    assert hub.stands


def test_a_plan_that_grew_takes_the_approvals_back(hub: Hub) -> None:
    hub.settle(SETTINGS + GATES)
    changed = example().replace("ml-platform-team", "another-team")
    assert changed != example()
    number = hub.propose(changed)
    hub.review(number)
    hub.approve(number)
    hub.review(number)
    assert [review.state for review in hub.repository.pulls[number].reviews] == ["APPROVED"]
    hub.edit(None, "change")
    hub.review(number)
    assert [review.state for review in hub.repository.pulls[number].reviews] == ["DISMISSED"]
    assert "**The plan has grown**" in hub.comment(number)
    assert "**missing**" in hub.comment(number)
    assert hub.deploy(number).code == 1
    assert hub.stands
