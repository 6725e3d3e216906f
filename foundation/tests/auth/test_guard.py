"""The guard of a route, in a plain FastAPI application, over HTTP and WebSockets."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, WebSocket
from fastapi.requests import HTTPConnection
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.types import Message

from bedplate.asgi import AccessLog, wrap_outermost
from bedplate.auth import (
    API_KEY,
    BEARER,
    SESSION_COOKIE,
    APIKeyEntry,
    APIKeys,
    Guard,
    Principal,
    unauthorized,
)
from bedplate.auth.credentials import bearer_token, cookie
from bedplate.problems import MEDIA_TYPE, ServiceUnavailable, install_problems
from bedplate.rate_limits import Budget, Limiter, RateLimit
from bedplate.testing.client import Client, client

GOOD = {"Authorization": "Bearer good"}


class Tokens:
    """Proves whoever sends one of three tokens; a fourth breaks the store behind it."""

    async def verify(self, connection: HTTPConnection) -> Principal | None:
        """Return who asks."""
        sent = bearer_token(connection) or cookie(connection, "session")
        if sent == b"broken":
            raise ServiceUnavailable("The store is away.")
        known = {b"good": "ada", b"other": "ben", b"admin": "root"}
        if sent not in known:
            return None
        scopes = frozenset({"admin"} if sent == b"admin" else ())
        return Principal("user", known[sent], scopes)


def _app(guard: Guard, verifier: Any = None, *, redis_url: str | None = None) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with Limiter(redis_url, namespace="guard", timeout=5) as limiter:
            yield {"verifier": verifier or Tokens(), "limiter": limiter}

    app = FastAPI(lifespan=lifespan)
    install_problems(app)
    wrap_outermost(app, AccessLog, backend="test")

    @app.get("/me")
    async def me(principal: Annotated[Principal, Depends(guard)]) -> str:
        return principal.id

    @app.get("/admin", dependencies=[Depends(guard.requiring("admin"))])
    async def admin() -> str:
        return "admin"

    @app.websocket("/live")
    async def live(socket: WebSocket, principal: Annotated[Principal, Depends(guard)]) -> None:
        await socket.accept()
        await socket.send_text(principal.id)
        await socket.close()

    return app


@pytest.fixture
async def caller() -> AsyncIterator[Client]:
    """A client of an application without limits."""
    async with client(_app(Guard())) as one:
        yield one


async def test_a_proof_lets_through_and_names_the_principal(
    caller: Client, captured_logs: list[dict[str, Any]]
) -> None:
    """To the route and to the access log; by header or by cookie."""
    assert (await caller.get("/me", headers=GOOD)).json() == "ada"
    assert (await caller.get("/me", headers={"Cookie": "session=other"})).json() == "ben"
    assert any("ada" in entry.values() for entry in captured_logs)


async def test_the_reason_of_a_refusal_does_not_show(caller: Client) -> None:
    """Status, headers and body are the same, but for the time and the id of the request."""
    attempts: list[dict[str, str]] = [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic Z29vZA=="},
        {"Authorization": "Bearer " + "x" * 9000},
        {"Cookie": "session=wrong"},
        {"X-API-Key": "wrong"},
    ]
    answers = set()
    for headers in attempts:
        response = await caller.get("/me", headers=headers)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.headers["content-type"] == MEDIA_TYPE
        body = response.json()
        text = response.text.replace(body["timestamp"], "T").replace(body["request_id"], "R")
        changing = {"x-request-id", "content-length"}
        kept = [pair for pair in response.headers.items() if pair[0] not in changing]
        answers.add((text, str(kept)))
    assert len(answers) == 1


async def test_a_missing_scope_is_forbidden(caller: Client) -> None:
    """403 for who is known and lacks the scope, 401 for who isn't known."""
    assert (await caller.get("/admin", headers={"Authorization": "Bearer admin"})).is_success
    refused = await caller.get("/admin", headers=GOOD)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert "admin" not in refused.json()["detail"]
    assert (await caller.get("/admin")).status_code == 401


async def test_a_store_that_is_away_is_no_refusal(caller: Client) -> None:
    """503 says: come back, not: sign in again."""
    with caller.expecting(503):
        response = await caller.get("/me", headers={"Authorization": "Bearer broken"})
    assert response.headers["retry-after"] == "1"


async def test_api_keys_have_roles() -> None:
    """A reader may read; to write it needs another key."""
    keys = APIKeys(
        [
            APIKeyEntry("reader", SecretStr("r" * 32), frozenset({"read"})),
            APIKeyEntry("operator", SecretStr("o" * 32), frozenset({"read", "admin"})),
        ]
    )
    guard = Guard(model=API_KEY, scheme_name="key", challenge="ApiKey", scopes=["read"])
    async with client(_app(guard, keys)) as one:
        assert (await one.get("/me", headers={"X-API-Key": "r" * 32})).json() == "reader"
        assert (await one.get("/admin", headers={"X-API-Key": "r" * 32})).status_code == 403
        assert (await one.get("/admin", headers={"X-API-Key": "o" * 32})).status_code == 200
        refused = await one.get("/me", headers={"X-API-Key": "x"})
        assert refused.headers["www-authenticate"] == "ApiKey"


def test_requiring_asks_for_more_and_changes_nothing_else() -> None:
    """The first guard stays as it was."""
    limit = RateLimit(read=None, write=None)
    guard = Guard(verifier="v", rate_limit=limit, scopes=["a"], alternatives={"c": SESSION_COOKIE})
    more = guard.requiring("b", "c")
    assert more.scopes == {"a", "b", "c"}
    assert guard.scopes == {"a"}
    kept = {name: value for name, value in vars(guard).items() if name != "scopes"}
    assert kept == {name: value for name, value in vars(more).items() if name != "scopes"}


