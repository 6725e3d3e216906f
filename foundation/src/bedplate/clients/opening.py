"""A client as a resource of a backend's lifespan, found by its settings."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from bedplate.clients.registry import LocalServices
from bedplate.settings import Settings, SettingsError

if TYPE_CHECKING:
    from bedplate.clients.client import ServiceClient


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
