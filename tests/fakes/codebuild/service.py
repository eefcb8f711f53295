"""Projects and their builds: where source, variables, credentials and artifacts of a build come from."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from fakes.codebuild.build import Outcome, environment, load, run

AWS: Final = Path(__file__).with_name("aws.py")


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project as CodeBuild's BatchGetProjects tells it, as far as builds here use it."""

    name: str
    role: str
    buildspec: str
    source: str
    version: str = ""
    secondary: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Identifier → address and version."""
    variables: tuple[Mapping[str, str], ...] = ()
    artifacts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Project:
        """The project of an answer."""
        versions = {
            item["sourceIdentifier"]: item["sourceVersion"] for item in found.get("secondarySourceVersions", ())
        }
        secondary = {
            item["sourceIdentifier"]: (item["location"], versions.get(item["sourceIdentifier"], ""))
            for item in found.get("secondarySources", ())
        }
        return cls(
            name=found["name"],
            role=found["serviceRole"],
            buildspec=found["source"]["buildspec"],
            source=found["source"]["location"],
            version=found.get("sourceVersion", ""),
            secondary=secondary,
            variables=tuple(found["environment"].get("environmentVariables", ())),
            artifacts=found.get("artifacts", {}),
        )


@dataclass(frozen=True, kw_only=True)
class Build:
    """A build that has ended."""

    id: str
    status: str
    outcome: Outcome
    record: Mapping[str, Any]
    """What BatchGetBuilds tells."""
    reports: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Test reports by group: test → `passed`, `failure`, `error` or `skipped`."""


