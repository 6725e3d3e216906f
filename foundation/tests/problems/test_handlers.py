"""Every error of every kind, on a plain FastAPI application."""

import json
from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException, WebSocket
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message

from bedplate.problems import (
    MEDIA_TYPE,
    NotFound,
    ProblemError,
    ServiceUnavailable,
    TooManyRequests,
    install_problems,
)
from bedplate.testing.client import Client, client

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "timestamp", "request_id"}
SECRET = "xq7ZkSecretw9"
JSON = {"content-type": "application/json"}


class TooBusy(TooManyRequests):
    """A domain's own error."""

    code = "too_busy"


def _routes() -> APIRouter:
    router = APIRouter()

    @router.post("/notes")
    async def write(count: Annotated[int, Body(le=3)]) -> int:
        return count

    @router.get("/notes/{note_id}")
    async def read(note_id: UUID, page: int = 1) -> str:
        return "note"

    @router.get("/fails/{how}")
    async def fail(how: str) -> str:
        raise FAILURES[how]

    return router


FAILURES: dict[str, Exception] = {
    "domain": TooBusy("Later.", retry_after=9, headers={"X-Mine": "1"}),
    "silent": NotFound(),
    "text": HTTPException(409, "Somebody was faster.", {"X-Mine": "2"}),
    "dict": HTTPException(400, {"reason": "full", "places": 0}),
    "strange": HTTPException(400, {"reason": object(), "number": float("nan")}),
    "499": HTTPException(499),
    "599": HTTPException(599),
    "418": HTTPException(418, "Short and stout."),
    "401": HTTPException(401, headers={"WWW-Authenticate": "Basic"}),
    "304": HTTPException(304, headers={"ETag": '"1"'}),
    "crash": RuntimeError("secret detail of the inside"),
    "away": ServiceUnavailable("The store is away.", retry_after=4),
}

MakeApp = Callable[..., FastAPI]
ProblemOf = Callable[[Any], dict[str, Any]]


@pytest.fixture
def routes() -> APIRouter:
    """The routes of the application."""
    return _routes()


@pytest.mark.parametrize(
    ("how", "status", "code", "detail"),
    [
        ("domain", 429, "too_busy", "Later."),
        ("silent", 404, "not_found", "Not Found"),
        ("text", 409, "conflict", "Somebody was faster."),
        ("dict", 400, "bad_request", "Bad Request"),
        ("strange", 400, "bad_request", "Bad Request"),
        ("499", 499, "client_error", "Client Error"),
        ("418", 418, "im_a_teapot", "Short and stout."),
        ("401", 401, "unauthorized", "Unauthorized"),
    ],
)
async def test_every_error_that_is_raised_is_a_problem(
    caller: Client, how: str, status: int, code: str, detail: str, problem_of: ProblemOf
) -> None:
    """With every member, whoever raised it and whatever its status is."""
    document = problem_of(await caller.get(f"/api/fails/{how}?token=secret"))
    assert document.keys() >= MEMBERS
    assert (document["status"], document["code"], document["detail"]) == (status, code, detail)
    assert document["instance"] == f"/api/fails/{how}"


async def test_a_server_error_may_have_any_status(caller: Client, problem_of: ProblemOf) -> None:
    """599 is none of HTTP's, and passes; 503 says when to come back."""
    with caller.expecting(599, 503):
        assert problem_of(await caller.get("/api/fails/599"))["code"] == "server_error"
        response = await caller.get("/api/fails/away")
    assert problem_of(response)["retry_after"] == 4
    assert response.headers["retry-after"] == "4"


@pytest.mark.parametrize("kind", ["text/plain", ""])
async def test_json_that_is_not_declared_names_the_header(caller: Client, kind: str) -> None:
    """A client that forgot the Content-Type learns that, not that its JSON is no dictionary."""
    answer = await caller.post("/api/notes", content=b"{}", headers={"content-type": kind})
    [error] = answer.json()["errors"]
    assert error["message"] == "Send JSON, with the header Content-Type: application/json"
    answer = await caller.post("/api/notes", content=b'"x"', headers=JSON)
    assert "Content-Type" not in answer.text


async def test_headers_of_an_error_are_kept(caller: Client) -> None:
    """Of our errors and of an `HTTPException`."""
    assert (await caller.get("/api/fails/domain")).headers["x-mine"] == "1"
    assert (await caller.get("/api/fails/text")).headers["x-mine"] == "2"
    assert (await caller.get("/api/fails/401")).headers["www-authenticate"] == "Basic"


async def test_a_detail_that_is_no_text_becomes_the_context(
    caller: Client, problem_of: ProblemOf
) -> None:
    """FastAPI allows anything there; what JSON can't hold is left out."""
    document = problem_of(await caller.get("/api/fails/dict"))
    assert document["context"] == {"reason": "full", "places": 0}
    assert "context" not in problem_of(await caller.get("/api/fails/strange"))


async def test_a_status_without_a_body_has_none(caller: Client) -> None:
    """304 and its like are no problems (RFC 9110, section 15.4.5)."""
    response = await caller.get("/api/fails/304")
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == '"1"'


async def test_an_unforeseen_error_is_a_problem_without_a_trace(
    caller: Client, captured_logs: list[dict[str, Any]], problem_of: ProblemOf
) -> None:
    """The client learns the request id; the log has the rest under it."""
    with caller.expecting(500):
        response = await caller.get("/api/fails/crash")
    document = problem_of(response)
    assert document["status"] == 500
    assert document.keys() >= MEMBERS
    assert "secret" not in response.text
    assert "RuntimeError" not in response.text
    logged = [entry for entry in captured_logs if "secret detail" in str(entry)]
    assert logged[0]["request_id"] == document["request_id"]


