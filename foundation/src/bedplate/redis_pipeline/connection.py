import asyncio
import math
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, Self

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, ResponseError

from bedplate.redis_pipeline.replies import ReplyParser

Argument = str | bytes | int

_MAX_REMEMBERED = 64


class _Expected(NamedTuple):
    """A reply that a task waits for until a time of the event loop."""

    reply: asyncio.Future[Any]
    deadline: float


class OpenConnection(asyncio.Protocol):
    """An open connection, and the replies that are expected on it, in the order of the commands.

    redis-py has opened and authenticated it; reading and writing through redis-py would cost three
    times as much.
    """

    @classmethod
    async def open(cls, connection: AbstractConnection) -> Self:
        """Connect, authenticate, and take the transport over from redis-py.

        Raises `redis.exceptions.RedisError` or `OSError`; the caller bounds the time.
        """
        # redis-py's own timeout loses cancellations on Python 3.11.
        connection.socket_timeout = None
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            return cls(connection)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise

    def __init__(self, connection: AbstractConnection) -> None:
        """Take over a connection of redis-py that is open, and on which no reply is expected."""
        reader, writer = connection._reader, connection._writer  # noqa: SLF001 - nothing else has the transport
        if reader is None or writer is None or writer.is_closing() or reader.at_eof():
            raise RedisConnectionError("The connection was closed at once.")
        if reader._buffer:  # type: ignore[attr-defined]  # noqa: SLF001 - it isn't public
            raise InvalidResponse("Redis sent what nobody asked for.")
        self._connection = connection  # it closes the transport when it is collected
        self._transport = writer.transport
        self._loop = asyncio.get_running_loop()
        self._lost = self._loop.create_future()
        self._expected: deque[_Expected] = deque()
        self._parser = ReplyParser(self._receive)
        self._check: asyncio.TimerHandle | None = None
        self._next_check = math.inf
        self._transport.set_protocol(self)

    @property
    def alive(self) -> bool:
        """Whether commands can be sent.

        After a reset uvloop closes the transport, and raises RuntimeError on a write, some turns
        of the event loop before `connection_lost`.
        """
        return not self._transport.is_closing()

    def ask(self, command: tuple[Argument, ...], deadline: float) -> asyncio.Future[Any]:
        """Send a command; return its reply, which fails at `deadline`, a time of the event loop."""
        packed = pack(command)
        reply = self._loop.create_future()
        self._expected.append(_Expected(reply, deadline))
        if deadline < self._next_check:
            self._check_at(deadline)
        self._transport.write(packed)
        return reply

    async def close(self) -> None:
        """Close the connection; who waits for a reply gets a `redis.exceptions.ConnectionError`."""
        self._give_up(_closed)
        # Not through redis-py, which would wait for a server that hangs.
        await asyncio.wait([self._lost])
        await self._connection.disconnect(nowait=True)

    def data_received(self, data: bytes) -> None:
        """Pass on the replies in `data`; give the connection up if they aren't replies."""
        try:
            self._parser.feed(data)
        except InvalidResponse as error:
            reason = str(error)
            self._give_up(lambda: InvalidResponse(reason))

    def connection_lost(self, _error: Exception | None) -> None:
        """Fail those who wait."""
        self._give_up(_closed)
        self._lost.set_result(None)

    def _receive(self, reply: Any) -> None:
        if not self._expected:
            raise InvalidResponse("Redis sent what nobody asked for.")
        future = self._expected.popleft().reply
        if future.done():
            return  # who asked was cancelled
        if isinstance(reply, ResponseError):
            _fail(future, reply)
        else:
            future.set_result(reply)

    def _check_at(self, deadline: float) -> None:
        """Look at the deadlines then: a timer for each command would cost as much as sending it."""
        if self._check is not None:
            self._check.cancel()
        self._next_check = deadline
        self._check = self._loop.call_at(deadline, self._check_deadlines)

    def _check_deadlines(self) -> None:
        self._next_check = math.inf
        if self._expected:
            # Who waited for the connection may stand behind others, with an earlier deadline.
            deadline = min(expected.deadline for expected in self._expected)
            if deadline <= self._loop.time():
                self._give_up(_late)
            else:
                self._check_at(deadline)

    def _give_up(self, failure: Callable[[], Exception]) -> None:
        self._transport.abort()
        if self._check is not None:
            self._check.cancel()
        while self._expected:
            _fail(self._expected.popleft().reply, failure())


def pack(command: tuple[Argument, ...]) -> bytes:
    """Return a command as RESP2 sends it: an array of strings, which are encoded as UTF-8."""
    parts = [b"*%d\r\n" % len(command)]
    for argument in command:
        if isinstance(argument, bytes):
            parts += (b"$%d\r\n" % len(argument), argument, b"\r\n")
        elif isinstance(argument, int) or len(argument) <= _MAX_REMEMBERED:
            parts.append(_packed(argument))
        else:
            parts.append(_pack_one(argument))
    return b"".join(parts)


def _pack_one(argument: str | int) -> bytes:
    value = str(argument).encode()
    return b"$%d\r\n%b\r\n" % (len(value), value)


# Commands and limits are the same again and again.
_packed = lru_cache(maxsize=1024, typed=True)(_pack_one)


def _closed() -> Exception:
    return RedisConnectionError("The connection was closed.")


def _late() -> Exception:
    return TimeoutError("Redis did not answer.")


def _fail(reply: asyncio.Future[Any], error: Exception) -> None:
    if not reply.done():
        reply.set_exception(error)
        reply.exception()  # or asyncio would report a reply whose task is cancelled just now
