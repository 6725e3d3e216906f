"""Applications: how routes are reached, handlers of errors, own route classes, mounts."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request, Response, WebSocket
from fastapi.encoders import jsonable_encoder
from fastapi.exception_handlers import http_exception_handler, request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bedplate.routing import compile_routes
from bedplate.testing.both_ways import ANY_STATUS, Cases, asked, assert_same
from bedplate.testing.exchanges import Trace

CASES = Cases()
JSON = ("content-type", "application/json")


@pytest.mark.parametrize("name", CASES)
async def test_applications_are_the_same(name: str) -> None:
    """Compiled or not, each request reaches the same function and gets the same answer."""
    await assert_same(*CASES[name])


METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "TRACE", "BREW", "get")
PATHS = (
    "/", "/a", "/a/", "/a//", "//a", "/a/7", "/a/x", "/a/7/", "/a/-7", "/a/7.0", "/f/1.5", "/f/1",
    "/f/x", "/f/1.", "/u/8c2f1c7e-93a8-4a3c-9a57-0d0a6f1f9d53", "/u/1", "/p/a/b/c", "/p/", "/p",
    "/u/8C2F1C7E-93A8-4A3C-9A57-0D0A6F1F9D53", "/p/%2F%2e%2e", "/%61", "/a?x=1", "/A", "/in/a",
    "/in/b", "/in/", "/in", "/later", "/docs", "/openapi.json", "/a/%00", "/a/%F0%9F%90%98", "/é",
    "/two/1/2", "/two/1/", "", "*", "/mounted/a", "/mounted/", "/mounted", "/mounted/in/7?q=1",
    "/starlette/s", "/empty",
)  # fmt: skip


def tell(request: Request, **values: Any) -> list[Any]:
    """Return what a function answers about its request."""
    scope = request.scope
    return [
        scope["route"].path, scope["endpoint"].__name__, str(request.url), scope["root_path"],
        scope["path"], repr(scope["path_params"]), repr(values), str(request.base_url),
        scope.get("app_root_path"),
    ]  # fmt: skip


def many_routes(app: FastAPI, trace: Trace) -> FastAPI:
    """Add routes of many shapes."""

    @app.get("/")
    @app.get("/a")
    @app.get("/empty", include_in_schema=False)
    async def a(request: Request) -> Any:
        return tell(request)

    @app.post("/a")
    @app.api_route("/a/{n:int}", methods=["GET", "PUT"])
    async def number(request: Request, n: int = 0) -> Any:
        return tell(request, n=n)

    @app.get("/a/{text}")
    def text(request: Request, text: str) -> Any:
        return tell(request, text=text)

    @app.get("/f/{x:float}")
    async def real(request: Request, x: float) -> Any:
        return tell(request, x=x)

    @app.get("/u/{u:uuid}")
    async def uuid(request: Request, u: str) -> Any:
        return tell(request, u=u)

    @app.get("/p/{rest:path}")
    @app.options("/p/{rest:path}")
    async def path(request: Request, rest: str) -> Any:
        return tell(request, rest=rest)

    @app.get("/two/{x}/{y}")
    @app.head("/two/{x}/{y}")
    async def two(request: Request, y: int, x: str) -> Any:
        return [*tell(request, x=x, y=y), str(request.url_for("two", x="1", y="2"))]

    router = APIRouter(tags=["t"])

    @router.get("/a")
    @router.post("")
    async def a_in(request: Request) -> Any:
        return tell(request)

    @router.get("/{q}")
    async def any_in(request: Request, q: str) -> Any:
        return tell(request, q=q)

    app.include_router(router, prefix="/in")
    below = FastAPI()
    below.get("/a")(a)
    below.include_router(router, prefix="/in")
    app.mount("/mounted", below)

    async def plain(request: Request) -> Response:
        return PlainTextResponse(str(request.url))

    app.mount("/starlette", Starlette(routes=[Route("/s", plain)]))
    app.router.routes.append(Route("/route", plain))
    return app


ALL_METHODS = {"/a", "/a/7", "/in", "/two/1/2", "/p/", "/mounted/a"}


@pytest.mark.parametrize("redirects", [True, False])
@pytest.mark.parametrize("root_path", ["", "/api", "/a"])
async def test_every_path_with_every_method(redirects: bool, root_path: str) -> None:
    """Odd paths, methods and root paths reach the same function, redirection or refusal."""
    requests = [
        asked(ANY_STATUS, method, path, ("host", "x:1"), root_path=root_path)
        for path in PATHS
        for method in (METHODS if path in ALL_METHODS else METHODS[:3])
    ]
    exchanges = await assert_same(
        lambda trace: many_routes(FastAPI(redirect_slashes=redirects), trace), requests
    )
    assert {each.status for each in exchanges} >= {200, 404, 405, 422 if redirects else 200}


class Timed(APIRoute):
    """A route class of a user's own, as FastAPI documents them."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return a handler that adds a header and reports errors."""
        handle = super().get_route_handler()

        async def timed(request: Request) -> Response:
            try:
                response = await handle(request)
            except RequestValidationError as error:
                raise HTTPException(400, [str(each["loc"]) for each in error.errors()]) from error
            response.headers["x-timed"] = "1"
            return response

        return timed


