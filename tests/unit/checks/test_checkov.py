import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from stackseal.checks.base import Engines, Job, Raw
from stackseal.checks.checkov_output import NOTHING, UNREAD
from stackseal.checks.engines import checkov
from stackseal.errors import Failed
from stackseal.model import Level
from unit.checks.samples import world

QUEUE = """\
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: churn
"""
SKIPPING = QUEUE + "    Metadata: {checkov: {skip: [{id: CKV_AWS_27, comment: no data}]}}\n"
HANDLE = "Resources: {Group: {Type: 'AWS::CloudFormation::WaitConditionHandle'}}\n"
DUPLICATE = QUEUE + "      QueueName: again\n"
JSON = '{"Resources": {"Queue": {"Type": "AWS::SQS::Queue",\n\t"Properties": {}}}}'


def job(text: str, resources: int = 1) -> Job:
    return Job(text=text, region="us-west-2", resources=resources)


def program(folder: Path, script: str) -> Engines:
    """A stand-in for checkov: a shell script that does what a broken one does."""
    path = folder / "checkov"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return Engines(checkov=path, work=folder, timeout=5)


def record(number: int, check: str = "CKV_AWS_27", result: str = "FAILED") -> dict[str, object]:
    return {
        "check_id": check,
        "check_name": "Ensure",
        "check_result": {"result": result, "evaluated_keys": ["Properties/A/[0]/B", "Properties/C"]},
        "file_path": f"/{number:05d}.yaml",
        "file_line_range": [2, 5],
        "resource": "AWS::SQS::Queue.Queue",
        "guideline": "https://example.com/guideline",
    }


def answer(folder: Path, report: object) -> Engines:
    (folder / "answer.json").write_text(json.dumps(report))
    return program(folder, f"cat '{folder}/answer.json'; exit 1")


def report(*failed: object, passed: tuple[object, ...] = (), errors: tuple[str, ...] = (), count: int = 1) -> object:
    results = {
        "failed_checks": failed,
        "passed_checks": passed,
        "skipped_checks": [],
        "parsing_errors": [f"../in/{name}" for name in errors],
    }
    return {"check_type": "cloudformation", "results": results, "summary": {"resource_count": count}}


