"""Dependencies with `yield`: when they are left, with which errors, and what is answered then."""

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Annotated, Any

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from bedplate.testing.both_ways import Cases, asked, assert_same
from bedplate.testing.exchanges import Trace

CASES = Cases()


@pytest.mark.parametrize("name", CASES)
async def test_dependencies_are_left_the_same(name: str) -> None:
    """Compiled or not, each `yield` is left at the same moment, with the same error."""
    await assert_same(*CASES[name])


class Own(Exception):
    """An error of a test."""


def opening(trace: Trace, name: str, kind: str = "async") -> Callable[[], Any]:
    """Return a dependency that notes how it is entered and left."""

    @contextmanager
    def noted() -> Iterator[str]:
        trace.note(f"{name} entered")
        try:
            yield name
        except BaseException as error:
            trace.note(f"{name} left by {error!r}")
            raise
        else:
            trace.note(f"{name} left")
        finally:
            trace.note(f"{name} finally")

    async def awaited() -> AsyncIterator[str]:
        with noted() as value:
            yield value

    def in_a_thread() -> Iterator[str]:
        with noted() as value:
            yield value

    return awaited if kind == "async" else in_a_thread


def with_handlers(app: FastAPI, trace: Trace) -> FastAPI:
    """Add a handler of the test's own error, which notes that it was asked."""

    @app.exception_handler(Own)
    async def handle(request: Request, error: Own) -> JSONResponse:
        trace.note(f"handler of {error!r}")
        return JSONResponse({"own": str(error)}, 418, headers={"x-own": "1"})

    return app


ENDS = {
    "/": 200,
    "/?fail=own": 418,
    "/?fail=http": 404,
    "/?fail=other": 500,
    "/?fail=x": 422,
}


@CASES.add(
    *(
        asked(status, "GET", f"/{kind}{path}")
        for kind in ("plain", "thread")
        for path, status in ENDS.items()
    )
)
def errors_in_an_endpoint(trace: Trace) -> FastAPI:
    """What an endpoint raises goes through every dependency, the last one first."""
    app = with_handlers(FastAPI(), trace)

    def fail(how: str) -> None:
        match how:
            case "own":
                raise Own("endpoint")
            case "http":
                raise HTTPException(404, "none", headers={"x-a": "1"})
            case "other":
                raise ZeroDivisionError("endpoint")
            case _:
                pass

    fails = Annotated[str, Depends(lambda fail="": check(fail))]

    def check(fail: str) -> str:
        if fail == "x":
            from fastapi.exceptions import RequestValidationError  # noqa: PLC0415

            raise RequestValidationError([{"loc": ("query", "fail"), "msg": "no", "type": "x"}])
        return fail

    @app.get("/plain/")
    async def plain(
        a: Annotated[str, Depends(opening(trace, "a"))],
        b: Annotated[str, Depends(opening(trace, "b", "sync"))],
        how: fails,
    ) -> str:
        trace.note("endpoint")
        fail(how)
        return a + b

    @app.get("/thread/")
    def thread(
        a: Annotated[str, Depends(opening(trace, "a", "sync"))],
        b: Annotated[str, Depends(opening(trace, "b"))],
        how: fails,
    ) -> str:
        trace.note("endpoint")
        fail(how)
        return a + b

    return app


@CASES.add(
    asked(418, "GET", "/own"), asked(500, "GET", "/other"), asked(401, "GET", "/http"),
    asked(422, "GET", "/invalid"),
)  # fmt: skip
def errors_in_a_later_dependency(trace: Trace) -> FastAPI:
    """When a dependency fails, those before it are left with its error, and none starts after."""
    app = with_handlers(FastAPI(), trace)
    before = Depends(opening(trace, "before"))
    after = Depends(opening(trace, "after"))

    def raising(error: Exception) -> Any:
        async def raises() -> None:
            trace.note("raises")
            raise error

        return Depends(raises)

    for path, error in (
        ("/own", Own("dependency")), ("/other", KeyError("k")), ("/http", HTTPException(401, "no")),
    ):  # fmt: skip
        app.add_api_route(
            path, noting_endpoint(trace), dependencies=[before, raising(error), after]
        )

    @app.get("/invalid", dependencies=[before])
    async def invalid(q: int, after: Annotated[str, after]) -> None:
        trace.note("endpoint")

    return app


def noting_endpoint(trace: Trace) -> Callable[[], Any]:
    """Return an endpoint that notes that it was called."""

    async def endpoint() -> str:
        trace.note("endpoint")
        return "answer"

    return endpoint


