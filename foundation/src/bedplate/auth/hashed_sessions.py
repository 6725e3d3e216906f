import hashlib
import hmac

from fastapi.requests import HTTPConnection
from pydantic import SecretStr
from sqlalchemy import bindparam, false, select

from bedplate.auth.credentials import bearer_token, percent_decoded
from bedplate.auth.principal import Principal
from bedplate.auth.signatures import secret_bytes, split_signature
from bedplate.auth.tables import IsInFuture, user_sessions, users
from bedplate.database import Database, Statement

# The join refuses a session whose user no longer exists.
_SESSION = Statement(
    select(users.c.id)
    .join(user_sessions, user_sessions.c.user_id == users.c.id)
    .where(
        user_sessions.c.token_hash == bindparam("token_hash"),
        IsInFuture(user_sessions.c.expires_at),
        user_sessions.c.revoked == false(),
    )
)


def hash_token(secret: SecretStr, token: bytes) -> str:
    """Return a token's HMAC-SHA256 in hex, as the auth server (Node's `createHmac`) stores it."""
    return hmac.new(secret_bytes(secret), token, hashlib.sha256).hexdigest()


class HashedSessions:
    """Authenticates the user of an opaque token in `user_sessions`, by its HMAC-SHA256 hash.

    A session is valid when it exists, isn't revoked or expired by the database's clock, and its
    user exists.
    """

    def __init__(self, database: Database, secret: SecretStr) -> None:
        self._database = database
        self._secret = secret

    async def verify(self, connection: HTTPConnection) -> Principal | None:
        """Return the user of the bearer token, or None. Raises `DatabaseUnavailable`."""
        token = bearer_token(connection)
        if token is None:
            return None
        token_hash = hash_token(self._secret, split_signature(percent_decoded(token))[0])
        row = await self._database.read().one_or_none(_SESSION, token_hash=token_hash)
        return None if row is None else Principal("user", str(row["id"]))
