"""A backend with channels over Valkey, which the tests run several times: `URL PORT`."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request

from bedplate.lifecycle import Drain
from bedplate.realtime import EVERYONE, Channels, EventStream, LastEventId, Position, frame
from bedplate.runtime import Serving, serve


def make_application(drain: Drain) -> FastAPI:
    """Return the application."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with Channels(sys.argv[1], namespace="hall", timeout=10) as channels:
            yield {"channels": channels, "drain": drain}

    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    async def root() -> str:
        return "ready"

    @app.post("/halls/{hall}")
    async def say(request: Request, hall: str, text: str) -> None:
        request.state.channels.publish(hall, "said", {EVERYONE: f'"{text}"'.encode()})

    async def events(
        channels: Channels, hall: str, position: Position | None
    ) -> AsyncIterator[bytes]:
        async with channels.follow(hall, "public", position=position) as follower:
            if not follower.recovered:
                yield frame("{}", event="snapshot", id=follower.position)
            async for messages in follower:
                yield messages.sse

    @app.get("/halls/{hall}/events", response_class=EventStream)
    async def listen(request: Request, hall: str, position: LastEventId) -> EventStream:
        return EventStream(events(request.state.channels, hall, position))

    return app


if __name__ == "__main__":
    sys.exit(serve(make_application, serving=Serving(port=int(sys.argv[2]), grace_seconds=0)))
