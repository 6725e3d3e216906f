"""Opaque tokens in the auth server's own tables, on both databases."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from fastapi.requests import HTTPConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import insert, update

from bedplate.auth import Principal
from bedplate.auth.hashed_sessions import HashedSessions, hash_token
from bedplate.auth.signatures import sign
from bedplate.auth.tables import user_sessions, users
from bedplate.database import Database, DatabaseUnavailable
from bedplate.settings import DatabaseSettings

SECRET = SecretStr("session-hash-secret-of-32-bytes!")
TOKEN = b"abcdefghijklmnopqrstuvwxyz012345"


def _bearer(token: bytes) -> HTTPConnection:
    return HTTPConnection({"type": "http", "headers": [(b"authorization", b"Bearer " + token)]})


async def _session(
    database: Database, *, expires_in: float = 60, revoked: bool = False, user: bool = True
) -> UUID:
    user_id, now = uuid4(), datetime.now(UTC)
    async with database.engine.begin() as connection:
        if user:
            await connection.execute(insert(users).values(id=user_id, email=f"{user_id}@x.test"))
        await connection.execute(
            insert(user_sessions).values(
                id=uuid4(),
                user_id=user_id,
                token_hash=hash_token(SECRET, TOKEN),
                expires_at=now + timedelta(seconds=expires_in),
                revoked=revoked,
                created_at=now,
            )
        )
    return user_id


def test_the_hash_is_the_one_that_node_makes() -> None:
    """Printed by Node 22: `createHmac("sha256", secret).update(token).digest("hex")`."""
    printed = "1a12e9d8512e2458160239194071cdc92eaf8d13104886295601e3922827c199"
    assert hash_token(SECRET, TOKEN) == printed


async def test_the_user_of_a_session_is_proven(database: Database) -> None:
    """By the raw token, and by the one that better-auth signed."""
    user_id = await _session(database)
    sessions = HashedSessions(database, SECRET)
    expected = Principal("user", str(user_id))
    assert await sessions.verify(_bearer(TOKEN)) == expected
    assert await sessions.verify(_bearer(sign(SecretStr("theirs"), TOKEN))) == expected
    encoded = sign(SecretStr("theirs"), TOKEN).replace(b"=", b"%3D").replace(b"+", b"%2B")
    assert await sessions.verify(_bearer(encoded)) == expected


@pytest.mark.parametrize(
    "wrong", [{"expires_in": -1}, {"revoked": True}, {"user": False}, {"expires_in": -86_400}]
)
async def test_a_session_that_does_not_hold_proves_nobody(
    database: Database, wrong: dict[str, float]
) -> None:
    """Expired, revoked, or of a user who is gone."""
    await _session(database, **wrong)  # type: ignore[arg-type]
    assert await HashedSessions(database, SECRET).verify(_bearer(TOKEN)) is None


async def test_a_revocation_counts_at_once(database: Database) -> None:
    """Nothing is remembered from the last request."""
    await _session(database)
    sessions = HashedSessions(database, SECRET)
    assert await sessions.verify(_bearer(TOKEN)) is not None
    async with database.engine.begin() as connection:
        await connection.execute(update(user_sessions).values(revoked=True))
    assert await sessions.verify(_bearer(TOKEN)) is None


async def test_another_secret_or_token_proves_nobody(database: Database) -> None:
    """Nor the stored hash itself, which somebody may have read."""
    await _session(database)
    sessions = HashedSessions(database, SECRET)
    assert await HashedSessions(database, SecretStr("x" * 32)).verify(_bearer(TOKEN)) is None
    assert await sessions.verify(_bearer(TOKEN + b"x")) is None
    assert await sessions.verify(_bearer(hash_token(SECRET, TOKEN).encode())) is None
    assert await sessions.verify(HTTPConnection({"type": "http", "headers": []})) is None


@given(token=st.binary(min_size=1, max_size=60))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_no_bytes_are_an_error(database: Database, token: bytes) -> None:
    """NUL and invalid UTF-8 among them; the database never sees them."""
    assert await HashedSessions(database, SECRET).verify(_bearer(token)) is None


async def test_a_database_that_is_away_is_no_refusal() -> None:
    """A user isn't signed out because nobody could look."""
    url = "postgresql://user:password@127.0.0.1:1/none"
    async with Database.open(DatabaseSettings.load(_env_file=None, database_url=url)) as away:
        with pytest.raises(DatabaseUnavailable):
            await HashedSessions(away, SECRET).verify(_bearer(TOKEN))
