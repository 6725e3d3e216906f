"""A supervisor's question to one of its workers, over the worker's private Unix socket."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import httptools

SERVICE_UNAVAILABLE = 503


class Answer:
    """What a worker answered: the status and the body; 503 and nothing when it did not."""

    def __init__(self) -> None:
        self.status = SERVICE_UNAVAILABLE
        self.body = b""
        self.complete = False

    def on_body(self, body: bytes) -> None:
        """Take a part of the body from httptools."""
        self.body += body

    def on_message_complete(self) -> None:
        """Hear from httptools that all of it has arrived."""
        self.complete = True


async def ask(
    path: Path, target: bytes, headers: Iterable[tuple[bytes, bytes]], *, seconds: float
) -> Answer:
    """Return what the worker on that socket answers to `GET target` within that time."""
    lines = (name + b": " + value for name, value in headers)
    head = (b"GET " + target + b" HTTP/1.1", b"host: worker", b"connection: close", *lines)
    try:
        async with asyncio.timeout(seconds):
            return _parse(await _exchange(path, b"\r\n".join(head) + b"\r\n\r\n"))
    except (OSError, TimeoutError, httptools.HttpParserError):
        return Answer()


async def _exchange(path: Path, request: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.close()


def _parse(response: bytes) -> Answer:
    answer = Answer()
    parser = httptools.HttpResponseParser(answer)
    parser.feed_data(response)
    if not answer.complete:
        return Answer()
    answer.status = parser.get_status_code()
    return answer
