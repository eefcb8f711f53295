"""What stackseal costs, measured here and now: `make bench`. docs/explanation/performance.md explains the rows.

    bench.py [--rows NAME,…] [--runs N] [--size N] [--values N] [--full] [--page] [--keep]

A row is a function that measures and returns seconds and ratios; ADD A ROW: the function and its line in `ROWS`. What a
ratio compares is measured in turns in one run, so that a busy machine slows both sides down. Prints the rows, writes
reports/bench.json, and with --page puts what was printed on the page. Nothing here passes or fails by a time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

import bench_engines
import yaml

from stackseal import __version__, assets
from stackseal.checks import checkov_env

ROOT: Final = Path(__file__).parents[1]
BIN: Final = Path(sys.executable).parent
RESULT: Final = ROOT / "reports" / "bench.json"
KEPT: Final = ROOT / "docs" / "bench"
PAGE: Final = ROOT / "docs" / "explanation" / "performance.md"
_MARKS: Final = ("<!-- make bench -->\n```text\n", "```\n<!-- end -->\n")
_EXAMPLE: Final = "techcorp-prod-a001-us-west-2-customer-churn-ml-codecommit"
MANY: Final = 10
"""Configs of the larger review."""
THOUSAND: Final = 1000


class Skipped(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """Why a row cannot be measured here."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What was measured: medians in seconds, and ratios of those."""

    seconds: Mapping[str, float]
    ratios: Mapping[str, float]
    counts: Mapping[str, float] = field(default_factory=dict)
    """What is no time, with its unit in the name."""


@dataclass(frozen=True)
class Bench:
    """Where and how often is measured."""

    work: Path
    runs: int = 3
    env: Mapping[str, str] = field(default_factory=lambda: environment(os.environ))
    size: int = 100
    """The most templates of the rows `engines` and `memory`."""
    values: int = 5
    """Sets of values of the row `findings`."""
    full: bool = False
    """Whether a thousand templates are given to the commands as well, instead of being extrapolated from a hundred."""

    def interleaved(self, variants: Mapping[str, Callable[[], Mapping[str, float]]]) -> dict[str, float]:
        """The median of each time that the variants tell, taken in turns: every variant once, then again."""
        found: dict[str, list[float]] = {}
        for _ in range(self.runs):
            for variant in variants.values():
                for name, value in variant().items():
                    found.setdefault(name, []).append(value)
        return {name: statistics.median(values) for name, values in found.items()}

    def run(self, name: str, *command: str | Path, **more: str) -> dict[str, float]:
        """The wall time of a command that must succeed; `more` goes into its environment."""
        begun = time.perf_counter()
        subprocess.run(command, cwd=self.work, env={**self.env, **more}, check=True, capture_output=True, text=True)
        return {name: time.perf_counter() - begun}

    def shell(self, name: str, *commands: str) -> dict[str, float]:
        """The wall time of lines of bash."""
        return self.run(name, "bash", "-c", "\n".join(commands))

    def check(self, name: str, folder: Path, option: str) -> dict[str, float]:
        """The wall time of our `check` of a folder."""
        return self.shell(name, bench_engines.ours(BIN / "stackseal", folder, option))

    def both(self, folder: Path) -> str:
        """The two commands for a folder, one after the other."""
        return bench_engines.theirs(BIN / "cfn-lint", self.checkov, f"{folder}/*.yaml", f"--directory {folder}")

    def commands(self, name: str, folder: Path) -> dict[str, float]:
        """The wall time of both commands for a folder."""
        return self.shell(name, self.both(folder))

    @cached_property
    def checkov(self) -> Path:
        """checkov's executable."""
        return checkov_env.install(lambda _: None, env=self.env)

    def fresh(self, name: str) -> Path:
        """An empty folder."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.work))

    @cached_property
    def repository(self) -> Path:
        """A repository with an empty branch main, and the branches `one` and `many` that add configs."""
        folder = self.work / "repository"
        folder.mkdir()
        (folder / "stackseal.yaml").write_text("version: 1\nconfigs: configs\n", encoding="utf-8")
        (folder / ".gitignore").write_text("/ml/\n", encoding="utf-8")
        git(folder, "init", "--quiet", "--initial-branch=main")
        commit(folder)
        example = (assets.PRODUCTS / "ml" / "examples" / f"{_EXAMPLE}.yaml").read_text(encoding="utf-8")
        for branch, number in (("one", 1), ("many", MANY)):
            git(folder, "switch", "--quiet", "--create", branch, "main")
            (folder / "configs").mkdir(exist_ok=True)
            for tenant in (f"a{index + 1:03}" for index in range(number)):
                path = folder / "configs" / f"{_EXAMPLE.replace('a001', tenant)}.yaml"
                path.write_text(example.replace("a001", tenant), encoding="utf-8")
            commit(folder)
        return folder


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """The environment of everything that is measured: byte code is kept, as users keep it."""
    return {key: value for key, value in env.items() if key not in {"PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"}}


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True)  # noqa: S607 - git of PATH


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=bench", "-c", "user.email=bench@example.com", "commit", "--quiet", "--message=Configs")


def ratios(seconds: Mapping[str, float], *pairs: tuple[str, str]) -> dict[str, float]:
    """Each pair's first time over its second."""
    return {f"{one} / {other}": seconds[one] / seconds[other] for one, other in pairs}


