"""Opens what the to-do API needs, and names what its routes ask for."""

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Final

import structlog
from fastapi import Depends
from fastapi.openapi.models import SecurityBase as SecurityModel
from fastapi.requests import HTTPConnection
from fastapi.security.base import SecurityBase
from pydantic import SecretStr

from audits_client import AuditsClient, Outbox, Shipper
from bedplate.auth import (
    CheckedVerifier,
    Guard,
    VerifierUnusable,
    session_cookie,
    unauthorized,
)
from bedplate.auth.better_auth import BetterAuthSessions, BetterAuthTables
from bedplate.auth.hashed_sessions import HashedSessions
from bedplate.auth.introspection import IntrospectedSessions
from bedplate.auth.refusals import Refused, count_refusal, note_refusal
from bedplate.auth.tables import create_stand_in
from bedplate.conditional.idempotency import Idempotency, IdempotentRequest
from bedplate.database import Database
from bedplate.observability.health import HealthCheck
from bedplate.observability.metrics import RequestMetrics
from bedplate.problems import ServiceUnavailable
from bedplate.rate_limits import Budget, RateLimit
from bedplate.settings import SettingsError
from bedplate.state import from_state
from tasks.changes import UUID_PATTERN, Changes
from tasks.models import MAX_USER_ID_LENGTH, audit_outbox, idempotency_keys
from tasks.settings import TasksSettings

if TYPE_CHECKING:
    from bedplate.auth.jwt import JWTSessions

_CHECK_SECONDS: Final = 2.5


def _reads(settings: TasksSettings) -> Budget:
    return Budget(settings.reads_per_minute)


def _writes(settings: TasksSettings) -> Budget:
    return Budget(settings.writes_per_minute)


def _cookie(settings: TasksSettings) -> dict[str, SecurityModel]:
    name = settings.session_cookie
    return {} if name is None else {"session_cookie": session_cookie(name)}


rate_limit = RateLimit(read=_reads, write=_writes)
guard = Guard(rate_limit=rate_limit, alternatives=_cookie)
idempotency = Idempotency(idempotency_keys)
_NO_AUTH_SERVER = (
    "start the auth server on this database first (docs/better-auth.md), or leave DATABASE_URL "
    "unset: the embedded database brings tables for development"
)


class CurrentUser(SecurityBase):
    """The guard, for users, by their id. One dependency: each costs every request."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.model = guard.model
        self.scheme_name = guard.scheme_name

    async def __call__(self, connection: HTTPConnection) -> str:
        """Return the caller's user id as the auth server made it: UUID, letters or a number.

        UUIDs come in lower case. Raises `Unauthorized` for an id that can't be stored.
        """
        user_id = (await self.guard(connection)).id
        if not 0 < len(user_id) <= MAX_USER_ID_LENGTH or "\0" in user_id:
            note_refusal(connection, Refused("unusable_user_id", length=len(user_id)))
            count_refusal(connection)
            raise unauthorized()
        return user_id.lower() if UUID_PATTERN.fullmatch(user_id) else user_id


UserId = Annotated[str, Depends(CurrentUser(guard))]
Idempotent = Annotated[IdempotentRequest, Depends(idempotency)]
TaskChanges = Annotated[Changes, from_state(Changes)]


@contextlib.asynccontextmanager
async def open_verifier(
    settings: TasksSettings, database: Database
) -> AsyncIterator[CheckedVerifier]:
    """Yield the verifier of sessions that `TASKS_SESSIONS` chooses, when it has proved to work.

    An outage stops no start: readiness shows it. Raises `SettingsError` when the auth server's
    tables aren't as the settings say.
    """
    async with contextlib.AsyncExitStack() as stack:
        verifier: CheckedVerifier
        if settings.sessions == "jwt":
            verifier = await stack.enter_async_context(_jwt(settings))
        elif settings.sessions == "introspection":
            verifier = await stack.enter_async_context(_introspection(settings))
        elif settings.sessions == "better-auth":
            verifier = _better_auth(settings, database)
        else:
            verifier = _hashed(settings, database)
        try:
            await verifier.check()
        except ServiceUnavailable as error:
            log = structlog.get_logger("bedplate.auth")
            log.warning("sessions_unavailable_at_start", code=error.code)
        except VerifierUnusable as error:
            sessions = settings.variable("sessions")
            raise SettingsError(f"{sessions} is {settings.sessions}, but {error}.") from error
        yield verifier


def session_check(verifier: CheckedVerifier) -> HealthCheck:
    """Return the readiness check of the sessions."""
    return HealthCheck("sessions", verifier.check, timeout=_CHECK_SECONDS)


def _hashed(settings: TasksSettings, database: Database) -> HashedSessions:
    remedies = {} if settings.production else {"user_sessions": _NO_AUTH_SERVER}
    return HashedSessions(database, settings.session_hash_secret, remedies=remedies)


def _better_auth(settings: TasksSettings, database: Database) -> BetterAuthSessions:
    tables = BetterAuthTables(
        session=settings.better_auth_session_table,
        user=settings.better_auth_user_table,
        token=settings.better_auth_token_column,
        user_id=settings.better_auth_user_id_column,
        expires_at=settings.better_auth_expires_at_column,
    )
    fields = {
        "session": "better_auth_session_table",
        "user": "better_auth_user_table",
        "token": "better_auth_token_column",
        "user_id": "better_auth_user_id_column",
        "expires_at": "better_auth_expires_at_column",
    }
    remedies = {name: f"set {settings.variable(field)}" for name, field in fields.items()}
    remedies["session"] += (
        ", or TASKS_SESSIONS=introspection where better-auth keeps its sessions elsewhere"
    )
    return BetterAuthSessions(
        database,
        settings.better_auth_secret or SecretStr(""),
        tables=tables,
        cookie=settings.better_auth_cookie,
        secure_cookies=settings.secure_cookies,
        bearer=settings.better_auth_bearer,
        remedies=remedies,
    )


def _jwt(settings: TasksSettings) -> "JWTSessions":
    from bedplate.auth.jwt import JWTSessions  # noqa: PLC0415 - it imports cryptography

    return JWTSessions(
        settings.jwks_url or f"{settings.auth_base_url}/jwks",
        issuer=settings.jwt_issuer or settings.auth_origin,
        audience=settings.jwt_audience or settings.auth_origin,
        algorithms=settings.jwt_algorithms,
    )


def _introspection(settings: TasksSettings) -> IntrospectedSessions:
    return IntrospectedSessions(settings.auth_base_url, cookie=settings.better_auth_cookie)


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
    """Create the auth server's tables in the embedded database.

    Never in one that was named by its URL: there they are an auth server's, which couldn't migrate
    them any more.
    """
    if settings.sessions == "hashed" and settings.embedded:
        await create_stand_in(database.engine)
