"""Plain data as YAML text that every reader, YAML 1.1 or 1.2, takes for the same data."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

_AMBIGUOUS: Final = re.compile(r"[ynYN]|0o[0-7]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
"""Texts that PyYAML writes without quotes and that another reader, YAML 1.1 or 1.2, takes for a value."""


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]  # chosen at run time
    """Never writes anchors: two equal nodes are written twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _represent_text(dumper: Any, text: str) -> yaml.ScalarNode:
    style = "'" if _AMBIGUOUS.fullmatch(text) else None
    node: yaml.ScalarNode = dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
    return node


_Dumper.add_representer(str, _represent_text)


def dump(value: Any) -> str:
    """The YAML text of plain data: block style, keys in their order, no anchors; texts stay texts in every reader."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=1_000_000, allow_unicode=True)
    return text
