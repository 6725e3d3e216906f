"""The better-auth server in `auth-server/` keeps `user_sessions` as the tasks API needs it."""

import base64
import hashlib
import hmac
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import unquote
from uuid import UUID, uuid4

import httpx2
import jwt
import pytest
from sqlalchemy import NullPool, RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bedplate.database.urls import parse_database_url
from bedplate.testing.postgres import PostgresServer

SAFE_SETTINGS = {
    "DATABASE_URL": "postgresql://127.0.0.1/tasks",
    "SESSION_HASH_SECRET": "0123456789abcdef" * 4,
    "BETTER_AUTH_SECRET": "0123456789abcdef" * 4,
}


class AuthServer(Protocol):
    """What conftest.py's servers offer to these tests."""

    url: str
    session_hash_secret: str
    better_auth_secret: str
    issuer: str
    jwks_url: str
    sign_up: Callable[[str], str]
    sign_in: Callable[[str], str]
    sign_out: Callable[[str], None]
    delete_user: Callable[[str], None]
    jwt: Callable[[str], str]
    signed_cookie: Callable[[str], str]
    request: Callable[..., httpx2.Response]


class Database:
    """The server's database, seen from Python."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def execute(self, statement: str, **values: object) -> list[RowMapping]:
        """Run one statement in its own transaction, and return the rows it gives, if any."""
        async with self.engine.begin() as connection:
            result = await connection.execute(text(statement), values)
            return list(result.mappings()) if result.returns_rows else []

    async def row(self, statement: str, **values: object) -> RowMapping:
        """Return the only row of a query."""
        (row,) = await self.execute(statement, **values)
        return row

    def stored(self, moment: datetime) -> datetime | str:
        """Return a time as better-auth stores it: ISO 8601 text on SQLite."""
        if self.engine.dialect.name == "sqlite":
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return moment


def read(stored: datetime | str) -> datetime:
    """Return a stored time, whichever way it is stored."""
    return datetime.fromisoformat(stored) if isinstance(stored, str) else stored


def hashed(token: str, server: AuthServer) -> str:
    """Return the token's hash, computed as the tasks API computes it."""
    key = server.session_hash_secret.encode()
    return hmac.new(key, token.encode(), hashlib.sha256).hexdigest()


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def server_database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Give the URL of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('database')}/auth.db"
        return
    postgres: PostgresServer = request.getfixturevalue("postgres_server")
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture(scope="module")
def server(server_database_url: str, start_auth_server: Callable[[str], AuthServer]) -> AuthServer:
    """Give a running server on that database."""
    return start_auth_server(server_database_url)


@pytest.fixture
async def database(server_database_url: str) -> AsyncIterator[Database]:
    """Give a way into the server's database."""
    parsed = parse_database_url(server_database_url)
    engine = create_async_engine(parsed.url, connect_args=parsed.connect_args, poolclass=NullPool)
    yield Database(engine)
    await engine.dispose()


@pytest.fixture
def email() -> str:
    """Give an address nobody has signed up with."""
    return f"{uuid4().hex}@example.com"


SESSION = "SELECT * FROM session WHERE token = :token"
MIRROR = "SELECT * FROM user_sessions WHERE token_hash = :hash"


async def test_sign_up_writes_a_hashed_copy(
    server: AuthServer, database: Database, email: str
) -> None:
    """Signing up stores the session under the same hash that Python computes from its token."""
    token = server.sign_up(email)
    session = await database.row(SESSION, token=token)
    copy = await database.row(MIRROR, hash=hashed(token, server))
    user = await database.row("SELECT id FROM users WHERE email = :email", email=email)
    assert UUID(str(copy["id"])) == UUID(str(session["id"]))
    assert UUID(str(copy["user_id"])) == UUID(str(user["id"]))
    assert read(copy["expires_at"]) == read(session["expiresAt"])
    assert read(copy["created_at"]) == read(session["createdAt"])
    assert not copy["revoked"]
    assert copy["refresh_token_hash"] is None
    assert copy["user_agent"].startswith("python-httpx")


