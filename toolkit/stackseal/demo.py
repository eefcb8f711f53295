"""The main job from end to end on the embedded AWS: a config, two pull requests, a hand on production, and the end.

It is the same code that serves people: `pipeline.review`, `pipeline.deploy`, `pipeline.drift`, a real Git repository, a
local forge. Nothing here knows how a stack is deployed.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stackseal import assets, config, pipeline, policy, settings
from stackseal.aws.ssm import Parameters
from stackseal.change import preparation
from stackseal.deployment import progress
from stackseal.errors import Failed
from stackseal.hosts.git import Repository
from stackseal.model import Report, Role, Run, Stack
from stackseal.review import planning, publication
from stackseal.world import World, impatient

if TYPE_CHECKING:
    from stackseal.drift import Step
    from stackseal.model import Drift

EXAMPLE: Final = "techcorp-prod-a001-us-west-2-customer-churn-ml-codecommit.yaml"
_FIRST: Final = ("add-customer-churn", "Add the customer churn product")
_SECOND: Final = ("grow-customer-churn", "Move customer churn to professional and give its bucket a name of its own")
_THIRD: Final = ("retire-customer-churn", "Retire the customer churn product")
_TOUCHED: Final = "DashboardName"


@dataclass(kw_only=True)
class Demo:
    """One run; `facts` grow with every step."""

    world: World
    folder: Path
    """The scratch repository."""
    facts: dict[str, Any] = field(default_factory=dict)

    def play(self) -> dict[str, Any]:
        """The whole story; returns the facts of the run."""
        self._repository()
        self._pull_request(1, *_FIRST, change=_starter)
        self._pull_request(2, *_SECOND, change=_professional)
        self._drift()
        self._pull_request(3, *_THIRD, change=lambda folder: _config(folder).unlink())
        return self.facts

    # --- the repository

    def _repository(self) -> None:
        self._say("A repository with settings on its main branch")
        self._git("init", "--quiet", "--initial-branch=main")
        (self.folder / "configs").mkdir()
        account = _example()["account"]
        text = f'version: 1\nconfigs: configs\naccounts:\n  "{account}":\n    execution_role: {self._role(account)}\n'
        (self.folder / settings.FILE).write_text(text, encoding="utf-8")
        (self.folder / ".gitignore").write_text("/ml/\n", encoding="utf-8")
        self._commit("Set up stackseal")

    def _role(self, account: str) -> str:
        return f"arn:aws:iam::{account}:role/stackseal-execution"

    # --- a pull request: branch, review, merge, deploy

    def _pull_request(self, number: int, branch: str, title: str, *, change: Any) -> None:
        self._say(f"Pull request #{number}: {title}")
        self._git("switch", "--quiet", "--create", branch)
        change(self.folder)
        self._commit(title)
        report = self._review(number, branch)
        self._git("switch", "--quiet", "main")
        self._git("merge", "--quiet", "--ff-only", branch)
        self._deploy(number, report)

    def _review(self, number: int, branch: str) -> Report:
        repository = Repository(self.folder)
        run = Run(
            host="local",
            repository="demo",
            commit=repository.commit(branch),
            base=repository.commit("main"),
            pull_request=number,
            actor="you",
        )
        self._grant(branch)
        planner = planning.Sealing(world=self.world)
        report = pipeline.review(self.world, repository, run, planner, base="main", head=branch)
        done = publication.publish(self.world, report)
        if not self.world.json:
            self.world.out.data("\n".join(done.parts))
        self._say(f"The review in full: {self.world.root / 'reports' / 'review.html'}")
        stack = report.stacks[0]
        plan = stack.plan
        self.facts.setdefault("reviews", []).append(
            {
                "pull_request": number,
                "verdict": report.verdict.value,
                "changes": len(plan.changes) if plan else 0,
                "destructive": sum(item.destructive for item in plan.changes) if plan else 0,
                "findings": len(stack.findings),
                "blocking": sum(item.blocks for item in stack.findings),
                "seal": plan.seal if plan else None,
                "comment": done.where,
            }
        )
        self.facts["review"] = self.facts["reviews"][0]
        return report

    def _grant(self, branch: str) -> None:
        """The execution role gets what the generated policy says, and nothing else, before it is needed."""
        head = self._prepared(branch)
        base = self._prepared("main")
        if head is None:
            return
        policies = policy.generate(head.template, base=base.template if base else None)
        documents = policy.documents(next(item for item in policies if item.role is Role.EXECUTION))
        iam = self._client(head.stack, "iam")
        name = self._role(head.stack.id.account).rpartition("/")[2]
        if base is None:
            trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}}
            document = {"Version": "2012-10-17", "Statement": [{**trust, "Action": "sts:AssumeRole"}]}
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
        for index, document in enumerate(documents, start=1):
            iam.put_role_policy(RoleName=name, PolicyName=f"execution-{index}", PolicyDocument=json.dumps(document))
        actions = {action for document in documents for item in document["Statement"] for action in item["Action"]}
        self._say(f"The stack's role may do {len(actions)} actions on named resources, and no more")

    def _prepared(self, revision: str) -> preparation.Prepared | None:
        raw = Repository(self.folder).read(revision, f"configs/{EXAMPLE}")
        if raw is None:
            return None
        parsed = config.parse(raw, f"configs/{EXAMPLE}")
        resolved = preparation.catalogue_of(self.world).resolve(parsed, self.world.sandbox)
        return preparation.rendered(self.world, resolved, ())

    def _deploy(self, number: int, report: Report) -> None:
        self._say("Merged: exactly what was reviewed is deployed")
        (done,) = pipeline.deploy(
            self.world,
            Repository(self.folder),
            base="HEAD~1",
            head="HEAD",
            pull_request=number,
        )
        if not done.outcome.good:
            raise Failed("The demo's deployment did not end well", why=progress.sentence(done))
        self._say(progress.sentence(done))
        stack = report.stacks[0]
        aws = self.world.aws(stack.id.account, stack.id.region)
        outputs = Parameters(aws, stack.id.region).below(f"/ml/{stack.id.name.removesuffix('-stack')}")
        fact = {
            "pull_request": number,
            "stack": done.stack.name,
            "outcome": done.outcome.value,
            "status": done.status,
            "resources": done.resources,
            "outputs": outputs,
            "retained": list(done.retained),
            "sealed": bool(stack.plan and stack.plan.seal),
        }
        self.facts.setdefault("deployments", []).append(fact)
        if number == 2:
            self.facts["deploy"] = fact
        for path, value in outputs.items():
            self._say(f"  {path} = {value}")

    # --- drift

    def _drift(self) -> None:
        prepared = self._prepared("main")
        assert prepared is not None  # noqa: S101 - the story has deployed it
        path = f"{prepared.stack.context['ssm_base']}/{_TOUCHED}"
        ssm = self._client(prepared.stack, "ssm")
        good = ssm.get_parameter(Name=path)["Parameter"]["Value"]
        found, step = self._cron(prepared.stack)
        self.facts["fresh"] = {"status": found.status.value, "checked": found.checked, "of": len(found.resources)}
        self._say("Somebody edits a resource by hand")
        ssm.put_parameter(Name=path, Value="edited-by-hand", Overwrite=True, Type="String")
        found, step = self._cron(prepared.stack)
        (item,) = found.drifted
        difference = item.differences[0]
        self.facts["drift"] = {
            "resource": item.logical_id,
            "property": difference.path,
            "expected": difference.expected,
            "actual": difference.actual,
            "issue": step.number,
            "move": step.move.value,
        }
        self._say("Somebody puts it back")
        ssm.put_parameter(Name=path, Value=good, Overwrite=True, Type="String")
        found, step = self._cron(prepared.stack)
        self.facts["closed"] = step.move.value == "closed"

    def _cron(self, stack: Stack) -> tuple[Drift, Step]:
        ((found, step),) = pipeline.drift(self.world, [stack], settings.load(self.folder))
        coverage = f"{found.checked} of {len(found.resources)} resources checked"
        issue = f"issue #{step.number} {step.move.value}" if step.number else "no issue"
        self._say(f"Drift check: {found.status.value}, {coverage}; {issue}")
        return found, step

    # --- inside

    def _client(self, stack: Stack, service: str) -> Any:
        return self.world.aws(stack.id.account, stack.id.region).client(service, stack.id.region)

    def _say(self, text: str) -> None:
        self.world.out.say(f"▸ {text}" if not text.startswith(" ") else text)

    def _commit(self, message: str) -> None:
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)

    def _git(self, *arguments: str) -> None:
        identity = ("-c", "user.name=stackseal demo", "-c", "user.email=demo@example.com")
        command = ["git", *identity, "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=False)  # noqa: S603 - fixed commands
        if done.returncode:
            raise Failed(f"git {arguments[0]} failed", why=done.stderr.decode(errors="replace").strip())


def scene(world: World, folder: Path) -> World:
    """The demo's world: the scratch repository is the working directory and holds the working root."""
    from stackseal.hosts.local import LocalForge

    root = folder / "ml"
    return replace(world, here=folder, root=root, forge=LocalForge(root), confirm=None, clock=impatient())


def _config(folder: Path) -> Path:
    return folder / "configs" / EXAMPLE


def _starter(folder: Path) -> None:
    text = (assets.PRODUCTS / "ml" / "examples" / EXAMPLE).read_text(encoding="utf-8")
    _config(folder).write_text(text, encoding="utf-8")


def _professional(folder: Path) -> None:
    text = _config(folder).read_text(encoding="utf-8")
    more = "tier: professional\n  alerts_email: ml-alerts@example.com\n  unique_bucket_name: true"
    _config(folder).write_text(text.replace("tier: starter", more), encoding="utf-8")


def _example() -> Mapping[str, str]:
    """The account of the example, read from the file itself."""
    text = (assets.PRODUCTS / "ml" / "examples" / EXAMPLE).read_bytes()
    client: Any = config.parse(text, EXAMPLE).data["client"]
    return {"account": str(client["account_id"])}
