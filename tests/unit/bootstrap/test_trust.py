"""Who may take a role: what the workflows send is accepted, everything that only looks like it is refused.

Two evaluators judge each token: a small one here, which knows nothing but `StringEquals`, and the embedded AWS's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ministack.core.iam_evaluator import EvalContext, evaluate_trust_policy

from contract.support import ROOT
from contract.test_workflows import PERMISSIONS
from unit.bootstrap.account import ACCOUNT, EXAMPLES, data, of, template, trust

ISSUER = "token.actions.githubusercontent.com"
PLAIN, IMMUTABLE = "repo:techcorp/ml-infrastructure", "repo:techcorp@1000001/ml-infrastructure@2000001"
WORKFLOWS = "stackseal/stackseal/.github/workflows"
BRANCH, PULL, PROD = "ref:refs/heads/main", "pull_request", "environment:prod"
ALLOWED = {
    "Plan": {(file, end) for file in ("review", "cleanup", "deploy") for end in (PULL, BRANCH)},
    "Deploy": {("deploy", PROD)},
    "Drift": {("drift", BRANCH)},
    "Cleanup": {("cleanup", BRANCH)},
}
FORMS = (PLAIN, IMMUTABLE)
Claims = dict[str, str]


def claims(file: str, end: str, form: str = PLAIN, **changes: str) -> Claims:
    """The claims of a job's token, as far as IAM looks at them."""
    usual = {
        "iss": f"https://{ISSUER}",
        "aud": "sts.amazonaws.com",
        "sub": f"{form}:{end}",
        "repository_id": "2000001",
        "job_workflow_ref": f"{WORKFLOWS}/{file}.yml@refs/tags/v1",
    }
    return {**usual, **changes}


def accepted(document: Mapping[str, Any], token: Claims) -> bool:
    """Whether a trust policy accepts a token, said by two evaluators that must agree."""
    host = token["iss"].removeprefix("https://")
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"
    keys = {f"{host}:{key}": value for key, value in token.items() if key != "iss"}
    mine = any(_holds(statement, provider, keys) for statement in document["Statement"])
    context = EvalContext(
        principal_arn=provider,
        principal_type="WebIdentityUser",
        principal_account=ACCOUNT,
        action="sts:AssumeRoleWithWebIdentity",
        resource_arn=f"arn:aws:iam::{ACCOUNT}:role/r",
        region="us-west-2",
        service_context={key.lower(): value for key, value in keys.items()},
    )
    theirs = bool(evaluate_trust_policy(json.dumps(document), provider, context))
    assert mine == theirs, token
    return mine


def _holds(statement: Mapping[str, Any], provider: str, keys: Mapping[str, str]) -> bool:
    assert set(statement) == {"Effect", "Principal", "Action", "Condition"}
    assert statement["Effect"] == "Allow"
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert set(statement["Condition"]) == {"StringEquals"}, "anything but an exact comparison is a door"
    if statement["Principal"] != {"Federated": provider}:
        return False
    wanted = statement["Condition"]["StringEquals"]
    return all(keys.get(key) in (value if isinstance(value, list) else [value]) for key, value in wanted.items())


def document(role: str) -> dict[str, Any]:
    """The trust policy, the provider's ARN in the place of the reference."""
    text = json.dumps(trust(template(), role))
    found: dict[str, Any] = json.loads(
        text.replace("<GitHubProvider>", f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}")
    )
    return found


