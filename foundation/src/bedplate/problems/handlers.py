"""Every error of a FastAPI application becomes a problem document here."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Scope

from bedplate.problems.document import DEFAULT_POLICY, ProblemPolicy, problem_response
from bedplate.problems.errors import (
    FieldError,
    InternalServerError,
    InvalidInput,
    MethodNotAllowed,
    ProblemError,
    StatusError,
    phrase_of,
)

_UNHANDLED = "Something went wrong here; quote the request id when you report it."
_MOST_ERRORS = 100
# Pydantic puts the refused value into these messages.
_MESSAGES = {"union_tag_invalid": "Input should have one of the known tags"}


Refused = Callable[[Request], Awaitable[None]]


def install_problems(
    app: FastAPI, policy: ProblemPolicy = DEFAULT_POLICY, *, refused: Refused | None = None
) -> None:
    """Make every error that `app` answers a problem document, rendered under `policy`.

    `refused` is awaited before input is answered that didn't validate, since FastAPI parses a body
    before any dependency runs; when it raises a `ProblemError`, that is the answer.
    """
    app.state.problem_policy = policy
    app.state.refused = refused
    app.add_exception_handler(ProblemError, _handle_problem)
    app.add_exception_handler(RequestValidationError, _handle_validation)
    app.add_exception_handler(HTTPException, _handle_http_exception)
    app.add_exception_handler(Exception, _handle_unforeseen)


async def _handle_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for this class
    return problem_response(request.scope, error)


async def _handle_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    return await _refuse(request, invalid_input(error.errors()))


async def _handle_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    return await _refuse(request, from_http_exception(request.scope, error))


async def _refuse(request: Request, problem: ProblemError) -> Response:
    refused: Refused | None = request.app.state.refused
    try:
        if refused is not None:
            await refused(request)
    except ProblemError as instead:
        problem = instead
    return problem_response(request.scope, problem)


async def _handle_unforeseen(request: Request, _: Exception) -> Response:
    return problem_response(request.scope, InternalServerError(_UNHANDLED))


def invalid_input(errors: Sequence[Any]) -> InvalidInput:
    """Return the problem for Pydantic's `errors`, without the values it refused."""
    return InvalidInput(
        [_field_error(error) for error in errors[:_MOST_ERRORS]],
        in_path=any(error["loc"][:1] == ("path",) for error in errors),
    )


def _field_error(error: Any) -> FieldError:
    code = str(error["type"])
    location = [str(part) for part in error["loc"]]
    named = location[1:] if code != "json_invalid" else []
    return {
        "field": ".".join(named) or (location[0] if location else "body"),
        "message": _MESSAGES.get(code, str(error["msg"])),
        "code": code,
    }


def from_http_exception(scope: Scope, error: HTTPException) -> ProblemError:
    """Return the problem that says what an `HTTPException` says."""
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(allowed_methods(scope)) or headers.get("Allow", "")
        return MethodNotAllowed(f"Use one of: {headers['Allow']}.", headers=headers)
    detail: Any = error.detail
    if not isinstance(detail, str):
        return StatusError(error.status_code, headers=headers, context=jsonable_encoder(detail))
    repeats_status = detail == phrase_of(error.status_code)
    return StatusError(error.status_code, None if repeats_status else detail, headers=headers)


def allowed_methods(scope: Scope) -> list[str]:
    """Return every method that some route knows for this path (RFC 9110, section 10.2.1)."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    methods: set[str] = set()
    for route in iter_route_contexts(scope["app"].routes):
        if route.path and route.methods and compile_path(route.path)[0].match(path):
            methods |= set(route.methods)
    if "GET" in methods:
        methods.add("HEAD")
    return sorted(methods)
