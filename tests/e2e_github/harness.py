"""A scratch consumer repository, the toolkit beside it, and act, which runs the real workflows here, without a network.

What stands for GitHub: the fake with its bare repository (`E2E_ORIGIN`), a folder of artifacts (`E2E_ARTIFACTS`) and
three stand-ins of actions, see docs/how-to/github.md. act does not enforce environments and concurrency, and gives all
jobs one token: a test gives it the permissions of the one job that calls the API.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from contract.support import BIN, ROOT, committed
from contract.test_workflows import PERMISSIONS
from e2e.harness import ACCOUNT
from e2e_github import memory, packages
from e2e_github.normalise import REPOSITORY, normalise
from fakes.github.fake import GitHubFake
from fakes.github.repository import Repository
from stackseal.checks import checkov_env
from stackseal.commands.init import callers

COMMIT: Final = "5ea15ea15ea15ea15ea15ea15ea15ea15ea15ea1"
"""The toolkit's commit as the callers name it."""
BUCKET: Final = "stackseal-artifacts"
SETTINGS: Final = f'version: 1\nconfigs: configs\naccounts:\n  "{ACCOUNT}":\n    artifact_bucket: {BUCKET}\n'
"""The consumer's, where it has an AWS."""
STAND_INS: Final = Path(__file__).parent / "stand_ins"
_SHIPPED: Final = ("action.yml", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")
_FOLDERS: Final = (".github", "scripts", "requirements", "toolkit", "templates", "workflows", "buildspecs")


@dataclass(kw_only=True)
class Ran:
    """What act did: `jobs` is each job's end, `lines` everything that was said."""

    code: int
    events: list[dict[str, Any]]

    @property
    def jobs(self) -> dict[str, str]:
        """Each job's conclusion; a job that did not start is not there."""
        return {event["jobID"]: event["jobResult"] for event in self.events if "jobResult" in event}

    @property
    def log(self) -> str:
        return "\n".join(f"{event.get('job', '')}: {event.get('msg', '')}".rstrip() for event in self.events)

    @property
    def summary(self) -> str:
        """What the jobs wrote to the run's summary; act tells a composite's twice."""
        return "\n".join(dict.fromkeys(event["content"] for event in self.events if event.get("command") == "summary"))

    def output(self, name: str) -> str:
        """The last value that a step gave to an output; the action gives none to what its command does not tell."""
        values = [
            str(event.get("arg", ""))
            for event in self.events
            if event.get("command") == "set-output" and event.get("name") == name and event.get("arg")
        ]
        return values[-1] if values else ""


@dataclass(kw_only=True)
class Hub:
    """A consumer's repository on the fake, and everything around it, below one folder."""

    folder: Path
    github: GitHubFake
    repository: Repository
    env: dict[str, str] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        return self.folder / "consumer"

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    @property
    def checkouts(self) -> list[list[str]]:
        """Job, ref and commit of every checkout, in order."""
        log = self.folder / "checkouts.log"
        return [line.split() for line in log.read_text().splitlines()] if log.is_file() else []

    def pull_request(self, files: Mapping[str, str], **more: Any) -> tuple[int, dict[str, Any]]:
        """A pull request from a new branch, from a fork with `fork=True`; its number and the event."""
        source = self.repository.fork("mallory") if more.pop("fork", False) else self.repository
        branch = f"change-{len(self.repository.pulls)}"
        source.push(branch, files)
        pull = self.repository.open_pull(branch, source=source, **more)
        return pull.number, self.github.events.pull_request(self.repository, pull.number)

    def merge(self, number: int) -> dict[str, Any]:
        """Squash the pull request onto main; the event of the push."""
        before = self.repository.git.resolve("refs/heads/main")
        assert before
        after = self.repository.merge(number, "squash")
        return self.github.events.push(self.repository, after, before=before)

    def use(self, workflow: str, text: Mapping[str, str]) -> None:
        """Change the consumer's caller of a workflow."""
        path = self.work / ".github" / "workflows" / f"stackseal-{workflow}.yml"
        content = path.read_text(encoding="utf-8")
        for old, new in text.items():
            assert content.count(old) == 1
            content = content.replace(old, new)
        path.write_text(content, encoding="utf-8")

    def act(
        self, name: str, workflow: str, event: Mapping[str, Any], permissions: Mapping[str, str] | None = None
    ) -> Ran:
        """Run one of the consumer's workflows for an event, with a token that holds these permissions.

        None: each command has what the jobs that run it have by the table of contract/test_workflows.py.
        """
        commands = rights(workflow) if permissions is None else None
        token = self.github.token(
            permissions=permissions or {}, repository=self.repository.full_name, commands=commands
        )
        payload = self.folder / "event.json"
        payload.write_text(json.dumps(event), encoding="utf-8")
        environ = {
            "E2E_ORIGIN": str(self.repository.git.folder),
            "E2E_ARTIFACTS": str(self.artifacts),
            "E2E_LOG": str(self.folder / "checkouts.log"),
            "E2E_CACHE": str(self.folder / "cache"),
            "GITHUB_API_URL": self.github.url,
            # It scans nothing, and would be refused if they looked for checkov.
            **({"STACKSEAL_CHECKOV": "/nowhere/checkov"} if workflow == "cleanup" else checkov()),
            **self.env,
        }
        repositories = {f"{REPOSITORY}@{COMMIT}": self.folder / "toolkit"}
        for action, commit in pins().items():
            owner, repository, *_ = action.split("/")  # one repository may hold several actions
            repositories[f"{owner}/{repository}@{commit}"] = STAND_INS / repository
        command = [BIN / "act", name, "--workflows", f".github/workflows/stackseal-{workflow}.yml"]
        command += ["--eventpath", payload, "--platform", "ubuntu-24.04=-self-hosted", "--json", "--no-skip-checkout"]
        command += [
            "--no-cache-server",
            "--action-cache-path",
            self.folder / "act",
            "--secret",
            f"GITHUB_TOKEN={token}",
        ]
        for key, folder in repositories.items():
            command += ["--local-repository", f"{key}={folder}"]
        if name == "merge_group":  # act takes the default branch
            environ["GITHUB_REF"] = event["merge_group"]["head_ref"]
        for key, value in environ.items():
            command += ["--env", f"{key}={value}"]
        done = subprocess.run(
            command, cwd=self.work, env=own(self.folder), capture_output=True, text=True, check=False, timeout=300
        )
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("{")]
        return Ran(code=done.returncode, events=[json.loads(line) for line in lines])


