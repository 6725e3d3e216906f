"""Which methods a 405 says a path knows (RFC 9110, section 10.2.1)."""

import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import Mount, Route, Router

from bedplate.asgi import HeadAsGet
from bedplate.problems import install_problems
from bedplate.testing.client import client


def _routes() -> APIRouter:
    router = APIRouter()

    @router.post("/notes")
    async def write() -> str:
        return "written"

    @router.get("/notes/{note_id}")
    async def read(note_id: str) -> str:
        return "note"

    @router.delete("/notes/{note_id}")
    async def delete(note_id: str) -> str:
        return "gone"

    return router


def _app() -> FastAPI:
    app = FastAPI()
    install_problems(app)
    nested = APIRouter()
    nested.include_router(_routes())
    app.include_router(nested, prefix="/api")
    return app


async def test_an_unknown_method_is_answered_with_all_known_ones() -> None:
    """Routes of different methods on one path, two routers deep."""
    async with client(_app()) as one:
        response = await one.put("/api/notes/1")
        assert response.json()["code"] == "method_not_allowed"
        assert response.headers["allow"] == "DELETE, GET"
        assert (await one.get("/api/notes")).headers["allow"] == "POST"


async def test_head_is_allowed_where_it_is_answered() -> None:
    """FastAPI doesn't answer HEAD; with `HeadAsGet` it does, and `Allow` says so."""
    app = _app()
    app.add_middleware(HeadAsGet)
    async with client(app) as one:
        response = await one.put("/api/notes/1")
        assert response.headers["allow"] == "DELETE, GET, HEAD"
        head = await one.head("/api/notes/1")
        assert head.status_code == 200
    async with client(_app()) as one:
        head = await one.head("/api/notes/1")
        assert head.status_code == 405
        assert "HEAD" not in head.headers["allow"]


@pytest.mark.parametrize("root_path", ["", "/served", "/api", "/ap"])
async def test_allow_is_full_behind_a_root_path(root_path: str) -> None:
    """A proxy's prefix isn't part of the routes, also when it looks like one of them."""
    async with client(_app(), root_path=root_path) as one:
        response = await one.put(f"{root_path}/api/notes/1")
    assert response.status_code == 405
    assert response.headers["allow"] == "DELETE, GET"


async def test_allow_of_a_mounted_application_is_its_own() -> None:
    """Its handlers answer, with its routes."""
    inner = _app()
    outer = FastAPI()
    install_problems(outer)
    outer.mount("/inner", inner)
    outer.add_api_route("/api/notes/{x}", lambda: "outer", methods=["PATCH"])
    async with client(outer) as one:
        response = await one.put("/inner/api/notes/1")
    assert response.headers["allow"] == "DELETE, GET"
    assert response.json()["instance"] == "/inner/api/notes/1"


async def test_allow_of_a_plain_router_is_kept() -> None:
    """Routes that FastAPI can't list say themselves what they know."""
    app = FastAPI()
    install_problems(app)
    app.router.routes.append(Mount("/plain", Router([Route("/x", _nothing, methods=["POST"])])))
    async with client(app) as one:
        response = await one.get("/plain/x")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


async def _nothing(_: object) -> None: ...
