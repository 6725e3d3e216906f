"""better-auth's own tables, as its three adapters make them, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.requests import HTTPConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import text

from bedplate.auth import Principal
from bedplate.auth.better_auth import BetterAuthSessions, BetterAuthTables
from bedplate.auth.signatures import sign
from bedplate.database import Database

SECRET = SecretStr("better-auth-secret-of-32-bytes!!")
TOKEN = b"abcdefghijklmnopqrstuvwxyz012345"
SIGNED = sign(SECRET, TOKEN)
USER = Principal("user", "u1")

DRIZZLE = BetterAuthTables(
    session="session", user="user", user_id="user_id", expires_at="expires_at",
    timestamps="timestamp",
)  # fmt: skip
RENAMED = BetterAuthTables(
    session="user_sessions2", user="accounts", token="secret", user_id="owner", expires_at="until"
)


async def _create(
    database: Database, tables: BetterAuthTables, *, ids: str = "text", expires_in: float = 60
) -> None:
    postgresql = database.dialect.name == "postgresql"
    naive = tables.timestamps == "timestamp"
    kind = ("timestamp" if naive else "timestamptz") if postgresql else "text"
    until: Any = datetime.now(UTC) + timedelta(seconds=expires_in)
    if not postgresql:
        # JavaScript's toISOString, as better-auth writes it into SQLite.
        until = until.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    elif naive:
        until = until.replace(tzinfo=None)
    async with database.engine.begin() as connection:
        await connection.execute(text(f'CREATE TABLE "{tables.user}" (id {ids} PRIMARY KEY)'))
        await connection.execute(
            text(
                f'CREATE TABLE "{tables.session}" ("{tables.token}" text,'
                f' "{tables.user_id}" {ids}, "{tables.expires_at}" {kind})'
            )
        )
        user_id = "u1" if ids == "text" else "6d2d1c1e-4b0c-4d7c-8f3c-6d2d1c1e4b0c"
        await connection.execute(text(f"INSERT INTO \"{tables.user}\" VALUES ('{user_id}')"))
        await connection.execute(
            text(f"INSERT INTO \"{tables.session}\" VALUES (:token, '{user_id}', :until)"),
            {"token": TOKEN.decode(), "until": until},
        )


def _sent(*headers: tuple[bytes, bytes]) -> HTTPConnection:
    return HTTPConnection({"type": "http", "headers": list(headers)})


def _bearer(token: bytes) -> HTTPConnection:
    return _sent((b"authorization", b"Bearer " + token))


def _cookie(value: bytes, name: bytes = b"better-auth.session_token") -> HTTPConnection:
    return _sent((b"cookie", b"other=1; " + name + b"=" + value))


@pytest.fixture
async def sessions(database: Database) -> BetterAuthSessions:
    """A session as better-auth's built-in adapter stores it."""
    await _create(database, BetterAuthTables())
    return BetterAuthSessions(database, SECRET)


@pytest.mark.parametrize("token", [TOKEN, SIGNED, quote(SIGNED, safe="").encode()])
async def test_a_bearer_token_is_taken_in_every_form(
    sessions: BetterAuthSessions, token: bytes
) -> None:
    """Raw, signed, and signed as the cookie has it."""
    assert await sessions.verify(_bearer(token)) == USER


@pytest.mark.parametrize(
    "name", [b"better-auth.session_token", b"__Secure-better-auth.session_token"]
)
async def test_a_signed_cookie_is_taken_under_both_names(
    sessions: BetterAuthSessions, name: bytes
) -> None:
    """URL-encoded as better-auth sets it, and decoded as some proxies leave it."""
    assert await sessions.verify(_cookie(quote(SIGNED, safe="").encode(), name)) == USER
    assert await sessions.verify(_cookie(SIGNED, name)) == USER


@pytest.mark.parametrize("value", [TOKEN, sign(SecretStr("x" * 32), TOKEN), TOKEN + b".x", b""])
async def test_a_cookie_without_its_signature_is_refused(
    sessions: BetterAuthSessions, value: bytes
) -> None:
    """Any page of a sibling domain can set a cookie; it can't sign one."""
    assert await sessions.verify(_cookie(value)) is None


async def test_the_first_cookie_of_a_name_counts(
    sessions: BetterAuthSessions, database: Database
) -> None:
    """A neighbouring subdomain's cookie comes last, and signs nobody in or out."""
    other = b"o" * 32
    await _execute(database, "INSERT INTO \"user\" VALUES ('intruder')")
    await _execute(
        database,
        f"INSERT INTO session SELECT '{other.decode()}', 'intruder', \"expiresAt\" FROM session",
    )
    name, intruder = b"better-auth.session_token=", sign(SECRET, other)
    both = _sent((b"cookie", name + SIGNED + b"; " + name + intruder))
    assert await sessions.verify(both) == USER
    apart = _sent((b"cookie", name + SIGNED), (b"cookie", name + intruder))
    assert await sessions.verify(apart) == USER
    stale = _sent((b"cookie", name + b"stale; " + name + SIGNED))
    assert await sessions.verify(stale) is None


