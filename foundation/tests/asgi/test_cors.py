"""Cross-origin requests."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedplate.application import create_app
from bedplate.asgi import CORS
from bedplate.backend import Backend, CORSPolicy
from bedplate.settings import Settings
from bedplate.testing.client import Client, client

FRIEND = {"Origin": "https://app.example.com"}
JSON = {"Content-Type": "application/json"}
STRANGER = {"Origin": "https://evil.example.com"}

router = APIRouter()


@router.get("/crash")
async def crash() -> None:
    """Fail in an unforeseen way."""
    raise RuntimeError


@router.post("/echo")
async def echo(text: dict[str, str]) -> dict[str, str]:
    """Return what was sent."""
    return text


@pytest.fixture
def app() -> FastAPI:
    """Give a backend that one origin may call."""
    backend = Backend(
        name="shared", title="Shared", settings=Settings, routers=[router], cors=CORSPolicy()
    )
    settings = Settings(_env_file=None, cors_origins=[FRIEND["Origin"]], max_body_bytes=1_000)
    return create_app(backend, settings, registry=CollectorRegistry())


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[Client]:
    """Give a client of the backend."""
    async with client(app, raise_app_exceptions=False) as opened:
        yield opened


async def test_every_answer_can_be_read_by_the_origin(api: Client) -> None:
    """A page sees success, 404, 413, 400 and 500 alike, not a network error."""
    with api.expecting(500):
        answers = [
            await api.post("/echo", json={"a": "b"}, headers=FRIEND),
            await api.get("/nowhere", headers=FRIEND),
            await api.post("/echo", json={"a": "b" * 2_000}, headers=FRIEND),
            await api.post("/echo", content=b"[" * 900, headers=FRIEND | JSON),
            await api.get("/crash", headers=FRIEND),
        ]
    assert [answer.status_code for answer in answers] == [200, 404, 413, 400, 500]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == FRIEND["Origin"]
        assert "X-Request-ID" in answer.headers["access-control-expose-headers"]


async def test_a_stranger_may_not_read(api: Client) -> None:
    """Another origin gets no permission to read an answer."""
    answer = await api.get("/nowhere", headers=STRANGER)
    assert "access-control-allow-origin" not in answer.headers
    assert "Origin" in answer.headers["vary"]


async def test_a_preflight_is_answered(api: Client) -> None:
    """The origin learns which methods and headers it may use, and that it may send cookies."""
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "If-Match"}
    answer = await api.options("/echo", headers={**FRIEND, **asked})
    assert answer.status_code == 200
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize(
    "headers",
    [
        {**STRANGER, "Access-Control-Request-Method": "GET"},
        {**FRIEND, "Access-Control-Request-Method": "BREW"},
        {
            **FRIEND,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "X-Secret",
        },
    ],
)
async def test_a_refused_preflight_is_a_problem(api: Client, headers: dict[str, str]) -> None:
    """A preflight for what isn't allowed gets a problem document, and no permission."""
    answer = await api.options("/echo", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "cors_refused")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "access-control-allow-origin" not in answer.headers


POLICIES = st.fixed_dictionaries(
    {
        "allow_origins": st.sampled_from([["*"], [FRIEND["Origin"]]]),
        "allow_methods": st.sampled_from([["*"], ["GET", "PATCH"]]),
        "allow_headers": st.sampled_from([["*"], ["If-Match"]]),
        "expose_headers": st.sampled_from([[], ["X-Request-ID"]]),
        "allow_credentials": st.booleans(),
    }
)
REQUEST_HEADERS = st.lists(
    st.sampled_from(
        [
            (b"origin", FRIEND["Origin"].encode()),
            (b"origin", STRANGER["Origin"].encode()),
            (b"access-control-request-method", b"PATCH"),
            (b"access-control-request-method", b"BREW"),
            (b"access-control-request-headers", b"If-Match"),
            (b"accept", b"*/*"),
        ]
    ),
    max_size=5,
)
VARIES = st.sampled_from([b"Origin", b"Accept", b"accept-encoding, Cookie", b"*", b"", b"\xe9"])
RESPONSE_HEADERS = st.none() | st.lists(
    st.tuples(st.sampled_from([b"vary", b"Vary"]), VARIES)
    | st.tuples(st.just(b"etag"), st.just(b'"1"'))
    | st.tuples(st.just(b"access-control-allow-origin"), st.just(b"null")),
    max_size=5,
)


async def _messages(layer: ASGIApp, scope: Scope) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    await layer(scope, receive, send)
    return sent


def _answering(headers: list[tuple[bytes, bytes]] | None) -> ASGIApp:
    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        start: Message = {"type": "http.response.start", "status": 200}
        await send(start if headers is None else {**start, "headers": tuple(headers)})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await send({"type": "http.response.body", "body": b"b"})

    return answer


@given(POLICIES, st.sampled_from(["GET", "OPTIONS"]), REQUEST_HEADERS, RESPONSE_HEADERS)
async def test_headers_are_those_of_starlette(
    policy: dict[str, Any],
    method: str,
    sent: list[tuple[bytes, bytes]],
    answered: list[tuple[bytes, bytes]] | None,
) -> None:
    """With an Origin or without, however many Vary there are; a refusal differs in its body."""
    scope = {"type": "http", "method": method, "path": "/", "headers": sent}
    expected = await _messages(CORSMiddleware(_answering(answered), **policy), dict(scope))
    messages = await _messages(CORS(_answering(answered), **policy), dict(scope))
    if expected[0]["status"] == 400:
        vary = [header for header in expected[0]["headers"] if header[0] == b"vary"]
        assert messages[0]["status"] == 400
        assert [header for header in messages[0]["headers"] if header[0] == b"vary"] == vary
    else:
        assert messages == expected


async def test_what_is_not_http_passes_untouched() -> None:
    """A WebSocket's handshake has no CORS headers to add."""
    scope = {"type": "websocket", "path": "/", "headers": []}
    (start, *_) = await _messages(CORS(_answering([]), allow_origins=["*"]), scope)
    assert start["headers"] == ()
