"""Receivers of streams, which fail as real ones do."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bedplate import clock


@dataclass(frozen=True)
class Certificate:
    """A certificate of 127.0.0.1 that signs itself, as files, and the receiver's TLS with it."""

    file: Path
    tls: ssl.SSLContext


@dataclass
class Receiver:
    """A TCP server that keeps what each connection sent until it was closed.

    `faults` says what happens to the next connections: `cut` closes it without reading, and any
    other text is the answer of an HTTP server.
    """

    tls: ssl.SSLContext | None = None
    http: bool = False
    faults: list[str] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    port: int = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self.faults.pop(0) if self.faults else ""
        try:
            if fault == "cut":
                writer.transport.abort()
            elif self.http:
                await self._answer(reader, writer, fault or "200 OK")
            else:
                self.received.append(await reader.read())
        except OSError:
            return
        finally:
            writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: str
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        [length] = [
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        ]
        body = await reader.readexactly(length)
        if status.startswith("2"):
            self.received.append(head + body)
        location = "Location: http://127.0.0.1:1/\r\n"
        answer = f"HTTP/1.1 {status}\r\n{location}Content-Length: 0\r\nConnection: close\r\n\r\n"
        writer.write(answer.encode())
        await writer.drain()


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """Give a certificate for receivers."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, key_file = tmp_path / "receiver.pem", tmp_path / "receiver.key"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file, key_file)
    return Certificate(file, tls)


@pytest.fixture
async def https() -> AsyncIterator[Receiver]:
    """Give a receiver of HTTP requests."""
    async with Receiver(http=True) as receiver:
        yield receiver


@pytest.fixture
async def syslog(certificate: Certificate) -> AsyncIterator[Receiver]:
    """Give a receiver of syslog over TLS."""
    async with Receiver(certificate.tls) as receiver:
        yield receiver


@pytest.fixture
def make_receiver() -> Callable[..., Receiver]:
    """Give what makes more receivers."""
    return Receiver
