"""Hashed sessions and better-auth's own, proven to the API on SQLite and on PostgreSQL.

JWT, introspection, and all with the real auth server, are in end_to_end/.
"""

import base64
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from sqlalchemy import delete, text, update

from bedplate.application import create_app
from bedplate.auth.tables import user_sessions, users
from bedplate.database import Database
from bedplate.settings import SettingsError
from bedplate.testing.client import Client, client
from bedplate.testing.clock import SettableClock
from bedplate.testing.problems import ProblemOf
from tasks import service
from tasks.backend import backend
from tasks.settings import TasksSettings

Headers = dict[str, str]
SignIn = Callable[[str], Awaitable[Headers]]
MakeApp = Callable[..., FastAPI]

BETTER_AUTH_SECRET = "better-auth-secret-of-32-characters"
COOKIE = "better-auth.session_token"


async def execute(database: Database, *statements: Any) -> None:
    """Do something to the auth server's tables, as only it does."""
    async with database.engine.begin() as connection:
        for statement in statements:
            await connection.execute(statement)


def outcome_of(response: httpx2.Response) -> tuple[Any, ...]:
    """Return all that a client can tell one 401 from another by."""
    passing = {"x-request-id", "content-length"}
    headers = {
        name: value
        for name, value in response.headers.items()
        if name not in passing and not name.startswith(("ratelimit", "x-ratelimit"))
    }
    body = response.json()
    body.pop("timestamp")
    body.pop("request_id")
    return response.status_code, list(body.items()), headers


async def test_sessions_that_do_not_hold_are_all_alike(
    api: Client, sign_in: SignIn, database: Database, problem_of: ProblemOf
) -> None:
    """Expired, revoked, forged, foreign, orphaned and absent sessions get the very same 401."""
    headers = {name: await sign_in(f"{name}@example.com") for name in ("gone", "old", "revoked")}
    past = datetime.now(UTC) - timedelta(seconds=1)
    of = {name: user_id_of(api, proof) for name, proof in headers.items()}
    ids = {name: await user_id for name, user_id in of.items()}
    await execute(
        database,
        delete(users).where(users.c.id == ids["gone"]),
        update(user_sessions).where(user_sessions.c.user_id == ids["old"]).values(expires_at=past),
        update(user_sessions).where(user_sessions.c.user_id == ids["revoked"]).values(revoked=True),
    )
    async with database.write() as session:
        foreign = await service.sign_in(session, SecretStr("another secret" * 4), "ada@example.com")
    good = (await sign_in("ada@example.com"))["Authorization"]
    proofs: list[str | None] = [
        None, headers["gone"]["Authorization"], headers["old"]["Authorization"],
        headers["revoked"]["Authorization"], f"Bearer {foreign}", "Bearer forged", "Bearer ",
        "Bearer", "", good.replace("Bearer", "Basic"), good.removeprefix("Bearer "), good[:-1],
        good + "x", good.upper(), f"{good}, {good}", "Bearer \u00e9\u00ff", "Bearer null",
        f"Bearer {'x' * 60_000}", "Bearer ' OR 1=1 --",
    ]  # fmt: skip
    answers = []
    for proof in proofs:
        sent = {} if proof is None else {"Authorization": proof}
        response = await api.get("/tasks", headers=httpx2.Headers(sent, encoding="latin-1"))
        assert problem_of(response, 401)["code"] == "unauthorized"
        assert response.headers["www-authenticate"] == "Bearer"
        answers.append(outcome_of(response))
    assert all(answer == answers[0] for answer in answers)
    assert (await api.get("/tasks", headers={"Authorization": good})).status_code == 200


async def user_id_of(api: Client, user: Headers) -> UUID:
    """Return the id of a signed-in user."""
    task = await api.post("/tasks", json={"title": "Milk"}, headers=user)
    return UUID(task.json()["user_id"])


async def test_a_token_may_come_signed(api: Client, ada: Headers) -> None:
    """Of `token.signature`, as better-auth hands it out, the part before the dot is the token."""
    signed = f"{ada['Authorization']}.{'A' * 43}="
    assert (await api.get("/tasks", headers={"Authorization": signed})).status_code == 200


