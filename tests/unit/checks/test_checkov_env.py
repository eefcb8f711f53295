import base64
import hashlib
import os
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stackseal.checks import checkov_env
from stackseal.errors import Failed, UsageError

UV = """#!/bin/sh
echo "$@" >>"$LOG"
if [ "$1" = venv ]; then for last; do :; done; mkdir -p "$last/bin"; exit 0; fi
sleep 0.2
python="$5"
printf '#!/bin/sh\\necho 3.3.30\\n' >"${python%/python}/checkov"
chmod +x "${python%/python}/checkov"
"""


def lock(tmp_path: Path, text: str = "checkov==3.3.30\n") -> Path:
    path = tmp_path / "checkov.txt"
    path.write_text(text)
    return path


def environment(tmp_path: Path, uv: str | None = UV) -> dict[str, str]:
    """A PATH with a uv of ours, or with none at all."""
    tools = tmp_path / "tools"
    tools.mkdir(exist_ok=True)
    if uv is not None:
        (tools / "uv").write_text(uv)
        (tools / "uv").chmod(0o755)
    found = {"HOME": str(tmp_path / "home"), "LOG": str(tmp_path / "log"), "PATH": str(tools)}
    return {**found, "PATH": f"{tools}:/usr/bin:/bin"} if uv is not None else found


def silent(_: str) -> None:
    pass


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_named_executable_is_taken_before_all_others(tmp_path: Path) -> None:
    named = executable(tmp_path / "mine" / "checkov")
    env = {"STACKSEAL_CHECKOV": str(named)}
    assert checkov_env.find(env, prefix=tmp_path, lock=lock(tmp_path)) == named
    assert checkov_env.install(silent, env=env, prefix=tmp_path, lock=lock(tmp_path)) == named


@pytest.mark.parametrize("value", ["/nowhere/checkov", "/"])
def test_a_named_executable_that_is_none_is_a_usage_error(value: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="that is no executable file; correct or unset STACKSEAL_CHECKOV"):
        checkov_env.find({"STACKSEAL_CHECKOV": value}, prefix=tmp_path, lock=lock(tmp_path))


def test_it_is_looked_for_beside_the_installation_then_in_the_cache(tmp_path: Path) -> None:
    locked = lock(tmp_path)
    name = "checkov-" + hashlib.sha256(locked.read_bytes()).hexdigest()[:12]
    prefix, cache = tmp_path / "prefix", tmp_path / "cache"
    env = {"STACKSEAL_CACHE_DIR": str(cache)}
    assert checkov_env.find(env, prefix=prefix, lock=locked) is None
    second = executable(cache / name / "bin" / "checkov")
    assert checkov_env.find(env, prefix=prefix, lock=locked) == second
    first = executable(prefix / "share" / "stackseal" / name / "bin" / "checkov")
    assert checkov_env.find(env, prefix=prefix, lock=locked) == first


def test_another_lock_is_another_environment(tmp_path: Path) -> None:
    env = environment(tmp_path)
    first = checkov_env.install(silent, env=env, prefix=tmp_path, lock=lock(tmp_path))
    second = checkov_env.install(silent, env=env, prefix=tmp_path, lock=lock(tmp_path, "checkov==3.3.31\n"))
    assert first != second
    assert first.exists()


def test_installing_says_so_once_and_is_found_afterwards(tmp_path: Path) -> None:
    said: list[str] = []
    env = environment(tmp_path)
    found = checkov_env.install(said.append, env=env, prefix=tmp_path / "prefix", lock=lock(tmp_path))
    assert checkov_env.install(said.append, env=env, prefix=tmp_path / "prefix", lock=lock(tmp_path)) == found
    assert checkov_env.find(env, prefix=tmp_path / "prefix", lock=lock(tmp_path)) == found
    assert len(said) == 1
    assert found.is_relative_to(tmp_path / "prefix" / "share" / "stackseal")
    done = subprocess.run([found], capture_output=True, text=True, check=True)
    assert done.stdout == "3.3.30\n"
    assert "--require-hashes" in (tmp_path / "log").read_text()


