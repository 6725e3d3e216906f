"""The OpenAPI document: every operation shows its real errors, and never the 422 that isn't sent.

A route names its own errors with `responses=errors(NotFound, Conflict)`; what any route may
answer (input refused, budget spent, database away) is added here.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder

from bedplate.backend import Backend
from bedplate.problems import (
    MEDIA_TYPE,
    ContentTooLarge,
    GatewayTimeout,
    Problem,
    ProblemError,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
)
from bedplate.problems.errors import phrase_of

_METHODS = {"get", "put", "post", "delete", "patch", "options", "head", "trace"}
_REFERENCE = {"$ref": "#/components/schemas/Problem"}
_BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
_UNUSED = ("HTTPValidationError", "ValidationError")


def errors(*kinds: type[ProblemError]) -> dict[int | str, dict[str, Any]]:
    """Return what a route's `responses=` wants for the errors it may answer."""
    found: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        described = found.get(kind.status, {}).get("description")
        found[kind.status] = _response(f"{described} or {kind.title}" if described else kind.title)
    return found


def install_openapi(app: FastAPI, backend: Backend) -> None:
    """Make `app.openapi()` tell the truth about errors."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        if "Problem" not in document.setdefault("components", {}).setdefault("schemas", {}):
            _complete(document, backend)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI documents this seam


def _complete(document: dict[str, Any], backend: Backend) -> None:
    schemas = document["components"]["schemas"]
    for operation in _operations(document):
        _complete_operation(operation, backend)
    _add_alternatives(document, backend)
    for name in _UNUSED:
        schemas.pop(name, None)
    _write_bounds_as_integers(schemas)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem


def _add_alternatives(document: dict[str, Any], backend: Backend) -> None:
    """Show the other schemes that the guard's verifier takes."""
    if backend.auth is None or not backend.auth.alternatives:
        return
    schemes = document["components"].setdefault("securitySchemes", {})
    for name, model in backend.auth.alternatives.items():
        schemes[name] = jsonable_encoder(model, by_alias=True, exclude_none=True)
        for operation in _operations(document):
            if {backend.auth.scheme_name: []} in operation.get("security", []):
                operation["security"].append({name: []})


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document.get("paths", {}).values():
        yield from (operation for method, operation in path.items() if method in _METHODS)


def _complete_operation(operation: dict[str, Any], backend: Backend) -> None:
    responses: dict[str, Any] = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422", {})):
        del responses["422"]
    if operation.get("parameters") or "requestBody" in operation:
        status = backend.problems.validation_status
        responses.setdefault(str(status), _response(phrase_of(status)))
    for parameter in operation.get("parameters", ()):
        _refuse_null(parameter)
    for kind in _common(operation, backend):
        responses.setdefault(str(kind.status), _response(kind.title))
    operation["responses"] = dict(sorted(responses.items()))


def _refuse_null(parameter: dict[str, Any]) -> None:
    """Leave `null` out: a parameter may be absent, but what comes is never null."""
    schema = parameter["schema"]
    others = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(others) == 1:
        del schema["anyOf"]
        schema.update(others[0])


def _write_bounds_as_integers(schema: Any) -> None:
    """Write 1 for 1.0: FastAPI makes floats of all bounds in components."""
    for name, value in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if isinstance(value, dict | list):
            _write_bounds_as_integers(value)
        elif name in _BOUNDS and isinstance(value, float) and value.is_integer():
            schema[name] = int(value)


def _common(operation: dict[str, Any], backend: Backend) -> Iterable[type[ProblemError]]:
    if "requestBody" in operation:
        yield ContentTooLarge
    if operation.get("security"):
        yield Unauthorized
    if backend.rate_limit is not None:
        yield TooManyRequests
    yield ServiceUnavailable
    yield GatewayTimeout


def _response(description: str) -> dict[str, Any]:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": _REFERENCE}}}
