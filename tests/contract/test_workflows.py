"""The reusable workflows, the callers that `init` writes and the table of docs/how-to/github.md agree, and are safe."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from contract.support import BIN, ROOT
from stackseal.commands.init import callers

REUSABLE: Final = sorted(
    path for path in (ROOT / ".github" / "workflows").glob("*.yml") if "workflow_call:" in path.read_text("utf-8")
)
CALLERS: Final = sorted(path for path in (ROOT / "workflows").glob("*.yml") if path.name != "dependabot.yml")
ALL: Final = sorted({*(ROOT / ".github" / "workflows").glob("*.yml"), *CALLERS})
PERMISSIONS: Final[dict[tuple[str, str], dict[str, str]]] = {
    ("review", "find"): {"contents": "read", "pull-requests": "read"},
    ("review", "render"): {"contents": "read"},
    ("review", "shard"): {"contents": "read"},
    ("review", "plan"): {"contents": "read", "id-token": "write"},
    ("review", "predict"): {"contents": "read"},
    ("review", "queue"): {"contents": "read", "pull-requests": "read"},
    ("review", "publish"): {"contents": "read", "pull-requests": "write"},
    ("review", "scan"): {"security-events": "write"},
    ("review", "verdict"): {},
    ("deploy", "deploy"): {"contents": "read", "id-token": "write", "pull-requests": "read"},
    ("deploy", "plan-unsealed"): {"contents": "read", "id-token": "write"},
    ("deploy", "unsealed"): {"actions": "read", "contents": "read", "id-token": "write"},
    ("deploy", "replan"): {"actions": "write", "pull-requests": "write"},
    ("drift", "drift"): {"contents": "read", "id-token": "write", "issues": "write"},
    ("drift", "findings"): {"contents": "read"},
    ("cleanup", "closed"): {"contents": "read", "id-token": "write"},
    ("cleanup", "sweep"): {"contents": "read", "id-token": "write", "pull-requests": "read"},
}
"""What each job of the reusable workflows may do: exactly this."""
OURS: Final = "$/.github/actions/stackseal"
"""A bare `$/` is refused: GitHub's parser wants a path (actions/runner, PipelineConstants.TryParseSelfRepository)."""
SHA: Final = "stackseal/stackseal@0123456789abcdef0123456789abcdef01234567"


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - text only
    return found


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = load(path)["jobs"]
    return found


