"""A step of `action.yml`: its inputs become a command line, and what the command found becomes the step's outputs.

No input passes through a shell. `action.yml` puts each into an environment variable whose name says what it is:

    STACKSEAL_COMMAND         the command
    STACKSEAL_OPTION_NAME     `--name=VALUE`
    STACKSEAL_FLAG_NAME       `--name`, where the value is `true`
    STACKSEAL_WORDS_NAME      arguments without a name, one in a line

Empty is not given. scripts/action.py writes the variables from the command line's own parser, so that the two agree.
"""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

FACTS: Final = "STACKSEAL_FACTS"
"""The file into which a command's result goes, see `commands.base.emit`."""
OUTPUTS: Final[Mapping[str, str]] = {
    "exit-code": "The exit code; see docs/reference/exit-codes.md.",
    "verdict": "`blocked`, `needs a human` or `ready`.",
    "shards": "The parts of a `review` for other jobs to draw, as a JSON list of `part` and `of`; `[]` for a whole.",
    "findings": "The number of findings.",
    "blocking": "The number of findings that block.",
    "comment": "Where the comment can be read.",
    "stacks": "The names of the stacks, as a JSON list.",
    "stack-id": "The stack's name where there is exactly one; CloudFormation takes it for its id.",
    "has-changes": "`true` where anything would change.",
    "changes-count": "The number of resources that change.",
    "changes-markdown": "The comment's Markdown, of a `review` in one job.",
    "change-set-id": "The change set's ARN where there is exactly one.",
    "change-set-name": "Its name.",
    "deployments": "What became of each stack, as a JSON list of stack, outcome and status.",
    "unsealed": "The names of the stacks that `leave-unsealed` left, as a JSON list.",
    "stale": "The numbers of pull requests whose plans a deployment has made stale, with commas between them.",
    "number": "The pull request's number, of `show-pull-request` as the next ones.",
    "head": "Its last commit.",
    "base": "The commit of the base with which it was merged on trial.",
    "merge": "The commit of that merge.",
    "trusted": "`true` where its branch is in the repository itself, and it is neither Dependabot's nor a draft.",
    "plan-digest": "The digest of the plans of a `review` with `unsealed`, which `approved` takes.",
    "stack-outputs": "What each deployed stack puts out, as a JSON object: stack to key to value.",
    "drifted": "The names of the stacks that drifted, as a JSON list.",
}


_PULL: Final = ("number", "head", "base", "merge", "trusted")


def argv(env: Mapping[str, str]) -> list[str]:
    """The command line of the step's inputs; what is wrong with it the parser says.

    The comment's key of a step in a working directory of its own is that directory, and its paths are below it, so that
    monorepos need no more.
    """
    command = env.get("STACKSEAL_COMMAND", "").strip(" -")
    options = dict(_named(env, "STACKSEAL_OPTION_"))
    folder = env.get("STACKSEAL_WORKING_DIRECTORY", ".").strip("./")
    if command == "publish" and folder:
        options.setdefault("id", folder)
        options.setdefault("folder", folder)
    flags = [
        f"--{name}" if value == "true" else f"--{name}={value}"
        for name, value in _named(env, "STACKSEAL_FLAG_")
        if value != "false"
    ]
    given = [f"--{name}={value}" for name, value in sorted(options.items())]
    words = [line.strip() for _, text in _named(env, "STACKSEAL_WORDS_") for line in text.splitlines() if line.strip()]
    return [*([command] if command else []), *given, *flags, *(["--", *words] if words else [])]


def run(env: Mapping[str, str], main: Callable[[Sequence[str], Mapping[str, str]], int]) -> int:
    """Run the command of the inputs, write the step's outputs, and return the exit code."""
    words = argv(env)
    with tempfile.TemporaryDirectory(prefix="stackseal-", dir=env.get("RUNNER_TEMP")) as folder:
        path = Path(folder, "facts.json")
        code = main(words, {**env, FACTS: path.as_posix()})
        result = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if output := env.get("GITHUB_OUTPUT"):
        write(Path(output), outputs(code, result.get("facts", {}), result.get("text", "")))
    return code


def outputs(code: int, facts: Mapping[str, Any], text: str) -> dict[str, str]:
    """The outputs of a command's facts; names are those of `OUTPUTS`, and what a command does not tell is left out."""
    stacks = [item if isinstance(item, str) else item["stack"] for item in facts.get("stacks", ())]
    deployments = facts.get("deployments")
    if deployments is not None:
        stacks = [item["stack"] for item in deployments]
        rows = [{key: item[key] for key in ("stack", "outcome", "status")} for item in deployments]
    change_sets = facts.get("change_sets", ())
    found: dict[str, object] = {"exit-code": code}
    for name in ("verdict", "findings", "blocking", "comment"):
        found[name] = facts.get(name) if not isinstance(facts.get(name), list) else len(facts[name])
    if "stacks" in facts or deployments is not None:
        found |= {"stacks": json.dumps(stacks), "stack-id": stacks[0] if len(stacks) == 1 else None}
    if "changes" in facts:
        found |= {"has-changes": str(facts["changed"]).lower(), "changes-count": facts["changes"]}
        only = change_sets[0] if len(change_sets) == 1 else None
        found |= {"change-set-id": only, "change-set-name": _name(only) if only else None}
        found["changes-markdown"] = text if text.startswith("<!-- stackseal ") else None
    if deployments is not None:
        stale = sorted({number for item in deployments for number in item.get("stale", ())})
        found |= {"deployments": json.dumps(rows), "unsealed": json.dumps(facts.get("unsealed", []))}
        found["stale"] = ",".join(str(number) for number in stale)
        found["stack-outputs"] = json.dumps({item["stack"]: dict(item["outputs"]) for item in deployments})
    if "shards" in facts:
        found["shards"] = json.dumps(facts["shards"])
    found["plan-digest"] = facts.get("plan_digest")
    found |= {name: facts[name] for name in _PULL if name in facts}
    if any(isinstance(item, dict) and "issue" in item for item in facts.get("stacks", ())):
        found["drifted"] = json.dumps([item["stack"] for item in facts["stacks"] if item["status"] == "DRIFTED"])
    return {name: str(value) for name, value in found.items() if value is not None}


def write(path: Path, values: Mapping[str, str], delimiter: Callable[[], str] = lambda: secrets.token_hex(16)) -> None:
    """Append outputs to GITHUB_OUTPUT, each between delimiters that nobody can foresee and that it does not hold.

    A value that held its delimiter would end there, and its rest could be another output.
    """
    lines: list[str] = []
    for name, value in values.items():
        end = next(end for end in iter(delimiter, None) if end not in value)
        lines += [f"{name}<<{end}", value, end]
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write("".join(f"{line}\n" for line in lines))


def _name(change_set: str) -> str:
    """The name in the ARN of a change set, `arn:…:changeSet/NAME/ID`."""
    return change_set.split("/")[1] if "/" in change_set else change_set


def _named(env: Mapping[str, str], prefix: str) -> Iterator[tuple[str, str]]:
    """The inputs of one kind that are given, by their names."""
    for key in sorted(env):
        if key.startswith(prefix) and env[key].strip():
            yield key.removeprefix(prefix).lower().replace("_", "-"), env[key].strip()
