"""Statements that several services run."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Select,
    Text,
    bindparam,
    delete,
    insert,
    text,
    update,
)

from bedplate.database import ReadSession, Row, Statement, WriteSession
from bedplate.schemas import MAX_INT64

PART_SIZE: Final = 500
"""Rows that one statement of `read_parts` reads."""


def part_statement(query: Select[*tuple[Any, ...]]) -> Statement:
    """Return the statement that `read_parts` repeats; the query's first column is the `id`."""
    identifier = query.selected_columns[0]
    after = identifier > bindparam("after", type_=BigInteger)
    limit = bindparam("limit", type_=BigInteger)
    return Statement(query.where(after).order_by(identifier).limit(limit))


async def read_parts(
    session: ReadSession, statement: Statement, **parameters: Any
) -> AsyncIterator[list[Row]]:
    """Yield all rows of a `part_statement` by `id`, in lists of at most `PART_SIZE`.

    The last list may be empty; there is always one.
    """
    rows = await session.all(statement, after=0, limit=PART_SIZE, **parameters)
    while len(rows) == PART_SIZE:
        yield rows
        rows = await session.all(statement, after=rows[-1]["id"], limit=PART_SIZE, **parameters)
    yield rows


async def look_up(
    session: ReadSession, statement: Statement, identifiers: Sequence[int]
) -> list[Row]:
    """Return the rows with these identifiers in their order, each once, without the unknown.

    The statement selects the rows whose `id` is `AnyOf` the parameter `identifiers`.
    """
    possible = [at for at in dict.fromkeys(identifiers) if 0 < at <= MAX_INT64]
    rows = {row["id"]: row for row in await session.all(statement, identifiers=possible)}
    return [rows[identifier] for identifier in possible if identifier in rows]


class BulkUpdate:
    """Sets a number of many rows in one statement; `key` is the column that identifies them."""

    def __init__(self, table: str, column: str, *, key: str = "id") -> None:
        # Names of our own tables, never input.
        pairs = bindparam("pairs", type_=Text)
        self._postgresql = Statement(
            text(
                f"UPDATE {table} SET {column} = CAST(new.pair ->> 1 AS bigint) "  # noqa: S608
                "FROM json_array_elements(CAST(:pairs AS json)) AS new(pair) "
                f"WHERE {table}.{key} = CAST(new.pair ->> 0 AS bigint)"
            ).bindparams(pairs)
        )
        self._sqlite = Statement(
            text(
                f"UPDATE {table} SET {column} = json_extract(new.value, '$[1]') "  # noqa: S608
                "FROM json_each(:pairs) AS new "
                f"WHERE {table}.{key} = json_extract(new.value, '$[0]')"
            ).bindparams(pairs)
        )

    async def run(self, session: WriteSession, numbers: Sequence[tuple[int, int]]) -> None:
        """Set the numbers, given as pairs of key and number."""
        postgresql = session.dialect_name == "postgresql"
        statement = self._postgresql if postgresql else self._sqlite
        await session.all(statement, pairs=json.dumps(numbers))


class NumberedTable:
    """The statements on the table of a model that is a `NumberedRow`.

    `kind` is its elementType at the sequence service; `fields` are the columns that `add` fills.
    """

    def __init__(self, kind: str, model: Any, *fields: str) -> None:
        self.kind = kind
        table = model.__table__
        new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in (*fields, "created_at")}
        unnumbered = table.c.sequence_number.is_(None)
        this_row = table.c.id == bindparam("identifier")
        self._add = Statement(insert(table).values(new).returning(table.c.id))
        self._set_number = Statement(
            update(table)
            .where(this_row, unnumbered)
            .values(sequence_number=bindparam("number"))
            .returning(table.c.id)
        )
        self._delete = Statement(delete(table).where(this_row, unnumbered))
        self._delete_old = Statement(
            delete(table).where(unnumbered, table.c.created_at < bindparam("before"))
        )

    async def add(self, session: WriteSession, created_at: datetime, **fields: Any) -> int:
        """Store a row without a number and return its identifier."""
        new = {f"new_{name}": value for name, value in fields.items()}
        row = await session.one(self._add, new_created_at=created_at, **new)
        return int(row["id"])

    async def set_number(self, session: WriteSession, identifier: int, number: int) -> bool:
        """Set the number of a row without one; return whether there is such a row."""
        rows = await session.all(self._set_number, identifier=identifier, number=number)
        return bool(rows)

    async def delete_unnumbered(self, session: WriteSession, identifier: int) -> None:
        """Delete a row unless it has a number."""
        await session.all(self._delete, identifier=identifier)

    async def delete_old_unnumbered(self, session: WriteSession, before: datetime) -> None:
        """Delete the rows without a number that were created before that time."""
        await session.all(self._delete_old, before=before)
