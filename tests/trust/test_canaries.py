"""Secrets planted everywhere that a run reads; none of them is anywhere that a run writes.

What is not looked at is what has to hold the values: the bundle between the render and the plan job carries templates,
and whoever can read it can read the configs that it comes from.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.awsrequest import AWSResponse

from e2e.conftest import bench, embedded  # noqa: F401 - fixtures
from e2e.harness import ACCOUNT, REGION, STARTER, Bench, example
from stackseal import cli, hosts
from stackseal.errors import StacksealError
from stackseal.hiding import of_environment
from stackseal.hosts import github_action
from stackseal.output import Output
from trust.figures import Count

STACK: Final = f"{STARTER.removesuffix('-s3')}-stack"
ENVIRONMENT: Final = {
    "AWS_SESSION_TOKEN": "canary-session-71c1",
    "GITHUB_TOKEN": "canary-github-token-71c2",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "canary-oidc-71c3",
    "DATABASE_PASSWORD": "canary-database-71c4",
    "SLACK_WEBHOOK_URL": "https://hooks.example/canary-71c5",
}
FORMS: Final = {
    "AccessKey": "AKIACANARY71C6EXAMPL",
    "GitHub": "ghp_canary71c7canary71c7canary",
    "FineGrained": "github_pat_canary71c8canary71c8",
    "Slack": "xoxb-canary-71c9-canary",
    "Jwt": "eyJjYW5hcnk3MWRh.eyJjYW5hcnk3MWRh.canary71da",
    "Address": "https://bot:canary-71db@host.example/x",
    "Pem": "-----BEGIN RSA PRIVATE KEY-----\ncanary71dc\n-----END RSA PRIVATE KEY-----",
    "Pattern": "CANARY-PATTERN-7113",
}
"""Known by their form, or by the pattern of the settings."""
KEYS: Final = {
    "DB_PASSWORD": "canary-71dd",
    "API_TOKEN": "canary-71de",
    "PrivateKey": "canary-71df",
    "connection_string": "canary-71e0",
    "client_secret": "canary-71e1",
    "webhook_url": "canary-71e2",
}
NO_ECHO: Final = "canary-no-echo-71e3"
WRITE_ONLY: Final = "canary-write-only-71e4"
NEEDLES: Final = (
    *ENVIRONMENT.values(),
    *(value for name, value in FORMS.items() if name not in {"Address", "Pem"}),
    "canary-71db",
    "canary71dc",
    *KEYS.values(),
    NO_ECHO,
    WRITE_ONLY,
)


def planted(bundle: dict[str, Any]) -> dict[str, Any]:
    """The bundle of a review whose template holds every kind of secret that a template can hold."""
    sheet = bundle["pairs"][0]["head"]
    body = json.loads(sheet["body"])
    body.setdefault("Parameters", {})["Word"] = {"Type": "String", "NoEcho": True, "Default": NO_ECHO}
    sheet["parameters"]["Word"] = NO_ECHO
    variables = [{"Name": name, "Value": value} for name, value in KEYS.items()]
    body["Resources"]["BuildProject"]["Properties"]["Environment"]["EnvironmentVariables"] = variables
    for name, value in {**FORMS, "NoEcho": {"Ref": "Word"}, "Copy": NO_ECHO}.items():
        properties = {"Type": "String", "Name": f"/canary/{name}", "Value": value, "Description": WRITE_ONLY}
        body["Resources"][f"Canary{name}"] = {"Type": "AWS::SSM::Parameter", "Properties": properties}
    sheet["body"] = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return bundle


class Job:
    """A job of GitHub Actions in the bench's repository: its environment, and all that it writes."""

    def __init__(self, bench: Bench, folder: Path) -> None:  # noqa: F811 - the fixture's name
        self.bench, self.folder = bench, folder
        folder.mkdir()
        event = folder / "event.json"
        event.write_text(json.dumps({"action": "closed"}), encoding="utf-8")
        self.env = {
            **bench.world.env,
            **ENVIRONMENT,
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "workflow_dispatch",
            "GITHUB_EVENT_PATH": event.as_posix(),
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_OUTPUT": (folder / "output").as_posix(),
            "GITHUB_STEP_SUMMARY": (folder / "summary").as_posix(),
            "GITHUB_RUN_ID": "7",
        }
        self.streams: list[io.StringIO] = []
        self.codes: list[int] = []

    def run(self, *argv: str) -> str:
        """One step, by the code of the Action, with everything that there is to say; returns what it printed."""
        mine = {**self.env, "STACKSEAL_COMMAND": argv[0], "STACKSEAL_WORDS_X": "\n".join(argv[1:])}
        out, err = io.StringIO(), io.StringIO()
        self.streams += [out, err]
        self.codes.append(github_action.run(mine, lambda _, env: self._main(list(argv), env, out, err)))
        return out.getvalue() + err.getvalue()

    def _main(self, argv: list[str], env: Any, out: io.StringIO, err: io.StringIO) -> int:
        """`cli.main`, but for the world: the bench's clock and its AWS."""
        output = Output(stdout=out, stderr=err, level="debug", hidden=of_environment(env))
        world = replace(self.bench.world, env=env, out=output, runner=hosts.runner(env))
        try:
            arguments = cli.parse(argv, env)
            with cli.heard(output):
                return cli.COMMANDS[arguments.command].run(arguments, replace(world, json=arguments.format == "json"))
        except StacksealError as error:
            cli.report(error, output, as_json="json" in argv)
            return error.exit_code

    def written(self) -> Iterator[tuple[str, str]]:
        """Every sink with its text: the streams, the job's files, everything below the root, the seal records."""
        for number, stream in enumerate(self.streams):
            yield f"stream {number}", stream.getvalue()
        folders = (self.folder, self.bench.folder / "ml")
        for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
            if path.name != "bundle.json":
                yield path.as_posix(), path.read_text(encoding="utf-8", errors="replace")

    def leaks(self) -> list[str]:
        return [f"{where}: {needle}" for where, text in self.written() for needle in NEEDLES if needle in text]


