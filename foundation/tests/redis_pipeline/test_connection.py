"""The protocol on an open connection: servers that misbehave, deadlines, TLS."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis.asyncio import Redis
from redis.exceptions import InvalidResponse, RedisError

from bedplate.redis_pipeline import Pipeline, connections_to
from bedplate.redis_pipeline.connection import OpenConnection
from bedplate.testing.proxy import FaultProxy
from bedplate.testing.valkey import ValkeyServer

GENEROUS = 5.0
PARTS = b"*2\r\n$5\r\nhello\r\n:7\r\n"


class _Scripted:
    """A server that greets as Redis does, then answers each command with the same bytes."""

    def __init__(self, reply: bytes, *, part_bytes: int = 1_000) -> None:
        self._reply = reply
        self._part_bytes = part_bytes
        self.url = ""
        self.connections = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["_Scripted"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while command := await _next_command(reader):
                if command[0] == b"CLIENT":
                    writer.write(b"+OK\r\n")
                    continue
                for begin in range(0, len(self._reply), self._part_bytes):
                    writer.write(self._reply[begin : begin + self._part_bytes])
                    await writer.drain()
                    await asyncio.sleep(0.001)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _next_command(reader: asyncio.StreamReader) -> list[bytes]:
    size = int((await reader.readline() or b"*0")[1:])
    arguments = []
    for _ in range(size):
        length = int((await reader.readline())[1:])
        arguments.append((await reader.readexactly(length + 2))[:-2])
    return arguments


@asynccontextmanager
async def _pipeline(url: str, seconds: float = GENEROUS) -> AsyncIterator[Pipeline]:
    pipeline = Pipeline(connections_to(url), seconds)
    try:
        yield pipeline
    finally:
        await pipeline.close()


async def _opened(pipeline: Pipeline) -> OpenConnection:
    await pipeline.ask("PING")
    assert pipeline._open is not None
    return pipeline._open


async def test_what_is_no_reply_closes_the_connection() -> None:
    """All who wait get a clear error at once, and the next question another connection."""
    async with (
        _Scripted(b"HTTP/1.1 400\r\n").running() as server,
        _pipeline(server.url) as pipeline,
    ):
        questions = (pipeline.ask("PING") for _ in range(3))
        async with asyncio.timeout(GENEROUS / 2):
            outcomes = await asyncio.gather(*questions, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [InvalidResponse] * 3
        assert pipeline._open is not None
        assert not pipeline._open.alive
        before = server.connections
        with pytest.raises(InvalidResponse, match="protocol of Redis"):
            await pipeline.ask("PING")
        assert server.connections == before + 1


async def test_a_reply_that_nobody_asked_for_closes_the_connection() -> None:
    """It would be taken for the reply to the next question."""
    async with _Scripted(b":1\r\n:2\r\n").running() as server, _pipeline(server.url) as pipeline:
        assert await pipeline.ask("PING") == 1
        connection = pipeline._open
        assert connection is not None
        async with asyncio.timeout(GENEROUS):
            await asyncio.wait([connection._lost])
        assert await pipeline.ask("PING") == 1
        assert server.connections == 2


async def test_replies_in_parts_reach_who_asked() -> None:
    """Byte by byte, three at once."""
    async with (
        _Scripted(PARTS, part_bytes=1).running() as server,
        _pipeline(server.url) as pipeline,
    ):
        replies = await asyncio.gather(*(pipeline.ask("ANY") for _ in range(3)))
    assert replies == [[b"hello", 7]] * 3


async def test_a_big_reply_arrives_whole(redis_url: str) -> None:
    """Megabytes both ways, among short replies."""
    big = bytes(range(256)) * 20_000
    async with _pipeline(redis_url) as pipeline:
        questions = [pipeline.ask("ECHO", value) for value in (b"a", big, b"b", big, b"")]
        assert await asyncio.gather(*questions) == [b"a", big, b"b", big, b""]


async def test_a_cancelled_question_still_shows_that_the_connection_hangs(redis_url: str) -> None:
    """Nobody has to wait for a timeout again to learn it."""
    async with FaultProxy(redis_url) as proxy, _pipeline(proxy.url, 0.3) as pipeline:
        connection = await _opened(pipeline)
        await proxy.hang()
        question = asyncio.create_task(pipeline.ask("PING"))
        await asyncio.sleep(0)
        question.cancel()
        async with asyncio.timeout(GENEROUS):
            await asyncio.wait([connection._lost])
        await proxy.heal()
        assert await pipeline.ask("ECHO", "again") == b"again"


async def test_each_question_keeps_its_deadline(redis_url: str) -> None:
    """Also one that stands behind another with more time, as after waiting for a connection."""
    loop = asyncio.get_running_loop()
    async with FaultProxy(redis_url) as proxy, _pipeline(proxy.url, GENEROUS) as pipeline:
        connection = await _opened(pipeline)
        await proxy.hang()
        patient = connection.ask(("PING",), loop.time() + 60)
        hurried = connection.ask(("PING",), loop.time() + 0.1)
        async with asyncio.timeout(GENEROUS):
            with pytest.raises(TimeoutError, match="did not answer"):
                await hurried
            with pytest.raises(TimeoutError):
                await patient
        assert not connection.alive


async def test_a_question_after_a_quiet_time_has_a_deadline_too(redis_url: str) -> None:
    """The one timer of a connection runs out and is set again."""
    async with FaultProxy(redis_url) as proxy, _pipeline(proxy.url, 0.2) as pipeline:
        await pipeline.ask("PING")
        await asyncio.sleep(0.5)
        assert await pipeline.ask("ECHO", "still") == b"still"
        await proxy.hang()
        async with asyncio.timeout(GENEROUS):
            with pytest.raises(TimeoutError):
                await pipeline.ask("PING")


async def test_questions_share_one_timer(redis_url: str) -> None:
    """A timer for each would cost as much as sending it."""
    async with _pipeline(redis_url, 60) as pipeline:
        connection = await _opened(pipeline)
        timer = connection._check
        await asyncio.gather(*(pipeline.ask("PING") for _ in range(100)))
        assert connection._check is timer


async def test_what_cannot_be_sent_harms_nobody(redis_url: str) -> None:
    """Text that isn't UTF-8 is an error before a reply is expected."""
    async with _pipeline(redis_url) as pipeline:
        with pytest.raises(UnicodeEncodeError):
            await pipeline.ask("ECHO", "\ud800")
        assert await pipeline.ask("ECHO", "next") == b"next"


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_tls_passwords_and_databases(
    tmp_path: Path, run: Callable[[Coroutine[Any, Any, None]], None]
) -> None:
    """All that the URL says holds, on both event loops; another certificate isn't trusted."""
    _write_certificate(tmp_path)
    with ValkeyServer() as server:
        run(_ask_through_tls(server, tmp_path))


async def _ask_through_tls(server: ValkeyServer, folder: Path) -> None:
    async with Redis.from_url(server.url) as redis:
        await redis.config_set("requirepass", "secret")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    host, port = server.url.removeprefix("redis://").removesuffix("/0").split(":")

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, upwards = await asyncio.open_connection(host, int(port))
        await asyncio.gather(_pump(reader, upwards), _pump(upstream, writer))

    front = await asyncio.start_server(forward, "127.0.0.1", 0, ssl=context)
    address = f"127.0.0.1:{front.sockets[0].getsockname()[1]}/3"
    trusted = f"?ssl_ca_certs={folder / 'cert.pem'}"
    big = b"x" * 1_000_000
    async with _pipeline(f"valkeys://:secret@{address}{trusted}") as pipeline:
        assert b" db=3 " in await pipeline.ask("CLIENT", "INFO")
        replies = await asyncio.gather(*(pipeline.ask("ECHO", value) for value in (b"a", big)))
        assert replies == [b"a", big]
    for url in (f"rediss://:wrong@{address}{trusted}", f"rediss://:secret@{address}"):
        async with _pipeline(url) as pipeline:
            with pytest.raises((RedisError, OSError)):
                await pipeline.ask("PING")
    front.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def _write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "valkey")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