async def test_every_sign_in_is_a_session_of_its_own(
    server: AuthServer, database: Database, email: str
) -> None:
    """Signing out of one session revokes its copy alone."""
    first, second = server.sign_up(email), server.sign_in(email)
    server.sign_out(first)
    assert not await database.execute(SESSION, token=first)
    assert (await database.row(MIRROR, hash=hashed(first, server)))["revoked"]
    assert not (await database.row(MIRROR, hash=hashed(second, server)))["revoked"]


async def test_a_refresh_moves_the_expiry_of_the_copy(
    server: AuthServer, database: Database, email: str
) -> None:
    """When better-auth slides a session older than a day, the copy expires with it."""
    token = server.sign_up(email)
    before = await database.row(MIRROR, hash=hashed(token, server))
    soon = database.stored(datetime.now(UTC) + timedelta(days=5))
    await database.execute(
        'UPDATE session SET "expiresAt" = :soon WHERE token = :token', soon=soon, token=token
    )
    server.request("GET", "get-session", token=token)
    session = await database.row(SESSION, token=token)
    copy = await database.row(MIRROR, hash=hashed(token, server))
    assert read(session["expiresAt"]) > datetime.now(UTC) + timedelta(days=6)
    assert read(copy["expires_at"]) == read(session["expiresAt"])
    assert read(copy["last_activity_at"]) > read(before["last_activity_at"])


async def test_an_expired_session_shown_again_is_revoked(
    server: AuthServer, database: Database, email: str
) -> None:
    """better-auth deletes an expired session when it sees it; the copy is revoked then."""
    token = server.sign_up(email)
    past = database.stored(datetime.now(UTC) - timedelta(seconds=1))
    await database.execute(
        'UPDATE session SET "expiresAt" = :past WHERE token = :token', past=past, token=token
    )
    assert server.request("GET", "get-session", token=token).json() is None
    assert (await database.row(MIRROR, hash=hashed(token, server)))["revoked"]


async def test_all_sessions_of_a_user_are_revoked(
    server: AuthServer, database: Database, email: str
) -> None:
    """Revoking more sessions than better-auth reads by default leaves no valid copy behind."""
    token = server.sign_up(email)
    session = dict(await database.row(SESSION, token=token))
    copy = dict(await database.row(MIRROR, hash=hashed(token, server)))
    await add_sessions(database, session, copy, count=120)
    server.request("POST", "revoke-sessions", token=token)
    count = "SELECT count(*) AS valid FROM user_sessions WHERE user_id = :user AND NOT revoked"
    assert (await database.row(count, user=copy["user_id"]))["valid"] == 0


async def add_sessions(
    database: Database, session: dict[str, Any], copy: dict[str, Any], count: int
) -> None:
    """Store more sessions like this one, with their copies, as sign-ins would."""
    kind = type(session["id"])
    changes = [{"id": kind(str(uuid4())), "token": uuid4().hex} for _ in range(count)]
    copies = [{"id": change["id"], "token_hash": change["token"]} for change in changes]
    await insert(database, "session", [{**session, **change} for change in changes])
    await insert(database, "user_sessions", [{**copy, **change} for change in copies])


async def insert(database: Database, table: str, rows: list[dict[str, Any]]) -> None:
    """Insert rows that have the same columns."""
    columns = ", ".join(f'"{name}"' for name in rows[0])
    marks = ", ".join(f":{name}" for name in rows[0])
    async with database.engine.begin() as connection:
        await connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({marks})"), rows)


async def test_a_deleted_user_leaves_no_session(
    server: AuthServer, database: Database, email: str
) -> None:
    """Deleting a user takes the copies of their sessions along."""
    token = server.sign_up(email)
    server.delete_user(token)
    assert not await database.execute("SELECT 1 FROM users WHERE email = :email", email=email)
    assert not await database.execute(MIRROR, hash=hashed(token, server))


