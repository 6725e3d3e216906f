"""The database of a backend: URLs, engine, sessions, statements, migrations, pages."""

from typing import TYPE_CHECKING, Any

try:
    import sqlalchemy as _sqlalchemy  # noqa: F401 - asked for the sake of the message
except ImportError as error:  # pragma: no cover - the workspace has the extra
    raise ImportError(
        "bedplate.database needs SQLAlchemy: pip install 'bedplate[database]'"
    ) from error

from bedplate.database.exceptions import (
    CheckViolation,
    DatabaseUnavailable,
    DataRefused,
    ForeignKeyViolation,
    LockTimeout,
    UniqueViolation,
)
from bedplate.database.identities import forbid_reuse, identity
from bedplate.database.naming import NAMING_CONVENTION
from bedplate.database.sessions import AutocommitSession, Database, ReadSession, WriteSession
from bedplate.database.statements import AnyOf, Row, Statement
from bedplate.database.types import GUID, BigInt, UTCDateTime
from bedplate.database.urls import DatabaseURL, DatabaseURLError, parse_database_url

if TYPE_CHECKING:
    from bedplate.database.migrations import Migrations

__all__ = [
    "GUID",
    "NAMING_CONVENTION",
    "AnyOf",
    "AutocommitSession",
    "BigInt",
    "CheckViolation",
    "DataRefused",
    "Database",
    "DatabaseURL",
    "DatabaseURLError",
    "DatabaseUnavailable",
    "ForeignKeyViolation",
    "LockTimeout",
    "Migrations",
    "ReadSession",
    "Row",
    "Statement",
    "UTCDateTime",
    "UniqueViolation",
    "WriteSession",
    "forbid_reuse",
    "identity",
    "parse_database_url",
]


def __getattr__(name: str) -> Any:
    """Import `Migrations` when it is used: it imports Alembic, which most starts don't need."""
    if name == "Migrations":
        from bedplate.database.migrations import Migrations  # noqa: PLC0415

        return Migrations
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