def test_a_prefix_that_cannot_be_written_leaves_the_cache(tmp_path: Path) -> None:
    (tmp_path / "prefix").write_text("a file is no folder")
    env = environment(tmp_path)
    found = checkov_env.install(silent, env=env, prefix=tmp_path / "prefix", lock=lock(tmp_path))
    assert found.is_relative_to(tmp_path / "home" / ".cache" / "stackseal")


def test_nowhere_to_write_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    env = {**environment(tmp_path), "STACKSEAL_CACHE_DIR": str(tmp_path / "file")}
    with pytest.raises(Failed, match="no directory can be written; set STACKSEAL_CACHE_DIR"):
        checkov_env.install(silent, env=env, prefix=tmp_path / "file", lock=lock(tmp_path))


def test_two_installations_at_the_same_time_leave_one_environment(tmp_path: Path) -> None:
    env, locked = environment(tmp_path), lock(tmp_path)

    def install(_: int) -> Path:
        return checkov_env.install(silent, env=env, prefix=tmp_path / "prefix", lock=locked)

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(install, range(4)))
    (path,) = found
    assert os.access(path, os.X_OK)
    folder = tmp_path / "prefix" / "share" / "stackseal"
    assert sorted(entry.is_symlink() for entry in folder.iterdir()) == [False, True]


def test_a_dangling_link_is_replaced(tmp_path: Path) -> None:
    env, locked = environment(tmp_path), lock(tmp_path)
    home = checkov_env.install(silent, env=env, prefix=tmp_path, lock=locked).parent.parent
    home.unlink()
    home.symlink_to("gone")
    assert os.access(checkov_env.install(silent, env=env, prefix=tmp_path, lock=locked), os.X_OK)


@pytest.mark.parametrize(
    ("uv", "why"),
    [
        ("#!/bin/sh\necho 'No matching distribution' >&2; exit 1\n", "No matching distribution; check the network"),
        ("#!/bin/sh\nexit 7\n", "uv ended with 7"),
        ("#!/bin/sh\nexit 0\n", "the lock does not hold it"),
        ("#!/nowhere/sh\n", "cannot be started"),
    ],
)
def test_a_failing_installation_leaves_nothing_behind(uv: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(Failed, match="checkov was not installed") as caught:
        checkov_env.install(silent, env=environment(tmp_path, uv), prefix=tmp_path / "prefix", lock=lock(tmp_path))
    assert why in str(caught.value)
    assert list((tmp_path / "prefix" / "share" / "stackseal").iterdir()) == []


def wheel(folder: Path) -> str:
    """A wheel of a checkov that only prints; returns its SHA-256."""
    files = {
        "checkov.py": "def main():\n    print('from a wheel')\n",
        "checkov-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: checkov\nVersion: 1.0\n",
        "checkov-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "checkov-1.0.dist-info/entry_points.txt": "[console_scripts]\ncheckov = checkov:main\n",
    }
    record = ""
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(text)}\n"
    folder.mkdir()
    path = folder / "checkov-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, "checkov-1.0.dist-info/RECORD": record}.items():
            archive.writestr(name, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.slow
def test_without_uv_pip_installs_what_has_the_right_hash_and_nothing_else(tmp_path: Path) -> None:
    digest = wheel(tmp_path / "wheels")
    env = {**environment(tmp_path, None), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels")}
    env |= {"PIP_CONFIG_FILE": os.devnull}
    wrong = lock(tmp_path, f"checkov==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(Failed, match="checkov was not installed"):
        checkov_env.install(silent, env=env, prefix=tmp_path / "prefix", lock=wrong)
    right = lock(tmp_path, f"checkov==1.0 --hash=sha256:{digest}\n")
    found = checkov_env.install(silent, env=env, prefix=tmp_path / "prefix", lock=right)
    done = subprocess.run([found], capture_output=True, text=True, check=True)
    assert done.stdout == "from a wheel\n"


def test_the_shipped_lock_pins_checkov_with_hashes() -> None:
    text = checkov_env.LOCK.read_text()
    assert "checkov==" in text
    assert "--hash=sha256:" in text