@CASES.add(
    asked(200, "GET", "/function"), asked(200, "GET", "/request"), asked(200, "GET", "/both"),
    asked(500, "GET", "/fails"), asked(200, "GET", "/streams"), asked(200, "GET", "/tasks"),
)  # fmt: skip
def scopes_of_dependencies(trace: Trace) -> FastAPI:
    """Of scope "function" they are left before the answer is sent, of scope "request" after it."""
    app = FastAPI()
    function = Depends(opening(trace, "function"), scope="function")
    request = Depends(opening(trace, "request"), scope="request")
    default = Depends(opening(trace, "default", "sync"))
    shared = opening(trace, "shared")

    app.add_api_route("/function", noting_endpoint(trace), dependencies=[function, default])
    app.add_api_route("/request", noting_endpoint(trace), dependencies=[request, default])

    @app.get("/both", dependencies=[request, function, default])
    async def both(
        a: Annotated[str, Depends(shared, scope="function")],
        b: Annotated[str, Depends(shared, scope="request")],
        c: Annotated[str, Depends(shared)],
    ) -> list[str]:
        trace.note("endpoint")
        return [a, b, c]

    @app.get("/fails", dependencies=[request, function, default])
    async def fails() -> None:
        raise Own("endpoint")

    @app.get("/streams", dependencies=[request, function, default])
    async def streams() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            trace.note("streaming")
            yield b"a"
            yield b"b"

        return StreamingResponse(parts())

    @app.get("/tasks", dependencies=[request, function, default])
    async def tasks(tasks: BackgroundTasks) -> str:
        tasks.add_task(trace.note, "task")
        return "later"

    return app


@CASES.add(asked(200, "GET", "/"), asked(500, "GET", "/?fail=1"))
def scopes_in_a_tree(trace: Trace) -> FastAPI:
    """Dependencies of one scope may need those of another."""
    app = FastAPI()

    async def outer() -> AsyncIterator[str]:
        trace.note("outer in")
        yield "outer"
        trace.note("outer out")

    async def inner(value: Annotated[str, Depends(outer)]) -> AsyncIterator[str]:
        trace.note("inner in")
        try:
            yield value + " inner"
        finally:
            trace.note("inner out")

    async def plain(
        inner: Annotated[str, Depends(inner, scope="function")],
        outer: Annotated[str, Depends(outer, scope="function")],
    ) -> str:
        return f"{inner} {outer}"

    @app.get("/")
    async def endpoint(plain: Annotated[str, Depends(plain)], fail: bool = False) -> str:
        if fail:
            raise ValueError("endpoint")
        return plain

    return app


SWALLOWED = (
    asked(500, "GET", "/except"), asked(409, "GET", "/http"), asked(418, "GET", "/other"),
    asked(500, "GET", "/again"), asked(200, "GET", "/no"), asked(500, "GET", "/sync"),
    asked(500, "GET", "/function"), asked(409, "GET", "/function-http"),
    asked(500, "GET", "/twice"),
)  # fmt: skip


@CASES.add(*SWALLOWED)
def exits_that_change_the_error(trace: Trace) -> FastAPI:
    """An exit may swallow the error, which FastAPI complains of, or raise another one."""
    app = with_handlers(FastAPI(), trace)

    async def swallowing() -> AsyncIterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001
            trace.note(f"swallowed {error!r}")

    def swallowing_in_a_thread() -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001
            trace.note(f"swallowed {error!r}")

    def turning(into: Exception) -> Callable[[], AsyncIterator[None]]:
        async def turning() -> AsyncIterator[None]:
            try:
                yield
            except ValueError as error:
                trace.note(f"turned {error!r}")
                raise into from error

        return turning

    async def fails() -> None:
        raise ValueError("endpoint")

    first = Depends(opening(trace, "first"))
    again = turning(ValueError("again"))
    conflict, own = turning(HTTPException(409, "conflict", {"x-b": "2"})), turning(Own("exit"))
    for path, *dependencies in (
        ("/except", Depends(swallowing)),
        ("/sync", Depends(swallowing_in_a_thread)),
        ("/http", Depends(conflict)),
        ("/other", Depends(own)),
        ("/again", Depends(again)),
        ("/twice", Depends(turning(TypeError("b"))), Depends(again)),
        ("/function", Depends(swallowing, scope="function")),
        ("/function-http", Depends(conflict, scope="function")),
    ):
        app.add_api_route(path, fails, dependencies=[first, *dependencies])
    app.add_api_route("/no", noting_endpoint(trace), dependencies=[first, Depends(conflict)])
    return app


