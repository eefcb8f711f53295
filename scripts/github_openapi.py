"""Regenerates what the GitHub fake knows of GitHub: openapi.json.gz, permissions.json, schema.graphql in its folder.

Usage: python scripts/github_openapi.py [--check]

Three packages that GitHub or Octokit publish are downloaded at pinned versions and compared with their SHA-256, so the
same script always writes the same bytes; `--check` writes nothing and exits 1 when the committed files differ. Needs
npm, and the development environment for graphql-core. To renew: change `SOURCES`, run, read the diff.

Only structure is kept (MIT, see NOTICE beside the files): no prose, no examples, only the operations listed here with
everything that they refer to.
"""

from __future__ import annotations

import argparse
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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

TARGET: Final = Path(__file__).parents[1] / "tests" / "fakes" / "github"
VERSION: Final = "2026-03-10"
"""The newer API version; its differences are kept as patches of the base description (2022-11-28)."""


@dataclass(frozen=True)
class Source:
    """One npm package: exact version, digest of its archive, the file that is read."""

    name: str
    version: str
    sha256: str
    file: str


SOURCES: Final = {
    "openapi": Source(
        "@octokit/openapi",
        "23.0.2",
        "71a18407dd5e8464f4e0525daf03deabbe65abd9287d6adc7b5d98f516cd0d0c",
        "package/generated/api.github.com.json",
    ),
    "permissions": Source(
        "@octokit/app-permissions",
        "2.1.0",
        "0d9d2937c20251f4e62577ce033b4ef7f2561781d64d2724c47aed4e41b467eb",
        "package/generated/api.github.com.json",
    ),
    "graphql": Source(
        "@octokit/graphql-schema",
        "15.26.1",
        "053e74249dafce2118fd9b7ae499b067d57c5f910c57745699ac45108bc68d1e",
        "package/schema.graphql",
    ),
}

OPERATIONS: Final = (
    "actions/create-workflow-dispatch",
    "actions/get-custom-oidc-sub-claim-for-repo",
    "actions/get-github-actions-default-workflow-permissions-repository",
    "actions/get-workflow",
    "actions/get-workflow-run",
    "actions/list-artifacts-for-repo",
    "actions/list-workflow-run-artifacts",
    "actions/list-workflow-runs",
    "actions/list-workflow-runs-for-repo",
    "checks/create",
    "checks/get",
    "checks/list-annotations",
    "checks/list-for-ref",
    "checks/update",
    "code-scanning/get-sarif",
    "code-scanning/upload-sarif",
    "git/create-ref",
    "git/delete-ref",
    "git/get-ref",
    "git/list-matching-refs",
    "git/update-ref",
    "issues/add-labels",
    "issues/create",
    "issues/create-comment",
    "issues/create-label",
    "issues/delete-comment",
    "issues/get",
    "issues/get-comment",
    "issues/get-label",
    "issues/list-comments",
    "issues/list-comments-for-repo",
    "issues/list-for-repo",
    "issues/list-labels-for-repo",
    "issues/list-labels-on-issue",
    "issues/remove-label",
    "issues/set-labels",
    "issues/update",
    "issues/update-comment",
    "issues/update-label",
    "pulls/check-if-merged",
    "pulls/create",
    "pulls/create-review",
    "pulls/dismiss-review",
    "pulls/get",
    "pulls/list",
    "pulls/list-commits",
    "pulls/list-files",
    "pulls/list-reviews",
    "pulls/merge",
    "pulls/update",
    "rate-limit/get",
    "reactions/create-for-issue-comment",
    "reactions/delete-for-issue-comment",
    "repos/compare-commits-with-basehead",
    "repos/create-commit-status",
    "repos/create-deployment",
    "repos/create-deployment-status",
    "repos/get",
    "repos/get-all-environments",
    "repos/get-branch",
    "repos/get-branch-protection",
    "repos/get-branch-rules",
    "repos/get-collaborator-permission-level",
    "repos/get-combined-status-for-ref",
    "repos/get-commit",
    "repos/get-content",
    "repos/get-deployment",
    "repos/get-deployment-status",
    "repos/get-environment",
    "repos/list-commit-statuses-for-ref",
    "repos/list-deployment-branch-policies",
    "repos/list-deployment-statuses",
    "repos/list-deployments",
    "repos/list-pull-requests-associated-with-commit",
    "users/get-authenticated",
    "users/get-by-username",
)
"""Every operation that the fake answers; one that is not here has no route."""

