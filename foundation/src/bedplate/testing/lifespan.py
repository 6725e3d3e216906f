"""Runs the lifespan of an app as a server does (ASGI lifespan protocol 2.0)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message


class LifespanError(RuntimeError):
    """The app reported a failed lifespan without an exception, or doesn't support the protocol."""


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[dict[str, Any]]:
    """Start `app`, yield its state, and shut it down. Raises the app's error or LifespanError."""
    lifespan = _Lifespan(app)
    await lifespan.send("startup")
    try:
        yield lifespan.state
    finally:
        await lifespan.send("shutdown")
        await lifespan.task


class _Lifespan:
    def __init__(self, app: ASGIApp) -> None:
        self.state: dict[str, Any] = {}
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        versions = {"version": "3.0", "spec_version": "2.0"}
        scope = {"type": "lifespan", "asgi": versions, "state": self.state}
        # One task for start and shutdown: a task group must be closed in the task that opened it.
        self.task = asyncio.ensure_future(app(scope, self._to_app.get, self._from_app.put))

    async def send(self, event: str) -> None:
        """Send the event and wait until the app completes it. Raises what the app raises."""
        await self._to_app.put({"type": f"lifespan.{event}"})
        answer = asyncio.ensure_future(self._from_app.get())
        try:
            await asyncio.wait({answer, self.task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answer.cancel()
        message = answer.result() if answer.done() else {"type": "nothing"}
        if message["type"] == f"lifespan.{event}.complete":
            return
        if message["type"] in {"nothing", f"lifespan.{event}.failed"}:
            await self.task
        else:
            self.task.cancel()
        reason = message.get("message") or f"it answered {message['type']!r}"
        raise LifespanError(f"the app's lifespan failed at {event}: {reason}")