# --- rows


def start(bench: Bench) -> Row:
    """The Action's first step and a first start: nothing cached, with uv and its cache, once more; beside pip."""
    _network(bench)
    (step, *_) = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
    cache = bench.fresh("cache")
    tools = bench.fresh("tools")

    def action(name: str, temp: Path, cache: Path, tools: Path) -> dict[str, float]:
        more = {
            **step["env"],
            "GITHUB_ACTION_PATH": str(ROOT),
            "RUNNER_TEMP": str(temp),
            "UV_CACHE_DIR": str(cache),
            "STACKSEAL_UV_DIR": str(tools),
            "PIP_NO_CACHE_DIR": "1",
            "PATH": _path_without_uv(bench.env["PATH"]),
        }
        script = f'set -eo pipefail\n{step["run"]}"$home/bin/stackseal" --version'
        return bench.run(name, "bash", "-c", script, **more)

    def cold() -> dict[str, float]:
        return action("cold", bench.fresh("temp"), bench.fresh("cache"), bench.fresh("tools"))

    def warm() -> dict[str, float]:
        temp = bench.fresh("temp")
        return action("warm", temp, cache, tools) | action("again", temp, cache, tools)

    def pip() -> dict[str, float]:
        home = bench.fresh("pip")
        options = "--quiet --disable-pip-version-check --no-cache-dir"
        locks = f"-r {ROOT}/requirements/runtime.txt -r {ROOT}/requirements/build.txt"
        script = (
            f"python3 -m venv {home} && {home}/bin/pip install {options} --require-hashes {locks}"
            f" && {home}/bin/pip install {options} --no-index --no-deps --no-build-isolation {ROOT}"
            f" && {home}/bin/stackseal --version"
        )
        return bench.run("pip", "bash", "-c", script)

    action("", bench.fresh("temp"), cache, tools)  # fills what `warm` finds
    seconds = bench.interleaved({"cold": cold, "warm": warm, "pip": pip})
    return Row(seconds=seconds, ratios=ratios(seconds, ("cold", "pip"), ("warm", "pip"), ("again", "pip")))


