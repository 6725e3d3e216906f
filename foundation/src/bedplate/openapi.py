"""The OpenAPI document, with the real errors of every operation.

A route declares its own errors with `responses=errors(NotFound, Conflict)` and its response headers
with `responses=headers(200, "ETag")`. The errors of any route (invalid input, exhausted budget,
unavailable database) are added here, and FastAPI's own 422 is removed.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder

from bedplate.backend import Backend
from bedplate.problems import (
    MEDIA_TYPE,
    BadRequest,
    ContentTooLarge,
    Forbidden,
    GatewayTimeout,
    Problem,
    ProblemError,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
)
from bedplate.problems.exceptions import phrase_of
from bedplate.settings import Settings

_METHODS = {"get", "put", "post", "delete", "patch", "options", "head", "trace"}
_REFERENCE = {"$ref": "#/components/schemas/Problem"}
_HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {
        "description": "The version shown, for `If-Match` and `If-None-Match`",
        "required": True,
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "Where the new resource is",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Link": {
        "description": 'The next page, with `rel="next"`, where there is one (RFC 8288)',
        "schema": {"type": "string"},
    },
}
_UNUSED = ("HTTPValidationError", "ValidationError")
# Pydantic's keywords for a bound that follows a validator, and JSON Schema's.
_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}


def errors(*kinds: type[ProblemError]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of a route with these errors."""
    responses: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        earlier = responses.get(kind.status, {}).get("description")
        responses[kind.status] = _response(f"{earlier} or {kind.title}" if earlier else kind.title)
    return responses


def headers(
    status: int, *names: Literal["ETag", "Location", "Link"]
) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of a route whose responses with `status` have these headers."""
    return {status: {"headers": {name: _HEADERS[name] for name in names}}}


def install_openapi(app: FastAPI, backend: Backend, settings: Settings | None = None) -> None:
    """Make `app.openapi()` describe the real errors.

    `settings` are needed where the guard's alternatives depend on them. The document is made once,
    and again when routes are added. For a backend that renders its own errors, only FastAPI's 422
    is removed.
    """
    plain = app.openapi
    completed: dict[str, Any] | None = None

    def openapi() -> dict[str, Any]:
        nonlocal completed
        document = plain()
        if document is not completed:
            _complete(document, backend, settings)
            completed = document
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI documents this seam


def _complete(document: dict[str, Any], backend: Backend, settings: Settings | None) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for operation in _operations(document):
        _complete_operation(operation, backend)
    _add_alternatives(document, backend, settings)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    _drop_unused(document)
    _correct_keywords(document)


def _complete_operation(operation: dict[str, Any], backend: Backend) -> None:
    responses: dict[str, Any] = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    if backend.problems.render is None:
        if operation.get("parameters") or "requestBody" in operation:
            status = backend.problems.validation_status
            responses.setdefault(str(status), _response(phrase_of(status)))
        for kind in _common(operation, backend):
            responses.setdefault(str(kind.status), _response(kind.title))
        for code, response in responses.items():
            if code[0] in "45" and "$ref" not in response:
                response.setdefault("content", {MEDIA_TYPE: {"schema": _REFERENCE}})
    operation["responses"] = dict(sorted(responses.items()))


def _common(operation: dict[str, Any], backend: Backend) -> Iterable[type[ProblemError]]:
    if "requestBody" in operation:
        yield ContentTooLarge
    has_header = any(part["in"] == "header" for part in operation.get("parameters", []))
    if "requestBody" in operation or has_header:
        yield BadRequest  # input that can't be parsed; invalid values may have another status
    if operation.get("security"):
        yield Unauthorized
    if any(roles for scheme in operation.get("security", []) for roles in scheme.values()):
        yield Forbidden
    if backend.rate_limit is not None:
        yield TooManyRequests
    yield ServiceUnavailable
    yield GatewayTimeout


def _response(description: str) -> dict[str, Any]:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": _REFERENCE}}}


def _add_alternatives(
    document: dict[str, Any], backend: Backend, settings: Settings | None
) -> None:
    """Add the other security schemes that the guard's verifier accepts."""
    if backend.auth is None:
        return
    alternatives = backend.auth.alternatives
    if callable(alternatives):
        alternatives = alternatives(settings)
    if not alternatives:
        return
    schemes = document["components"].setdefault("securitySchemes", {})
    for name, model in alternatives.items():
        schemes[name] = jsonable_encoder(model, by_alias=True, exclude_none=True)
        for operation in _operations(document):
            for scheme in list(operation.get("security", [])):
                if backend.auth.scheme_name in scheme:
                    operation["security"].append({name: scheme[backend.auth.scheme_name]})


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document.get("paths", {}).values():
        yield from (operation for method, operation in path.items() if method in _METHODS)


def _drop_unused(document: dict[str, Any]) -> None:
    """Drop FastAPI's own error schemas, unless something refers to them."""
    schemas = document["components"]["schemas"]
    for name in _UNUSED:
        if f'"#/components/schemas/{name}"' not in json.dumps(document, default=str):
            schemas.pop(name, None)


def _correct_keywords(part: Any) -> None:
    if isinstance(part, list):
        for item in part:
            _correct_keywords(item)
    elif isinstance(part, dict):
        if part.get("type") in ("integer", "number"):
            _correct_bounds(part)
        for item in part.values():
            _correct_keywords(item)


def _correct_bounds(schema: dict[str, Any]) -> None:
    for pydantic, keyword in _BOUNDS.items():
        if pydantic in schema:
            schema[keyword] = schema.pop(pydantic)
        bound = schema.get(keyword)
        # FastAPI writes the bounds of body fields as floats, such as 9.223372036854776e+18.
        if schema["type"] == "integer" and isinstance(bound, float) and bound.is_integer():
            schema[keyword] = int(bound)
