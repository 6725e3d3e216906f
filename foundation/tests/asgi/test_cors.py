"""Cross-origin requests."""

from collections.abc import AsyncIterator

import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry

from bedplate.application import create_app
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
