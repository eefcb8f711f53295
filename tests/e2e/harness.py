"""A repository, an embedded AWS and the real command line, for tests that drive the whole product."""

from __future__ import annotations

import atexit
import io
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from stackseal import assets, hosts, pipeline
from stackseal.hosts.git import Repository
from stackseal.hosts.local import LocalForge
from stackseal.local import EmbeddedAws
from stackseal.model import Deployment, Report, Run
from stackseal.output import Output
from stackseal.plan.record import LocalRecords
from stackseal.review import planning
from stackseal.sandbox import Sandbox
from stackseal.world import EMBEDDED, World, connector, impatient

EXAMPLES = assets.PRODUCTS / "ml" / "examples"
STARTER = "techcorp-prod-a001-us-west-2-customer-churn-ml-s3"
STARTER_GIT = "techcorp-prod-a001-us-west-2-customer-churn-ml-codecommit"
ACCOUNT = "111122223333"
REGION = "us-west-2"


def example(name: str = STARTER) -> str:
    """The text of a shipped example."""
    return (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")


@dataclass(kw_only=True)
class Result:
    """What a command line did."""

    code: int
    stdout: str
    stderr: str

    @property
    def facts(self) -> Any:
        return json.loads(self.stdout)


@dataclass(kw_only=True)
class Bench:
    """A scratch repository in which commands run."""

    folder: Path
    aws: EmbeddedAws
    world: World
    out: io.StringIO = field(default_factory=io.StringIO)

    def write(self, text: str, name: str = f"{STARTER}.yaml") -> Path:
        path = self.folder / "configs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, *argv: str, env: Mapping[str, str] | None = None) -> Result:
        """One command line in this repository, in this process, by the code that the console script runs."""
        from stackseal import cli

        stdout, stderr = io.StringIO(), io.StringIO()
        output = Output(stdout=stdout, stderr=stderr)
        try:
            arguments = cli.parse(list(argv), dict(env or {}))
            world = replace(
                self.world,
                out=output,
                json=arguments.format == "json",
                edition=arguments.edition,
                root=self.folder / arguments.root,
            )
            code = cli.COMMANDS[arguments.command].run(arguments, world)
        except cli.StacksealError as error:
            cli.report(error, output, as_json="json" in argv)
            code = error.exit_code
        return Result(code=code, stdout=stdout.getvalue(), stderr=stderr.getvalue())

    def client(self, service: str, account: str = ACCOUNT) -> Any:
        return self.world.aws(account, REGION).client(service, REGION)

    def git(self, *arguments: str) -> str:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=True, text=True)
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def review(self, number: int = 1, *, base: str = "main", head: str = "HEAD") -> Report:
        repository = Repository(self.folder)
        run = Run(
            host="local",
            repository="test",
            commit=repository.commit(head),
            base=repository.commit(base),
            pull_request=number,
        )
        planner = planning.Sealing(world=self.world)
        return pipeline.review(self.world, repository, run, planner, base=base, head=head)

    def deploy(self, number: int = 1, *, base: str = "HEAD~1", head: str = "HEAD") -> tuple[Deployment, ...]:
        return pipeline.deploy(self.world, Repository(self.folder), base=base, head=head, pull_request=number)

    @property
    def records(self) -> LocalRecords:
        return LocalRecords(self.world.root)


@cache
def sandbox() -> Sandbox:
    """One for all benches of a worker, as one serves a whole run: its child keeps templates by their digest only."""
    found = Sandbox()
    atexit.register(found.close)
    return found


@contextmanager
def bench(folder: Path, aws: EmbeddedAws, *, engines: tuple[str, ...] = ()) -> Iterator[Bench]:
    """A repository with an empty main branch."""
    environ = {"PATH": os.environ["PATH"], **aws.environ(), EMBEDDED: "1"}
    out = io.StringIO()
    world = World(
        env=environ,
        here=folder,
        root=folder / "ml",
        cache=folder / ".cache",
        out=Output(stdout=out, stderr=out),
        sandbox=sandbox(),
        aws=connector(environ),
        runner=hosts.runner({}),
        forge=LocalForge(folder / "ml"),
        engines=engines,
        clock=impatient(0.01),
    )
    made = Bench(folder=folder, aws=aws, world=world, out=out)
    made.git("init", "--quiet", "--initial-branch=main")
    (folder / "stackseal.yaml").write_text("version: 1\nconfigs: configs\n", encoding="utf-8")
    (folder / ".gitignore").write_text("/ml/\n/.cache/\n", encoding="utf-8")
    made.commit("Set up")
    yield made