def hostile(file: str, end: str, form: str) -> Iterator[tuple[str, Claims]]:
    """Tokens that somebody else could get, or wish for, each by what is wrong with it."""
    immutable = form == IMMUTABLE
    subjects = {
        "another repository": form.replace("ml-infrastructure", "other") + f":{end}",
        "a longer name": form.replace("ml-infrastructure", "ml-infrastructure-evil") + f":{end}",
        "a shorter name": form.replace("ml-infrastructure", "ml-infra") + f":{end}",
        "another owner": form.replace("techcorp", "evilcorp") + f":{end}",
        "a longer owner": form.replace("techcorp", "techcorp-evil") + f":{end}",
        "a fork": "repo:attacker@666/ml-infrastructure@777:" + end
        if immutable
        else "repo:attacker/ml-infrastructure:" + end,
        "any repository of the owner": ("repo:techcorp@1000001/*:" if immutable else "repo:techcorp/*:") + end,
        "any owner": ("repo:*/ml-infrastructure@2000001:" if immutable else "repo:*/ml-infrastructure:") + end,
        "other letters' case": form.replace("techcorp", "TechCorp") + f":{end}",
        "mixed forms": f"repo:techcorp@1000001/ml-infrastructure:{end}",
        "the ids of another owner": f"repo:techcorp@1000002/ml-infrastructure@2000001:{end}",
        "the ids of another repository": f"repo:techcorp@1000001/ml-infrastructure@2000002:{end}",
        "a repository that begins with a name and ids": f"repo:techcorp/ml-infrastructure@2000001:{end}",
        "a branch like an environment": f"{form}:ref:refs/heads/environment:prod",
        "a branch like an environment, escaped": f"{form}:ref:refs/heads/environment%3Aprod",
        "a branch like a pull request": f"{form}:ref:refs/heads/pull_request",
        "another branch": f"{form}:ref:refs/heads/feature",
        "a longer branch": f"{form}:ref:refs/heads/main-2",
        "a tag like the branch": f"{form}:ref:refs/tags/main",
        "a tag": f"{form}:ref:refs/tags/v1",
        "a pull request's ref": f"{form}:ref:refs/pull/7/merge",
        "another environment": f"{form}:environment:staging",
        "a longer environment": f"{form}:environment:prod-2",
        "an environment in capitals": f"{form}:environment:Prod",
        "an environment like the branch": f"{form}:environment:main",
        "every environment": f"{form}:environment:*",
        "more behind the end": f"{form}:{end}:x",
        "a space behind the end": f"{form}:{end} ",
        "a line behind the end": f"{form}:{end}\n",
        "nothing before the end": end,
        "only the repository": form,
        "everything": "*",
        "nothing": "",
    }
    for what, sub in subjects.items():
        yield what, claims(file, end, form, sub=sub)
    refs = {
        "the caller's own workflow": f"techcorp/ml-infrastructure/.github/workflows/{file}.yml@refs/heads/main",
        "another repository's workflow": f"attacker/stackseal/.github/workflows/{file}.yml@refs/tags/v1",
        "a branch of the workflows": f"{WORKFLOWS}/{file}.yml@refs/heads/v1",
        "another version": f"{WORKFLOWS}/{file}.yml@refs/tags/v2",
        "a longer version": f"{WORKFLOWS}/{file}.yml@refs/tags/v1.0.0-evil",
        "a pull request of the workflows": f"{WORKFLOWS}/{file}.yml@refs/pull/9/merge",
        "another file": f"{WORKFLOWS}/other.yml@refs/tags/v1",
        "a file with more in front": f"{WORKFLOWS}/evil-{file}.yml@refs/tags/v1",
        "every version": f"{WORKFLOWS}/{file}.yml@*",
        "no version": f"{WORKFLOWS}/{file}.yml",
        "no workflow": "",
    }
    for what, ref in refs.items():
        yield what, claims(file, end, form, job_workflow_ref=ref)
    for audience in ("https://github.com/techcorp", "sts.amazonaws.com.cn", "sts.amazonaws.com/", ""):
        yield f"the audience {audience!r}", claims(file, end, form, aud=audience)
    for number in ("2000002", "20000010", "200000", "1000001", ""):
        yield f"the repository id {number!r}", claims(file, end, form, repository_id=number)
    for issuer in (f"{ISSUER}.evil.example", f"{ISSUER}/enterprise", "gitlab.example"):
        yield f"the issuer {issuer}", claims(file, end, form, iss=f"https://{issuer}")
    for key in ("aud", "sub", "repository_id", "job_workflow_ref"):
        yield f"no {key}", {name: value for name, value in claims(file, end, form).items() if name != key}


