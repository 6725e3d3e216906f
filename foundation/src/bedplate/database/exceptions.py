"""What a driver raises, in the words of problems.

asyncpg, aiosqlite and SQLAlchemy's pool report a lost database in a dozen classes; here they
become one 503. Constraint violations become errors that a repository can catch and rename.
"""

import sqlite3
from typing import Final

import asyncpg
import structlog
from sqlalchemy import exc

from bedplate.problems import (
    Conflict,
    NotFound,
    ProblemError,
    ServiceUnavailable,
    UnprocessableContent,
)

_log = structlog.get_logger("bedplate.database")


class DatabaseUnavailable(ServiceUnavailable):
    """The database is away, too slow or out of connections."""

    code = "database_unavailable"
    detail = "The database doesn't answer just now; try again."

    def __init__(self) -> None:
        super().__init__(retry_after=2)


class PoolerNotDeclared(DatabaseUnavailable):
    """A prepared statement is another's or is gone: a transaction pooler stands in between."""


class LockTimeout(DatabaseUnavailable):
    """Another transaction holds for too long what this one needs; the connection is well."""

    detail = "Another change is under way here; try again."


class Violation(ProblemError):
    """A constraint of the database is violated; `constraint` names it (on SQLite: the columns)."""

    def __init__(self, constraint: str = "") -> None:
        super().__init__()
        self.constraint = constraint


class UniqueViolation(Violation, Conflict):
    """There is already one."""

    code = "already_exists"


class ForeignKeyViolation(Violation, NotFound):
    """What is referred to doesn't exist."""

    code = "reference_not_found"


class CheckViolation(Violation, UnprocessableContent):
    """A rule of the database refuses the value."""

    code = "rule_violated"


class DataRefused(UnprocessableContent):
    """The database can't store the value: out of range, or text that it doesn't take."""

    code = "value_refused"
    detail = "A value can't be stored."


# By SQLSTATE, and by the names of SQLite's result codes.
_VIOLATIONS: Final[dict[str, type[Violation]]] = {
    "23505": UniqueViolation,
    "23P01": UniqueViolation,
    "23503": ForeignKeyViolation,
    "23514": CheckViolation,
    "23502": CheckViolation,
    "SQLITE_CONSTRAINT_UNIQUE": UniqueViolation,
    "SQLITE_CONSTRAINT_PRIMARYKEY": UniqueViolation,
    "SQLITE_CONSTRAINT_FOREIGNKEY": ForeignKeyViolation,
    "SQLITE_CONSTRAINT_CHECK": CheckViolation,
    "SQLITE_CONSTRAINT_NOTNULL": CheckViolation,
}
# SQLSTATE classes: connection, resources, intervention, system, rollback, internal; then a server
# that is a standby just now, and a transaction that idled or lasted for too long.
_UNAVAILABLE = ("08", "53", "57", "58", "40", "XX", "25006", "25P03", "25P04")
_LOCK_NOT_AVAILABLE = "55P03"
_FOREIGN_STATEMENT = ("42P05", "26000")  # duplicate, and invalid statement name
# A migration changed a table under a prepared statement: asyncpg has forgotten it by now.
_STALE = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
_LOST = (
    OSError,
    TimeoutError,
    EOFError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    exc.TimeoutError,
    exc.DisconnectionError,
)
_SQLITE_UNAVAILABLE = (
    "SQLITE_IOERR",
    "SQLITE_FULL",
    "SQLITE_CANTOPEN",
    "SQLITE_READONLY",
    "SQLITE_INTERRUPT",
    "SQLITE_PROTOCOL",
)
_CONNECTING = (
    asyncpg.PostgresError,
    sqlite3.Error,
    exc.SQLAlchemyError,
    exc.EmulatedDBAPIException,
)


def translate(error: BaseException, *, connecting: bool = False) -> ProblemError | None:
    """Return the problem that a driver's error means, or None when it is our own mistake.

    When `connecting`, a refused password or a database that doesn't exist is an outage too: it may
    be being set up, and the service must work again when it is there.
    """
    if connecting and isinstance(error, _CONNECTING):
        return DatabaseUnavailable()
    if isinstance(error, exc.DBAPIError):
        return _translate_wrapped(error)
    if isinstance(error, asyncpg.PostgresError):
        return _translate_postgresql(error)
    if isinstance(error, sqlite3.Error):
        return _translate_sqlite(error)
    if isinstance(error, OverflowError | UnicodeEncodeError):
        return DataRefused()
    return DatabaseUnavailable() if isinstance(error, _LOST) else None


def _translate_wrapped(error: exc.DBAPIError) -> ProblemError | None:
    if error.connection_invalidated:
        return DatabaseUnavailable()
    cause: BaseException | None = error.orig
    while cause is not None:
        if not isinstance(cause, exc.DBAPIError) and (problem := translate(cause)) is not None:
            return problem
        cause = cause.__cause__
    return None


def _translate_postgresql(error: asyncpg.PostgresError) -> ProblemError | None:
    state = error.sqlstate or ""
    if (kind := _VIOLATIONS.get(state)) is not None:
        # PostgreSQL 17 and older name the column of NOT NULL, newer ones a constraint.
        name = getattr(error, "constraint_name", None) or getattr(error, "column_name", None)
        return kind(name or "")
    if state.startswith("22"):
        return DataRefused()
    if state in _FOREIGN_STATEMENT:
        return PoolerNotDeclared()
    if state == _LOCK_NOT_AVAILABLE:
        return LockTimeout()
    if state.startswith(_UNAVAILABLE) or isinstance(error, _STALE):
        return DatabaseUnavailable()
    return None


def _translate_sqlite(error: sqlite3.Error) -> ProblemError | None:
    name = getattr(error, "sqlite_errorname", "")
    if (kind := _VIOLATIONS.get(name)) is not None:
        return kind(str(error).partition(": ")[2])
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LockTimeout()
    if name.startswith(_SQLITE_UNAVAILABLE):
        return DatabaseUnavailable()
    return DataRefused() if name.startswith(("SQLITE_TOOBIG", "SQLITE_MISMATCH")) else None


def is_harmless(error: BaseException) -> bool:
    """Return whether the error left the connection usable: only its statement was refused."""
    lost = isinstance(error, DatabaseUnavailable) and not isinstance(error, LockTimeout)
    return isinstance(error, Exception) and not lost


class _Translating:
    """Raises what a driver's error means; why the database can't be used is for the log alone.

    A class, since a generator would more than double what a statement costs in here.
    """

    __slots__ = ("_connecting",)

    def __init__(self, *, connecting: bool = False) -> None:
        self._connecting = connecting

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if not isinstance(error, Exception):
            return
        problem = translate(error, connecting=self._connecting)
        if isinstance(problem, DatabaseUnavailable):
            _log.warning(
                "database_unavailable",
                error=type(error).__name__,
                sqlstate=getattr(error, "sqlstate", None),
                **_HINT if isinstance(problem, PoolerNotDeclared) else {},
            )
        if problem is not None:
            raise problem from error


_HINT = {"hint": "behind a transaction pooler DATABASE_POOLER must be true"}
TRANSLATING = _Translating()
CONNECTING = _Translating(connecting=True)