@contextmanager
def failing(bench: Bench, operation: str, repeated: Iterable[str] = ()) -> Iterator[None]:  # noqa: F811 - a fixture
    """CloudFormation answers an operation with an error that repeats secrets."""
    told = (*ENVIRONMENT.values(), *FORMS.values(), *repeated)
    text = " ".join(told).replace("\n", "&#10;")
    client = bench.client("cloudformation")
    body = (
        "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>"
        f"<Message>it repeats {text}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    )

    def answer(request: Any, **_: Any) -> AWSResponse:
        class Raw(io.BytesIO):
            def stream(self, **_: Any) -> Iterator[bytes]:
                yield self.read()

        return AWSResponse(request.url, 400, {"Content-Type": "text/xml"}, Raw(body.encode()))

    client.meta.events.register(f"before-send.cloudformation.{operation}", answer)
    try:
        yield
    finally:
        client.meta.events.unregister(f"before-send.cloudformation.{operation}", answer)


@pytest.fixture
def job(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:  # noqa: F811 - the fixture
    (bench.folder / "stackseal.yaml").write_text(
        "version: 1\nconfigs: configs\nredact:\n  - 'CANARY-PATTERN-[0-9]+'\n", encoding="utf-8"
    )
    bench.commit("Name what is secret here")
    bench.git("switch", "--quiet", "--create", "pr-1")
    bench.write(example())
    bench.commit("Add a product")
    monkeypatch.chdir(bench.folder)
    return Job(bench, tmp_path / "job")


def reviewed(job: Job) -> None:
    """A review in three jobs whose template holds secrets; once it works, once AWS repeats them in an error."""
    bundle, report = job.bench.folder / "ml" / "bundle.json", job.bench.folder / "ml" / "report.json"
    job.run("review", "--base", "main", "--to-bundle", str(bundle))
    bundle.write_text(json.dumps(planted(json.loads(bundle.read_text()))), encoding="utf-8")
    parts = ("--from-bundle", str(bundle), "--to-report", str(report), "--format", "json")
    job.run("review", "--base", "main", "--plan", "sealed", "--pull-request", "1", *parts)
    job.run("publish", str(report), "--pull-request", "1")
    for operation in ("CreateChangeSet", "DescribeStacks"):
        with failing(job.bench, operation, (*KEYS.values(), NO_ECHO, WRITE_ONLY)):
            job.run("review", "--base", "main", "--plan", "sealed", "--pull-request", "2", *parts)
            job.run("publish", str(report), "--pull-request", "2")


def deployed(job: Job) -> None:
    """Merge, deploy, verify and drift; each once more where AWS repeats the secrets in an error."""
    bench = job.bench  # noqa: F811 - the same
    job.run("review", "--base", "main", "--plan", "sealed", "--pull-request", "3")
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", "pr-1")
    for operation in ("ExecuteChangeSet", "DescribeChangeSet", "DescribeStacks"):
        with failing(bench, operation):
            job.run("deploy", "--pull-request", "3", "--force", "--format", "json")
    job.run("deploy", "--pull-request", "3", "--force", "--format", "json")
    assert job.codes[-1] == 0, [stream.getvalue()[-600:] for stream in job.streams]
    job.run("verify", STACK, "--region", REGION, "--account", ACCOUNT)
    parameters = bench.client("ssm").get_parameters_by_path(Path="/", Recursive=True)["Parameters"]
    bench.client("ssm").put_parameter(Name=parameters[0]["Name"], Value=FORMS["AccessKey"], Overwrite=True)
    job.run("drift", "--format", "json")
    for operation in ("DetectStackDrift", "DescribeStackResourceDrifts", "DescribeStacks"):
        with failing(bench, operation):
            job.run("drift", "--format", "json")
            job.run("verify", STACK, "--region", REGION, "--account", ACCOUNT)


@pytest.mark.e2e
def test_the_canaries_are_there_and_the_search_finds_them(job: Job) -> None:
    """Without hiding the same search finds what the environment and an error hold."""
    assert len(NEEDLES) >= 20
    assert len(set(NEEDLES)) == len(NEEDLES)
    with failing(job.bench, "DescribeStacks"):
        done = job.bench.run("verify", STACK, "--region", REGION, "--account", ACCOUNT)
    assert [needle for needle in NEEDLES if needle in done.stderr + done.stdout]


@pytest.mark.trust
@pytest.mark.e2e
def test_no_canary_is_written_by_a_review(job: Job, count: Count) -> None:
    reviewed(job)
    text = (job.bench.folder / "ml" / "bundle.json").read_text()
    assert all(json.dumps(value)[1:-1] in text.replace("\\\\n", "\\n") for value in KEYS.values())
    _count(job, count, "review and publish")
    assert job.leaks() == [], "\n".join(job.leaks())


@pytest.mark.trust
@pytest.mark.e2e
def test_no_canary_is_written_by_a_deployment(job: Job, count: Count) -> None:
    deployed(job)
    _count(job, count, "deploy, verify and drift")
    assert job.leaks() == [], "\n".join(job.leaks())


def _count(job: Job, count: Count, what: str) -> None:
    sinks = list(job.written())
    assert any("(hidden" in text for _, text in sinks)
    assert any(code == 0 for code in job.codes)
    assert any(code for code in job.codes)
    detail = f"{len(job.codes)} commands (exit codes {job.codes}), {len(sinks)} sinks"
    count(f"secret canaries, {what}", inputs=len(NEEDLES), breaks=len(job.leaks()), detail=detail)
