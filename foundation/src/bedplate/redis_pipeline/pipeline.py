import asyncio
from collections.abc import Callable
from typing import Any

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bedplate.redis_pipeline.connection import Argument, OpenConnection

_RESP2 = 2


def connections_to(url: str) -> Callable[[], AbstractConnection]:
    """Return what makes connections to a server: `redis://`, `rediss://`, `valkey://`, `unix://`.

    They are for a `Pipeline`, which bounds their time.
    """
    scheme, _, rest = url.partition("://")
    address = f"{scheme.replace('valkey', 'redis')}://{rest}"
    pool = ConnectionPool.from_url(
        address, protocol=_RESP2, socket_keepalive=True, retry=Retry(NoBackoff(), 0)
    )

    def make_connection() -> AbstractConnection:
        connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
        return connection

    return make_connection


class Pipeline:
    """One Redis connection that many tasks share: replies come in the order of the commands.

    No task waits for a connection, there is never more than one, and the reply to a cancelled task
    is read and discarded.
    """

    def __init__(self, make_connection: Callable[[], AbstractConnection], timeout: float) -> None:
        self._make_connection = make_connection
        self._timeout = timeout
        self._open: OpenConnection | None = None
        self._opening = asyncio.Lock()
        self.connected = 0
        """How many times it has connected: a server may have restarted in between."""

    async def ask(self, *command: Argument) -> Any:
        """Return the reply to `command`, connecting first if necessary.

        Raises `redis.exceptions.RedisError`, or `OSError` (a `TimeoutError` when connecting and
        waiting exceed the timeout; the connection is then closed).
        """
        deadline = asyncio.get_running_loop().time() + self._timeout
        connection = self._open
        if connection is None or not connection.alive:
            async with asyncio.timeout_at(deadline):
                connection = await self._connected()
        return await connection.ask(command, deadline)

    async def close(self) -> None:
        """Close the connection; tasks that wait for a reply get a `ConnectionError`."""
        connection, self._open = self._open, None
        if connection is not None:
            await connection.close()

    async def _connected(self) -> OpenConnection:
        async with self._opening:
            if self._open is None or not self._open.alive:
                await self.close()
                self._open = await OpenConnection.open(self._make_connection())
                self.connected += 1
            return self._open