def test_the_scheme_shows_in_the_document() -> None:
    """As any other security of FastAPI."""
    document = _app(Guard(model=BEARER, scheme_name="session")).openapi()
    assert document["components"]["securitySchemes"]["session"]["scheme"] == "bearer"
    assert document["paths"]["/me"]["get"]["security"] == [{"session": []}]


async def test_an_app_without_a_verifier_is_an_error() -> None:
    """The author's mistake, in words; never a way in."""
    app = FastAPI()
    app.add_api_route("/", lambda: "in", dependencies=[Depends(Guard())])
    async with client(app) as one:
        with pytest.raises(TypeError, match="verifier"):
            await one.get("/")


def test_the_one_refusal_says_nothing_of_why() -> None:
    """A route that refuses by itself uses it too."""
    assert unauthorized("ApiKey").headers == {"WWW-Authenticate": "ApiKey"}
    assert unauthorized().headers == {"WWW-Authenticate": "Bearer"}


# The budget


LIMIT = RateLimit(read=Budget(3), write=Budget(3))


@pytest.fixture(params=["memory", "redis"])
def limited(request: pytest.FixtureRequest) -> FastAPI:
    """An application with a budget of three requests, counted in memory and on Valkey."""
    url = request.getfixturevalue("redis_url") if request.param == "redis" else None
    return _app(Guard(rate_limit=LIMIT), redis_url=url)


async def _statuses(one: Client, times: int, token: str) -> list[int]:
    headers = {"Authorization": f"Bearer {token}"}
    return [(await one.get("/me", headers=headers)).status_code for _ in range(times)]


async def test_failed_proofs_are_charged_to_the_address(limited: FastAPI) -> None:
    """Who guesses is stopped after three; users who prove themselves from there are not."""
    async with client(limited, remote=("192.0.2.1", 1)) as one:
        guesses = [(await _statuses(one, 1, f"guess-{number}"))[0] for number in range(5)]
        assert guesses == [401, 401, 401, 429, 429]
        assert await _statuses(one, 1, "good") == [200]


async def test_failed_proofs_can_have_a_budget_of_their_own() -> None:
    """It is smaller than what users may do, and leaves theirs alone."""
    limit = RateLimit(read=Budget(10), write=Budget(10), failed_proofs=Budget(2))
    async with client(_app(Guard(rate_limit=limit)), remote=("192.0.2.3", 1)) as one:
        assert await _statuses(one, 3, "guess") == [401, 401, 429]
        assert await _statuses(one, 11, "good") == [200] * 10 + [429]


async def test_good_proofs_are_charged_to_the_principal(limited: FastAPI) -> None:
    """Two users behind one address don't share a budget; nor does one with those who guess."""
    async with client(limited, remote=("192.0.2.2", 1)) as one:
        assert await _statuses(one, 4, "good") == [200, 200, 200, 429]
        assert await _statuses(one, 4, "other") == [200, 200, 200, 429]
        assert await _statuses(one, 1, "guess") == [401]


async def test_a_refusal_tells_the_budget(limited: FastAPI) -> None:
    """A client that fails learns what it has left."""
    async with client(limited) as one:
        response = await one.get("/me")
    assert response.status_code == 401
    assert response.headers["ratelimit-remaining"] == "2"


# WebSockets


async def _connect(app: FastAPI, headers: list[tuple[bytes, bytes]]) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(_scope("websocket", "/live", headers), receive, send)
    return sent


def _scope(kind: str, path: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {
        "type": kind,
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "scheme": "ws",
        "http_version": "1.1",
        "server": ("testserver", 80),
        "client": ("192.0.2.1", 1),
        "subprotocols": [],
        "root_path": "",
        "extensions": {"websocket.http.response": {}},
        "state": {"verifier": Tokens()},
    }


async def test_a_websocket_is_let_through_by_the_same_proof() -> None:
    """By header, and by the cookie that a browser sends."""
    for header in ((b"authorization", b"Bearer good"), (b"cookie", b"session=good")):
        accepted, greeting, closed = await _connect(_app(Guard()), [header])
        assert accepted["type"] == "websocket.accept"
        assert greeting["text"] == "ada"
        assert closed["type"] == "websocket.close"


async def test_a_websocket_is_refused_with_the_same_problem() -> None:
    """A 401 to the handshake, with the challenge."""
    start, body = await _connect(_app(Guard()), [(b"authorization", b"Bearer wrong")])
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert (b"www-authenticate", b"Bearer") in start["headers"]
    assert json.loads(body["body"])["code"] == "unauthorized"


# Hostile headers


async def _status(app: FastAPI, headers: list[tuple[bytes, bytes]]) -> int:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(_scope("http", "/me", headers), receive, send)
    status: int = sent[0]["status"]
    return status


@given(
    value=st.binary(max_size=60),
    prefix=st.sampled_from([b"", b"Bearer ", b"bearer ", b"Basic "]),
    name=st.sampled_from([b"authorization", b"cookie", b"x-api-key"]),
)
@settings(max_examples=100, deadline=None)
async def test_no_bytes_in_a_header_are_an_error(value: bytes, prefix: bytes, name: bytes) -> None:
    """They are a proof that fails, as any other."""
    keys = APIKeys([APIKeyEntry("reader", SecretStr("r" * 32))])
    assert await _status(_APP, [(name, prefix + value)]) == 401
    scope = _scope("http", "/me", [(name, prefix + value)])
    assert await keys.verify(HTTPConnection(scope)) is None


_APP = _app(Guard())
