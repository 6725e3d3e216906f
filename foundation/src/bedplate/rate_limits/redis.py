from limits.aio.storage import RedisStorage
from limits.errors import StorageError
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from bedplate.rate_limits.decision import Windows
from bedplate.rate_limits.pipeline import Pipeline
from bedplate.rate_limits.script import SPEND, SPEND_SHA1

_RESP2 = 2


class RedisWindows(RedisStorage):
    """`limits`' Redis storage that counts and reports in one round trip, in bounded time.

    It has the keys and the arithmetic of `limits`' sliding window counter, so that both see the
    same counts; but `limits` asks twice (hit, then stats), and redis-py's pool costs more than the
    request itself. One connection carries all decisions of a process, many at a time.

    `url` is `redis://`, `rediss://`, `valkey://`, `valkeys://` or `unix://`. `timeout`, in seconds,
    covers connecting, sending and waiting for the reply.
    """

    def __init__(self, url: str, *, namespace: str, timeout: float) -> None:
        super().__init__(
            _limits_url(url),
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix=namespace,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            socket_keepalive=True,
            protocol=_RESP2,
            max_connections=4,
        )
        self._pipeline = Pipeline(self._make_connection, timeout)

    async def spend(self, key: str, limit: int, seconds: int) -> Windows:
        """Count one request of `key` if `limit` allows it, and return the counts.

        Raises `limits.errors.StorageError` when Redis fails or doesn't answer within the timeout.
        """
        try:
            reply = await self._run(key, limit, seconds)
        except (RedisError, OSError) as error:
            raise StorageError(error) from error
        allowed, previous, previous_left, current, current_left = map(int, reply.split())
        return Windows(
            allowed == 1, previous, previous_left / 1000, current, current_left / 1000 - seconds
        )

    async def disconnect(self) -> None:
        """Close the connection; the next decision opens another."""
        await self._pipeline.close()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pipeline.close()
        await self._client.aclose()

    async def _run(self, key: str, limit: int, seconds: int) -> bytes:
        keys = (
            self._encoded(self._previous_window_key(key)),
            self._encoded(self._current_window_key(key)),
        )
        try:
            reply: bytes = await self._pipeline.ask("EVALSHA", SPEND_SHA1, 2, *keys, limit, seconds)
        except NoScriptError:
            reply = await self._pipeline.ask("EVAL", SPEND, 2, *keys, limit, seconds)
        return reply

    def _encoded(self, key: str) -> bytes:
        return self.bridge.prefixed_key(key).encode("utf-8", "surrogatepass")

    @property
    def _client(self) -> Redis:
        return self.bridge.storage  # type: ignore[attr-defined, no-any-return]

    def _make_connection(self) -> AbstractConnection:
        pool: ConnectionPool = self._client.connection_pool
        connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
        return connection


def _limits_url(url: str) -> str:
    """Return the URL in the form that `limits` expects for redis-py."""
    scheme, _, rest = url.partition("://")
    scheme = scheme.replace("valkey", "redis").replace("unix", "redis+unix")
    return f"async+{scheme}://{rest}"
