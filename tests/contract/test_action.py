"""action.yml, the command line and docs/reference/action.md say the same; no input passes through a shell."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.support import ROOT, script
from stackseal.cli import parse
from stackseal.commands import COMMANDS
from stackseal.hosts import github_action

ACTION = script("action")
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = DOCUMENT["runs"]["steps"]


def environment(**inputs: str) -> dict[str, str]:
    """What the step's program finds in its environment, for inputs as a workflow gives them."""
    given = {name: str(item.get("default", "")) for name, item in DOCUMENT["inputs"].items()}
    given |= {name.replace("_", "-"): value for name, value in inputs.items()}
    return {
        key: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: given[found[1]], str(value))
        for key, value in STEPS[-1]["env"].items()
    }


@pytest.mark.parametrize("path", ACTION.files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_it_is_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == ACTION.files()[path], "run: make docs"


def test_our_own_workflows_call_the_same_action_in_a_folder_of_its_own() -> None:
    assert ACTION.CALLED.read_text(encoding="utf-8") == ACTION.ACTION.read_text(encoding="utf-8")
    assert (ACTION.CALLED.parent / "../../.." / "pyproject.toml").resolve() == ROOT / "pyproject.toml"


def test_every_option_of_the_commands_of_ci_is_an_input() -> None:
    options = {name for command in ACTION.COMMANDS for name in re.findall(r"--([a-z-]+)", usage(command))}
    assert options - {"help"} <= set(DOCUMENT["inputs"])
    assert set(ACTION.COMMANDS) <= set(COMMANDS)


def usage(command: str) -> str:
    from argparse import ArgumentParser

    made = ArgumentParser()
    COMMANDS[command].configure(made)
    return made.format_usage()


def test_every_input_reaches_the_program_in_a_variable_of_its_own() -> None:
    used = re.findall(r"\$\{\{ inputs\.([a-z-]+) \}\}", json.dumps(STEPS[-1]))
    assert set(used) == set(DOCUMENT["inputs"])
    assert len(set(STEPS[-1]["env"])) == len(STEPS[-1]["env"])


def test_no_expression_stands_in_a_script_and_every_script_is_one(tmp_path: Path) -> None:
    for step in STEPS:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"
        subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True)


def test_it_uses_no_other_action() -> None:
    assert not [step for step in STEPS if "uses" in step]


def test_the_locks_are_pinned_by_hash() -> None:
    install = STEPS[0]["run"]
    assert "checkov" not in install, "it is installed on first need: tests/e2e/test_first_need.py"
    assert "--require-hashes" in install
    for name in re.findall(r"requirements/([a-z]+)\.txt", install):
        lock = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        assert all("==" in line for line in lock.splitlines() if re.match(r"[a-z]", line)), name
        assert "--hash=sha256:" in lock


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"command": "review", "base": "main"}, ["review", "--base=main"]),
        ({"command": "review", "fail_on_changes": "true"}, ["review", "--fail-on-changes"]),
        ({"command": "review", "fail_on_changes": "false"}, ["review"]),
        ({"command": "drift", "config": "a.yaml\n\n b.yaml \n"}, ["drift", "--", "a.yaml", "b.yaml"]),
        ({"command": "publish", "report": "r.json"}, ["publish", "--", "r.json"]),
        (
            {"command": "publish", "report": "r.json", "working_directory": "./infra/ml"},
            ["publish", "--folder=infra/ml", "--id=infra/ml", "--", "r.json"],
        ),
        (
            {"command": "publish", "report": "r", "id": "x", "working_directory": "a"},
            ["publish", "--folder=a", "--id=x", "--", "r"],
        ),
        ({"command": "check", "path": "--engines=\n$(touch x)"}, ["check", "--", "--engines=", "$(touch x)"]),
        ({"command": "deploy", "force": "true", "log_level": "debug"}, ["deploy", "--log-level=debug", "--force"]),
        ({"command": "recover", "stack": "s", "region": "--x"}, ["recover", "--region=--x", "--", "s"]),
        ({"command": ""}, []),
    ],
)
def test_inputs_become_a_command_line(inputs: dict[str, str], words: list[str]) -> None:
    assert github_action.argv(environment(**inputs)) == words
    if words:
        assert parse(words, {"HOME": "/"}).command == words[0]


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"command": "publish", "report": "r", "base": "main"}, "unrecognized arguments: --base=main"),
        ({"command": "review", "fail_on_changes": "yes"}, "--fail-on-changes"),
        ({"command": "review", "plan": "none"}, "--plan"),
        ({"command": "rewiev"}, "rewiev"),
        ({"command": ""}, "No command is given"),
        ({"command": "--install-checkov"}, "invalid choice: 'install-checkov'"),
    ],
)
def test_a_wrong_input_is_one_sentence(inputs: dict[str, str], says: str) -> None:
    from stackseal.errors import UsageError

    with pytest.raises(UsageError) as caught:
        parse(github_action.argv(environment(**inputs)), {"HOME": "/"})
    assert says in str(caught.value)


def test_no_output_is_undocumented() -> None:
    assert set(DOCUMENT["outputs"]) == set(github_action.OUTPUTS)
    page = ACTION.PAGE.read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in page for name in [*DOCUMENT["inputs"], *DOCUMENT["outputs"]])


