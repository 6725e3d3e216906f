"""better-auth's own sessions, read from its own tables."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from fastapi.requests import HTTPConnection
from pydantic import SecretStr
from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    MetaData,
    Table,
    Text,
    bindparam,
    cast,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from bedplate.auth.credentials import bearer_token, cookie
from bedplate.auth.principal import Principal
from bedplate.auth.signatures import verified_token
from bedplate.database import Database, Statement

Timestamps = Literal["timestamptz", "timestamp"]


@dataclass(frozen=True, kw_only=True)
class BetterAuthTables:
    """The names that the auth server's adapter gave: Kysely, Drizzle and Prisma differ.

    `timestamps` is "timestamp" where the columns hold naive UTC, as Drizzle and Prisma make them.
    """

    session: str = "session"
    user: str = "user"
    token: str = "token"  # noqa: S105 - a column
    user_id: str = "userId"
    expires_at: str = "expiresAt"
    timestamps: Timestamps = "timestamptz"

    def statement(self) -> Statement:
        """Return the query for a session that holds and whose user exists, by `token`."""
        metadata = MetaData()
        session = Table(
            self.session,
            metadata,
            Column(self.token, Text),
            Column(self.user_id, Text),
            Column(self.expires_at, DateTime(timezone=self.timestamps == "timestamptz")),
        )
        user = Table(self.user, metadata, Column("id", Text))
        return Statement(
            select(cast(user.c.id, Text).label("user_id"))
            .join(session, session.c[self.user_id] == user.c.id)
            .where(
                session.c[self.token] == bindparam("token"),
                session.c[self.expires_at] > better_auth_now(self.timestamps),
            )
        )


class better_auth_now(ColumnElement[datetime]):  # noqa: N801 - reads as SQL in a statement
    """The database's clock in the kind that the auth server stores."""

    inherit_cache = False
    type = DateTime(timezone=True)

    def __init__(self, timestamps: Timestamps) -> None:
        self.timestamps = timestamps


@compiles(better_auth_now, "postgresql")
def _now_postgresql(element: better_auth_now, _: SQLCompiler, **__: object) -> str:
    return "now()" if element.timestamps == "timestamptz" else "timezone('UTC', now())"


@compiles(better_auth_now, "sqlite")
def _now_sqlite(_: better_auth_now, __: SQLCompiler, **___: object) -> str:
    return "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"


class BetterAuthSessions:
    """Proves the user of one of better-auth's sessions.

    Takes the bearer token, raw or signed, and the session cookie, which must be signed: under its
    plain name and under the `__Secure-` one that it bears behind https.
    """

    def __init__(
        self,
        database: Database,
        secret: SecretStr,
        *,
        tables: BetterAuthTables | None = None,
        cookie_prefix: str = "better-auth",
    ) -> None:
        self._database = database
        self._secret = secret
        self._statement = (tables or BetterAuthTables()).statement()
        name = f"{cookie_prefix}.session_token"
        self._cookies = (f"__Secure-{name}", name)

    async def verify(self, connection: HTTPConnection) -> Principal | None:
        """Return the user of the session, or None. Raises `DatabaseUnavailable`."""
        token = self._token(connection)
        text = token.decode("ascii", "replace") if token is not None else None
        # PostgreSQL stores no NUL, so no session has one.
        if text is None or "\0" in text:
            return None
        row = await self._database.read().one_or_none(self._statement, token=text)
        return None if row is None else Principal("user", row["user_id"])

    def _token(self, connection: HTTPConnection) -> bytes | None:
        sent = bearer_token(connection)
        if sent is not None and (token := verified_token(self._secret, sent, required=False)):
            return token
        sent = cookie(connection, *self._cookies)
        return None if sent is None else verified_token(self._secret, sent, required=True)
