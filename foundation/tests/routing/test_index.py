"""The index finds the route that FastAPI would choose, and leaves the same in the scope."""

import itertools
import json
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from hypothesis import example, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Match
from starlette.types import Message, Scope
from structlog.testing import capture_logs

from bedplate.application import create_app
from bedplate.cli.installed import load_all
from bedplate.observability.routes import route_template
from bedplate.routing import compile_routes
from bedplate.routing.index import RouteIndex

METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD")
PARTS = ("a", "b", "{x}", "{y:int}", "{z:uuid}", "{f:float}", "a-{w}", "{rest:path}")
SENT = ("a", "b", "7", "1.5", "a-b", "", "a%2Fb", "%0A", "8c2f1c7e-93a8-4a3c-9a57-0d0a6f1f9d53")
# What `fastapi` holds follows; the stacks are made only for what has code after its yield.
NOT_COMPARED = {"fastapi", "fastapi_inner_astack", "fastapi_function_astack"}


class OwnMatching(APIRoute):
    """A route class of a user's, that FastAPI has to ask."""

    def matches(self, scope: Scope) -> Any:
        """Match no path that ends in 7."""
        return (Match.NONE, {}) if scope["path"].endswith("7") else super().matches(scope)


async def tell(request: Request) -> JSONResponse:
    """Answer with all that the router leaves in the scope."""
    scope = request.scope
    context = scope.get("fastapi", {}).get("effective_route_context")
    included = scope.get("fastapi", {}).get("included_router")
    return JSONResponse(
        {
            "keys": sorted(scope.keys() - NOT_COMPARED),
            "route": scope["route"].name,
            "endpoint": scope["endpoint"].__name__,
            "parameters": {name: repr(value) for name, value in scope["path_params"].items()},
            "template": route_template(scope),
            "context": context and [context.path_format, sorted(context.methods)],
            "included": included and included.include_context.prefix,
            "router": type(scope["router"]).__name__,
        }
    )


async def answer(app: Any, method: str, path: str, root_path: str = "") -> tuple[Any, ...]:
    """Return status, headers and body of the answer to a request; or the error."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": root_path + unquote(path), "headers": [],
        "query_string": b"", "root_path": root_path, "http_version": "1.1", "state": {},
        "scheme": "http", "server": ("testserver", 80), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    await app(scope, receive, send)
    start, *bodies = sent
    return start["status"], start["headers"], b"".join(each["body"] for each in bodies)


Tree = tuple[str, list[Any]]
ROUTES = st.tuples(
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=3, unique=True),
    st.sets(st.sampled_from(METHODS), min_size=1, max_size=2),
    st.booleans(),
)
TREES = st.recursive(
    st.tuples(st.sampled_from(["", "/a", "/b", "/a/{p}"]), st.lists(ROUTES, max_size=4)),
    lambda below: st.tuples(
        st.sampled_from(["", "/a", "/b"]), st.lists(st.one_of(ROUTES, below), max_size=4)
    ),
    max_leaves=6,
)
PATHS = st.lists(st.sampled_from(SENT), min_size=1, max_size=5)
ASKED = st.tuples(st.sampled_from(METHODS), PATHS.map(lambda parts: "/" + "/".join(parts)))


def router_of(tree: Tree, names: "itertools.count[int]") -> APIRouter:
    """Return the router that a tree describes."""
    prefix, parts = tree
    router = APIRouter(prefix=prefix)
    for part in parts:
        if isinstance(part[0], str):
            router.include_router(router_of(part, names))
            continue
        path, methods, own = part
        router.add_api_route(
            "/" + "/".join(path),
            tell,
            methods=sorted(methods),
            name=f"route {next(names)}",
            include_in_schema=False,
            route_class_override=OwnMatching if own else None,
        )
    return router


def application(tree: Tree) -> FastAPI:
    """Return an application with the routes of a tree."""
    app = FastAPI(redirect_slashes=False, openapi_url=None)
    names = itertools.count()
    app.include_router(router_of(tree, names))
    app.add_api_route("/a/direct", tell, name="direct")
    app.mount("/b/mounted", FastAPI(openapi_url=None))
    app.add_api_route("/b/{x}", tell, name="after the mount")
    return app


ANY = (["{x}"], {"GET"}, False)
A = (["a"], {"GET"}, False)
NUMBER = (["{y:int}"], {"GET"}, False)
OWN = (["{x}"], {"GET"}, True)


@given(tree=TREES, asked=st.lists(ASKED, min_size=5, max_size=30))
@example(tree=("", [ANY, A]), asked=[("GET", "/a"), ("POST", "/a")])
@example(tree=("", [A, ANY]), asked=[("GET", "/a"), ("GET", "/b")])
@example(tree=("", [NUMBER, OWN]), asked=[("GET", "/7"), ("GET", "/b")])
@example(tree=("", [OWN, NUMBER]), asked=[("GET", "/7"), ("GET", "/b")])
@settings(max_examples=60)
async def test_the_same_answers(tree: Tree, asked: list[tuple[str, str]]) -> None:
    """However routers are nested, each request gets the answer that it gets without an index."""
    plain, indexed = application(tree), application(tree)
    compile_routes(indexed)
    for method, path in [*asked, ("GET", "/a/direct"), ("GET", "/b/mounted"), ("GET", "/b/x")]:
        for root_path in ("", "/api"):
            expected = await answer(plain, method, path, root_path)
            assert await answer(indexed, method, path, root_path) == expected


async def test_a_host_that_comes_first_is_asked_first() -> None:
    """What follows a host in the routes is looked up by FastAPI, which knows whose it is."""
    app = FastAPI(openapi_url=None)
    app.add_api_route("/before", tell, name="before")
    app.host("testserver", FastAPI(openapi_url=None))
    app.add_api_route("/after", tell, name="after")
    assert RouteIndex(app.router).find("GET", "/before") is not None
    assert RouteIndex(app.router).find("GET", "/after") is None


def variants(template: str) -> list[str]:
    """Return paths that match a template, nearly match it, or don't."""
    paths = []
    for value in ("8c2f1c7e-93a8-4a3c-9a57-0d0a6f1f9d53", "7", "a%2Fb", ""):
        path = "/".join(value if "{" in part else part for part in template.split("/"))
        paths += [path, f"{path}/", f"{path}/x", f"/{path}", path.upper()]
    return paths


