"""The rows `engines`, `thousand`, `memory` and `findings` of scripts/bench.py: templates, and what is compared.

Templates are made of 40 examples of the products, each with values of its own for company, tenant and purpose. *New*
ones differ in their descriptions as well, so that no two have one shape (docs/adr/0022-shapes.md). Those of a number
of shapes are made of examples whose shape is the same with every set of values, and of variants of their description.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from stackseal.checks import shape
from stackseal.checks.scan import plain

GOLDEN: Final = Path(__file__).parents[1] / "tests" / "golden"
COMBINATIONS: Final = 40
SAMPLE: Final = 2
"""Steps of the loop that are really run; the rest is extrapolated, and the name of the time says so."""
REGION: Final = "us-west-2"
_COMPANIES: Final = ("acme", "n3xt", "bigbank", "data4all", "orchard")
_CASES: Final = ("churn", "fraud-v2", "risk", "x9-vision", "demand")
_HEADER: Final = re.compile(r"(?<=config sha256:)[0-9a-f]{8}")


def templates(folder: Path, number: int, *, new: bool = False, shapes: int = 0) -> Path:
    """A folder of that many templates: of as many shapes, if they are given, else of all combinations."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = few() if shapes else combinations()
    for index in range(number):
        which = index % shapes if shapes else index
        text = _renamed(texts[which % len(texts)], index // (shapes or len(texts)))
        text = _HEADER.sub(f"{index:08}", text, count=1)
        if new or shapes:  # what is written besides names makes another shape
            words = f"{index:05}" if new else f"{which // len(texts)}"
            text = text.replace("\nDescription: ", f"\nDescription: variant {words} ", 1)
        (folder / f"{index:05}.yaml").write_text(text, encoding="utf-8")
    return folder


def combinations() -> list[str]:
    """What the examples of the products render to; accounts' own stacks are left out."""
    found = sorted(path for path in GOLDEN.glob("*/*/template.yaml") if path.parent.parent.name != "bootstrap")
    return [path.read_text(encoding="utf-8") for path in found[:COMBINATIONS]]


def few() -> list[str]:
    """One example of each shape that stays the same with every set of values."""
    found: dict[str, str] = {}
    for text in combinations():
        keys = {_key(_renamed(text, number)) for number in range(30)}
        if len(keys) == 1 and (key := keys.pop()) is not None:
            found.setdefault(key, text)
    return list(found.values())


def _key(text: str) -> str | None:
    found = shape.of(plain(text))
    return found.key if found else None


def _renamed(text: str, number: int) -> str:
    """The template with the values of this number in the Defaults of its parameters."""
    head, mark, rest = text.partition("\nResources:\n")
    words = {
        r"techcorp|globalbank|edge(?=-)": _COMPANIES[number % len(_COMPANIES)],
        r"\b[abc]001\b": f"t{number:03}",
        r"customer-churn|demand-forecasting|fraud-detection": _CASES[number // len(_COMPANIES) % len(_CASES)],
    }
    lines = head.split("\n")
    for old, value in words.items():
        lines = [re.sub(old, value, line) if line.startswith("    Default: ") else line for line in lines]
    return "\n".join(lines) + mark + rest


def extrapolated(ten: float, hundred: float, number: int) -> float:
    """The seconds of a number of templates, if each costs as much as between the 10th and the 100th."""
    return ten + (hundred - ten) / 90 * (number - 10)


def fit(points: Mapping[int, float]) -> tuple[float, float]:
    """Slope and R² of the straight line through times by number."""
    xs, ys = list(points), list(points.values())
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((a - x) * (b - y) for a, b in points.items()) / sum((a - x) ** 2 for a in xs)
    left = sum((b - (y + slope * (a - x))) ** 2 for a, b in points.items())
    return slope, 1 - left / (sum((b - y) ** 2 for b in ys) or 1)


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
