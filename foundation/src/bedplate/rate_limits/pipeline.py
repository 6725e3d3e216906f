"""One Redis connection that many tasks share."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError


class Pipeline:
    """Sends every command at once and hands each task its reply, in the order of the commands.

    Nobody waits for a connection, there is never more than one, and a task that is cancelled
    leaves it in order: its reply is read and thrown away. redis-py makes, authenticates and reads
    the connection; its pool, which lends a connection for each command, costs as much again.
    """

    def __init__(self, make_connection: Callable[[], AbstractConnection], timeout: float) -> None:
        self._make_connection = make_connection
        self._timeout = timeout
        self._line: _Line | None = None
        self._opening = asyncio.Lock()

    async def ask(self, *command: str | bytes | int) -> Any:
        """Return the reply to `command`, connecting first where there is no connection.

        Raises `redis.exceptions.RedisError`, or `OSError` (a `TimeoutError` when all of it took
        longer than the timeout; the connection is given up then).
        """
        deadline = asyncio.get_running_loop().time() + self._timeout
        line = self._line
        if line is None or not line.alive:
            async with asyncio.timeout_at(deadline):
                line = await self._open()
        try:
            return await line.ask(command, deadline)
        except TimeoutError:
            await self.close()
            raise

    async def close(self) -> None:
        """Close the connection; whoever waits for a reply gets a `ConnectionError`."""
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    async def _open(self) -> "_Line":
        async with self._opening:
            if self._line is None or not self._line.alive:
                await self.close()
                self._line = _Line(await self._connect())
            return self._line

    async def _connect(self) -> AbstractConnection:
        connection = self._make_connection()
        # The deadline covers it; and redis-py's own way loses cancellations on Python 3.11.
        connection.socket_timeout = None
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection


class _Line:
    """A connection that stands, and the replies that are expected on it."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._expected: deque[asyncio.Future[Any]] = deque()
        self._loop = asyncio.get_running_loop()
        self._reader = self._loop.create_task(self._read_replies())

    @property
    def alive(self) -> bool:
        # After a reset uvloop has closed the transport, and raises RuntimeError on a write, some
        # turns of the event loop before the reader learns of it.
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
            _discard(reply)
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
        except Exception as error:  # noqa: BLE001 - whatever broke the line, its tasks must know
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


def _discard(reply: asyncio.Future[Any]) -> None:
    """Let nobody wait for `reply`, and asyncio not complain that nobody did."""
    if not reply.cancel() and not reply.cancelled():
        reply.exception()