class Renamed(APIRoute):
    """A route class that only adds something."""

    word = "own"


@CASES.add(
    asked(200, "GET", "/timed?q=1"), asked(400, "GET", "/timed?q=x"),
    asked(200, "GET", "/renamed?q=1"),
    asked(200, "GET", "/route?q=1"), asked(422, "GET", "/route?q=x"),
    asked(200, "GET", "/plain?q=1"),
)  # fmt: skip
def own_route_classes(trace: Trace) -> FastAPI:
    """A route class of a user's own does what it does, whatever of the others is compiled."""
    app = FastAPI()

    async def endpoint(q: int, request: Request) -> Any:
        return [q, type(request.scope["route"]).__name__]

    for path, kind in (("/timed", Timed), ("/renamed", Renamed)):
        router = APIRouter(route_class=kind)
        router.add_api_route(path, endpoint)
        app.include_router(router)
    app.router.add_api_route("/plain", endpoint)
    app.router.routes.append(APIRoute("/route", endpoint))
    return app


class Own(Exception):
    """An error of a test."""


class Below(Own):
    """A kind of it."""


@CASES.add(
    asked(418, "GET", "/own"), asked(418, "GET", "/below"), asked(404, "GET", "/http"),
    asked(400, "GET", "/invalid?q=x"), asked(500, "GET", "/other"), asked(409, "GET", "/starlette"),
    asked(404, "GET", "/nowhere"), asked(405, "POST", "/own"), asked(401, "GET", "/status"),
    asked(500, "GET", "/handler-fails"), asked(204, "GET", "/no-body"),
    asked(403, "GET", "/detail"),
    asked(418, "GET", "/response"), asked(400, "POST", "/body", JSON, body=b"{"),
    asked(418, "GET", "/group"),
)  # fmt: skip
def handlers_of_errors(trace: Trace) -> FastAPI:
    """Handlers by class and by status are asked as FastAPI asks them, with the same error."""
    app = FastAPI()

    @app.exception_handler(Own)
    def own(request: Request, error: Own) -> Response:  # in a thread
        trace.note(f"own {error!r} {request.url.path}")
        return JSONResponse({"own": str(error)}, 418, {"x-own": "1"})

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        trace.note(repr(error.errors()))
        response = await request_validation_exception_handler(request, error)
        return JSONResponse(jsonable_encoder(error.errors()), 400, dict(response.headers) and {})

    @app.exception_handler(StarletteHTTPException)
    async def http(request: Request, error: StarletteHTTPException) -> Response:
        trace.note(f"http {error!r}")
        return await http_exception_handler(request, error)

    @app.exception_handler(401)
    async def status(request: Request, error: HTTPException) -> Response:
        trace.note(f"401 {error!r}")
        return PlainTextResponse("who?", 401)

    @app.exception_handler(ArithmeticError)
    async def failing(request: Request, error: ArithmeticError) -> Response:
        raise KeyError("handler") from error

    @app.exception_handler(Exception)
    async def everything(request: Request, error: Exception) -> Response:
        trace.note(f"everything {error!r}")
        return PlainTextResponse("sorry", 500)

    errors: dict[str, BaseException] = {
        "own": Own("a"), "below": Below("b"), "http": HTTPException(404, "no", {"x-a": "1"}),
        "other": KeyError("k"), "starlette": StarletteHTTPException(409),
        "status": HTTPException(401),
        "handler-fails": ZeroDivisionError("z"), "no-body": HTTPException(204, "ignored"),
        "detail": HTTPException(403, {"a": [1, None]}),
        "group": Own(ExceptionGroup("g", [Own("x")])),
    }  # fmt: skip

    def raising(error: BaseException) -> Callable[[], Awaitable[None]]:
        async def raises() -> None:
            raise error

        return raises

    for path, error in errors.items():
        app.add_api_route(f"/{path}", raising(error))

    class Failing(Response):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            raise Own("in the response")

    @app.get("/response")
    async def response() -> Response:
        return Failing()

    @app.get("/invalid")
    async def with_query(q: int) -> None:
        trace.note("never")

    @app.post("/body")
    async def with_body(body: dict[str, Any]) -> None:
        trace.note("never")

    return app


