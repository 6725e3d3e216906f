"""A neighbour as a resource of a backend's lifespan, found by its settings."""

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator

from bedplate.backend import OpenResource, Resources
from bedplate.settings import Settings, SettingsError

if TYPE_CHECKING:
    from bedplate.neighbours.client import Neighbour


def _url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("It should look like http://host:8080")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("It takes no user, password, query or fragment")
    return url


NeighbourURL = Annotated[str, AfterValidator(_url)]
"""Where another backend is: `http://host:8080`, or `https://host/path`."""


def neighbour(name: str, *, url: str, **options: str) -> OpenResource:
    """Return what opens the client of another backend, for `Backend.resources`.

    `url` names the field of the settings that says where the backend is, and each of `options` the
    field of one of `Neighbour`'s options: `timeout="sequence_timeout"`. Without a URL the backend
    is called in process, and it is a `SettingsError` at start when it doesn't run here.
    """

    @contextlib.asynccontextmanager
    async def open_neighbour(
        settings: Settings, resources: Resources
    ) -> "AsyncIterator[Neighbour]":
        from bedplate.neighbours.client import Neighbour  # noqa: PLC0415 - needs httpx2

        values: dict[str, Any] = {key: getattr(settings, field) for key, field in options.items()}
        address: str | None = getattr(settings, url)
        if address is not None:
            opened = Neighbour.at(name, address, **values)
        elif name in resources["neighbours"]:
            opened = Neighbour.beside(name, resources["neighbours"], **values)
        else:
            raise SettingsError(
                f"{settings.variables(url)} must say where {name} is, such as "
                f"http://127.0.0.1:8001, since it doesn't run in this process."
            )
        async with opened:
            yield opened

    return open_neighbour