async def test_the_scheme_is_read_in_any_case(api: Client, ada: Headers) -> None:
    """`bearer` is `Bearer` (RFC 9110, section 11.1)."""
    token = ada["Authorization"].removeprefix("Bearer ")
    for scheme in ("bearer", "BEARER"):
        proof = {"Authorization": f"{scheme} {token}"}
        assert (await api.get("/tasks", headers=proof)).status_code == 200


async def test_expiry_is_told_by_the_clock_of_the_database(api: Client, ada: Headers) -> None:
    """An API whose own clock runs wrong neither extends nor ends a session."""
    for wrong in (datetime(1999, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)):
        with SettableClock(wrong):
            assert (await api.get("/tasks", headers=ada)).status_code == 200


async def test_every_sign_in_is_a_session_of_the_same_user(
    api: Client, sign_in: SignIn, database: Database
) -> None:
    """A second sign-in gives another token of the same user; ending one leaves the other."""
    first, second = await sign_in("ada@example.com"), await sign_in("ada@example.com")
    assert first != second
    assert await user_id_of(api, first) == await user_id_of(api, second)


@dataclass(frozen=True)
class Adapter:
    """How one of better-auth's adapters names and types things, for the API and for the test."""

    session: str = "session"
    user: str = "user"
    token: str = "token"
    user_id: str = "userId"
    expires_at: str = "expiresAt"
    timestamps: str = "timestamptz"

    def settings(self) -> dict[str, object]:
        """Return what the API has to be notified."""
        return {
            "sessions": "better-auth",
            "better_auth_secret": SecretStr(BETTER_AUTH_SECRET),
            "better_auth_session_table": self.session,
            "better_auth_user_table": self.user,
            "better_auth_token_column": self.token,
            "better_auth_user_id_column": self.user_id,
            "better_auth_expires_at_column": self.expires_at,
        }

    def create(self, dialect: str) -> list[Any]:
        """Return the statements that create the tables."""
        moment = self.timestamps if dialect == "postgresql" else "text"
        return [
            text(f'CREATE TABLE "{self.user}" (id text PRIMARY KEY)'),
            text(
                f'CREATE TABLE "{self.session}" ("{self.token}" text UNIQUE, '
                f'"{self.user_id}" text, "{self.expires_at}" {moment})'
            ),
        ]

    def add(self, user_id: str, token: str, *, seconds: int) -> list[Any]:
        """Return the statements that sign a user in for so long."""
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        shown = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        expiry = f"'{shown}'" if self.timestamps == "timestamptz" else f"'{shown[:-1]}'"
        return [
            text(f"INSERT INTO \"{self.user}\" VALUES ('{user_id}') ON CONFLICT DO NOTHING"),
            text(f"INSERT INTO \"{self.session}\" VALUES ('{token}', '{user_id}', {expiry})"),
        ]


KYSELY = Adapter()
DRIZZLE = Adapter(user_id="user_id", expires_at="expires_at", timestamps="timestamp")
PRISMA = Adapter(session="Session", user="User", timestamps="timestamp")
RENAMED = Adapter("auth_sessions", "accounts", "secret", "account", "until")
ADAPTERS = pytest.mark.parametrize(
    "adapter", [KYSELY, DRIZZLE, PRISMA, RENAMED], ids=["kysely", "drizzle", "prisma", "renamed"]
)


def signed(token: str, secret: str = BETTER_AUTH_SECRET) -> str:
    """Return `token.signature`."""
    digest = hmac.digest(secret.encode(), token.encode(), "sha256")
    return f"{token}.{base64.b64encode(digest).decode()}"


@ADAPTERS
async def test_better_auths_own_sessions_hold(
    make_app: MakeApp, database: Database, adapter: Adapter
) -> None:
    """Raw and signed bearer tokens and the signed cookie prove the user, with each adapter."""
    user_id, token = str(uuid4()), "a" * 32
    await execute(
        database,
        *adapter.create(database.dialect.name),
        *adapter.add(user_id, token, seconds=60),
    )
    async with client(make_app(**adapter.settings())) as api:
        for proof in (
            {"Authorization": f"Bearer {token}"},
            {"Authorization": f"Bearer {signed(token)}"},
            {"Authorization": f"Bearer {quote(signed(token))}"},
            {"Cookie": f"{COOKIE}={quote(signed(token))}"},
            {"Cookie": f"theme=dark; __Secure-{COOKIE}={quote(signed(token))}"},
        ):
            task = await api.post("/tasks", json={"title": "Milk"}, headers=proof)
            assert (task.status_code, task.json()["user_id"]) == (201, user_id)


