"""JSON that PostgreSQL makes of rows, the same that Pydantic makes of them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Float, Numeric, Select, Text, cast, func, literal_column

from bedplate.database.types import UTCDateTime

Columns = Select[*tuple[Any, ...]]
"""A SELECT of any columns."""

_ISO_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


def literal(text: str) -> ColumnElement[str]:
    """Return a text as it stands in the statement, rather than as a parameter."""
    return literal_column("'{}'".format(text.replace("'", "''")))


def json_object(columns: Iterable[ColumnElement[Any]]) -> ColumnElement[str]:
    """Return the text of a JSON object with these columns, under their names."""
    members = [part for column in columns for part in (literal(str(column.key)), _member(column))]
    return cast(func.json_build_object(*members), Text)


def json_array(objects: ColumnElement[str]) -> ColumnElement[str]:
    """Return the text of a JSON array: an aggregate of the objects' texts."""
    return func.concat(literal("["), objects, literal("]"))


def joined(objects: ColumnElement[str]) -> Any:
    """Return the aggregate that puts commas between the objects' texts."""
    return func.string_agg(objects, literal(","))


def _member(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column as JSON shows it.

    Instants are RFC 3339 in UTC with a fraction only when there is one, and decimals are strings,
    as Pydantic writes them.
    """
    if isinstance(column.type, UTCDateTime):
        shown = func.to_char(func.timezone("UTC", column), literal(_ISO_FORMAT))
        return func.replace(shown, literal(".000000Z"), literal("Z"))
    if isinstance(column.type, Numeric) and not isinstance(column.type, Float):
        return cast(column, Text)
    return column
