"""Bulk inserts: any number of rows in one statement and one round trip."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Table, bindparam, column, func, insert, select
from sqlalchemy.sql.dml import Insert

from bedplate.database.statements import ArrayParameter, Row, Statement


class BulkInsert:
    """The INSERT of many rows into a table, for `WriteSession.insert`.

    ADD = BulkInsert(Item.__table__, ["order_id", "sku", "quantity"])

    `columns` are the keys that each row has. What Python would compute for another column doesn't
    apply; what the database computes does.
    """

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        self.columns = list(columns)
        self.from_arrays = Statement(_from_arrays(table, self.columns))
        """One statement for all rows, where the driver has arrays: PostgreSQL."""
        self.of_one_row = Statement(
            insert(table).values({table.c[name]: bindparam(f"new_{name}") for name in self.columns})
        )
        """The statement that a driver runs for each row by itself: SQLite."""

    def arrays(self, rows: Iterable[Row]) -> dict[str, list[Any]]:
        """Return the parameters of `from_arrays`: a list for each column."""
        given = list(rows)
        return {f"new_{name}": [row[name] for row in given] for name in self.columns}

    def parameters(self, row: Row) -> Row:
        """Return the parameters of `of_one_row`."""
        return {f"new_{name}": row[name] for name in self.columns}


def _from_arrays(table: Table, names: Sequence[str]) -> Insert:
    arrays = [
        bindparam(f"new_{name}", required=True, type_=ArrayParameter(table.c[name].type))
        for name in names
    ]
    rows = (
        func.unnest(*arrays)
        .table_valued(*(column(name, table.c[name].type) for name in names))
        .render_derived(name="added")
    )
    return insert(table).from_select(list(names), select(*rows.c), include_defaults=False)
