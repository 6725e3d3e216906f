"""The database of a backend: URLs, engine, sessions, statements, migrations, pages."""

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
from bedplate.database.migrations import NAMING_CONVENTION, Migrations
from bedplate.database.sessions import AutocommitSession, Database, ReadSession, WriteSession
from bedplate.database.statements import AnyOf, Row, Statement
from bedplate.database.types import GUID, BigInt, UTCDateTime
from bedplate.database.urls import DatabaseURL, DatabaseURLError, parse_database_url

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
