"""Two things that GitHub knows and act 0.2.89 does not, written in a way that it does; nothing else is touched.

1. `queue: max` below `concurrency:` is left out; act does not enforce concurrency at all.
2. `uses: $/PATH`, a folder of the repository and commit that the workflow itself comes from, is written out.
"""

from __future__ import annotations

import re
from typing import Final

REPOSITORY: Final = "stackseal/stackseal"
_QUEUE: Final = re.compile(r"^ +queue: max\n", re.MULTILINE)
_SELF: Final = re.compile(r"^( +(?:- )?uses: )\$/(\S+)$", re.MULTILINE)


def normalise(text: str, commit: str) -> str:
    """A workflow as act takes it, for the toolkit at a commit."""
    return _SELF.sub(rf"\g<1>{REPOSITORY}/\g<2>@{commit}", _QUEUE.sub("", text))
