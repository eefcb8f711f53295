"""The image's folder, run as the image would run it: the originals' command lines, and nothing written elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from contract.support import BIN, ROOT, committed, script
from e2e import room
from e2e.harness import REGION, STARTER, example
from e2e.room import Volume
from stackseal import __version__
from stackseal.aws.session import Aws
from stackseal.commands import ACTIONS
from stackseal.local import EmbeddedAws

pytestmark = pytest.mark.e2e
LAYOUT: Final = script("image_layout")
PAGES: Final = script("pages")
CONFIG: Final = f"{STARTER}.yaml"
EXAMPLES: Final[Mapping[str, str]] = {
    "starter": STARTER,
    "professional": "edge-prod-b001-us-west-2-fraud-detection-ml-codecommit",
    "enterprise": "globalbank-prod-c001-us-west-2-demand-forecasting-ml-codecommit-standalone-ssm",
}
NETWORK: Final = {
    "VPCId": "vpc-0123456789abcdef0",
    "PrivateSubnetIds": "subnet-0123456789abcdef0,subnet-0fedcba9876543210",
}
"""What an enterprise product reads from Parameter Store."""
OFFLINE: Final = ACTIONS[:7]
"""Their twelve actions in their order; the first seven need no AWS."""
FORCED: Final = {"deploy-product", "delete-product"}
WRITES: Final[Mapping[str, set[tuple[str, str]]]] = {
    "create-policy": {("policies", ".json")},
    "create-prov-template": {("templates", ".yaml")},
    "create-review-report": {("reports", ".html"), ("reports", ".md"), ("reports", ".json")},
    "test-deploy": {("reports", ".html"), ("reports", ".json")},
    "deploy-product": {("reports", ".html"), ("reports", ".json")},
    "delete-product": {("reports", ".html"), ("reports", ".json")},
}
"""What an action writes besides its log: folder and kind of file."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """The folder of an edition, and a person's folder `ml/` that is mounted into it."""

    layout: Path
    ml: Path
    edition: str
    config: str
    """The example's file name."""
    aws: Mapping[str, str]

    def entrypoint(self) -> list[str]:
        (line,) = re.findall(r"^ENTRYPOINT \[(.*)\]$", room.dockerfile(), flags=re.MULTILINE)
        return [word.strip().strip('"') for word in line.split(",")]

    def run(self, *arguments: str, network: bool = False) -> subprocess.CompletedProcess[str]:
        """`docker run --rm` with the configs read-only and the three folders of the documented command line."""
        volumes = [Volume(host=self.ml / "configs", inside="/app/configs", writable=False)]
        volumes += [Volume(host=self.ml / name, inside=f"/app/{name}") for name in LAYOUT.WRITTEN]
        # Nothing but our own programs is on PATH: the base image has no git either.
        env = room.settings(self.edition) | {"PATH": BIN.as_posix()} | (dict(self.aws) if network else {})
        return self.inside([*self.entrypoint(), *arguments], volumes, env, network=network)

    def inside(
        self, command: Sequence[str], volumes: Sequence[Volume], env: Mapping[str, str], *, network: bool = False
    ) -> subprocess.CompletedProcess[str]:
        place = self.ml.parent / "room"
        place.mkdir(exist_ok=True)
        return room.run(self.layout, place, command, volumes=volumes, env=env, network=network)

    def files(self) -> dict[Path, bytes]:
        return {path.relative_to(self.ml): path.read_bytes() for path in self.ml.rglob("*") if path.is_file()}


