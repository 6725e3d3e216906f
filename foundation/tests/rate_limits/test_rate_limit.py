"""The FastAPI dependency, in a plain FastAPI application with included routers."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.requests import HTTPConnection
from starlette.responses import Response

from bedplate.asgi import AccessLog, wrap_outermost
from bedplate.problems import ProblemError, Unauthorized, install_problems, problem_response
from bedplate.problems.handlers import invalid_input
from bedplate.rate_limits import EXPOSED_HEADERS, Budget, Limiter, RateLimit
from bedplate.testing.client import Client, client

LIMIT = RateLimit(read=Budget(3), write=Budget(2))
EQUAL = RateLimit(read=Budget(2), write=Budget(2), scope="equal")
STRICT = RateLimit(read=Budget(1), write=None, scope="strict")


class Note(BaseModel):
    """A body to validate."""

    text: str


async def _principal(
    connection: HTTPConnection, authorization: Annotated[str | None, Header()] = None
) -> None:
    if authorization is None or not authorization.startswith("Bearer good-"):
        await LIMIT.charge(connection, None)
        raise Unauthorized(headers={"WWW-Authenticate": "Bearer"})
    connection.state.principal_id = authorization.removeprefix("Bearer good-")


open_router = APIRouter(dependencies=[Depends(LIMIT)])
equal_router = APIRouter(dependencies=[Depends(EQUAL)])
closed_router = APIRouter(prefix="/closed", dependencies=[Depends(_principal), Depends(LIMIT)])


@open_router.get("/notes/{number}")
async def _read(number: int) -> int:
    return number


@open_router.post("/notes")
async def _write(note: Note) -> Note:
    return note


@open_router.get("/strict", dependencies=[Depends(STRICT)])
async def _read_strictly() -> str:
    return "strict"


@equal_router.api_route("/equal", methods=["GET", "POST"])
async def _equal() -> str:
    return "equal"


@closed_router.get("/notes")
async def _read_closed(number: int) -> int:
    return number


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    try:
        await LIMIT.charge_once(request)
    except ProblemError as refusal:
        return problem_response(request.scope, refusal)
    return problem_response(request.scope, invalid_input(error.errors()))


def _app(redis_url: str | None = None) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with Limiter(redis_url, namespace="test", timeout=5) as limiter:
            yield {"limiter": limiter}

    app = FastAPI(lifespan=lifespan)
    install_problems(app)
    app.add_exception_handler(RequestValidationError, _invalid)
    nested = APIRouter()
    nested.include_router(open_router)
    nested.include_router(closed_router)
    nested.include_router(equal_router)
    app.include_router(nested, prefix="/api")
    wrap_outermost(app, AccessLog, backend="test")
    return app


def _from(address: str, app: FastAPI | None = None) -> AbstractAsyncContextManager[Client]:
    return client(app or _app(), remote=(address, 1234))


@pytest.fixture(params=["memory", "redis"])
async def caller(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client of the application, with its counts in memory and on Valkey."""
    url = request.getfixturevalue("redis_url") if request.param == "redis" else None
    async with _from("192.0.2.1", _app(url)) as one:
        yield one


async def _statuses(
    caller: Client, method: str, path: str, times: int, **options: Any
) -> list[int]:
    return [
        (await caller.request(method, f"/api{path}", **options)).status_code for _ in range(times)
    ]


async def test_routes_of_included_routers_are_limited(caller: Client) -> None:
    """Two levels of include_router change nothing."""
    assert await _statuses(caller, "GET", "/notes/1", 4) == [200, 200, 200, 429]


async def test_reads_and_writes_have_budgets_of_their_own(caller: Client) -> None:
    """A spent write budget leaves the reads, and the other way round."""
    note = {"text": "x"}
    assert await _statuses(caller, "POST", "/notes", 3, json=note) == [200, 200, 429]
    assert await _statuses(caller, "GET", "/notes/1", 4) == [200, 200, 200, 429]


async def test_equal_budgets_of_reads_and_writes_are_spent_apart(caller: Client) -> None:
    """They are two budgets, although they have one size and one payer."""
    assert await _statuses(caller, "POST", "/equal", 3) == [200, 200, 429]
    assert await _statuses(caller, "GET", "/equal", 3) == [200, 200, 429]


async def test_a_refusal_says_when_to_come_back(caller: Client) -> None:
    """The 429 is a problem document with the budget, and its numbers agree with the headers."""
    await _statuses(caller, "GET", "/notes/1", 3)
    response = await caller.get("/api/notes/1")
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (problem["status"], problem["code"]) == (429, "too_many_requests")
    assert problem["retry_after"] == int(response.headers["retry-after"])
    assert problem["rate_limit_info"] == {
        "limit": 3,
        "remaining": 0,
        "reset": int(response.headers["x-ratelimit-reset"]),
        "window_seconds": 60,
    }
    assert response.headers["ratelimit-reset"] == response.headers["retry-after"]


