"""The store that processes share, on a real Valkey."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limits import RateLimitItemPerMinute
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from redis.asyncio import Redis

from bedplate.rate_limits.redis import RedisWindows
from bedplate.testing.valkey import ValkeyServer

GENEROUS = 5.0


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[RedisWindows]:
    """A store with enough time even on a busy machine."""
    windows = RedisWindows(redis_url, namespace="test", timeout=GENEROUS)
    yield windows
    await windows.aclose()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of its own, to look at the server and to let time pass there."""
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


async def _let_pass(redis: Redis, seconds: float) -> None:
    """Shorten the life of every key, which is all that time does to them."""
    for key in await redis.keys():
        left = await redis.pttl(key)
        await redis.pexpire(key, max(left - int(seconds * 1000), 0))


async def _spend(store: RedisWindows, limit: int, times: int) -> int:
    return sum([(await store.spend("key", limit, 60)).allowed for _ in range(times)])


async def _calls(redis: Redis, command: str) -> int:
    statistics = await redis.info("commandstats")
    return int(statistics.get(f"cmdstat_{command}", {"calls": 0})["calls"])


async def test_it_tells_the_counts_with_the_decision(store: RedisWindows) -> None:
    """One answer has all that the headers need."""
    first = await store.spend("key", 2, 60)
    assert (first.allowed, first.previous, first.current) == (True, 0, 1)
    assert 59 < first.current_left <= 60
    assert (await store.spend("key", 2, 60)).allowed
    third = await store.spend("key", 2, 60)
    assert (third.allowed, third.current) == (False, 2)


async def test_a_decision_is_one_command(store: RedisWindows, redis: Redis) -> None:
    """Once the script is known, every decision is one EVALSHA."""
    await store.spend("key", 100, 60)
    asked, sent = await _calls(redis, "evalsha"), await _calls(redis, "eval")
    for _ in range(50):
        await store.spend("key", 100, 60)
    assert await _calls(redis, "evalsha") == asked + 50
    assert await _calls(redis, "eval") == sent


async def test_a_script_that_redis_forgot_is_sent_again(store: RedisWindows, redis: Redis) -> None:
    """After a restart or a SCRIPT FLUSH decisions go on."""
    assert (await store.spend("key", 2, 60)).allowed
    await redis.script_flush()
    assert (await store.spend("key", 2, 60)).current == 2


async def test_a_boundary_gives_no_second_burst(store: RedisWindows, redis: Redis) -> None:
    """A budget spent in one window fades in the next, and is whole after that."""
    assert await _spend(store, 10, 20) == 10
    await _let_pass(redis, 60 + 29)
    assert await _spend(store, 10, 20) == 5
    await _let_pass(redis, 60 + 59)
    assert await _spend(store, 10, 20) == 10


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 6), min_size=1, max_size=60), st.integers(1, 8))
async def test_there_is_no_burst_above_the_sliding_limit(
    valkey_server: ValkeyServer, pauses: list[float], limit: int
) -> None:
    """In any span up to a window long, no more passes than the limit and what fades meanwhile."""
    window, now, passed = 10, 0.0, list[float]()
    valkey_server.flush()
    store = RedisWindows(valkey_server.url, namespace="test", timeout=GENEROUS)
    began = time.perf_counter()
    async with Redis.from_url(valkey_server.url) as redis:
        for pause in pauses:
            await _let_pass(redis, pause)
            now += pause
            if (await store.spend("key", limit, window)).allowed:
                passed.append(now)
    await store.aclose()
    really = time.perf_counter() - began
    for position, end in enumerate(passed):
        for start in passed[: position + 1]:
            if end - start < window - really:
                count = sum(start <= moment <= end for moment in passed)
                assert count <= limit + limit * (end - start + really) / window + 1


async def test_keys_live_no_longer_than_two_windows(store: RedisWindows, redis: Redis) -> None:
    """What is not spent again disappears from Redis by itself."""
    await _spend(store, 10, 3)
    await _let_pass(redis, 61)
    await _spend(store, 10, 3)
    keys = await redis.keys()
    assert sorted(keys) == [b"test:{key}", b"test:{key}/-1"]
    assert all([0 < await redis.ttl(key) <= 120 for key in keys])


async def test_it_is_a_storage_of_limits(store: RedisWindows) -> None:
    """`limits`' own strategy works on the same keys and sees the same counts."""
    strategy = SlidingWindowCounterRateLimiter(store)
    minute = RateLimitItemPerMinute(3)
    assert await strategy.hit(minute, "who")
    assert (await store.spend(minute.key_for("who"), 3, 60)).current == 2
    assert (await strategy.get_window_stats(minute, "who")).remaining == 1


async def test_concurrent_decisions_are_exact(store: RedisWindows) -> None:
    """Of 400 at once on one connection, exactly the limit passes."""
    decisions = await asyncio.gather(*(store.spend("key", 150, 60) for _ in range(400)))
    assert sum(decision.allowed for decision in decisions) == 150


@pytest.mark.parametrize("key", ["ключ", "\ud800", "a b\r\nDEL key", "}{", "x" * 10_000])
async def test_any_key_is_only_a_key(store: RedisWindows, key: str) -> None:
    """Non-ASCII, lone surrogates, line ends, braces and length do no harm."""
    assert (await store.spend(key, 1, 60)).allowed
    assert not (await store.spend(key, 1, 60)).allowed


async def test_a_server_that_refuses_is_a_storage_error(redis: Redis, store: RedisWindows) -> None:
    """An error reply, here about a key of another kind, counts as a store that is away."""
    await redis.lpush("test:{key}", "no counter")
    await redis.expire("test:{key}", 100)
    with pytest.raises(StorageError):
        await store.spend("key", 1, 60)


async def test_a_wrong_password_is_a_storage_error(redis_url: str) -> None:
    """Redis that doesn't let us in is a Redis that is away."""
    url = redis_url.replace("redis://", "redis://nobody:wrong@")
    store = RedisWindows(url, namespace="test", timeout=GENEROUS)
    with pytest.raises(StorageError):
        await store.spend("key", 1, 60)
    await store.aclose()


@pytest.mark.parametrize("scheme", ["redis", "valkey"])
async def test_the_urls_of_redis_and_valkey_work(redis_url: str, scheme: str) -> None:
    """Both names of the protocol are understood."""
    url = redis_url.replace("redis://", f"{scheme}://")
    store = RedisWindows(url, namespace="test", timeout=GENEROUS)
    assert (await store.spend("key", 1, 60)).allowed
    await store.aclose()
