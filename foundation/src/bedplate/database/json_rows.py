"""Many rows as one parameter of SQLite: a JSON array of arrays, which `json_each` unfolds."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Float,
    Numeric,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.types import TypeEngine, UserDefinedType

from bedplate.database.statements import Processor, bind_processor, check_storable

SQLITE_FLOAT = "bedplate_float"
"""The function that reads a float: JSON has no infinity, and not every SQLite reads all digits."""


class RowsParameter(UserDefinedType[Sequence[Sequence[Any]]]):
    """A list of rows, each a list with a value of each type, as JSON text."""

    cache_ok = True

    def __init__(self, types: Sequence[TypeEngine[Any]]) -> None:
        self.types = tuple(types)

    def bind_processor(self, dialect: Dialect) -> Processor:
        """Return what turns rows into the text. It raises `DataRefused`, as PostgreSQL would."""
        encoders = [_encoder(kind, dialect) for kind in self.types]

        def as_text(rows: Sequence[Sequence[Any]]) -> str:
            encoded = [
                [encode(value) for encode, value in zip(encoders, row, strict=True)] for row in rows
            ]
            return json.dumps(encoded, ensure_ascii=False, allow_nan=False)

        return as_text


def _encoder(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any]:
    processor = bind_processor(kind, dialect)
    if _is_float(kind):
        return lambda value: _float_text(processor(value) if processor else value)
    if processor is None:
        return check_storable
    return lambda value: check_storable(processor(value))


def _float_text(value: Any) -> str | None:
    return None if value is None else repr(float(value))


def _is_float(kind: TypeEngine[Any]) -> bool:
    return isinstance(stored_type(kind), Float | Numeric)


def stored_type(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the type that a decorated type stores its values as."""
    stored: TypeEngine[Any] = getattr(kind, "impl_instance", kind)
    return stored


def read_float(text: str | None) -> float | None:
    """Return the float that `RowsParameter` wrote: what SQLite calls."""
    return None if text is None else float(text)


def select_rows(parameter: str, types: Sequence[TypeEngine[Any]]) -> Select[Any]:
    """Return the SELECT of the rows in a parameter, a column for each type."""
    given = func.json_each(bindparam(parameter, required=True, type_=RowsParameter(types)))
    values: list[ColumnElement[Any]] = [
        literal_column(f"{SQLITE_FLOAT}({extract})" if _is_float(kind) else extract)
        for kind, extract in (
            (kind, f"json_extract(value, '$[{place}]')") for place, kind in enumerate(types)
        )
    ]
    # Without a WHERE, SQLite would take the ON of ON CONFLICT for that of a join.
    return select(*values).select_from(given.table_valued("value")).where(text("true"))
