import hmac
from collections.abc import Mapping

from fastapi.requests import HTTPConnection
from pydantic import SecretStr
from sqlalchemy import Text, bindparam, cast, select

from bedplate.auth.credentials import bearer_token, percent_decoded
from bedplate.auth.principal import Principal
from bedplate.auth.refusals import Refused, verified
from bedplate.auth.signatures import secret_bytes, split_signature
from bedplate.auth.tables import IsInFuture, check_tables, user_sessions, users
from bedplate.database import Database, Statement

# A session whose user no longer exists proves nobody. Ids may be UUIDs or text.
_SESSION = Statement(
    select(
        cast(users.c.id, Text).label("user_id"),
        IsInFuture(user_sessions.c.expires_at).label("live"),
        user_sessions.c.revoked,
    )
    .select_from(user_sessions)
    .outerjoin(users, user_sessions.c.user_id == users.c.id)
    .where(user_sessions.c.token_hash == bindparam("token_hash"))
)
_NO_MIRROR = "the auth server's mirror of sessions makes it (docs/better-auth.md): start that first"
_NAMES = {
    "user_sessions": dict.fromkeys(
        ("", "token_hash", "user_id", "expires_at", "revoked"), _NO_MIRROR
    ),
    "users": dict.fromkeys(
        ("", "id"), "set user.modelName to 'users' in the auth server (docs/better-auth.md)"
    ),
}


def hash_token(secret: SecretStr, token: bytes) -> str:
    """Return a token's HMAC-SHA256 in hex, as the auth server (Node's `createHmac`) stores it."""
    return hmac.digest(secret_bytes(secret), token, "sha256").hex()


class HashedSessions:
    """Authenticates the user of an opaque token in `user_sessions`, by its HMAC-SHA256 hash.

    A session is valid when it exists, isn't revoked or expired by the database's clock, and its
    user exists. `remedies` says, by table, what to do where it isn't there.
    """

    def __init__(
        self, database: Database, secret: SecretStr, *, remedies: Mapping[str, str] | None = None
    ) -> None:
        self._database = database
        self._secret = secret
        self._remedies = remedies or {}

    async def verify(self, connection: HTTPConnection) -> Principal | None:
        """Return the user of the bearer token, or None. Raises `DatabaseUnavailable`."""
        return await verified(self._prove, connection)

    async def _prove(self, connection: HTTPConnection) -> Principal:
        token = bearer_token(connection)
        if token is None:
            raise Refused("no_credentials")
        token_hash = hash_token(self._secret, split_signature(percent_decoded(token))[0])
        row = await self._database.read().one_or_none(_SESSION, token_hash=token_hash)
        if row is None:
            raise Refused("unknown_session")
        if row["user_id"] is None:
            raise Refused("user_gone")
        if row["revoked"]:
            raise Refused("session_revoked")
        if not row["live"]:
            raise Refused("session_expired")
        return Principal("user", row["user_id"])

    async def check(self) -> None:
        """Prove that the query works. Raises `VerifierUnusable`, `DatabaseUnavailable`."""
        names = {
            table: {**of, "": self._remedies.get(table, of[""])} for table, of in _NAMES.items()
        }
        await check_tables(self._database, _SESSION, names, token_hash="-")  # noqa: S106 - nobody's
