"""Commits, comparisons, refs and files: all of it Git's."""

from __future__ import annotations

import base64
from typing import Any

from fakes.github.call import Call
from fakes.github.exchange import Problem, Reply, not_found
from fakes.github.git import Changed, GitError

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_RAW = "application/vnd.github.raw"


def get(call: Call) -> Reply:
    """repos/get-commit: with its files, 422 for a name that is no commit"""
    repository, name = call.repository, call.values["ref"]
    sha = call.commit(name, status=422, message=f"No commit found for SHA: {name}")
    commit = repository.git.commit(sha)
    changes = repository.git.changes(commit.parents[0] if commit.parents else EMPTY_TREE, sha)
    entries, headers = call.page(changes)
    body = {
        **call.views.commit(repository, commit),
        "files": [call.views.file(repository, change, sha) for change in entries],
        "stats": _stats(changes),
    }
    return Reply(body=body, headers=headers)


def compare(call: Call) -> Reply:
    """repos/compare-commits-with-basehead: `base...head`, files of the first page only, at most 300"""
    repository, git = call.repository, call.repository.git
    first, dots, second = call.values["basehead"].partition("...")
    if not dots:
        raise not_found()
    base, head = call.commit(first), call.commit(second)
    start = git.merge_base(base, head)
    if start is None:
        raise Problem(404, f"No common ancestor between {first} and {second}.")
    ahead, behind = git.between(base, head), git.between(head, base)
    status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    entries, headers = call.page(ahead)
    url = call.views.api(repository, f"/compare/{first}...{second}")
    html = call.views.site(repository, f"/compare/{first}...{second}")
    files = git.changes(start, head)[:300] if call.query.get("page", "1") == "1" else ()
    body = {
        "url": url,
        "html_url": html,
        "permalink_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "base_commit": call.views.commit(repository, git.commit(base)),
        "merge_base_commit": call.views.commit(repository, git.commit(start)),
        "status": status,
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [call.views.commit(repository, git.commit(sha)) for sha in entries],
        "files": [call.views.file(repository, change, head) for change in files],
    }
    return Reply(body=body, headers=headers)


def content(call: Call) -> Reply:
    """repos/get-content: a file in base64 (up to 1 MB), raw where that is asked for, or the entries of a folder"""
    repository, git = call.repository, call.repository.git
    ref = call.query.get("ref", repository.default_branch)
    path = call.values["path"].strip("/")
    sha = call.commit(ref, message=f"No commit found for the ref {ref}")
    found = git.read(f"{sha}:{path}")
    if found is None:
        raise not_found()
    name, kind, data = found
    if kind == "tree":
        entries = git.tree(f"{sha}:{path}")[:1000]
        return Reply(body=[_entry(call, ref, path, entry) for entry in entries])
    if _RAW in call.request.headers.get("accept", ""):
        return Reply(body=data, headers={"Content-Type": "application/vnd.github.raw+json; charset=utf-8"})
    view = _file(call, ref, path, "file", name, len(data))
    large = len(data) > 1_048_576
    text = "" if large else base64.encodebytes(data).decode()
    return Reply(body={**view, "content": text, "encoding": "none" if large else "base64"})


def get_ref(call: Call) -> Reply:
    """git/get-ref: the ref as a whole, no prefix of it"""
    return Reply(body=_ref(call, f"refs/{call.values['ref']}"))


def matching_refs(call: Call) -> Reply:
    """git/list-matching-refs: every ref that starts so"""
    start = f"refs/{call.values['ref']}"
    names = call.repository.git.run("for-each-ref", "--format=%(refname)").split()
    entries, headers = call.page([name for name in names if name.startswith(start)])
    return Reply(body=[_ref(call, name) for name in entries], headers=headers)


def create_ref(call: Call) -> Reply:
    """git/create-ref: needs the whole name"""
    name, sha, git = call.body["ref"], call.body["sha"], call.repository.git
    if not name.startswith("refs/") or name.count("/") < 2:
        raise Problem(422, "Reference name must start with 'refs/' and have at least two slashes.")
    if git.resolve(name):
        raise Problem(422, "Reference already exists")
    _point(call, name, sha)
    return Reply(status=201, body=_ref(call, name))


def update_ref(call: Call) -> Reply:
    """git/update-ref: only forward, unless forced"""
    name, sha, git = f"refs/{call.values['ref']}", call.body["sha"], call.repository.git
    old = git.resolve(name)
    if old is None:
        raise Problem(422, "Reference does not exist")
    if git.resolve(sha) and not call.body.get("force") and not git.is_ancestor(old, sha):
        raise Problem(422, "Update is not a fast forward")
    _point(call, name, sha)
    return Reply(body=_ref(call, name))


def delete_ref(call: Call) -> Reply:
    """git/delete-ref"""
    name = f"refs/{call.values['ref']}"
    if call.repository.git.resolve(name) is None:
        raise Problem(422, "Reference does not exist")
    if name == f"refs/heads/{call.repository.default_branch}":
        raise Problem(422, "Cannot delete the default branch")
    call.repository.git.drop(name)
    return Reply(status=204)


def _point(call: Call, name: str, sha: str) -> None:
    if call.repository.git.resolve(sha) != sha:
        raise Problem(422, "Object does not exist")
    try:
        call.repository.git.point(name, sha)
    except GitError as error:
        raise Problem(422, f"{name} is not a valid ref name.") from error
    call.world.clock.tick()
    call.repository.sync()


def _ref(call: Call, name: str) -> dict[str, Any]:
    sha = call.repository.git.resolve(name)
    if sha is None:
        raise not_found()
    target = {"type": "commit", "sha": sha, "url": call.views.api(call.repository, f"/git/commits/{sha}")}
    url = call.views.api(call.repository, f"/git/{name}")
    return {"ref": name, "node_id": f"REF_{name}", "url": url, "object": target}


def _stats(changes: tuple[Changed, ...]) -> dict[str, int]:
    added, removed = sum(change.additions for change in changes), sum(change.deletions for change in changes)
    return {"additions": added, "deletions": removed, "total": added + removed}


def _entry(call: Call, ref: str, folder: str, entry: tuple[str, str, str, int]) -> dict[str, Any]:
    """An entry of a folder; the older API version calls a submodule a file."""
    mode, sha, name, size = entry
    submodule = "submodule" if call.version >= "2026-03-10" else "file"
    kind = {"040000": "dir", "120000": "symlink", "160000": submodule}.get(mode, "file")
    return _file(call, ref, f"{folder}/{name}".lstrip("/"), kind, sha, size)


def _file(call: Call, ref: str, path: str, kind: str, sha: str, size: int) -> dict[str, Any]:
    url = call.views.api(call.repository, f"/contents/{path}?ref={ref}")
    git = call.views.api(call.repository, f"/git/{'trees' if kind == 'dir' else 'blobs'}/{sha}")
    html = call.views.site(call.repository, f"/blob/{ref}/{path}")
    return {
        "type": kind,
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": sha,
        "size": size,
        "url": url,
        "git_url": git,
        "html_url": html,
        "download_url": None if kind == "dir" else call.views.site(call.repository, f"/raw/{ref}/{path}"),
        "_links": {"self": url, "git": git, "html": html},
    }
