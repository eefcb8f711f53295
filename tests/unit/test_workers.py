import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stackseal.workers import Gone, Team, Workers

PROGRAM = """
import json, os, sys, time
pairs = [tuple(map(int, word.split(":"))) for word in sys.argv[1:]]
mine = pairs[0]
for pair in pairs[1:]:
    if os.fork() == 0:
        mine = pair
        break
for pair in pairs:
    if pair != mine:
        os.close(pair[0]); os.close(pair[1])
answers = os.fdopen(mine[1], "w")
answers.write(json.dumps({"pid": os.getpid()}) + "\\n"); answers.flush()
for line in os.fdopen(mine[0]):
    asked = json.loads(line)
    match asked["do"]:
        case "end": print("last words", file=sys.stderr); sys.exit(3)
        case "hang": time.sleep(600)
        case "babble": answer = "no json"
        case "list": answer = "[1]"
        case "long": answer = json.dumps({"long": "x" * 3_000_000})
        case "look": answer = json.dumps({"env": dict(os.environ), "cwd": os.listdir("."),
                                          "home": os.listdir(os.environ["HOME"]), "pid": os.getpid()})
        case _: answer = json.dumps({"did": asked["do"], "pid": os.getpid()})
    answers.write(answer + "\\n"); answers.flush()
"""


def words(program: str = PROGRAM) -> tuple[str, ...]:
    return (sys.executable, "-I", "-c", program)


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers() as found:
        yield found


def pids(team: Team) -> list[int]:
    return [int(seat.ready()["pid"]) for seat in team.seats]


def runs(pid: int) -> bool:
    """Whether it runs; a process that has ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


def end(pids: list[int]) -> bool:
    """Whether they all end within ten seconds; one that was killed and is not our child ends a moment later."""
    for _ in range(200):
        if not any(runs(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def test_seats_share_the_questions_and_every_one_is_answered_once(workers: Workers) -> None:
    team = workers.start("both", words(), seats=2)
    found = team.share({str(number): {"do": number} for number in range(50)}, 30)
    assert {key: answer["did"] for key, answer in found.answers.items()} == {str(n): n for n in range(50)}
    assert (found.lost, found.why) == ({}, "")
    assert {answer["pid"] for answer in found.answers.values()} <= set(pids(team))
    assert len(set(pids(team))) == 2
    assert workers.start("both", words(), seats=2) is team, "it is started once"


def test_a_worker_gets_an_empty_world(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    (seat,) = workers.start("one", words()).seats
    found = seat.ask({"do": "look"}, 30)
    expected = {"HOME", "LANG", "LC_CTYPE", "LOG_LEVEL", "PATH", "PYTHONHASHSEED", "PYTHONUTF8", "TMPDIR"}
    assert set(found["env"]) | {"LC_CTYPE"} == expected
    assert (found["cwd"], found["home"]) == ([], [])


def test_long_answers_are_whole(workers: Workers) -> None:
    (seat,) = workers.start("one", words()).seats
    assert len(seat.ask({"do": "long"}, 30)["long"]) == 3_000_000


@pytest.mark.parametrize(
    ("do", "why"),
    [
        ("end", "it has ended: last words"),
        ("hang", "it did not answer within 0.5 seconds"),
        ("babble", "its answer is no JSON"),
        ("list", "its answer is of an unknown shape"),
    ],
)
def test_what_a_worker_is_lost_on_is_told_and_the_rest_is_not_asked(do: str, why: str, workers: Workers) -> None:
    team = workers.start("one", words())
    team.seats[0].ready()
    found = team.share({"good": {"do": 1}, "bad": {"do": do}, "late": {"do": 2}}, 0.5 if do == "hang" else 30)
    assert (set(found.answers), found.lost, found.why) == ({"good"}, {"bad": why}, why)


def test_the_other_seat_goes_on(workers: Workers) -> None:
    team = workers.start("both", words(), seats=2)
    questions = {"bad": {"do": "end"}, **{str(number): {"do": number} for number in range(20)}}
    found = team.share(questions, 30)
    assert set(found.lost) == {"bad"}
    assert set(found.answers) == set(questions) - {"bad"}


def test_one_that_never_is_ready_is_gone(workers: Workers) -> None:
    found = workers.start("broken", words("raise SystemExit('no such module')")).share({"key": {"do": 1}}, 30)
    assert (found.answers, found.lost, found.why) == ({}, {}, "it has ended: no such module")
    with pytest.raises(Gone, match="/nowhere cannot be started"):
        workers.start("missing", ("/nowhere",))


def test_nothing_runs_and_nothing_lies_about_once_they_are_closed() -> None:
    with Workers() as workers:
        team = workers.start("both", words(), seats=2)
        found = pids(team)
        folder = Path(team.seats[0].ask({"do": "look"}, 30)["env"]["HOME"]).parent
        assert all(runs(pid) for pid in found)
        assert folder.is_dir()
    assert end(found)
    assert not folder.exists()
    assert workers.over
    with pytest.raises(Gone, match="everything is being closed"):
        workers.start("both", words())


def test_a_team_that_was_ended_is_started_anew(workers: Workers) -> None:
    (first,) = pids(workers.start("one", words()))
    workers.end(["one", "nobody"])
    (second,) = pids(workers.start("one", words()))
    assert end([first])
    assert runs(second)


ASKER = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with Ctrl-C ignored
from stackseal.workers import Workers
with Workers() as workers:
    team = workers.start("both", (sys.executable, "-I", "-c", {PROGRAM!r}), seats=2)
    print(*(seat.ready()["pid"] for seat in team.seats), flush=True)
    team.seats[0].ask({{"do": "hang" if sys.argv[1] == "busy" else "look"}}, 600)
    sys.stdin.read()
"""


@pytest.mark.parametrize(("what", "state"), [(signal.SIGINT, "busy"), (signal.SIGKILL, "idle")])
def test_no_worker_outlives_its_asker(what: signal.Signals, state: str) -> None:
    """Ctrl-C kills what is at work; where the asker is killed itself, its workers see their line closed."""
    asker = subprocess.Popen(
        [sys.executable, "-c", ASKER, state],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with asker:
        try:
            assert asker.stdout is not None
            found = [int(pid) for pid in asker.stdout.readline().split()]
            assert len(found) == 2
            os.kill(asker.pid, what)
            asker.wait(30)
        finally:
            asker.kill()
    assert end(found)
