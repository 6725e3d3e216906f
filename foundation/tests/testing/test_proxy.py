"""The fault proxy between real clients and real servers."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import redis.asyncio
import redis.exceptions

from bedplate.testing.proxy import FaultProxy

BOUND_SECONDS = 0.3
SSL_REQUEST = bytes.fromhex("00000008 04d2162f")  # PostgreSQL protocol 3.0, section 55.7


@pytest.fixture(name="postgres")
async def _postgres(postgres_url: str) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(postgres_url) as proxy:
        yield proxy


@pytest.fixture(name="valkey")
async def _valkey(redis_url: str) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(redis_url) as proxy:
        yield proxy


async def connect(proxy: FaultProxy) -> asyncpg.Connection:
    """Return a PostgreSQL connection by way of the proxy."""
    return await asyncpg.connect(proxy.url, ssl=False)


async def test_what_is_sent_passes_in_both_directions(postgres: FaultProxy) -> None:
    """Ten megabytes, more than any buffer on the way, come back whole."""
    connection = await connect(postgres)
    sent = "x" * 10_000_000
    assert await connection.fetchval("SELECT $1::text", sent) == sent
    assert postgres.connections == 1
    await connection.close()


async def test_an_orderly_end_passes(postgres: FaultProxy) -> None:
    """When the client goes, so does the connection to the server."""
    connection, watching = await connect(postgres), await connect(postgres)
    left = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1"
    pid = connection.get_server_pid()
    assert await watching.fetchval(left, pid) == 1
    await connection.close()
    async with asyncio.timeout(10):
        while await watching.fetchval(left, pid):
            pass
    await watching.close()


async def test_refused_connections_come_back_on_the_same_port(postgres: FaultProxy) -> None:
    """New connections are refused until it heals; the present ones are lost."""
    connection = await connect(postgres)
    await postgres.refuse()
    with pytest.raises(ConnectionRefusedError):
        await connect(postgres)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.fetchval("SELECT 1")
    await postgres.heal()
    healed = await connect(postgres)
    assert await healed.fetchval("SELECT 1") == 1
    await healed.close()


async def test_a_hanging_connection_goes_on_when_it_heals(postgres: FaultProxy) -> None:
    """No answer comes while it hangs, and the whole answer afterwards."""
    connection = await connect(postgres)
    await postgres.hang()
    answer = asyncio.ensure_future(connection.fetchval("SELECT 1"))
    done, _ = await asyncio.wait({answer}, timeout=BOUND_SECONDS)
    assert not done
    await postgres.heal()
    assert await asyncio.wait_for(answer, 10) == 1
    await connection.close()


async def test_new_connections_hang_too(postgres: FaultProxy) -> None:
    """They are accepted, so the client waits for its own time limit."""
    await postgres.hang()
    with pytest.raises(TimeoutError):
        await asyncpg.connect(postgres.url, timeout=BOUND_SECONDS)
    assert postgres.connections == 1


async def test_cut_resets_a_connection_in_the_middle_of_a_query(postgres: FaultProxy) -> None:
    """The client learns it at once, and may connect again at once."""
    connection = await connect(postgres)
    answer = asyncio.ensure_future(connection.fetchval("SELECT pg_sleep(60)"))
    await asyncio.wait({answer}, timeout=BOUND_SECONDS)
    await postgres.cut()
    with pytest.raises((asyncpg.PostgresError, ConnectionError)):
        await asyncio.wait_for(answer, 10)
    again = await connect(postgres)
    assert await again.fetchval("SELECT 1") == 1
    await again.close()


async def test_cut_is_a_reset_not_an_end(postgres: FaultProxy) -> None:
    """The client reads ECONNRESET, not an orderly end of data."""
    reader, writer = await asyncio.open_connection("127.0.0.1", postgres.port)
    writer.write(SSL_REQUEST)
    assert await reader.readexactly(1) == b"N"
    await postgres.cut()
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_the_modes_with_redis(valkey: FaultProxy) -> None:
    """A Redis client sees each fault as an error of its own, and works again afterwards."""
    client = redis.asyncio.from_url(
        valkey.url, socket_timeout=BOUND_SECONDS, socket_connect_timeout=BOUND_SECONDS, retry=None
    )
    async with client:
        await client.set("visits", 1)
        await valkey.hang()
        with pytest.raises(redis.exceptions.TimeoutError):
            await client.get("visits")
        await valkey.refuse()
        with pytest.raises(redis.exceptions.ConnectionError):
            await client.get("visits")
        await valkey.heal()
        assert await client.get("visits") == b"1"


async def test_an_upstream_that_is_down_resets_the_client() -> None:
    """The proxy answers for a server that is not there with a lost connection."""
    async with FaultProxy("postgresql://u@127.0.0.1:1/d") as proxy:
        with pytest.raises((ConnectionError, asyncpg.PostgresError)):
            await asyncpg.connect(proxy.url, ssl=False)


def test_urls_keep_everything_but_host_and_port() -> None:
    """Account, password, path and query stay."""
    proxy = FaultProxy("postgresql+asyncpg://u:p%40@db:5432/app?x=1")
    assert proxy.url == f"postgresql+asyncpg://u:p%40@127.0.0.1:{proxy.port}/app?x=1"


def test_an_upstream_without_a_port_is_refused() -> None:
    """It says so at once, rather than at the first connection."""
    with pytest.raises(ValueError, match="a host and a port"):
        FaultProxy("tcp://127.0.0.1")