@pytest.fixture(scope="module", params=["starter"])
def layout(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the Dockerfile makes, made by the same script."""
    folder = tmp_path_factory.mktemp("image") / str(request.param) / "app"
    LAYOUT.layout(folder, request.param)
    return folder


@pytest.fixture
def image(layout: Path, tmp_path: Path, embedded: EmbeddedAws) -> Image:
    """An edition beside a person's folder with one of its examples, made by the documented `mkdir -p`."""
    embedded.reset()
    edition = layout.parent.name
    config, text = f"{EXAMPLES[edition]}.yaml", example(EXAMPLES[edition])
    ml = tmp_path / "ml"
    for name in ("configs", "policies", "templates", "reports", "docs"):
        (ml / name).mkdir(parents=True)
    (ml / "configs" / config).write_text(text, encoding="utf-8")
    (ml / "configs" / config).chmod(0o444)
    place = tmp_path / "room"
    place.mkdir()
    if why := room.why_not(layout, place):
        pytest.skip(f"no room to run the image's folder in: {why}")
    (account,) = re.findall(r'account_id: "(\d{12})"', text)
    aws = {**embedded.environ(), "AWS_ACCESS_KEY_ID": account}
    for path in re.findall(r"_parameter_store_path: (\S+)", text):
        value = NETWORK[path.rpartition("/")[2]]
        Aws(aws, region=REGION).client("ssm", REGION).put_parameter(Name=path, Value=value, Type="String")
    return Image(layout=layout, ml=ml, edition=edition, config=config, aws=aws)


def test_the_room_is_what_it_says(image: Image) -> None:
    """Else the other tests would prove nothing."""
    tries = "id -u; pwd; touch /app/x; touch /etc/x; touch /app/configs/x; touch /app/reports/y; touch /tmp/z; exit 0"
    mine = [Volume(host=image.ml / "configs", inside="/app/configs", writable=False)]
    mine += [Volume(host=image.ml / "reports", inside="/app/reports")]
    done = image.inside(["sh", "-c", tries], mine, {})
    assert done.stdout.split() == [str(room.USER), "/app"]
    refused = [line.split("'")[1] for line in done.stderr.splitlines() if "Read-only file system" in line]
    assert refused == ["/app/x", "/etc/x", "/app/configs/x"]
    assert (image.ml / "reports" / "y").is_file()
    ask = "import socket; socket.create_connection(('127.0.0.1', 9))"
    assert "Network is unreachable" in image.inside([sys.executable, "-I", "-c", ask], [], {}).stderr


@pytest.mark.spec("A02", "A03", "A11", "A69")
@pytest.mark.parametrize("layout", LAYOUT.EDITIONS, indirect=True)
def test_the_twelve_command_lines_write_into_their_three_folders_only(image: Image) -> None:
    before = snapshot(image.layout)
    for action in ACTIONS:
        known = image.files()
        force = ["--force"] if action in FORCED else []
        done = image.run("-con", image.config, "-act", action, *force, network=action not in OFFLINE)
        assert done.returncode == 0, f"{action}: {done.stderr}"
        new = {path for path, content in image.files().items() if known.get(path) != content}
        kinds = {(path.parts[0], path.suffix) for path in new}
        assert kinds == {("reports", ".log"), *WRITES.get(action, set())}, action
        (log,) = [path for path in new if path.suffix == ".log"]
        text = (image.ml / log).read_text(encoding="utf-8")
        assert f"\naction: {action}\n" in text
        read = re.search(
            rf"^config: {re.escape(image.config)}\nconfig sha256: [0-9a-f]{{64}}$", text, flags=re.MULTILINE
        )
        assert (read is None) == (action == "list-products"), text
        assert text.endswith("exit code: 0\nresult: done\n")
        assert "No execution log" not in done.stderr
    assert snapshot(image.layout) == before
    assert sorted(path.name for path in (image.ml / "configs").iterdir()) == [image.config]
    assert sorted((image.ml / "docs").iterdir()) == []


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


@pytest.mark.spec("A02", "A69")
def test_without_a_writable_folder_it_is_a_sentence(image: Image) -> None:
    """Only the configs are mounted, as a person may forget the others."""
    volumes = [Volume(host=image.ml / "configs", inside="/app/configs", writable=False)]
    env = room.settings("starter")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return image.inside([*image.entrypoint(), *arguments], volumes, env)

    shown = run("-con", CONFIG, "-act", "show-product")
    assert shown.returncode == 0
    assert shown.stderr.startswith("No execution log is kept: /app/reports/")
    made = run("-con", CONFIG, "-act", "create-policy")
    assert made.returncode == 2
    assert "error: /app/policies/" in made.stderr
    refused = run("-con", CONFIG, "-act", "deploy-product", "--force")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: deploy-product: not done: its execution log cannot be written")
    assert not [one for one in (shown, made, refused) if "Traceback" in one.stderr]


@pytest.mark.spec("A01", "A15")
@pytest.mark.parametrize("layout", LAYOUT.EDITIONS, indirect=True)
def test_the_edition_is_the_images(image: Image) -> None:
    assert image.run("--version").stdout == f"stackseal {image.edition}-{__version__}\n"
    (other, *_) = LAYOUT.examples("professional" if image.edition == "starter" else "starter")
    (image.ml / "configs" / other.name).write_bytes(other.read_bytes())
    done = image.run("-con", other.name, "-act", "validate-config")
    assert done.returncode == 2
    assert "Verify tier in config matches your purchased image tag" in done.stderr


@pytest.mark.spec("A04")
def test_cp_takes_the_documentation_out(image: Image) -> None:
    output = Volume(host=image.ml / "docs", inside="/output")
    done = image.inside(["cp", "-r", "/app/docs/.", "/output/"], [output], room.settings("starter"))
    assert (done.returncode, done.stderr) == (0, "")
    found = {path.relative_to(image.ml / "docs").as_posix(): path for path in (image.ml / "docs").rglob("*.html")}
    expected = {path.as_posix(): text for path, text in PAGES.pages().items()}
    assert {name: path.read_text(encoding="utf-8") for name, path in found.items()} == expected
    assert "index.html" in found


@pytest.mark.spec("A05")
@pytest.mark.parametrize(("edition", "count"), [("starter", 4), ("professional", 4), ("enterprise", 12)])
def test_an_edition_carries_the_examples_of_its_tier(edition: str, count: int) -> None:
    """The originals' sources are CodeCommit and S3; what reads from GitHub, and the one with guardrails, came later."""
    names = [path.name for path in LAYOUT.examples(edition)]
    assert len([name for name in names if "-ml-github" not in name and "-credit-scoring-" not in name]) == count
    assert {path.name for path in LAYOUT.examples("starter")}.isdisjoint(names) == (edition != "starter")


@pytest.mark.spec("A05")
def test_cp_takes_the_examples_out_and_each_is_valid(image: Image) -> None:
    output = Volume(host=image.ml / "configs", inside="/app/configs")
    (image.ml / "configs" / CONFIG).unlink()
    done = image.inside(["cp", "-r", "/app/examples/configs/.", "/app/configs/"], [output], room.settings("starter"))
    assert (done.returncode, done.stderr) == (0, "")
    names = sorted(path.name for path in (image.ml / "configs").iterdir())
    assert names == [path.name for path in LAYOUT.examples("starter")]
    for name in names:  # apart, because two of them are one stack with another source
        checked = image.run("-con", name, "-act", "validate-config")
        assert checked.returncode == 0, checked.stderr


# --- what the image is built from ------------------------------------------------------------------------------------


def ignored() -> tuple[set[str], set[str]]:
    """The files and folders that .dockerignore lets through, and its patterns that take some out again."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*", "what is not named must stay out"
    return {line[1:] for line in rules if line.startswith("!")}, {line for line in rules[1:] if line[0] != "!"}


@pytest.mark.spec("A02")
def test_what_docker_is_given_is_enough_and_no_more(tmp_path: Path) -> None:
    """The context holds all that the layout and the wheel are made from, and the same folder comes out."""
    allowed, out = ignored()
    assert out == {"**/__pycache__"}
    context = tmp_path / "context"
    for path in committed():
        name = path.relative_to(ROOT).as_posix()
        if any(name == one or name.startswith(f"{one}/") for one in allowed):
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            (context / name).write_bytes(path.read_bytes())
    assert not [one for one in allowed if not (context / one).exists()]
    script_path = context / "scripts" / "image_layout.py"
    command = [sys.executable, str(script_path), str(tmp_path / "app"), "--edition", "starter"]
    subprocess.run(command, check=True, capture_output=True, env={"PATH": os.environ["PATH"], "PYTHONSAFEPATH": "1"})
    made = {path.relative_to(tmp_path / "app"): path for path in (tmp_path / "app").rglob("*") if path.is_file()}
    assert len(made) == len(PAGES.pages()) + len(LAYOUT.examples("starter"))
    hatchling = Path(sys.executable).with_name("hatchling")
    subprocess.run(
        [hatchling, "build", "-t", "wheel", "-d", tmp_path / "w"], cwd=context, check=True, capture_output=True
    )


def instructions() -> list[tuple[str, str]]:
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in room.dockerfile().splitlines()]


@pytest.mark.spec("A02")
def test_the_dockerfile_installs_only_what_is_locked_and_runs_as_mluser() -> None:
    found = instructions()
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ARG", "ENV", "LABEL", "USER", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in found} == known, "another instruction: think of what it brings in"
    bases = [text.split(" AS ")[0] for name, text in found if name == "FROM"]
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+@sha256:[0-9a-f]{64}", bases[0])
    installs = re.findall(r"pip install[^&]*", " ".join(text for name, text in found if name == "RUN"))
    assert len(installs) == 3
    assert all("--no-deps" in one and ("--require-hashes" in one or "--no-index" in one) for one in installs)
    for lock in re.findall(r"requirements/\S+", " ".join(installs)):
        assert (ROOT / lock).is_file()
    runs = " ".join(text for name, text in found if name == "RUN")
    assert not re.search(r"curl|wget|apt-get|sudo|chmod 777|\|", runs)
    last = [name for name, _ in found]
    assert dict(found)["USER"] == "mluser"
    assert "RUN" not in last[last.index("USER") :]
    assert [text for name, text in found if name == "ARG"] == ["EDITION", "EDITION"]
    assert not [text for name, text in found if re.search(r"(?i)secret|token|password", text)]
    assert f'scripts/{Path(LAYOUT.__file__).name} /app --edition "$EDITION"' in runs


def test_the_layouts_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    with pytest.raises(SystemExit, match="is there already"):
        LAYOUT.main([str(tmp_path / "app"), "--edition", "starter"])
