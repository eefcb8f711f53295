"""The shipped facts: what other stages read from them, their age and their size."""

import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from stackseal import facts

ROOT = Path(__file__).parents[3]
FOLDER = Path(facts.__file__).parent


def test_property_paths_are_plain_names() -> None:
    assert facts.create_only("AWS::S3::Bucket") == ("BucketName", "BucketNamePrefix", "BucketNamespace")
    assert facts.read_only("AWS::SSM::Parameter") == ("Arn",)
    assert facts.primary_identifier("AWS::IAM::Role") == ("RoleName",)
    every = [path for name in facts.types() for path in (*facts.create_only(name), *facts.read_only(name))]
    assert len(every) > 5000
    assert not [path for path in every if "properties" in path.split("/") or path.startswith("/")]


def test_nested_paths_keep_their_parents() -> None:
    nested = [path for name in facts.types() for path in facts.create_only(name) if "/" in path]
    assert nested
    assert all(part for path in nested for part in path.split("/"))


def test_properties_and_tags() -> None:
    assert {"BucketName", "Tags", "VersioningConfiguration"} <= set(facts.properties("AWS::S3::Bucket"))
    assert facts.taggable("AWS::S3::Bucket") == "Tags"
    assert facts.taggable("AWS::KMS::Alias") is None
    assert facts.write_only("AWS::SSM::Parameter") == ("AllowedPattern", "Description", "Policies", "Tier")


def test_an_unknown_type_has_no_facts() -> None:
    assert "AWS::No::Such" not in facts.types()
    assert facts.of_type("AWS::No::Such") is None
    assert facts.create_only("AWS::No::Such") == ()
    assert facts.taggable("Custom::Thing") is None


def test_conditional_replacement_is_known() -> None:
    assert any(facts.conditional_create_only(name) for name in facts.types())


def test_handlers_tell_which_types_have_a_source() -> None:
    bucket = facts.of_type("AWS::S3::Bucket")
    assert bucket is not None
    assert bucket.handlers is not None
    assert "s3:CreateBucket" in bucket.handlers["create"]
    assert set(bucket.handlers) == {"create", "read", "update", "delete"}
    project = facts.of_type("AWS::CodeBuild::Project")
    assert project is not None
    assert project.handlers is None
    assert project.arn.endswith("project/${ProjectName}")


def test_actions_are_found_in_any_case() -> None:
    found = facts.action("S3:putobject")
    assert found is not None
    assert found.name == "s3:PutObject"
    assert found.levels == {"w"}
    assert "object" in found.resources
    assert facts.action("s3:Nonsense") is None
    assert facts.action("nonsense:PutObject") is None


def test_condition_keys_include_those_of_the_resource_types() -> None:
    found = facts.action("iam:PassRole")
    assert found is not None
    assert "iam:PassedToService" in found.keys
    assert "aws:ResourceTag/${TagKey}" in found.keys


def test_age_is_told_against_a_day_that_is_passed_in() -> None:
    last = facts.published() + timedelta(days=facts.MAX_AGE_DAYS)
    assert facts.stale(last) is None
    sentence = facts.stale(last + timedelta(days=1))
    assert sentence is not None
    assert f"{facts.MAX_AGE_DAYS + 1} days old" in sentence


def test_the_facts_come_from_the_locked_release_of_cfn_lint() -> None:
    locked = re.search(
        r"^cfn-lint==(\S+)", (ROOT / "requirements/runtime.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert locked is not None
    sources = {source["name"]: source["version"] for source in facts.manifest()["sources"]}
    assert sources["cfn-lint"] == locked[1], "run scripts/facts.py after raising cfn-lint"


def test_counts_of_the_manifest_are_those_of_the_files() -> None:
    found = facts.manifest()
    assert found["types"] == len(facts.types()) > 1800
    assert found["types_with_handlers"] > 1700


def test_the_files_stay_small_and_licensed() -> None:
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1_500_000
    notice = (FOLDER / "NOTICE").read_text(encoding="utf-8")
    assert all(source["name"] in notice and source["licence"] in notice for source in facts.manifest()["sources"])


@pytest.mark.parametrize("engine", ["boto3", "botocore", "cfnlint"])
def test_reading_facts_imports_no_engine(engine: str) -> None:
    uses = "f.of_type('AWS::S3::Bucket'); f.action('s3:GetObject')"
    program = f"import sys, stackseal.facts as f; {uses}; print({engine!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