async def test_a_cookie_that_was_encoded_twice_is_refused(sessions: BetterAuthSessions) -> None:
    """better-auth decodes it once."""
    twice = quote(quote(SIGNED, safe=""), safe="").encode()
    assert await sessions.verify(_cookie(twice)) is None


async def test_a_badly_signed_bearer_token_leaves_the_word_to_the_cookie(
    sessions: BetterAuthSessions,
) -> None:
    """As in better-auth itself."""
    bad = (b"authorization", b"Bearer " + sign(SecretStr("x"), TOKEN))
    assert await sessions.verify(_sent(bad)) is None
    good = (b"cookie", b"better-auth.session_token=" + SIGNED)
    assert await sessions.verify(_sent(bad, good)) == USER


async def test_the_prefix_of_the_cookie_is_a_setting(database: Database) -> None:
    """`cookiePrefix` of the auth server."""
    await _create(database, BetterAuthTables())
    sessions = BetterAuthSessions(database, SECRET, cookie_prefix="todo")
    assert await sessions.verify(_cookie(SIGNED, b"todo.session_token")) == USER
    assert await sessions.verify(_cookie(SIGNED)) is None


@pytest.mark.parametrize("tables", [BetterAuthTables(), DRIZZLE, RENAMED])
@pytest.mark.parametrize(("expires_in", "holds"), [(30, True), (-30, False), (-50_000, False)])
async def test_a_session_holds_until_it_expires(
    database: Database, tables: BetterAuthTables, expires_in: float, holds: bool
) -> None:
    """With and without time zones in the column, and whatever the columns are called."""
    await _create(database, tables, expires_in=expires_in)
    sessions = BetterAuthSessions(database, SECRET, tables=tables)
    assert await sessions.verify(_bearer(TOKEN)) == (USER if holds else None)


async def test_the_database_s_time_zone_does_not_matter(postgres_url: str) -> None:
    """Naive columns hold UTC, also on a server that lives elsewhere."""
    url = f"{postgres_url}?options=-c%20TimeZone%3DAsia/Tokyo"
    async with _open(url) as database:
        await _create(database, DRIZZLE, expires_in=60)
        sessions = BetterAuthSessions(database, SECRET, tables=DRIZZLE)
        assert await sessions.verify(_bearer(TOKEN)) == USER
        await _execute(database, "UPDATE session SET expires_at = expires_at - interval '2 min'")
        assert await sessions.verify(_bearer(TOKEN)) is None


async def test_uuids_are_returned_as_text(postgres_url: str) -> None:
    """`generateId: "uuid"` makes the columns of ids UUIDs; the token stays text."""
    async with _open(postgres_url) as database:
        await _create(database, BetterAuthTables(), ids="uuid")
        principal = await BetterAuthSessions(database, SECRET).verify(_bearer(TOKEN))
    assert principal == Principal("user", "6d2d1c1e-4b0c-4d7c-8f3c-6d2d1c1e4b0c")


def _open(url: str) -> Database:
    from bedplate.settings import DatabaseSettings  # noqa: PLC0415

    return Database.open(DatabaseSettings.load(_env_file=None, database_url=url))


async def _execute(database: Database, statement: str) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text(statement))


async def test_a_sign_out_counts_at_once(sessions: BetterAuthSessions, database: Database) -> None:
    """better-auth deletes the row."""
    assert await sessions.verify(_bearer(TOKEN)) == USER
    await _execute(database, "DELETE FROM session")
    assert await sessions.verify(_bearer(TOKEN)) is None


async def test_a_session_without_its_user_proves_nobody(
    sessions: BetterAuthSessions, database: Database
) -> None:
    """A row that somebody forgot in SQL."""
    await _execute(database, 'DELETE FROM "user"')
    assert await sessions.verify(_bearer(TOKEN)) is None


@pytest.mark.parametrize("stored", ["1900000000", "1900000000000", "never", "", None])
async def test_an_expiry_that_is_no_time_proves_nobody(sqlite_url: str, stored: str | None) -> None:
    """SQLite stores anything; seconds or milliseconds since 1970 aren't a date to it."""
    async with _open(sqlite_url) as database:
        await _create(database, BetterAuthTables())
        value = "NULL" if stored is None else stored if stored.isdigit() else f"'{stored}'"
        await _execute(database, f'UPDATE session SET "expiresAt" = {value}')
        assert await BetterAuthSessions(database, SECRET).verify(_bearer(TOKEN)) is None


@given(value=st.binary(min_size=1, max_size=60))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_no_bytes_are_an_error(sessions: BetterAuthSessions, value: bytes) -> None:
    """Also NUL, which PostgreSQL's text refuses."""
    assert await sessions.verify(_bearer(value)) is None
    assert await sessions.verify(_cookie(value)) is None
    assert await sessions.verify(_bearer(b"\0" + value)) is None
