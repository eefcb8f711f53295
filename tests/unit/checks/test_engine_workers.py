"""The workers say what the command lines say, and what they cannot say the command lines do."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from stackseal.checks import checkov_env
from stackseal.checks.base import Engines, Job
from stackseal.checks.checkov_output import UNREAD
from stackseal.checks.engines import cfn_lint, checkov
from stackseal.errors import Failed
from stackseal.workers import Workers
from unit.checks.samples import FIXTURES, world
from unit.checks.test_checkov import CRASHING, DUPLICATE, HANDLE, JSON, QUEUE, SKIPPING
from unit.checks.test_differential import TEXT, engine_json

GOLDEN = Path(__file__).parents[2] / "golden"
_TYPED = re.compile(r"^ {4}Type: ", re.MULTILINE)


def job(text: str, resources: int | None = None) -> Job:
    return Job(text=text, region="us-west-2", resources=len(_TYPED.findall(text)) if resources is None else resources)


def examples() -> dict[str, Job]:
    """Every template that the examples of the products render to."""
    found = sorted(path for path in GOLDEN.glob("*/**/template.yaml") if path.parent.parent != GOLDEN)
    assert len(found) >= 20
    return {path.parent.name: job(path.read_text(encoding="utf-8")) for path in found}


def faulty() -> dict[str, Job]:
    """Texts with findings, suppressions, and of forms that a tool may stumble over."""
    texts = {path.parent.name: path.read_text(encoding="utf-8") for path in sorted(FIXTURES.glob("*/bad.yaml"))}
    texts |= {"differential": TEXT, "json": JSON, "skipping": SKIPPING, "handle": HANDLE, "duplicate": DUPLICATE}
    texts |= {
        "no mapping": "- a\n",
        "no resource": "Resources: {A: 1}\n",
        "crowded": "Resources: {A: {Type: 'A::B::C'}}",
    }
    return {name: job(text) for name, text in texts.items()}


@pytest.fixture
def hands() -> Iterator[Workers]:
    with Workers() as found:
        yield found


class Said(list[str]):
    """What a person was told."""

    def __call__(self, text: str) -> None:
        self.append(text)


def differing(one: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    return [key for key in {**one, **other} if one.get(key) != other.get(key)]


@pytest.mark.slow
def test_checkovs_worker_and_its_command_line_agree(tmp_path: Path, hands: Workers) -> None:
    jobs = {**examples(), **faulty()}
    said = Said()
    worker = checkov.scan(jobs, world(tmp_path, "checkov", hands=hands, say=said))
    assert said == [], "the command line was not asked"
    command = checkov.scan(jobs, world(tmp_path, "checkov"))
    assert differing(worker, command) == []
    assert sum(len(raws) for raws in worker.values()) > 20
    backwards = {key: jobs[key] for key in reversed(jobs)}
    again = checkov.scan(backwards, world(tmp_path, "checkov", hands=hands, say=said))
    assert differing(worker, again) == [], "one text leaves nothing behind for the next"


@pytest.mark.slow
def test_no_text_is_judged_by_the_policy_of_another(tmp_path: Path, hands: Workers) -> None:
    """checkov keeps policies by file name and policy name, so no file name may come twice."""
    role = """\
Resources:
  Role:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: inline
      Roles: [role]
      PolicyDocument:
        Statement: [{Effect: Allow, Action: ["%s"], Resource: ["%s"]}]
