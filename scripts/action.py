"""Writes action.yml, its copy for our own workflows and docs/reference/action.md from the command line's parser.

`--check` writes nothing and compares.

Each option of the commands that CI runs is an input, and each input reaches the program in an environment variable of
its own (`hosts/github_action.py` turns them into a command line). The same code gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from stackseal.cli import parser
from stackseal.hosts.github_action import OUTPUTS

ROOT: Final = Path(__file__).parents[1]
ACTION: Final = ROOT / "action.yml"
CALLED: Final = ROOT / ".github" / "actions" / "stackseal" / "action.yml"
"""The same text for our own workflows: `uses: $/` needs a path (actions/runner, PipelineConstants.cs)."""
PAGE: Final = ROOT / "docs" / "reference" / "action.md"
COMMANDS: Final = (
    "review",
    "report",
    "publish",
    "deploy",
    "drift",
    "cleanup",
    "replan",
    "show-pull-request",
    "recover",
    "check",
)
"""What CI runs."""
_GLOBAL: Final = ("root", "log-level", "edition")
_KINDS: Final = {"option": "text", "flag": "`true` or `false`", "words": "lines"}


class Input(NamedTuple):
    """One input; `kind` says what becomes of it: `option`, `flag` or `words`, `step` for what is the step's own."""

    name: str
    kind: str
    meaning: str
    commands: tuple[str, ...] = ()
    default: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that carries it; none for the step's own."""
        return f"STACKSEAL_{self.kind.upper()}_{self.name.upper().replace('-', '_')}"

    @property
    def description(self) -> str:
        """What action.yml says of it."""
        return f"{', '.join(self.commands)}: {self.meaning}" if self.commands else self.meaning


STEP: Final = (
    Input(name="command", kind="step", meaning=f"What to do: {', '.join(COMMANDS)}."),
    Input(name="working-directory", kind="step", default=".", meaning="The folder with stackseal.yaml."),
    Input(
        name="github-token",
        kind="step",
        default="${{ github.token }}",
        meaning="The token for comments and issues; what it may do, the job's permissions say.",
    ),
)


def inputs() -> tuple[Input, ...]:
    """Every input: the step's own first, then the parser's by name.

    Raises ValueError where one name means different things in two commands.
    """
    found: dict[str, Input] = {}
    for command, action in _actions():
        given = _input(command, action)
        if (old := found.get(given.name)) is not None:
            if old.kind != given.kind:
                raise ValueError(f"the input {given.name} is {old.kind} and {given.kind}")
            given = Input(name=old.name, kind=old.kind, meaning=_joined(old, given), commands=_both(old, given))
        found[given.name] = given
    return (*STEP, *(found[name] for name in sorted(found)))


def _joined(old: Input, new: Input) -> str:
    return old.meaning if new.meaning in old.meaning else f"{old.meaning}; {new.commands[0]}: {new.meaning}"


def _both(old: Input, new: Input) -> tuple[str, ...]:
    return old.commands if set(new.commands) <= set(old.commands) else (*old.commands, *new.commands)


def _actions() -> Iterator[tuple[str, argparse.Action]]:
    main = parser()
    subparsers = next(action for action in main._actions if isinstance(action, argparse._SubParsersAction))
    shared = {action.dest for action in main._actions}
    for action in main._actions:
        if any(option.removeprefix("--") in _GLOBAL for option in action.option_strings):
            yield "", action
    for command in COMMANDS:
        for action in subparsers.choices[command]._actions:
            if action.dest not in shared:
                yield command, action


def _input(command: str, action: argparse.Action) -> Input:
    name = next((option for option in action.option_strings if option.startswith("--")), action.dest)
    kind = "words" if not action.option_strings else "flag" if action.nargs == 0 else "option"
    meaning = str(action.help or "")
    if action.choices:
        meaning += f" ({', '.join(str(choice) for choice in action.choices)})"
    commands = (command,) if command else ()
    return Input(name=name.removeprefix("--").replace("_", "-"), kind=kind, meaning=meaning, commands=commands)


BESIDE_AWS: Final[Mapping[str, tuple[str, str]]] = {
    "has-changes": ("the same", "ours also where a whole stack is removed, and over all stacks of the pull request"),
    "changes-count": ("the same", "ours is the sum over all stacks"),
    "change-set-id": ("the same", "left out where there are several stacks"),
    "change-set-name": ("the same", "left out where there are several stacks"),
    "stack-id": ("alike", "theirs is the stack's ARN, ours its name; CloudFormation takes both"),
    "changes-markdown": ("alike", "Markdown for a comment; ours is the whole review, and `publish` posts it"),
    "changes-summary": (
        "not there",
        "CloudFormation's first 50 changes as JSON; ours, all of them, are in `report.json`",
    ),
    "KEY of a stack's output": ("not there", "a composite action names its outputs beforehand: use `stack-outputs`"),
}
"""The outputs of aws-actions/aws-cloudformation-github-deploy 2.2.0 (its action.yml and src/main.ts), and ours."""


