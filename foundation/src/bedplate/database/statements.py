"""Statements: written with SQLAlchemy, compiled once, run on the driver's own connection.

SQLAlchemy's Core spends 150-200 µs a query on what never changes between two requests. A
`Statement` does that work once for each dialect; what is left is asyncpg or sqlite3 itself.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, cast

import aiosqlite
import asyncpg
from sqlalchemy import ARRAY, BindParameter, ColumnElement, Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.expression import Executable
from sqlalchemy.types import Boolean
from sqlalchemy.util import greenlet_spawn

Row = dict[str, Any]
"""One row: column names and Python values."""

Processor = Callable[[Any], Any]


class Compiled:
    """One statement in one dialect: its text, the order of its parameters, and its types."""

    __slots__ = ("_columns", "_fixed", "_names", "_parameters", "text")

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled = cast(
            "SQLCompiler",
            cast("ClauseElement", statement).compile(
                dialect=dialect, compile_kwargs={"render_postcompile": True}
            ),
        )
        self.text: Final = compiled.string
        names = compiled.positiontup or []
        self._names = names
        self._fixed = {
            name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required
        }
        self._parameters = [
            (compiled.binds[name].key, _bind_processor(compiled.binds[name], dialect))
            for name in names
        ]
        self._columns = [
            (entry.keyname, entry.type.dialect_impl(dialect).result_processor(dialect, None))
            for entry in compiled._result_columns  # noqa: SLF001 - nothing public lists them
        ]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the parameters in the order of the placeholders.

        Raises `KeyError` when a parameter is missing: a mistake of the caller.
        """
        return [
            processor(self._value(name, values)) if processor else self._value(name, values)
            for name, processor in self._parameters
        ]

    def _value(self, name: str, values: Mapping[str, Any]) -> Any:
        return values[name] if name in values else self._fixed[name]

    def row(self, record: Sequence[Any]) -> Row:
        """Return one record of the driver as a row."""
        return {
            name: processor(value) if processor else value
            for (name, processor), value in zip(self._columns, record, strict=True)
        }


def _bind_processor(bind: BindParameter[Any], dialect: Dialect) -> Processor | None:
    return bind.type.dialect_impl(dialect).bind_processor(dialect)


class Statement:
    """A SELECT, INSERT, UPDATE or DELETE with `bindparam`s, ready to run again and again.

    Build it once, at module level or behind `functools.cache`; the parameters come by name when a
    session runs it. Rows of an INSERT, UPDATE or DELETE come from its RETURNING. Defaults that
    Python would compute for a column don't apply: pass the value, or declare a server default.
    """

    __slots__ = ("_compiled", "_statement")

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._compiled: dict[str, Compiled] = {}

    def __repr__(self) -> str:
        return f"Statement({self._statement})"

    def compiled(self, dialect: Dialect) -> Compiled:
        """Return the statement in a dialect, compiled the first time it is asked for."""
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = Compiled(self._statement, dialect)
        return found


class any_of(ColumnElement[bool]):  # noqa: N801 - reads as SQL in a statement
    """`column` is one of the values of an array parameter, whatever their number."""

    inherit_cache = True
    type = Boolean()

    def __init__(self, column: ColumnElement[Any] | Any, parameter: str) -> None:
        self.column = column
        self.values: BindParameter[Any] = BindParameter(
            parameter, required=True, type_=ArrayParameter(column.type)
        )


class ArrayParameter(ARRAY[Any]):
    """An array on PostgreSQL; on SQLite its JSON text, which `json_each` unfolds."""

    def bind_processor(self, dialect: Dialect) -> Processor | None:
        """Return what turns a list into what the driver takes."""
        if dialect.name == "postgresql":
            return None
        return lambda values: "[" + ",".join(_json_item(value) for value in values) + "]"


def _json_item(value: Any) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'


@compiles(any_of, "postgresql")
def _any_of_postgresql(element: any_of, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = compiler.process(element.column, **kw), compiler.process(element.values, **kw)
    return f"{column} = ANY ({values})"


@compiles(any_of, "sqlite")
def _any_of_sqlite(element: any_of, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = compiler.process(element.column, **kw), compiler.process(element.values, **kw)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both are compiled


class Driver(Protocol):
    """How statements reach one kind of driver connection."""

    begin: str

    async def fetch(self, connection: Any, text: str, arguments: list[Any]) -> Sequence[Any]:
        """Return all records of a statement."""
        ...

    async def execute(self, connection: Any, text: str) -> None:
        """Run a command without parameters or records, as BEGIN is one."""
        ...

    async def give_back(self, connection: PoolProxiedConnection, *, healthy: bool) -> None:
        """Return a connection to its pool, or drop it when it is not healthy."""
        ...


class PostgreSQLDriver:
    """asyncpg."""

    begin = "BEGIN"

    async def fetch(
        self, connection: asyncpg.Connection, text: str, arguments: list[Any]
    ) -> Sequence[Any]:
        """Return all records of a statement."""
        records: Sequence[Any] = await connection.fetch(text, *arguments)
        return records

    async def execute(self, connection: asyncpg.Connection, text: str) -> None:
        """Run a command without parameters or records."""
        await connection.execute(text)

    async def give_back(self, connection: PoolProxiedConnection, *, healthy: bool) -> None:
        """Return a connection to its pool, or drop it when it is not healthy."""
        # No transaction is open in SQLAlchemy's eyes, so neither of the two waits for anything.
        if healthy:
            connection.close()
        else:
            connection.invalidate()


class SQLiteDriver:
    """aiosqlite."""

    begin = "BEGIN IMMEDIATE"

    async def fetch(
        self, connection: aiosqlite.Connection, text: str, arguments: list[Any]
    ) -> Sequence[Any]:
        """Return all records of a statement."""
        return cast("list[sqlite3.Row]", await connection.execute_fetchall(text, tuple(arguments)))

    async def execute(self, connection: aiosqlite.Connection, text: str) -> None:
        """Run a command without parameters or records."""
        await connection.execute_fetchall(text)

    async def give_back(self, connection: PoolProxiedConnection, *, healthy: bool) -> None:
        """Return a connection to its pool, or drop it when it is not healthy."""
        await greenlet_spawn(connection.close if healthy else connection.invalidate)


def driver_of(dialect: Dialect) -> Driver:
    """Return how statements reach the driver of a dialect."""
    return PostgreSQLDriver() if dialect.name == "postgresql" else SQLiteDriver()
