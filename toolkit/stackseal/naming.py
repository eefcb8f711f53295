"""Physical names that fit their service's limit: the same name in, the same name out."""

from __future__ import annotations

from typing import Final

from stackseal.model import sha256

_HASH: Final = 6
TEST_SUFFIX: Final = len("-test-xxxxxx")
"""How much longer a test stack's names are (spec §0.1)."""


def shorten(name: str, limit: int) -> str:
    """The name if it fits, else its beginning and six hexadecimal digits of its SHA-256.

    Two long names that share a beginning stay different; the same name is always shortened to the same text.
    """
    if len(name) <= limit:
        return name
    return f"{name[: limit - _HASH - 1].rstrip('-')}-{sha256(name)[:_HASH]}"


def suffixed(name: str, suffix: str, limit: int) -> str:
    """The name of a test stack's copy: the suffix is kept whole, the name before it gives way."""
    return shorten(name, limit - len(suffix)) + suffix
