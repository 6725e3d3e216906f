"""The one connection that all decisions of a process share, to a real Valkey."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from bedplate.redis_pipeline import Pipeline
from bedplate.testing.proxy import FaultProxy
from bedplate.testing.valkey import ValkeyServer

GENEROUS = 5.0


def _pipeline(url: str, timeout: float) -> Pipeline:
    pool = ConnectionPool.from_url(url, protocol=2)

    def make_connection() -> AbstractConnection:
        connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
        return connection

    return Pipeline(make_connection, timeout)


@pytest.fixture
async def pipeline(redis_url: str) -> AsyncIterator[Pipeline]:
    """A pipeline with enough time even on a busy machine."""
    one = _pipeline(redis_url, GENEROUS)
    yield one
    await one.close()


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """A Valkey of its own, to be paused and killed."""
    with ValkeyServer() as own:
        yield own


async def _clients(redis_url: str) -> int:
    async with Redis.from_url(redis_url) as redis:
        return len(await redis.client_list()) - 1


async def test_everyone_gets_the_reply_to_what_they_asked(
    pipeline: Pipeline, redis_url: str
) -> None:
    """A thousand questions at once share one connection, and no two replies are swapped."""
    before = await _clients(redis_url)
    replies = await asyncio.gather(*(pipeline.ask("ECHO", number) for number in range(1_000)))
    assert replies == [str(number).encode() for number in range(1_000)]
    assert await _clients(redis_url) == before + 1


async def test_an_error_reply_goes_to_who_asked_for_it(pipeline: Pipeline) -> None:
    """One bad command doesn't disturb the others."""
    commands = [("ECHO", "1"), ("NONSENSE",), ("ECHO", "2")]
    questions = (pipeline.ask(*command) for command in commands)
    outcomes = await asyncio.gather(*questions, return_exceptions=True)
    assert outcomes[::2] == [b"1", b"2"]
    assert isinstance(outcomes[1], ResponseError)


async def test_a_cancelled_task_leaves_the_connection_in_order(
    pipeline: Pipeline, redis_url: str
) -> None:
    """Whoever goes away before the reply takes nobody else's, and costs no reconnection."""
    await pipeline.ask("PING")
    before = await _clients(redis_url)
    tasks = [asyncio.create_task(pipeline.ask("ECHO", number)) for number in range(100)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes[1::2] == [str(number).encode() for number in range(1, 100, 2)]
    assert [o for o in outcomes[::2] if not isinstance(o, asyncio.CancelledError)] == []
    assert await pipeline.ask("ECHO", "next") == b"next"
    assert await _clients(redis_url) == before


async def test_a_task_cancelled_while_connecting_harms_nobody(pipeline: Pipeline) -> None:
    """The others connect in its place."""
    tasks = [asyncio.create_task(pipeline.ask("ECHO", number)) for number in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes[1:] == [b"1", b"2"]


async def test_a_cut_connection_is_replaced(pipeline: Pipeline, redis_url: str) -> None:
    """After the server closed an idle connection the next question is answered."""
    await pipeline.ask("PING")
    line = pipeline._open
    assert line is not None
    async with Redis.from_url(redis_url) as redis:
        await redis.client_kill_filter(_type="normal", skipme=True)
    await asyncio.wait([line._lost])
    assert await pipeline.ask("ECHO", "again") == b"again"


async def test_who_asks_while_a_reset_sinks_in_gets_another_connection(redis_url: str) -> None:
    """Between the reset and its discovery by the reader, the question of every turn is answered."""
    async with FaultProxy(redis_url) as proxy, asyncio.timeout(GENEROUS):
        pipeline = _pipeline(proxy.url, GENEROUS)
        await pipeline.ask("PING")
        line = pipeline._open
        assert line is not None
        cutting = asyncio.create_task(proxy.cut())
        while line.alive:  # noqa: ASYNC110 - no event comes before the loss
            await asyncio.sleep(0)
        questions = []
        while not line._lost.done():
            questions.append(asyncio.create_task(pipeline.ask("ECHO", "?")))
            await asyncio.sleep(0)
        assert await asyncio.gather(*questions) == [b"?"] * len(questions)
        assert questions != []
        await cutting
        await pipeline.close()


async def test_a_server_that_dies_fails_all_who_wait(server: ValkeyServer) -> None:
    """Nobody waits for a reply that can't come."""
    pipeline = _pipeline(server.url, GENEROUS)
    await pipeline.ask("PING")
    server.pause()
    tasks = [asyncio.create_task(pipeline.ask("PING")) for _ in range(10)]
    await asyncio.sleep(0)
    server.kill()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(outcome, RedisConnectionError) for outcome in outcomes)
    with pytest.raises(RedisConnectionError):
        await pipeline.ask("PING")
    server.start()
    assert await pipeline.ask("ECHO", "back") == b"back"
    await pipeline.close()


async def test_a_server_that_hangs_costs_the_timeout_only(server: ValkeyServer) -> None:
    """The first late reply gives up the connection for all, and a new one works again."""
    pipeline = _pipeline(server.url, 0.5)
    await pipeline.ask("PING")
    server.pause()
    outcomes = await asyncio.gather(
        *(pipeline.ask("PING") for _ in range(10)), return_exceptions=True
    )
    assert all(isinstance(outcome, TimeoutError | RedisConnectionError) for outcome in outcomes)
    with pytest.raises(TimeoutError):
        await pipeline.ask("PING")  # connects, and is not greeted
    server.resume()
    assert await pipeline.ask("ECHO", "back") == b"back"
    await pipeline.close()


async def test_a_server_that_reads_nothing_more_blocks_nobody(server: ValkeyServer) -> None:
    """Megabytes that can't be sent are given up within the timeout too."""
    pipeline = _pipeline(server.url, 0.5)
    await pipeline.ask("PING")
    server.pause()
    megabyte = b"x" * 1_000_000
    async with asyncio.timeout(GENEROUS):
        outcomes = await asyncio.gather(
            *(pipeline.ask("ECHO", megabyte) for _ in range(20)), return_exceptions=True
        )
    assert all(isinstance(outcome, TimeoutError | RedisConnectionError) for outcome in outcomes)
    server.resume()
    await pipeline.close()


async def test_closing_tells_those_who_wait(server: ValkeyServer) -> None:
    """A shutdown doesn't wait for Redis."""
    pipeline = _pipeline(server.url, GENEROUS)
    await pipeline.ask("PING")
    server.pause()
    waiting = asyncio.create_task(pipeline.ask("PING"))
    await asyncio.sleep(0)
    await pipeline.close()
    with pytest.raises(RedisConnectionError):
        await waiting
