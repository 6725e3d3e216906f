from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, WebSocket
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.requests import HTTPConnection
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketState

from bedplate.outermost import wrap_outermost
from bedplate.problems.document import DEFAULT_POLICY, ProblemPolicy, problem_response
from bedplate.problems.exceptions import (
    UNHANDLED,
    BadRequest,
    ContentTooLarge,
    InternalServerError,
    InvalidInput,
    MethodNotAllowed,
    ProblemError,
    StatusError,
)
from bedplate.validation import message_of

_WITHOUT_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED}
_DENIAL = "websocket.http.response"
_POLICY_VIOLATION, _INTERNAL_ERROR = 1008, 1011
_PLAIN_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_MAX_ERRORS = 100
_MAX_FIELD_LENGTH = 200

Refused = Callable[[Any], Awaitable[None]]
"""Takes the `Request` or `WebSocket` that is being refused; may raise another `ProblemError`."""


def install_problems(
    app: FastAPI, policy: ProblemPolicy = DEFAULT_POLICY, *, refused: Refused | None = None
) -> None:
    """Make every error response of `app` a problem document, rendered under `policy`.

    `refused` is awaited before the response to invalid input, since FastAPI parses a body before
    any dependency runs; a `ProblemError` that it raises is sent instead. A WebSocket is denied with
    the same document, or closed when it was already accepted.
    """
    app.state.problem_policy = policy
    app.state.refused = refused
    handlers: dict[type[Exception], Any] = {
        ProblemError: _handle,
        RequestValidationError: _handle,
        WebSocketRequestValidationError: _handle,
        HTTPException: _handle,
        UnicodeDecodeError: _handle,
        Exception: _handle_unforeseen,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
    wrap_outermost(app, TooLargeAsProblem)


async def _handle(connection: HTTPConnection, error: Exception) -> Response | None:
    match error:
        case ProblemError():
            return await _answer(connection, error)
        case RequestValidationError() | WebSocketRequestValidationError():
            errors = error.errors()
            if "json" not in connection.headers.get("content-type", ""):
                errors = [_naming_content_type(each) for each in errors[:_MAX_ERRORS]]
            return await _refuse(connection, invalid_input(errors))
        case HTTPException() if error.status_code in _WITHOUT_BODY:
            return Response(status_code=error.status_code, headers=error.headers)
        case HTTPException():
            return await _refuse(connection, from_http_exception(connection.scope, error))
        case UnicodeDecodeError(object=text) if text == connection.scope["query_string"]:
            # Starlette decodes the query when it redirects a path.
            return await _refuse(connection, BadRequest("The query must be percent-encoded."))
    raise error


async def _handle_unforeseen(connection: HTTPConnection, _: Exception) -> Response | None:
    return await _answer(connection, InternalServerError(UNHANDLED))


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
    """Return the problem for an `HTTPException`; a detail that isn't text becomes `context`."""
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(allowed_methods(scope)) or headers.get("Allow", "")
        return MethodNotAllowed(f"Use one of: {headers['Allow']}.", headers=headers)
    detail: Any = error.detail
    if isinstance(detail, str):
        return StatusError(error.status_code, detail, headers=headers)
    try:
        context = jsonable_encoder(detail)
    except (TypeError, ValueError, RecursionError):
        context = None
    return StatusError(error.status_code, headers=headers, context=context)


def allowed_methods(scope: Scope) -> list[str]:
    """Return every method that some route accepts for this path (RFC 9110, section 10.2.1)."""
    app = scope["app"]
    path: str = scope["path"]
    root_path: str = scope.get("root_path", "").rstrip("/")
    if path.startswith(f"{root_path}/"):
        path = path.removeprefix(root_path)
    methods: set[str] = set()
    for route in iter_route_contexts(app.routes):
        if route.path and route.methods and compile_path(route.path)[0].match(path):
            methods |= set(route.methods)
    if "GET" in methods and any(getattr(m.cls, "answers_head", False) for m in app.user_middleware):
        methods.add("HEAD")
    return sorted(methods)


def invalid_input(errors: Sequence[Any]) -> InvalidInput:
    """Return the problem for Pydantic's `errors`, without the refused values."""
    return InvalidInput(
        [
            {
                "field": _field(error)[:_MAX_FIELD_LENGTH].encode("utf-8", "replace").decode(),
                "message": message_of(error),
                "code": str(error["type"]),
            }
            for error in errors[:_MAX_ERRORS]
        ],
        in_path=any(error["loc"][:1] == ("path",) for error in errors),
    )


def _naming_content_type(error: Any) -> Any:
    """Name the header in the error of a body that wasn't read as JSON for want of it."""
    if error["loc"] == ("body",) and isinstance(error.get("input"), str | bytes):
        return {**error, "msg": "Send JSON, with the header Content-Type: application/json"}
    return error


def _field(error: Any) -> str:
    """Return the dotted path of a value below `body` or `query`, or that name itself."""
    location = [str(part) for part in error["loc"]]
    if error["type"] == "json_invalid":
        return "body"
    if location[-1:] == ["[key]"]:
        del location[-2]  # the key itself was refused
    return ".".join(location[1:]) or (location[0] if location else "body")


class TooLargeAsProblem:
    """Replaces the plain-text 413 of FastAPI's `max_body_size` with a problem document.

    Starlette's limit replaces any response to a body that is declared too large, so an exception
    handler can't do it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; pass other scopes through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        replaced = False

        async def replacing(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                replaced = is_plain_too_large(message)
                if replaced:
                    await problem_response(scope, ContentTooLarge())(scope, receive, send)
            if not replaced:
                await send(message)

        await self.app(scope, receive, replacing)


def is_plain_too_large(message: Message) -> bool:
    """Return whether a response's start is the 413 in plain text of FastAPI's `max_body_size`."""
    return message["status"] == ContentTooLarge.status and _PLAIN_TEXT in message["headers"]