async def test_a_sign_in_without_a_copy_fails(
    server: AuthServer, database: Database, email: str
) -> None:
    """While the copy can't be written, better-auth hands out no token; afterwards it does again."""
    server.sign_up(email)
    await database.execute("ALTER TABLE user_sessions RENAME TO away")
    try:
        with pytest.raises(httpx2.HTTPStatusError) as caught:
            server.sign_in(email)
    finally:
        await database.execute("ALTER TABLE away RENAME TO user_sessions")
    assert caught.value.response.status_code == 500
    assert "set-cookie" not in caught.value.response.headers
    assert caught.value.response.text == ""  # so no token either
    assert await database.execute(MIRROR, hash=hashed(server.sign_in(email), server))


def test_it_says_that_it_is_well(server: AuthServer) -> None:
    """GET /health answers while the server runs; a path that is not its own is 404."""
    assert httpx2.get(f"{server.url}/health", timeout=60).json() == {"status": "ok"}
    assert httpx2.get(f"{server.url}/tasks", timeout=60).status_code == 404


def test_a_jwt_verifies_through_jwks(server: AuthServer, email: str) -> None:
    """PyJWT accepts the server's EdDSA token with its issuer, audience and published key."""
    token = server.jwt(server.sign_up(email))
    key = jwt.PyJWKClient(server.jwks_url).get_signing_key_from_jwt(token)
    claims = jwt.decode(
        token, key, algorithms=["EdDSA"], issuer=server.issuer, audience=server.issuer
    )
    assert str(UUID(claims["sub"])) == claims["sub"]
    assert claims["email"] == email
    assert claims["exp"] - claims["iat"] == 15 * 60


def test_a_signed_token_is_the_token_and_its_hmac(server: AuthServer, email: str) -> None:
    """The cookie that better-auth sets is reproduced byte for byte in Python."""
    token = server.sign_up(email)
    digest = hmac.digest(server.better_auth_secret.encode(), token.encode(), "sha256")
    signed = f"{token}.{base64.b64encode(digest).decode()}"
    assert unquote(server.signed_cookie(token)) == signed


def test_the_session_is_found_by_every_form_of_its_token(server: AuthServer, email: str) -> None:
    """better-auth takes a bearer token raw, signed and percent-encoded, and the cookie."""
    token = server.sign_up(email)
    cookie = server.signed_cookie(token)
    for bearer in (token, cookie, unquote(cookie)):
        assert email in server.request("GET", "get-session", token=bearer).text
    assert email in server.request("GET", "get-session", cookie=cookie).text


def test_a_forged_signature_is_no_session(server: AuthServer, email: str) -> None:
    """A token with another token's signature, or an unsigned cookie, finds nothing."""
    token, other = server.sign_up(email), server.sign_up(f"other-{email}")
    signature = unquote(server.signed_cookie(other)).partition(".")[2]
    forged = server.request("GET", "get-session", token=f"{token}.{signature}")
    assert forged.json() is None
    assert server.request("GET", "get-session", cookie=token).json() is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set."),
        (
            {"DATABASE_URL": "mysql://127.0.0.1/tasks"},
            "DATABASE_URL must start with postgresql:// or sqlite:///.",
        ),
        ({"SESSION_HASH_SECRET": ""}, "SESSION_HASH_SECRET is not set."),
        (
            {"SESSION_HASH_SECRET": "too-short"},
            "SESSION_HASH_SECRET must be 64 hexadecimal characters.",
        ),
        ({"BETTER_AUTH_SECRET": ""}, "BETTER_AUTH_SECRET is not set."),
        (
            {"BETTER_AUTH_SECRET": "too-short"},
            "BETTER_AUTH_SECRET must have at least 32 characters.",
        ),
        ({"BETTER_AUTH_URL": "here"}, "BETTER_AUTH_URL must be an http or https URL."),
        ({"PORT": "70000"}, "PORT must be a number between 1 and 65535."),
    ],
)
def test_an_unsafe_setting_ends_the_start(
    run_auth_server: Callable[[dict[str, str]], subprocess.CompletedProcess[str]],
    changed: dict[str, str],
    message: str,
) -> None:
    """A missing or unsafe setting is named in one sentence, without its value."""
    result = run_auth_server({**SAFE_SETTINGS, **changed})
    assert (result.returncode, result.stdout, result.stderr) == (1, "", f"{message}\n")
