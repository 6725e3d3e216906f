"""Opens what the to-do API needs, and names what its routes ask for."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from fastapi.requests import HTTPConnection
from fastapi.security.base import SecurityBase
from pydantic import SecretStr

from audits_client import AuditsClient, Outbox, Shipper
from bedplate.auth import SESSION_COOKIE, Guard, Verifier, unauthorized
from bedplate.auth.better_auth import BetterAuthSessions, BetterAuthTables
from bedplate.auth.hashed_sessions import HashedSessions
from bedplate.auth.jwt import JWTSessions
from bedplate.auth.tables import create_stand_in
from bedplate.conditional.idempotency import Idempotency, IdempotentRequest
from bedplate.database import Database
from bedplate.observability.metrics import RequestMetrics
from bedplate.rate_limits import Budget, RateLimit
from bedplate.state import from_state
from tasks.changes import Changes
from tasks.models import audit_outbox, idempotency_keys
from tasks.settings import TasksSettings


def _reads(settings: TasksSettings) -> Budget:
    return Budget(settings.reads_per_minute)


def _writes(settings: TasksSettings) -> Budget:
    return Budget(settings.writes_per_minute)


rate_limit = RateLimit(read=_reads, write=_writes)
guard = Guard(rate_limit=rate_limit, alternatives={"session_cookie": SESSION_COOKIE})
idempotency = Idempotency(idempotency_keys)


class CurrentUser(SecurityBase):
    """The guard, for users, whose ids are UUIDs. One dependency: each costs every request."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.model = guard.model
        self.scheme_name = guard.scheme_name

    async def __call__(self, connection: HTTPConnection) -> UUID:
        """Return the caller's user id. Raises `Unauthorized` for an id that is not a UUID."""
        principal = await self.guard(connection)
        try:
            return UUID(principal.id)
        except ValueError:
            raise unauthorized() from None


UserId = Annotated[UUID, Depends(CurrentUser(guard))]
Idempotent = Annotated[IdempotentRequest, Depends(idempotency)]
TaskChanges = Annotated[Changes, from_state(Changes)]


@contextlib.asynccontextmanager
async def open_verifier(settings: TasksSettings, database: Database) -> AsyncIterator[Verifier]:
    """Yield the verifier of sessions that `TASKS_SESSIONS` chooses."""
    if settings.sessions == "jwt":
        async with _jwt(settings) as verifier:
            yield verifier
    elif settings.sessions == "better-auth":
        yield _better_auth(settings, database)
    else:
        yield HashedSessions(database, settings.session_hash_secret)


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


@contextlib.asynccontextmanager
async def open_changes(
    settings: TasksSettings, database: Database, metrics: RequestMetrics
) -> AsyncIterator[Changes]:
    """Yield what changes tasks; with `TASKS_AUDITS_URL`, an audit trail records each change."""
    if settings.audits_url is None:
        yield Changes(database)
        return
    not_stored = metrics.counter("audit_events_not_stored", "Events that the outbox couldn't store")
    key = settings.audits_key.get_secret_value() if settings.audits_key else None
    async with (
        AuditsClient(settings.audits_url, api_key=key) as audits,
        Shipper(database, audit_outbox, audits),
    ):
        yield Changes(database, Outbox(audit_outbox, on_failure=not_stored.add))


async def prepare_stand_in(settings: TasksSettings, database: Database) -> None:
    """Create the auth server's tables where no auth server did. Never in production."""
    if settings.sessions == "hashed":
        await create_stand_in(database.engine)