@pytest.mark.slow
def test_one_call_reads_many_texts_and_keeps_them_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also from a scratch folder that is relative, hidden and named like one that checkov skips."""
    work = tmp_path / ".cache" / "node_modules"
    work.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    jobs = {
        "failing": job(QUEUE),
        "json": job(JSON),
        "skipping": job(SKIPPING),
        "nothing": job(HANDLE),
        "broken": job(DUPLICATE),
        "empty": job("Resources: {}\n", resources=0),
        "one line of json": job('{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}'),
    }
    results = checkov.scan(jobs, world(work.relative_to(tmp_path), "checkov"))
    assert set(results) == set(jobs)
    (failing,) = results["failing"]
    assert (failing.check, failing.level, failing.resource, failing.line) == ("CKV_AWS_27", Level.ERROR, "Queue", 2)
    assert failing.path == ("Resources", "Queue", "Properties", "KmsMasterKeyId")
    assert failing.suppressed is None
    assert [raw.check for raw in results["json"]] == ["CKV_AWS_27"]
    assert [(raw.check, raw.suppressed) for raw in results["skipping"]] == [("CKV_AWS_27", "no data")]
    assert [(raw.check, raw.level) for raw in results["nothing"]] == [(NOTHING, Level.NOTE)]
    assert [(raw.check, raw.level) for raw in results["broken"]] == [(UNREAD, Level.ERROR)]
    assert results["empty"] == ()
    assert [(raw.check, raw.line) for raw in results["one line of json"]] == [("CKV_AWS_27", 1)]
    assert list(work.iterdir()) == [], "scratch files are removed"


def test_nothing_to_read_starts_nothing(tmp_path: Path) -> None:
    assert checkov.scan({}, program(tmp_path, "exit 9")) == {}


def test_checkov_gets_no_credentials_and_finds_no_configuration(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = f"""
    exec >'{seen}'
    env; echo "CWD=$PWD"; for d in "$PWD" "$HOME" "$TMPDIR"; do ls -A "$d"; done; echo "IN"; ls -A "$2"; echo "ARGS=$*"
    exit 3"""
    engines = program(tmp_path, script)
    with pytest.raises(Failed):
        checkov.scan({"key": job(QUEUE)}, engines)
    before, _, inside = seen.read_text().partition("IN\n")
    variables = dict(line.split("=", 1) for line in before.splitlines() if "=" in line)
    assert {"PWD", "_", "OLDPWD", "SHLVL", "CWD"} | set(variables) == {
        *("PWD", "_", "OLDPWD", "SHLVL", "CWD", "HOME", "TMPDIR", "PATH", "LANG", "LOG_LEVEL"),
        *("CHECKOV_PARALLELIZATION_TYPE", "CKV_SKIP_PACKAGE_UPDATE_CHECK", "PYTHONHASHSEED", "PYTHONUTF8"),
    }
    assert all("=" in line for line in before.splitlines()), "the three folders are empty"
    assert inside.splitlines()[0] == "00000.yaml"
    assert "--skip-download" in inside
    assert "--config-file" in inside
    assert variables["HOME"].startswith(str(tmp_path))
    assert variables["CWD"].startswith(str(tmp_path))


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo oops >&2; exit 2", "checkov ended with 2: oops"),
        ("kill -9 $$", "checkov ended with -9"),
        ("echo not json; exit 0", "checkov's output is not JSON: not json"),
        ("exit 0", "checkov's output is not JSON: it is empty"),
        ("echo 3; exit 0", "unknown shape"),
        ("echo '{\"results\": {}}'; exit 1", "unknown shape"),
        ('echo \'{"results": 3, "summary": {}}\'; exit 1', "unknown shape"),
    ],
)
def test_a_broken_scan_is_a_failure_and_never_silence(script: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(Failed) as caught:
        checkov.scan({"key": job(QUEUE)}, program(tmp_path, script))
    assert why in str(caught.value)
    assert caught.value.remedy


def test_a_scan_that_hangs_ends(tmp_path: Path) -> None:
    engines = program(tmp_path, "exec sleep 60")
    engines = Engines(checkov=engines.checkov, work=tmp_path, timeout=0.2)
    with pytest.raises(Failed, match=r"checkov did not end within 0\.2 seconds"):
        checkov.scan({"key": job(QUEUE)}, engines)


def test_a_scan_that_hangs_is_not_tried_again(tmp_path: Path) -> None:
    engines = program(tmp_path, f"echo . >>'{tmp_path}/calls'; exec sleep 60")
    engines = Engines(checkov=engines.checkov, work=tmp_path, timeout=0.2)
    with pytest.raises(Failed):
        checkov.scan({str(number): job(QUEUE) for number in range(4)}, engines)
    assert len((tmp_path / "calls").read_text().split()) == 1


def test_checkov_gets_the_path_it_is_given(tmp_path: Path) -> None:
    engines = program(tmp_path, f"""echo "$PATH" >'{tmp_path}/path'; echo '{{"passed": 0}}'""")
    engines = Engines(checkov=engines.checkov, work=tmp_path, env={"PATH": "/opt/tools:/bin", "AWS_PROFILE": "prod"})
    checkov.scan({"key": job(QUEUE)}, engines)
    assert (tmp_path / "path").read_text() == "/opt/tools:/bin\n"


def test_a_missing_checkov_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="stackseal --install-checkov"):
        checkov.scan({"key": job(QUEUE)}, Engines(checkov=None, work=tmp_path))
    with pytest.raises(Failed, match="cannot be started"):
        checkov.scan({"key": job(QUEUE)}, Engines(checkov=tmp_path / "nowhere", work=tmp_path))


def results(engines: Engines, **jobs: Job) -> dict[str, list[Raw]]:
    return {key: list(raws) for key, raws in checkov.scan(jobs, engines).items()}


def test_a_record_becomes_a_result_at_the_property_that_was_looked_at(tmp_path: Path) -> None:
    (raw,) = results(answer(tmp_path, report(record(0))), key=job(QUEUE))["key"]
    assert raw.path == ("Resources", "Queue", "Properties", "A", 0, "B")
    assert raw.help_url == "https://example.com/guideline"


def test_a_list_of_reports_is_one_result(tmp_path: Path) -> None:
    both = [report(record(0, "CKV_B")), report(record(0, "CKV_A"))]
    assert [raw.check for raw in results(answer(tmp_path, both), key=job(QUEUE))["key"]] == ["CKV_A", "CKV_B"]


def test_silence_about_a_template_is_an_error_if_checkov_counted_fewer_resources(tmp_path: Path) -> None:
    heard = report(record(0), count=1)
    (unread,) = results(answer(tmp_path, heard), a=job(QUEUE), b=job(HANDLE))["b"]
    assert (unread.check, unread.level) == (UNREAD, Level.ERROR)
    (nothing,) = results(answer(tmp_path, report(record(0), count=2)), a=job(QUEUE), b=job(HANDLE))["b"]
    assert (nothing.check, nothing.level) == (NOTHING, Level.NOTE)


def test_the_short_report_of_an_empty_scan_is_silence(tmp_path: Path) -> None:
    short = {"passed": 0, "failed": 0, "skipped": 0, "parsing_errors": 0, "resource_count": 0}
    (unread,) = results(answer(tmp_path, short), key=job(QUEUE))["key"]
    assert unread.check == UNREAD


def test_a_passed_check_proves_that_a_template_was_read(tmp_path: Path) -> None:
    passed = report(passed=(record(0, result="PASSED"),), count=0)
    assert results(answer(tmp_path, passed), key=job(QUEUE))["key"] == []


def test_a_parsing_error_is_an_error(tmp_path: Path) -> None:
    (unread,) = results(answer(tmp_path, report(errors=("00000.yaml",))), key=job(QUEUE))["key"]
    assert (unread.check, unread.level) == (UNREAD, Level.ERROR)


def test_a_checkov_that_crashes_and_then_says_nothing_is_broken(tmp_path: Path) -> None:
    script = f"""if [ -e '{tmp_path}/again' ]; then echo '{{"passed": 0}}'; else touch '{tmp_path}/again'; exit 2; fi"""
    with pytest.raises(Failed, match="checkov ended with 2"):
        checkov.scan({"a": job(QUEUE), "b": job(QUEUE)}, program(tmp_path, script))


@pytest.mark.slow
def test_what_checkov_passes_over_is_not_overlooked(tmp_path: Path) -> None:
    """checkov itself reports nothing for resources on the first line and counts them all the same."""
    flow = "{Queue: {Type: 'AWS::SQS::Queue'}, Other: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Name}}}"
    texts = [
        f"Resources: {flow}",
        f"# comment\n'Resources': {flow}\n",
        f"{{Resources: {flow}}}",
        f"--- {{Resources: {flow}}}",
        f"---\nResources: {flow}",
        f"%YAML 1.1\n---\nResources: {flow}\nOutputs: {{}}\n",
    ]
    jobs = {str(number): job(text, resources=2) for number, text in enumerate(texts)}
    found = results(world(tmp_path, "checkov"), **jobs)
    for key in jobs:
        assert {(raw.check, raw.resource) for raw in found[key]} == {("CKV_AWS_27", "Queue"), ("CKV_AWS_27", "Other")}
        assert {raw.line for raw in found[key]} == {0}, "the path says where"


def test_several_workers_share_the_texts(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    calls.mkdir()
    script = f"""ls "$2" | wc -l >'{calls}'/$$; echo '{{"passed": 0}}'"""
    engines = program(tmp_path, script)
    engines = Engines(checkov=engines.checkov, work=tmp_path, workers=2)
    jobs = {str(number): job(QUEUE) for number in range(5)}
    assert set(checkov.scan(jobs, engines)) == set(jobs)
    assert sorted(int(path.read_text()) for path in calls.iterdir()) == [2, 3]


CRASHING = f"""#!{sys.executable}
import json, sys
from pathlib import Path
files = sorted(Path(sys.argv[2]).iterdir())
Path(sys.argv[2]).parents[1].joinpath("calls").open("a").write(f"{{len(files)}} ")
if any("CRASH" in file.read_text() for file in files):
    print("TypeError: unhashable type", file=sys.stderr)
    sys.exit(2)
