"""better-auth's own tables, as its three adapters make them, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from fastapi.requests import HTTPConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import make_url, text

from bedplate.auth import Principal, VerifierUnusable
from bedplate.auth.better_auth import BetterAuthSessions, BetterAuthTables
from bedplate.auth.refusals import refusal_of
from bedplate.auth.signatures import sign
from bedplate.database import Database

SECRET = SecretStr("better-auth-secret-of-32-bytes!!")
TOKEN = b"abcdefghijklmnopqrstuvwxyz012345"
SIGNED = sign(SECRET, TOKEN)
USER = Principal("user", "u1")

DRIZZLE = BetterAuthTables(
    session="session", user="user", user_id="user_id", expires_at="expires_at"
)  # fmt: skip
RENAMED = BetterAuthTables(
    session="user_sessions2", user="accounts", token="secret", user_id="owner", expires_at="until"
)


async def _create(
    database: Database,
    tables: BetterAuthTables,
    *,
    ids: str = "text",
    expires_in: float = 60,
    naive: bool = False,
) -> None:
    postgresql = database.dialect.name == "postgresql"
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


@pytest.mark.parametrize(
    ("options", "accepted"),
    [
        ({}, {"__Secure-better-auth.session_token", "better-auth.session_token"}),
        ({"secure_cookies": True}, {"__Secure-better-auth.session_token"}),
        ({"secure_cookies": False}, {"better-auth.session_token"}),
        ({"cookie": "my_session", "secure_cookies": True}, {"__Secure-my_session"}),
        ({"cookie": "my_session", "secure_cookies": False}, {"my_session"}),
        (
            {"cookie": "__Host-session", "secure_cookies": True},
            {"__Host-session", "__Secure-__Host-session"},
        ),
    ],
)
async def test_the_name_of_the_cookie_is_a_setting(
    database: Database, options: dict[str, Any], accepted: set[str]
) -> None:
    """Any page of the domain can set one without a prefix: behind https it doesn't count."""
    await _create(database, BetterAuthTables())
    sessions = BetterAuthSessions(database, SECRET, **options)
    names = {
        f"{prefix}{name}"
        for prefix in ("", "__Secure-", "__Host-")
        for name in ("better-auth.session_token", "my_session", "session", "__Host-session")
    }
    proved = {name for name in names if await sessions.verify(_cookie(SIGNED, name.encode()))}
    assert proved == accepted


@pytest.mark.parametrize(
    ("bearer", "raw", "signed", "raw_and_cookie"),
    [("raw", USER, USER, None), ("signed", None, USER, USER), ("off", None, None, USER)],
)
async def test_which_bearer_tokens_count_is_a_setting(
    sessions: BetterAuthSessions,
    database: Database,
    bearer: Any,
    raw: Principal | None,
    signed: Principal | None,
    raw_and_cookie: Principal | None,
) -> None:
    """As with `bearer()`, with its `requireSignature`, and without the plugin."""
    sessions = BetterAuthSessions(database, SECRET, bearer=bearer)
    assert await sessions.verify(_bearer(TOKEN)) == raw
    assert await sessions.verify(_bearer(SIGNED)) == signed
    unknown = (b"authorization", b"Bearer unknown")
    good = (b"cookie", b"better-auth.session_token=" + SIGNED)
    assert await sessions.verify(_sent(unknown, good)) == raw_and_cookie


REFUSED = [
    (_sent(), "no_credentials"),
    (_bearer(b"o" * 32), "unknown_session"),
    (_bearer(TOKEN + b"."), "bad_signature"),
    (_cookie(TOKEN), "unsigned_token"),
    (_cookie(sign(SecretStr("other"), TOKEN)), "bad_signature"),
    (_cookie(SIGNED, b"todo.session_token"), "no_credentials"),
    (_bearer(b"a\0b"), "malformed_token"),
]


@pytest.mark.parametrize(("connection", "reason"), REFUSED)
async def test_a_refusal_has_its_reason(
    sessions: BetterAuthSessions, connection: HTTPConnection, reason: str
) -> None:
    """For operators: the client learns nothing."""
    assert await sessions.verify(connection) is None
    assert refusal_of(connection) == reason


