"""What the declaration in backend.py switches on: problems, CORS, limits, z-pages."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text

from bedplate.database import Database
from bedplate.observability.logs import EventDict
from bedplate.testing.client import Client, client
from bedplate.testing.clock import SettableClock
from bedplate.testing.problems import ProblemOf
from bedplate.testing.processes import free_port

Headers = dict[str, str]
SignIn = Callable[[str], Awaitable[Headers]]
MakeApp = Callable[..., FastAPI]
AddTask = Callable[..., Awaitable[dict[str, Any]]]

ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
GUESS = {"Authorization": "Bearer guess"}
JSON = {"Content-Type": "application/json"}
FRONT_END = "http://localhost:3000"
NAMES = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy")


async def test_every_client_error_is_a_problem_with_its_id_in_body_header_and_log(
    api: Client, ada: Headers, add_task: AddTask, problem_of: ProblemOf,
    captured_logs: list[EventDict],
) -> None:  # fmt: skip
    """Wherever an error comes from, the same request id is in body, header and access log."""
    address = f"/tasks/{(await add_task(ada))['id']}"
    keyed = {**ada, "Idempotency-Key": "1"}
    await api.post("/tasks", json={"title": "Milk"}, headers=keyed)
    requests: list[tuple[int, str, str, dict[str, Any]]] = [
        (400, "POST", "/tasks", {"content": b"{", "headers": ada}),
        (400, "POST", "/tasks", {"json": {}, "headers": ada}),
        (400, "GET", "/tasks?limit=0", {"headers": ada}),
        (400, "GET", address, {"headers": {**ada, "If-None-Match": "1"}}),
        (401, "GET", "/tasks", {}),
        (404, "GET", "/nothing", {}),
        (404, "GET", "/tasks/9999", {"headers": ada}),
        (405, "TRACE", "/tasks", {}),
        (412, "DELETE", address, {"headers": {**ada, "If-Match": '"9"'}}),
        (413, "POST", "/tasks", {"content": b" " * 2_000_000, "headers": ada}),
        (422, "POST", "/tasks", {"json": {"title": "Oats"}, "headers": keyed}),
    ]
    for number, (status, method, path, options) in enumerate(requests):
        options["headers"] = {**options.get("headers", {}), "X-Request-ID": f"request-{number}"}
        problem = problem_of(await api.request(method, path, **options), status)
        assert problem["request_id"] == f"request-{number}"
        assert_logged(captured_logs, problem)


def assert_logged(logs: list[EventDict], problem: dict[str, Any]) -> None:
    """Check that one access-log line reports the problem, by its request id, code and status."""
    (line,) = [
        entry
        for entry in logs
        if entry["event"] == "request" and entry["request_id"] == problem["request_id"]
    ]
    assert (line["status"], line["problem"]) == (problem["status"], problem["code"])


async def test_a_mistake_of_ours_is_a_problem_too(
    app: FastAPI, database: Database, ada: Headers, problem_of: ProblemOf,
    captured_logs: list[EventDict],
) -> None:  # fmt: skip
    """An unforeseen error is a 500 that says nothing of its cause; the log has the traceback."""
    async with database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE tasks RENAME TO elsewhere"))
    async with client(app) as api:
        with api.expecting(500):
            response = await api.get("/tasks", headers=ada)
    problem = problem_of(response, 500)
    assert "tasks" not in problem["detail"]
    assert_logged(captured_logs, problem)
    (traceback,) = [entry for entry in captured_logs if entry["event"] == "unhandled_error"]
    assert traceback["request_id"] == problem["request_id"]
    assert "elsewhere" not in response.text
    assert "Traceback" in traceback["exception"]


async def test_a_database_that_is_away_is_a_503(
    make_app: MakeApp, ada: Headers, problem_of: ProblemOf, captured_logs: list[EventDict]
) -> None:
    """Without its database every route answers 503 with Retry-After, /health and /readyz too."""
    nowhere = f"postgresql://127.0.0.1:{free_port()}/tasks"
    app = make_app(database_url=SecretStr(nowhere))
    async with client(app) as api:
        with api.expecting(503):
            for method, path, body in (
                ("GET", "/tasks", None),
                ("POST", "/tasks", {"title": "Milk"}),
                ("GET", "/health", None),
            ):
                response = await api.request(method, path, json=body, headers=ada)
                problem = problem_of(response, 503)
                assert problem["code"] == "database_unavailable"
                assert int(response.headers["retry-after"]) == problem["retry_after"]
                assert_logged(captured_logs, problem)
            assert (await api.get("/readyz")).status_code == 503
        assert (await api.get("/healthz")).status_code == 200


@ON_POSTGRESQL
async def test_a_request_that_takes_too_long_is_a_504(
    make_app: MakeApp, database: Database, ada: Headers, problem_of: ProblemOf,
    captured_logs: list[EventDict],
) -> None:  # fmt: skip
    """A write that waits for another's transaction beyond the time limit is a 504."""
    async with (
        client(make_app(request_timeout_seconds=0.2)) as api,
        database.engine.begin() as other,
    ):
        await other.execute(text("LOCK TABLE tasks"))
        with api.expecting(504):
            response = await api.post("/tasks", json={"title": "Milk"}, headers=ada)
        problem = problem_of(response, 504)
        assert_logged(captured_logs, problem)
    async with client(make_app()) as api:
        assert (await api.get("/tasks", headers=ada)).json() == []