def steps(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in jobs(path).items():
        for step in job.get("steps", ()):
            yield name, step


def test_there_is_a_caller_for_each_reusable_workflow() -> None:
    assert [path.name for path in CALLERS] == [path.name for path in REUSABLE]
    assert len(REUSABLE) >= 4


def test_permissions_are_the_table() -> None:
    found = {(path.stem, name): job["permissions"] or {} for path in REUSABLE for name, job in jobs(path).items()}
    # BaseLoader reads `{}` as an empty mapping and everything else as text.
    assert found == PERMISSIONS
    assert all(load(path)["permissions"] == {} for path in ALL)


def test_every_permission_says_why() -> None:
    for path in ALL:
        granted = re.findall(r"^      [a-z-]+: (?:read|write)(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert granted
        assert all(reason.startswith(" # ") for reason in granted), path


def test_the_how_to_shows_the_same_table() -> None:
    page = (ROOT / "docs" / "how-to" / "github.md").read_text(encoding="utf-8")
    for (workflow, job), granted in PERMISSIONS.items():
        shown = ", ".join(f"`{name}: {value}`" for name, value in granted.items()) or "nothing"
        assert f"| {workflow} | {job} | {shown} |" in page


@pytest.mark.parametrize("path", CALLERS, ids=lambda path: path.stem)
def test_a_caller_grants_what_the_called_jobs_need_and_no_more(path: Path) -> None:
    (job,) = jobs(path).values()
    needed: dict[str, str] = {}
    for (workflow, _), granted in PERMISSIONS.items():
        if workflow == path.stem:
            needed |= {name: value for name, value in granted.items() if needed.get(name) != "write"}
    assert job["permissions"] == needed


@pytest.mark.parametrize("path", CALLERS, ids=lambda path: path.stem)
def test_a_caller_passes_every_required_input_and_none_that_is_unknown(path: Path) -> None:
    declared = load(ROOT / ".github" / "workflows" / path.name)["on"]["workflow_call"]["inputs"]
    (job,) = jobs(path).values()
    required = {name for name, item in declared.items() if item.get("required") == "true"}
    assert required <= set(job["with"]) <= set(declared)
    assert {"id", "working-directory"} <= set(job["with"])


def test_steps_of_our_own_pass_known_inputs() -> None:
    known = set(load(ROOT / "action.yml")["inputs"])
    seen = 0
    for path in REUSABLE:
        for name, step in steps(path):
            if step.get("uses") == OURS:
                seen += 1
                assert set(step["with"]) <= known, (path, name)
                assert "command" in step["with"]
    assert seen >= 6


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_action_is_pinned(path: Path) -> None:
    used = re.findall(r"^\s*(?:- )?uses: (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    pinned = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+(/[A-Za-z0-9._/-]+)?@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert not [line for line in used if line != OURS and not pinned.fullmatch(line)]
    for line in used:
        assert line == OURS or line.startswith(("actions/", "stackseal/stackseal/.github/workflows/"))


def test_one_commit_for_each_foreign_action() -> None:
    used = {match for path in ALL for match in re.findall(r"uses: (actions/\S+@\S+ # \S+)", path.read_text("utf-8"))}
    assert len(used) == len({line.partition("@")[0] for line in used}) == 6


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_scripts_hold_no_expression_and_parse(path: Path) -> None:
    for _, step in steps(path):
        if script := step.get("run"):
            assert "${{" not in script
            subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_nothing_dangerous() -> None:
    for path in [*ALL, ROOT / "action.yml"]:
        text = path.read_text(encoding="utf-8")
        for word in (
            "pull_request_target",
            "workflow_run",
            "issue_comment",
            "allow-unsafe",
            "secrets: inherit",
            "write-all",
            "paths:",
        ):
            assert not re.search(rf"^[^#\n]*{re.escape(word)}", text, re.MULTILINE), (path, word)
        for name, step in steps(path) if "jobs" in load(path) else ():
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] == "false", (path, name)


def test_only_render_sees_the_pull_request() -> None:
    """Every other job checks out the base, or nothing."""
    found = {
        name: step["with"].get("ref", "the event's")
        for name, step in steps(ROOT / ".github" / "workflows" / "review.yml")
        if step.get("uses", "").startswith("actions/checkout@")
    }
    # Of a dispatch the trial merge that GitHub named, else what the event brings.
    assert found["shard"] == found.pop("render")
    assert found.pop("shard") == "${{ github.event_name == 'workflow_dispatch' && needs.find.outputs.merge || '' }}"
    assert set(found) == {"plan", "predict", "queue"}
    assert all("head" not in ref.lower() and "base" in ref for ref in found.values())


def test_parts_are_drawn_as_the_whole_is_and_a_missing_one_is_no_success() -> None:
    path = ROOT / ".github" / "workflows" / "review.yml"
    found = jobs(path)
    render, shard = ([step for job, step in steps(path) if job == name] for name in ("render", "shard"))
    assert render[0] == shard[0]
    own = {"to-bundle", "stacks-per-shard", "shard"}
    assert render[1] == shard[1]
    same = [{key: value for key, value in step["with"].items() if key not in own} for step in (render[2], shard[2])]
    assert same[0] == same[1]
    assert found["shard"]["strategy"]["matrix"] == {"shard": "${{ fromJSON(needs.render.outputs.shards || '[]') }}"}
    assert "${{ matrix.shard.part }}" in found["shard"]["concurrency"]["group"]
    for name in ("plan", "predict", "queue"):
        assert "shard" in found[name]["needs"]
        assert """&& contains(fromJSON('["success", "skipped"]'), needs.shard.result)""" in found[name]["if"]
        fetch, merge, plan = [step["with"] for job, step in steps(path) if job == name][1:4]
        assert fetch["pattern"] == shard[3]["with"]["name"].replace("${{ matrix.shard.part }}", "*")
        assert (merge["command"], merge["bundle"]) == ("report", fetch["path"])
        assert merge["to-bundle"] == plan["from-bundle"]


def test_what_is_known_of_templates_is_kept_by_the_clock_alone_and_proven_first() -> None:
    """A pull request may believe it and never write it."""
    found = [
        (path.stem, job, step)
        for path in REUSABLE
        for job, step in steps(path)
        if "actions/cache" in step.get("uses", "")
    ]
    kinds = [(name, job, step["uses"].partition("@")[0]) for name, job, step in found]
    assert kinds == [
        ("drift", "findings", "actions/cache/restore"),
        ("drift", "findings", "actions/cache/save"),
        ("review", "render", "actions/cache/restore"),
        ("review", "shard", "actions/cache/restore"),
    ]
    assert {(step["with"]["path"], step["with"]["key"]) for *_, step in found} == {
        ("~/.cache/stackseal/findings", "stackseal-findings-${{ github.run_id }}")
    }
    (_, keep) = [step for name, job, step in found if name == "drift"]
    assert keep["if"] == "${{ github.event_name == 'schedule' }}"
    (check,) = [
        step["with"]
        for job, step in steps(ROOT / ".github" / "workflows" / "drift.yml")
        if job == "findings" and step["uses"] == OURS
    ]
    assert (check["command"], check["configs"], check["verify-cache"]) == ("check", "true", "true")


def test_forks_dependabot_and_drafts_get_no_credentials() -> None:
    condition = jobs(ROOT / ".github" / "workflows" / "review.yml")["plan"]["if"]
    common, event, dispatch = re.split(r" && \(| \|\| ", condition.strip())
    assert "inputs.plan == 'sealed'" in common
    assert dispatch == "github.event_name == 'workflow_dispatch' && needs.find.outputs.trusted == 'true') }}"
    for part in (
        "github.event_name == 'pull_request'",
        "github.event.pull_request.head.repo.id == github.event.pull_request.base.repo.id",
        "github.event.pull_request.user.login != 'dependabot[bot]'",
        "github.event.sender.login != 'dependabot[bot]'",
        "!github.event.pull_request.draft",
    ):
        assert part in event
    assert "||" not in common + event + dispatch


def test_a_dispatch_says_a_number_and_nothing_else() -> None:
    """What is planned again, and whether credentials may plan it, comes from the job that asks GitHub."""
    path = ROOT / ".github" / "workflows" / "review.yml"
    assert set(load(ROOT / "workflows" / "review.yml")["on"]["workflow_dispatch"]["inputs"]) == {"pull-request"}
    find = jobs(path)["find"]
    assert set(find["outputs"]) == {"number", "head", "base", "merge", "trusted"}
    assert all(value == f"${{{{ steps.find.outputs.{name} }}}}" for name, value in find["outputs"].items())
    for name, job in jobs(path).items():
        used = "\n".join(str({**job, "concurrency": ""}.items()).split("inputs.pull-request")[1:])
        assert name == "find" or not used, name


def test_only_one_job_starts_workflows_and_it_holds_no_identity() -> None:
    starting = [key for key, granted in PERMISSIONS.items() if granted.get("actions") == "write"]
    assert starting == [("deploy", "replan")]
    assert "id-token" not in PERMISSIONS["deploy", "replan"]


def test_what_nobody_reviewed_is_planned_and_executed_by_two_jobs() -> None:
    path = ROOT / ".github" / "workflows" / "deploy.yml"
    found = jobs(path)
    assert load(path)["on"]["workflow_call"]["inputs"]["unsealed"]["default"] == "false"
    assert "environment" not in found["plan-unsealed"]
    assert found["unsealed"]["environment"] == "${{ inputs.environment }}-unsealed"
    assert found["unsealed"]["needs"] == ["deploy", "plan-unsealed"]
    assert "if" not in found["unsealed"]  # skipped or failed before it: skipped, too
    # A job that waits for a person must not hold up what was reviewed.
    assert found["unsealed"]["concurrency"]["group"] != found["deploy"]["concurrency"]["group"]
    (execute,) = [step["with"] for name, step in steps(path) if name == "unsealed" and step["uses"] == OURS]
    assert execute["environment"] == found["unsealed"]["environment"]
    assert load(ROOT / "workflows" / "deploy.yml")["jobs"]["deploy"]["with"]["unsealed"] == "false"


def test_jobs_end_and_do_not_get_in_each_others_way() -> None:
    for path in REUSABLE:
        for name, job in jobs(path).items():
            assert 0 < int(job["timeout-minutes"]) < 360, (path, name)
            assert job["concurrency"]["cancel-in-progress"] in {"true", "false"}
    deploy = jobs(ROOT / ".github" / "workflows" / "deploy.yml")["deploy"]
    assert deploy["concurrency"]["queue"] == "max"
    assert deploy["concurrency"]["cancel-in-progress"] == "false"
    assert deploy["environment"] == "${{ inputs.environment }}"


def test_what_init_writes() -> None:
    files = callers(SHA)
    assert [path.as_posix() for path in files if path.name != "dependabot.yml"] == [
        f".github/workflows/stackseal-{path.name}" for path in CALLERS
    ]
    for path, text in files.items():
        assert "0" * 40 not in text
        if path.name != "dependabot.yml":
            assert re.search(rf"uses: stackseal/stackseal/\.github/workflows/[a-z]+\.yml@{SHA[-40:]} # v\d", text)


@pytest.mark.parametrize("toolkit", ["", "x", "o/r@main", "o/r@v1", "o/r@0123", f"o/r/x@{'a' * 40}", f"o r@{'a' * 40}"])
def test_init_takes_a_full_commit_only(toolkit: str) -> None:
    from stackseal.errors import UsageError

    with pytest.raises(UsageError, match="full commit"):
        callers(toolkit)


@pytest.fixture(scope="module")
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository as `init` leaves it."""
    folder = tmp_path_factory.mktemp("consumer")
    for path, text in callers(SHA).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("kind", ["ours", "consumer"])
def test_zizmor_finds_nothing(consumer: Path, kind: str) -> None:
    """The auditor's persona reports everything; ours takes the whole repository, as lint does."""
    command = [BIN / "zizmor", "--quiet", "--offline", "--persona", "auditor", "--no-ignores", "--strict-collection"]
    done = subprocess.run([*command, ROOT if kind == "ours" else consumer], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "No findings" in done.stdout + done.stderr


def test_the_schemas_are_kept(consumer: Path) -> None:
    tool = BIN / "check-jsonschema"
    written = sorted((consumer / ".github" / "workflows").glob("*.yml"))
    for schema, paths in (
        ("github-workflows", [*ALL, *written]),
        ("github-actions", [ROOT / "action.yml"]),
        ("dependabot", [ROOT / "workflows" / "dependabot.yml", ROOT / ".github" / "dependabot.yml"]),
    ):
        subprocess.run([tool, "--builtin-schema", f"vendor.{schema}", *paths], check=True, capture_output=True)
