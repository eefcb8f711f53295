"""Makes the folder that the image carries as /app: the working root, the documentation, the edition's example configs.

The Dockerfile calls it, and so do the tests, which have no Docker: they run the actions in the folder that it makes.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import yaml

ROOT: Final = Path(__file__).parents[1]
EXAMPLES: Final = ROOT / "templates" / "products" / "ml" / "examples"
EDITIONS: Final = ("starter", "professional", "enterprise")
WRITTEN: Final = ("policies", "templates", "reports")
"""The only folders in which an action writes."""


def layout(folder: Path, edition: str) -> None:
    """The folder, made anew; raises FileExistsError where it is there."""
    folder.mkdir(parents=True)
    for name in ("configs", *WRITTEN, "examples/configs"):
        (folder / name).mkdir(parents=True)
    for name in WRITTEN:
        # Whoever `docker run --user` names writes there; sticky, as /tmp is.
        (folder / name).chmod(0o1777)
    for path in examples(edition):
        shutil.copyfile(path, folder / "examples" / "configs" / path.name)
    sys.path.insert(0, str(Path(__file__).parent))  # the interpreter may run with PYTHONSAFEPATH
    import pages

    list(pages.write(folder / "docs"))


def examples(edition: str) -> Sequence[Path]:
    """The example configs of an edition's tier."""
    found = sorted(EXAMPLES.glob("*.yaml"))
    return [path for path in found if yaml.safe_load(path.read_bytes())["ml_product"]["tier"] == edition]


def main(arguments: Sequence[str]) -> int:
    """Make the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--edition", choices=EDITIONS, required=True)
    found = parser.parse_args(arguments)
    try:
        layout(found.folder, found.edition)
    except FileExistsError:
        sys.exit(f"error: {found.folder} is there already; name a new folder")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
