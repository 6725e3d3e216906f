import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

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
    is read and discarded. redis-py opens, authenticates and reads the connection; its pool, which
    lends a connection for each command, doubles the cost.
    """

    def __init__(self, make_connection: Callable[[], AbstractConnection], timeout: float) -> None:
        self._make_connection = make_connection
        self._timeout = timeout
        self._open: _OpenConnection | None = None
        self._opening = asyncio.Lock()
        self.connected = 0
        """How many times it has connected: a server may have restarted in between."""

    async def ask(self, *command: str | bytes | int) -> Any:
        """Return the reply to `command`, connecting first if necessary.

        Raises `redis.exceptions.RedisError`, or `OSError` (a `TimeoutError` when connecting and
        waiting exceed the timeout; the connection is then closed).
        """
        deadline = asyncio.get_running_loop().time() + self._timeout
        connection = self._open
        if connection is None or not connection.alive:
            async with asyncio.timeout_at(deadline):
                connection = await self._connected()
        try:
            return await connection.ask(command, deadline)
        except TimeoutError:
            await self.close()
            raise

    async def close(self) -> None:
        """Close the connection; tasks that wait for a reply get a `ConnectionError`."""
        connection, self._open = self._open, None
        if connection is not None:
            await connection.close()

    async def _connected(self) -> "_OpenConnection":
        async with self._opening:
            if self._open is None or not self._open.alive:
                await self.close()
                connection = self._make_connection()
                # The deadline covers it; redis-py's own timeout loses cancellations on Python 3.11.
                connection.socket_timeout = None
                try:
                    await connection.connect()  # type: ignore[no-untyped-call]
                except BaseException:
                    await connection.disconnect(nowait=True)
                    raise
                self._open = _OpenConnection(connection)
                self.connected += 1
            return self._open


class _OpenConnection:
    """An open connection, and the replies that are expected on it."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._expected: deque[asyncio.Future[Any]] = deque()
        self._loop = asyncio.get_running_loop()
        self._reader = self._loop.create_task(self._read_replies())

    @property
    def alive(self) -> bool:
        # After a reset uvloop closes the transport, and raises RuntimeError on a write, some turns
        # of the event loop before the reader notices.
        writer = self._connection._writer  # noqa: SLF001 - redis-py doesn't ask the transport
        return writer is not None and not writer.is_closing() and not self._reader.done()

    async def ask(self, command: tuple[str | bytes | int, ...], deadline: float) -> Any:
        reply = self._loop.create_future()
        self._expected.append(reply)
        # A third of what asyncio.timeout() costs.
        timer = self._loop.call_at(deadline, _fail, reply, TimeoutError("Redis did not answer."))
        try:
            packed = self._connection.pack_command(*command)
            await self._connection.send_packed_command(packed, check_health=False)
            return await reply
        except BaseException:
            if not reply.cancel() and not reply.cancelled():
                reply.exception()  # or asyncio would report that nobody retrieved it
            raise
        finally:
            timer.cancel()

    async def close(self) -> None:
        writer = self._connection._writer  # noqa: SLF001 - its close() waits for a peer that hangs
        if writer is not None:
            writer.transport.abort()
        self._reader.cancel()
        await asyncio.wait([self._reader])
        await self._connection.disconnect(nowait=True)

    async def _read_replies(self) -> None:
        failure: Exception = RedisConnectionError("The connection was closed.")
        try:
            while True:
                await self._read_reply()
        except Exception as error:  # noqa: BLE001 - any error must reach the waiting tasks
            failure = error
        finally:
            while self._expected:
                _fail(self._expected.popleft(), failure)

    async def _read_reply(self) -> None:
        try:
            outcome = await self._connection.read_response()
        except ResponseError as error:
            _fail(self._expected.popleft(), error)
            return
        reply = self._expected.popleft()
        if not reply.done():
            reply.set_result(outcome)


def _fail(reply: asyncio.Future[Any], error: Exception) -> None:
    if not reply.done():
        reply.set_exception(error)