"""
    jobs = {"wide": job(role % ("iam:*", "*")), "narrow": job(role % ("s3:GetObject", "arn:aws:s3:::churn/*"))}
    for order in (jobs, {key: jobs[key] for key in reversed(jobs)}):
        found = checkov.scan(order, world(tmp_path, "checkov", hands=hands))
        assert len(found["wide"]) > 2
        assert found["narrow"] == ()


@pytest.mark.slow
def test_cfn_lints_workers_and_its_command_line_agree(tmp_path: Path, hands: Workers) -> None:
    jobs = examples() | {"differential": job(TEXT)}
    workers = cfn_lint.scan(jobs, world(tmp_path, "cfn-lint", hands=hands))
    files = {str(tmp_path / f"{key}.yaml"): key for key in jobs}
    for path, key in files.items():
        Path(path).write_text(jobs[key].text, encoding="utf-8")
    tool = Path(sys.executable).parent / "cfn-lint"
    said = engine_json(tool, "--format", "json", "--regions", "us-west-2", "--", *map(Path, files), cwd=tmp_path)
    plain: dict[str, set[tuple[str, int, str]]] = {key: set() for key in jobs}
    for match in said:
        row = (match["Rule"]["Id"], match["Location"]["Start"]["LineNumber"], match["Message"])
        plain[files[match["Filename"]]].add(row)
    ours = {
        key: {(raw.check, raw.line, raw.message) for raw in raws if raw.suppressed is None}
        for key, raws in workers.items()
    }
    assert differing(ours, plain) == []
    assert len(ours["differential"]) > 5


def test_cfn_lints_workers_say_what_a_call_in_this_process_says(tmp_path: Path, hands: Workers) -> None:
    jobs = faulty()
    for informational in (False, True):
        engines = world(tmp_path, "cfn-lint", hands=hands, informational=informational)
        apart = cfn_lint.scan(jobs, engines)
        here = cfn_lint.scan(jobs, world(tmp_path, "cfn-lint", informational=informational))
        assert differing(apart, here) == []
        assert any(raw.check.startswith("I") for raws in apart.values() for raw in raws) is informational
    with pytest.raises(Failed, match="Region 'moon-1' cannot be checked"):
        cfn_lint.scan({"key": Job(text=QUEUE, region="moon-1", resources=1)}, world(tmp_path, "cfn-lint", hands=hands))


def environment(folder: Path, python: str) -> Path:
    """An environment whose checkov is a stand-in that crashes at a word, and whose interpreter runs a script."""
    home = folder / "env" / "bin"
    home.mkdir(parents=True)
    for name, text in (("checkov", CRASHING), ("python", python)):
        (home / name).write_text(text)
        (home / name).chmod(0o755)
    return home / "checkov"


SAYING = """#!/bin/bash
eval "exec 3<&${{4%%:*}} 4>&${{4##*:}}"
echo '{{"version": "{version}"}}' >&4
{then}
"""


@pytest.mark.parametrize(
    ("python", "why"),
    [
        ("#!/bin/sh\necho no module named checkov >&2\nexit 1\n", "it has ended: no module named checkov"),
        (SAYING.format(version="1.0", then="cat <&3"), "it is checkov 1.0, and the worker is made for "),
        (SAYING.format(version=checkov_env.version(), then="read line <&3; kill -9 $$"), "it has ended"),
        (SAYING.format(version=checkov_env.version(), then="exec sleep 60"), "it did not answer within 1 seconds"),
        (
            SAYING.format(version=checkov_env.version(), then='while read l <&3; do echo \'{"error": "x"}\' >&4; done'),
            "2 templates stop it",
        ),
        (
            SAYING.format(version=checkov_env.version(), then="while read l <&3; do echo '{\"report\": 3}' >&4; done"),
            "2 templates stop it",
        ),
    ],
)
def test_whatever_happens_to_the_worker_the_command_line_scans_all(
    python: str, why: str, tmp_path: Path, hands: Workers
) -> None:
    said = Said()
    executable = environment(tmp_path, python)
    engines = Engines(checkov=executable, work=tmp_path, hands=hands, say=said, timeout=1 if "sleep" in python else 30)
    found = checkov.scan({"a": job(QUEUE), "b": job(QUEUE + "# CRASH\n")}, engines)
    assert [raw.check for raw in found["a"]] == ["CKV_AWS_27"]
    assert [raw.check for raw in found["b"]] == [UNREAD]
    (line,) = said
    assert f"checkov's worker does not do all ({why}" in line
    assert line.endswith("its command line scans 2 templates")


def test_an_executable_without_an_interpreter_beside_it_is_called(tmp_path: Path, hands: Workers) -> None:
    executable = environment(tmp_path, "")
    executable.with_name("python").unlink()
    said = Said()
    found = checkov.scan({"a": job(QUEUE)}, Engines(checkov=executable, work=tmp_path, hands=hands, say=said))
    assert [raw.check for raw in found["a"]] == ["CKV_AWS_27"]
    assert "there is no interpreter beside" in said[0]


def test_no_command_line_begins_once_everything_is_closed(tmp_path: Path) -> None:
    executable = environment(tmp_path, "#!/bin/sh\nexit 1\n")
    hands = Workers()
    hands.close()
    with pytest.raises(Failed, match="The security scan did not finish: it was interrupted"):
        checkov.scan({"a": job(QUEUE)}, Engines(checkov=executable, work=tmp_path, hands=hands))
    assert not (tmp_path / "calls").exists()


def test_a_text_on_which_cfn_lints_workers_end_is_a_finding_and_the_others_are_linted(
    tmp_path: Path, hands: Workers
) -> None:
    """A limit on time stands for whatever ends a process: each loss is told, and the second one is the finding."""
    said = Said()
    slow = "Resources:\n" + "".join(f"  Q{n}:\n    Type: AWS::SQS::Queue\n" for n in range(400))
    cfn_lint.scan({"warm": job(QUEUE)}, world(tmp_path, "cfn-lint", hands=hands))
    found = cfn_lint.scan({"slow": job(slow)}, world(tmp_path, "cfn-lint", hands=hands, say=said, timeout=0.001))
    (stopped,) = found["slow"]
    assert (stopped.check, cfn_lint.settled(found["slow"])) == (cfn_lint.STOPPED, False)
    assert [line.rpartition("; ")[2] for line in said] == ["trying again", "a finding says so"]
    assert cfn_lint.scan({"next": job(QUEUE)}, world(tmp_path, "cfn-lint", hands=hands)) == {"next": ()}


def test_a_worker_has_no_network() -> None:
    """In a process of its own, because an audit hook stays for good."""
    code = "import socket, sys; from stackseal.checks.checkov_worker import offline; sys.addaudithook(offline)\n"
    code += (
        "for call in (lambda: socket.create_connection(('127.0.0.1', 9)), lambda: socket.gethostbyname('localhost')):\n"
    )
    code += "    try: call()\n    except PermissionError as error: print(error)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert done.count("a worker has no network") == 2
