"""Connections to GitHub and its like: made PENDING, and AVAILABLE once a person has confirmed them.

Shapes and error codes: the service's API model in botocore. The confirmation is a page of the console, no call: here
`confirm` stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stackseal.local.messages import Place, ServiceError
from stackseal.local.services.store import Operation, State, identifier, page

KIND: Final = "codeconnections"


def arn(place: Place, name: str) -> str:
    return f"arn:{place.partition}:codeconnections:{place.region}:{place.account}:connection/{name}"


def resource(place: Place, operation: str, parameters: Mapping[str, Any]) -> str:
    del place
    return "*" if operation in {"CreateConnection", "ListConnections"} else str(parameters["ConnectionArn"])


def _missing(found: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"Connection {found} not found")


def _create(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["ConnectionName"])
    table = state.table(KIND, place)
    made = arn(place, identifier(KIND, place.account, place.region, name, str(table.created)))
    record = {
        "ConnectionName": name,
        "ConnectionArn": made,
        "ProviderType": parameters.get("ProviderType", "GitHub"),
        "OwnerAccountId": place.account,
        "ConnectionStatus": "PENDING",
    }
    table.add(made, record, ServiceError("LimitExceededException", f"{name} is there already"))
    return {"ConnectionArn": made}


def _get(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    wanted = str(parameters["ConnectionArn"])
    return {"Connection": state.table(KIND, place).get(wanted, _missing(wanted))}


def _delete(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    wanted = str(parameters["ConnectionArn"])
    state.table(KIND, place).get(wanted, _missing(wanted))
    del state.table(KIND, place).records[wanted]
    return {}


def _list(state: State, place: Place, parameters: Mapping[str, Any]) -> dict[str, Any]:
    records = state.table(KIND, place).records
    rows = [records[found] for found in sorted(records)]
    found, token = page(rows, parameters, cursor="NextToken", limit="MaxResults")
    return {"Connections": found, **({"NextToken": token} if token else {})}


def confirm(state: State, place: Place, found: str) -> None:
    """What a person does in the console."""
    state.table(KIND, place).get(found, _missing(found))["ConnectionStatus"] = "AVAILABLE"


OPERATIONS: Final[Mapping[str, Operation]] = {
    "CreateConnection": _create,
    "DeleteConnection": _delete,
    "GetConnection": _get,
    "ListConnections": _list,
}
