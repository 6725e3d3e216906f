"""The three ways to prove a session, chosen by a setting, and the stand-in for an auth server."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import bindparam, insert, select

from bedplate import clock, ids
from bedplate.auth import Verifier
from bedplate.auth.better_auth import BetterAuthSessions, BetterAuthTables
from bedplate.auth.hashed_sessions import HashedSessions, hash_token
from bedplate.auth.jwt import JWTSessions
from bedplate.auth.tables import create_stand_in, user_sessions, users
from bedplate.backend import Resources
from bedplate.database import Database, Statement
from tasks.settings import TasksSettings

_SESSION_LIFE = timedelta(days=7)

_FIND_USER = Statement(select(users.c.id).where(users.c.email == bindparam("address")))
_ADD_USER = Statement(
    insert(users).values(id=bindparam("new_id"), email=bindparam("address")).returning(users.c.id)
)
_ADD_SESSION = Statement(
    insert(user_sessions)
    .values(
        id=bindparam("new_id"),
        user_id=bindparam("of"),
        token_hash=bindparam("new_hash"),
        expires_at=bindparam("until"),
        revoked=False,
        created_at=bindparam("now"),
    )
    .returning(user_sessions.c.id)
)


def open_verifier(
    settings: TasksSettings, resources: Resources
) -> AbstractAsyncContextManager[Verifier]:
    """Return what proves sessions in the way that the settings choose."""
    database: Database = resources["database"]
    if settings.sessions == "jwt":
        return _jwt(settings)
    if settings.sessions == "better-auth":
        return _plain(_better_auth(settings, database))
    return _plain(HashedSessions(database, settings.session_hash_secret))


@contextlib.asynccontextmanager
async def _plain(verifier: Verifier) -> AsyncIterator[Verifier]:
    yield verifier


def _better_auth(settings: TasksSettings, database: Database) -> BetterAuthSessions:
    tables = BetterAuthTables(
        session=settings.better_auth_session_table,
        user=settings.better_auth_user_table,
        token=settings.better_auth_token_column,
        user_id=settings.better_auth_user_id_column,
        expires_at=settings.better_auth_expires_at_column,
        timestamps=settings.better_auth_timestamps,
    )
    return BetterAuthSessions(
        database,
        settings.better_auth_secret or SecretStr(""),
        tables=tables,
        cookie_prefix=settings.better_auth_cookie_prefix,
    )


def _jwt(settings: TasksSettings) -> JWTSessions:
    origin = settings.better_auth_url or ""
    return JWTSessions(
        settings.jwks_url or f"{origin}/api/auth/jwks",
        issuer=settings.jwt_issuer or origin,
        audience=settings.jwt_audience or origin,
        algorithms=settings.jwt_algorithms,
    )


async def prepare_stand_in(resources: Resources) -> None:
    """Create the auth server's tables where none did. Never in production."""
    settings: TasksSettings = resources["settings"]
    if settings.sessions == "hashed":
        database: Database = resources["database"]
        await create_stand_in(database.engine)


async def sign_in(database: Database, secret: SecretStr, email: str) -> str:
    """Make a session, and the user if need be, as the auth server would; return its token."""
    token = ids.token(16)
    now = clock.now()
    async with database.write() as session:
        found = await session.one_or_none(_FIND_USER, address=email)
        user_id: UUID = (found or await session.one(_ADD_USER, new_id=ids.uuid(), address=email))[
            "id"
        ]
        await session.one(
            _ADD_SESSION,
            new_id=ids.uuid(),
            of=user_id,
            new_hash=hash_token(secret, token.encode()),
            until=now + _SESSION_LIFE,
            now=now,
        )
    return token
