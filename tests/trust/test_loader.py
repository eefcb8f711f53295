"""Public collections of YAML and JSON as configs and settings: read, or refused in one sentence, and never slow."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import pytest

from stackseal import settings, yamltext
from stackseal.errors import StacksealError
from trust.corpora import read, texts
from trust.figures import Count

READERS: Final[dict[str, Callable[[str], object]]] = {
    "config": lambda text: yamltext.parse(text, "config.yaml"),
    "settings": lambda text: settings.parse(text.encode("utf-8", "surrogatepass")),
}
SLOW: Final = 5.0


def inputs() -> list[str]:
    suites = [case["yaml"] for case in read("yaml")] + [case["input"] for case in read("json")]
    return [*suites, *texts(), *(f"a: {text}" for text in texts())]


def wrong(name: str, text: str) -> str:
    """What a reader did that it must not; empty where it read the text or refused it."""
    started = time.monotonic()
    try:
        READERS[name](text)
    except StacksealError as error:
        if error.exit_code != 2 or "\n" in str(error) or not error.where:
            return f"{name}: {error!r}"
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        return f"{name}: {type(error).__name__}: {error} of {text[:60]!r}"
    return f"{name}: slow on {text[:60]!r}" if time.monotonic() - started > SLOW else ""


def test_public_yaml_and_json(count: Count) -> None:
    found = [what for text in inputs() for name in READERS if (what := wrong(name, text))]
    assert found == []


@pytest.mark.trust
def test_all_of_it(count: Count) -> None:
    tried = inputs()
    found = [what for text in tried for name in READERS if (what := wrong(name, text))]
    count("public YAML, JSON and texts as configs and settings", inputs=len(tried), breaks=len(found))
    assert found == []
