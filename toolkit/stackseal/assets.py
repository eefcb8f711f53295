"""Where the files that we ship live: in a wheel, an editable install or a checkout (docs/adr/0003)."""

from pathlib import Path
from typing import Final

_PACKAGED: Final = Path(__file__).parent / "_assets"
"""Filled by pyproject's force-include; below it the layout is the repository's own."""
_ROOT: Final = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[2]

TEMPLATES: Final = _ROOT / "templates"
PRODUCTS: Final = TEMPLATES / "products"
PARTIALS: Final = TEMPLATES / "partials"
REPORTS: Final = TEMPLATES / "reports"
REQUIREMENTS: Final = _ROOT / "requirements"
WORKFLOWS: Final = _ROOT / "workflows"
LICENSE: Final = _ROOT / "LICENSE"
BUILDSPECS: Final = _ROOT / "buildspecs"
