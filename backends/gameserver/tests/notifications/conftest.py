"""A receiver of webhooks that records what it receives."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gameserver_simulator.stand_ins.fault_modes import FaultModes, Faulty
from gameserver_simulator.stand_ins.serving import serving

NO_CONTENT = 204


@dataclass(frozen=True)
class Received:
    """A delivery."""

    path: str
    headers: dict[str, str]
    body: bytes


class WebhookReceiver:
    """Accepts every POST and appends it to `received`; `fault_modes` make it fail instead."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.fault_modes = FaultModes()
        routes = [Route("/{path:path}", self._receive, methods=["POST"])]
        self.app: ASGIApp = Faulty(Starlette(routes=routes), self.fault_modes)

    @contextmanager
    def serving(self, port: int = 0) -> Iterator[str]:
        """Serve on a port of this machine, and yield the URL to send to."""
        with serving(self.app, port) as url:
            yield url

    async def _receive(self, request: Request) -> Response:
        body = await request.body()
        self.received.append(Received(request.url.path, dict(request.headers), body))
        return Response(status_code=NO_CONTENT)


@pytest.fixture
def webhook_receiver() -> WebhookReceiver:
    """Return a receiver that isn't served yet."""
    return WebhookReceiver()
