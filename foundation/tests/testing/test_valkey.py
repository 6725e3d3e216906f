"""A real Valkey: started, hung, crashed and flushed."""

from collections.abc import AsyncIterator, Iterator

import pytest
import redis.asyncio
import redis.exceptions

from bedplate.testing.servers import StandingServerError
from bedplate.testing.valkey import ValkeyServer


@pytest.fixture(scope="module")
def server() -> Iterator[ValkeyServer]:
    """Give a server that these tests may kill, whatever TEST_REDIS_URL says."""
    with ValkeyServer() as server:
        yield server


@pytest.fixture
async def client(server: ValkeyServer) -> AsyncIterator[redis.asyncio.Redis]:
    """Give a client with short time limits that tries once."""
    async with redis.asyncio.from_url(
        server.url, socket_timeout=0.3, socket_connect_timeout=0.3, retry=None
    ) as client:
        yield client


async def test_it_runs_lua_as_rate_limits_need(client: redis.asyncio.Redis) -> None:
    """It is a whole server, not an imitation."""
    assert await client.eval("return redis.call('INCR', KEYS[1])", 1, "visits") == 1
    assert (await client.info("server"))["server_name"] == "valkey"


async def test_flush_empties_the_database(
    server: ValkeyServer, client: redis.asyncio.Redis
) -> None:
    """What a test left behind is gone."""
    await client.set("left", 1)
    server.flush()
    assert await client.dbsize() == 0


async def test_a_paused_server_hangs_and_resumes_with_its_data(
    server: ValkeyServer, client: redis.asyncio.Redis
) -> None:
    """The client's own time limit is what ends the waiting."""
    await client.set("kept", 1)
    server.pause()
    with pytest.raises(redis.exceptions.TimeoutError):
        await client.get("kept")
    server.resume()
    assert await client.get("kept") == b"1"


async def test_a_killed_server_comes_back_empty_on_the_same_port(
    server: ValkeyServer, client: redis.asyncio.Redis
) -> None:
    """A cache that crashed has lost everything."""
    await client.set("lost", 1)
    server.kill()
    with pytest.raises(redis.exceptions.ConnectionError):
        await client.get("lost")
    server.start()
    assert await client.get("lost") is None


def test_a_paused_server_can_be_stopped_and_killed(server: ValkeyServer) -> None:
    """A test that leaves it hanging does not hang the test run."""
    server.pause()
    server.stop()
    server.start()
    server.pause()
    server.kill()
    server.start()


def test_a_server_that_is_down_can_be_left(server: ValkeyServer) -> None:
    """Leaving the context after a kill is no error."""
    with ValkeyServer() as own:
        own.kill()


async def test_a_standing_server_is_used_and_left_standing(
    server: ValkeyServer, client: redis.asyncio.Redis
) -> None:
    """With TEST_REDIS_URL the server is flushed, never started or ended."""
    await client.set("left", 1)
    with ValkeyServer(standing_url=server.url) as standing:
        assert standing.url == server.url
        standing.flush()
    assert await client.dbsize() == 0


@pytest.mark.parametrize("action", ["start", "stop", "kill", "pause", "resume"])
def test_a_standing_server_is_not_touched(action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to do instead."""
    monkeypatch.setenv("TEST_REDIS_URL", "redis://:secret@cache/3")
    standing = ValkeyServer.from_environment()
    assert standing.url == "redis://:secret@cache/3"
    with pytest.raises(StandingServerError, match=r"Use a ValkeyServer\(\)") as refusal:
        getattr(standing, action)()
    assert "secret" not in str(refusal.value)


def test_workers_have_databases_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a standing server, one worker's flush does not empty another's database."""
    monkeypatch.setenv("TEST_REDIS_URL", "redis://cache")
    assert ValkeyServer.from_environment(worker=0).url == "redis://cache/0"
    assert ValkeyServer.from_environment(worker=2).url == "redis://cache/2"
