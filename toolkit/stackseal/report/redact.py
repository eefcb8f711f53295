"""No secret leaves in a report: values under secret-like keys are hidden everywhere before anything is rendered.

CloudFormation masks NoEcho parameters only, and not in properties, metadata or outputs; comments and artifacts are
masked by nobody. A hidden value is shown as `(hidden 3f2a)`: sixteen bits of a salted digest tell two values apart and
are too few to find either. References (`{{resolve:…}}`, ARNs, intrinsic functions) are no secrets and stay readable.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from stackseal.hiding import Hidden, is_secret_key
from stackseal.model import KNOWN_AFTER_APPLY, Change, Difference, PropertyChange, canonical_json, sha256

T = TypeVar("T")
WriteOnly = Callable[[str], Sequence[str]]

_REFERENCE: Final = re.compile(r"arn:aws[a-z-]*:\S+|\{\{resolve:[^{}]*\}\}|true|false|null|")
_RESOLVE: Final = re.compile(r"\{\{resolve:(?:secretsmanager|ssm-secure):[^{}]*\}\}")
_HIDDEN: Final = re.compile(r"\(hidden [0-9a-f]{4}\)")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""Halves of a pair come from file names; no encoding can carry them."""
_FUNCTIONS: Final = frozenset({"Ref", "Fn::GetAtt", "Fn::ImportValue"})
_TEXT_FIELDS: Final = {PropertyChange: ("before", "after"), Difference: ("expected", "actual")}
_SENTENCES: Final = frozenset({"message", "remedy", "sentence", "notes", "reason"})
"""Fields that may repeat a secret in the middle of a text; ids and names are not searched, they identify."""
_NOTHING: Final = Hidden()
_SHORTEST: Final = 6
"""A shorter secret is hidden where it stands but not searched for in other texts: it could be any word."""


def redact(value: T, salt: str = "", hidden: Hidden = _NOTHING, write_only: WriteOnly = lambda _: ()) -> T:
    """The same report, drift or other value of the model without secrets; redacting twice changes nothing.

    `salt` makes the marks of one repository useless in another; `hidden` is what is known to be secret from elsewhere,
    `write_only` gives for a resource type the paths of the properties that AWS takes and never shows.
    """
    secrets = sorted({text for text in _secrets(value) if len(text) >= _SHORTEST}, key=lambda text: (-len(text), text))
    clean: T = _walk(value, _Hider(salt, tuple(secrets), hidden, write_only))
    return clean


@dataclasses.dataclass(frozen=True)
class _Hider:
    salt: str
    secrets: tuple[str, ...]
    hidden: Hidden = _NOTHING
    write_only: WriteOnly = lambda _: ()

    def mark(self, text: str) -> str:
        return text if _HIDDEN.fullmatch(text) else f"(hidden {sha256(canonical_json([self.salt, text]))[:4]})"

    def text(self, text: str) -> str:
        """A sentence without the secrets that are known from elsewhere or by their form."""
        for secret in self.secrets:
            text = text.replace(secret, self.mark(secret))
        return self.forms(text)

    def forms(self, text: str) -> str:
        """An id or a name without what is a secret by its form, or known to be one."""
        return self.hidden.text(_SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", text), self.mark)

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
        return {hider.forms(str(key)): _entry(str(key), item, hider) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        clean = _apart(value, hider)
        changes = {field.name: _field(clean, field.name, hider) for field in dataclasses.fields(clean)}
        return dataclasses.replace(clean, **changes)
    return value


def _apart(owner: Any, hider: _Hider) -> Any:
    """A value without the secrets that its own fields cannot tell: write-only properties, what a reference became."""
    if isinstance(owner, Change):
        paths = frozenset(tuple(path.split("/")) for path in hider.write_only(owner.type))
        return dataclasses.replace(owner, properties=tuple(_written(one, paths, hider) for one in owner.properties))
    if (names := _TEXT_FIELDS.get(type(owner))) is not None:
        one, other = (getattr(owner, name) for name in names)
        return dataclasses.replace(owner, **dict(zip(names, _resolved(one, other, hider), strict=True)))
    return owner


def _written(item: PropertyChange, paths: frozenset[tuple[str, ...]], hider: _Hider) -> PropertyChange:
    """A property with every text hidden that stands at a write-only path or below it."""
    if not paths:
        return item
    place = tuple("*" if part.isdigit() else part for part in re.split(r"[/.\[\]]", item.path) if part)
    start = place[1:] if place[:1] == ("Properties",) else place

    def hide(value: Any, at: tuple[str, ...], below: bool) -> Any:
        below = below or at in paths
        if isinstance(value, Mapping):
            return {k: v if k in _FUNCTIONS else hide(v, (*at, k), below) for k, v in value.items()}
        if isinstance(value, list):
            return [hide(one, (*at, "*"), below) for one in value]
        return hider.mark(value) if below and isinstance(value, str) and not _open(value) else value

    inside = any(start[: len(path)] == path for path in paths)
    texts = (text and _dumped(text, hide(_loaded(text), start, inside)) for text in (item.before, item.after))
    before, after = texts
    return dataclasses.replace(item, before=before, after=after)


def _resolved(one: str | None, other: str | None, hider: _Hider) -> tuple[str | None, str | None]:
    """Two texts of one property: where one holds a reference to a secret, the other's text is what it led to."""
    if one is None or other is None or not any(_RESOLVE.search(text) for text in (one, other)):
        return one, other

    def hide(mine: Any, theirs: Any) -> Any:
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            return {key: hide(value, theirs.get(key)) for key, value in mine.items()}
        if isinstance(mine, list) and isinstance(theirs, list):
            return [hide(value, theirs[n] if n < len(theirs) else None) for n, value in enumerate(mine)]
        led = isinstance(theirs, str) and _RESOLVE.search(theirs)
        return hider.mark(mine) if led and isinstance(mine, str) and not _open(mine) else mine

    left, right = _loaded(one), _loaded(other)
    return _dumped(one, hide(left, right)), _dumped(other, hide(right, left))


def _loaded(text: str) -> Any:
    """The value of a property's JSON text; text that is no JSON is a string."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _dumped(text: str, value: Any) -> str:
    """The JSON text of a value, or the text that it was read from where it is still the same."""
    return text if value == _loaded(text) else json.dumps(value, ensure_ascii=False)


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


def hidden_in(text: str) -> Iterator[str]:
    """What is hidden of a JSON text because of the keys that it stands under."""
    return _texts_in("", text)


def _texts_in(path: str, text: str) -> Iterator[str]:
    """The hidden strings of one property, found by hiding them and recording what was asked for."""
    found: list[str] = []

    class Recorder(_Hider):
        def mark(self, text: str) -> str:
            found.append(text)
            return super().mark(text)

    Recorder("", ()).json_text(path, text)
    yield from (item for item in found if not _HIDDEN.fullmatch(item))
