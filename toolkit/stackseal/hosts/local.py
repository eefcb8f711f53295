"""A laptop as runner, and a folder as forge: comments and issues are files that a person can read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from stackseal import artifacts
from stackseal.errors import Failed
from stackseal.hosts.base import Approval, Badge, CommentMode, Issue, Link, ReviewState
from stackseal.model import GateNeeds, Run

_FOLDER: Final = "forge"
_HEARTBEAT: Final = "drift-heartbeat.json"


class LocalRunner:
    """The runner where there is no CI."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    @classmethod
    def here(cls, env: Mapping[str, str]) -> bool:  # noqa: ARG003 - every environment is local if it is no CI's
        return True

    @property
    def forge(self) -> str:
        return "local"

    @property
    def annotates(self) -> bool:
        return False

    @property
    def identifies(self) -> bool:
        return False

    @property
    def branch(self) -> str:
        return ""

    def run(self) -> Run:
        return Run(host="local", repository="local", commit="", actor=self._env.get("USER", ""))

    def badge(self, sleep: Callable[[float], None]) -> Badge | None:  # noqa: ARG002 - nobody vouches for a laptop
        return None


def forge(link: Link) -> LocalForge:
    """The forge below the working root."""
    return LocalForge(link.root)


class LocalForge:
    """A forge below the working root: `forge/pull-requests/N/KEY.md`, `forge/issues/N.md` with its data in `N.json`."""

    def __init__(self, root: Path) -> None:
        self._root = root / _FOLDER

    def upsert_comment(
        self,
        pull_request: int,
        key: str,
        parts: Sequence[str],
        *,
        mode: CommentMode = CommentMode.UPDATE,
        worth: bool = True,
    ) -> str:
        """One file for each part; a folder keeps no history, so mode `new` is like `update`."""
        folder = self._root / "pull-requests" / str(pull_request)
        stem = re.sub(r"[^A-Za-z0-9_-]", "_", key)
        artifacts.unlinked(folder / f"{stem}.md", below=self._root.parent)
        first = not (folder / f"{stem}.md").exists()
        if mode is CommentMode.OFF or (mode is CommentMode.CHANGES_ONLY and first and not worth):
            return ""
        folder.mkdir(parents=True, exist_ok=True)
        for stale in [path for path in folder.iterdir() if re.fullmatch(rf"{stem}(-[0-9]+)?\.md", path.name)]:
            stale.unlink()
        paths = [folder / (f"{stem}.md" if index == 0 else f"{stem}-{index + 1}.md") for index in range(len(parts))]
        for path, part in zip(paths, parts, strict=True):
            artifacts.write(path, part, below=self._root.parent)
        return paths[0].as_posix() if paths else ""

    def pull_request_of(self, commit: str, branch: str) -> int | None:
        """A folder does not know who merged what: the person says it with --pull-request."""
        del commit, branch
        return None

    def review(self, number: int, *, base: str) -> ReviewState:
        """What a person has written into `approvals`: a line for each, `code-owner NAME` or `approval NAME`.

        They count from when the file was last written. A folder checks nothing: whoever can write it says who approved.
        """
        del base
        path = self._approvals(number)
        artifacts.unlinked(path, below=self._root.parent)
        if not path.is_file():
            hint = f"write `code-owner NAME` or `approval NAME` into {path.as_posix()}"
            return ReviewState(approved=None, code_owner=None, undecided=hint, silent=True)
        said = [_said(line, path) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return ReviewState(
            approved=bool(said),
            code_owner=any(kind is GateNeeds.CODE_OWNER for kind, _ in said),
            approvals=tuple(Approval(by=name, at=at) for _, name in said),
        )

    def dismiss(self, number: int, message: str, *, before: datetime) -> tuple[str, ...]:
        """Empty `approvals` and say why beside it."""
        early = sorted(item.by for item in self.review(number, base="").approvals if item.at < before)
        if early:
            artifacts.write(self._approvals(number), "", below=self._root.parent)
            artifacts.write(self._approvals(number).with_name("dismissed.md"), message, below=self._root.parent)
        return tuple(early)

    def issues(self) -> tuple[Issue, ...]:
        folder = self._root / "issues"
        found = [path for path in folder.glob("*.json") if path.stem.isdecimal()]
        return tuple(_read(path) for path in sorted(found, key=lambda path: int(path.stem)))

    def open_issue(self, key: str, title: str, body: str) -> Issue:
        number = max((issue.number for issue in self.issues()), default=0) + 1
        return self._write(Issue(number=number, key=key, title=title, body=body, open=True))

    def update_issue(self, number: int, *, title: str, body: str, is_open: bool) -> Issue:
        found = next((issue for issue in self.issues() if issue.number == number), None)
        if found is None:
            raise Failed(f"The issue {number} cannot be changed", why="it does not exist", remedy="run drift again")
        return self._write(replace(found, title=title, body=body, open=is_open))

    def retire_issue(self, number: int, comment: str) -> None:
        """The comment stands beside the issue: `forge/issues/N-closed.md`."""
        found = next((issue for issue in self.issues() if issue.number == number), None)
        if found is None:
            raise Failed(f"The issue {number} cannot be closed", why="it does not exist", remedy="run drift again")
        artifacts.write(self._root / "issues" / f"{number}-closed.md", comment, below=self._root.parent)
        self._write(replace(found, open=False))

    def heartbeat(self, at: datetime, body: str) -> None:
        text = json.dumps({"at": at.isoformat(timespec="seconds"), "body": body}, indent=2) + "\n"
        artifacts.write(self._root / _HEARTBEAT, text, below=self._root.parent)

    def last_heartbeat(self) -> datetime | None:
        try:
            return datetime.fromisoformat(json.loads((self._root / _HEARTBEAT).read_text(encoding="utf-8"))["at"])
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def _approvals(self, number: int) -> Path:
        return self._root / "pull-requests" / str(number) / "approvals"

    def _write(self, issue: Issue) -> Issue:
        folder = self._root / "issues"
        state = "open" if issue.open else "closed"
        text = f"# {issue.title}\n\nState: {state}\n\n{issue.body}"
        for suffix, content in (("md", text), ("json", json.dumps(asdict(issue), indent=2) + "\n")):
            artifacts.write(folder / f"{issue.number}.{suffix}", content, below=self._root.parent)
        return issue


def _said(line: str, path: Path) -> tuple[GateNeeds, str]:
    kind, _, name = line.strip().partition(" ")
    if kind not in {needs.value for needs in GateNeeds} or not name.strip():
        raise Failed(
            f"The approvals in {path.as_posix()} cannot be read",
            why=f"{line.strip()!r} is none",
            remedy="write lines like `code-owner NAME` or `approval NAME`",
        )
    return GateNeeds(kind), name.strip()


def _read(path: Path) -> Issue:
    try:
        return Issue(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise Failed(f"The issue in {path} cannot be read", why=str(error), remedy="mend or remove the file") from error
