"""A job of GitHub Actions as the program sees it: its environment, a repository on the fake, the real command line."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from e2e.harness import Result
from fakes.github import GitHubFake, Repository
from stackseal import cli
from stackseal.model import Report
from stackseal.report import json as report_json

RUN: Final = 1_000
"""GITHUB_RUN_ID of the first run; each that follows has the next."""


@dataclass(kw_only=True)
class Job:
    """What a workflow's runs have in common; each call of `run` is the next run of it."""

    folder: Path
    github: GitHubFake
    repository: Repository
    server: str = "https://github.com"
    enterprise: bool = False
    env: dict[str, str] = field(default_factory=dict)
    runs: int = RUN

    @property
    def summary(self) -> Path:
        """The file of the job's summary; a test that looks at one run removes it before."""
        return self.folder / "summary.md"

    @property
    def operations(self) -> list[str]:
        """Every call so far, in GitHub's own words."""
        return [call.operation for call in self.github.calls]

    def report(self, report: Report) -> str:
        """The artifact that another job made."""
        path = self.folder / "report.json"
        path.write_text(report_json.dumps(report), encoding="utf-8")
        return str(path)

    def run(self, *argv: str, event: Mapping[str, Any], name: str, permissions: Mapping[str, str]) -> Result:
        """One command line in a new run for an event, with a token that has these permissions."""
        self.runs += 1
        payload = self.folder / "event.json"
        payload.write_text(json.dumps(event), encoding="utf-8")
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "GITHUB_ACTIONS": "true",
            "GITHUB_TOKEN": self.github.token(permissions=permissions, repository=self.repository.full_name),
            "GITHUB_API_URL": self.github.enterprise_url if self.enterprise else self.github.url,
            "GITHUB_SERVER_URL": self.server,
            "GITHUB_REPOSITORY": self.repository.full_name,
            "GITHUB_RUN_ID": str(self.runs),
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(payload),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "STACKSEAL_TRACEBACK": "1",
            **self.env,
        }
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = cli.main(argv, environ)
        return Result(code=code, stdout=out.getvalue(), stderr=err.getvalue())
