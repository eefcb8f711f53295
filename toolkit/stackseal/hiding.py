"""Secrets that no text of ours may hold: known by their form, by the environment that we run in, or by the settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

_SECRET: Final = re.compile(
    r"pass(word|wd|phrase)|secret|token|credential|api[_-]?key|(private|access|signing|encryption)[_-]?key"
    r"|connection[_-]?string|auth[_-]?header|webhook[_-]?url",
    re.IGNORECASE,
)
_NO_SECRET: Final = re.compile(
    r"(Arn|Id|Ids|Name|Names|Type|Types|Enabled|Length|Days|Policy|Status|Path|Metric|Validity|Duration|Version|Stage)$"
    r"|ClientRequestToken|^KmsKey|KMSMasterKey|RotationRules|^AccessKeyLastRotated"
)
_FORMS: Final = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"
)
_LEAST: Final = 12
"""A shorter value of the environment could be any word."""


def is_secret_key(key: str) -> bool:
    """Whether a value under this key is to be hidden."""
    return _SECRET.search(key) is not None and _NO_SECRET.search(key) is None


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """What is hidden wherever it stands, besides secrets that are known by their form."""

    known: tuple[str, ...] = ()
    patterns: tuple[re.Pattern[str], ...] = ()

    def text(self, text: str, mark: Callable[[str], str] = lambda _: "(hidden)") -> str:
        """The text with every secret replaced by its mark, the longest first."""
        for secret in self._longest_first:
            if secret in text:
                text = text.replace(secret, mark(secret))
        for pattern in (*self.patterns, _FORMS):
            text = pattern.sub(lambda found: mark(found.group()) if found.group() else "", text)
        return text

    @cached_property
    def _longest_first(self) -> tuple[str, ...]:
        return tuple(sorted(self.known, key=len, reverse=True))

    def data(self, value: Any) -> Any:
        """Plain data with every text in it so, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.data(key): self.data(item) for key, item in value.items()}
        return [self.data(item) for item in value] if isinstance(value, list | tuple) else value


def of_environment(env: Mapping[str, str]) -> Hidden:
    """The values of variables with a secret's name, such as tokens and keys; paths to files and ids are none."""
    found = {env[key] for key in env if is_secret_key(key) and not key.endswith("_ID")}
    return Hidden(known=tuple(sorted(one for one in found if len(one) >= _LEAST and not one.startswith("/"))))
