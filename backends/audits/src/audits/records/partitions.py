"""The statements of the tables' owner: events are removed by their partitions, or by rows."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, text

_GUARD = "audit_no_change"
_SQLITE_GUARD = """
CREATE TRIGGER audit_no_DELETE BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'The table audit is never changed.'); END
"""


def remove(connection: Connection, minimums: Mapping[str, int], before: datetime) -> list[str]:
    """Remove the events of each tenant before its minimum; return the partitions that went.

    A partition that ends at or before a time goes as a whole. The few events in it that are kept,
    since they share a bundle with later ones, move to `audit_other`.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(text("DROP TRIGGER audit_no_DELETE"))
        _delete(connection, minimums, "audit")
        connection.execute(text(_SQLITE_GUARD))
        return []
    gone = []
    for partition in _ended(connection, before):
        _drop(connection, partition, minimums)
        gone.append(partition)
    connection.execute(text(f"ALTER TABLE audit DISABLE TRIGGER {_GUARD}"))
    _delete(connection, minimums, "audit_other")
    connection.execute(text(f"ALTER TABLE audit ENABLE TRIGGER {_GUARD}"))
    return gone


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


def _delete(connection: Connection, minimums: Mapping[str, int], table: str) -> None:
    for tenant, minimum in minimums.items():
        connection.execute(
            text(f"DELETE FROM {table} WHERE tenant = :tenant AND seq < :minimum"),  # noqa: S608
            {"tenant": tenant, "minimum": minimum},
        )


def _parameters(minimums: Mapping[str, int]) -> dict[str, str | int]:
    parameters: dict[str, str | int] = {}
    for number, (tenant, minimum) in enumerate(minimums.items()):
        parameters |= {f"tenant{number}": tenant, f"minimum{number}": minimum}
    return parameters