@dataclass(kw_only=True)
class CodeBuildFake:
    """Runs builds below a folder. `cloud` gives clients of the account that the projects are in."""

    folder: Path
    region: str
    account: str
    cloud: Any
    """boto3's clients by service: `cloud("s3")`."""
    endpoint: Mapping[str, str]
    """What a build needs to reach AWS, without credentials."""
    image: Mapping[str, str]
    """The variables of the image: PATH and the like."""
    origins: dict[str, Path] = field(default_factory=dict)
    """Address of a source → what is cloned, or copied where it is no repository."""
    records: list[dict[str, Any]] = field(default_factory=list)

    def project(self, name: str) -> Project:
        """The project of this name in the account."""
        (found,) = self.cloud("codebuild").batch_get_projects(names=[name])["projects"]
        return Project.of(found)

    def start(
        self,
        project: Project,
        *,
        version: str = "",
        variables: Mapping[str, str] | None = None,
        webhook: Mapping[str, str] | None = None,
        initiator: str = "somebody",
    ) -> Build:
        """Run a build to its end. `variables` are those of StartBuild, `webhook` what a webhook sets."""
        number = 1 + sum(record["projectName"] == project.name for record in self.records)
        key = f"{project.name}:{uuid.UUID(int=len(self.records) + 1)}"
        place = self.folder / f"build-{len(self.records) + 1}"
        place.mkdir(parents=True)
        source, commit = self._source(project.source, version or project.version, place / "src")
        record = {
            "id": key,
            "arn": f"arn:aws:codebuild:{self.region}:{self.account}:build/{key}",
            "projectName": project.name,
            "buildNumber": number,
            "sourceVersion": version or project.version or None,
            "resolvedSourceVersion": commit,
            "initiator": initiator,
            "environment": {"environmentVariables": self._shown(project, variables or {})},
        }
        self.records.append(record)
        told = self._told(project, record, source, place, webhook or {})
        given = {item["name"]: self._resolved(item) for item in project.variables}
        spec = load(project.buildspec)
        env = {**self._started(place), **told, **environment(spec, self._secrets(spec), given, variables or {})}
        env |= self._credentials(project.role, key)
        scratch = place / "scratch"
        scratch.mkdir()
        outcome = run(spec, env, source, scratch)
        kept = self._upload(project, spec, source, key)
        status = "SUCCEEDED" if outcome.succeeded and kept else "FAILED"
        record["buildStatus"] = status
        reports = {f"{project.name}-{name}": tests for name, tests in _reports(spec, source).items()}
        return Build(id=key, status=status, outcome=outcome, record=record, reports=reports)

    def _source(self, address: str, version: str, target: Path) -> tuple[Path, str]:
        """A source and the commit that it was resolved to; a pull request is its head, not its trial merge."""
        origin = self.origins[address]
        if not (origin / "HEAD").is_file():
            shutil.copytree(origin, target)
            return target, ""
        wanted = f"refs/{version.replace('pr/', 'pull/')}/head" if version.startswith("pr/") else version or "HEAD"
        _git(target.parent, "clone", "--quiet", "--no-checkout", str(origin), str(target))
        _git(target, "fetch", "--quiet", "origin", wanted)
        _git(target, "checkout", "--quiet", "--detach", "FETCH_HEAD")
        return target, _git(target, "rev-parse", "HEAD")

    def _told(
        self, project: Project, record: Mapping[str, Any], source: Path, place: Path, webhook: Mapping[str, str]
    ) -> dict[str, str]:
        """The variables that CodeBuild sets itself."""
        found = {
            "CODEBUILD_BUILD_ID": record["id"],
            "CODEBUILD_BUILD_ARN": record["arn"],
            "CODEBUILD_BUILD_NUMBER": str(record["buildNumber"]),
            "CODEBUILD_CI": "true",
            "CODEBUILD_INITIATOR": record["initiator"],
            "CODEBUILD_SOURCE_REPO_URL": project.source,
            "CODEBUILD_SOURCE_VERSION": record["sourceVersion"] or "",
            "CODEBUILD_RESOLVED_SOURCE_VERSION": record["resolvedSourceVersion"],
            "CODEBUILD_SRC_DIR": str(source),
        }
        for identifier, (address, version) in project.secondary.items():
            path, _ = self._source(address, version, place / identifier)
            found[f"CODEBUILD_SRC_DIR_{identifier}"] = str(path)
        return {**found, **{f"CODEBUILD_WEBHOOK_{key}": value for key, value in webhook.items()}}

    def _started(self, place: Path) -> dict[str, str]:
        """The image's variables; `aws` is a stand-in that knows the builds here and the embedded AWS."""
        for name in ("home", "tmp"):
            (place / name).mkdir()
        tools = place / "tools"
        tools.mkdir()
        known = place / "builds.json"
        known.write_text(json.dumps(self.records), encoding="utf-8")
        (tools / "aws").write_text(f'#!/bin/sh\nexec {sys.executable} {AWS} {known} "$@"\n', encoding="utf-8")
        (tools / "aws").chmod(0o755)
        own = {"PATH": f"{tools}:{self.image['PATH']}", "HOME": str(place / "home"), "TMPDIR": str(place / "tmp")}
        own |= self._addresses()
        return {**self.image, **self.endpoint, **own, "AWS_REGION": self.region}

    def _addresses(self) -> dict[str, str]:
        """Git finds here what it would fetch from the addresses of repositories."""
        found = [(address, path) for address, path in self.origins.items() if (path / "HEAD").is_file()]
        own = {"GIT_CONFIG_COUNT": str(len(found))}
        for index, (address, path) in enumerate(found):
            own |= {f"GIT_CONFIG_KEY_{index}": f"url.{path}.insteadOf", f"GIT_CONFIG_VALUE_{index}": address}
        return own

    def _credentials(self, role: str, key: str) -> dict[str, str]:
        """A session of the service role, which has to trust CodeBuild; here CodeBuild is the account itself."""
        iam, name = self.cloud("iam"), role.rpartition("/")[2]
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        assert "codebuild.amazonaws.com" in json.dumps(trust), f"{role} does not trust CodeBuild"
        ours = {"Effect": "Allow", "Principal": {"AWS": self.account}, "Action": "sts:AssumeRole"}
        both = {**trust, "Statement": [*trust["Statement"], ours]}
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(both))
        session = f"AWSCodeBuild-{key.rpartition(':')[2]}"
        found = self.cloud("sts").assume_role(RoleArn=role, RoleSessionName=session)["Credentials"]
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
        return {
            "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_SESSION_TOKEN": found["SessionToken"],
        }

    def _resolved(self, item: Mapping[str, str]) -> str:
        """The value of a project's variable: as it is, or what it names."""
        match item.get("type", "PLAINTEXT"):
            case "SECRETS_MANAGER":
                name, _, key = item["value"].partition(":")
                text = str(self.cloud("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
                return str(json.loads(text)[key]) if key else text
            case "PARAMETER_STORE":
                found = self.cloud("ssm").get_parameter(Name=item["value"], WithDecryption=True)
                return str(found["Parameter"]["Value"])
        return item["value"]

    def _secrets(self, spec: Mapping[str, Any]) -> dict[str, str]:
        """What the build specification itself takes from stores."""
        kinds = {"secrets-manager": "SECRETS_MANAGER", "parameter-store": "PARAMETER_STORE"}
        return {
            name: self._resolved({"value": value, "type": kind})
            for key, kind in kinds.items()
            for name, value in spec.get("env", {}).get(key, {}).items()
        }

    def _shown(self, project: Project, variables: Mapping[str, str]) -> list[dict[str, str]]:
        """The variables of a build as BatchGetBuilds tells them; secrets by name."""
        own = {item["name"]: dict(item) for item in project.variables}
        given = {name: {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()}
        return [*{**own, **given}.values()]

    def _upload(self, project: Project, spec: Mapping[str, Any], source: Path, key: str) -> bool:
        """UPLOAD_ARTIFACTS, which is always tried; False where a file is missing."""
        where = project.artifacts
        if where.get("type") != "S3" or "artifacts" not in spec:
            return True
        assert (where["namespaceType"], where["packaging"]) == ("BUILD_ID", "NONE")
        base = source / spec["artifacts"].get("base-directory", ".")
        paths = [base / name for name in spec["artifacts"]["files"]]
        if not all(path.is_file() for path in paths):
            return False
        for path in paths:
            name = f"{where['path']}/{key.rpartition(':')[2]}/{where['name']}/{path.name}"
            self.cloud("s3").put_object(Bucket=where["location"], Key=name, Body=path.read_bytes())
        return True


def _reports(spec: Mapping[str, Any], source: Path) -> dict[str, dict[str, str]]:
    """The test reports of a build, which are sent whether it succeeded or not; a file that is not there is left out."""
    found: dict[str, dict[str, str]] = {}
    for name, report in spec.get("reports", {}).items():
        assert report["file-format"] == "JUNITXML"
        for path in (source / report["base-directory"] / file for file in report["files"]):
            if path.is_file():
                found.setdefault(name, {}).update(_tests(ElementTree.parse(path)))  # noqa: S314 - our own
    return found


def _tests(document: ElementTree.ElementTree[Any]) -> dict[str, str]:
    ends = ("failure", "error", "skipped")
    return {
        f"{case.get('classname')} {case.get('name')}": next(
            (end for end in ends if case.find(end) is not None), "passed"
        )
        for case in document.iter("testcase")
    }


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, check=True, text=True).stdout.strip()
