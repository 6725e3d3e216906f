"""The lifespan protocol, against applications of every kind."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from bedplate.runtime.lifespan import Lifespan
from bedplate.runtime.serving import StartupError


def app_with(*, opening: str = "", closing: str = "") -> Starlette:
    """Return an application whose lifespan fails where asked."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, object]]:
        if opening:
            raise OSError(opening)
        yield {"key": "value"}
        if closing:
            raise OSError(closing)

    return Starlette(lifespan=lifespan)


async def test_state_is_what_the_lifespan_yields() -> None:
    """What the lifespan yields is in `state`, and shutdown ends it."""
    lifespan = Lifespan(app_with())
    await lifespan.startup()
    assert lifespan.state == {"key": "value"}
    assert await lifespan.shutdown()


async def test_failing_startup_keeps_its_exception() -> None:
    """The exception of the application is the cause of the StartupError."""
    with pytest.raises(StartupError, match="OSError: no database") as caught:
        await Lifespan(app_with(opening="no database")).startup()
    assert isinstance(caught.value.__cause__, OSError)


async def test_failing_shutdown_is_an_error(captured_logs: list[dict[str, Any]]) -> None:
    """An exception while closing is logged with its trace, and the shutdown has failed."""
    lifespan = Lifespan(app_with(closing="disk full"))
    await lifespan.startup()
    assert not await lifespan.shutdown()
    [event] = captured_logs
    assert event["event"] == "shutdown_failed"
    assert "OSError: disk full" in event["exception"]


async def no_lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    """Know HTTP only."""
    assert scope["type"] == "http"


async def ignores(scope: Scope, receive: Receive, send: Send) -> None:
    """Return for anything."""


@pytest.mark.parametrize("application", [no_lifespan, ignores])
async def test_application_without_lifespan_is_served(application: Callable[..., None]) -> None:
    """An application that raises or returns before asking for an event has no lifespan."""
    lifespan = Lifespan(application)  # type: ignore[arg-type]
    await lifespan.startup()
    assert await lifespan.shutdown()


async def test_failure_that_is_only_a_message() -> None:
    """`lifespan.startup.failed` without an exception gives its last line as the reason."""

    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "Traceback…\nno settings\n"})

    with pytest.raises(StartupError, match=r"\(no settings\)"):
        await Lifespan(fails).startup()