def test_the_outputs_of_awss_own_action_are_compared() -> None:
    """aws-actions/aws-cloudformation-github-deploy, action.yml of 2.2.0: each has its row; what is the same is ours."""
    theirs = {"stack-id", "has-changes", "changes-count", "changes-markdown", "changes-summary"}
    assert {*theirs, "change-set-id", "change-set-name"} == set(ACTION.BESIDE_AWS) - {"KEY of a stack's output"}
    page = ACTION.PAGE.read_text(encoding="utf-8")
    for name, (alike, said) in ACTION.BESIDE_AWS.items():
        assert f"| `{name}` | {alike} | {said} |" in page
        assert alike in {"the same", "alike", "not there"}
        assert (name in DOCUMENT["outputs"]) == (alike != "not there"), name


def read(path: Path) -> dict[str, str]:
    """GITHUB_OUTPUT as the runner reads it (actions/runner, FileCommandManager: NAME<<DELIMITER, lines, DELIMITER)."""
    found: dict[str, str] = {}
    lines = iter(path.read_text(encoding="utf-8").split("\n"))
    for line in lines:
        if line:
            name, _, end = line.partition("<<")
            value = []
            for inner in lines:
                if inner == end:
                    break
                value.append(inner)
            found[name] = "\n".join(value)
    return found


@pytest.mark.parametrize("value", ["", "one", "two\nlines\n", "EOF\nrole<<EOF\nadmin\nEOF", "a<<b", "x=y", "::set::"])
def test_an_output_is_read_as_it_was_written(tmp_path: Path, value: str) -> None:
    path = tmp_path / "out"
    github_action.write(path, {"verdict": value, "comment": "c"})
    assert read(path) == {"verdict": value, "comment": "c"}


def test_a_delimiter_that_the_value_holds_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "out"
    draws = iter(["a", "b"])
    github_action.write(path, {"verdict": "stackseal_a\nadmin=true"}, lambda: next(draws))
    assert read(path) == {"verdict": "stackseal_a\nadmin=true"}
    assert "<<b\n" in path.read_text()


def test_the_outputs_of_a_review() -> None:
    facts = {
        "verdict": "ready",
        "stacks": ["one"],
        "findings": 2,
        "blocking": 0,
        "changed": True,
        "changes": 3,
        "change_sets": ["arn:aws:cloudformation:us-west-2:111122223333:changeSet/seal-pr7/1234"],
        "comment": "url",
    }
    assert github_action.outputs(0, facts, "<!-- stackseal {} -->\nwords") == {
        "exit-code": "0",
        "verdict": "ready",
        "findings": "2",
        "blocking": "0",
        "comment": "url",
        "stacks": '["one"]',
        "stack-id": "one",
        "has-changes": "true",
        "changes-count": "3",
        "change-set-id": "arn:aws:cloudformation:us-west-2:111122223333:changeSet/seal-pr7/1234",
        "change-set-name": "seal-pr7",
        "changes-markdown": "<!-- stackseal {} -->\nwords",
    }


def test_the_outputs_of_a_deployment_and_of_a_drift_run() -> None:
    rows = [
        {"stack": name, "outcome": "updated", "status": "UPDATE_COMPLETE", "outputs": {"Key": name}}
        for name in ("a", "b")
    ]
    found = github_action.outputs(0, {"deployments": rows}, "")
    assert json.loads(found["deployments"])[1] == {"stack": "b", "outcome": "updated", "status": "UPDATE_COMPLETE"}
    assert json.loads(found["stack-outputs"]) == {"a": {"Key": "a"}, "b": {"Key": "b"}}
    assert found["stacks"] == '["a", "b"]'
    assert "stack-id" not in found
    assert (found["unsealed"], found["stale"]) == ("[]", "")
    more = [{**rows[0], "stale": [12, 7]}, {**rows[1], "stale": [7]}]
    found = github_action.outputs(0, {"deployments": more, "unsealed": ["c"]}, "")
    assert (found["unsealed"], found["stale"]) == ('["c"]', "7,12")
    drifts = [{"stack": "a", "status": "DRIFTED", "issue": {}}, {"stack": "b", "status": "IN_SYNC", "issue": {}}]
    assert github_action.outputs(1, {"stacks": drifts}, "")["drifted"] == '["a"]'
    assert github_action.outputs(2, {}, "") == {"exit-code": "2"}


def test_the_outputs_of_a_pull_request_that_was_asked_for() -> None:
    facts = {"number": 7, "head": "a" * 40, "base": "b" * 40, "merge": "c" * 40, "trusted": "false"}
    assert github_action.outputs(0, facts, "") == {
        "exit-code": "0",
        **{name: str(value) for name, value in facts.items()},
    }


def test_a_step_runs_the_command_and_keeps_its_exit_code(tmp_path: Path) -> None:
    """The console script in a step's environment: a refusal is one sentence, and the code is an output."""
    import sys

    env = environment(command="recover", region="us-west-2") | {
        "PATH": "/usr/bin:/bin",
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "out"),
    }
    done = subprocess.run(
        [Path(sys.executable).with_name("stackseal")],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert read(tmp_path / "out") == {"exit-code": "2"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
