"""Dependencies: each kind of callable, caching, scopes of security, overrides, where they stand."""

import functools
import itertools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from fastapi import (
    APIRouter,
    Cookie,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Query,
    Request,
)
from starlette.requests import HTTPConnection

from bedplate.testing.both_ways import Cases, asked, assert_same
from bedplate.testing.exchanges import Trace

CASES = Cases()

WITH_YIELD_ONLY = {"fastapi_inner_astack", "fastapi_function_astack"}
"""Keys of the scope that a compiled route has only where a dependency has code after `yield`."""


@pytest.mark.parametrize("name", CASES)
async def test_dependencies_are_solved_the_same(name: str) -> None:
    """Compiled or not, dependencies run in the same order and number, with the same values."""
    await assert_same(*CASES[name])


def noting(trace: Trace, name: str) -> Callable[[], Awaitable[str]]:
    """Return a dependency that notes that it was called."""

    async def dependency() -> str:
        trace.note(name)
        return name

    return dependency


@CASES.add(asked(200, "GET", "/"))
def order_of_a_tree(trace: Trace) -> FastAPI:
    """Dependencies come before their parents, in the order of the parameters."""
    app = FastAPI()
    a, b, c = (noting(trace, name) for name in "abc")

    async def d(b: Annotated[str, Depends(b)], a: Annotated[str, Depends(a)]) -> str:
        trace.note("d")
        return b + a

    def e(d: Annotated[str, Depends(d)], c: Annotated[str, Depends(c)]) -> str:
        trace.note("e")
        return d + c

    @app.get("/")
    async def endpoint(
        c: Annotated[str, Depends(c)],
        e: Annotated[str, Depends(e)],
        d: Annotated[str, Depends(d)],
        a: str = Depends(a),
    ) -> list[str]:
        trace.note("endpoint")
        return [c, e, d, a]

    return app


@CASES.add(asked(200, "GET", "/cached"), asked(200, "GET", "/fresh"), asked(200, "GET", "/mixed"))
def caching(trace: Trace) -> FastAPI:
    """A dependency runs once a request, but for each `use_cache=False`."""
    app = FastAPI()
    calls = 0

    async def counted() -> int:
        nonlocal calls
        calls += 1
        trace.note(f"call {calls}")
        return calls

    async def middle(one: Annotated[int, Depends(counted)]) -> int:
        return one

    async def fresh(one: Annotated[int, Depends(counted, use_cache=False)]) -> int:
        return one

    @app.get("/cached")
    async def cached(
        a: Annotated[int, Depends(counted)],
        b: Annotated[int, Depends(middle)],
        c: Annotated[int, Depends(counted)],
    ) -> list[int]:
        return [a, b, c]

    @app.get("/fresh")
    async def fresh_ones(
        a: Annotated[int, Depends(counted, use_cache=False)],
        b: Annotated[int, Depends(fresh)],
        c: Annotated[int, Depends(fresh)],
        d: Annotated[int, Depends(counted, use_cache=False)],
    ) -> list[int]:
        return [a, b, c, d]

    @app.get("/mixed")
    async def mixed(
        a: Annotated[int, Depends(fresh, use_cache=False)],
        b: Annotated[int, Depends(counted)],
        c: Annotated[int, Depends(counted, use_cache=False)],
        d: Annotated[int, Depends(middle)],
        e: Annotated[int, Depends(fresh, use_cache=False)],
    ) -> list[int]:
        return [a, b, c, d, e]

    return app


@CASES.add(asked(200, "GET", "/?q=1"), asked(422, "GET", "/?q=x"))
def a_cached_dependency_still_solves_its_own(trace: Trace) -> FastAPI:
    """What a cached dependency needs is looked for again, and so are its errors."""
    app = FastAPI()

    async def deep(q: int) -> int:
        trace.note("deep")
        return q

    async def middle(deep: Annotated[int, Depends(deep, use_cache=False)]) -> int:
        trace.note("middle")
        return deep

    @app.get("/")
    async def endpoint(
        a: Annotated[int, Depends(middle)], b: Annotated[int, Depends(middle)]
    ) -> list[int]:
        return [a, b]

    return app