_HEAD: Final = """\
# Generated by scripts/action.py; `make docs` writes it anew.
name: stackseal
description: "Review, seal and deploy CloudFormation for machine learning: what was reviewed is what is deployed."
author: stackseal
branding:
  icon: check-square
  color: purple
"""
_INSTALL: Final = """\
runs:
  using: composite
  steps:
    # No action of a third party: this works with allow-lists, on GitHub Enterprise Server and on CodeBuild's runners.
    - name: Install stackseal
      shell: bash
      env:
        UV_PYTHON_DOWNLOADS: never
        UV_PYTHON_PREFERENCE: only-system
        UV_NO_PROGRESS: "1"
      run: |
        root="$GITHUB_ACTION_PATH"
        # Our own workflows call the action in .github/actions/stackseal.
        if [ ! -f "$root/pyproject.toml" ]; then root="$root/../../.."; fi
        uv="$("$root/scripts/uv.sh")"
        home="$RUNNER_TEMP/stackseal-env"
        "$uv" venv --quiet --allow-existing --python '>=3.11' "$home"
        "$uv" pip sync --quiet --python "$home/bin/python" --require-hashes \\
          "$root/requirements/runtime.txt" "$root/requirements/build.txt"
        # Not from the cache: it knows a local folder by the age of one file, and has wheels of other commits.
        "$uv" pip install --quiet --python "$home/bin/python" --no-cache --no-index --no-deps --no-build-isolation \\
          "$root"
    # Inputs are environment variables and reach the program without a shell: toolkit/stackseal/hosts/github_action.py.
    - name: Run stackseal
      id: run
      shell: bash
      working-directory: ${{ inputs.working-directory }}
"""


def action() -> str:
    """The text of action.yml."""
    lines = [_HEAD.rstrip(), "inputs:"]
    for item in inputs():
        required = "true" if item.name == "command" else "false"
        lines += [f"  {item.name}:", f"    description: {_text(item.description)}", f"    required: {required}"]
        if item.name != "command":
            lines.append(f"    default: {_text(item.default)}")
    lines.append("outputs:")
    for name, meaning in OUTPUTS.items():
        lines += [f"  {name}:", f"    description: {_text(meaning)}", f"    value: ${{{{ steps.run.outputs.{name} }}}}"]
    lines += [_INSTALL.rstrip(), "      env:"]
    lines += [f"        {name}: {value}" for name, value in variables().items()]
    lines.append("""      run: '"$RUNNER_TEMP/stackseal-env/bin/stackseal"'""")
    return "\n".join(lines) + "\n"


def variables() -> Mapping[str, str]:
    """The environment of the step that runs the program."""
    fixed = {
        "PYTHONSAFEPATH": '"1"',
        "STACKSEAL_ACTION": '"1"',
        "STACKSEAL_COMMAND": "${{ inputs.command }}",
        "STACKSEAL_WORKING_DIRECTORY": "${{ inputs.working-directory }}",
        "GITHUB_TOKEN": "${{ inputs.github-token }}",
    }
    return fixed | {item.variable: f"${{{{ inputs.{item.name} }}}}" for item in inputs() if item.kind != "step"}


def _text(value: str) -> str:
    """A YAML scalar; JSON's strings are YAML's double-quoted ones."""
    return value if value.startswith("${{") else json.dumps(value, ensure_ascii=False)


_PAGE: Final = """\
<!-- Generated by scripts/action.py; `make docs` writes it anew. -->

# The GitHub Action

A composite action without actions of third parties. It installs stackseal from its hash-pinned locks into the runner's
temporary folder and runs one command. Needs bash, git and Python 3.11 or newer with pip. Use it through the
[reusable workflows](../how-to/github.md), which part the jobs as they must be parted; alone, it serves one stage.

checkov has an environment of its own, about 200 MB. It is installed when the first template must be scanned, and not by
a run that scans none: no config changed, or publish, deploy, drift, cleanup. [Measured](../explanation/performance.md).

An input that a command does not take is refused with exit 2. `lines` are arguments without a name, one in a line. No
input passes through a shell.
"""


_BESIDE: Final = """\
A workflow that reads the outputs of `aws-actions/aws-cloudformation-github-deploy` 2.2.0 finds ours by the same names.
That action sets those of the change set only with `no-execute-changeset`; here `review` sets them."""


def page() -> str:
    """The text of docs/reference/action.md."""
    rows = [
        f"| `{item.name}` | {_KINDS.get(item.kind, 'text')} | {_cell(', '.join(item.commands) or 'all')} "
        f"| {f'`{item.default}`' if item.default else ''} | {_cell(item.meaning)} |"
        for item in inputs()
    ]
    outputs = [f"| `{name}` | {_cell(meaning)} |" for name, meaning in OUTPUTS.items()]
    parts = [
        _PAGE.rstrip(),
        "## Inputs",
        "\n".join(["| Input | Type | Commands | Default | Meaning |", "|-|-|-|-|-|", *rows]),
        "## Outputs",
        "A command leaves out what it does not tell.",
        "\n".join(["| Output | Meaning |", "|-|-|", *outputs]),
        "## Beside AWS's own deploy action",
        _BESIDE,
        "\n".join(
            ["| Output of AWS's action | Ours | Difference |", "|-|-|-|"]
            + [f"| `{name}` | {alike} | {said} |" for name, (alike, said) in BESIDE_AWS.items()]
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def files() -> dict[Path, str]:
    """Every generated file with its text."""
    return {ACTION: action(), CALLED: action(), PAGE: page()}


def main(arguments: Sequence[str]) -> int:
    """Write the files, or with --check say which is not current."""
    texts = files()
    if "--check" in arguments:
        stale = [path for path, text in texts.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not current; run: make docs", file=sys.stderr)
        return 1 if stale else 0
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
