"""Identities that the database makes and never gives twice, on both databases."""

import re
from typing import Any

from sqlalchemy import Column, Connection, Identity, MetaData, Table, event, text
from sqlalchemy.orm import MappedColumn, mapped_column

from bedplate.database.types import BigInt

_DEFINITIONS = text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
_INDEXES = text(
    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = :t"
)
_FLAG = "sqlite_autoincrement"
_AUTOINCREMENT = "AUTOINCREMENT"
_COPY = "_alembic_tmp_"


def identity() -> MappedColumn[int]:
    """Return the column of a primary key that the database numbers.

    `id: Mapped[int] = identity()`

    A number never comes back, not even when its row is gone. A plain SQLite table would give the
    highest one again, and whoever still has the old row's id or ETag would read or delete another
    (https://sqlite.org/autoinc.html).
    """
    mapped: MappedColumn[int] = mapped_column(BigInt, Identity(), primary_key=True)
    event.listen(mapped.column, "after_parent_attach", _forbid_reuse, propagate=True)
    return mapped


def _forbid_reuse(_: Column[int], table: Any) -> None:
    if isinstance(table, Table):
        table.kwargs[_FLAG] = True


def forbid_reuse(operations: Any, table: str) -> None:
    """Rebuild a SQLite table, in a migration, so that its identities never come back.

    `operations` is `alembic.op`. Does nothing on PostgreSQL, whose identities never do. Raises
    ValueError for a table with a CHECK constraint, which Alembic can't copy.
    """
    connection = operations.get_bind()
    if connection.dialect.name != "sqlite":
        return
    definition = _definitions(connection)[table]
    if re.search(r"\bCHECK\s*\(", definition, re.IGNORECASE):
        raise ValueError(f"{table} has a CHECK constraint: rebuild it by hand.")
    indexes = connection.execute(_INDEXES, {"t": table}).all()
    with operations.batch_alter_table(table, recreate="always", table_kwargs={_FLAG: True}):
        pass
    # Alembic's copies of them have lost their order.
    for name, statement in indexes:
        operations.drop_index(name, table)
        operations.execute(statement)


@event.listens_for(Table, "before_create")
def _keep_identities(table: Table, connection: Connection, **_: object) -> None:
    """Let the copy that Alembic makes of a SQLite table keep what its original has.

    Alembic changes a table by copying it, and doesn't see that its identities never come back.
    """
    original = table.name.removeprefix(_COPY)
    if connection.dialect.name != "sqlite" or original == table.name:
        return
    if _AUTOINCREMENT in _definitions(connection).get(original, "").upper():
        table.kwargs[_FLAG] = True


def lost_identities(connection: Connection, metadata: MetaData) -> list[tuple[str, str]]:
    """Return `("add_autoincrement", table)` for each that must not give an identity twice but may.

    Alembic doesn't compare this.
    """
    if connection.dialect.name != "sqlite":
        return []
    definitions = _definitions(connection)
    return [
        ("add_autoincrement", table.name)
        for table in metadata.tables.values()
        if table.kwargs.get(_FLAG)
        and _AUTOINCREMENT not in definitions.get(table.name, _FLAG).upper()
    ]


def _definitions(connection: Connection) -> dict[str, str]:
    return dict(connection.execute(_DEFINITIONS).all())


def reusable_identities(metadata: MetaData) -> list[str]:
    """Return the tables whose identities SQLite may give again, since they aren't `identity()`."""
    return [
        table.name
        for table in metadata.tables.values()
        if table.autoincrement_column is not None and not table.kwargs.get(_FLAG)
    ]
