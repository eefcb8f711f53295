"""The row `engines` of scripts/bench.py: linting and scanning a folder of templates, beside the engines' own commands.

`--size N` says how many templates (10, 100, 1000 are the sizes to compare; a thousand takes half an hour). Every set is
made of three examples' templates: *new* ones differ in their names, *of 3 shapes* only in the comments at the top.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from stackseal import assets

EXAMPLES: Final = (
    "techcorp-prod-a001-us-west-2-customer-churn-ml-codecommit",
    "techcorp-prod-a001-us-west-2-customer-churn-ml-s3",
    "globalbank-prod-c001-us-west-2-demand-forecasting-ml-s3-standalone-ssm",
)
SAMPLE: Final = 2
"""Steps of the loop that are really run; the rest is extrapolated, and the name of the time says so."""
REGION: Final = "us-west-2"


def templates(folder: Path, stackseal: Path, env: Mapping[str, str], number: int, *, names: bool) -> Path:
    """A folder of that many templates. Raises CalledProcessError where an example cannot be rendered."""
    made, work = folder / "templates", folder / "work"
    for path in (made, work):
        path.mkdir(parents=True)
    texts = [_rendered(work, stackseal, env, example) for example in EXAMPLES]
    for index in range(number):
        text = texts[index % len(texts)].replace("# config sha256:", f"# config sha256:{index:08}", 1)
        lines = text.split("\n", 2)
        lines[1] = lines[1][: len("# config sha256:") + 64]
        text = "\n".join(lines)
        for tenant in ("a001", "c001") if names else ():
            text = text.replace(tenant, f"t{index:03}")
        (made / f"{index:05}.yaml").write_text(text, encoding="utf-8")
    return made


def _rendered(work: Path, stackseal: Path, env: Mapping[str, str], example: str) -> str:
    config = assets.PRODUCTS / "ml" / "examples" / f"{example}.yaml"
    command = [stackseal, "create-prov-template", config, "--root", work / example, "--format", "json"]
    subprocess.run(command, cwd=work, env=dict(env), check=True, capture_output=True)
    (path,) = (work / example / "templates").glob("*.yaml")
    return path.read_text(encoding="utf-8")


def ours(stackseal: Path, folder: Path, *options: str) -> str:
    """The shell's words; exit 1 means findings."""
    return f"{stackseal} check {shlex.quote(str(folder))} --region {REGION} {' '.join(options)} || [ $? -eq 1 ]"


def theirs(lint: Path, checkov: Path, where: str, scanned: str) -> str:
    """Both commands, one after the other; findings are no failure of theirs."""
    options = "--quiet --compact --framework cloudformation --skip-download"
    return f"{lint} --regions {REGION} -- {where} || true; {checkov} {options} {scanned} || true"


def differing(findings: Sequence[Mapping[str, Any]], folder: Path, lint: Path, checkov: Path) -> int:
    """How many findings only one side has: by engine, file and check, suppressed ones left out."""
    mine = Counter(
        (row["engine"], Path(row["file"]).name, row["check"])
        for row in findings
        if row["engine"] in {"cfn-lint", "checkov"} and row["waived"] is None
    )
    other: Counter[tuple[str, str, str]] = Counter()
    files = [str(path) for path in sorted(folder.iterdir())]
    for match in _json([lint, "--format", "json", "--regions", REGION, "--", *files]):
        other["cfn-lint", Path(match["Filename"]).name, match["Rule"]["Id"]] += 1
    command = [checkov, "--directory", folder, "--framework", "cloudformation", "--skip-download", "--output", "json"]
    for record in _json(command)["results"]["failed_checks"]:
        other["checkov", Path(record["file_path"]).name, record["check_id"]] += 1
    return sum(((mine - other) + (other - mine)).values())


def _json(command: Sequence[str | Path]) -> Any:
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)


def peak(command: str, env: Mapping[str, str]) -> float:
    """The most memory, in MiB, that a command and all below it had at one time; shared pages count once (PSS)."""
    most = 0.0
    silent = subprocess.DEVNULL
    words = ["bash", "-c", command]
    with subprocess.Popen(words, env=dict(env), stdout=silent, stderr=silent) as top:
        while top.poll() is None:
            most = max(most, sum(_pss(pid) for pid in _tree(top.pid)) / 1024)
            time.sleep(0.1)
    return most


def _tree(top: int) -> set[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = {top}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _pss(pid: int) -> int:
    """KiB; 0 for a process that has ended meanwhile."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