def rights(workflow: str) -> dict[str, dict[str, str]]:
    """Command, as its user agent names it → the permissions of the jobs of a reusable workflow that run it."""
    found: dict[str, dict[str, str]] = {}
    document = yaml.safe_load((ROOT / ".github" / "workflows" / f"{workflow}.yml").read_text(encoding="utf-8"))
    for job, content in document["jobs"].items():
        for step in content["steps"]:
            if (command := step.get("with", {}).get("command")) and step["with"].get("github-token") != "":
                found.setdefault(f"({command})", {}).update(PERMISSIONS[workflow, job])
    return found


def pins() -> dict[str, str]:
    """The foreign actions that the reusable workflows use, with their commits."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")]
    reusable = [text for text in texts if "workflow_call:" in text]
    return dict(
        sorted({found for text in reusable for found in re.findall(r"uses: (actions/\S+)@([0-9a-f]{40})", text)})
    )


def checkov() -> dict[str, str]:
    """The checkov that `make setup` has installed; without it the program installs its own, a hundred packages."""
    found = checkov_env.find({})
    return {"STACKSEAL_CHECKOV": str(found)} if found else {}


def uv() -> Path:
    """The uv that `make setup` has used, with a cache that holds every package: nothing is fetched."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)  # HOME is the tests' own
    found = shutil.which("uv") or shutil.which("uv", path=str(home / ".cache" / "stackseal-uv-0.13.8" / "bin"))
    assert found, "make setup has installed no uv"
    return Path(found)


def hub(folder: Path, github: GitHubFake) -> Hub:
    """A consumer with the workflows that `init` writes, on an empty main branch, and the toolkit as act takes it."""
    made = Hub(folder=folder, github=github, repository=github.repository("acme/infra"))
    made.artifacts.mkdir(parents=True)
    toolkit(folder / "toolkit")
    files = {path.as_posix(): text for path, text in callers(f"{REPOSITORY}@{COMMIT}").items()}
    made.repository.push("main", {**files, "stackseal.yaml": "version: 1\nconfigs: configs\n", ".gitignore": "/ml/\n"})
    origin = made.repository.git.folder
    for command in (
        ["git", "-C", origin, "config", "uploadpack.allowAnySHA1InWant", "true"],
        ["git", "clone", "--quiet", "--branch", "main", origin, made.work],
        # act takes the repository's name from here; nothing is fetched from it.
        ["git", "-C", made.work, "remote", "set-url", "origin", "https://github.com/acme/infra.git"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    return made


def toolkit(target: Path) -> None:
    """What a consumer's runner gets of this repository, with the workflows normalised."""
    for path in committed():
        name = path.relative_to(ROOT)
        if name.parts[0] in _FOLDERS or name.as_posix() in _SHIPPED:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target / name)
    for path in (target / ".github" / "workflows").glob("*.yml"):
        path.write_text(normalise(path.read_text(encoding="utf-8"), COMMIT), encoding="utf-8")


def own(folder: Path) -> dict[str, str]:
    """act's environment: uv and its cache, no network, a home of its own."""
    (folder / "home").mkdir(exist_ok=True)
    return {
        "PATH": os.pathsep.join([str(uv().parent), os.environ["PATH"]]),
        "HOME": str(folder / "home"),
        "UV_CACHE_DIR": str(packages.cached(memory.beside(folder))),
        "UV_OFFLINE": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
    }
