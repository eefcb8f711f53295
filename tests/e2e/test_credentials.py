"""Credentials in every form that boto3 takes, through the real process, and none of them in any output (A08-A10)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from e2e.harness import ACCOUNT, REGION, STARTER, Bench, example

pytestmark = pytest.mark.e2e
SECRET = "a-secret-that-must-not-be-seen"
CONFIG = f"configs/{STARTER}.yaml"
STACKSEAL = Path(sys.executable).with_name("stackseal")


@pytest.fixture
def ready(bench: Bench) -> Bench:
    bench.write(example())
    return bench


def profiles(home: Path) -> None:
    """A default profile of another account and a named one of ours."""
    folder = home / ".aws"
    folder.mkdir()
    rows = {"default": "999988887777", "team": ACCOUNT}
    text = "".join(
        f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = {SECRET}\n\n" for name, key in rows.items()
    )
    (folder / "credentials").write_text(text)


def process(bench: Bench, *argv: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The real console script with nothing in its environment but what it is given."""
    clean = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": bench.aws.endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    home = {"HOME": str(bench.folder / "home")} if "HOME" not in env else {}
    return subprocess.run(
        [STACKSEAL, *argv],
        cwd=bench.folder,
        env={**clean, **home, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def seen(bench: Bench, done: subprocess.CompletedProcess[str]) -> str:
    """Everything that a command said or wrote."""
    files = [path.read_text(errors="replace") for path in (bench.folder / "ml").rglob("*") if path.is_file()]
    return "\n".join([done.stdout, done.stderr, *files])


@pytest.mark.spec("A08")
def test_a_named_profile_and_the_default_one(ready: Bench) -> None:
    home = ready.folder / "home"
    home.mkdir()
    profiles(home)
    done = process(ready, "show-changes", CONFIG, "--format", "json", env={"HOME": str(home), "AWS_PROFILE": "team"})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["operation"] == "create"
    assert SECRET not in seen(ready, done)
    # The default profile belongs to another account, and that is what the refusal says.
    done = process(ready, "show-changes", CONFIG, env={"HOME": str(home)})
    assert done.returncode == 4
    assert "999988887777" in done.stderr
    assert SECRET not in seen(ready, done)


@pytest.mark.spec("A09")
def test_keys_in_the_environment(ready: Bench) -> None:
    env = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": SECRET}
    done = process(ready, "show-changes", CONFIG, "--format", "json", env=env)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["changes"]) == 10
    assert SECRET not in seen(ready, done)


@contextmanager
def container() -> Iterator[str]:
    """The endpoint at which a container finds its task role's keys."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = {
                "AccessKeyId": ACCOUNT,
                "SecretAccessKey": SECRET,
                "Token": "",
                "Expiration": "2999-01-01T00:00:00Z",
            }
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/keys"
        server.shutdown()
        thread.join()


@pytest.mark.spec("A10")
def test_a_role_without_any_mount(ready: Bench) -> None:
    with container() as address:
        env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": address}
        done = process(ready, "show-changes", CONFIG, "--format", "json", env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["operation"] == "create"
    assert SECRET not in seen(ready, done)


def test_no_credentials_at_all_is_one_sentence(ready: Bench) -> None:
    done = process(ready, "show-changes", CONFIG, env={})
    assert done.returncode == 3
    (line,) = done.stderr.strip().splitlines()
    assert "credentials" in line
    assert "Traceback" not in line


def test_an_endpoint_that_does_not_answer_is_one_sentence(ready: Bench) -> None:
    env = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_MAX_ATTEMPTS": "1"}
    done = process(ready, "show-changes", CONFIG, env={**env, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert done.returncode in {3, 5}
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr


@pytest.mark.spec("A01", "A15")
@pytest.mark.parametrize("edition", ["starter", "professional", "enterprise"])
def test_an_edition_serves_its_own_tier(ready: Bench, edition: str) -> None:
    env = {"STACKSEAL_EDITION": edition}
    assert process(ready, "--version", env=env).stdout.startswith(f"stackseal {edition}-0.")
    listed = json.loads(process(ready, "list-products", "--format", "json", env=env).stdout)["products"]
    assert {item["variant"] for item in listed} == {edition}
    done = process(ready, "validate-config", CONFIG, env=env)
    assert done.returncode == (0 if edition == "starter" else 2)
    if edition != "starter":
        assert "Verify tier in config matches your purchased image tag" in done.stderr
        assert f"{CONFIG}:10:9" in done.stderr


def test_the_region_of_the_environment_does_not_move_the_stack(ready: Bench) -> None:
    env = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "eu-central-1"}
    process(ready, "create-prov-template", CONFIG, env=env)
    done = process(ready, "deploy-product", CONFIG, "--force", "--format", "json", env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["region"] == REGION
    assert ready.client("cloudformation").describe_stacks()["Stacks"]