async def test_every_response_tells_the_budget(caller: Client) -> None:
    """Successes and refused input alike, each header once."""
    for path, status, remaining in (("/notes/1", 200, "2"), ("/notes/x", 422, "1")):
        response = await caller.get(f"/api{path}")
        assert response.status_code == status
        assert response.headers["ratelimit-remaining"] == remaining
        assert response.headers["ratelimit-policy"] == "3;w=60"
        names = [name.lower() for name, _ in response.headers.multi_items()]
        exposed = [name.lower() for name in EXPOSED_HEADERS if name != "Retry-After"]
        assert [names.count(name) for name in exposed] == [1] * len(exposed)


async def test_refused_input_is_counted(caller: Client) -> None:
    """422s spend the budget as anything else does."""
    assert await _statuses(caller, "GET", "/notes/x", 4) == [422, 422, 422, 429]


async def test_malformed_json_is_counted_once(caller: Client) -> None:
    """FastAPI refuses it before any dependency runs, and `charge_once` still counts it."""
    options = {"content": b"{", "headers": {"content-type": "application/json"}}
    assert await _statuses(caller, "POST", "/notes", 3, **options) == [422, 422, 429]
    assert await _statuses(caller, "GET", "/notes/x", 1) == [422]


async def test_failed_proofs_are_counted_against_the_address(caller: Client) -> None:
    """Guessing tokens ends in 429, whatever is guessed; who has a good one isn't disturbed."""
    guesses = [
        (await caller.get("/api/closed/notes", headers={"authorization": f"Bearer bad-{n}"}))
        for n in range(4)
    ]
    assert [guess.status_code for guess in guesses] == [401, 401, 401, 429]
    assert "www-authenticate" not in guesses[3].headers
    good = {"authorization": "Bearer good-anna"}
    assert await _statuses(caller, "GET", "/closed/notes?number=1", 1, headers=good) == [200]


async def test_principals_are_charged_apart_from_each_other(caller: Client) -> None:
    """Two users behind one address have a budget each, wherever else that address spent its own."""
    for name in ("anna", "bert"):
        headers = {"authorization": f"Bearer good-{name}"}
        options = {"headers": headers, "params": {"number": 1}}
        assert await _statuses(caller, "GET", "/closed/notes", 4, **options) == [200, 200, 200, 429]


async def test_a_principal_named_like_an_address_is_no_address(caller: Client) -> None:
    """Nobody can spend an address' budget by choosing a name."""
    headers = {"authorization": "Bearer good-192.0.2.1"}
    await _statuses(caller, "GET", "/closed/notes?number=1", 4, headers=headers)
    assert await _statuses(caller, "GET", "/notes/1", 1) == [200]


async def test_of_two_limits_the_tightest_is_reported(caller: Client) -> None:
    """A route's own limit is reported while it is the tighter one."""
    response = await caller.get("/api/strict")
    assert response.headers["ratelimit-limit"] == "1"
    assert (await caller.get("/api/strict")).status_code == 429
    assert (await caller.get("/api/notes/1")).headers["ratelimit-remaining"] == "0"


async def test_addresses_of_one_ipv6_subscriber_share_a_budget(redis_url: str) -> None:
    """Whoever has a /64 doesn't get 2^64 budgets; the next subscriber has one of their own."""
    for address, statuses in (
        ("2001:db8::1", [200, 200]),
        ("2001:db8::ffff:2", [200, 429]),
        ("2001:db8:0:1::1", [200, 200]),
    ):
        async with _from(address, _app(redis_url)) as caller:
            assert await _statuses(caller, "GET", "/notes/1", 2) == statuses


async def test_a_budget_of_none_is_no_limit() -> None:
    """What has no budget is neither counted nor reported."""
    app = FastAPI()
    unlimited = RateLimit(read=None, write=Budget(1))
    app.add_api_route("/", lambda: "free", dependencies=[Depends(unlimited)])
    wrap_outermost(app, AccessLog, backend="test")
    async with client(app) as caller:
        responses = [await caller.get("/") for _ in range(5)]
    assert [response.status_code for response in responses] == [200] * 5
    assert "ratelimit-limit" not in responses[0].headers


async def test_a_forgotten_limiter_is_a_clear_error() -> None:
    """A developer who opened no limiter reads what to do, on the first request."""
    app = FastAPI()
    app.add_api_route("/", lambda: "never", dependencies=[Depends(LIMIT)])
    async with client(app) as caller:
        with pytest.raises(TypeError, match="needs a Limiter in the lifespan's state"):
            await caller.get("/")


async def test_websocket_handshakes_spend_the_read_budget() -> None:
    """Opening sockets is limited as reading is."""
    async with Limiter(namespace="test") as limiter:
        for expected in (2, 1, 0):
            state: dict[str, Any] = {"limiter": limiter}
            scope = {"type": "websocket", "headers": [], "client": ("192.0.2.1", 1), "state": state}
            await LIMIT(HTTPConnection(scope))
            assert state["rate_limit"].remaining == expected
