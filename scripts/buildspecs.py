"""Writes `buildspecs/` into the product that holds them, indented: a project has its build specification's own text."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
SOURCES: Final = ROOT / "buildspecs"
PARTS: Final = ROOT / "templates" / "products" / "ci_codebuild" / "parts" / "buildspecs"
_INDENT: Final = " " * 10


def part(text: str) -> str:
    """A build specification as a part of the template. Jinja must find nothing in it."""
    if any(mark in text for mark in ("{{", "{%", "{#")):
        raise ValueError("Jinja would read a part of it")
    return "".join(f"{_INDENT}{line}" if line.strip() else line for line in text.splitlines(keepends=True))


def main() -> int:
    """Write the parts that differ; `--check` says which."""
    wrong = []
    for source in sorted(SOURCES.glob("*.yml")):
        target, text = PARTS / f"{source.stem}.yaml.j2", part(source.read_text(encoding="utf-8"))
        if not target.is_file() or target.read_text(encoding="utf-8") != text:
            wrong.append(target.relative_to(ROOT).as_posix())
            if "--check" not in sys.argv:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
    if wrong and "--check" in sys.argv:
        print(f"{', '.join(wrong)} differ from buildspecs/: run `make docs`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
