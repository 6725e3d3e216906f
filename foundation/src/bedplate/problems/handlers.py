"""Every error of a FastAPI application becomes a problem document here."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, WebSocket
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.requests import HTTPConnection
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope
from starlette.websockets import WebSocketState

from bedplate.problems.document import DEFAULT_POLICY, ProblemPolicy, problem_response
from bedplate.problems.exceptions import (
    BadRequest,
    InternalServerError,
    MethodNotAllowed,
    ProblemError,
    StatusError,
)
from bedplate.problems.input import invalid_input
from bedplate.problems.methods import allowed_methods
from bedplate.problems.too_large import TooLargeAsProblem

_UNHANDLED = "Something went wrong here; quote the request id when you report it."
_WITHOUT_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED}
_DENIAL = "websocket.http.response"
_POLICY_VIOLATION, _INTERNAL_ERROR = 1008, 1011

__all__ = ["Refused", "allowed_methods", "from_http_exception", "install_problems", "invalid_input"]

Refused = Callable[[Any], Awaitable[None]]
"""Takes the `Request` or `WebSocket` that is being refused."""


def install_problems(
    app: FastAPI, policy: ProblemPolicy = DEFAULT_POLICY, *, refused: Refused | None = None
) -> None:
    """Make every error that `app` answers a problem document, rendered under `policy`.

    `refused` is awaited before input is answered that didn't validate, since FastAPI parses a body
    before any dependency runs; when it raises a `ProblemError`, that is the answer. A WebSocket is
    refused with the same document, or closed where it was accepted before.
    """
    app.state.problem_policy = policy
    app.state.refused = refused
    handlers: dict[type[Exception], Any] = {
        ProblemError: _handle_problem,
        RequestValidationError: _handle_validation,
        WebSocketRequestValidationError: _handle_validation,
        HTTPException: _handle_http_exception,
        UnicodeDecodeError: _handle_undecodable,
        Exception: _handle_unforeseen,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
    _outermost()(app, TooLargeAsProblem)


async def _handle_problem(connection: HTTPConnection, error: Exception) -> Response | None:
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for this class
    return await _answer(connection, error)


async def _handle_validation(connection: HTTPConnection, error: Exception) -> Response | None:
    assert isinstance(error, RequestValidationError | WebSocketRequestValidationError)  # noqa: S101
    return await _refuse(connection, invalid_input(error.errors()))


async def _handle_http_exception(connection: HTTPConnection, error: Exception) -> Response | None:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    if error.status_code in _WITHOUT_BODY:
        return Response(status_code=error.status_code, headers=error.headers)
    return await _refuse(connection, from_http_exception(connection.scope, error))


async def _handle_undecodable(connection: HTTPConnection, error: Exception) -> Response | None:
    """Refuse a query that Starlette can't decode, which it does to redirect a path."""
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - registered for this class
    if error.object != connection.scope["query_string"]:
        raise error
    return await _refuse(connection, BadRequest("The query must be percent-encoded."))


async def _handle_unforeseen(connection: HTTPConnection, _: Exception) -> Response | None:
    return await _answer(connection, InternalServerError(_UNHANDLED))


async def _refuse(connection: HTTPConnection, problem: ProblemError) -> Response | None:
    refused: Refused | None = connection.app.state.refused
    try:
        if refused is not None:
            await refused(connection)
    except ProblemError as instead:
        problem = instead
    return await _answer(connection, problem)


async def _answer(connection: HTTPConnection, problem: ProblemError) -> Response | None:
    response = problem_response(connection.scope, problem)
    if not isinstance(connection, WebSocket):
        return response
    if connection.application_state is WebSocketState.CONNECTING:
        if _DENIAL in connection.scope.get("extensions", {}):
            return response
    elif connection.application_state is WebSocketState.DISCONNECTED:
        return None
    ours = response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    await connection.close(_INTERNAL_ERROR if ours else _POLICY_VIOLATION, problem.code)
    return None


def from_http_exception(scope: Scope, error: HTTPException) -> ProblemError:
    """Return the problem that says what an `HTTPException` says.

    A detail that is no text becomes the member `context`.
    """
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(allowed_methods(scope)) or headers.get("Allow", "")
        return MethodNotAllowed(f"Use one of: {headers['Allow']}.", headers=headers)
    detail: Any = error.detail
    if isinstance(detail, str):
        return StatusError(error.status_code, detail, headers=headers)
    return StatusError(error.status_code, headers=headers, context=_encoded(detail))


def _encoded(detail: Any) -> Any:
    try:
        return jsonable_encoder(detail)
    except (TypeError, ValueError, RecursionError):
        return None


def _outermost() -> Callable[..., None]:
    # That package answers with problems, so it is only there when this one is.
    from bedplate.asgi.outermost import wrap_outermost  # noqa: PLC0415

    return wrap_outermost
