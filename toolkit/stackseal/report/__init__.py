"""Stage 7, Report → text. ADD A FORMAT HERE: one module with `render(report)` and its line in `FORMATS`.

Comments, summaries and issues have limits of their own: `markdown.render_parts`, `markdown.render_summary` and
`issue.issue`. What another job reads back goes through `json.dumps` and `json.loads`.
"""

from typing import Final, Protocol

from stackseal.model import Report
from stackseal.report import annotations, html, json, junit, markdown, sarif


class Format(Protocol):
    """A way to write a report: the same report gives the same bytes, and no secret leaves."""

    def render(self, report: Report) -> str:
        """The whole report as text."""
        ...


FORMATS: Final[dict[str, Format]] = {
    "annotations": annotations,
    "html": html,
    "json": json,
    "junit": junit,
    "markdown": markdown,
    "sarif": sarif,
}
