"""Values for templates: names of many lengths and words, and examples that carry them."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Final

from stackseal.checks import shape

GOLDEN: Final = Path(__file__).parents[2] / "golden"
EXAMPLES: Final = {
    path.parent.name: path.read_text(encoding="utf-8")
    for path in sorted(GOLDEN.glob("*/**/template.yaml"))
    if path.parent.parent != GOLDEN
}
"""Every template that an example of a product renders to."""
_COMPANIES: Final = ("acme", "n3xt", "bigbank", "data4all", "orchard-labs", "global-insurance")
_CASES: Final = (
    "churn",
    "fraud-v2",
    "demand-forecasting",
    "credit-risk-scoring",
    "x9-vision",
    "long-range-maintenance",
)
_WORDS: Final = (
    *("a", "prod", "dev", "acme", "bank4", "edge", "us", "west", "2", "eu", "central", "1", "ml", "fraud", "detection"),
    *("customer", "churn", "x9", "3com", "build", "pipeline", "role", "4ab0ce", "logs", "7", "realtime", "datacenter"),
    *(
        "default",
        "all",
        "key",
        "alias",
        "arn",
        "barn",
        "http",
        "https",
        "latest",
        "main",
        "kms",
        "s3",
        "iam",
        "vpc",
        "lambda",
    ),
)


def renamed(text: str, rng: random.Random) -> str:
    """The template with another company, tenant and purpose in the Defaults of its parameters."""
    head, mark, rest = text.partition("\nResources:\n")
    lines = head.split("\n")
    tenant = f"{rng.choice('abcxyz')}{rng.randrange(1000):03}"
    names = {
        r"techcorp|globalbank|edge(?=-)": rng.choice(_COMPANIES),
        r"\b[abc]001\b": tenant,
        r"customer-churn|demand-forecasting|fraud-detection|card-fraud": rng.choice(_CASES),
    }
    for old, new in names.items():
        lines = [re.sub(old, new, line) if line.startswith("    Default: ") else line for line in lines]
    return "\n".join(lines) + mark + rest


def _made() -> tuple[str, ...]:
    rng = random.Random(1)  # noqa: S311 - the same names every time
    found: set[str] = set()
    while len(found) < 200:
        words = [rng.choice(_WORDS) for _ in range(rng.randint(4, 11))]
        if shape._name(name := "-".join(words)) and len(name) < 64:
            found.add(name)
    return tuple(sorted(found))


NAMES: Final = _made()
"""Names of which a shape does not know the words."""
