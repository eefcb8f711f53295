"""Services of our own behind their real JSON APIs: add one more here where neither emulator does what stacks need."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from stackseal.local.messages import Place, Request, Response, ServiceError
from stackseal.local.services import codebuild, codecommit, codeconnections, codepipeline, sagemaker
from stackseal.local.services.store import Service, State

SERVICES: Final[Mapping[str, Service]] = {
    "codebuild": codebuild,
    "codecommit": codecommit,
    "codeconnections": codeconnections,
    "codepipeline": codepipeline,
    "sagemaker": sagemaker,
}
"""SigV4 name of a service -> its module."""


def serves(service: str, request: Request) -> bool:
    """Whether a request is for us; the rest of a service belongs to an emulator."""
    if service == "sagemaker":
        return sagemaker.ours(request.operation, request.json())
    found = SERVICES.get(service)
    return found is not None and request.operation in found.OPERATIONS


def resource(service: str, place: Place, request: Request) -> str:
    """The ARN that IAM evaluates for a request that we serve."""
    return SERVICES[service].resource(place, request.operation, request.json())


def answer(service: str, state: State, place: Place, request: Request) -> Response:
    """Does what a request asks for."""
    try:
        found = SERVICES[service].OPERATIONS[request.operation](state, place, request.json())
    except ServiceError as error:
        return failure(error)
    return Response(headers={"Content-Type": "application/x-amz-json-1.1"}, body=json.dumps(found).encode())


def failure(error: ServiceError) -> Response:
    """An error as AWS's JSON services answer it."""
    body = json.dumps({"__type": error.code, "message": error.message}).encode()
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": error.code}
    return Response(status=error.status, headers=headers, body=body)
