"""A room to run the image's folder in where there is no Docker: Linux namespaces, by `unshare` of util-linux.

In it the file system is read-only, the folder is /app, volumes are where they are mounted, /tmp is empty and goes with
the room, the user is 10001 without any privilege, and without `network` there is none, not even loopback. What is not
tried here is what only a Docker engine can: building the image, and its own Debian below /app.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contract.support import BIN, ROOT

USER: Final = 10001
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SCRIPT: Final = r"""
set -eu
room=$1 layout=$2; shift 2
mount --make-rprivate /
mount -t tmpfs room "$room"
for entry in /*; do
  name=${entry#/}
  case "$name" in app | output | tmp | lost+found) continue ;; esac
  if [ -L "$entry" ]; then
    ln -s "$(readlink "$entry")" "$room/$name"
  elif [ -d "$entry" ]; then
    mkdir "$room/$name"
    mount --rbind "$entry" "$room/$name"
    case "$name" in proc | dev | sys) ;; *) mount -o remount,bind,ro "$room/$name" ;; esac
  fi
done
mkdir "$room/app" "$room/output" "$room/tmp" "$room/.old"
mount --bind "$layout" "$room/app"
mount -o remount,bind,ro "$room/app"
while [ "$1" != -- ]; do
  mount --bind "$1" "$room$2"
  if [ "$3" = ro ]; then mount -o remount,bind,ro "$room$2"; fi
  shift 3
done
shift
mount -t tmpfs tmp "$room/tmp"
cd "$room"
pivot_root . .old
umount -l /.old
mount -o remount,ro /
cd /app
exec unshare --user --map-user=10001 --map-group=10001 -- env -i "$@"
"""


@dataclass(frozen=True, kw_only=True)
class Volume:
    """`--volume host:inside`, or with `:ro` at its end."""

    host: Path
    inside: str
    writable: bool = True


def dockerfile() -> str:
    """The Dockerfile with its continued lines joined and without comments."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return "\n".join(line for line in text.splitlines() if line and not line.startswith("#"))


def settings(edition: str) -> dict[str, str]:
    """What the Dockerfile's ENV sets, with our environment in the place of the image's."""
    (line,) = re.findall(r"^ENV (.*)$", dockerfile(), flags=re.MULTILINE)
    found = dict(word.split("=", 1) for word in shlex.split(line))
    found["PATH"] = found["PATH"].replace("/opt/stackseal/bin", BIN.as_posix())
    return {key: value.replace("$EDITION", edition) for key, value in found.items()}


def run(
    layout: Path,
    room: Path,
    command: Sequence[str],
    *,
    volumes: Sequence[Volume] = (),
    env: Mapping[str, str] | None = None,
    network: bool = False,
) -> subprocess.CompletedProcess[str]:
    """`docker run --rm`: the command in the folder `layout`; `room` is an empty folder to build it in."""
    mounts = [word for one in volumes for word in (str(one.host), one.inside, "rw" if one.writable else "ro")]
    theirs = [f"{key}={value}" for key, value in ({"PATH": _PATH} | dict(env or {})).items()]
    namespaces = ["--user", "--map-root-user", "--mount", *([] if network else ["--net"])]
    return subprocess.run(
        ["unshare", *namespaces, "sh", "-c", _SCRIPT, "sh", str(room), str(layout), *mounts, "--", *theirs, *command],
        env={"PATH": _PATH},
        capture_output=True,
        text=True,
        check=False,
    )


def why_not(layout: Path, room: Path) -> str:
    """Why there can be no room on this machine; empty where there can be one."""
    if ROOT.is_relative_to("/tmp"):
        return "the checkout lies in /tmp, which is empty in a room"
    try:
        done = run(layout, room, ["true"])
    except OSError as error:
        return f"unshare cannot be started ({error.strerror})"
    return "" if done.returncode == 0 else f"the kernel allows no namespaces ({done.stderr.strip()})"
