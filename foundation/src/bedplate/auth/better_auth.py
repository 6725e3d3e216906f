from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fastapi.requests import HTTPConnection
from pydantic import SecretStr
from sqlalchemy import Column, DateTime, MetaData, Table, Text, bindparam, cast, select

from bedplate.auth.credentials import bearer_token, cookie, cookie_names, percent_decoded
from bedplate.auth.guard import SESSION_COOKIE_NAME
from bedplate.auth.principal import Principal
from bedplate.auth.refusals import Refused, verified
from bedplate.auth.signatures import verified_token
from bedplate.auth.tables import IsInFuture, check_tables
from bedplate.database import Database, Statement

Bearer = Literal["raw", "signed", "off"]
_NOBODYS_TOKEN = "-"  # noqa: S105 - no session has it


@dataclass(frozen=True, kw_only=True)
class BetterAuthTables:
    """The tables and columns of better-auth, whose adapters (Kysely, Drizzle, Prisma) differ.

    Times may have a time zone or be naive UTC, as Drizzle and Prisma store them.
    """

    session: str = "session"
    user: str = "user"
    token: str = "token"  # noqa: S105 - a column
    user_id: str = "userId"
    expires_at: str = "expiresAt"

    def statement(self) -> Statement:
        """Return the query for a session and its user by `token`: is it `live`, is there a user."""
        metadata = MetaData()
        columns = (
            Column(self.token, Text),
            Column(self.user_id, Text),
            Column(self.expires_at, DateTime),
        )
        session = Table(self.session, metadata, *columns)
        user = Table(self.user, metadata, Column("id", Text))
        return Statement(
            select(
                cast(user.c.id, Text).label("user_id"),
                IsInFuture(session.c[self.expires_at]).label("live"),
            )
            .select_from(session)
            .outerjoin(user, session.c[self.user_id] == user.c.id)
            .where(session.c[self.token] == bindparam("token"))
        )


class BetterAuthSessions:
    """Authenticates the user of a better-auth session: a bearer token, or the signed cookie.

    `cookie` is its name without better-auth's prefix `__Secure-`. `secure_cookies` says whether it
    has that prefix, as it has on a server with an https address; None accepts both, which is for
    development: a page that isn't https can set the plain one. A `cookie` that begins with
    `__Secure-` or `__Host-` is the whole name. `bearer` says which bearer tokens count: "raw" and
    signed ones, as better-auth's `bearer()` plugin takes them, only "signed" ones, as with its
    `requireSignature`, or none ("off"), as without the plugin. `remedies` says, by the field of
    `BetterAuthTables`, what to set where a table or column isn't there.
    """

    def __init__(
        self,
        database: Database,
        secret: SecretStr,
        *,
        tables: BetterAuthTables | None = None,
        cookie: str = SESSION_COOKIE_NAME,
        secure_cookies: bool | None = None,
        bearer: Bearer = "raw",
        remedies: Mapping[str, str] | None = None,
    ) -> None:
        self._database = database
        self._secret = secret
        self._tables = tables or BetterAuthTables()
        self._statement = self._tables.statement()
        self._bearer = bearer
        self._remedies = remedies or {}
        self.cookies = cookie_names(cookie, secure=secure_cookies)
        """The names of the cookie that are accepted, the first one first."""

    async def verify(self, connection: HTTPConnection) -> Principal | None:
        """Return the user of the session, or None. Raises `DatabaseUnavailable`."""
        return await verified(self._prove, connection)

    async def _prove(self, connection: HTTPConnection) -> Principal:
        token = self._token(connection)
        # PostgreSQL can't store NUL, so no session has one.
        if b"\0" in token:
            raise Refused("malformed_token")
        text = token.decode("ascii", "replace")
        row = await self._database.read().one_or_none(self._statement, token=text)
        if row is None:
            raise Refused("unknown_session")
        if row["user_id"] is None:
            raise Refused("user_gone")
        if not row["live"]:
            raise Refused("session_expired")
        return Principal("user", row["user_id"])

    async def check(self) -> None:
        """Prove that the query works. Raises `VerifierUnusable`, `DatabaseUnavailable`."""
        tables = self._tables
        session = {
            "": self._remedy("session"),
            tables.token: self._remedy("token"),
            tables.user_id: self._remedy("user_id"),
            tables.expires_at: self._remedy("expires_at"),
        }
        user = {"": self._remedy("user"), "id": self._remedy("user")}
        names: dict[str, Any] = {tables.session: session, tables.user: user}
        await check_tables(self._database, self._statement, names, token=_NOBODYS_TOKEN)

    def _remedy(self, field: str) -> str:
        return self._remedies.get(field, f"name it in BetterAuthTables({field}=…)")

    def _token(self, connection: HTTPConnection) -> bytes:
        reason = "no_credentials"
        bearer = None if self._bearer == "off" else bearer_token(connection)
        if bearer is not None:
            if b"." not in bearer and self._bearer == "raw":
                return bearer
            if token := verified_token(self._secret, percent_decoded(bearer), required=True):
                return token
            reason = "bad_signature" if b"." in bearer else "unsigned_token"
        # As for better-auth, a bearer token that isn't valid leaves the decision to the cookie.
        value = cookie(connection, *self.cookies)
        if value is None:
            raise Refused(reason, expected=" or ".join(self.cookies))
        if token := verified_token(self._secret, value, required=True):
            return token
        raise Refused("bad_signature" if b"." in value else "unsigned_token")
