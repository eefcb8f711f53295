"""What ships: the wheel holds the package and the files of `assets`, nothing else; so does the sdist's own wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from contract.support import PACKAGE, ROOT, committed
from stackseal import __version__

HATCHLING = Path(sys.executable).with_name("hatchling")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel of the checkout, and below `again` the wheel of that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([HATCHLING, "build", "-d", folder], cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (source,) = (folder / "unpacked").iterdir()
    subprocess.run(
        [HATCHLING, "build", "-t", "wheel", "-d", folder / "again"], cwd=source, check=True, capture_output=True
    )
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist()}


def test_the_wheel_holds_the_package_and_its_assets(built: Path) -> None:
    shipped = [path for path in committed() if PACKAGE in path.parents]
    assets = [path for path in committed() if path.is_relative_to(ROOT / "templates")]
    assets += [path for path in committed() if path.is_relative_to(ROOT / "requirements")]
    assets += [path for path in committed() if path.is_relative_to(ROOT / "workflows")]
    assets += [ROOT / "LICENSE"]
    assets += [path for path in committed() if path.is_relative_to(ROOT / "buildspecs")]
    names = {path.relative_to(ROOT / "toolkit").as_posix() for path in shipped}
    names |= {f"stackseal/_assets/{path.relative_to(ROOT).as_posix()}" for path in assets}
    found = {name for name in contents(built) if ".dist-info/" not in name}
    assert found == names
    assert "stackseal/py.typed" in found
    assert any(name.startswith("stackseal/_assets/templates/reports/") for name in found)


def test_the_sdist_makes_the_same_wheel(built: Path) -> None:
    assert contents(built / "again") == contents(built)


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    """In another folder, with other dates and rights, under another umask and another time zone."""
    made = []
    for number, (umask, zone) in enumerate(((0o022, "UTC"), (0o077, "Asia/Tokyo"))):
        source, target = tmp_path / f"source-{number}", tmp_path / f"dist-{number}"
        for path in committed():
            copy = source / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            copy.chmod(0o666 & ~umask)
            os.utime(copy, (number * 10**9, number * 10**9))
        env = {**os.environ, "SOURCE_DATE_EPOCH": "1580601600", "TZ": zone}
        command = [HATCHLING, "build", "-d", target]
        subprocess.run(command, cwd=source, check=True, capture_output=True, env=env, umask=umask)
        made.append({path.name: path.read_bytes() for path in target.iterdir()})
    assert len(made[0]) == 2
    assert made[0] == made[1]


def test_the_wheel_says_what_it_is(built: Path) -> None:
    found = contents(built)
    info = f"stackseal-{__version__}.dist-info"
    metadata = Parser().parsestr(found[f"{info}/METADATA"].decode())
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Provides-Extra"] == "local"
    assert "# stackseal" in metadata.get_payload()
    assert found[f"{info}/entry_points.txt"].decode() == "[console_scripts]\nstackseal = stackseal.start:entry\n"
    assert found[f"{info}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
