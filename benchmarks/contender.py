"""What is measured: an ASGI app, and the requests it is asked."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from starlette.types import ASGIApp

BUILDERS = {
    "floor": "benchmarks.contenders.floor:build",
    "floor, no reset": "benchmarks.contenders.floor:build_without_reset",
    "bare": "benchmarks.contenders.bare:build",
    "idiomatic": "benchmarks.contenders.idiomatic:build",
    "ours": "benchmarks.contenders.ours:build",
    "raw ASGI": "benchmarks.contenders.trivial:build_raw",
    "bare FastAPI": "benchmarks.contenders.trivial:build_bare",
    "the foundation": "benchmarks.contenders.trivial:build_ours",
}
"""Where each contender is built, by its name in the tables."""

TASKS = ("floor", "floor, no reset", "bare", "idiomatic", "ours")
"""The contenders that serve the tasks API, in the table's order."""

TRIVIAL = ("raw ASGI", "bare FastAPI", "the foundation")
"""The contenders that answer one trivial route, in the table's order."""


@dataclass(frozen=True)
class HttpRequest:
    """One request, and what its answer must look like.

    `items` is the number of objects the JSON answer holds: None for a single object.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] | None = None
    body: bytes = b""
    status: int = 200
    items: int | None = None
    members: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Contender:
    """An app that opens its resources in its lifespan, and its requests by case name."""

    app: ASGIApp
    cases: Mapping[str, HttpRequest]


@dataclass(frozen=True)
class Servers:
    """Where the seeded database and the rate limits' store are."""

    database_url: str
    redis_url: str


class Builder(Protocol):
    """What makes a contender; the URLs start with `postgresql://` and `redis://`."""

    def __call__(self, database_url: str, redis_url: str) -> Awaitable[Contender]:
        """Return the contender; nothing is opened before its lifespan starts."""
        ...


async def build(name: str, servers: Servers) -> Contender:
    """Import the contender's module and build it; other contenders stay unimported."""
    module, function = BUILDERS[name].split(":")
    builder: Callable[[str, str], Awaitable[Contender]] = getattr(import_module(module), function)
    return await builder(servers.database_url, servers.redis_url)
