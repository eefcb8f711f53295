"""checkov, in an environment of its own: as a worker (`checks.checkov_worker`), else by one call for many texts.

It reads files that we wrote, from a directory that holds nothing else, with an empty working directory and an empty
HOME: checkov looks for `.checkov.yaml` in all three, and such a file may name Python to import. It gets no credentials
and is told not to talk to anybody. It lists what passed too, so that a template of which it says nothing is noticed.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from stackseal import yamltext
from stackseal.checks import checkov_env, digest
from stackseal.checks.base import Engines, Job, Raw
from stackseal.checks.checkov_output import REWRITTEN, UNREAD, Crashed, broken, crash, last_line, parse, results
from stackseal.errors import ConfigError, Failed
from stackseal.workers import Gone, Team, Workers

ID: Final = "checkov"
_CANARY: Final = Job(text="Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n", region="", resources=1)
"""A template of which a working checkov has something to say."""
_WORKER: Final = Path(__file__).parents[1] / "checkov_worker.py"
_PATIENCE: Final = 120.0
"""Seconds that the worker may take for one text; then the command line tries."""
_BATCH: Final = 50
"""Templates per call: checkov keeps all of a call in memory, 0.5 GiB for 50 of 30 resources."""
_CROWDED: Final = re.compile(r"---\s+\S|[{\[]|[\"']?Resources[\"']?\s*:\s*[^\s#]")
"""A first line on which a resource may begin."""
_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
_ENVIRONMENT: Final = {
    "CHECKOV_PARALLELIZATION_TYPE": "none",
    "CKV_SKIP_PACKAGE_UPDATE_CHECK": "True",
    "LANG": "C.UTF-8",
    "LOG_LEVEL": "ERROR",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
}


def scan(jobs: Mapping[str, Job], world: Engines) -> Mapping[str, Sequence[Raw]]:
    """The failed and skipped checks of every text, sorted. Raises `Failed` if checkov is missing, crashes or hangs."""
    if not jobs:
        return {}
    executable = world.checkov or (world.install() if world.install else None)
    if executable is None:
        remedy = "install it with `stackseal --install-checkov`, or name its executable in STACKSEAL_CHECKOV"
        raise Failed("The security scan did not run", why="checkov is not installed", remedy=remedy)
    found = _by_worker(jobs, executable.absolute(), world, world.hands) if world.hands else {}
    left = {key: job for key, job in jobs.items() if key not in found}
    return {**found, **_by_command(left, executable.absolute(), world)}


def start(hands: Workers, executable: Path) -> Team:
    """The worker, started if it does not run. Raises `Gone` where the executable's environment is not known."""
    python = executable.resolve().with_name("python")
    if not python.exists():
        raise Gone(f"there is no interpreter beside {executable}")
    return hands.start(ID, (str(python), "-s", "-P", str(_WORKER)))


def identity(world: Engines) -> str | None:
    """The lock that it is installed from, or what is installed where a person named an executable."""
    if world.hands is None:
        return None
    return digest.of_checkov(world.env, checkov_env.LOCK)


def settled(raws: Sequence[Raw]) -> bool:
    """That checkov could not read a text may be its own fault."""
    return all(raw.check != UNREAD for raw in raws)


def spreads(raws: Sequence[Raw]) -> bool:
    """Its checks look for settings, wildcards and keys; none measures a name."""
    return settled(raws)


def _by_worker(jobs: Mapping[str, Job], executable: Path, world: Engines, hands: Workers) -> dict[str, tuple[Raw, ...]]:
    """What the worker says, as far as it does. What is missing is the command line's to say, and that is told."""
    found: dict[str, tuple[Raw, ...]] = {}
    try:
        team = start(hands, executable)
        (seat,) = team.seats
        _locked(str(seat.ready().get("version")))
        files = {key: _file(0, job.text) for key, job in jobs.items()}
        shared = team.share({key: file._asdict() for key, file in files.items()}, min(world.timeout, _PATIENCE))
        for key, answer in shared.answers.items():
            with suppress(Crashed):  # as if it had not been asked
                found |= _heard(key, answer, jobs[key])
        why = shared.why or f"{len(jobs) - len(found)} templates stop it"
    except Gone as error:
        begun = hands.running(ID)
        why = begun.why(error) if begun else str(error)
    if len(found) < len(jobs):
        if hands.over:
            raise Failed("The security scan did not finish", why="it was interrupted", remedy="run it again")
        hands.end([ID])
        world.say(
            f"checkov's worker does not do all ({why}); its command line scans {len(jobs) - len(found)} templates"
        )
    return found


def _locked(version: str) -> None:
    """Nothing for the version that the lock names. Raises `Gone` for another: `Runner` is no promised API."""
    if version != (locked := checkov_env.version()):
        raise Gone(f"it is checkov {version}, and the worker is made for {locked}")


