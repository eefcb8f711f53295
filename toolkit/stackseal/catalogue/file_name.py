"""A config's file name tells what is in it (spec §1.2): its author hears which token is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from stackseal.model import Config, Json

_PREFIX: Final = "file:"


def mismatch(config: Config, values: Mapping[str, Json]) -> tuple[str, ...]:
    """One sentence for every token of the file's name that is not what the content says."""
    tokens = [(key.removeprefix(_PREFIX), str(value)) for key, value in values.items() if key.startswith(_PREFIX)]
    given = [(token, value) for token, value in tokens if value]
    expected = "-".join(value for _, value in given)
    stem = PurePosixPath(config.path).stem
    if not given or stem == expected:
        return ()
    wrong = _wrong(stem, given) or [f"it ends with {stem!r}"]
    return tuple(
        f"The file's name does not match its content: {what}; rename it to {expected}.yaml, or correct the content"
        for what in wrong
    )


def _wrong(stem: str, tokens: list[tuple[str, str]]) -> list[str]:
    """Walk the name from the left; after a wrong token go on where the next right one stands."""
    found: list[str] = []
    rest = stem
    for index, (token, value) in enumerate(tokens):
        if rest == value or rest.startswith(f"{value}-"):
            rest = rest[len(value) + 1 :]
            continue
        resume = _resume(rest, tokens[index + 1 :])
        shown = rest[:resume].rstrip("-") if resume is not None else rest
        found.append(f"the token {token} is {shown!r} where the content says {value!r}")
        rest = rest[resume:] if resume is not None else ""
    if rest:
        found.append(f"it goes on with {rest!r} where the content has nothing more")
    return found


def _resume(rest: str, tokens: list[tuple[str, str]]) -> int | None:
    for _, value in tokens:
        padded = f"-{rest}-"
        if (position := padded.find(f"-{value}-")) >= 0:
            return position
    return None
