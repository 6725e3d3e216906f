"""The backends that run in this process, which others may call without a network."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


class LocalServices:
    """The backends of one process by name, made by `compose`; those that run can be called."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(names)
        self._running: dict[str, ASGIApp] = {}

    def __contains__(self, name: str) -> bool:
        """Whether a backend belongs to this process, running yet or not."""
        return name in self._names

    def application(self, name: str) -> ASGIApp:
        """Return the application of a backend; it answers 503 before its start and after its end.

        Each request is served in a task of its own, so that it shares no context with the caller.
        """

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            app = self._running.get(name) or Response(status_code=503)
            await asyncio.ensure_future(app(scope, receive, send))

        return serve

    @contextlib.contextmanager
    def run(self, name: str, app: ASGIApp, state: Mapping[str, Any]) -> Iterator[None]:
        """Let a backend be called while its lifespan lasts."""

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            # A copy for each request, as a server gives it.
            await app({**scope, "state": dict(state)}, receive, send)

        self._running[name] = with_state
        try:
            yield
        finally:
            del self._running[name]
