from collections.abc import Callable
from hashlib import sha1

from limits.aio.storage import RedisStorage
from limits.errors import StorageError
from redis.asyncio import Redis
from redis.asyncio.connection import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from bedplate.rate_limits.budget import Windows
from bedplate.redis_pipeline import Pipeline

_RESP2 = 2
# After the acquire_sliding_window.lua of `limits`.
_SPEND = """
-- Times are in milliseconds. A counter lives for two windows: its own, then as the previous one.
local limit = tonumber(ARGV[1])
local window = tonumber(ARGV[2]) * 1000

local current, previous = 0, 0
local current_left = redis.call('PTTL', KEYS[2])
if current_left > 0 and current_left < window then
    redis.call('RENAME', KEYS[2], KEYS[1])
    current_left = current_left + window
    redis.call('SET', KEYS[2], 0, 'PX', current_left)
elseif current_left > 0 then
    current = tonumber(redis.call('GET', KEYS[2])) or 0
end
local previous_left = redis.call('PTTL', KEYS[1])
if previous_left > 0 then
    previous = tonumber(redis.call('GET', KEYS[1])) or 0
else
    previous_left = 0
end

local allowed = 0
if math.floor(previous * previous_left / window) + current < limit then
    allowed = 1
    current = current + 1
    if current_left > 0 then
        redis.call('INCR', KEYS[2])
    else
        current_left = window * 2
        redis.call('SET', KEYS[2], 1, 'PX', current_left)
    end
end
-- One string: redis-py takes as long for each element of an array as for all of this.
return string.format('%d %d %d %d %d', allowed, previous, previous_left, current, current_left)
"""
# The name of a script for EVALSHA; it protects nothing.
_SPEND_SHA1 = sha1(_SPEND.encode(), usedforsecurity=False).hexdigest()


class RedisWindows(RedisStorage):
    """`limits`' Redis storage that counts and reports in one round trip, in bounded time.

    It has the keys and the arithmetic of `limits`' sliding window counter, so that both see the
    same counts; but `limits` asks twice (hit, then stats), and redis-py's pool costs more than the
    request itself. One connection carries all decisions of a process, many at a time.

    `url` is `redis://`, `rediss://`, `valkey://`, `valkeys://` or `unix://`. `timeout`, in seconds,
    covers connecting, sending and waiting for the reply.
    """

    def __init__(self, url: str, *, namespace: str, timeout: float) -> None:
        # The scheme by which `limits` finds its asynchronous storage on redis-py.
        scheme, _, rest = url.partition("://")
        scheme = scheme.replace("valkey", "redis").replace("unix", "redis+unix")
        super().__init__(
            f"async+{scheme}://{rest}",
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
        self._client: Redis = self.bridge.storage  # type: ignore[attr-defined]
        pool: ConnectionPool = self._client.connection_pool
        self._pipeline = Pipeline(pool.make_connection, timeout)
        # What `limits` puts around a key; it would put it together anew for each request.
        self._before, self._after = self._around(self._current_window_key)
        self._before_previous, self._after_previous = self._around(self._previous_window_key)

    async def spend(self, key: str, limit: int, seconds: int) -> Windows:
        """Count one request of `key` if `limit` allows it. Raises `limits.errors.StorageError`."""
        encoded = key.encode("utf-8", "surrogatepass")
        previous_key = self._before_previous + encoded + self._after_previous
        arguments = 2, previous_key, self._before + encoded + self._after, limit, seconds
        try:
            try:
                reply = await self._pipeline.ask("EVALSHA", _SPEND_SHA1, *arguments)
            except NoScriptError:
                reply = await self._pipeline.ask("EVAL", _SPEND, *arguments)
        except (RedisError, OSError) as error:
            raise StorageError(error) from error
        allowed, previous, previous_left, current, current_left = map(int, reply.split())
        return Windows(
            allowed == 1, previous, previous_left / 1000, current, current_left / 1000 - seconds
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pipeline.close()
        await self._client.aclose()

    def _around(self, key_of: Callable[[str], str]) -> tuple[bytes, bytes]:
        """Return what stands before and after a key in the name that `limits` makes of it."""
        before, _, after = self.bridge.prefixed_key(key_of("\0")).rpartition("\0")
        return before.encode(), after.encode()
