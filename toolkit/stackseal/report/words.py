"""The texts of the reports: Jinja templates that can print nothing but what an encoder returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from stackseal import assets
from stackseal.report import encode
from stackseal.report.diff import diff, property_name, value
from stackseal.report.encode import Safe
from stackseal.report.view.permissions import because

if TYPE_CHECKING:
    from jinja2 import Environment


def plural(count: int, one: str, many: str = "") -> Safe:
    """`3 stacks`, `1 stack`; the words are the template's own."""
    return Safe(f"{count:,} {one if count == 1 else many or one + 's'}")


def plural_only(count: int, one: str, many: str) -> Safe:
    """`is` or `are`, without the number."""
    return Safe(one if count == 1 else many)


def short(digest: str) -> Safe:
    """The first characters of a commit or digest, without an encoder's frame."""
    return Safe("".join(char for char in digest[:12] if char in "0123456789abcdef") or "unknown")


def pick(key: str, **words: str) -> Safe:
    """The template's own word for one of a closed list of values."""
    return Safe(words[key.lower().replace(" ", "_").replace("-", "_")])


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "code": encode.code,
    "cell": encode.cell,
    "fence": encode.fence,
    "prose": encode.prose,
    "prose_cell": encode.prose_cell,
    "remedy": encode.remedy,
    "html_remedy": encode.html_remedy,
    "label": encode.label,
    "html": encode.html_inline,
    "html_block": encode.html_block,
    "html_code": encode.html_code,
    "title": encode.title,
    "word": encode.word,
    "short": short,
    "plural": plural,
    "plural_only": plural_only,
    "pick": pick,
    "length": len,
    "because": because,
    "diff": diff,
    "property": property_name,
    "value": value,
}
"""The only filters that a template of a report has: encoders, and a few whose result still needs one."""


def only_safe(value: Any) -> Any:
    """What a template prints must come from an encoder or be a whole number; anything else is our mistake."""
    from jinja2 import Undefined

    if isinstance(value, Safe | Undefined) or type(value) is int:
        return value
    raise TypeError(f"a report template prints {type(value).__name__} without an encoder")


@cache
def environment() -> Environment:
    """The environment of all report templates; there is no way round the encoders in it."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(  # noqa: S701 - stricter than autoescape: `only_safe` refuses what was not encoded
        loader=FileSystemLoader(assets.REPORTS),
        undefined=StrictUndefined,
        finalize=only_safe,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.clear()
    environment.filters.update(FILTERS)
    return environment


def fill(template: str, **context: Any) -> str:
    """One template, filled."""
    return environment().get_template(template).render(**context)
