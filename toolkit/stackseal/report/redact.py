"""No secret leaves in a report: values under secret-like keys are hidden everywhere before anything is rendered.

CloudFormation masks NoEcho parameters only, and not in properties, metadata or outputs; comments and artifacts are
masked by nobody. A hidden value is shown as `(hidden 3f2a)`: sixteen bits of a salted digest tell two values apart and
are too few to find either. References (`{{resolve:…}}`, ARNs, intrinsic functions) are no secrets and stay readable.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

from stackseal.model import KNOWN_AFTER_APPLY, Difference, PropertyChange, canonical_json, sha256

T = TypeVar("T")

_SECRET: Final = re.compile(
    r"pass(word|wd|phrase)|secret|token|credential|api[_-]?key|(private|access|signing|encryption)[_-]?key"
    r"|connection[_-]?string|auth[_-]?header|webhook[_-]?url",
    re.IGNORECASE,
)
_NO_SECRET: Final = re.compile(
    r"(Arn|Id|Ids|Name|Names|Type|Types|Enabled|Length|Days|Policy|Status|Path|Metric|Validity|Duration|Version|Stage)$"
    r"|ClientRequestToken|^KmsKey|KMSMasterKey|RotationRules|^AccessKeyLastRotated"
)
_REFERENCE: Final = re.compile(r"arn:aws[a-z-]*:\S+|\{\{resolve:[^{}]*\}\}|true|false|null|")
_HIDDEN: Final = re.compile(r"\(hidden [0-9a-f]{4}\)")
_FORMS: Final = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"
)
"""Secrets that are known by their form, wherever they stand."""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""Halves of a pair come from file names; no encoding can carry them."""
_FUNCTIONS: Final = frozenset({"Ref", "Fn::GetAtt", "Fn::ImportValue"})
_TEXT_FIELDS: Final = {PropertyChange: ("before", "after"), Difference: ("expected", "actual")}
_SENTENCES: Final = frozenset({"message", "remedy", "sentence", "notes", "reason"})
"""Fields that may repeat a secret in the middle of a text; ids and names are not searched, they identify."""
_SHORTEST: Final = 6
"""A shorter secret is hidden where it stands but not searched for in other texts: it could be any word."""


def is_secret_key(key: str) -> bool:
    """Whether a value under this key is to be hidden."""
    return _SECRET.search(key) is not None and _NO_SECRET.search(key) is None


def redact(value: T, salt: str = "") -> T:
    """The same report, drift or other value of the model without secrets; redacting twice changes nothing.

    `salt` makes the marks of one repository useless in another.
    """
    secrets = sorted({text for text in _secrets(value) if len(text) >= _SHORTEST}, key=lambda text: (-len(text), text))
    hidden: T = _walk(value, _Hider(salt, tuple(secrets)))
    return hidden


@dataclasses.dataclass(frozen=True)
class _Hider:
    salt: str
    secrets: tuple[str, ...]

    def mark(self, text: str) -> str:
        return text if _HIDDEN.fullmatch(text) else f"(hidden {sha256(canonical_json([self.salt, text]))[:4]})"

    def text(self, text: str) -> str:
        """A sentence without the secrets that are known from elsewhere or by their form."""
        for secret in self.secrets:
            text = text.replace(secret, self.mark(secret))
        return self.forms(text)

    def forms(self, text: str) -> str:
        """An id or a name without what is a secret by its form."""
        text = _SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
        return _FORMS.sub(lambda found: self.mark(found.group()), text)

    def under(self, key: str, value: Any) -> Any:
        """Plain data under a key, hidden where the key or a key inside says so."""
        if isinstance(value, Mapping):
            named = next((str(value[name]) for name in ("Name", "Key", "name", "key") if name in value), "")
            return {
                inner: self.under(key if is_secret_key(key) else named if inner in {"Value", "value"} else inner, item)
                if inner not in _FUNCTIONS
                else item
                for inner, item in value.items()
            }
        if isinstance(value, list):
            return [self.under(key, item) for item in value]
        if is_secret_key(key) and value is not None and not isinstance(value, bool):
            return value if _open(str(value)) else self.mark(str(value))
        return self.text(value) if isinstance(value, str) else value

    def json_text(self, path: str, text: str) -> str:
        """A property's JSON text; text that is no JSON counts as a string."""
        key, text = _key_of(path), _SURROGATE.sub("\ufffd", text)
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return str(self.under(key, text))
        hidden = self.under(key, data)
        return text if hidden == data else json.dumps(hidden, ensure_ascii=False)


def _open(text: str) -> bool:
    known = text == KNOWN_AFTER_APPLY or _HIDDEN.fullmatch(text) is not None
    return known or _REFERENCE.fullmatch(text) is not None


def _key_of(path: str) -> str:
    """The last part of a property's path that is a name: indexes and `Value` say nothing by themselves."""
    parts = [part for part in re.split(r"[/.\[\]]", path) if part and not part.isdigit()]
    secret = [part for part in parts if is_secret_key(part)]
    return secret[-1] if secret else parts[-1] if parts else ""


def _walk(value: Any, hider: _Hider, *, sentence: bool = False) -> Any:
    if isinstance(value, str):
        return hider.text(value) if sentence else hider.forms(value)
    if isinstance(value, tuple):
        return tuple(_walk(item, hider, sentence=sentence) for item in value)
    if isinstance(value, Mapping):
        return {key: _entry(str(key), item, hider) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes = {field.name: _field(value, field.name, hider) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **changes)
    return value


def _entry(key: str, item: Any, hider: _Hider) -> Any:
    return hider.json_text(key, item) if isinstance(item, str) else _walk(item, hider)


def _field(owner: Any, name: str, hider: _Hider) -> Any:
    item = getattr(owner, name)
    if isinstance(item, str) and name in _TEXT_FIELDS.get(type(owner), ()):
        return hider.json_text(owner.path, item)
    return _walk(item, hider, sentence=name in _SENTENCES)


def _secrets(value: Any) -> Iterator[str]:
    """Every text that a secret-like key hides, so that it can be found where a message repeats it."""
    if isinstance(value, tuple):
        for item in value:
            yield from _secrets(item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts_in(str(key), item) if isinstance(item, str) else _secrets(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for name in _TEXT_FIELDS.get(type(value), ()):
            if isinstance(text := getattr(value, name), str):
                yield from _texts_in(getattr(value, "path", ""), text)
        for field in dataclasses.fields(value):
            yield from _secrets(getattr(value, field.name))


def _texts_in(path: str, text: str) -> Iterator[str]:
    """The hidden strings of one property, found by hiding them and recording what was asked for."""
    found: list[str] = []

    class Recorder(_Hider):
        def mark(self, text: str) -> str:
            found.append(text)
            return super().mark(text)

    Recorder("", ()).json_text(path, text)
    yield from (item for item in found if not _HIDDEN.fullmatch(item))
