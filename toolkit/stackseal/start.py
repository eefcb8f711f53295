"""The console script: what is known is said at once; everything else is the command line's to answer (`cli`)."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

_OPTIONS: Final = {"--region": "us-east-1", "--engines": "cfn-lint,checkov", "--format": "text", "--cache-dir": ""}
"""The options with which `check` can be answered from what is known; with any other the command line answers."""
_ELSEWHERE: Final = ("STACKSEAL_ACTION", "STACKSEAL_CHECKOV", "STACKSEAL_EDITION", "STACKSEAL_FACTS")
"""Variables with which more is to be done than to print findings."""


def entry() -> NoReturn:
    """Answer, or hand over."""
    code = answered(sys.argv[1:], os.environ)
    if code is not None:
        sys.exit(code)
    from stackseal import cli

    cli.entry()


def answered(argv: Sequence[str], env: Mapping[str, str]) -> int | None:
    """The exit code of a `check` whose files are all known, its findings printed; None for everything else.

    Nothing is believed here that the command itself would not believe, and the words are the same.
    """
    if argv[:1] != ["check"] or any(env.get(name) for name in _ELSEWHERE) or Path("ml", "products").is_dir():
        return None
    asked = _asked(argv[1:])
    cache = asked and _cache(asked[0]["--cache-dir"], env)
    if not asked or not cache or not (cache / "findings").is_dir():
        return None
    rows = _rows(*asked, cache, env)
    return None if rows is None else _printed(rows, asked[0]["--format"], env)


def _asked(words: Sequence[str]) -> tuple[dict[str, str], list[Path]] | None:
    """The options and the paths of a command line without any other option."""
    options, paths = dict(_OPTIONS), list[Path]()
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            paths.append(Path(word))
        elif name not in options or (given := value if equals else next(rest, None)) is None:
            return None
        else:
            options[name] = given
    return (options, paths) if paths and options["--format"] in {"text", "json"} else None


def _cache(given: str, env: Mapping[str, str]) -> Path | None:
    """The folder that `cli.parse` would take, if it is one's own."""
    if folder := given or env.get("STACKSEAL_CACHE_DIR"):
        return Path(folder)
    home = env.get("XDG_CACHE_HOME") or (env.get("HOME") and f"{env['HOME']}/.cache")
    return Path(home, "stackseal") if home else None


def _rows(
    options: Mapping[str, str], paths: Sequence[Path], cache: Path, env: Mapping[str, str]
) -> list[dict[str, Any]] | None:
    """The rows of all files in their order; None where one is not known."""
    from stackseal import assets, checked

    names = tuple(name for name in options["--engines"].split(",") if name)
    lock = assets.REQUIREMENTS / "checkov.txt"
    known = checked.known(cache, region=options["--region"], engines=names, env=env, lock=lock)
    before = known.rows() if known else {}
    rows: list[dict[str, Any]] = []
    try:
        for file in checked.files(paths) if before else ():
            if file.key not in before:
                return None
            rows += checked.placed(before[file.key], file.path)
    except OSError:
        return None
    return checked.ordered(rows) if before else None


def _printed(rows: Sequence[dict[str, Any]], form: str, env: Mapping[str, str]) -> int:
    from stackseal import checked
    from stackseal.hiding import of_environment
    from stackseal.output import Output

    output = Output(hidden=of_environment(env))
    try:
        if form == "json":
            output.json({"findings": checked.shown(rows)})
        else:
            output.data(checked.text(rows))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 3
    return checked.code(rows)