@pytest.mark.parametrize("form", FORMS, ids=("plain", "immutable"))
@pytest.mark.parametrize("role", sorted(ALLOWED))
def test_the_workflows_own_tokens_are_accepted(role: str, form: str) -> None:
    for file, end in sorted(ALLOWED[role]):
        assert accepted(document(role), claims(file, end, form)), (file, end)


@pytest.mark.parametrize("form", FORMS, ids=("plain", "immutable"))
@pytest.mark.parametrize("role", sorted(ALLOWED))
def test_hostile_tokens_are_refused(role: str, form: str) -> None:
    for file, end in sorted(ALLOWED[role]):
        tokens = dict(hostile(file, end, form))
        assert len(tokens) >= 36
        own = [claims(*allowed, each) for allowed in ALLOWED[role] for each in FORMS]
        through = [what for what, token in tokens.items() if token not in own and accepted(document(role), token)]
        assert through == []
        assert sum(token not in own for token in tokens.values()) >= 36


@pytest.mark.parametrize("role", sorted(ALLOWED))
def test_no_role_is_taken_by_another_roles_job(role: str) -> None:
    files = ("review", "deploy", "drift", "cleanup")
    found = {
        (file, end) for file in files for end in (PULL, BRANCH, PROD) if accepted(document(role), claims(file, end))
    }
    assert found == ALLOWED[role]


def documented() -> list[tuple[str, str, str, str]]:
    """Workflow, job, end of `sub` and role of the table in docs/how-to/bootstrap.md."""
    page = (ROOT / "docs" / "how-to" / "bootstrap.md").read_text(encoding="utf-8")
    table = page.partition("| Workflow | Job | Event |")[2].partition("\n\n")[0]
    rows = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return [(workflow, job, end, role) for workflow, job, _, end, role in rows]


def test_the_how_to_says_who_takes_which_role() -> None:
    rows = documented()
    found: dict[str, set[tuple[str, str]]] = {}
    for workflow, _, end, role in rows:
        example = end.replace("BRANCH", "main").replace("NAME", "prod")
        found.setdefault(role.capitalize(), set()).add((workflow, example))
    assert found == ALLOWED
    named = {(workflow, job) for workflow, job, _, _ in rows if job}
    assert named == {key for key, granted in PERMISSIONS.items() if granted.get("id-token") == "write"}


def test_each_repository_is_trusted_with_its_own_id_only() -> None:
    config = data()
    config["bootstrap"]["repositories"].append(
        {"owner": "techcorp", "owner_id": "1000001", "name": "other", "id": "2000002", "branch": "trunk"}
    )
    text = json.dumps(trust(of(config), "Drift"))
    found = json.loads(text.replace("<GitHubProvider>", f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"))
    other = {"sub": "repo:techcorp/other:ref:refs/heads/trunk", "repository_id": "2000002"}
    assert accepted(found, claims("drift", BRANCH))
    assert accepted(found, claims("drift", "", **other))
    assert not accepted(found, claims("drift", "", **{**other, "repository_id": "2000001"}))
    assert not accepted(found, claims("drift", "", **{**other, "sub": "repo:techcorp/other:ref:refs/heads/main"}))
    assert not accepted(found, claims("drift", BRANCH, repository_id="2000002"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_execution_role_is_cloudformations_for_these_stacks_only(path: Any) -> None:
    found = template(path)
    if "RolesRole" in found.resources:
        (statement,) = trust(found, "Roles")["Statement"]
        assert statement["Condition"] == {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": f"arn:aws:cloudformation:us-west-2:{ACCOUNT}:stack/stackseal-roles-*/*"},
        }
        return
    if "ExecutionRole" not in found.resources:
        assert found.body["Outputs"]["ExecutionRole"]["Value"] == "arn:aws:iam::111122223333:role/platform/stacks"
        return
    (statement,) = trust(found, "Execution")["Statement"]
    assert statement["Principal"] == {"Service": "cloudformation.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": [f"arn:aws:cloudformation:us-west-2:{ACCOUNT}:stack/techcorp-*/*"]},
    }
