"""The release workflow, run by act: check and build as they are; what signs and what publishes have stand-ins.

docs/how-to/release.md says what that does not prove.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import yaml

from contract.support import BIN, ROOT, committed
from e2e_github import harness, packages
from e2e_github.harness import STAND_INS, Ran
from stackseal import __version__

pytestmark = pytest.mark.e2e
WORKFLOW: Final = ROOT / ".github" / "workflows" / "release.yml"
TAG: Final = f"v{__version__}"


@dataclass(kw_only=True)
class Upstream:
    """This repository on GitHub, and a clone of it, below one folder."""

    folder: Path
    ci: int = 1
    """How many runs of ci on the commit were a success."""

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def dist(self) -> Path:
        return self.folder / "artifacts" / "dist"

    @property
    def log(self) -> list[str]:
        """What the stand-ins were asked, in order."""
        path = self.folder / "log"
        return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []

    def git(self, *words: str) -> str:
        command = ["git", "-C", self.work, "-c", "user.name=x", "-c", "user.email=x@example.com", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def environ(self) -> dict[str, str]:
        """What the steps find in their environment."""
        return {
            "E2E_ORIGIN": str(self.folder / "origin.git"),
            "E2E_ARTIFACTS": str(self.folder / "artifacts"),
            "E2E_LOG": str(self.folder / "log"),
            "E2E_CI": str(self.ci),
            **harness.checkov(),
        }

    def push(self, tag: str) -> Ran:
        """Push a tag at HEAD, and run what GitHub would run."""
        self.git("tag", tag)
        self.git("push", "--quiet", "origin", "main", tag)
        event = {"ref": f"refs/tags/{tag}", "after": self.git("rev-parse", tag), "repository": {"full_name": "o/r"}}
        (self.folder / "event.json").write_text(json.dumps(event), encoding="utf-8")
        # act takes the repository's name from here; nothing is fetched from it.
        self.git("remote", "set-url", "origin", "https://github.com/o/r.git")
        command = [BIN / "act", "push", "--workflows", ".github/workflows/release.yml", "--no-skip-checkout", "--json"]
        command += ["--eventpath", self.folder / "event.json", "--platform", "ubuntu-24.04=-self-hosted"]
        command += [
            "--no-cache-server",
            "--action-cache-path",
            self.folder / "act",
            "--secret",
            "GITHUB_TOKEN=no-token",
        ]
        for action, commit in set(re.findall(r"uses: (actions/\S+)@([0-9a-f]{40})", WORKFLOW.read_text("utf-8"))):
            command += ["--local-repository", f"{action}@{commit}={STAND_INS / action.partition('/')[2]}"]
        for key, value in self.environ().items():
            command += ["--env", f"{key}={value}"]
        own = harness.own(self.folder)
        own["PATH"] = f"{STAND_INS / 'bin'}{os.pathsep}{own['PATH']}"
        own["UV_CACHE_DIR"] = str(packages.theirs())  # the release installs what developers have, too
        done = subprocess.run(command, cwd=self.work, env=own, capture_output=True, text=True, check=False, timeout=500)
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("{")]
        return Ran(code=done.returncode, events=[json.loads(line) for line in lines])


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    """Everything that is committed here, with a changelog that is ready for the release, on main."""
    made = Upstream(folder=tmp_path)
    for path in committed():
        (made.work / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, made.work / path.relative_to(ROOT))
    changelog = f"# Changelog\n\n## Unreleased\n\n## {__version__} - 2026-01-02\n\n- What is new.\n"
    (made.work / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    (tmp_path / "artifacts").mkdir()
    origin = str(tmp_path / "origin.git")
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("init", "--quiet", "--bare", origin)
    made.git("remote", "add", "origin", origin)
    made.git("add", ".")
    made.git("commit", "--quiet", "--message", "Everything")
    return made


def test_a_tag_on_main_becomes_a_release(upstream: Upstream) -> None:
    done = upstream.push(TAG)
    assert done.jobs == dict.fromkeys(("check", "build", "attest", "publish"), "success"), done.log
    commit = upstream.git("rev-parse", TAG)
    wheel, sdist = f"stackseal-{__version__}-py3-none-any.whl", f"stackseal-{__version__}.tar.gz"
    assert sorted(path.name for path in upstream.dist.iterdir()) == sorted(["NOTES.md", "SHA256SUMS", wheel, sdist])
    with zipfile.ZipFile(upstream.dist / wheel) as archive:
        assert f'__version__ = "{__version__}"' in archive.read("stackseal/__init__.py").decode()
    notes = (upstream.dist / "NOTES.md").read_text(encoding="utf-8")
    assert notes.startswith("- What is new.")
    assert f"uses: o/r@{commit} # {TAG}" in notes
    sums = (upstream.dist / "SHA256SUMS").read_text(encoding="utf-8").split()
    asked = [line for line in upstream.log if not line.startswith(("check ", "build "))]
    assert [re.sub(r"^gh api \S+ci.yml\S+", "gh api CI", line) for line in asked] == [
        "gh api CI --jq .total_count",
        f"attest {sums[0]}  dist/{wheel}",
        f"attest {sums[2]}  dist/{sdist}",
        f"gh api repos/o/r/commits/{TAG} --jq .sha",
        (
            f"gh release create {TAG} --verify-tag --draft --prerelease=false --title {TAG} --notes-file dist/NOTES.md "
            f"dist/{wheel} dist/{sdist} dist/SHA256SUMS"
        ),
        f"gh release edit {TAG} --draft=false",
        f"gh api repos/o/r/releases/tags/{TAG} --jq .immutable",
        f"gh api --method PATCH repos/o/r/git/refs/tags/v0 --raw-field sha={commit} --field force=true",
    ]
    assert f"head_sha={commit}&branch=main&event=push&status=success" in asked[0]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("the version", "v9.9.9 is not the version of the package"),
        ("main", f"{TAG} is not on main"),
        ("ci", "ci has not passed on"),
    ],
)
def test_a_tag_that_is_wrong_builds_nothing(wrong: str, says: str, upstream: Upstream) -> None:
    if wrong == "main":
        upstream.git("switch", "--quiet", "--create", "aside")
        upstream.git("commit", "--quiet", "--allow-empty", "--message", "Not reviewed")
    upstream.ci = 0 if wrong == "ci" else 1
    done = upstream.push("v9.9.9" if wrong == "the version" else TAG)
    assert done.code == 1
    assert {name: end for name, end in done.jobs.items() if end != "skipped"} == {"check": "failure"}, done.log
    assert says in done.log
    assert not upstream.dist.exists()
    assert not [line for line in upstream.log if line.startswith(("build ", "attest ", "gh release"))]


def test_a_tag_that_moved_while_it_was_built_is_not_released(upstream: Upstream) -> None:
    """The step alone, as bash runs it: act cannot move a tag between two jobs."""
    upstream.git("tag", TAG)
    upstream.git("push", "--quiet", "origin", "main", TAG)
    built = upstream.git("rev-parse", TAG)
    dist = upstream.folder / "dist"
    dist.mkdir()
    (dist / "file").write_text("", encoding="utf-8")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (dist / "SHA256SUMS").write_text(f"{empty}  file\n", encoding="utf-8")
    assert guard(upstream, built) == 0
    assert guard(upstream, "c" * 40) == 1
    (dist / "file").write_text("exchanged", encoding="utf-8")
    assert guard(upstream, built) == 1


def guard(upstream: Upstream, commit: str) -> int:
    """How the publish job's step before the release ends."""
    steps = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["publish"]["steps"]
    (text,) = [step["run"] for step in steps if step["name"].startswith("The tag is still")]
    env = {**upstream.environ(), "PATH": f"{STAND_INS / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    env |= {"GH_REPO": "o/r", "TAG": TAG, "GITHUB_SHA": commit}
    return subprocess.run(
        ["bash", "-e", "-c", text], cwd=upstream.folder, env=env, capture_output=True, check=False
    ).returncode
