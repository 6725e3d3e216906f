"""A receiver of webhooks, which remembers what it was sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gameserver.stand_ins.manners import Mannered, Manners
from gameserver.stand_ins.serving import serving

NO_CONTENT = 204


@dataclass(frozen=True)
class Received:
    """A delivery."""

    path: str
    headers: dict[str, str]
    body: bytes


class WebhookReceiver:
    """Takes every POST; `received` holds them in order, `manners` make it refuse them."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.manners = Manners()
        routes = [Route("/{path:path}", self._take, methods=["POST"])]
        self.app: ASGIApp = Mannered(Starlette(routes=routes), self.manners)

    @contextmanager
    def serving(self, port: int = 0) -> Iterator[str]:
        """Serve on a port of this machine; yield the URL to send to."""
        with serving(self.app, port) as url:
            yield url

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        self.received.append(Received(request.url.path, dict(request.headers), body))
        return Response(status_code=NO_CONTENT)