UNLISTED: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "actions/get-custom-oidc-sub-claim-for-repo": (("actions", "read"),),
    "actions/get-github-actions-default-workflow-permissions-repository": (("administration", "read"),),
    "repos/compare-commits-with-basehead": (("contents", "read"),),
    "repos/get-all-environments": (("actions", "read"),),
    "repos/get-branch-rules": (("metadata", "read"),),
    "repos/get-collaborator-permission-level": (("metadata", "read"),),
    "repos/get-environment": (("actions", "read"),),
    "repos/list-deployment-branch-policies": (("actions", "read"),),
    "repos/list-pull-requests-associated-with-commit": (("pull_requests", "read"),),
}
"""Operations whose route the package does not know (it stopped in 2022): permissions by GitHub's documentation,
"Permissions required for GitHub Apps" (github/docs, src/github-apps/data, server-to-server-permissions.json).
`users/get-authenticated` is in neither: no permission gives it to an app."""

STALE: Final = (("actions/", ("contents", "read")), ("checks/", ("contents", "read")))
"""What the package still says and the documentation of today does not: `contents` gives no check runs or workflow runs.
Fail closed: a workflow that relied on it would be refused by GitHub."""

GRAPHQL: Final[Mapping[str, tuple[str, ...]]] = {
    "Actor": ("login",),
    "Bot": ("id", "login"),
    "Commit": ("id", "oid"),
    "IssueComment": ("author", "body", "databaseId", "id", "isMinimized", "minimizedReason"),
    "MinimizeCommentInput": ("classifier", "clientMutationId", "subjectId"),
    "MinimizeCommentPayload": ("clientMutationId", "minimizedComment"),
    "Minimizable": ("isMinimized", "minimizedReason"),
    "Mutation": ("minimizeComment", "unminimizeComment"),
    "Node": ("id",),
    "PageInfo": ("endCursor", "hasNextPage"),
    "PullRequest": (
        "author",
        "baseRefOid",
        "headRefOid",
        "id",
        "isDraft",
        "merged",
        "number",
        "latestOpinionatedReviews",
        "reviewDecision",
        "reviewRequests",
        "state",
    ),
    "PullRequestReview": (
        "author",
        "authorCanPushToRepository",
        "commit",
        "databaseId",
        "id",
        "isMinimized",
        "minimizedReason",
        "state",
        "submittedAt",
    ),
    "PullRequestReviewConnection": ("nodes", "pageInfo", "totalCount"),
    "Query": ("id", "node", "repository", "viewer"),
    "Repository": ("id", "nameWithOwner", "pullRequest"),
    "RequestedReviewer": (),
    "ReviewRequest": ("asCodeOwner", "id", "requestedReviewer"),
    "ReviewRequestConnection": ("nodes", "pageInfo", "totalCount"),
    "Team": ("id", "slug"),
    "UnminimizeCommentInput": ("clientMutationId", "subjectId"),
    "UnminimizeCommentPayload": ("clientMutationId", "unminimizedComment"),
    "User": ("id", "login"),
}
"""Types of the GraphQL schema and the fields of each that are kept; enums and scalars follow from the fields."""


