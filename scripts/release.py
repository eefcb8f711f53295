"""What must be true before a release is built, and the words that go with it: docs/how-to/release.md.

    release.py check TAG                               refuses a tag that is no release; prints the workflow's outputs
    release.py notes TAG --repository O/R --commit C   the changelog's section, how to pin and how to verify

Only the standard library: the workflow runs it before anything is installed.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
TAG: Final = re.compile(r"v((0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*))((?:a|b|rc)[1-9]\d*)?")
"""`v1.2.3`, and `v1.2.3rc1` for what is tried before (PEP 440)."""
_VERSION: Final = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)


class NoRelease(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """Why this tag is not released, and what to do."""


def version(root: Path) -> str:
    """The version that the package says it has."""
    found = _VERSION.search((root / "toolkit" / "stackseal" / "__init__.py").read_text(encoding="utf-8"))
    if not found:
        raise NoRelease("toolkit/stackseal/__init__.py has no __version__: write it there")
    return found[1]


def section(changelog: str, name: str) -> str:
    """What stands below a heading of the changelog, `Unreleased` or a version with its day; empty where nothing is."""
    heading = rf"^## {re.escape(name)}(?: - \d{{4}}-\d{{2}}-\d{{2}})?\n(.*?)(?=^## |\Z)"
    found = re.search(heading, changelog, flags=re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def agreed(tag: str, package: str, changelog: str) -> None:
    """Nothing, if tag, package and changelog tell of one release. Raises `NoRelease`."""
    if not TAG.fullmatch(tag):
        raise NoRelease(f"{tag} is no release: a tag is v1.2.3 or v1.2.3rc1; delete it")
    if tag != f"v{package}":
        raise NoRelease(
            f"{tag} is not the version of the package, {package}: set __version__ in toolkit/stackseal/__init__.py in a"
            " pull request, or tag the commit that has it"
        )
    if not re.search(rf"^## {re.escape(package)} - \d{{4}}-\d{{2}}-\d{{2}}$", changelog, flags=re.MULTILINE):
        raise NoRelease(f"CHANGELOG.md has no heading '## {package} - YEAR-MONTH-DAY': rename Unreleased to it")
    if not section(changelog, package):
        raise NoRelease(f"CHANGELOG.md says nothing about {package}: write what changes for users")
    if section(changelog, "Unreleased"):
        raise NoRelease(f"CHANGELOG.md still lists changes as unreleased: move them below {package}")


def moving(tag: str, tags: Iterable[str]) -> str:
    """The tag of the major version that this release moves; empty for a try-out, and where a newer one is out."""
    if not (mine := _key(tag)):
        return ""
    return f"v{mine[0]}" if mine == max(key for each in [tag, *tags] if (key := _key(each))[:1] == mine[:1]) else ""


def _key(tag: str) -> tuple[int, ...]:
    found = TAG.fullmatch(tag)
    return tuple(int(part) for part in found.group(2, 3, 4)) if found and not found[5] else ()


def check(tag: str, root: Path) -> dict[str, str]:
    """The workflow's outputs for a tag that may be released. Raises `NoRelease` with one sentence for any other."""
    agreed(tag, version(root), (root / "CHANGELOG.md").read_text(encoding="utf-8"))
    commit = _git(root, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")
    if not commit:
        raise NoRelease(f"There is no tag {tag} here: fetch the tags")
    if commit != _git(root, "rev-parse", "HEAD"):
        raise NoRelease(f"{tag} is not the commit that is checked out: check out {tag}")
    main = _git(root, "rev-parse", "--verify", "--quiet", "refs/remotes/origin/main")
    if not main or _git(root, "merge-base", commit, main) != commit:
        raise NoRelease(f"{tag} is not on main: merge it first, then tag the commit on main")
    return {
        "version": tag[1:],
        "prerelease": "false" if _key(tag) else "true",
        "moving": moving(tag, _git(root, "tag", "--list", "v*").splitlines()),
    }


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", root, *words], capture_output=True, text=True, check=False)  # noqa: S607 - git of PATH
    return done.stdout.strip() if done.returncode == 0 else ""


_NOTES: Final = """\
{changes}

### Pin

```yaml
uses: {repository}@{commit} # {tag}
```

### Verify

```sh
gh release download {tag} --repo {repository} --pattern '*.whl'
gh attestation verify stackseal-*.whl --repo {repository} \\
  --signer-workflow {repository}/.github/workflows/release.yml --source-ref refs/tags/{tag} --source-digest {commit}
```

The wheel is reproducible: `git checkout {commit} && make dist` gives the digests of `SHA256SUMS`.
"""


def notes(tag: str, repository: str, commit: str, root: Path) -> str:
    """The text of the release, in Markdown."""
    changes = section((root / "CHANGELOG.md").read_text(encoding="utf-8"), tag[1:])
    if not changes:
        raise NoRelease(f"CHANGELOG.md says nothing about {tag[1:]}: write what changes for users")
    return _NOTES.format(changes=changes, repository=repository, commit=commit, tag=tag)


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Exit 1 with one sentence for a tag that is not released."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("check", "notes"):
        commands.add_parser(name).add_argument("tag")
    commands.choices["notes"].add_argument("--repository", required=True)
    commands.choices["notes"].add_argument("--commit", required=True)
    given = parser.parse_args(arguments)
    try:
        if given.command == "check":
            print("\n".join(f"{name}={value}" for name, value in check(given.tag, root).items()))
        else:
            print(notes(given.tag, given.repository, given.commit, root), end="")
    except NoRelease as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
