"""Reads the path, query, header and cookie parameters of one dependency.

A parameter with one name is read and validated by lines of its own. All others (models, JSON text,
several names, cookies) are read by FastAPI's `request_params_to_args`.

What it uses of FastAPI 0.165 that isn't public: `ModelField._type_adapter`,
`request_params_to_args`, `_get_param_aliases`, `_get_param_model`, `_is_json_field`,
`_regenerate_error_with_loc`, `get_missing_field_error`, `field_annotation_is_sequence`.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from fastapi._compat import ModelField, field_annotation_is_sequence
from fastapi._compat.v2 import _regenerate_error_with_loc, get_missing_field_error
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import (
    _get_param_aliases,
    _get_param_model,
    _is_json_field,
    request_params_to_args,
)
from pydantic import ValidationError
from pydantic_core import SchemaValidator

from bedplate.routing.source import Source

_UNCHANGEABLE = (type(None), bool, int, float, str, bytes)


def validator_of(field: ModelField) -> Callable[..., Any]:
    """Return what validates a value by a field: Pydantic's own, without FastAPI's two wrappers."""
    adapter = field._type_adapter
    validator = adapter.validator
    if isinstance(validator, SchemaValidator):
        return validator.validate_python
    return adapter.validate_python  # built when it is first needed, or wrapped by a plugin


def errors_of(failed: ValidationError, loc: tuple[int | str, ...]) -> list[dict[str, Any]]:
    """Return the errors as FastAPI tells them; `loc` is where the value was."""
    return _regenerate_error_with_loc(errors=failed.errors(include_url=False), loc_prefix=loc)


class ParameterWriter:
    """Writes what reads the parameters of one dependency after the other.

    The lines use `request` and `scope` and add to `errors`. What parameters are read from is read
    once, and again after a dependency that could have changed it.
    """

    def __init__(self, source: Source) -> None:
        """Take where to write."""
        self._source = source
        self._known: set[str] = set()
        self._listed = False

    def forget(self) -> None:
        """Have the path, query and headers read again by what follows."""
        self._known.clear()

    def write(self, dependant: Dependant) -> dict[str, str]:
        """Write what reads the parameters; return the expression of each by its name."""
        values: dict[str, str] = {}
        for fields, write in (
            (dependant.path_params, self._write_path),
            (dependant.query_params, self._write_query),
            (dependant.header_params, self._write_header),
            (dependant.cookie_params, self._write_cookie),
        ):
            for field in fields:
                values[field.name] = write(field)
        return values

    def _write_path(self, field: ModelField) -> str:
        if _is_special(field) or _is_list(field):
            return self._write_by_fastapi(field, "request.path_params")
        if self._is_new("path"):
            self._source.line('path = scope["path_params"]')
        return self._write_one(field, "path", "path.get({!r})", "{} is None")

    def _write_query(self, field: ModelField) -> str:
        if _is_special(field):
            return self._write_by_fastapi(field, "request.query_params")
        if _is_list(field):
            getlist = "request.query_params.getlist({!r})"
            return self._write_one(field, "query", getlist, "not {}")
        if self._is_new("query"):
            self._source.line("query = dict(request.query_params.items())")
        return self._write_one(field, "query", "query.get({!r})", "{} is None")

    def _write_header(self, field: ModelField) -> str:
        source = self._source
        if _is_special(field) or not _name(field).isascii():
            return self._write_by_fastapi(field, "request.headers")
        if not self._listed:  # as Starlette does with what a server gives
            self._listed = True
            with source.block('if type(scope["headers"]) is not list:'):
                source.line('scope["headers"] = list(scope["headers"])')
        name = source.constant("name", _name(field).lower().encode())
        given = source.variable("given")
        loc = ("header", _name(field))
        if _is_list(field):
            values = 'value.decode("latin-1") for name, value in scope["headers"]'
            source.line(f"{given} = [{values} if name == {name}]")
            return write_value(source, field, given, f"not {given}", loc)
        if self._is_new("headers"):  # the first of a name counts
            source.line('headers = dict(reversed(scope["headers"]))')
        source.line(f"{given} = headers.get({name})")
        return write_value(source, field, f'{given}.decode("latin-1")', f"{given} is None", loc)

    def _write_cookie(self, field: ModelField) -> str:
        return self._write_by_fastapi(field, "request.cookies")

    def _is_new(self, name: str) -> bool:
        """Return whether something isn't known yet; from now on it is."""
        new = name not in self._known
        self._known.add(name)
        return new

    def _write_one(self, field: ModelField, kind: str, read: str, absent: str) -> str:
        given = self._source.variable("given")
        self._source.line(f"{given} = {read.format(_name(field))}")
        loc = (kind, _name(field))
        return write_value(self._source, field, given, absent.format(given), loc)

    def _write_by_fastapi(self, field: ModelField, all_of: str) -> str:
        source = self._source
        values, failed = source.variable("values"), source.variable("failed")
        read = source.constant("read", request_params_to_args)
        source.line(f"{values}, {failed} = {read}({source.constant('fields', [field])}, {all_of})")
        source.line(f"errors += {failed}")
        return f"{values}[{field.name!r}]"


def write_value(source: Source, field: ModelField, given: str, absent: str, loc: Any) -> str:
    """Write what validates the expression `given`, unless `absent` is true of it.

    Returns the variable of the value, which is set if `errors` didn't grow.
    """
    value = source.variable("value")
    if field.field_info.is_required():
        with source.block(f"if {absent}:"):
            missing = source.constant("missing", get_missing_field_error)
            source.line(f"errors.append({missing}({loc!r}))")
        with source.block("else:"):
            _write_validated(source, field, value, given, loc)
        return value
    default = _default(source, field)
    if field.field_info.validate_default:
        chosen = source.variable("given")
        source.line(f"{chosen} = {default} if {absent} else {given}")
        _write_validated(source, field, value, chosen, loc)
        return value
    with source.block(f"if {absent}:"):
        source.line(f"{value} = {default}")
    with source.block("else:"):
        _write_validated(source, field, value, given, loc)
    return value


def _default(source: Source, field: ModelField) -> str:
    if field.field_info.default_factory is None and type(field.default) in _UNCHANGEABLE:
        return source.constant("default", field.default)
    return source.constant("default", lambda: deepcopy(field.default)) + "()"


def _write_validated(source: Source, field: ModelField, value: str, given: str, loc: Any) -> None:
    validate = source.constant("validate", validator_of(field))
    with source.block("try:"):
        source.line(f"{value} = {validate}({given}, from_attributes=True)")
    with source.block(f"except {source.constant('Invalid', ValidationError)} as failed:"):
        errors = source.constant("errors_of", errors_of)
        source.line(f"errors += {errors}(failed, {loc!r})")


def _name(field: ModelField) -> str:
    return _get_param_aliases(field)[0][1]


def _is_special(field: ModelField) -> bool:
    """Return whether a parameter has several names, or is a model or JSON text."""
    return (
        len(_get_param_aliases(field)) > 1
        or _get_param_model(field) is not None
        or _is_json_field(field)
    )


def _is_list(field: ModelField) -> bool:
    return field_annotation_is_sequence(field.field_info.annotation)
