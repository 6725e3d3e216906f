"""One trivial typed route: what is left of a request when it does nothing."""

from typing import Annotated

from fastapi import APIRouter, FastAPI, Path
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from bedplate.application import create_app
from bedplate.backend import Backend
from bedplate.settings import Settings
from benchmarks.cases import TRIVIAL
from benchmarks.contender import Contender, HttpRequest
from benchmarks.logs import log_to_null

REQUEST = HttpRequest("GET", "/items/7", members=frozenset({"id", "name"}))


class Item(BaseModel):
    id: int
    name: str


async def read_item(item_id: Annotated[int, Path(ge=1)]) -> Item:
    return Item(id=item_id, name="hammer")


async def build_bare(database_url: str, redis_url: str) -> Contender:  # noqa: ARG001
    """Return FastAPI with the route and nothing else."""
    app = FastAPI()
    app.get("/items/{item_id}")(read_item)
    return Contender(app, {TRIVIAL: REQUEST})


async def build_ours(database_url: str, redis_url: str) -> Contender:  # noqa: ARG001
    """Return the route as a backend of the foundation, in production: all that it does is on."""
    log_to_null()
    router = APIRouter()
    router.get("/items/{item_id}")(read_item)
    declared = Backend(name="trivial", title="Trivial", settings=Settings, routers=[router])
    settings = Settings.load(environment="production")
    return Contender(create_app(declared, settings), {TRIVIAL: REQUEST})


async def build_raw(database_url: str, redis_url: str) -> Contender:  # noqa: ARG001
    """Return an app of two sends: what the measuring itself costs."""
    return Contender(raw, {TRIVIAL: REQUEST})


async def raw(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer always the same."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b'{"id":7,"name":"hammer"}'})
