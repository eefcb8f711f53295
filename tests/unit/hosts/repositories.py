"""A scratch repository, changed commit by commit."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path


class Scratch:
    """A repository in a folder; `commit` writes files (None removes one) and returns the new commit's hash."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, stdin: bytes | None = None) -> str:
        who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *who, *arguments], cwd=self.folder, input=stdin, capture_output=True, check=True)
        return done.stdout.decode(errors="replace").strip()

    def commit(self, files: Mapping[str, str | None]) -> str:
        for name, text in files.items():
            path = self.folder / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        self.git("add", "-A")
        return self.seal()

    def seal(self) -> str:
        """Commit what the index holds."""
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")
