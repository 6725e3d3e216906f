from dataclasses import dataclass
from typing import Literal

from fastapi.requests import HTTPConnection
from pydantic import SecretStr
from sqlalchemy import Column, DateTime, MetaData, Table, Text, bindparam, cast, select

from bedplate.auth.credentials import bearer_token, cookie, percent_decoded
from bedplate.auth.principal import Principal
from bedplate.auth.signatures import verified_token
from bedplate.auth.tables import IsInFuture
from bedplate.database import Database, Statement

Timestamps = Literal["timestamptz", "timestamp"]


@dataclass(frozen=True, kw_only=True)
class BetterAuthTables:
    """The tables and columns of better-auth, whose adapters (Kysely, Drizzle, Prisma) differ.

    `timestamps` is "timestamp" for columns with naive UTC, as Drizzle and Prisma make them.
    """

    session: str = "session"
    user: str = "user"
    token: str = "token"  # noqa: S105 - a column
    user_id: str = "userId"
    expires_at: str = "expiresAt"
    timestamps: Timestamps = "timestamptz"

    def statement(self) -> Statement:
        """Return the query for the user of a valid session, by `token`."""
        metadata = MetaData()
        naive = self.timestamps == "timestamp"
        expires_at = Column(self.expires_at, DateTime(timezone=not naive))
        columns = Column(self.token, Text), Column(self.user_id, Text), expires_at
        session = Table(self.session, metadata, *columns)
        user = Table(self.user, metadata, Column("id", Text))
        return Statement(
            select(cast(user.c.id, Text).label("user_id"))
            .join(session, session.c[self.user_id] == user.c.id)
            .where(
                session.c[self.token] == bindparam("token"),
                IsInFuture(session.c[self.expires_at], naive=naive),
            )
        )


class BetterAuthSessions:
    """Authenticates the user of a better-auth session: a bearer token, or the signed cookie."""

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
        # PostgreSQL can't store NUL, so no session has one.
        if token is None or b"\0" in token:
            return None
        text = token.decode("ascii", "replace")
        row = await self._database.read().one_or_none(self._statement, token=text)
        return None if row is None else Principal("user", row["user_id"])

    def _token(self, connection: HTTPConnection) -> bytes | None:
        bearer = bearer_token(connection)
        if bearer is not None:
            sent = percent_decoded(bearer) if b"." in bearer else bearer
            if token := verified_token(self._secret, sent, required=False):
                return token
        value = cookie(connection, *self._cookies)
        return None if value is None else verified_token(self._secret, value, required=True)