class Noting:
    """Middleware that notes and changes what passes."""

    def __init__(self, app: ASGIApp, trace: Trace) -> None:
        self.app, self.trace = app, trace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            self.trace.note("middleware")
            scope["headers"] = (*scope["headers"], (b"x-added", b"by middleware"))
            scope["query_string"] += b"&q=5"
        await self.app(scope, receive, send)


@CASES.add(asked(200, "GET", "/"), asked(200, "GET", "/?q=1"), asked(422, "GET", "/?n=x"))
def middleware_and_state(trace: Trace) -> FastAPI:
    """What middleware changed and what the lifespan yielded reaches the endpoint."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        yield {"word": "from the lifespan"}

    app = FastAPI(lifespan=lifespan, middleware=[Middleware(Noting, trace)])

    @app.middleware("http")
    async def base(request: Request, call_next: Any) -> Any:
        request.state.base = "b"
        response = await call_next(request)
        response.headers["x-base"] = "1"
        return response

    @app.get("/")
    async def endpoint(
        request: Request, x_added: Annotated[str, Header()], q: int, n: int = 1
    ) -> Any:
        return [x_added, q, request.state.word, request.state.base, request.app is app]

    return app


@CASES.add(
    asked(200, "GET", "/", ("host", "api.example.org")),
    asked(200, "GET", "/", ("host", "example.org")),
    asked(200, "GET", "/after", ("host", "x")),
    asked(404, "GET", "/after", ("host", "api.example.org")),
)  # fmt: skip
def hosts(trace: Trace) -> FastAPI:
    """Applications by host get what is theirs."""
    app, api = FastAPI(), FastAPI()
    app.host("api.example.org", api)

    @app.get("/")
    @app.get("/after")
    async def main() -> str:
        return "main"

    @api.get("/")
    async def of_host() -> str:
        return "api"

    return app


@CASES.add(
    asked(404, "GET", "/later"), asked(200, "GET", "/add"), asked(200, "GET", "/later"),
    asked(200, "GET", "/in/later"), asked(200, "GET", "/7"), asked(200, "GET", "/remove"),
    asked(ANY_STATUS, "GET", "/later"),
)  # fmt: skip
def routes_that_come_later(trace: Trace) -> FastAPI:
    """Routes that are added after the first request are served."""
    app = FastAPI()
    router = APIRouter()

    async def later(request: Request, q: int = 3) -> Any:
        return [q, request.scope["route"].path]

    @app.get("/add")
    async def add() -> None:
        app.add_api_route("/later", later)
        router.add_api_route("/later", later)
        app.include_router(router, prefix="/in")

    @app.get("/remove")
    async def remove() -> None:
        trace.note("nothing is removed")

    @app.get("/{n:int}")
    async def number(n: int) -> int:
        return n

    return app


@CASES.add(
    *(asked(status, "GET", f"/{path}") for path, status in (("a", 200), ("b", 500), ("c", 500)))
)
def names_that_a_thread_has(trace: Trace) -> FastAPI:
    """Parameters with the names of what calls functions in threads fail, or don't, the same."""
    app = FastAPI()

    def func(func: str = "f") -> str:
        return func

    async def function(function: str = "g", arguments: int = 1) -> str:
        return function

    def threaded(function: str = "g", arguments: int = 1, func: int = 2) -> list[Any]:
        return [function, arguments, func]

    app.add_api_route("/a", threaded, dependencies=[Depends(function)])
    app.add_api_route("/b", function, dependencies=[Depends(func)])
    app.add_api_route("/c", threaded, dependencies=[Depends(threaded)])
    return app


async def test_websockets_are_served() -> None:
    """A websocket has its dependencies, next to compiled routes."""
    app = FastAPI()

    async def word(socket: WebSocket, q: str) -> str:
        return f"{q} {socket.url.path}"

    @app.websocket("/ws")
    async def endpoint(socket: WebSocket, word: Annotated[str, Depends(word)]) -> None:
        await socket.accept()
        await socket.send_text(word)
        await socket.close()

    compile_routes(app)
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": "/ws",
        "query_string": b"q=1",
        "headers": [],
        "path_params": {},
    }
    await app(scope, receive, send)
    assert [each["type"] for each in sent] == [
        "websocket.accept", "websocket.send", "websocket.close",
    ]  # fmt: skip
    assert sent[1]["text"] == "1 /ws"
