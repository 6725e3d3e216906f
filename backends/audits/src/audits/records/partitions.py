"""The statements of the tables' owner: events are removed by their partitions, or by rows."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, text

_SQLITE_GUARD = """
CREATE TRIGGER {table}_no_DELETE BEFORE DELETE ON {table}
BEGIN SELECT RAISE(ABORT, 'The table {table} is never changed.'); END
"""


def remove(
    connection: Connection, minimums: Mapping[str, int], before: datetime
) -> tuple[list[str], int]:
    """Remove each tenant's events before its minimum, and their keys.

    Returns the partitions that went, and how many rows went by themselves.

    A partition that ends at or before a time goes as a whole. The few events in it that are kept,
    since they share a bundle with later ones, move to `audit_other`.
    """
    rows = 0
    if connection.dialect.name == "sqlite":
        for table, column in (("audit", "seq"), ("audit_key", "first_seq")):
            connection.execute(text(f"DROP TRIGGER {table}_no_DELETE"))
            rows += _delete(connection, minimums, table, column)
            connection.execute(text(_SQLITE_GUARD.format(table=table)))
        return [], rows
    gone = []
    for partition in _ended(connection, before):
        _drop(connection, partition, minimums)
        gone.append(partition)
    for table, part, column in (
        ("audit", "audit_other", "seq"),
        ("audit_key", "audit_key", "first_seq"),
    ):
        guard = f"TRIGGER {table}_no_change"
        connection.execute(text(f"ALTER TABLE {table} DISABLE {guard}"))
        rows += _delete(connection, minimums, part, column)
        connection.execute(text(f"ALTER TABLE {table} ENABLE {guard}"))
    return gone, rows


def _ended(connection: Connection, before: datetime) -> list[str]:
    """Return the partitions of months that ended at or before a time."""
    found = connection.execute(
        text(
            "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
            "WHERE inhparent = 'audit'::regclass AND relname ~ '^audit_[0-9]{4}_[0-9]{2}$' "
            "ORDER BY relname"
        )
    )
    months = [name for (name,) in found]
    return [name for name in months if name < f"audit_{before:%Y_%m}"]


def _drop(connection: Connection, partition: str, minimums: Mapping[str, int]) -> None:
    kept = " OR ".join(
        f"(tenant = :tenant{number} AND seq >= :minimum{number})" for number in range(len(minimums))
    )
    parameters = _parameters(minimums)
    connection.execute(
        text(
            f"CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT * FROM {partition} "  # noqa: S608
            f"WHERE {kept or 'false'}"
        ),
        parameters,
    )
    connection.execute(text(f"DROP TABLE {partition}"))
    connection.execute(text("INSERT INTO audit SELECT * FROM kept"))
    connection.execute(text("DROP TABLE kept"))


def _delete(connection: Connection, minimums: Mapping[str, int], table: str, column: str) -> int:
    rows = 0
    for tenant, minimum in minimums.items():
        rows += connection.execute(
            text(f"DELETE FROM {table} WHERE tenant = :tenant AND {column} < :minimum"),  # noqa: S608
            {"tenant": tenant, "minimum": minimum},
        ).rowcount
    return rows


def _parameters(minimums: Mapping[str, int]) -> dict[str, str | int]:
    parameters: dict[str, str | int] = {}
    for number, (tenant, minimum) in enumerate(minimums.items()):
        parameters |= {f"tenant{number}": tenant, f"minimum{number}": minimum}
    return parameters