@CASES.add(asked(200, "GET", "/?q=1&n=2&m=3&k=4"), asked(422, "GET", "/"))
def classes_and_instances(trace: Trace) -> FastAPI:
    """Classes, data classes, callable instances, methods and partial functions are dependencies."""
    app = FastAPI()

    class Pages:
        def __init__(self, q: str, limit: int = 10) -> None:
            trace.note("class")
            self.q, self.limit = q, limit

    @dataclass
    class Fields:
        n: int
        maybe: str | None = None

    class Checker:
        def __init__(self, word: str) -> None:
            self.word = word

        def __call__(self, q: str = "") -> str:
            trace.note("instance")
            return self.word + q

        async def method(self, m: int) -> int:
            trace.note("method")
            return m

        @classmethod
        def of_class(cls) -> str:
            return cls.__name__

        @staticmethod
        async def static(k: int) -> int:
            return k

    class AsyncChecker:
        async def __call__(self, n: int) -> int:
            trace.note("async instance")
            return n

    class Opener:
        async def __call__(self) -> AsyncIterator[str]:
            trace.note("opened")
            yield "open"
            trace.note("closed")

    def add(a: int, m: int) -> int:
        trace.note("partial")
        return a + m

    async def add_async(a: int, m: int) -> int:
        return a - m

    checker = Checker("w")

    @app.get("/")
    async def endpoint(
        pages: Annotated[Pages, Depends()],
        fields: Annotated[Fields, Depends()],
        word: Annotated[str, Depends(checker)],
        number: Annotated[int, Depends(AsyncChecker())],
        method: Annotated[int, Depends(checker.method)],
        name: Annotated[str, Depends(Checker.of_class)],
        static: Annotated[int, Depends(Checker.static)],
        opened: Annotated[str, Depends(Opener())],
        total: Annotated[int, Depends(functools.partial(add, 100))],
        rest: Annotated[int, Depends(functools.partial(add_async, a=100))],
        inline: Annotated[int, Depends(lambda q="z": q)],
    ) -> list[Any]:
        return [
            pages.q, pages.limit, fields.n, fields.maybe, word, number, method, name, static,
            opened, total, rest, inline,
        ]  # fmt: skip

    return app