@ADAPTERS
async def test_better_auth_sessions_that_do_not_hold_are_all_alike(
    make_app: MakeApp, database: Database, adapter: Adapter
) -> None:
    """Expired, orphaned, forged, wrongly or not signed: the same 401 every time."""
    token, expired, orphaned = "a" * 32, "b" * 32, "c" * 32
    await execute(
        database,
        *adapter.create(database.dialect.name),
        *adapter.add(str(uuid4()), token, seconds=60),
        *adapter.add(str(uuid4()), expired, seconds=-1),
        *adapter.add("orphan", orphaned, seconds=60),
        text(f"DELETE FROM \"{adapter.user}\" WHERE id = 'orphan'"),
    )
    proofs = [
        {},
        *({"Authorization": f"Bearer {proof}"} for proof in (
            expired, signed(expired), orphaned, "d" * 32, signed(token, "another secret"),
            f"{token}.{'A' * 43}=", f"{token}.", f"{token}.x", "", "%00",
        )),
        *({"Cookie": f"{COOKIE}={proof}"} for proof in (
            token, quote(signed(expired)), quote(signed(token, "another secret")), "", "%00.%FF",
        )),
        {"Cookie": f"other.session_token={quote(signed(token))}"},
    ]  # fmt: skip
    async with client(make_app(**adapter.settings())) as api:
        answers = [outcome_of(await api.get("/tasks", headers=proof)) for proof in proofs]
    assert answers[0][0] == 401
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("user_id", ["nPl1fBPKZJNVWVEdVHFgFZdbQjPGb1jQ", "42", "x" * 255])
async def test_users_own_tasks_by_any_id(
    make_app: MakeApp, database: Database, user_id: str
) -> None:
    """better-auth's default ids are 32 letters, `serial` ones numbers; a retry finds its answer."""
    await execute(
        database,
        *KYSELY.create(database.dialect.name),
        *KYSELY.add(user_id, "a" * 32, seconds=60),
    )
    proof = {"Authorization": f"Bearer {'a' * 32}", "Idempotency-Key": "once"}
    async with client(make_app(**KYSELY.settings())) as api:
        for _ in range(2):
            task = await api.post("/tasks", json={"title": "Milk"}, headers=proof)
            assert (task.status_code, task.json()["user_id"]) == (201, user_id)
        assert (await api.get("/tasks", headers=proof)).json() == [task.json()]


async def test_an_id_that_cannot_be_stored_is_refused_with_its_reason(
    make_app: MakeApp, database: Database, captured_logs: list[Any]
) -> None:
    """A 401 for the client; the log and the metric say why."""
    await execute(
        database,
        *KYSELY.create(database.dialect.name),
        *KYSELY.add("x" * 256, "a" * 32, seconds=60),
    )
    app = make_app(**KYSELY.settings())
    async with client(app) as api:
        response = await api.get("/tasks", headers={"Authorization": f"Bearer {'a' * 32}"})
    assert response.status_code == 401
    reasons = [line["reason"] for line in captured_logs if line["event"] == "credentials_refused"]
    assert reasons == ["unusable_user_id"]


