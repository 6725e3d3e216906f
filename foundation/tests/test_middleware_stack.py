"""Some routes have bounds of their own."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from prometheus_client import CollectorRegistry

from bedplate.application import create_app
from bedplate.asgi import RequestLimits
from bedplate.backend import Backend, Upload
from bedplate.settings import Settings
from bedplate.testing.client import client

router = APIRouter()


@router.post("/small")
@router.post("/large")
@router.put("/large")
async def take(request: Request) -> int:
    """Return how many bytes came."""
    return len(await request.body())


BACKEND = Backend(
    name="uploads",
    title="Uploads",
    settings=Settings,
    routers=[router],
    uploads=[Upload(path="/large", max_bytes=1000, seconds=5)],
)


def _app() -> FastAPI:
    settings = Settings.load(_env_file=None, max_body_bytes=10)
    return create_app(BACKEND, settings, registry=CollectorRegistry())


async def test_an_upload_may_be_larger_than_other_requests() -> None:
    """The declared route takes what others refuse, and no more than it declares."""
    async with client(_app()) as api:
        assert (await api.post("/small", content=b"x" * 11)).status_code == 413
        assert (await api.post("/large", content=b"x" * 1000)).json() == 1000
        assert (await api.post("/large", content=b"x" * 1001)).status_code == 413


async def test_only_the_declared_method_and_path_count() -> None:
    """Another method, or a path that only begins alike, keeps the ordinary bound."""
    async with client(_app()) as api:
        assert (await api.put("/large", content=b"x" * 11)).status_code == 413
        assert (await api.post("/large/", content=b"x" * 11)).status_code == 413


async def test_what_is_no_request_goes_through_the_ordinary_limits() -> None:
    """A lifespan has neither method nor path."""
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    wrapped = RequestLimits(
        app, limits=(1, 1, 1), uploads={("POST", "/x"): (1, 1, 1)}, max_json_depth=1
    )
    await wrapped({"type": "lifespan"}, None, None)  # type: ignore[arg-type]  # never called
    assert seen == ["lifespan"]
