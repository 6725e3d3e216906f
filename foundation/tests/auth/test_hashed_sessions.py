"""Opaque tokens in the auth server's own tables, on both databases."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from fastapi.requests import HTTPConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import insert, text, update

from bedplate.auth import Principal, VerifierUnusable
from bedplate.auth.hashed_sessions import HashedSessions, hash_token
from bedplate.auth.refusals import refusal_of
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
    ("wrong", "reason"),
    [
        ({"expires_in": -1}, "session_expired"),
        ({"revoked": True}, "session_revoked"),
        ({"user": False}, "user_gone"),
        ({"expires_in": -86_400}, "session_expired"),
    ],
)
async def test_a_session_that_does_not_hold_proves_nobody(
    database: Database, wrong: dict[str, float], reason: str
) -> None:
    """Expired, revoked, or of a user who is gone; operators learn which."""
    await _session(database, **wrong)  # type: ignore[arg-type]
    connection = _bearer(TOKEN)
    assert await HashedSessions(database, SECRET).verify(connection) is None
    assert refusal_of(connection) == reason


async def test_users_may_have_any_ids(database: Database) -> None:
    """better-auth's own are 32 letters, unless its settings ask for UUIDs."""
    user_id = "nPl1fBPKZJNVWVEdVHFgFZdbQjPGb1jQ"
    async with database.engine.begin() as connection:
        await connection.execute(text("DROP TABLE users"))
        await connection.execute(text("DROP TABLE user_sessions"))
        await connection.execute(text("CREATE TABLE users (id text PRIMARY KEY)"))
        kind = "timestamptz" if database.dialect.name == "postgresql" else "text"
        await connection.execute(
            text(
                "CREATE TABLE user_sessions (user_id text, token_hash text, "
                f"expires_at {kind}, revoked boolean)"
            )
        )
        await connection.execute(
            text("INSERT INTO users VALUES ('nPl1fBPKZJNVWVEdVHFgFZdbQjPGb1jQ')")
        )
        await connection.execute(
            text(
                f"INSERT INTO user_sessions VALUES ('{user_id}', "
                f"'{hash_token(SECRET, TOKEN)}', '2099-01-01T00:00:00Z', false)"
            )
        )
    sessions = HashedSessions(database, SECRET)
    await sessions.check()
    assert await sessions.verify(_bearer(TOKEN)) == Principal("user", user_id)


@pytest.mark.parametrize("table", ["users", "user_sessions"])
async def test_a_missing_table_fails_the_check(database: Database, table: str) -> None:
    """In one sentence with its name: not a 500 for every request."""
    async with database.engine.begin() as connection:
        await connection.execute(text(f"DROP TABLE {table}"))
    with pytest.raises(VerifierUnusable, match=f"the database has no table {table}: "):
        await HashedSessions(database, SECRET).check()


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