def _network(bench: Bench) -> None:
    """Nothing, where packages can be fetched. Raises `Skipped`."""
    command = ["python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
    command += ["--no-deps", "--require-hashes", "-r", str(ROOT / "requirements" / "uv.txt"), "-d"]
    done = subprocess.run([*command, bench.fresh("probe")], env=bench.env, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise Skipped(f"nothing can be fetched here, and a cold start fetches everything ({last[:120]})")


def _path_without_uv(path: str) -> str:
    return os.pathsep.join(folder for folder in path.split(os.pathsep) if not shutil.which("uv", path=folder))


def help_(bench: Bench) -> Row:
    """`stackseal --help`, beside a Python that does nothing and beside `cfn-lint --help`."""
    commands = {
        "--help": (BIN / "stackseal", "--help"),
        "python": (sys.executable, "-I", "-c", "pass"),
        "cfn-lint --help": (BIN / "cfn-lint", "--help"),
    }
    for command in commands.values():
        bench.run("", *command)  # writes byte code
    seconds = bench.interleaved(
        {name: lambda name=name, command=command: bench.run(name, *command) for name, command in commands.items()}
    )
    return Row(seconds=seconds, ratios=ratios(seconds, ("--help", "python"), ("--help", "cfn-lint --help")))


def review(bench: Bench) -> Row:
    """A whole review with predicted plans, of 1 and of 10 configs, then by stage; and the two engines' own commands."""
    folder = bench.repository
    template = bench.work / "template.yaml"
    made = [
        BIN / "stackseal",
        "create-prov-template",
        next((folder / "configs").iterdir()),
        "--root",
        bench.work / "ml",
    ]
    subprocess.run(made, cwd=folder, env=bench.env, check=True, capture_output=True)
    shutil.copy(next((bench.work / "ml" / "templates").glob("*.yaml")), template)
    checkov = checkov_env.install(lambda _: None, env=bench.env)

    def whole(branch: str, number: int) -> dict[str, float]:
        git(folder, "switch", "--quiet", branch)
        report = str(bench.work / f"{branch}.json")
        command = f'cd {folder} && {BIN}/stackseal review --base main --log-level error --to-report "{report}"'
        return bench.run(f"{number}: whole", "bash", "-c", command)

    def engines() -> dict[str, float]:
        lint = f"{BIN}/cfn-lint --regions us-west-2 -- {template} || true"
        scan = f"{checkov} --quiet --compact --framework cloudformation --skip-download --file {template} || true"
        return bench.run("1: cfn-lint and checkov", "bash", "-c", f"{lint}; {scan}")

    seconds = bench.interleaved(
        {
            "one": lambda: whole("one", 1),
            "engines": engines,
            "many": lambda: whole("many", MANY),
            "stages of one": lambda: _stages(bench, "one", 1),
            "stages of many": lambda: _stages(bench, "many", MANY),
        }
    )
    pairs = (("1: whole", "1: cfn-lint and checkov"), (f"{MANY}: whole", "1: whole"))
    return Row(seconds=seconds, ratios=ratios(seconds, *pairs))


def _stages(bench: Bench, branch: str, number: int) -> dict[str, float]:
    stages = _child(bench, branch, "cfn-lint", "checkov")["stages"]
    return {f"{number}: {name}": value for name, value in stages.items()}


def _child(bench: Bench, branch: str, *engines: str) -> Mapping[str, Mapping[str, float]]:
    """What scripts/bench_stages.py measures of a branch."""
    git(bench.repository, "switch", "--quiet", branch)
    report = bench.work / f"{branch}.json"
    if not report.is_file():
        command = [BIN / "stackseal", "review", "--base", "main", "--to-report", report]
        subprocess.run(command, cwd=bench.repository, env=bench.env, check=True, capture_output=True)
    command = [sys.executable, ROOT / "scripts" / "bench_stages.py", bench.repository, "main", report]
    command += engines
    done = subprocess.run(command, env=bench.env, check=True, capture_output=True, text=True)
    found: Mapping[str, Mapping[str, float]] = json.loads(done.stdout)
    return found


def report(bench: Bench) -> Row:
    """Each format of a report of 10 stacks, for one stack, everything loaded; beside the policies of one stack."""
    seconds = bench.interleaved({"warm": lambda: _child(bench, "many")["warm"]})
    formats = [name for name in seconds if name != "policy"]
    return Row(
        seconds={name: seconds[name] for name in formats},
        ratios=ratios(seconds, *((name, "policy") for name in formats)),
    )


def policy(bench: Bench) -> Row:
    """The policies of one stack of 19 resources, everything loaded; beside the stage that also loads the facts."""
    seconds = bench.interleaved(
        {
            "warm": lambda: {"one stack, warm": _child(bench, "one")["warm"]["policy"]},
            "cold": lambda: {"one stack, first": _child(bench, "one")["stages"]["policy"]},
        }
    )
    return Row(seconds=seconds, ratios=ratios(seconds, ("one stack, first", "one stack, warm")))


def engines(bench: Bench) -> Row:
    """Linting and scanning new templates, beside the two commands: file by file (loop), and for the folder."""
    seconds: dict[str, float] = {}
    pairs: list[tuple[str, str]] = []
    for size in [size for size in (1, 10, 100) if size <= bench.size]:
        folder = bench_engines.templates(bench.fresh("new"), size, new=True)
        seconds |= bench.interleaved(
            {
                "ours": lambda folder=folder, size=size: bench.check(f"{size} new", folder, "--no-cache"),
                "folder": lambda folder=folder, size=size: bench.commands(f"{size} new: folder", folder),
                "loop": lambda folder=folder, size=size: _loop(bench, folder, size),
            }
        )
        pairs += [(f"{size} new", f"{size} new: {other}") for other in ("folder", "loop")]
    line = {size: seconds[f"{size} new"] for size in (10, 100) if size <= bench.size}
    if bench.size >= 100:
        middle = bench_engines.templates(bench.fresh("middle"), 40, new=True)
        line[40] = bench.check("", middle, "--no-cache")[""]
    if bench.full:
        most = bench_engines.templates(bench.fresh("most"), THOUSAND, new=True)
        line[THOUSAND] = seconds[f"{THOUSAND} new"] = bench.check("", most, "--no-cache")[""]
    counts = {}
    if len(line) > 2:
        slope, r2 = bench_engines.fit(line)
        counts = {"slope, ms per template": slope * 1000, "R2 of the line": r2}
    return Row(seconds=seconds, ratios=ratios(seconds, *pairs), counts=counts)


def _loop(bench: Bench, folder: Path, size: int) -> dict[str, float]:
    sample = sorted(folder.iterdir())[: bench_engines.SAMPLE]
    steps = [bench_engines.theirs(BIN / "cfn-lint", bench.checkov, str(path), f"--file {path}") for path in sample]
    (taken_,) = bench.shell("", *steps).values()
    return {f"{size} new: loop": taken_ * size / len(sample)}


def thousand(bench: Bench) -> Row:
    """A thousand templates of 40 and of 10 shapes: cold, 1 changed, nothing changed; beside the folder's commands."""
    many, few = (bench_engines.templates(bench.fresh("few"), THOUSAND, shapes=shapes) for shapes in (40, 10))
    known, folder = f"--cache-dir {bench.fresh('cache')}", f"{THOUSAND}: folder"

    def commands() -> dict[str, float]:
        if bench.full:
            return bench.commands(folder, many)
        parts = [bench_engines.templates(bench.fresh("part"), size, shapes=40) for size in (10, 100)]
        ten, hundred = (bench.commands("", part)[""] for part in parts)
        return {folder: bench_engines.extrapolated(ten, hundred, THOUSAND)}

    def changed() -> dict[str, float]:
        path = many / "00000.yaml"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("Description: ", "Description: x", 1), encoding="utf-8")
        return bench.check(f"{THOUSAND}: 1 changed", many, known)

    bench.check("", many, known)
    seconds = bench.interleaved(
        {
            "many": lambda: bench.check(f"{THOUSAND}: 40 shapes, cold", many, "--no-cache"),
            "few": lambda: bench.check(f"{THOUSAND}: 10 shapes, cold", few, "--no-cache"),
            "folder": commands,
            "changed": changed,
            "same": lambda: bench.check(f"{THOUSAND}: nothing changed", many, known),
        }
    )
    mine = ("40 shapes, cold", "10 shapes, cold", "1 changed", "nothing changed")
    return Row(seconds=seconds, ratios=ratios(seconds, *((f"{THOUSAND}: {name}", folder) for name in mine)))


def memory(bench: Bench) -> Row:
    """The most memory of all processes at one time (PSS) for new templates, beside the two commands in turn."""
    size = THOUSAND if bench.full else min(bench.size, 100)
    folder = bench_engines.templates(bench.fresh("new"), size, new=True)
    mine = bench_engines.peak(bench_engines.ours(BIN / "stackseal", folder, "--no-cache"), bench.env)
    other = bench_engines.peak(bench.both(folder), bench.env)
    counts = {f"{size} new: MiB": mine, f"{size} new: folder, MiB": other}
    return Row(seconds={}, ratios={f"{size} new: MiB / folder": mine / other}, counts=counts)


def findings(bench: Bench) -> Row:
    """Findings that only one side has, over 40 combinations with sets of values: by shape, and by the commands."""
    number = bench_engines.COMBINATIONS * bench.values
    folder = bench_engines.templates(bench.fresh("values"), number)
    command = [BIN / "stackseal", "check", folder, "--region", bench_engines.REGION, "--no-cache", "--format", "json"]
    said = subprocess.run(command, env=bench.env, capture_output=True, text=True, check=False)
    rows = json.loads(said.stdout)["findings"]
    counts = {
        "templates": number,
        "findings": len(rows),
        "findings that differ": bench_engines.differing(rows, folder, BIN / "cfn-lint", bench.checkov),
    }
    return Row(seconds={}, ratios={}, counts=counts)


def change(bench: Bench) -> Row:
    """A review of a repository of 1,000 configs of which 10 change: predicted, and sealed on the embedded AWS."""
    folder = bench.fresh("large")
    _thousand_configs(folder)
    report = bench.work / "large.json"
    words = f"{BIN}/stackseal review --base main --log-level error --to-report {report}"

    def command(plan: str, cache: str = "--no-cache") -> str:
        local = " --aws local --plan sealed" if plan == "sealed" else ""
        return f"cd {folder} && {words}{local} {cache}"

    known = f"--cache-dir {bench.fresh('cache')}"
    bench.shell("", command("predicted", known))
    _whole(report)
    seconds = bench.interleaved(
        {
            "predicted": lambda: bench.shell("predicted, nothing known", command("predicted")),
            "sealed": lambda: bench.shell("sealed, nothing known", command("sealed")),
            "known": lambda: bench.shell("predicted, findings known", command("predicted", known)),
        }
    )
    counts = {f"{plan}: MiB": bench_engines.peak(command(plan), bench.env) for plan in ("predicted", "sealed")}
    return Row(seconds=seconds, ratios={}, counts=counts)


def _whole(report: Path) -> None:
    """Nothing, if the review is of all the changed configs. Raises `ValueError`: a review of nothing is quick."""
    found = json.loads(report.read_text(encoding="utf-8"))
    if found["failures"] or len(found["stacks"]) != MANY or not all(stack["plan"] for stack in found["stacks"]):
        raise ValueError(f"the review is of {len(found['stacks'])} stacks: {found['failures'][:1]}")


def _thousand_configs(folder: Path) -> None:
    """A repository of 1,000 configs on main, and a branch, checked out, that changes the tier of 10."""
    (folder / "configs").mkdir()
    (folder / "stackseal.yaml").write_text("version: 1\nconfigs: configs\n", encoding="utf-8")
    (folder / ".gitignore").write_text("/ml/\n", encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch=main")
    example = (assets.PRODUCTS / "ml" / "examples" / f"{_EXAMPLE}.yaml").read_text(encoding="utf-8")
    paths = [folder / "configs" / f"{_EXAMPLE.replace('a001', f't{index:03}')}.yaml" for index in range(THOUSAND)]
    for index, path in enumerate(paths):
        path.write_text(example.replace("a001", f"t{index:03}"), encoding="utf-8")
    commit(folder)
    git(folder, "switch", "--quiet", "--create", "change")
    for path in paths[:: THOUSAND // MANY]:
        text = path.read_text(encoding="utf-8")
        mail = "professional\n  alerts_email: ml-alerts@example.com"
        path.write_text(text.replace("starter", mail), encoding="utf-8")
    commit(folder)


ROWS: Final[dict[str, Callable[[Bench], Row]]] = {
    "start": start,
    "help": help_,
    "review": review,
    "report": report,
    "policy": policy,
    "engines": engines,
    "thousand": thousand,
    "memory": memory,
    "findings": findings,
    "change": change,
}
ASKED: Final = frozenset({"engines", "thousand", "memory", "findings", "change"})
"""Rows that are measured only when they are named: minutes on a quiet machine."""
GOALS: Final[dict[str, float]] = {
    "1 new / 1 new: folder": 0.33,
    "10 new / 10 new: loop": 1 / 15,
    "10 new / 10 new: folder": 0.36,
    "100 new / 100 new: loop": 1 / 23,
    "100 new / 100 new: folder": 0.40,
    "1000: 40 shapes, cold / 1000: folder": 1 / 100,
    "1000: 10 shapes, cold / 1000: folder": 1 / 100,
    "1000: 1 changed / 1000: folder": 1 / 250,
    "1000: nothing changed / 1000: folder": 1 / 3000,
    "1000 new: MiB / folder": 0.5,
    "findings that differ": 0,
    "predicted, nothing known": 15,
    "sealed, nothing known": 15,
    "predicted: MiB": 900,
    "sealed: MiB": 900,
}
"""What we want to reach on a quiet machine of two cores; a bench judges nobody, it prints them beside what it found."""


# --- what is done with them


def machine() -> dict[str, str]:
    """The facts without which a time says nothing."""
    model = ""
    if (info := Path("/proc/cpuinfo")).is_file():
        lines = [line for line in info.read_text(encoding="utf-8").splitlines() if line.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else ""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "stackseal": __version__,
        "commit": _commit(),
        "cores": str(os.cpu_count()),
        "processor": model or platform.machine(),
        "memory": f"{memory:.0f} GiB",
        "system": platform.system(),
        "python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def _commit() -> str:
    command = ["git", "-C", ROOT, "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def shown(name: str, row: Row | str) -> str:
    """A row as it is printed; a text says why it was skipped."""
    title = " ".join(str(ROWS[name].__doc__).split())
    if isinstance(row, str):
        return f"{name}: {title}\n  skipped: {row}\n"
    width = max(len(each) for each in [*row.seconds, *row.ratios, *row.counts])
    times = [f"  {each:<{width}}  {_time(value)}{_goal(each, 's')}" for each, value in row.seconds.items()]
    return "\n".join(
        [
            f"{name}: {title}",
            *times,
            *(f"  {each:<{width}}  {value:9.3g} x{_goal(each, 'x')}" for each, value in row.ratios.items()),
            *(f"  {each:<{width}}  {value:9.4g}{_goal(each, '')}" for each, value in row.counts.items()),
            "",
        ]
    )


def _goal(name: str, unit: str) -> str:
    return f"   (at most {GOALS[name]:.3g} {unit}".rstrip() + ")" if name in GOALS else ""


def _time(seconds: float) -> str:
    return f"{seconds:9.2f} s" if seconds >= 0.1 else f"{seconds * 1000:9.2f} ms"


def taken(name: str, bench: Bench) -> Row | str:
    """A row, or why it was skipped."""
    try:
        return ROWS[name](bench)
    except Skipped as reason:
        return str(reason)


def failed(name: str, error: subprocess.CalledProcessError) -> str:
    """One sentence for a row whose command did not work."""
    last = (str(error.stderr or error.stdout or "").strip().splitlines() or ["it said nothing"])[-1]
    return f"{name} was not measured: a command ended with {error.returncode}: {last}"


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write; exit 1 where a row's command failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usual = ",".join(name for name in ROWS if name not in ASKED)
    parser.add_argument("--rows", default=usual, help=f"which (default: {usual}; also: {','.join(sorted(ASKED))})")
    parser.add_argument("--runs", type=int, default=3, help="how often each is measured (default: 3)")
    parser.add_argument("--size", type=int, default=100, help="most templates of engines and memory (default: 100)")
    parser.add_argument("--values", type=int, default=5, help="sets of values of the row findings (default: 5)")
    parser.add_argument("--full", action="store_true", help="extrapolate nothing from 100 to 1,000 templates; an hour")
    parser.add_argument("--keep", action="store_true", help="keep the result as that of this release, in docs/bench/")
    parser.add_argument("--page", action="store_true", help=f"put the result into {PAGE.relative_to(ROOT)}")
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.rows.split(",")) - set(ROWS)):
        parser.error(f"there is no row {', '.join(unknown)}: they are {', '.join(ROWS)}")
    if given.runs < 1:
        parser.error("--runs must be 1 or more")
    if given.size < 1 or given.values < 1:
        parser.error("--size and --values must be 1 or more")
    facts = {**machine(), "runs": str(given.runs), "full": "yes" if given.full else "no, from 100"}
    texts, rows = [" · ".join(f"{key} {value}" for key, value in facts.items()) + "\n"], {}
    print(texts[0], flush=True)
    with tempfile.TemporaryDirectory(prefix="stackseal-bench-") as folder:
        bench = Bench(Path(folder), given.runs, size=given.size, values=given.values, full=given.full)
        for name in given.rows.split(","):
            try:
                found = taken(name, bench)
            except subprocess.CalledProcessError as error:
                print(f"error: {failed(name, error)}", file=sys.stderr)
                return 1
            rows[name] = {"skipped": found} if isinstance(found, str) else asdict(found)
            texts.append(shown(name, found))
            print(texts[-1], flush=True)
    RESULT.parent.mkdir(exist_ok=True)
    result = json.dumps({"machine": facts, "rows": rows}, indent=2) + "\n"
    RESULT.write_text(result, encoding="utf-8")
    if given.keep:
        KEPT.mkdir(parents=True, exist_ok=True)
        (KEPT / f"{__version__}.json").write_text(result, encoding="utf-8")
    if given.page:
        PAGE.write_text(paged(PAGE.read_text(encoding="utf-8"), "\n".join(texts)), encoding="utf-8")
    return 0


def paged(page: str, text: str) -> str:
    """The page with what was printed between its marks."""
    before, found, rest = page.partition(_MARKS[0])
    _, end, after = rest.partition(_MARKS[1])
    if not (found and end):
        raise ValueError(f"{PAGE.relative_to(ROOT)} has lost its marks {_MARKS}")
    return before + found + text + end + after


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