async def test_refusals_are_counted_by_their_reason(
    settings: TasksSettings, database: Database
) -> None:
    """`session_refusals_total`: a wrong setting shows as a reason that grows for everybody."""
    registry = CollectorRegistry()
    async with client(create_app(backend, settings, registry=registry)) as api:
        for proof in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer y"}):
            assert (await api.get("/tasks", headers=proof)).status_code == 401
    counts = {
        reason: registry.get_sample_value(
            "session_refusals_total", {"backend": "tasks", "reason": reason}
        )
        for reason in ("no_credentials", "unknown_session")
    }
    assert counts == {"no_credentials": 1, "unknown_session": 2}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"better_auth_session_table": "nowhere"},
            "the database has no table nowhere: set TASKS_BETTER_AUTH_SESSION_TABLE",
        ),
        (
            {"better_auth_user_id_column": "user_id"},
            "the table session has no column user_id, only expiresAt, token, userId: set TASKS_",
        ),
    ],
)
async def test_wrong_names_stop_the_start(
    make_app: MakeApp, database: Database, changes: dict[str, str], sentence: str
) -> None:
    """In one sentence: a broken version doesn't replace a good one with a 500 for everybody."""
    await execute(database, *KYSELY.create(database.dialect.name))
    with pytest.raises(SettingsError) as refusal:
        async with client(make_app(**(KYSELY.settings() | changes))):
            pass
    assert str(refusal.value).startswith(f"TASKS_SESSIONS is better-auth, but {sentence}")


async def test_tables_that_vanish_end_readiness(make_app: MakeApp, database: Database) -> None:
    """`/readyz` covers what every request needs."""
    await execute(database, *KYSELY.create(database.dialect.name))
    async with client(make_app(**KYSELY.settings())) as api:
        assert (await api.get("/readyz")).status_code == 200
        await execute(database, text("DROP TABLE session"))
        with api.expecting(503):
            checks = (await api.get("/readyz")).json()["checks"]
    assert (checks["database"]["status"], checks["sessions"]["status"]) == ("ok", "failing")


async def test_keys_that_were_never_reached_end_readiness(make_app: MakeApp) -> None:
    """The start goes on, since the auth server may come later; no traffic comes before it."""
    app = make_app(sessions="jwt", better_auth_url="http://127.0.0.1:1")
    async with client(app) as api:
        with api.expecting(503):
            checks = (await api.get("/readyz")).json()["checks"]
    assert checks["sessions"]["status"] == "failing"


async def test_an_auth_server_that_was_never_reached_ends_readiness(
    make_app: MakeApp, problem_of: ProblemOf
) -> None:
    """With introspection: the start goes on, a proof is a 503, and none at all is a 401."""
    app = make_app(sessions="introspection", better_auth_url="http://127.0.0.1:1")
    async with client(app) as api:
        with api.expecting(503):
            checks = (await api.get("/readyz")).json()["checks"]
            response = await api.get("/tasks", headers={"Authorization": "Bearer x"})
        assert checks["sessions"]["status"] == "failing"
        assert problem_of(response, 503)["code"] == "auth_server_unavailable"
        assert int(response.headers["retry-after"]) > 0
        assert (await api.get("/tasks")).status_code == 401


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, None),
        ({"sessions": "jwt"}, None),
        ({"sessions": "better-auth"}, COOKIE),
        ({"sessions": "introspection"}, COOKIE),
        ({"sessions": "introspection", "better_auth_url": "https://a.test"}, f"__Secure-{COOKIE}"),
        ({"sessions": "better-auth", "better_auth_cookie": "my_session"}, "my_session"),
        (
            {"sessions": "better-auth", "better_auth_secure_cookies": True},
            f"__Secure-{COOKIE}",
        ),
    ],
)
def test_the_document_names_the_cookie_that_counts(
    make_app: MakeApp, changes: dict[str, Any], name: str | None
) -> None:
    """OpenAPI: as it is set, and none where only bearer tokens count."""
    document = make_app(**changes).openapi()
    schemes = document["components"]["securitySchemes"]
    assert schemes.get("session_cookie", {}).get("name") == name
    security = document["paths"]["/tasks"]["get"]["security"]
    assert ({"session_cookie": []} in security) is (name is not None)


async def test_a_database_with_a_url_gets_no_stand_in(
    settings: TasksSettings, database_url: str
) -> None:
    """An auth server couldn't migrate `users` any more; without its tables the start says so."""
    assert not settings.embedded
    async with Database.open(settings) as opened:
        await execute(opened, text("DROP TABLE users"), text("DROP TABLE user_sessions"))
    migrating = settings.model_copy(update={"database_auto_migrate": True})
    app = create_app(backend, migrating, registry=CollectorRegistry())
    with pytest.raises(SettingsError, match=r"no table user_sessions: start the auth server on"):
        async with client(app):
            pass
