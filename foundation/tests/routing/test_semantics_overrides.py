"""`dependency_overrides`: set before and after the first request, taken away, and of each kind."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request, Response, Security
from fastapi.security import SecurityScopes

from bedplate.routing import compile_routes
from bedplate.testing.both_ways import Cases, asked, assert_same
from bedplate.testing.exchanges import RawRequest, Trace, exchange

CASES = Cases()


@pytest.mark.parametrize("name", CASES)
async def test_overrides_do_the_same(name: str) -> None:
    """Compiled or not, what is overridden isn't called, and what overrides it is solved in full."""
    await assert_same(*CASES[name])


class Original:
    """Dependencies that are overridden."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    async def value(self, q: int = 0) -> Any:
        """Return a value of the request."""
        self.trace.note("original")
        return ["original", q]

    async def opened(self) -> AsyncIterator[Any]:
        """Open and close something."""
        self.trace.note("original in")
        yield "opened"
        self.trace.note("original out")

    def deep(self, value: Any) -> Any:
        """Return what another one returned."""
        return value


def application(trace: Trace, overrides: Callable[[Original], dict[Any, Any]]) -> FastAPI:
    """Return an application with overrides; `/override` and `/restore` set them and take them."""
    app = FastAPI()
    original = Original(trace)
    value, opened = original.value, original.opened

    async def deep(value: Annotated[Any, Depends(value)]) -> Any:
        trace.note("deep")
        return [value]

    router = APIRouter(dependencies=[Depends(opened)])

    @router.get("/")
    async def endpoint(
        value: Annotated[Any, Depends(value)],
        deep: Annotated[Any, Depends(deep)],
        opened: Annotated[Any, Depends(opened)],
    ) -> Any:
        trace.note("endpoint")
        return [value, deep, opened]

    @router.get("/scopes")
    async def scopes(value: Annotated[Any, Security(value, scopes=["a"])]) -> Any:
        return value

    @router.get("/fresh")
    async def fresh(
        a: Annotated[Any, Depends(value, use_cache=False)],
        b: Annotated[Any, Depends(value)],
        c: Annotated[Any, Depends(value, use_cache=False)],
    ) -> Any:
        return [a, b, c]

    @router.get("/function")
    async def function(a: Annotated[Any, Depends(opened, scope="function")]) -> Any:
        return a

    app.include_router(router, prefix="/in")
    app.include_router(router)

    @app.get("/override")
    def override() -> None:
        app.dependency_overrides.update(overrides(original))

    @app.get("/replace")
    def replace() -> None:
        app.dependency_overrides = overrides(original)

    @app.get("/restore")
    def restore() -> None:
        app.dependency_overrides = {}

    @app.get("/clear")
    def clear() -> None:
        app.dependency_overrides.clear()

    return app


def get(*paths: str, **statuses: int) -> Any:
    """Return requests, each answered with 200 but for those whose path has a status of its own."""
    return [asked(statuses.get(path.strip("/"), 200), "GET", path) for path in paths]


PATHS = ("/?q=1", "/in/?q=2", "/in/scopes", "/in/fresh", "/function")
THERE_AND_BACK = get(
    *PATHS, "/override", *PATHS, "/clear", *PATHS, "/replace", *PATHS, "/restore", *PATHS
)


@CASES.add(*THERE_AND_BACK)
def functions(trace: Trace) -> FastAPI:
    """Plain functions override async ones and generators."""

    def value() -> Any:
        trace.note("instead")
        return "instead"

    return application(trace, lambda was: {was.value: value, was.opened: lambda: "no more"})


@CASES.add(*THERE_AND_BACK)
def generators(trace: Trace) -> FastAPI:
    """Generators override functions and generators, and are left."""

    async def value() -> AsyncIterator[Any]:
        trace.note("instead in")
        yield "instead"
        trace.note("instead out")

    def opened() -> Iterator[Any]:
        trace.note("thread in")
        yield "thread"
        trace.note("thread out")

    return application(trace, lambda was: {was.value: value, was.opened: opened})


@CASES.add(*THERE_AND_BACK, *get("/override", "/?n=x", **{"?n=x": 422}))
def with_parameters(trace: Trace) -> FastAPI:
    """What overrides has parameters, dependencies and scopes of its own, and those are solved."""

    async def below(scopes: SecurityScopes, request: Request) -> Any:
        trace.note(f"below {scopes.scopes}")
        return [scopes.scopes, request.url.path]

    async def value(
        below: Annotated[Any, Depends(below)],
        response: Response,
        n: int = 5,
        user_agent: Annotated[str | None, Header()] = None,
    ) -> Any:
        trace.note("instead")
        response.headers["x-instead"] = "1"
        return [below, n, user_agent]

    return application(trace, lambda was: {was.value: value})


@CASES.add(
    *get("/", "/override", "/", "/in/fresh", "/clear", "/"),
    asked(200, "GET", "/override"),
    asked(403, "GET", "/?q=7"),
)
def chains_and_errors(trace: Trace) -> FastAPI:
    """An override is not overridden in its turn, and its errors are answered."""
    calls = 0

    async def other(q: int = 0) -> Any:
        nonlocal calls
        calls += 1
        trace.note(f"other {calls}")
        if q == 7:
            raise HTTPException(403, "refused")
        return calls

    def overrides(was: Original) -> dict[Any, Any]:
        async def value(again: Annotated[Any, Depends(was.opened)]) -> Any:
            return again

        return {was.value: other, other: value, was.opened: was.opened}

    return application(trace, overrides)


async def test_overrides_are_seen_in_each_request() -> None:
    """An override that is set between two requests by a test holds for the second."""

    async def value() -> str:
        return "real"

    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[str, Depends(value)]) -> str:
        return value

    compile_routes(app)
    get_it = RawRequest("GET", "/")
    bodies = [(await exchange(app, get_it)).body]
    app.dependency_overrides[value] = lambda: "stand-in"
    bodies.append((await exchange(app, get_it)).body)
    del app.dependency_overrides[value]
    bodies.append((await exchange(app, get_it)).body)
    assert bodies == [b'"real"', b'"stand-in"', b'"real"']