async def test_expired_and_orphaned_sessions_have_their_reasons(
    sessions: BetterAuthSessions, database: Database
) -> None:
    """One query tells which of them it is."""
    past = "2001-01-01T00:00:00Z"
    await _execute(database, f"UPDATE session SET \"expiresAt\" = '{past}'")
    connection = _bearer(TOKEN)
    assert await sessions.verify(connection) is None
    assert refusal_of(connection) == "session_expired"
    await _execute(database, 'DELETE FROM "user"')
    assert await sessions.verify(connection) is None
    assert refusal_of(connection) == "user_gone"


async def test_tables_that_are_right_pass_the_check(sessions: BetterAuthSessions) -> None:
    """It needs no session."""
    await sessions.check()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"session": "sessions"}, "the database has no table sessions: set THE_SESSION_TABLE"),
        (
            {"user": "members"},
            "the database has no table members: name it in ",
        ),
        ({"user_id": "user_id"}, "the table session has no column user_id, only "),
        ({"expires_at": "until"}, "the table session has no column until, only "),
        ({"token": "secret"}, "the table session has no column secret, only "),
    ],
)
async def test_wrong_names_fail_the_check_in_one_sentence(
    sessions: BetterAuthSessions, database: Database, change: dict[str, str], sentence: str
) -> None:
    """It names the table or column, and what to set: not a 500 for every request."""
    wrong = BetterAuthSessions(
        database,
        SECRET,
        tables=BetterAuthTables(**change),
        remedies={"session": "set THE_SESSION_TABLE"},
    )
    with pytest.raises(VerifierUnusable) as refusal:
        await wrong.check()
    assert str(refusal.value).startswith(sentence)


async def test_a_role_without_rights_fails_the_check(postgres_url: str) -> None:
    """The sentence is the command that grants them, and with that the check passes."""
    async with _open(postgres_url) as database:
        await _create(database, BetterAuthTables())
        role = f"reader_{uuid4().hex}"
        await _execute(database, f"CREATE ROLE {role} LOGIN PASSWORD 'reader'")
        as_reader = make_url(postgres_url).set(username=role, password="reader")
        async with _open(as_reader.render_as_string(hide_password=False)) as reading:
            sessions = BetterAuthSessions(reading, SECRET)
            with pytest.raises(VerifierUnusable) as refusal:
                await sessions.check()
            sentence = str(refusal.value)
            assert sentence.startswith("its role may not read session and user: GRANT SELECT (")
            grants = sentence.partition(": ")[2].replace("TO it", f"TO {role}")
            for grant in grants.split("; "):
                await _execute(database, grant)
            await sessions.check()
            assert await sessions.verify(_bearer(TOKEN)) == USER
        await _execute(database, f"DROP OWNED BY {role}")
        await _execute(database, f"DROP ROLE {role}")


async def test_a_time_that_is_none_fails_the_check(postgres_url: str) -> None:
    """An expiry of text can't be compared."""
    async with _open(postgres_url) as database:
        await _create(database, BetterAuthTables())
        await _execute(database, 'ALTER TABLE session ALTER "expiresAt" TYPE text')
        with pytest.raises(VerifierUnusable, match="the expiry must be a time"):
            await BetterAuthSessions(database, SECRET).check()


@pytest.mark.parametrize("naive", [False, True])
@pytest.mark.parametrize("tables", [BetterAuthTables(), DRIZZLE, RENAMED])
@pytest.mark.parametrize(("expires_in", "holds"), [(30, True), (-30, False), (-50_000, False)])
async def test_a_session_holds_until_it_expires(
    database: Database, tables: BetterAuthTables, naive: bool, expires_in: float, holds: bool
) -> None:
    """With and without time zones in the column, and whatever the columns are called."""
    await _create(database, tables, expires_in=expires_in, naive=naive)
    sessions = BetterAuthSessions(database, SECRET, tables=tables)
    assert await sessions.verify(_bearer(TOKEN)) == (USER if holds else None)


@pytest.mark.parametrize("naive", [False, True])
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
async def test_the_database_s_time_zone_does_not_matter(
    postgres_url: str, zone: str, naive: bool
) -> None:
    """Naive columns hold UTC, also on a server that lives elsewhere, and nobody has to say so."""
    name = make_url(postgres_url).database
    async with _open(postgres_url) as database:
        await _execute(database, f"ALTER DATABASE \"{name}\" SET timezone = '{zone}'")
    async with _open(postgres_url) as database:
        await _create(database, DRIZZLE, expires_in=60, naive=naive)
        await _execute(database, f"SET timezone = '{zone}'")
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
