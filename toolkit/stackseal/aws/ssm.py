"""SSM parameters: how stacks publish what others read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from stackseal.aws.errors import AwsFailed, translated, unreadable
from stackseal.aws.session import Aws

_AT_ONCE: Final = 10
"""GetParameters takes no more."""


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
        """The values of those that exist, sorted by name; asked for as CloudFormation does it, ten at a time."""
        wanted, found = sorted(set(names)), dict[str, str]()
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            what = f"could not read the SSM parameters {', '.join(some)}"
            with translated(what):
                answer = self._client.get_parameters(Names=some)
            if "Parameters" not in answer:
                raise unreadable(what)
            found |= {item["Name"]: item.get("Value", "") for item in answer["Parameters"] if "Name" in item}
        return dict(sorted(found.items()))

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
