"""Column types that mean the same on PostgreSQL and on SQLite."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, String, Uuid
from sqlalchemy.types import TypeDecorator, TypeEngine

from bedplate.database.exceptions import DataRefused

# SQLAlchemy names the arguments of these methods.
# ruff: noqa: ARG002

MIN_INSTANT: Final = datetime.min.replace(tzinfo=UTC) + timedelta(microseconds=1)
MAX_INSTANT: Final = datetime.max.replace(tzinfo=UTC) - timedelta(microseconds=1)
"""asyncpg takes the instants beyond these two for PostgreSQL's infinities."""


BigInt = BigInteger().with_variant(Integer, "sqlite")
"""An integer of 64 bits. SQLite's is an INTEGER, since it numbers rows by itself only for that."""


class UTCDateTime(TypeDecorator[datetime]):
    """An instant: `timestamptz` on PostgreSQL, ISO text in UTC on SQLite; always timezone-aware.

    A naive `datetime` is a ValueError: drivers take it for local time. The first and the last
    instant that Python knows are `DataRefused`: asyncpg takes them for PostgreSQL's infinities.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a time zone is ambiguous.")
        instant = value.astimezone(UTC)
        if not MIN_INSTANT <= instant <= MAX_INSTANT:
            raise DataRefused
        return instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant, timezone-aware."""
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


class GUID(TypeDecorator[UUID]):
    """A UUID: `uuid` on PostgreSQL, its 36-character text on SQLite, as other programs write it."""

    impl = Uuid(as_uuid=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the dialect stores."""
        uuid = Uuid(as_uuid=True) if dialect.name == "postgresql" else String(36)
        return dialect.type_descriptor(uuid)

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> UUID | str | None:
        """Return the UUID as the dialect stores it."""
        return value if value is None or dialect.name == "postgresql" else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        """Return the UUID."""
        return value if value is None or dialect.name == "postgresql" else UUID(value)
