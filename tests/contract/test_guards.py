"""The guards of tests/conftest.py hold: shown on a test run of its own, because a caught attempt fails its test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).parents[1] / "conftest.py"
TRIES = """
import os, socket, subprocess, sys
import pytest

def swallowed():
    try:
        socket.socket().connect(("192.0.2.1", 80))
    except RuntimeError:
        pass

def test_swallowed_connection(): swallowed()
def test_name(): socket.getaddrinfo("example.com", 443)
def test_datagram(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53))
def test_credentials(): assert not [key for key in os.environ if key.startswith("AWS_")]
def test_child(): assert "AWS_PROFILE" not in subprocess.run(["/usr/bin/env"], capture_output=True, text=True).stdout
def test_home(): assert os.path.expanduser("~") == os.environ["HOME"] != "/home/somebody"
def test_loopback():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
"""


def test_the_network_is_refused_and_the_person_s_environment_is_gone(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "test_tries.py").write_text(TRIES)
    environment = {**os.environ, "AWS_PROFILE": "work", "AWS_SECRET_ACCESS_KEY": "x", "HOME": "/home/somebody"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    failed = {line.split()[1].rpartition("::")[2] for line in done.stdout.splitlines() if line.startswith("FAILED")}
    erred = {line.split()[1].rpartition("::")[2] for line in done.stdout.splitlines() if line.startswith("ERROR ")}
    assert failed == {"test_name", "test_datagram"}, done.stdout
    assert erred == {"test_swallowed_connection", "test_name", "test_datagram"}
    assert "the test tried to leave this machine: socket.connect 192.0.2.1" in done.stdout


def test_this_run_has_no_credentials() -> None:
    assert not [key for key in os.environ if key.startswith(("AWS_", "GITHUB_", "CODEBUILD_"))]
    assert Path.home().name.startswith("stackseal-home-")
