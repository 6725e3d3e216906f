"""`bedplate routes`."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, WebSocket
from fastapi.security import APIKeyHeader, HTTPBearer
from prometheus_client import CollectorRegistry

from bedplate.application import create_app
from bedplate.backend import Backend
from bedplate.cli.main import main
from bedplate.cli.routes import list_routes
from bedplate.settings import Settings


@pytest.mark.usefixtures("backends")
def test_routes_of_every_backend(capsys: pytest.CaptureFixture[str]) -> None:
    """Each backend has its table of method, path, name and auth."""
    assert main(["routes", "larksongs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "larksongs"
    assert lines[1].split() == ["METHOD", "PATH", "NAME", "AUTH", "SERVED", "BY"]
    assert ["DELETE", "/larksongs/{row_id}", "delete_larksong", "-", "compiled"] in [
        line.split() for line in lines
    ]
    assert main(["routes"]) == 0
    assert "\n\nlarksongs\n" in capsys.readouterr().out


def test_ways_to_prove_who_calls_are_shown() -> None:
    """Security schemes of HTTP routes and of WebSockets are named."""
    bearer, key = HTTPBearer(scheme_name="token"), APIKeyHeader(name="X-Key", scheme_name="key")
    router = APIRouter(prefix="/below")

    @router.get("/both/{path:path}")
    async def both(
        one: Annotated[object, Depends(bearer)], other: Annotated[object, Depends(key)]
    ) -> None: ...

    @router.websocket("/talk")
    async def talk(socket: WebSocket, one: Annotated[object, Depends(key)]) -> None: ...

    backend = Backend(name="guarded", title="Guarded", settings=Settings, routers=[router])
    rows = list(list_routes(create_app(backend, registry=CollectorRegistry())))
    assert ("GET", "/below/both/{path}", "both", "token or key", "compiled") in rows
    assert ("WS", "/below/talk", "talk", "key", "FastAPI: WebSocket") in rows
    assert ("GET", "/", "start_page", "-", "compiled") in rows
