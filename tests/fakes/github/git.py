"""The Git repository behind a repository of the fake: bare, real, in a folder that the test owns.

Objects and names are read through one `git cat-file` process (0.1 ms a question instead of 3 ms for a process), so refs
that a test or a runner pushes with plain Git are seen at once. Commits have fixed dates: same calls, same hashes.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ZEROS: Final = "0" * 40
BOT: Final = "github-actions[bot]"


class GitError(RuntimeError):
    """Git refused."""


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit; `author` and `committer` are (name, e-mail, ISO 8601 date)."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: tuple[str, str, str]
    committer: tuple[str, str, str]
    message: str


@dataclass(frozen=True, kw_only=True)
class Changed:
    """One file of a comparison; `patch` is None for binary files, `status` is GitHub's word."""

    path: str
    previous: str | None
    status: str
    additions: int
    deletions: int
    sha: str
    patch: str | None


class Git:
    """One bare repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._reader: subprocess.Popen[bytes] | None = None
        self._reading = threading.Lock()
        self._bases: dict[tuple[str, str], str | None] = {}
        self._between: dict[tuple[str, str], tuple[str, ...]] = {}
        self._commits: dict[str, Commit] = {}
        self._changes: dict[tuple[str, str], tuple[Changed, ...]] = {}
        self._clock = 1_790_000_000

    def create(self) -> None:
        """The empty repository, with `main` as its default branch; pull requests' refs can be fetched."""
        self.folder.mkdir(parents=True)
        self.run("init", "-q", "--bare", "-b", "main")

    def clone_of(self, other: Git) -> None:
        """This repository as a bare copy of another."""
        subprocess.run(
            ["git", "clone", "-q", "--bare", str(other.folder), str(self.folder)], check=True, capture_output=True
        )

    def close(self) -> None:
        """End the reading process."""
        if self._reader and self._reader.stdin and self._reader.stdout:
            self._reader.stdin.close()
            self._reader.stdout.close()
            self._reader.wait()
        self._reader = None

    # --- reading

    def resolve(self, name: str) -> str | None:
        """The commit that a branch, tag, ref or (short) hash names; a branch wins over a tag."""
        for candidate in (f"refs/heads/{name}", f"refs/tags/{name}", name):
            answer, _ = self._ask(f"info {candidate}^{{commit}}")
            if answer[-1] not in {"missing", "ambiguous"}:
                return answer[0]
        return None

    def read(self, name: str) -> tuple[str, str, bytes] | None:
        """Hash, kind and content of an object (`commit:path` form included); None when there is none."""
        answer, content = self._ask(f"contents {name}")
        return None if answer[-1] in {"missing", "ambiguous"} else (answer[0], answer[1], content)

    def tree(self, name: str) -> tuple[tuple[str, str, str, int], ...]:
        """The entries of a tree: (mode, hash, name, size; 0 for what has none)."""
        found = []
        for line in self.run("ls-tree", "-lz", name).rstrip("\0").split("\0"):
            meta, _, path = line.partition("\t")
            mode, _, sha, size = meta.split()
            found.append((mode, sha, path, 0 if size == "-" else int(size)))
        return tuple(found)

    def commit(self, sha: str) -> Commit:
        """A commit that exists."""
        if sha not in self._commits:
            form = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"
            fields = self.run("show", "-s", f"--format={form}", sha).split("\0", 9)
            self._commits[sha] = Commit(
                sha=fields[0],
                tree=fields[1],
                parents=tuple(fields[2].split()),
                author=(fields[3], fields[4], fields[5]),
                committer=(fields[6], fields[7], fields[8]),
                message=fields[9].rstrip("\n"),
            )
        return self._commits[sha]

    def between(self, base: str, head: str) -> tuple[str, ...]:
        """The commits of `head` that `base` does not have, oldest first; both are hashes."""
        if (base, head) not in self._between:
            found = self.run("rev-list", "--reverse", "--topo-order", f"{base}..{head}").split()
            self._between[base, head] = tuple(found)
        return self._between[base, head]

    def merge_base(self, one: str, other: str) -> str | None:
        """Where two commits, given by their hashes, parted; None when they never met."""
        if (one, other) not in self._bases:
            done = self._git("merge-base", one, other)
            self._bases[one, other] = done.stdout.decode().strip() or None
        return self._bases[one, other]

    def changes(self, base: str, head: str) -> tuple[Changed, ...]:
        """The files that differ between two commits, renames found, sorted by path as GitHub does."""
        if (base, head) not in self._changes:
            self._changes[base, head] = self._compare(base, head)
        return self._changes[base, head]

    def is_ancestor(self, one: str, other: str) -> bool:
        """Whether the second commit has the first."""
        return self._git("merge-base", "--is-ancestor", one, other).returncode == 0

    # --- writing

    def write(
        self,
        branch: str,
        files: Mapping[str, str | bytes | None],
        *,
        message: str,
        author: str,
        parent: str | None,
    ) -> str:
        """A commit on a branch (None removes a file); without a parent it starts a history."""
        stream = [f"commit refs/heads/{branch}\n".encode(), f"committer {self._who(author)}\n".encode()]
        stream.append(_data(message.encode()))
        if parent:
            stream.append(f"from {parent}\n".encode())
        for path, content in files.items():
            if content is None:
                stream.append(f"D {_quoted(path)}\n".encode())
            else:
                stream.append(f"M 100644 inline {_quoted(path)}\n".encode())
                stream.append(_data(content.encode() if isinstance(content, str) else content))
        self.run("fast-import", "--quiet", "--force", stdin=b"".join(stream))
        return self.run("rev-parse", f"refs/heads/{branch}").strip()

    def merge_tree(self, ours: str, theirs: str) -> str | None:
        """The tree of a merge; None when it conflicts."""
        done = self._git("merge-tree", "--write-tree", "--no-messages", ours, theirs)
        return done.stdout.decode().splitlines()[0] if done.returncode == 0 else None

    def commit_tree(self, tree: str, parents: Sequence[str], *, message: str, author: str) -> str:
        """A commit that no ref names yet."""
        flags = [part for parent in parents for part in ("-p", parent)]
        return self.run("commit-tree", tree, *flags, stdin=message.encode(), author=author).strip()

    def replay(self, commits: Sequence[str], onto: str) -> tuple[str, ...] | None:
        """Copies of the commits on top of another, as "Rebase and merge" makes them; None when one conflicts."""
        scratch = self.folder.parent / f"{self.folder.name}.replay"
        self.run("worktree", "add", "-q", "--detach", str(scratch), onto)
        try:
            copies = []
            for commit in commits:
                if self._git("cherry-pick", "--allow-empty", commit, cwd=scratch).returncode:
                    return None
                copies.append(self._git("rev-parse", "HEAD", cwd=scratch).stdout.decode().strip())
            return tuple(copies)
        finally:
            self.run("worktree", "remove", "--force", str(scratch))

    def point(self, ref: str, sha: str) -> None:
        """Let a full ref name an object."""
        self.run("update-ref", ref, sha)

    def drop(self, ref: str) -> None:
        """Remove a full ref."""
        self.run("update-ref", "-d", ref)

    def fetch(self, other: Git, sha: str) -> None:
        """Bring a commit of another repository here."""
        self.run("-c", "uploadpack.allowAnySHA1InWant=true", "fetch", "-q", str(other.folder), sha)

    def run(self, *arguments: str, stdin: bytes | None = None, author: str = BOT) -> str:
        """What Git printed. Raises GitError with what it said."""
        done = self._git(*arguments, stdin=stdin, author=author)
        if done.returncode:
            raise GitError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode(errors="replace")

    # --- inside

    def _git(
        self, *arguments: str, stdin: bytes | None = None, author: str = BOT, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        env = {"PATH": os.environ["PATH"], "HOME": os.devnull, "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
        env |= {"GIT_CONFIG_SYSTEM": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        for role in ("AUTHOR", "COMMITTER"):
            env |= {f"GIT_{role}_NAME": author, f"GIT_{role}_EMAIL": email(author)}
        if arguments[0] in {"commit-tree", "cherry-pick"}:
            self._clock += 1
            env["GIT_COMMITTER_DATE"] = f"{self._clock} +0000"
        if arguments[0] == "commit-tree":
            env["GIT_AUTHOR_DATE"] = f"{self._clock} +0000"
        return subprocess.run(
            ["git", *arguments], cwd=cwd or self.folder, env=env, input=stdin, capture_output=True, check=False
        )

    def _who(self, author: str) -> str:
        self._clock += 1
        return f"{author} <{email(author)}> {self._clock} +0000"

    def _ask(self, command: str) -> tuple[list[str], bytes]:
        if "\n" in command or "\0" in command:
            return ["missing"], b""
        with self._reading:
            return self._exchange(command)

    def _exchange(self, command: str) -> tuple[list[str], bytes]:
        if self._reader is None:
            self._reader = subprocess.Popen(
                ["git", "cat-file", "--batch-command"],
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        stdin, stdout = self._reader.stdin, self._reader.stdout
        if stdin is None or stdout is None:
            raise GitError("git cat-file has no pipes")
        stdin.write(f"{command}\n".encode())
        stdin.flush()
        answer = stdout.readline().decode(errors="replace").split()
        content = b""
        if command.startswith("contents ") and answer[-1] not in {"missing", "ambiguous"}:
            content = stdout.read(int(answer[2]))
            stdout.read(1)
        return answer, content

    def _compare(self, base: str, head: str) -> tuple[Changed, ...]:
        flags = ("-M", "--no-ext-diff", "--no-color", base, head)
        counts = _numstat(self.run("diff", "--numstat", "-z", *flags))
        found = []
        for status, sha, previous, path in _raw(self.run("diff", "--raw", "-z", "--no-abbrev", *flags)):
            added, removed = counts[path]
            found.append(
                Changed(
                    path=path,
                    previous=previous,
                    status=status,
                    additions=added,
                    deletions=removed,
                    sha=sha,
                    patch=self._patch(base, head, [name for name in (previous, path) if name]),
                )
            )
        return tuple(sorted(found, key=lambda change: change.path))

    def _patch(self, base: str, head: str, paths: Sequence[str]) -> str | None:
        flags = ("-M", "--no-ext-diff", "--no-color", base, head, "--")
        text = self.run("diff", *flags, *(f":(literal){path}" for path in paths))
        start = text.find("\n@@ ")
        return None if start < 0 else text[start + 1 :].rstrip("\n")


def email(author: str) -> str:
    """The address under which GitHub knows a login."""
    return f"{author}@users.noreply.github.com"


def _quoted(path: str) -> str:
    """A path as fast-import reads it, whatever characters it has."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


_STATUS: Final[Mapping[str, str]] = {"A": "added", "M": "modified", "D": "removed", "R": "renamed", "T": "changed"}


def _raw(text: str) -> list[tuple[str, str, str | None, str]]:
    """`git diff --raw -z`: status, hash, previous path, path."""
    found: list[tuple[str, str, str | None, str]] = []
    parts = iter(text.split("\0"))
    for meta in parts:
        if not meta:
            break
        _, _, old, new, status = meta.lstrip(":").split()
        first = next(parts)
        renamed = status.startswith("R")
        path = next(parts) if renamed else first
        found.append((_STATUS[status[0]], old if status == "D" else new, first if renamed else None, path))
    return found


def _numstat(text: str) -> dict[str, tuple[int, int]]:
    """`git diff --numstat -z`: path → (additions, deletions); binary files count nothing."""
    found = {}
    parts = iter(text.split("\0"))
    for entry in parts:
        if not entry:
            break
        added, removed, path = entry.split("\t", 2)
        if not path:  # a rename: both names follow
            next(parts)
            path = next(parts)
        found[path] = (0 if added == "-" else int(added), 0 if removed == "-" else int(removed))
    return found
