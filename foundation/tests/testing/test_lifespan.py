"""An app's lifespan, run as a server runs it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from bedplate.testing.lifespan import LifespanError, running


async def test_a_task_group_may_span_the_lifespan() -> None:
    """Start and shutdown are in one task, or the task group would complain."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, int]]:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever)
            yield {"answer": 42}
            group.cancel_scope.cancel()

    async with running(Starlette(lifespan=lifespan)) as state:
        assert state == {"answer": 42}


@pytest.mark.parametrize("at", ["start", "end"])
async def test_the_app_s_own_exception_is_raised(at: str) -> None:
    """A test sees why the app does not start or stop."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if at == "start":
            raise ZeroDivisionError
        yield
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with running(Starlette(lifespan=lifespan)):
            assert at == "end"


async def test_a_reported_failure_is_raised_with_its_reason() -> None:
    """An app may report a failure and end without an exception."""

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(LifespanError, match="at startup: no database"):
        async with running(app):
            pass


@pytest.mark.parametrize("answers", [True, False])
async def test_an_app_without_lifespan_is_an_error(*, answers: bool) -> None:
    """It says so, rather than to run tests on an app that was never started."""

    async def app(_: Scope, __: Receive, send: Send) -> None:
        if answers:
            await send({"type": "http.response.start", "status": 200})

    with pytest.raises(LifespanError, match="lifespan failed at startup"):
        async with running(app):
            pass


async def test_the_lifespan_ends_after_a_failing_test() -> None:
    """Resources are closed whatever the test does."""
    closed = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        closed.append(True)

    with pytest.raises(ValueError, match="mine"):
        async with running(Starlette(lifespan=lifespan)):
            raise ValueError("mine")
    assert closed
