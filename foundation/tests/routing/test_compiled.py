"""What is compiled, what FastAPI serves, and that nothing of it depends on luck."""

from collections.abc import Iterator
from typing import Annotated, Any

import fastapi.routing
import pytest
from fastapi import APIRouter, Depends, FastAPI, Form, Request, UploadFile, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Route
from structlog.testing import capture_logs

from bedplate.routing import compile_routes, served_by
from bedplate.routing import compiled as compiled_module
from bedplate.testing.exchanges import RawRequest, Trace, exchange


class OwnHandler(APIRoute):
    """A route class of a user's."""

    def get_route_handler(self) -> Any:
        """Return the handler of FastAPI, as a subclass would wrap it."""
        return super().get_route_handler()


def application() -> FastAPI:  # noqa: C901 - one small route for each reason
    """Return an application with a route for each reason."""
    app = FastAPI(openapi_url=None)
    own = APIRouter(route_class=OwnHandler)
    limited = APIRouter(form_limits={"max_fields": 1})

    @app.get("/compiled/{number:int}")
    async def plain(number: int, q: str = "") -> str:
        return f"{number} {q}"

    @app.get("/compiled/{rest:path}")
    def any_convertor(rest: str) -> str:
        return rest

    @own.get("/own")
    async def own_class() -> None: ...

    @limited.get("/limits")
    async def limits() -> None: ...

    @app.post("/form")
    async def form(word: Annotated[str, Form()]) -> None: ...

    @app.post("/file")
    async def file(file: UploadFile) -> None: ...

    @app.post("/body-limit", max_body_size=10)
    async def body_limit(words: list[str]) -> None: ...

    @app.get("/yields")
    def yields() -> Iterator[int]:
        yield 1

    @app.get("/raw", response_class=StreamingResponse)
    def raw() -> Iterator[str]:
        yield "1"

    @app.websocket("/socket")
    async def socket(socket: WebSocket) -> None: ...

    async def starlette(request: Request) -> PlainTextResponse:
        return PlainTextResponse("starlette")

    app.include_router(own)
    app.include_router(limited)
    app.router.routes.append(Route("/starlette", starlette))
    app.router.routes.append(Host("elsewhere.example", FastAPI()))

    @app.get("/behind")
    async def behind() -> None: ...

    return app


def servers(app: FastAPI) -> dict[str, str]:
    """Return who serves each path."""
    return {
        str(getattr(described, "path_format", "")): server for described, server in served_by(app)
    }


def test_who_serves_what() -> None:
    """Each route is compiled or has its reason, and without the switch FastAPI serves all."""
    app = application()
    assert set(servers(app).values()) >= {"FastAPI: not switched on"}
    compile_routes(app)
    assert servers(app) == {
        "/compiled/{number}": "compiled",
        "/compiled/{rest}": "compiled",
        "/form": "FastAPI: form",
        "/file": "FastAPI: form",
        "/body-limit": "FastAPI: own body limit",
        "/yields": "FastAPI: stream",
        "/raw": "FastAPI: stream",
        "/socket": "FastAPI: WebSocket",
        "/own": "FastAPI: own route class",
        "/limits": "FastAPI: form limits",
        "/starlette": "FastAPI: not a route of FastAPI's",
        "": "FastAPI: after a mount without a path",
        "/behind": "FastAPI: after a mount without a path",
    }


@pytest.mark.parametrize("name", ["solve_dependencies", "run_endpoint_function"])
def test_a_patched_fastapi_serves_everything(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who replaces a function of FastAPI's gets each request."""
    original = getattr(fastapi.routing, name)

    async def replaced(**arguments: Any) -> Any:
        return await original(**arguments)

    monkeypatch.setattr(fastapi.routing, name, replaced)
    app = application()
    compile_routes(app)
    assert servers(app)["/compiled/{number}"] == "FastAPI: FastAPI is patched"


async def test_a_route_that_cannot_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says that FastAPI serves a route, once, and the route answers."""

    def broken(described: Any) -> Any:
        raise RuntimeError("unknown")

    monkeypatch.setattr(compiled_module, "compile_route", broken)
    app = application()
    compile_routes(app)
    with capture_logs() as logs:
        for _ in range(2):
            answered = await exchange(app, RawRequest("GET", "/compiled/7?q=a"), trace=Trace())
            assert answered.body == b'"7 a"'
    assert [(each["event"], each["path"]) for each in logs] == [
        ("route_not_compiled", "/compiled/{number}")
    ]


async def test_a_compiled_route_does_without_fastapi(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compiled doesn't ask FastAPI to solve it, until a dependency is overridden."""
    asked = []

    def dependency() -> str:
        return "original"

    app = FastAPI(openapi_url=None)

    @app.get("/")
    async def endpoint(value: Annotated[str, Depends(dependency)]) -> str:
        return value

    compile_routes(app)
    assert (await exchange(app, RawRequest("GET", "/"), trace=Trace())).body == b'"original"'
    original = vars(fastapi.routing)["solve_dependencies"]

    async def replaced(**arguments: Any) -> Any:
        asked.append(arguments["request"].url.path)
        return await original(**arguments)

    monkeypatch.setattr(fastapi.routing, "solve_dependencies", replaced)
    assert (await exchange(app, RawRequest("GET", "/"), trace=Trace())).body == b'"original"'
    assert asked == []
    app.dependency_overrides[dependency] = lambda: "overridden"
    assert (await exchange(app, RawRequest("GET", "/"), trace=Trace())).body == b'"overridden"'
    assert asked == ["/"]
    app.dependency_overrides.clear()
    assert (await exchange(app, RawRequest("GET", "/"), trace=Trace())).body == b'"original"'
    assert asked == ["/"]
