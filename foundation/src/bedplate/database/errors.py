"""What a driver raises, in the words of problems.

asyncpg, aiosqlite and SQLAlchemy's pool report a lost database in a dozen classes; here they
become one 503. Constraint violations become errors that a repository can catch and rename.
"""

import sqlite3
from typing import Final

import asyncpg
from sqlalchemy import exc

from bedplate.problems import (
    Conflict,
    NotFound,
    ProblemError,
    ServiceUnavailable,
    UnprocessableContent,
)

_RETRY_AFTER_SECONDS = 2


class DatabaseUnavailable(ServiceUnavailable):
    """The database is away, too slow or out of connections."""

    code = "database_unavailable"


class UniqueViolation(Conflict):
    """There is already one; `constraint` names the rule (on SQLite: the columns)."""

    code = "already_exists"
    constraint: str = ""


class ForeignKeyViolation(NotFound):
    """What is referred to doesn't exist."""

    code = "reference_not_found"
    constraint: str = ""


class CheckViolation(UnprocessableContent):
    """A rule of the database refuses the value."""

    code = "rule_violated"
    constraint: str = ""


class DataRefused(UnprocessableContent):
    """The database can't store the value: out of range, or text that it doesn't take."""

    code = "value_refused"


Violation = UniqueViolation | ForeignKeyViolation | CheckViolation

_BY_STATE: Final[dict[str, type[Violation]]] = {
    "23505": UniqueViolation,
    "23P01": UniqueViolation,
    "23503": ForeignKeyViolation,
    "23514": CheckViolation,
    "23502": CheckViolation,
}
# SQLSTATE classes: connection, resources, intervention, rollback, lock not available.
_UNAVAILABLE_CLASSES = ("08", "53", "57", "58", "40", "XX")
_LOCK_NOT_AVAILABLE = "55P03"
_LOST = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError, EOFError)
_BY_SQLITE_CODE: Final[dict[str, type[Violation]]] = {
    "SQLITE_CONSTRAINT_UNIQUE": UniqueViolation,
    "SQLITE_CONSTRAINT_PRIMARYKEY": UniqueViolation,
    "SQLITE_CONSTRAINT_FOREIGNKEY": ForeignKeyViolation,
    "SQLITE_CONSTRAINT_CHECK": CheckViolation,
    "SQLITE_CONSTRAINT_NOTNULL": CheckViolation,
}


def translate(error: BaseException) -> ProblemError | None:
    """Return the problem that a driver's error means, or None when it is our own mistake."""
    if isinstance(error, exc.DBAPIError):
        return _translate_wrapped(error)
    if isinstance(error, asyncpg.PostgresError):
        return _translate_postgresql(error)
    if isinstance(error, sqlite3.Error):
        return _translate_sqlite(error)
    if isinstance(error, asyncpg.DataError | OverflowError | UnicodeEncodeError):
        return DataRefused("A value can't be stored.")
    if isinstance(error, exc.TimeoutError | exc.DisconnectionError | _LOST):
        return unavailable()
    return None


def unavailable() -> DatabaseUnavailable:
    """Return the 503 that says the database is away."""
    return DatabaseUnavailable(
        "The database doesn't answer just now; try again.", retry_after=_RETRY_AFTER_SECONDS
    )


def _translate_wrapped(error: exc.DBAPIError) -> ProblemError | None:
    if error.connection_invalidated:
        return unavailable()
    cause: BaseException | None = error.orig
    while cause is not None:
        if not isinstance(cause, exc.DBAPIError) and (problem := translate(cause)) is not None:
            return problem
        cause = cause.__cause__
    return None


def _translate_postgresql(error: asyncpg.PostgresError) -> ProblemError | None:
    state = error.sqlstate or ""
    if (kind := _BY_STATE.get(state)) is not None:
        return _violation(kind, getattr(error, "constraint_name", None) or "")
    if state.startswith("22"):
        return DataRefused("A value can't be stored.")
    if state.startswith(_UNAVAILABLE_CLASSES) or state == _LOCK_NOT_AVAILABLE:
        return unavailable()
    return None


def _translate_sqlite(error: sqlite3.Error) -> ProblemError | None:
    name = getattr(error, "sqlite_errorname", "")
    if (kind := _BY_SQLITE_CODE.get(name)) is not None:
        return _violation(kind, str(error).partition(": ")[2])
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_FULL")):
        return unavailable()
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_INTERRUPT")):
        return unavailable()
    if name.startswith(("SQLITE_TOOBIG", "SQLITE_MISMATCH")):
        return DataRefused("A value can't be stored.")
    return None


def _violation(kind: type[Violation], constraint: str) -> Violation:
    problem = kind()
    problem.constraint = constraint
    return problem