@pytest.mark.parametrize("name", [backend.name for backend in load_all([])])
async def test_every_backend_is_served_the_same(name: str) -> None:
    """Of each route of each backend, every method and odd paths reach what FastAPI would call."""
    (backend,) = load_all([name])
    app = create_app(backend, registry=CollectorRegistry())
    router = app.router
    called: list[str] = []

    def stand_in(index: int) -> Any:
        async def serve(scope: Scope, _: Any, send: Any) -> None:
            called.append(f"{index} {scope['path_params']} {route_template(scope)}")
            await JSONResponse({})(scope, _, send)

        return serve

    index = RouteIndex(router)
    everything = itertools.chain.from_iterable(index._routes.values())
    found = {id(each.context or each.route): each for each in everything}
    assert len(found) > 3
    for number, each in enumerate(found.values()):
        (each.context or each.route).app = stand_in(number)
    searched: Any = router.middleware_stack
    compared = 0
    for template in sorted({route_path(each) for each in found.values()}):
        for method, path in itertools.product((*METHODS, "PATCH"), variants(template)):
            outcomes = []
            for serve in (router.app, searched):
                called.clear()
                outcomes.append((await outcome(serve, method, path), tuple(called)))
            assert outcomes[0] == outcomes[1], (method, path)
            compared += 1
    assert compared > 500


def route_path(indexed: Any) -> str:
    """Return the template of a route."""
    template: str = (indexed.context or indexed.route).path_format
    return template


async def outcome(serve: Any, method: str, path: str) -> object:
    """Return the answer of a router by itself, or the error that its application would handle."""
    try:
        return await answer(serve, method, path)
    except Exception as error:  # noqa: BLE001 - both are to raise the same
        return repr(error)


def test_another_fastapi_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a release that was not tested, one line says so, and FastAPI does all itself."""
    monkeypatch.setattr("fastapi.__version__", "0.999.0")
    app = FastAPI()
    before = app.router.middleware_stack
    with capture_logs() as lines:
        compile_routes(app)
    assert app.router.middleware_stack == before
    assert [line["event"] for line in lines] == ["routes_not_compiled"]


async def test_routes_that_are_added_later_are_found() -> None:
    """A route that comes after the first request is served."""
    app = FastAPI(openapi_url=None)
    compile_routes(app)
    assert (await answer(app, "GET", "/later"))[0] == 404
    app.add_api_route("/later", tell, name="later")
    status, _, body = await answer(app, "GET", "/later")
    assert (status, json.loads(body)["route"]) == (200, "later")


def test_a_router_with_limits_is_refused() -> None:
    """Limits of the router itself would be left out, so the start says so."""
    app = FastAPI()
    app.router.form_limits = {"max_fields": 1}
    with pytest.raises(ValueError, match="without middleware and limits"):
        compile_routes(app)