def _heard(key: str, answer: Mapping[str, Any], job: Job) -> dict[str, tuple[Raw, ...]]:
    if "report" not in answer:
        return {}
    return results([answer["report"]], {str(answer.get("name")): key}, {key: job})


def _by_command(jobs: Mapping[str, Job], executable: Path, world: Engines) -> dict[str, tuple[Raw, ...]]:
    keys = sorted(jobs)
    size = min(_BATCH, -(-len(keys) // max(world.workers, 1))) or 1
    batches = [keys[start : start + size] for start in range(0, len(keys), size)]
    with ThreadPoolExecutor(max(world.workers, 1)) as pool:
        batched = pool.map(lambda batch: _scan({key: jobs[key] for key in batch}, executable, world), batches)
        return {key: raws for result in batched for key, raws in result.items()}


def _scan(jobs: Mapping[str, Job], executable: Path, world: Engines) -> dict[str, tuple[Raw, ...]]:
    """One call for all. Where it crashes though checkov works, the template that crashes it is looked for by halves."""
    try:
        return _scan_once(jobs, executable, world)
    except Crashed:
        canary = _scan_once({"canary": _CANARY}, executable, world)["canary"]
        if all(raw.check == UNREAD for raw in canary):
            raise
    return _scan_halves(jobs, executable, world)


def _scan_halves(jobs: Mapping[str, Job], executable: Path, world: Engines) -> dict[str, tuple[Raw, ...]]:
    keys = sorted(jobs)
    found: dict[str, tuple[Raw, ...]] = {}
    for half in (keys[: len(keys) // 2], keys[len(keys) // 2 :]):
        part = {key: jobs[key] for key in half}
        try:
            found |= _scan_once(part, executable, world) if part else {}
        except Crashed as error:
            found |= _scan_halves(part, executable, world) if len(part) > 1 else {half[0]: (crash(error),)}
    return found


def _scan_once(jobs: Mapping[str, Job], executable: Path, world: Engines) -> dict[str, tuple[Raw, ...]]:
    files = {_file(number, job.text): key for number, (key, job) in enumerate(jobs.items())}
    with tempfile.TemporaryDirectory(prefix="checkov-", dir=world.work.absolute()) as folder:
        scratch = Path(folder)
        for name in ("in", "home", "cwd", "tmp"):
            (scratch / name).mkdir()
        for file in files:
            (scratch / "in" / file.name).write_text(file.text, encoding="utf-8")
        output = _call(executable, scratch, world)
    return results(parse(output), {file.name: key for file, key in files.items()}, jobs)


class _File(NamedTuple):
    """What checkov is given for a text."""

    name: str
    text: str


def _file(number: int, text: str) -> _File:
    """The text itself, but YAML whose first line may hold a resource is written anew, one value a line.

    checkov 3.3.30 leaves out what begins on the first line and counts it all the same: the template would look clean.
    """
    if text.lstrip().startswith("{"):
        try:
            json.loads(text)
        except ValueError:
            pass
        else:
            return _File(f"{number:05d}.json", text)
    lines = (line for line in text.splitlines() if line.strip() not in {"", "---"})
    first = next((line for line in lines if not line.lstrip().startswith(("#", "%"))), "")
    if _CROWDED.match(first):
        try:
            data = yamltext.parse(text, "", limits=yamltext.TEMPLATE, tags=yamltext.CLOUDFORMATION_TAGS).data
            return _File(f"{number:05d}{REWRITTEN}", yamltext.dump(data))
        except ConfigError:
            pass
    return _File(f"{number:05d}.yaml", text)


def _call(executable: Path, scratch: Path, world: Engines) -> str:
    settings = scratch / "settings.yaml"
    settings.write_text("{}\n", encoding="utf-8")
    command = [str(executable), "--directory", str(scratch / "in"), "--config-file", str(settings)]
    command += ["--framework", "cloudformation", "--skip-download", "--compact", "--output", "json"]
    path = world.env.get("PATH", _PATH)
    environment = {**_ENVIRONMENT, "PATH": path, "HOME": str(scratch / "home"), "TMPDIR": str(scratch / "tmp")}
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command; the executable is ours or the user's own choice
            command,
            cwd=scratch / "cwd",
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=world.timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        why = f"checkov did not end within {world.timeout:g} seconds"
        raise Failed("The security scan did not finish", why=why, remedy="scan fewer templates at a time") from error
    except OSError as error:
        why, remedy = f"{executable} cannot be started ({error.strerror})", "run `stackseal --install-checkov` again"
        raise Failed("The security scan did not run", why=why, remedy=remedy) from error
    if done.returncode not in {0, 1}:
        raise broken(f"checkov ended with {done.returncode}: {last_line(done.stderr)}")
    return done.stdout
