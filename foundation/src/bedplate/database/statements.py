"""Statements: written with SQLAlchemy, compiled once, run on the driver's own connection.

SQLAlchemy's Core spends 150-200 µs a query on what never changes between two requests. A
`Statement` does that work once for each dialect; what is left is asyncpg or sqlite3 itself.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Boolean,
    ColumnElement,
    Dialect,
    Float,
    Integer,
    Numeric,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import ClauseElement, TextClause
from sqlalchemy.sql.expression import Executable
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import TextualSelect
from sqlalchemy.sql.visitors import iterate
from sqlalchemy.types import TypeEngine

from bedplate.database.exceptions import DataRefused
from bedplate.schemas import MAX_INT64, MIN_INT64

Row = dict[str, Any]
"""One row: column names and Python values."""

Processor = Callable[[Any], Any]

# Type numbers of PostgreSQL's catalogue, which SQLAlchemy asks for numbers alone.
_FLOAT8, _NUMERIC = 701, 1700


class Compiled:
    """One statement in one dialect: its text, the order of its parameters, and its types."""

    __slots__ = ("_fixed", "_names", "_parameters", "_processors", "text")

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled = cast("SQLCompiler", cast("ClauseElement", statement).compile(dialect=dialect))
        binds = compiled.binds
        required = dict.fromkeys(name for name, bind in binds.items() if bind.required)
        # IN with a list that is part of the statement becomes a parameter for each of its values.
        whole = compiled.construct_expanded_state(required)
        parts = {
            part: binds[name] for name, found in whole.parameter_expansion.items() for part in found
        }
        self.text: Final = whole.statement
        self._fixed = {
            **{name: bind.effective_value for name, bind in binds.items() if name not in required},
            **{part: whole.parameters[part] for part in parts},
        }
        types = {name: bind.type for name, bind in (binds | parts).items()}
        self._parameters = [
            (name if name in parts else binds[name].key, bind_processor(types[name], dialect))
            for name in whole.positiontup or []
        ]
        columns = compiled._result_columns  # noqa: SLF001 - nothing public lists them
        self._names = [entry.keyname for entry in columns]
        # Of two columns with one name the last counts, with its own processor.
        types_by_name = {entry.keyname: entry.type for entry in columns}
        self._processors = [
            (name, processor)
            for name, kind in types_by_name.items()
            if (processor := _result_processor(kind, dialect))
        ]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the values in the order of the placeholders. Raises KeyError for a missing one."""
        given = {**self._fixed, **values} if self._fixed else values
        return [
            processor(given[name]) if processor else given[name]
            for name, processor in self._parameters
        ]

    def row(self, record: Sequence[Any]) -> Row:
        """Return one record of the driver as a row."""
        row = dict(zip(self._names, record, strict=True))
        for name, processor in self._processors:
            row[name] = processor(row[name])
        return row


def bind_processor(kind: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    """Return what makes a value of this type one that the driver takes, if anything need be."""
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _result_processor(kind: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    number = _FLOAT8 if isinstance(kind, Float) else _NUMERIC if isinstance(kind, Numeric) else None
    return kind.dialect_impl(dialect).result_processor(dialect, number)


class Statement:
    """A SELECT, INSERT, UPDATE or DELETE with `bindparam`s, ready to run again and again.

    Build it once, at module level or behind `functools.cache`; the parameters come by name when a
    session runs it. Rows of an INSERT, UPDATE or DELETE come from its RETURNING. Defaults that
    Python would compute for a column don't apply: pass the value, or declare a server default. A
    `text()` that returns rows needs its `columns()`.
    """

    __slots__ = ("_compiled", "_statement", "writes")

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self.writes: Final = isinstance(statement, TextClause | TextualSelect) or any(
            isinstance(part, UpdateBase) for part in iterate(cast("ClauseElement", statement))
        )
        """Whether it changes rows; a `text()` may, so it counts as a statement that does."""
        self._compiled: dict[str, Compiled] = {}

    def __repr__(self) -> str:
        return f"Statement({self._statement})"

    def compiled(self, dialect: Dialect) -> Compiled:
        """Return the statement in a dialect, compiled the first time it is asked for."""
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = Compiled(self._statement, dialect)
        return found


class AnyOf(FunctionElement[bool]):
    """`AnyOf(Task.id, "ids")`: the column is one of the values of a parameter, which is a list."""

    inherit_cache = True
    name = "any_of"
    type = Boolean()

    def __init__(self, column: ColumnElement[Any] | Any, parameter: str) -> None:
        values: BindParameter[Any] = BindParameter(
            parameter, required=True, type_=ArrayParameter(widest(column.type))
        )
        super().__init__(column, values)

    def self_group(self, against: Any = None) -> "AnyOf":  # noqa: ARG002 - SQLAlchemy names it
        """Return itself: SQLite finds no index for the `(…) = 1` that SQLAlchemy would write."""
        return self


def widest(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return a parameter type that holds every value comparable with a column of this type."""
    return BigInteger() if isinstance(kind, Integer) else kind


class ArrayParameter(ARRAY[Any]):
    """An array on PostgreSQL; on SQLite its JSON text, which `json_each` unfolds."""

    def __init__(self, item_type: TypeEngine[Any]) -> None:
        # Without the number of dimensions an item that is a list would be taken for a dimension.
        super().__init__(item_type, dimensions=1)

    def bind_processor(self, dialect: Dialect) -> Processor | None:
        """Return what turns a list into what the driver takes."""
        item = bind_processor(self.item_type, dialect)

        def as_items(values: Sequence[Any]) -> list[Any]:
            return list(values) if item is None else [item(value) for value in values]

        if dialect.name == "postgresql":
            return as_items
        return lambda values: json.dumps(
            [check_storable(value) for value in as_items(values)], ensure_ascii=False
        )


def check_storable(value: Any) -> Any:
    """Return a value that PostgreSQL would take too. Raises `DataRefused`."""
    too_large = isinstance(value, int) and not MIN_INT64 <= value <= MAX_INT64
    if too_large or (isinstance(value, str) and "\0" in value):
        raise DataRefused
    return value


@compiles(AnyOf, "postgresql")
def _any_of_postgresql(element: AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(part, **kw) for part in element.clauses)
    return f"{column} = ANY ({values})"


@compiles(AnyOf, "sqlite")
def _any_of_sqlite(element: AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(part, **kw) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both are compiled
