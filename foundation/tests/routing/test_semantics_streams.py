"""Streams: server-sent events, lines of JSON, raw parts, and clients that leave at any moment."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Annotated, Any

import anyio
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from bedplate.testing.both_ways import Asked, Cases, asked, assert_same
from bedplate.testing.exchanges import Trace

CASES = Cases()
JSON = ("content-type", "application/json")


@pytest.mark.parametrize("name", CASES)
async def test_streams_and_clients_are_the_same(name: str) -> None:
    """Compiled or not, each message is the same, whoever breaks off first."""
    await assert_same(*CASES[name])


class Item(BaseModel):
    """An item of a stream."""

    name: str
    number: int = 1


STREAMS = (
    "events", "events-sync", "lines", "lines-sync", "raw", "raw-sync", "own-events", "untyped",
    "wrong", "wrong-events", "breaks", "breaks-events", "breaks-first", "nothing", "with-all",
)  # fmt: skip


def streams(trace: Trace) -> FastAPI:
    """Return an application with a route for each kind of stream."""
    app = FastAPI()

    async def opened() -> AsyncIterator[str]:
        trace.note("opened")
        try:
            yield "o"
        except BaseException as error:
            trace.note(f"left by {type(error).__name__}")
            raise
        finally:
            trace.note("closed")

    def setting(response: Response, tasks: BackgroundTasks) -> None:
        response.headers["x-set"] = "1"
        response.headers["cache-control"] = "max-age=1"
        tasks.add_task(trace.note, "task")

    dependencies = [
        Depends(opened), Depends(opened, use_cache=False, scope="function"), Depends(setting),
    ]  # fmt: skip

    @app.get("/events", response_class=EventSourceResponse, dependencies=dependencies)
    async def events(count: int = 2) -> AsyncIterable[Item]:
        for number in range(count):
            trace.note(f"event {number}")
            yield Item(name="é", number=number)

    @app.get("/events-sync", response_class=EventSourceResponse)
    def events_sync() -> Iterable[Item]:
        yield Item(name="a")

    @app.get("/own-events", response_class=EventSourceResponse, status_code=201)
    async def own_events() -> AsyncIterable[ServerSentEvent]:
        yield ServerSentEvent(data={"a": float("nan")}, event="e", id="1", retry=5)
        yield ServerSentEvent(raw_data="two\nlines", comment="c")
        yield ServerSentEvent(data=Item(name="x"))

    @app.get("/lines", dependencies=dependencies)
    async def lines() -> AsyncIterable[Item]:
        yield Item(name="a")
        yield {"name": "b", "number": "2"}  # type: ignore[misc]

    @app.get("/lines-sync", response_model_exclude_unset=True)
    def lines_sync() -> Iterable[Item]:
        yield Item(name="a")

    @app.get("/untyped")
    async def untyped():  # type: ignore[no-untyped-def]  # noqa: ANN202
        yield {"a": float("inf")}
        yield [Item(name="a")]

    @app.get("/raw", response_class=StreamingResponse, dependencies=dependencies)
    async def raw() -> AsyncIterator[bytes]:
        trace.note("first")
        yield b"a"
        trace.note("second")
        yield b"b"

    @app.get("/raw-sync", response_class=StreamingResponse)
    def raw_sync() -> Iterator[str]:
        yield "a"
        yield "b"

    @app.get("/wrong", dependencies=dependencies)
    async def wrong() -> AsyncIterable[Item]:
        yield Item(name="a")
        yield {"nothing": 1}  # type: ignore[misc]

    @app.get("/wrong-events", response_class=EventSourceResponse)
    async def wrong_events() -> AsyncIterable[Item]:
        yield {"nothing": 1}  # type: ignore[misc]

    @app.get("/breaks", response_class=StreamingResponse, dependencies=dependencies)
    async def breaks() -> AsyncIterator[bytes]:
        yield b"a"
        raise HTTPException(409, "too late")

    @app.get("/breaks-events", response_class=EventSourceResponse, dependencies=dependencies)
    async def breaks_events() -> AsyncIterable[Item]:
        yield Item(name="a")
        raise KeyError("k")

    @app.get("/breaks-first", response_class=StreamingResponse, dependencies=dependencies)
    async def breaks_first() -> AsyncIterator[bytes]:
        if not trace.events[:0]:
            raise HTTPException(409, "too late")
        yield b"a"

    @app.get("/nothing")
    async def nothing() -> AsyncIterable[Item]:
        for _ in trace.events[:0]:
            yield Item(name="never")

    @app.get("/with-all")
    async def with_all(
        request: Request, response: Response, o: Annotated[str, Depends(opened)], q: int = 3
    ) -> AsyncIterable[Item]:
        response.status_code = 500  # too late: the answer began
        yield Item(name=f"{o}{request.url.path}", number=q)

    return app


@pytest.mark.parametrize("path", STREAMS)
@pytest.mark.parametrize("spec", ["2.3", "2.4"])
async def test_every_stream(path: str, spec: str) -> None:
    """Every kind of stream sends the same messages, to whom stays, leaves or is cancelled."""
    requests = [
        asked(0, "GET", f"/{path}", spec=spec),
        asked(0, "GET", f"/{path}?count=x&q=x", spec=spec),
        asked(0, "HEAD", f"/{path}", spec=spec),
        asked(0, "GET", f"/{path}", spec=spec, leaves="at the answer"),
        asked(0, "GET", f"/{path}", spec=spec, cancelled="send start"),
        asked(0, "GET", f"/{path}", spec=spec, leaves="opened"),
    ]
    exchanges = await assert_same(streams, requests)
    assert exchanges[2].status == 405


LEAVING: tuple[Asked, ...] = (
    asked(None, "GET", "/waits", cancelled="in the endpoint"),
    asked(200, "GET", "/watches", leaves="in the endpoint"),
    asked(None, "GET", "/dependency", cancelled="in the dependency"),
    asked(None, "GET", "/exit", cancelled="in the exit"),
    asked(None, "POST", "/body", JSON, body=[b"{", b"}"], slow=True, cancelled="receive 0"),
    asked(500, "POST", "/reads", body=[b"a", b"b"], leaves="in the body"),
    asked(200, "POST", "/reads", body=[b"a", b"b"], slow=True),
    asked(200, "POST", "/streams", body=[b"a", b"b", b"c"], slow=True),
    asked(500, "POST", "/streams", body=[b"a", b"b", b"c"], leaves="in the body"),
    asked(None, "GET", "/thread", cancelled="in the thread"),
    asked(200, "GET", "/task", cancelled="in the task"),
    asked(504, "GET", "/timeout"),
)


@CASES.add(*LEAVING)
def clients_that_leave(trace: Trace) -> FastAPI:
    """A request that is cancelled anywhere leaves what it entered, in the same order."""
    app = FastAPI()

    async def opened() -> AsyncIterator[None]:
        trace.note("opened")
        try:
            yield
        except BaseException as error:
            trace.note(f"left by {type(error).__name__}")
            raise
        finally:
            trace.note("closed")

    async def waiting() -> None:
        trace.note("in the dependency")
        await anyio.sleep_forever()

    async def waiting_to_close() -> AsyncIterator[None]:
        yield
        trace.note("in the exit")
        await anyio.sleep(0.01)
        trace.note("after the exit")

    @app.exception_handler(TimeoutError)
    async def late(request: Request, error: TimeoutError) -> Response:
        return PlainTextResponse("late", 504)

    @app.get("/waits", dependencies=[Depends(opened)])
    async def waits() -> None:
        trace.note("in the endpoint")
        await anyio.sleep_forever()

    @app.get("/watches", dependencies=[Depends(opened)])
    async def watches(request: Request) -> Any:
        await request.body()
        trace.note("in the endpoint")
        await anyio.sleep(0.001)
        return [await request.is_disconnected(), await request.is_disconnected()]

    @app.get("/dependency", dependencies=[Depends(opened), Depends(waiting)])
    async def dependency() -> None:
        trace.note("never")

    @app.get("/exit", dependencies=[Depends(opened), Depends(waiting_to_close, scope="function")])
    async def leaving() -> None:
        trace.note("endpoint")

    @app.post("/body", dependencies=[Depends(opened)])
    async def body(body: dict[str, Any]) -> None:
        trace.note("never")

    @app.post("/reads", dependencies=[Depends(opened)])
    async def reads(request: Request) -> str:
        return (await request.body()).decode()

    @app.post("/streams", dependencies=[Depends(opened)])
    async def streams(request: Request) -> list[str]:
        return [each.decode() async for each in request.stream()]

    @app.get("/thread", dependencies=[Depends(opened)])
    def thread() -> str:
        trace.note("in the thread")
        return "not cancelled"

    @app.get("/task", dependencies=[Depends(opened)])
    async def task(tasks: BackgroundTasks) -> None:
        async def wait() -> None:
            trace.note("in the task")
            await anyio.sleep_forever()

        tasks.add_task(wait)

    @app.get("/timeout", dependencies=[Depends(opened)])
    async def timeout() -> None:
        with anyio.fail_after(0.001):
            await anyio.sleep_forever()

    return app