failed = [
    {{
        "check_id": "CKV_AWS_27",
        "check_name": "Ensure",
        "check_result": {{"result": "FAILED"}},
        "file_path": "/" + file.name,
        "file_line_range": [1, 2],
        "resource": "AWS::SQS::Queue.Queue",
    }}
    for file in files
]
results = {{"failed_checks": failed, "passed_checks": [], "skipped_checks": [], "parsing_errors": []}}
print(json.dumps({{"results": results, "summary": {{"resource_count": len(files)}}}}))
"""


def test_a_template_that_crashes_checkov_does_not_hide_the_others(tmp_path: Path) -> None:
    script = tmp_path / "checkov"
    script.write_text(CRASHING)
    script.chmod(0o755)
    jobs = {f"{number:02d}": job(QUEUE + ("# CRASH\n" if number in {3, 8} else "")) for number in range(10)}
    found = results(Engines(checkov=script, work=tmp_path), **jobs)
    assert {key for key, raws in found.items() if raws[0].check == UNREAD} == {"03", "08"}
    assert {key for key, raws in found.items() if raws[0].check == "CKV_AWS_27"} == set(jobs) - {"03", "08"}
    assert "unhashable type" in found["03"][0].message
    assert found["03"][0].level is Level.ERROR
    assert len((tmp_path / "calls").read_text().split()) < 20


@pytest.mark.slow
def test_a_pull_requests_checkov_configuration_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first run proves that the trap works: checkov itself runs what the file names."""
    engines = world(tmp_path, "checkov")
    assert engines.checkov is not None
    checkout, sprung = tmp_path / "checkout", tmp_path / "sprung"
    (checkout / "evil").mkdir(parents=True)
    (checkout / "evil" / "__init__.py").write_text("")
    (checkout / "evil" / "rule.py").write_text(f"from pathlib import Path\nPath({str(sprung)!r}).touch()\n")
    (checkout / ".checkov.yaml").write_text("external-checks-dir: [evil]\nskip-check: [CKV_AWS_27]\n")
    (checkout / "template.yaml").write_text(QUEUE)
    monkeypatch.chdir(checkout)

    command = [str(engines.checkov), "--file", "template.yaml", "--framework", "cloudformation", "--skip-download"]
    subprocess.run(command, capture_output=True, check=False)
    assert sprung.exists()
    sprung.unlink()
    (raw,) = checkov.scan({"key": job(QUEUE)}, engines)["key"]
    assert raw.check == "CKV_AWS_27"
    assert not sprung.exists()
