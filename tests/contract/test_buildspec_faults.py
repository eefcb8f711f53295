"""A fault in any phase of any build specification ends the build where it happens, and nothing later hides it.

The phases run as CodeBuild runs them; uv, git, the AWS command line and stackseal are stand-ins that fail when asked.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from contract.support import ROOT
from fakes.codebuild import Outcome
from fakes.codebuild.build import environment, load, run

SPECS: Final = {path.stem: load(path.read_text(encoding="utf-8")) for path in (ROOT / "buildspecs").glob("*.yml")}
COMMANDS: Final = {
    "render": "review",
    "plan": "review",
    "publish": "publish",
    "deploy": "deploy",
    "drift": "drift",
    "cleanup": "cleanup",
}
"""The verb that each build runs."""
SHA: Final = "a" * 40
_UV: Final = """#!/bin/bash
echo "uv $*" >>"$CALLS"
if [ "${FAULT:-}" = uv ]; then exit 1; fi
if [ "$1" = venv ]; then
  home="${@: -1}"
  mkdir -p "$home/bin"
  cp "$TOOLS/stackseal" "$home/bin/stackseal"
fi
"""
_STACKSEAL: Final = """#!/bin/bash
echo "stackseal $*" >>"$CALLS"
[ "${EXIT:-0}" = 0 ] || exit "$EXIT"
while [ $# -gt 0 ]; do
  case "$1" in --to-bundle | --to-report) echo '{}' >"$2" ;; esac
  shift
done
mkdir -p ml/reports
echo '<testsuites/>' | tee ml/reports/review.xml >ml/reports/drift.xml
"""
_AWS: Final = """#!/bin/bash
echo "aws $*" >>"$CALLS"
if [ "${FAULT:-}" = aws ]; then exit 255; fi
if [ "$1" = s3 ]; then
  if [ "${FAULT:-}" = s3 ]; then exit 1; fi
  echo '{}' >"${@: -1}"
elif [[ $* == *STACKSEAL_BUILD* ]]; then
  printf 'the-plan\\tthe-render:1\\n'
elif [[ $* == *buildNumber* ]]; then
  printf 'the-render\\tpr/7\\t%s\\t3\\n' "$HEAD"
else
  printf 'the-render\\tpr/7\\t%s\\n' "$HEAD"
