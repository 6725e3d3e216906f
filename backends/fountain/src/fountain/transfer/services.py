"""The services that a play is imported to and exported from."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bedplate.cli.exceptions import CommandError, UsageError
from bedplate.clients import UpstreamRefused, UpstreamUnavailable
from bedplate.clients.client import ServiceClient
from bedplate.settings import WebURL

TIMEOUT_SECONDS = 30.0
MAX_ANSWER_BYTES = 1 << 28
"""Lists have no pages, and a resumed import reads them."""

_NAMES = {
    "scripts": "scripts",
    "characters": "characters",
    "sessions": "session-context",
    "stories": "story-factory",
}
_URL: TypeAdapter[str] = TypeAdapter(WebURL)


@dataclass(frozen=True)
class Addresses:
    """The URL of each service that a play goes to."""

    scripts: str
    characters: str
    sessions: str
    stories: str

    @classmethod
    def of(cls, base: str, **elsewhere: str | None) -> "Addresses":
        """Return the addresses of services below one URL, some of them elsewhere.

        Raises `UsageError` for an invalid URL.
        """
        urls: dict[str, str] = {}
        for field, name in _NAMES.items():
            url = (elsewhere.get(field) or f"{base.rstrip('/')}/{name}").rstrip("/")
            try:
                urls[field] = _URL.validate_python(url)
            except ValidationError as error:
                message = f"{url!r} is not the URL of a service, which looks like http://host:8000."
                raise UsageError(message) from error
        return cls(**urls)


class ServiceUnreachable(CommandError):
    """A service is down; the same command can be given again."""


class ServiceRefused(CommandError):
    """A service refused a call with this status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Service:
    """One service, whose failures become sentences for the user of the command."""

    def __init__(self, name: str, url: str, client: ServiceClient) -> None:
        self.url = url
        self._name = name
        self._client = client

    async def get(self, path: str) -> Any:
        """Return the JSON that a GET answers. Raises `ServiceRefused` and `ServiceUnreachable`."""
        async with self._failures_explained():
            return await self._client.get(path)

    async def post(self, path: str, body: Any, *, repeatable: bool = False) -> Any:
        """Return the JSON that a POST answers. Raises `ServiceRefused` and `ServiceUnreachable`."""
        async with self._failures_explained():
            return await self._client.post(path, body, repeatable=repeatable)

    @contextlib.asynccontextmanager
    async def _failures_explained(self) -> AsyncIterator[None]:
        try:
            yield
        except UpstreamRefused as refusal:
            reason = refusal.reason or "it gives no reason"
            raise ServiceRefused(
                f"{self._name} at {self.url} refuses ({refusal.answered}): {reason}",
                refusal.answered,
            ) from refusal
        except UpstreamUnavailable as failure:
            raise ServiceUnreachable(
                f"{self._name} at {self.url} can't be used now: give the same command again "
                "when it runs."
            ) from failure


@dataclass(frozen=True)
class Services:
    """The services that a play is stored in."""

    scripts: Service
    characters: Service
    sessions: Service


@contextlib.asynccontextmanager
async def open_services(addresses: Addresses) -> AsyncIterator[Services]:
    """Yield clients of the services; nothing is connected yet."""
    async with contextlib.AsyncExitStack() as stack:

        async def service(name: str, url: str) -> Service:
            client = ServiceClient.at(
                name, url, timeout=TIMEOUT_SECONDS, attempts=3, max_answer_bytes=MAX_ANSWER_BYTES
            )
            return Service(name, url, await stack.enter_async_context(client))

        yield Services(
            await service("scripts", addresses.scripts),
            await service("characters", addresses.characters),
            await service("session-context", addresses.sessions),
        )
