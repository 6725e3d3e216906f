"""No request waits longer than the declared time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from bedplate.asgi import RequestTimeout
from bedplate.asgi.timeout import _Deadlines

Call = Callable[..., Any]
SHORT = 0.02


async def test_late_answer(call: Call) -> None:
    """A request without an answer in time is cancelled, cleans up, and gets 504."""
    rolled_back = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            rolled_back.set()

    exchange = await call(RequestTimeout(slow, seconds=SHORT))
    assert exchange.status == 504
    assert b"gateway_timeout" in exchange.body
    assert (b"retry-after", b"1") in exchange.sent[0]["headers"]
    assert rolled_back.is_set()


async def test_task_is_not_left_cancelled(call: Call) -> None:
    """After a timeout the task goes on as if it had never been cancelled."""

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    await call(RequestTimeout(slow, seconds=SHORT))
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_each_request_has_its_own_clock(call: Call) -> None:
    """Of many requests at once, each late one gets 504, and the others their answers."""
    release = asyncio.Event()
    app = FastAPI()

    @app.get("/slow")
    async def slow() -> None:
        await asyncio.Event().wait()

    @app.get("/quick")
    async def quick() -> None:
        await release.wait()

    layer = RequestTimeout(app, seconds=0.2)
    waiting = [asyncio.create_task(call(layer, path=path)) for path in ["/slow", "/quick"] * 10]
    await asyncio.sleep(0)
    release.set()
    statuses = [exchange.status for exchange in await asyncio.gather(*waiting)]
    assert statuses == [504, 200] * 10


async def test_started_response_may_last(call: Call) -> None:
    """Once the response has started the clock stops."""
    passed = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.wait_for(passed.wait(), 5)
        yield b"b"

    app = FastAPI()

    @app.get("/")
    async def stream() -> StreamingResponse:
        asyncio.get_running_loop().call_later(3 * SHORT, passed.set)
        return StreamingResponse(pieces())

    assert (await call(RequestTimeout(app, seconds=SHORT))).body == b"ab"


async def test_own_cancellation_passes(call: Call) -> None:
    """A cancellation from outside (a server that stops) is no timeout."""
    began = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        began.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(call(RequestTimeout(slow, seconds=60)))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_own_cancellation_passes_also_when_time_is_up(call: Call) -> None:
    """Who is cancelled while a late request cleans up gets no 504 on top."""
    cleaning = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaning.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(call(RequestTimeout(slow, seconds=SHORT)))
    await cleaning.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_timeout_error_of_the_application_passes(call: Call) -> None:
    """A TimeoutError of the application itself isn't taken for ours."""

    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await call(RequestTimeout(failing, seconds=60))


async def test_swallowed_cancellation(call: Call) -> None:
    """An application that answers although it was cancelled is heard."""

    async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"late"})

    assert (await call(RequestTimeout(stubborn, seconds=SHORT))).body == b"late"


async def test_no_timer_is_left_for_each_request(call: Call) -> None:
    """Requests that were answered leave nothing behind but one timer."""

    async def quick(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    layer = RequestTimeout(quick, seconds=60)
    for _ in range(5):
        await call(layer)
    deadlines = layer._deadlines
    assert isinstance(deadlines, _Deadlines)
    assert not deadlines._running


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_no_time(seconds: float) -> None:
    """A time that is none is refused when it is declared."""
    with pytest.raises(ValueError, match="positive"):
        RequestTimeout(FastAPI(), seconds=seconds)