@CASES.add(asked(200, "GET", "/?q=1"), asked(200, "GET", "/generators"))
def wrapped_callables(trace: Trace) -> FastAPI:
    """A decorator that keeps the signature changes nothing, whatever it wraps."""
    app = FastAPI()

    def logged(call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def wrapper(*arguments: Any, **named: Any) -> Any:
            trace.note("wrapper")
            return call(*arguments, **named)

        return wrapper

    def logged_async(call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        async def wrapper(*arguments: Any, **named: Any) -> Any:
            trace.note("async wrapper")
            return await call(*arguments, **named)

        return wrapper

    @logged
    def plain(q: int) -> int:
        return q

    @logged
    async def awaited(q: int) -> int:
        return q + 1

    @logged_async
    async def twice(q: int) -> int:
        return q + 2

    @logged
    def generator() -> Iterator[int]:
        yield 1
        trace.note("closed")

    @logged
    async def async_generator() -> AsyncIterator[int]:
        yield 2
        trace.note("async closed")

    @app.get("/")
    @logged_async
    async def endpoint(
        a: Annotated[int, Depends(plain)],
        b: Annotated[int, Depends(awaited)],
        c: Annotated[int, Depends(twice)],
        d: Annotated[int, Depends(functools.partial(logged(plain)))],
    ) -> list[int]:
        return [a, b, c, d]

    @app.get("/generators")
    async def generators(
        a: Annotated[int, Depends(generator)], b: Annotated[int, Depends(async_generator)]
    ) -> list[int]:
        return [a, b]

    return app


VALUE: ContextVar[str] = ContextVar("VALUE", default="nothing")


@CASES.add(asked(200, "GET", "/async"), asked(200, "GET", "/sync"), asked(200, "GET", "/yield"))
def threads_and_context(trace: Trace) -> FastAPI:
    """Async functions share the task's context; others run in a thread with a copy of it."""
    app = FastAPI()

    def where() -> str:
        thread = "loop" if threading.current_thread() is threading.main_thread() else "thread"
        return f"{thread} {VALUE.get()}"

    async def setting() -> str:
        VALUE.set("async")
        return where()

    def setting_in_a_thread() -> str:
        before = where()
        VALUE.set("thread")
        return f"{before} then {where()}"

    async def yielding() -> AsyncIterator[str]:
        token = VALUE.set("yield")
        yield where()
        VALUE.reset(token)
        trace.note(where())

    def yielding_in_a_thread() -> Iterator[str]:
        VALUE.set("thread yield")
        yield where()
        trace.note(where())

    @app.get("/async")
    async def in_the_loop(
        a: Annotated[str, Depends(setting_in_a_thread)],
        b: Annotated[str, Depends(setting)],
        c: Annotated[str, Depends(where)],
    ) -> list[str]:
        return [a, b, c, where()]

    @app.get("/sync")
    def in_a_thread(
        a: Annotated[str, Depends(setting)], b: Annotated[str, Depends(setting_in_a_thread)]
    ) -> list[str]:
        return [a, b, where()]

    @app.get("/yield")
    async def with_yield(
        a: Annotated[str, Depends(yielding)], b: Annotated[str, Depends(yielding_in_a_thread)]
    ) -> list[str]:
        return [a, b, where()]

    return app


@CASES.add(
    asked(200, "GET", "/in/a?q=1"),
    asked(200, "GET", "/in/deep/b?q=1"),
    asked(422, "GET", "/in/a"),
    asked(403, "GET", "/in/a?q=1", ("x-refuse", "include")),
    asked(200, "GET", "/again/a?q=1"),
)
def where_dependencies_stand(trace: Trace) -> FastAPI:
    """Those of the application, of an inclusion, of a router and of a route run in that order."""

    def guard(name: str) -> Any:
        async def guard(x_refuse: Annotated[str | None, Header()] = None) -> None:
            trace.note(name)
            if x_refuse == name:
                raise HTTPException(403, name)

        return Depends(guard)

    async def needs(q: int) -> None:
        trace.note("needs")

    app = FastAPI(dependencies=[guard("app"), Depends(needs)])
    router = APIRouter(dependencies=[guard("router")])
    below = APIRouter(prefix="/deep", dependencies=[guard("below")])

    @router.get("/a", dependencies=[guard("route 1"), guard("route 2")])
    async def a(q: int, own: Annotated[None, guard("own")]) -> int:
        return q

    @below.get("/b")
    async def b(needs: Annotated[None, Depends(needs)]) -> str:
        return "b"

    router.include_router(below, dependencies=[guard("inner include")])
    app.include_router(router, prefix="/in", dependencies=[guard("include")])
    app.include_router(router, prefix="/again", dependencies=[guard("other")])
    return app


@CASES.add(
    asked(200, "GET", "/7?q=a", ("x-h", "b"), ("cookie", "c=d")),
    asked(200, "GET", "/7"),
)
def the_request_itself(trace: Trace) -> FastAPI:
    """Dependencies and endpoint get the same request object, and what was left on it."""
    app = FastAPI()
    seen: list[Any] = []

    async def first(request: Request, connection: HTTPConnection) -> None:
        seen[:] = [request, connection]
        request.state.word = "left"
        trace.note(f"same {request is connection}")

    @app.get("/{number}", dependencies=[Depends(first)])
    async def endpoint(
        request: Request,
        connection: HTTPConnection,
        number: int,
        q: str | None = None,
        x_h: Annotated[str | None, Header()] = None,
        c: Annotated[str | None, Cookie()] = None,
    ) -> list[Any]:
        return [
            request is seen[0], connection is seen[1], request.state.word, str(request.url),
            request.path_params, request.scope["route"].path, request.scope["endpoint"].__name__,
            request.headers.items(), number, q, x_h, c,
            sorted(request.scope.keys() - WITH_YIELD_ONLY),
        ]  # fmt: skip

    return app


@CASES.add(asked(200, "GET", "/?name=x"), asked(422, "GET", "/"))
def names_that_meet(trace: Trace) -> FastAPI:
    """Parameters that are called alike, or like Python's own names, don't disturb each other."""
    app = FastAPI()

    async def one(name: str, values: int = 1) -> str:
        return f"one {name} {values}"

    async def two(name: Annotated[str, Query(alias="name")], request: str = "r") -> str:
        return f"two {name} {request}"

    @app.get("/")
    async def endpoint(
        name: Annotated[str, Depends(one)],
        errors: Annotated[str, Depends(two)],
        self: str = "self",
        scope: int = 2,
        dependency_cache: int = 3,
    ) -> list[Any]:
        return [name, errors, self, scope, dependency_cache]

    return app


@CASES.add(
    asked(200, "GET", "/5?q=1", ("x-late", "0"), ("cookie", "c=1")),
    asked(200, "GET", "/5", ("x-other", "0")),
)
def a_dependency_that_changes_the_request(trace: Trace) -> FastAPI:
    """Parameters that are read after a dependency changed the request have what it changed."""
    app = FastAPI()

    def change(request: Request, x_late: Annotated[str, Header()] = "no") -> str:
        request.scope["headers"].insert(0, (b"x-late", b"1"))
        request.scope["path_params"] = {"n": "7"}
        request.scope["query_string"] = b"q=3"
        request.scope["headers"].insert(0, (b"cookie", b"c=3"))
        return x_late

    @app.get("/{n}")
    async def endpoint(
        before: Annotated[str, Depends(change)],
        n: int,
        q: str = "none",
        x_late: Annotated[str, Header()] = "no",
        every: Annotated[list[str] | None, Header(alias="x-late")] = None,
        c: Annotated[str, Cookie()] = "none",
    ) -> list[Any]:
        return [before, n, q, x_late, every, c]

    return app


@CASES.add(asked(200, "GET", "/"), asked(200, "GET", "/"))
def a_default_that_counts(trace: Trace) -> FastAPI:
    """A default's factory is called for each place of a cached dependency."""
    app, count = FastAPI(), itertools.count()

    def cached(q: Annotated[int, Query(default_factory=lambda: next(count))]) -> int:
        return q

    def other(q: Annotated[int, Depends(cached)]) -> int:
        return q

    @app.get("/")
    async def endpoint(
        a: Annotated[int, Depends(cached)],
        b: Annotated[int, Depends(other)],
        c: Annotated[int, Depends(cached)],
    ) -> list[int]:
        return [a, b, c]

    return app
