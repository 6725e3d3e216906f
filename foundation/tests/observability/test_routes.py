"""The template of the route that a request matched, and which pages are z-pages."""

import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.testclient import TestClient

from bedplate.observability.routes import is_z_page, route_template


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/api/items/5", "/api/items/{item_id}"),
        ("/plain/5", "/plain/{item_id}"),
        ("/converted/5", "/converted/{item_id}"),
    ],
)
def test_template(path: str, template: str) -> None:
    """The template is the whole one, with the prefixes of all routers and no convertors."""
    seen: list[str | None] = []

    async def note(item_id: int, request: Request) -> None:
        seen.append(route_template(request.scope))

    app, inner, outer = FastAPI(), APIRouter(prefix="/items"), APIRouter()
    inner.get("/{item_id}")(note)
    outer.include_router(inner)
    app.include_router(outer, prefix="/api")
    app.get("/plain/{item_id}")(note)
    app.get("/converted/{item_id:int}")(note)
    TestClient(app).get(path)
    assert seen == [template]


def test_no_route() -> None:
    """A request that met no route has no template."""
    assert route_template({"type": "http"}) is None


@pytest.mark.parametrize(
    ("path", "root_path", "expected"),
    [
        ("/healthz", "", True),
        ("/shop/readyz", "/shop", True),
        ("/readyz", "/shop", True),
        ("/items", "", False),
        ("/items/healthz", "", False),
    ],
)
def test_z_pages(path: str, root_path: str, expected: bool) -> None:
    """A z-page is one also where its backend is mounted under a path."""
    assert is_z_page({"path": path, "root_path": root_path}) is expected
