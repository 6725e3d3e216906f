"""The base of stand-ins: servers in the test's own event loop that answer as the test wants."""

import asyncio
from abc import ABC, abstractmethod
from typing import Self

_HOST = "127.0.0.1"


class StandIn(ABC):
    """A TCP server on a free port of 127.0.0.1, which can stop, and start there again.

    Use it as `async with`. A subclass says in `serve` what a connection gets; to be able to hang,
    it waits there for `answering`, which a test clears.
    """

    def __init__(self) -> None:
        self.answering = asyncio.Event()
        self.answering.set()
        self.port = 0
        """Its port, once it has started."""
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection, which is closed afterwards. One that breaks is no error."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.answering.set()
        await self.stop()

    async def start(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, _HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
            for writer in self._writers:
                writer.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self.serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