@CASES.add(
    asked(200, "GET", "/request"), asked(409, "GET", "/function"), asked(200, "GET", "/own"),
    asked(418, "GET", "/own-function"), asked(200, "GET", "/late"), asked(200, "GET", "/sync"),
)  # fmt: skip
def exits_that_fail(trace: Trace) -> FastAPI:
    """What an exit raises after the answer cannot change it; before it, it is the answer."""
    app = with_handlers(FastAPI(), trace)

    def failing(error: Exception, kind: str = "async") -> Callable[[], Any]:
        async def failing() -> AsyncIterator[None]:
            yield
            trace.note("exit fails")
            raise error

        def failing_in_a_thread() -> Iterator[None]:
            yield
            trace.note("exit fails")
            raise error

        return failing if kind == "async" else failing_in_a_thread

    conflict = HTTPException(409, "conflict")
    first = Depends(opening(trace, "first"))
    for path, dependency in (
        ("/request", Depends(failing(conflict))),
        ("/function", Depends(failing(conflict), scope="function")),
        ("/own", Depends(failing(Own("exit")))),
        ("/own-function", Depends(failing(Own("exit")), scope="function")),
        ("/late", Depends(failing(KeyError("late")))),
        ("/sync", Depends(failing(KeyError("late"), "sync"))),
    ):
        app.add_api_route(path, noting_endpoint(trace), dependencies=[first, dependency])
    return app


@CASES.add(asked(200, "GET", "/twice"), asked(500, "GET", "/never"), asked(500, "GET", "/manager"))
def generators_that_misbehave(trace: Trace) -> FastAPI:
    """A dependency that yields twice, or never, fails as FastAPI lets it fail."""
    app = FastAPI()

    async def twice() -> AsyncIterator[int]:
        yield 1
        yield 2

    async def never() -> AsyncIterator[int]:
        for value in trace.events[:0]:
            yield int(value)

    @contextmanager
    def manager() -> Iterator[int]:
        yield 3

    def managed(value: AbstractContextManager[int]) -> None:
        """Take what FastAPI won't make for anybody."""

    app.add_api_route("/twice", noting_endpoint(trace), dependencies=[Depends(twice)])
    app.add_api_route("/never", noting_endpoint(trace), dependencies=[Depends(never)])

    @app.get("/manager")
    async def endpoint(value: Annotated[Any, Depends(manager)]) -> Any:
        return value

    return app


@CASES.add(asked(200, "GET", "/"), asked(200, "GET", "/fresh"))
def each_yield_by_itself(trace: Trace) -> FastAPI:
    """A cached dependency is left once; without the cache, as often as it was entered."""
    app = FastAPI()
    calls = 0

    async def counted() -> AsyncIterator[int]:
        nonlocal calls
        calls += 1
        number = calls
        trace.note(f"in {number}")
        yield number
        trace.note(f"out {number}")

    async def middle(one: Annotated[int, Depends(counted)]) -> AsyncIterator[int]:
        yield one
        trace.note("middle out")

    @app.get("/")
    async def endpoint(
        a: Annotated[int, Depends(middle)], b: Annotated[int, Depends(counted)]
    ) -> list[int]:
        return [a, b]

    @app.get("/fresh")
    async def fresh(
        a: Annotated[int, Depends(counted, use_cache=False)],
        b: Annotated[int, Depends(middle, use_cache=False)],
        c: Annotated[int, Depends(functools.partial(counted))],
        d: Annotated[int, Depends(counted)],
    ) -> list[int]:
        return [a, b, c, d]

    return app


@CASES.add(asked(201, "GET", "/"), asked(202, "GET", "/late"))
def what_an_exit_may_still_change(trace: Trace) -> FastAPI:
    """The answer was made before the exit: what it changes on the Response comes too late."""
    app = FastAPI()

    async def changing(response: Response) -> AsyncIterator[None]:
        response.headers["x-before"] = "1"
        response.status_code = 201
        yield
        response.headers["x-after"] = "2"
        response.status_code = 500

    app.add_api_route("/", noting_endpoint(trace), dependencies=[Depends(changing)])
    app.add_api_route(
        "/late",
        noting_endpoint(trace),
        status_code=202,
        dependencies=[Depends(changing, scope="function"), Depends(setting_202)],
    )
    return app


async def setting_202(response: Response) -> None:
    """Set another status than the dependency before."""
    response.status_code = 202
