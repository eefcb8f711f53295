"""SSM parameters: how stacks publish what others read."""

from __future__ import annotations

from collections.abc import Iterable

from stackseal.aws.errors import AwsFailed, translated, unreadable
from stackseal.aws.session import Aws


class Parameters:
    """The parameters of one region."""

    def __init__(self, aws: Aws, region: str | None = None) -> None:
        self._client = aws.client("ssm", region)

    def get(self, name: str) -> str | None:
        """The value of one parameter, None where there is none. SecureStrings stay encrypted."""
        what = f"could not read the SSM parameter {name}"
        try:
            with translated(what):
                answer = self._client.get_parameter(Name=name)
        except AwsFailed as error:
            if error.code == "ParameterNotFound":
                return None
            raise
        if "Parameter" not in answer:
            raise unreadable(what)
        return answer["Parameter"].get("Value", "")

    def given(self, names: Iterable[str]) -> dict[str, str]:
        """The values of those that exist, sorted by name."""
        found = ((name, self.get(name)) for name in sorted(set(names)))
        return {name: value for name, value in found if value is not None}

    def below(self, path: str) -> dict[str, str]:
        """Name and value of every parameter below a path, sorted by name."""
        found: dict[str, str] = {}
        what = f"could not read the SSM parameters below {path}"
        with translated(what):
            for page in self._client.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True):
                if "Parameters" not in page:
                    raise unreadable(what)
                found.update({item["Name"]: item.get("Value", "") for item in page["Parameters"] if "Name" in item})
        return dict(sorted(found.items()))
