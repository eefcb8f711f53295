"""What the examples of every product become, byte for byte. `make golden` blesses today's; then read the diff.

`tests/golden/<product>/<example>/` holds one file per entry of `ARTEFACTS`.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from stackseal import assets
from stackseal.model import Template
from unit.products.cases import example, rendered

HERE: Final = Path(__file__).parent
WRITE: Final = os.environ.get("STACKSEAL_GOLDEN") == "write"
EXAMPLES: Final = sorted(assets.PRODUCTS.glob("*/examples/*.yaml"))
ARTEFACTS: Final[dict[str, Callable[[Template], str]]] = {
    "template.yaml": lambda template: template.text,
}


def folder(path: Path) -> Path:
    """Where the expected files of an example lie."""
    return HERE / path.parts[-3] / path.stem


@pytest.mark.spec("A24")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_becomes_what_it_became_before(path: Path) -> None:
    template = rendered(example(path))
    for name, artefact in ARTEFACTS.items():
        expected, text = folder(path) / name, artefact(template)
        if WRITE:
            expected.parent.mkdir(parents=True, exist_ok=True)
            expected.write_text(text, encoding="utf-8")
        assert expected.is_file(), f"{expected.relative_to(HERE)} is missing: run `make golden` and read it"
        assert text == expected.read_text(encoding="utf-8"), (
            f"{expected.relative_to(HERE)}: `make golden`, read the diff"
        )


def test_nothing_is_expected_of_an_example_that_is_gone() -> None:
    found = {path for path in HERE.glob("*/*") if path.is_dir() and "__pycache__" not in path.parts}
    assert found == {folder(path) for path in EXAMPLES}