@ON_POSTGRESQL
async def test_exhausted_connections_are_a_503(
    make_app: MakeApp, database: Database, ada: Headers, problem_of: ProblemOf
) -> None:
    """With every connection lent out, the next request gets a 503; afterwards all is well."""
    app = make_app(database_pool_size=2, database_max_overflow=0, database_pool_timeout_seconds=0.3)
    milk = {"title": "Milk"}
    async with client(app) as api:
        with api.expecting(503):
            async with database.engine.begin() as other:
                await other.execute(text("LOCK TABLE tasks"))
                posts = [asyncio.create_task(add(api, ada, milk)) for _ in range(5)]
                done, waiting = await asyncio.wait(posts, return_when=asyncio.FIRST_COMPLETED)
            for refused in done:
                assert problem_of(refused.result(), 503)["code"] == "database_unavailable"
            late = await asyncio.gather(*waiting)
        assert {response.status_code for response in late} <= {201, 503}
        assert (await add(api, ada, milk)).status_code == 201


async def add(api: Client, user: Headers, task: dict[str, str]) -> httpx2.Response:
    """Return the answer to one POST."""
    return await api.post("/tasks", json=task, headers=user)


async def test_a_wrong_method_says_which_ones_there_are(
    api: Client, ada: Headers, problem_of: ProblemOf
) -> None:
    """405 carries every method of the path, HEAD among them where GET is."""
    for path, allowed in {
        "/tasks": "GET, HEAD, POST",
        "/tasks/1": "DELETE, GET, HEAD, PATCH, PUT",
        "/tasks/bulk-delete": "POST",
        "/health": "GET, HEAD",
    }.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - set(allowed.split(", ")):
            response = await api.request(method, path, headers=ada)
            assert problem_of(response, 405)["code"] == "method_not_allowed"
            assert response.headers["allow"] == allowed


async def test_browsers_of_the_front_end_may_call(api: Client) -> None:
    """A preflight of the front end allows its methods and headers, with credentials."""
    asked = {
        "Origin": FRONT_END,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization, content-type, idempotency-key, if-match",
    }
    response = await api.options("/tasks/1", headers=asked)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == FRONT_END
    assert response.headers["access-control-allow-credentials"] == "true"
    assert "PATCH" in response.headers["access-control-allow-methods"]


async def test_other_origins_may_not_call(api: Client, ada: Headers) -> None:
    """A preflight of another origin is refused, and no response names that origin."""
    for origin in ("https://evil.example", "null", "http://localhost:3001"):
        asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        assert (await api.options("/tasks", headers=asked)).status_code == 400
        response = await api.get("/tasks", headers={**ada, "Origin": origin})
        assert "access-control-allow-origin" not in response.headers


async def test_scripts_may_read_the_headers(api: Client, ada: Headers) -> None:
    """Errors too carry the CORS headers, and every header of the contract is exposed."""
    for path, status in (("/tasks", 200), ("/tasks/9", 404), ("/tasks/x", 400)):
        response = await api.get(path, headers={**ada, "Origin": FRONT_END})
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == FRONT_END
        exposed = response.headers["access-control-expose-headers"].lower().split(", ")
        for name in ("ETag", "Link", "Location", "X-Request-ID", "Retry-After", *NAMES):
            assert name.lower() in exposed


