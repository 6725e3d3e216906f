"""Bulk inserts: any number of rows in one round trip, and what becomes of rows that exist."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import LargeBinary, Select, Table, bindparam, column, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert, ReturningInsert

from bedplate.database.json_rows import select_rows, stored_type
from bedplate.database.statements import ArrayParameter, Row, Statement

_PLACE = "place_in_batch"
_ROWS = "rows"


class BulkInsert:
    """The INSERT of many rows, for `WriteSession.insert`.

    ADD = BulkInsert(Item)
    COUNT = BulkInsert(Tally, conflict=["day", "sku"], add=["sold"], returning=["sku", "sold"])
    """

    def __init__(
        self,
        into: type[Any] | Table,
        columns: Sequence[str] = (),
        *,
        conflict: Sequence[str] = (),
        add: Sequence[str] = (),
        replace: Sequence[str] = (),
        returning: Sequence[str] = (),
    ) -> None:
        """Prepare to insert into a mapped class's table, or a table.

        `columns` are the keys that each row has, those of all columns by default. What Python would
        compute for another column doesn't apply; what the database computes does.

        `conflict` are the columns of a unique constraint or index. A row that exists there already
        is skipped, unless `add` or `replace` say what it takes from the new one: `add` adds the
        value to what is stored, `replace` stores it instead. Without `conflict` it is a
        `UniqueViolation`. `returning` are the columns of the rows that `WriteSession.insert`
        returns: those that were inserted or updated, not those that were skipped.

        Raises ValueError for columns that contradict each other, and TypeError for bytes where
        `conflict` or `returning` is given: SQLite can't take them in one statement.
        """
        table: Table = into if isinstance(into, Table) else into.__table__
        self.columns = list(columns) or [column.key for column in table.c]
        self._updates = bool(add or replace)
        self._conflict = list(conflict)
        _check_columns(self.columns, conflict, add, replace)
        self.plain = not conflict and not returning
        """Whether it only inserts: nothing is skipped, updated or returned."""

        def resolved(statement: postgresql.Insert | sqlite.Insert, rows: Select[Any]) -> Statement:
            statement = statement.from_select(self.columns, rows, include_defaults=False)
            if conflict:
                statement = _on_conflict(statement, table, conflict, add, replace)
            return Statement(_with_returning(statement, table, returning))

        self.from_arrays = resolved(
            postgresql.insert(table), _select_arrays(table, self.columns, conflict)
        )
        """One statement for all rows, where the driver has arrays: PostgreSQL."""
        if self.plain:
            values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in self.columns}
            self.on_sqlite = Statement(insert(table).values(values))
        else:
            _refuse_bytes(table, self.columns)
            types = [table.c[name].type for name in self.columns]
            self.on_sqlite = resolved(sqlite.insert(table), select_rows(_ROWS, types))
        """On SQLite: run for each row by itself when `plain`, and else once, with `json`."""

    def arrays(self, rows: Sequence[Row]) -> dict[str, list[Any]]:
        """Return the parameters of `from_arrays`: a list for each column."""
        self._refuse_duplicates(rows)
        return {f"new_{name}": [row[name] for row in rows] for name in self.columns}

    def json(self, rows: Sequence[Row]) -> dict[str, list[list[Any]]]:
        """Return the parameter of `on_sqlite` for all rows."""
        self._refuse_duplicates(rows)
        return {_ROWS: [[row[name] for name in self.columns] for row in rows]}

    def parameters(self, row: Row) -> Row:
        """Return the parameters of `on_sqlite` for one row, when the insert is `plain`."""
        return {f"new_{name}": row[name] for name in self.columns}

    def _refuse_duplicates(self, rows: Iterable[Row]) -> None:
        """Refuse what PostgreSQL refuses: it updates a row once in a statement."""
        if not self._updates:
            return
        keys = [key for row in rows if None not in (key := [row[name] for name in self._conflict])]
        if len({tuple(key) for key in keys}) < len(keys):
            names = ", ".join(self._conflict)
            raise ValueError(f"Two rows of one insert have the same {names}: merge them before.")


def _check_columns(
    columns: Sequence[str], conflict: Sequence[str], add: Sequence[str], replace: Sequence[str]
) -> None:
    if (add or replace) and not conflict:
        raise ValueError("`add` and `replace` need `conflict`: the columns that are unique.")
    if missing := {*conflict, *add, *replace} - set(columns):
        raise ValueError(f"These are not among the columns of each row: {sorted(missing)}.")
    if twice := (set(add) & set(replace)) | (set(conflict) & {*add, *replace}):
        raise ValueError(f"A column has one part: {sorted(twice)}.")


def _refuse_bytes(table: Table, names: Sequence[str]) -> None:
    kinds = {name: stored_type(table.c[name].type) for name in names}
    if binary := [name for name, kind in kinds.items() if isinstance(kind, LargeBinary)]:
        raise TypeError(
            f"{table.name}: bytes ({', '.join(binary)}) can't go with `conflict` or `returning`,"
            " since SQLite takes such rows as JSON."
        )


def _select_arrays(table: Table, names: Sequence[str], conflict: Sequence[str]) -> Select[Any]:
    arrays = [
        bindparam(f"new_{name}", required=True, type_=ArrayParameter(table.c[name].type))
        for name in names
    ]
    columns = [column(name, table.c[name].type) for name in names]
    unnested = func.unnest(*arrays)
    if not conflict:
        return select(*unnested.table_valued(*columns).render_derived(name="added").c)
    rows = unnested.table_valued(*columns, with_ordinality=_PLACE).render_derived(name="added")
    # Transactions that meet at several rows take these in one order, so they don't deadlock.
    order = [*(rows.c[name] for name in conflict), rows.c[_PLACE]]
    return select(*(rows.c[name] for name in names)).order_by(*order)


def _on_conflict(
    statement: postgresql.Insert | sqlite.Insert,
    table: Table,
    conflict: Sequence[str],
    add: Sequence[str],
    replace: Sequence[str],
) -> postgresql.Insert | sqlite.Insert:
    unique = [table.c[name] for name in conflict]
    if not add and not replace:
        return statement.on_conflict_do_nothing(index_elements=unique)
    new = statement.excluded
    changes = {name: table.c[name] + new[name] for name in add}
    changes |= {name: new[name] for name in replace}
    return statement.on_conflict_do_update(index_elements=unique, set_=changes)


def _with_returning(
    statement: Insert, table: Table, names: Sequence[str]
) -> Insert | ReturningInsert[Any]:
    return statement.returning(*(table.c[name] for name in names)) if names else statement
