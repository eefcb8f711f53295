"""CloudFormation's Query protocol: results as the XML that the API model in botocore describes."""

from __future__ import annotations

from functools import cache
from typing import Any, Final
from xml.sax.saxutils import escape

from stackseal.local.messages import Response, ServiceError

_NAMESPACE: Final = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
_REQUEST_ID: Final = "00000000-0000-0000-0000-000000000000"
_HEADERS: Final = {"Content-Type": "text/xml"}


@cache
def _model() -> Any:
    from botocore.session import Session

    return Session().get_service_model("cloudformation")


def result(action: str, value: dict[str, Any]) -> Response:
    """A successful answer to an action."""
    shape = _model().operation_model(action).output_shape
    inner = _xml(shape, value) if shape is not None else ""
    body = (
        f'<{action}Response xmlns="{_NAMESPACE}"><{action}Result>{inner}</{action}Result>'
        f"<ResponseMetadata><RequestId>{_REQUEST_ID}</RequestId></ResponseMetadata></{action}Response>"
    )
    return Response(headers=_HEADERS, body=body.encode())


def failure(error: ServiceError) -> Response:
    """An error as CloudFormation answers it."""
    body = (
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>{escape(error.code)}</Code>'
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>"
    )
    return Response(status=error.status, headers=_HEADERS, body=body.encode())


def _xml(shape: Any, value: Any) -> str:
    if shape.type_name == "structure":
        members = ((name, inner) for name, inner in shape.members.items() if value.get(name) is not None)
        return "".join(f"<{name}>{_xml(inner, value[name])}</{name}>" for name, inner in members)
    if shape.type_name == "list":
        return "".join(f"<member>{_xml(shape.member, item)}</member>" for item in value)
    if shape.type_name == "boolean":
        return "true" if value else "false"
    return escape(str(value))