async def test_a_production_front_end_is_the_one_that_is_named(make_app: MakeApp) -> None:
    """With origins set, those may call and localhost may not."""
    async with client(make_app(cors_origins=["https://todo.example"])) as api:
        for origin, status in (("https://todo.example", 200), (FRONT_END, 400)):
            asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
            assert (await api.options("/tasks", headers=asked)).status_code == status


async def test_the_z_pages_are_open(api: Client) -> None:
    """Alive, ready and status answer without a session; the status names version and database."""
    assert (await api.get("/healthz")).status_code == 200
    assert (await api.get("/readyz")).status_code == 200
    status = (await api.get("/statusz")).json()
    assert status["version"] == "0.1.0"
    assert "database" in str(status["checks"])


async def test_the_hundred_and_first_read_is_refused(
    api: Client, ada: Headers, grace: Headers, problem_of: ProblemOf
) -> None:
    """A user has 100 reads a minute; the next is a 429 that says when to come again."""
    with SettableClock(datetime.now(UTC)) as clock:
        for left in range(99, -1, -1):
            response = await api.get("/tasks?limit=1", headers=ada)
            assert response.status_code == 200
            assert response.headers["ratelimit-remaining"] == str(left)
        refused = await api.get("/tasks?limit=1", headers=ada)
        problem = problem_of(refused, 429)
        assert problem["rate_limit_info"]["limit"] == 100
        assert problem["rate_limit_info"]["remaining"] == 0
        assert refused.headers["ratelimit-limit"] == "100"
        assert refused.headers["ratelimit-policy"] == "100;w=60"
        assert refused.headers["retry-after"] == str(problem["retry_after"])
        assert (await api.get("/tasks", headers=grace)).status_code == 200
        assert (await api.post("/tasks", json={"title": "Milk"}, headers=ada)).status_code == 201
        clock.advance(seconds=problem["retry_after"] - 1)
        problem_of(await api.get("/tasks", headers=ada), 429)
        clock.advance(seconds=1.001)
        assert (await api.get("/tasks", headers=ada)).status_code == 200


async def test_the_thirty_first_write_is_refused(
    api: Client, ada: Headers, problem_of: ProblemOf
) -> None:
    """A user has 30 writes a minute, of whatever kind and whatever becomes of them."""
    with SettableClock(datetime.now(UTC)):
        writes: list[tuple[str, str, object]] = [
            ("POST", "/tasks", {"title": "Milk"}),
            ("POST", "/tasks", {"title": ""}),
            ("PUT", "/tasks/9", {"title": "Milk"}),
            ("PATCH", "/tasks/9", {}),
            ("DELETE", "/tasks/9", None),
            ("POST", "/tasks/bulk-delete", {"ids": [9]}),
        ]
        for number in range(30):
            method, path, body = writes[number % len(writes)]
            response = await api.request(method, path, json=body, headers=ada)
            assert response.status_code in {200, 201, 400, 404}
        for method, path, body in writes:
            problem_of(await api.request(method, path, json=body, headers=ada), 429)
        assert (await api.get("/tasks", headers=ada)).status_code == 200


async def test_requests_without_a_session_are_counted_by_address(
    app: FastAPI, ada: Headers, problem_of: ProblemOf, subtests: pytest.Subtests
) -> None:
    """What is refused before or without a session spends the budget of the client's address."""
    cases: dict[str, tuple[int, int, dict[str, Any]]] = {
        "192.0.2.1": (401, 100, {"method": "GET", "url": "/tasks"}),
        "192.0.2.2": (401, 100, {"method": "GET", "url": "/tasks", "headers": GUESS}),
        "192.0.2.3": (
            400,
            30,
            {"method": "POST", "url": "/tasks", "content": b"{", "headers": JSON},
        ),
        "192.0.2.4": (404, 100, {"method": "GET", "url": "/nothing"}),
        "192.0.2.5": (405, 30, {"method": "TRACE", "url": "/tasks"}),
    }
    for address, (status, limit, request) in cases.items():
        with subtests.test(status=status, request=request), SettableClock(datetime.now(UTC)):
            async with client(app, remote=(address, 1)) as api:
                for _ in range(limit):
                    problem_of(await api.request(**request), status)
                problem_of(await api.request(**request), 429)
                assert (await api.get("/tasks", headers=ada)).status_code == 200
