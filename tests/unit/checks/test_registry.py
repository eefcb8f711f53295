import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from stackseal import checks
from stackseal.checks import engines, own
from stackseal.model import Level
from unit.checks.samples import FIXTURES


def modules(package: ModuleType) -> set[str]:
    (folder,) = package.__path__
    return {path.stem for path in Path(folder).glob("*.py")} - {"__init__"}


def test_every_file_of_a_check_is_in_the_registry() -> None:
    assert modules(own) == {name.replace("-", "_") for name in checks.CHECKS}


def test_every_engine_is_in_the_registry() -> None:
    assert modules(engines) == {name.replace("-", "_") for name in checks.ENGINES}
    assert all(name == engine.ID for name, engine in checks.ENGINES.items())


def test_the_registry_is_sorted() -> None:
    assert list(checks.CHECKS) == sorted(checks.CHECKS)


@pytest.mark.parametrize("name", [*checks.CHECKS, *checks.LIVE])
def test_a_check_says_what_it_is_and_what_to_do(name: str) -> None:
    check = {**checks.CHECKS, **checks.LIVE}[name]
    assert name == check.ID
    assert isinstance(check.LEVEL, Level)
    assert check.TITLE
    assert not check.TITLE.endswith(".")
    assert len(check.HELP.strip().split("\n\n")) >= 2, "why it matters, and what to do"


@pytest.mark.parametrize("name", checks.CHECKS)
def test_a_check_has_a_good_and_a_bad_template(name: str) -> None:
    assert (FIXTURES / name / "good.yaml").is_file()
    assert (FIXTURES / name / "bad.yaml").is_file()


def test_the_engines_are_not_imported_before_they_are_used() -> None:
    program = "import sys, stackseal.checks; print({'boto3', 'cfnlint', 'checkov', 'jinja2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_no_fixture_is_left_over() -> None:
    assert {folder.name for folder in FIXTURES.iterdir()} == set(checks.CHECKS)