fi
"""
_GIT: Final = """#!/bin/bash
echo "git $*" >>"$CALLS"
if [ "${FAULT:-}" = git ]; then exit 128; fi
exec /usr/bin/git "$@"
"""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """One build."""

    outcome: Outcome
    calls: list[str]
    source: Path

    @property
    def ends(self) -> list[tuple[str, str]]:
        return list(self.outcome.phases.items())

    @property
    def ours(self) -> list[str]:
        """The commands of ours that ran."""
        return [call.split()[1] for call in self.calls if call.startswith("stackseal ")]


def build(tmp_path: Path, name: str, spec: Mapping[str, Any] | None = None, **env: str) -> Ran:
    """A build of a pull request, of a push or of the clock, with what each needs."""
    tools, toolkit, source = tmp_path / "tools", tmp_path / "toolkit", tmp_path / "src"
    (toolkit / "scripts").mkdir(parents=True)
    tools.mkdir()
    texts = {"uv": _UV, "stackseal": _STACKSEAL, "aws": _AWS, "git": _GIT}
    for tool, text in texts.items():
        (tools / tool).write_text(text, encoding="utf-8")
        (tools / tool).chmod(0o755)
    (toolkit / "scripts" / "uv.sh").write_text(f'#!/bin/bash\necho "{tools}/uv"\n', encoding="utf-8")
    (toolkit / "scripts" / "uv.sh").chmod(0o755)
    commit = ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--allow-empty"]
    for words in (["init", "--quiet", "--initial-branch=main", source], [*commit, "-m", "one"], [*commit, "-m", "two"]):
        command = ["git", *words] if words[0] == "init" else ["git", "-C", source, *words]
        subprocess.run(command, check=True, capture_output=True)
    head = subprocess.run(["git", "-C", source, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    pull = {"EVENT": "PULL_REQUEST_CLOSED" if name == "cleanup" else "PULL_REQUEST_CREATED"}
    told = {
        "PATH": f"{tools}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "TOOLS": str(tools),
        "CALLS": str(tmp_path / "calls"),
        "HEAD": head.stdout.strip(),
        "CODEBUILD_SRC_DIR": str(source),
        "CODEBUILD_SRC_DIR_toolkit": str(toolkit),
        "CODEBUILD_SRC_DIR_base": str(source),
        "CODEBUILD_SOURCE_VERSION": "pr/7",
        "CODEBUILD_SOURCE_REPO_URL": str(source),
        "CODEBUILD_RESOLVED_SOURCE_VERSION": head.stdout.strip(),
        "STACKSEAL_BUILD": "arn:aws:codebuild:us-west-2:111122223333:build/the-plan:2",
        "STACKSEAL_RENDER_PROJECT": "the-render",
        "STACKSEAL_PLAN_PROJECT": "the-plan",
        "STACKSEAL_BUCKET": "reviews",
        **({f"CODEBUILD_WEBHOOK_{key}": value for key, value in pull.items()} if name in {"render", "cleanup"} else {}),
    }
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    spec = spec or SPECS[name]
    outcome = run(spec, {**environment(spec), **told, **env}, source, scratch)
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines() if (tmp_path / "calls").is_file() else []
    return Ran(outcome=outcome, calls=calls, source=source)


def shown(ran: Ran) -> str:
    return f"{ran.ends}\n{ran.outcome.log}"


@pytest.mark.parametrize("name", SPECS)
def test_without_a_fault_every_phase_succeeds(tmp_path: Path, name: str) -> None:
    done = build(tmp_path, name)
    assert done.outcome.succeeded, shown(done)
    assert [phase for phase, _ in done.ends] == list(SPECS[name]["phases"])
    assert done.ours == [COMMANDS[name]]
    for what in ("artifacts", "reports"):
        wanted = SPECS[name].get(what, {})
        for part in [wanted] if what == "artifacts" and wanted else wanted.values():
            assert all((done.source / part["base-directory"] / file).is_file() for file in part["files"])


@pytest.mark.parametrize("name", SPECS)
def test_install_that_fails_runs_nothing_of_ours(tmp_path: Path, name: str) -> None:
    done = build(tmp_path, name, FAULT="uv")
    assert done.ends == [("install", "FAILED")], shown(done)
    assert (done.outcome.succeeded, done.ours) == (False, [])


@pytest.mark.parametrize(
    ("name", "fault"),
    [("render", "git"), ("deploy", "git"), ("plan", "git"), ("plan", "aws"), ("plan", "s3"), ("publish", "aws")],
)
def test_preparation_that_fails_runs_nothing_of_ours(tmp_path: Path, name: str, fault: str) -> None:
    done = build(tmp_path, name, FAULT=fault)
    assert done.ends == [("install", "SUCCEEDED"), ("pre_build", "FAILED")], shown(done)
    assert (done.outcome.succeeded, done.ours) == (False, [])
    assert not (done.source / ".stackseal-out").exists()


@pytest.mark.parametrize("code", ["1", "2", "3", "4", "5"])
@pytest.mark.parametrize("name", SPECS)
def test_a_command_that_fails_fails_the_build(tmp_path: Path, name: str, code: str) -> None:
    """Nothing is handed on then; what was found before is still shown."""
    done = build(tmp_path, name, EXIT=code)
    assert not done.outcome.succeeded
    assert done.outcome.phases["build"] == "FAILED", shown(done)
    assert done.ours == [COMMANDS[name]]
    if "artifacts" in SPECS[name]:
        folder = done.source / SPECS[name]["artifacts"]["base-directory"]
        assert not any((folder / file).exists() for file in SPECS[name]["artifacts"]["files"])


def test_a_report_that_there_is_not_is_published_as_such(tmp_path: Path) -> None:
    """The plan ended badly: publish goes on, so that the command can say so; without a file it fails."""
    done = build(tmp_path, "publish", FAULT="s3", EXIT="2")
    assert done.ends == [("install", "SUCCEEDED"), ("pre_build", "SUCCEEDED"), ("build", "FAILED")], shown(done)
    assert "There is no report" in done.outcome.log
    assert done.ours == ["publish"]
    assert "--status" in done.calls[-1]


@pytest.mark.parametrize("name", ["publish", "drift"])
def test_what_is_tidied_up_at_the_end_can_fail_a_build_and_not_mend_one(tmp_path: Path, name: str) -> None:
    assert [phase for phase in SPECS[name]["phases"].values() if "finally" in phase]
    done = build(tmp_path / "good", name, CODEBUILD_SRC_DIR_base="/nowhere")
    assert done.outcome.succeeded
    (tmp_path / "bad" / "src").mkdir(parents=True)
    blocked = tmp_path / "bad" / "src" / ".stackseal-out"
    blocked.write_text("a file where a folder should be", encoding="utf-8")
    failed = build(tmp_path / "bad", name)
    assert (failed.outcome.succeeded, failed.outcome.phases["build"]) == (False, "FAILED"), shown(failed)


def test_no_build_goes_on_after_a_failure() -> None:
    """No `on-failure`, and no phase after the build that could say something else than it."""
    assert set(SPECS) == set(COMMANDS)
    for name, spec in SPECS.items():
        assert set(spec["phases"]) <= {"install", "pre_build", "build"}, name
        assert not [phase for phase in spec["phases"].values() if "on-failure" in phase], name
        assert not [phase for key, phase in spec["phases"].items() if key != "build" and "finally" in phase], name


@pytest.mark.parametrize("phase", ["install", "pre_build", "build", "post_build"])
@pytest.mark.parametrize("name", SPECS)
def test_a_fault_that_is_put_into_any_phase_fails_the_build(tmp_path: Path, name: str, phase: str) -> None:
    """Whatever a phase does at first; post_build is what somebody may add."""
    spec = {**SPECS[name], "phases": {**SPECS[name]["phases"]}}
    there = spec["phases"].get(phase, {"commands": ["true"]})
    spec["phases"][phase] = {**there, "commands": ["false", *there["commands"]]}
    done = build(tmp_path, name, spec)
    assert not done.outcome.succeeded
    assert done.outcome.phases[phase] == "FAILED"
    assert (COMMANDS[name] in done.ours) is (phase == "post_build"), shown(done)