def main() -> int:
    """Download, extract, write (or compare)."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the committed files differ")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        texts = {key: fetch(source, Path(folder)) for key, source in SOURCES.items()}
    description = slim(json.loads(texts["openapi"]))
    files = {
        "openapi.json.gz": packed(description),
        "permissions.json": permissions(json.loads(texts["permissions"]), description),
        "schema.graphql": graphql(texts["graphql"].decode()),
    }
    different = [name for name, data in files.items() if not same(TARGET / name, data)]
    if options.check:
        print(f"differ from their sources: {', '.join(different)}" if different else "the description is GitHub's")
        return 1 if different else 0
    for name, data in files.items():
        (TARGET / name).write_bytes(data)
        print(f"{name}: {len(data):,} bytes{' (changed)' if name in different else ''}")
    return 0


def fetch(source: Source, folder: Path) -> bytes:
    """The file of a package, whose archive is proven by its digest."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit(f"cannot fetch {source.name}: npm is not installed")
    target = folder / source.name.replace("/", "-")
    target.mkdir()
    command = [npm, "pack", "--silent", f"{source.name}@{source.version}"]
    subprocess.run(command, cwd=target, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (found,) = target.iterdir()
    digest = hashlib.sha256(found.read_bytes()).hexdigest()
    if digest != source.sha256:
        sys.exit(f"{source.name} {source.version} has another digest than SOURCES says: {digest}")
    with tarfile.open(found) as archive:
        member = archive.extractfile(source.file)
        return member.read() if member else sys.exit(f"{source.name} has no {source.file}")


def same(path: Path, data: bytes) -> bool:
    """Equal content; compressed files are compared unpacked, because zlib builds differ in their bytes."""
    if not path.is_file():
        return False
    old = path.read_bytes()
    return gzip.decompress(old) == gzip.decompress(data) if path.suffix == ".gz" else old == data


def packed(value: object) -> bytes:
    """Compact JSON, gzipped without a time."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=9, mtime=0, filename="") as archive:
        archive.write(json.dumps(value, separators=(",", ":"), sort_keys=True).encode())
    return buffer.getvalue()


# --- the REST description


def slim(full: Mapping[str, Any]) -> dict[str, Any]:
    """The operations that we answer, with everything that they refer to, without prose."""
    paths: dict[str, Any] = {}
    for path, item in full["paths"].items():
        kept = {verb: plain(op) for verb, op in item.items() if op.get("operationId") in OPERATIONS}
        if kept:
            paths[path] = kept
    components: dict[str, dict[str, Any]] = {}
    waiting = list(references(paths))
    while waiting:
        _, _, kind, name = waiting.pop().split("/", 3)
        if name not in components.setdefault(kind, {}):
            components[kind][name] = plain(full["components"][kind][name])
            waiting.extend(references(components[kind][name]))
    found = {op["operationId"] for item in paths.values() for op in item.values()}
    if missing := set(OPERATIONS) - found:
        sys.exit(f"not in the description: {', '.join(sorted(missing))}")
    return {"openapi": full["openapi"], "info": {"title": "GitHub", "version": full["info"]["version"]}} | {
        "paths": paths,
        "components": components,
    }


_PROSE: Final = frozenset(
    {"description", "summary", "externalDocs", "x-github", "x-octokit", "tags", "example", "examples", "title"}
)


def plain(node: Any, *, names: bool = False) -> Any:
    """The node without prose; the keys of a map of properties are names and all stay."""
    if isinstance(node, list):
        return [plain(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    found = {}
    for key, value in node.items():
        if key == "x-github-breaking-changes":
            if changes := [change for change in map(breaking, value) if change]:
                found[key] = changes
        elif names or key not in _PROSE:
            found[key] = (
                value
                if key in {"enum", "default", "required"} and not names
                else plain(value, names=not names and key in {"properties", "responses", "content", "headers"})
            )
    return found


def breaking(change: Mapping[str, Any]) -> dict[str, Any] | None:
    """A difference of the newer version, as a merge patch (RFC 7396) or a list of operations (RFC 6902)."""
    patch = change["patch"]
    if change["version"] != VERSION:
        return None
    if isinstance(patch, list):
        kept: Any = [plain(op) for op in patch if op["path"].rsplit("/", 1)[-1] not in _PROSE]
    else:
        kept = plain(patch)
    return {"version": VERSION, "patch": kept} if kept else None


def references(node: Any) -> Iterator[str]:
    """Every `$ref` under a node."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


# --- permissions


def permissions(published: Mapping[str, Any], description: Mapping[str, Any]) -> bytes:
    """Operation → the permissions each of which is enough; an operation without any is left out."""
    by_route: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for name, levels in sorted(published["permissions"].items()):
        for level in ("read", "write"):
            for route in levels.get(level, ()):
                verb, _, path = route.partition(" ")
                by_route.setdefault((verb.lower(), shape(path)), []).append((name, level))
    table = {}
    for path, item in description["paths"].items():
        for verb, operation in item.items():
            name = operation["operationId"]
            listed = by_route.get((verb, shape(path))) or UNLISTED.get(name, ())
            enough = [pair for pair in listed if not any(name.startswith(s) and pair == old for s, old in STALE)]
            if enough:
                table[name] = [" ".join(pair) for pair in enough]
    lines = (f"  {json.dumps(name)}: {json.dumps(table[name])}" for name in sorted(table))
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def shape(path: str) -> str:
    """A route without the names of its parameters, which differ between the packages."""
    return re.sub(r"\{[^}]*\}", "{}", path)


# --- GraphQL


def graphql(sdl: str) -> bytes:
    """The types and fields of `GRAPHQL`, validated as a schema."""
    from graphql import assert_valid_schema, build_ast_schema, parse, print_schema

    document = parse(sdl, no_location=True)
    by_name = {definition.name.value: definition for definition in document.definitions if hasattr(definition, "name")}
    kept: dict[str, Any] = {name: pruned(by_name[name], fields) for name, fields in GRAPHQL.items()}
    waiting = [name for definition in kept.values() for name in named_types(definition)]
    while waiting:
        name = waiting.pop()
        if name in kept or name not in by_name:
            continue
        if by_name[name].kind not in {"enum_type_definition", "scalar_type_definition"}:
            sys.exit(f"GRAPHQL refers to {name}, which it does not list")
        kept[name] = pruned(by_name[name], None)
    document.definitions = tuple(kept[name] for name in sorted(kept))
    schema = build_ast_schema(document)
    assert_valid_schema(schema)
    return (print_schema(schema) + "\n").encode()


def pruned(definition: Any, fields: tuple[str, ...] | None) -> Any:
    """A definition without prose and directives, with these fields only (None: all)."""
    definition.description = None
    definition.directives = ()
    if fields:
        missing = set(fields) - {field.name.value for field in definition.fields}
        if missing:
            sys.exit(f"{definition.name.value} has no {', '.join(sorted(missing))}")
        definition.fields = tuple(field for field in definition.fields if field.name.value in fields)
    for field in (*getattr(definition, "fields", ()), *getattr(definition, "values", ())):
        field.description, field.directives = None, ()
        if fields is not None:
            field.arguments = tuple(a for a in getattr(field, "arguments", ()) if not ordering(a))
        for argument in getattr(field, "arguments", ()):
            argument.description, argument.directives = None, ()
    for kind in ("interfaces", "types"):
        if hasattr(definition, kind):
            setattr(definition, kind, tuple(t for t in getattr(definition, kind) if t.name.value in GRAPHQL))
    return definition


def ordering(argument: Any) -> bool:
    """An argument whose input type would bring in more than we ask for."""
    return str(argument.name.value) in {"orderBy", "followRenames"}


def named_types(definition: Any) -> Iterator[str]:
    """The names of the types that the fields of a definition mention."""
    for field in getattr(definition, "fields", ()):
        for holder in (field, *getattr(field, "arguments", ())):
            kind = holder.type
            while hasattr(kind, "type"):
                kind = kind.type
            yield kind.name.value


if __name__ == "__main__":
    raise SystemExit(main())
