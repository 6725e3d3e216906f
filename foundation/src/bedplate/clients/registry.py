"""The services that a backend calls: those that run in this process, and clients of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bedplate.settings import Settings, SettingsError

if TYPE_CHECKING:
    from bedplate.clients.client import ServiceClient


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


def service_client(
    name: str, *, url: str, **options: str
) -> "Callable[..., AbstractAsyncContextManager[ServiceClient]]":
    """Return the opener of a client, for a field of the backend's state.

    `url` names the settings field with the service's address, and each of `options` the field of
    one of `ServiceClient`'s options: `timeout="sequence_timeout_seconds"`. Without a URL the
    service is called in process; if it doesn't run here, the start fails with `SettingsError`.
    """

    @contextlib.asynccontextmanager
    async def open_client(
        settings: Settings, local_services: LocalServices
    ) -> "AsyncIterator[ServiceClient]":
        from bedplate.clients.client import ServiceClient  # noqa: PLC0415 - needs httpx2

        values: dict[str, Any] = {key: getattr(settings, field) for key, field in options.items()}
        address: str | None = getattr(settings, url)
        if address is not None:
            client = ServiceClient.at(name, address, **values)
        elif name in local_services:
            client = ServiceClient.beside(name, local_services, **values)
        else:
            raise SettingsError(
                f"{settings.variables(url)} must say where {name} is, such as "
                f"http://127.0.0.1:8001, since it doesn't run in this process."
            )
        async with client:
            yield client

    return open_client