async def test_without_a_request_id_there_is_no_member() -> None:
    """Without the access log there is none; everything else is the same."""
    app = FastAPI()
    install_problems(app)
    async with client(app) as one:
        document = (await one.get("/nowhere")).json()
    assert document.keys() == MEMBERS - {"request_id"}


async def test_a_path_that_no_route_knows_is_a_problem(
    caller: Client, problem_of: ProblemOf
) -> None:
    """The router's own 404 is no exception of anybody's."""
    document = problem_of(await caller.get("/nowhere"))
    assert (document["status"], document["code"]) == (404, "not_found")


@given(
    path=st.binary(max_size=20).map(lambda raw: raw.replace(b"?", b"")),
    query=st.binary(max_size=20),
)
@settings(max_examples=60, deadline=None)
async def test_no_bytes_in_path_or_query_are_a_server_error(
    path: bytes, query: bytes, make_app: MakeApp
) -> None:
    """As a server hands them over: percent-decoded and as UTF-8 where it is."""
    started = await _call(
        make_app(_routes()),
        path=f"/api/notes/{path.decode('utf-8', 'replace')}",
        raw_path=b"/api/notes/" + path,
        query_string=b"page=" + query,
    )
    assert 300 <= started["status"] < 500


async def _call(app: FastAPI, **scope: Any) -> Message:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(
        {
            "type": "http",
            "method": "GET",
            "headers": [],
            "scheme": "http",
            "server": ("testserver", 80),
            "client": ("192.0.2.1", 1),
            "http_version": "1.1",
            "root_path": "",
            **scope,
        },
        receive,
        send,
    )
    return sent[0]


@pytest.mark.parametrize("path", ["/api/notes/", "/api/notes", "/nowhere"])
async def test_a_query_that_is_no_text_is_refused(path: str, make_app: MakeApp) -> None:
    """Starlette decodes it when it would redirect a path to the one without a slash."""
    sent = await _call(make_app(_routes()), path=path, raw_path=path.encode(), query_string=b"\xff")
    assert 400 <= sent["status"] < 500


async def test_an_undecodable_text_of_ours_is_our_fault() -> None:
    """Only the query is the client's."""
    app = FastAPI()
    install_problems(app)

    @app.get("/")
    async def decode() -> str:
        return b"\xff".decode()

    async with client(app, raise_app_exceptions=False) as one:
        with one.expecting(500):
            document = (await one.get("/?page=1")).json()
    assert document["code"] == "internal_server_error"


async def test_what_was_refused_before_any_dependency_may_be_charged() -> None:
    """`refused` sees refused input and the router's errors, and may answer instead."""
    seen: list[str] = []

    async def charge(request: Any) -> None:
        seen.append(request.url.path)
        if len(seen) > 2:
            raise TooBusy("Later.", retry_after=9)

    app = FastAPI()
    install_problems(app, refused=charge)
    app.include_router(_routes())
    async with client(app) as one:
        statuses = [
            (await one.post("/notes", json=9)).status_code,
            (await one.get("/nowhere")).status_code,
            (await one.post("/notes", content=b"{", headers=JSON)).status_code,
            (await one.get("/fails/silent")).status_code,
        ]
    assert statuses == [422, 404, 429, 404]
    assert seen == ["/notes", "/nowhere", "/notes"]


def _sockets(error: Exception, *, accept: bool) -> FastAPI:
    app = FastAPI()
    install_problems(app)

    async def check() -> None:
        if not accept:
            raise error

    @app.websocket("/live")
    async def live(socket: WebSocket, room: int, _: Annotated[None, Depends(check)]) -> None:
        await socket.accept()
        raise error

    return app


async def _connect(app: FastAPI, query: bytes = b"room=1", *, denial: bool = True) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(
        {
            "type": "websocket",
            "path": "/live",
            "raw_path": b"/live",
            "query_string": query,
            "headers": [],
            "scheme": "ws",
            "server": ("testserver", 80),
            "client": ("192.0.2.1", 1),
            "subprotocols": [],
            "root_path": "",
            "extensions": {"websocket.http.response": {}} if denial else {},
        },
        receive,
        send,
    )
    return sent


@pytest.mark.parametrize(
    ("error", "status"), [(NotFound(), 404), (HTTPException(409), 409), (TooBusy(), 429)]
)
async def test_a_websocket_is_refused_with_a_problem(error: Exception, status: int) -> None:
    """As an HTTP response to the handshake (ASGI's denial response)."""
    start, body = await _connect(_sockets(error, accept=False))
    assert (start["type"], start["status"]) == ("websocket.http.response.start", status)
    assert (b"content-type", MEDIA_TYPE.encode()) in start["headers"]
    assert json.loads(body["body"])["status"] == status


async def test_refused_input_of_a_websocket_is_not_repeated() -> None:
    """FastAPI would send it back in the reason of the closure."""
    start, body = await _connect(_sockets(NotFound(), accept=True), b"room=" + SECRET.encode())
    assert start["status"] == 422
    assert json.loads(body["body"])["errors"][0]["field"] == "room"
    assert SECRET.encode() not in body["body"]


async def test_a_server_without_denial_responses_closes_the_handshake() -> None:
    """It answers 403 by itself then; the reason is the code of the problem."""
    sent = await _connect(_sockets(NotFound(), accept=False), denial=False)
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": "not_found"}]


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [(NotFound(), 1008, "not_found"), (ServiceUnavailable(), 1011, "service_unavailable")],
)
async def test_an_accepted_websocket_is_closed(error: ProblemError, code: int, reason: str) -> None:
    """There is no response any more; RFC 6455 has codes for both sides' faults."""
    accepted, closed = await _connect(_sockets(error, accept=True))
    assert accepted["type"] == "websocket.accept"
    assert closed == {"type": "websocket.close", "code": code, "reason": reason}
