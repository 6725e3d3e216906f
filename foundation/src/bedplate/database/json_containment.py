"""JSON containment: `@>` of PostgreSQL, and the same on SQLite."""

import json
from typing import Any

from sqlalchemy import JSON, Boolean, ColumnElement, bindparam
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

JSONDocument = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A column of JSON: `jsonb` on PostgreSQL, text on SQLite; None is NULL."""

SQLITE_FUNCTION = "bedplate_json_contains"


class JSONContains(FunctionElement[bool]):
    """`column` contains the JSON value of a parameter: all of its members, and elements, are there.

    `JSONContains(Order.details, "part")`. An index `USING gin (details jsonb_path_ops)` serves it
    on PostgreSQL; on SQLite every row is read.
    """

    inherit_cache = True
    name = "json_contains"
    type = Boolean()

    def __init__(self, column: ColumnElement[Any] | Any, parameter: str) -> None:
        super().__init__(column, bindparam(parameter, required=True, type_=JSONDocument))


@compiles(JSONContains, "postgresql")
def _postgresql(element: JSONContains, compiler: SQLCompiler, **kw: Any) -> str:
    column, part = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} @> {part}"


@compiles(JSONContains, "sqlite")
def _sqlite(element: JSONContains, compiler: SQLCompiler, **kw: Any) -> str:
    column, part = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{SQLITE_FUNCTION}({column}, {part})"


def contains_text(document: str | None, part: str) -> bool:
    """Return whether a JSON document contains a part: what SQLite calls."""
    if document is None:
        return False
    whole, wanted = json.loads(document), json.loads(part)
    if isinstance(whole, list) and not isinstance(wanted, list | dict):
        return contains(whole, [wanted])
    return contains(whole, wanted)


def contains(whole: Any, part: Any) -> bool:
    """Return whether a JSON value contains another, as PostgreSQL's `@>` decides below the top."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and contains(whole[key], value) for key, value in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and all(
            any(contains(item, wanted) for item in whole) for wanted in part
        )
    # For Python true is 1, and for JSON it isn't.
    return isinstance(whole, bool) == isinstance(part, bool) and bool(whole == part)
