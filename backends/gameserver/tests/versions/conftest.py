"""What the tests of versions stand on: a real (simulated) feed, whose games really run."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest

from bedplate.testing.client import Client, client
from gameserver.operations.schemas import Operation, OperationState
from gameserver_simulator.stand_ins.game_files import Fault
from gameserver_simulator.stand_ins.version_feed import VersionFeed

Ended = Callable[[Client, httpx2.Response], Awaitable[Operation]]
OpenAPI = Callable[..., Awaitable[Client]]

_FAULTS = {
    "1.20.12": Fault.WRONG_MD5,
    "1.21.0": Fault.TRUNCATED,
    "1.21.1": Fault.NUMERIC_PREFIX,
    "1.21.7-rc.1": Fault.CRASHES,
    "1.22.0-pre.1": Fault.NEVER_READY,
    "1.19.0": Fault.SLIP,
    "1.19.1": Fault.ABSOLUTE,
    "1.19.2": Fault.SYMLINK,
    "1.19.3": Fault.HARDLINK,
    "1.19.4": Fault.DEVICE,
    "1.19.5": Fault.STALE_ASSETS,
    "1.19.6": Fault.NO_ARCHIVE,
}


@pytest.fixture(scope="session")
def served_feed() -> Iterator[tuple[VersionFeed, str]]:
    """Serve one feed for all tests; its archives are costly to make."""
    hostile = [version for version in _FAULTS if version.startswith("1.19.")]
    plain = VersionFeed(_FAULTS)
    feed = VersionFeed(_FAULTS, stable=[*hostile, *plain.stable], unstable=plain.unstable)
    with feed.serving() as url:
        yield feed, url


@pytest.fixture
def feed(served_feed: tuple[VersionFeed, str]) -> Iterator[VersionFeed]:
    """Give the feed, well-mannered at the beginning and at the end."""
    found = served_feed[0]
    manners = type(found.fault_modes)().__dict__
    found.fault_modes.__dict__.update(manners)
    yield found
    found.fault_modes.__dict__.update(type(found.fault_modes)().__dict__)


@pytest.fixture
async def open_api(
    make_app: Callable[..., Any],
    admin: dict[str, str],
    feed: VersionFeed,
    served_feed: tuple[VersionFeed, str],
) -> AsyncIterator[OpenAPI]:
    """Give what opens a manager that asks the feed, with changed settings, as a client."""
    quick = {"version_feed_url": served_feed[1], "version_ready_seconds": 10}
    async with AsyncExitStack() as stack:

        async def open_api(**changes: Any) -> Client:
            app = make_app(**{**quick, **changes})
            return await stack.enter_async_context(client(app, headers=admin))

        yield open_api


@pytest.fixture
async def versions_api(open_api: OpenAPI) -> Client:
    """Give a manager with nothing installed."""
    return await open_api()


@pytest.fixture(scope="session")
def ended() -> Ended:
    """Give what waits for the end of an accepted operation."""

    async def ended(api: Client, response: httpx2.Response) -> Operation:
        assert response.status_code == 202, response.text
        while True:
            answer = await api.get(response.headers["Location"])
            operation = Operation.model_validate(answer.json())
            if operation.state is not OperationState.RUNNING:
                return operation
            await asyncio.sleep(0.02)

    return ended
